"""The rules, held against modules that break each of them, and against all that are shipped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal as D
from typing import Any

import pytest

from scripts.red_lines import report_on
from strategy.auxiliary.exit_plan import Distance, FactorRule, Stop
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.presets import PRESETS, LeverageByStrength, Preset
from strategy.auxiliary.red_lines import SAYS, Report, Rule, checked, checked_preset
from strategy.auxiliary.red_lines.check import Effort, Factory
from strategy.auxiliary.red_lines.worlds import Shape
from tests.strategy.auxiliary.red_line_modules import COMPLIANT, OFFENDING, Tried


@dataclass(frozen=True, slots=True)
class Steep(LeverageByStrength):
    """A mapping that forgets where the red line is."""

    def mapped(self, strength: D) -> D:
        return self.stated(strength)


SMALL = Effort((Shape.CRASH, Shape.SWINGS, Shape.FLAT), days=3, mixes=0)


@pytest.mark.parametrize("case", OFFENDING, ids=lambda case: case.tells)
def test_a_module_that_breaks_a_rule_is_refused_with_its_number_and_a_trace(case: Tried) -> None:
    report = checked("tried", {"tried.py": case.text}, case.load, effort=SMALL)
    assert [breach.rule for breach in report.breaches] == [case.rule]
    (breach,) = report.breaches
    assert breach.trace and breach.broken
    assert str(report).startswith(f"{case.rule}  ") and SAYS[breach.rule] in str(report)


@pytest.mark.parametrize("case", COMPLIANT, ids=lambda case: case.tells)
def test_a_module_that_keeps_to_the_rules_is_accepted(case: Tried) -> None:
    report = checked("tried", {"tried.py": case.text}, case.load, effort=SMALL)
    assert report.ok, str(report)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_that_is_shipped_keeps_to_the_rules(name: str) -> None:
    effort = Effort((Shape.CRASH, Shape.GAPS, Shape.CROWD), days=4, questions=400, mixes=1)
    report = report_on(name, effort)
    assert report.ok, str(report)
    assert report.texts > 1 and report.plays == 12 and report.asked > 200


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_every_preset_keeps_to_the_rules(preset: Preset) -> None:
    report = checked_preset(preset)
    assert report.ok, str(report)


def smart(**changed: Any) -> Preset:
    """A preset with another plan than it has."""
    return replace(PRESETS["smart"], plan=replace(PRESETS["smart"].plan, **changed))


@pytest.mark.parametrize(
    ("preset", "rule", "broken"),
    [
        (
            smart(stop=Stop((Distance(ratio=D("0.9")),))),
            Rule.STOP,
            "even without leverage the stop lies behind the liquidation",
        ),
        (
            smart(stop=Stop((Distance(atr=D(20)),))),
            Rule.STOP,
            "there is no stop at a corner of the plan",
        ),
        (
            smart(
                stop=Stop((Distance(ratio=D("0.02")),)),
                rules=(FactorRule("mood", D(1), stop_times=D(99)),),
            ),
            Rule.STOP,
            "there is no stop at a corner of the plan",
        ),
        (smart(emergency_ratio=D("0.9")), Rule.STOP, "its emergency comes after the liquidation"),
        (
            smart(max_hold_ms=1_000),
            Rule.FREQUENCY,
            "its positions are over before they could be supervised",
        ),
        (
            replace(PRESETS["smart"], by_strength=Steep(D(0), D(1), D(50))),
            Rule.LEVERAGE,
            "a strength is mapped beyond the red line",
        ),
    ],
)
def test_a_preset_that_breaks_a_rule_is_refused(preset: Preset, rule: Rule, broken: str) -> None:
    (breach,) = checked_preset(preset).breaches
    assert (breach.rule, breach.broken) == (rule, broken)
    assert breach.trace[-1].figures


def offending(tells: str) -> Tried:
    return next(each for each in OFFENDING if each.tells == tells)


def test_a_trace_leads_from_the_market_to_the_instant_that_broke_the_rule() -> None:
    case = offending("doubles what loses")
    (breach,) = checked("tried", {"tried.py": case.text}, case.load, effort=SMALL).breaches
    first, *steps = breach.trace
    assert first.what == "market crash 7" and len(steps) <= 13
    times = [step.at_ms for step in steps if step.at_ms is not None]
    assert times == sorted(times) and len(times) == len(steps)
    told = dict(steps[-1].figures)
    assert steps[-1].what == "it asks for a slice more of a position that loses"
    assert isinstance(told["held_entry_px"], D) and isinstance(told["px"], D)


def test_a_text_is_read_before_anything_of_it_is_run() -> None:
    loaded: list[str] = []

    def load() -> Factory:
        loaded.append("it was loaded")
        return MODULES["confluence"]

    text = offending("sends an order itself").text
    report = checked("tried", {"tried.py": text}, load)
    (moment,) = report.breaches[0].trace
    assert loaded == []
    assert moment.what.startswith("tried.py line ")
    assert moment.what.endswith("from execution.order_manager import OrderManager")


def test_a_module_that_cannot_be_made_with_its_own_numbers_is_refused() -> None:
    case = Tried(
        "falls at its most",
        parameters='Parameter("n", "some", "", ONE, ONE, Decimal(2)),',
        top="ONE = Decimal(1)",
        init="1 / (2 - self.settings['n'])\n",
    )
    (breach,) = checked("tried", {"tried.py": case.text}, case.load, effort=SMALL).breaches
    assert breach.rule is Rule.OWN and "numbers it declares" in breach.broken


def test_the_same_seed_finds_the_same_counter_example() -> None:
    case = offending("wishes for 25 times once a market has crashed")

    def asked() -> Report:
        return checked("tried", {"tried.py": case.text}, case.load, effort=SMALL)

    assert asked() == asked()


def test_there_are_twenty_of_each_and_every_rule_is_broken_by_some() -> None:
    assert len(OFFENDING) >= 20 and len(COMPLIANT) >= 20
    assert {case.rule for case in OFFENDING} == set(Rule)
