"""What a module declares, and how its plans end at the corners of what they are measured in (R1, R3, R5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import product
from typing import Final

from config.schema import MAX_LEVERAGE
from core.types import ONE, Side
from strategy.auxiliary.exit_plan import ExitPlan, Measures, Stop, adjusted
from strategy.auxiliary.gate_size import STOP_WITHIN
from strategy.auxiliary.language import STRONGEST, Module, Needs, Parameter, Signal
from strategy.auxiliary.presets import PRESETS, Preset
from strategy.auxiliary.red_lines.rules import (
    LEAST_COOLDOWN_MS,
    LEAST_HOLD_MS,
    Breach,
    Moment,
    Rule,
    side_word,
)

D = Decimal
ENTRY_PX: Final = D(100)
RANGES: Final = tuple(map(D, ("0.1", "1", "3", "10")))  # ATR of an entry at 100: in percent of it
USUAL_RANGES: Final = RANGES[:-1]  # where a module may have a plan; beyond them it may say nothing
SUPPORT_RATIO: Final = D("0.05")  # where the support lies, if a plan asks for one
LEVERAGES: Final = (ONE, D(2), MAX_LEVERAGE)
MOST_PARAMETERS: Final = 100


def module_breaches(module: Module) -> Iterator[Breach]:
    """Yield what is wrong with what a module says of itself, without asking it anything."""
    subject = str(module.name)

    def breach(rule: Rule, broken: str, what: str) -> Breach:
        return Breach(rule, subject, broken, (Moment(None, what),))

    parameters = module.parameters
    if not all(type(each) is Parameter for each in parameters) or len(parameters) > MOST_PARAMETERS:
        yield breach(Rule.OWN, "its parameters are not declared ones", str(parameters))
        return
    for each in parameters:
        named = {*each.name.split("_"), *each.unit.split("_")}
        if "leverage" in named and each.most > MAX_LEVERAGE:
            told = f"parameter {each.name} of {each.least} to {each.most}"
            yield breach(Rule.LEVERAGE, "a leverage above the red line can be configured", told)
    if type(module.needs) is not Needs:
        yield breach(Rule.OWN, "what it needs is not said in the language", str(module.needs))


def preset_breaches(preset: Preset) -> Iterator[Breach]:
    """Yield what is wrong with a preset: its plan, and a leverage that is granted above the red line.

    A reference system may state any leverage: it is a wish. What it maps a strength to is its own.
    """
    yield from plan_breaches(preset.plan, preset.name)
    for strength in (preset.least_strength, STRONGEST):
        if preset.by_strength is not None and preset.leverage_for(strength) > MAX_LEVERAGE:
            told = Moment(
                None,
                "mapped by strength",
                (("strength", strength), ("leverage", preset.leverage_for(strength))),
            )
            yield Breach(Rule.LEVERAGE, preset.name, "a strength is mapped beyond the red line", (told,))


def plan_breaches(plan: ExitPlan, subject: str, ranges: tuple[Decimal, ...] = RANGES) -> Iterator[Breach]:
    """Yield the first corner at which a plan protects nothing, and times of it that are too short.

    Corners: both sides, average ranges from 0.1 to 10 % of the price, a support at 5 %, leverage 1, 2 and 3,
    and every factor rule on or off.
    """
    if found := plan_figures(plan):
        rule, broken, moment = found
        yield Breach(rule, subject, broken, (moment,))
        return
    for factors, side, atr, leverage in product(_factors(plan), Side, ranges, LEVERAGES):
        measures = Measures(atr, ENTRY_PX * (1 - side.sign * SUPPORT_RATIO))
        figures = (
            *factors.items(),
            ("atr", atr),
            ("support", measures.support or 0),
            ("leverage", leverage),
            ("entry_px", ENTRY_PX),
        )

        def breach(broken: str, what: str) -> Breach:
            return Breach(Rule.STOP, subject, broken, (Moment(None, what, figures),))  # noqa: B023

        ruled = adjusted(plan, factors) if plan.rules else plan
        try:
            stop_px = ruled.levels(side, ENTRY_PX, measures, leverage).stop_px
        except ValueError as error:
            yield breach("there is no stop at a corner of the plan", f"a {side_word(side)}: {error}")
            return
        lost = abs(ENTRY_PX - stop_px) / ENTRY_PX
        if lost > STOP_WITHIN and leverage == ONE:
            what = f"a {side_word(side)} is stopped at {stop_px.normalize():f}"
            yield breach("even without leverage the stop lies behind the liquidation", what)
            return


def plan_figures(plan: ExitPlan) -> tuple[Rule, str, Moment] | None:
    """Return what is wrong with a plan whatever it is measured in: rule, words, and the figure."""
    if type(plan) is not ExitPlan or type(plan.stop) is not Stop:
        kind = f"{type(plan).__name__} with {type(plan.stop).__name__}"
        return Rule.STOP, "its plan is one of its own making, which nobody can hold it to", Moment(None, kind)
    if plan.emergency_ratio > STOP_WITHIN:
        told = Moment(None, plan.name, (("emergency_ratio", plan.emergency_ratio), ("most", STOP_WITHIN)))
        return Rule.STOP, "its emergency comes after the liquidation", told
    if plan.max_hold_ms < LEAST_HOLD_MS:
        told = Moment(None, plan.name, (("max_hold_ms", plan.max_hold_ms), ("least_ms", LEAST_HOLD_MS)))
        return Rule.FREQUENCY, "its positions are over before they could be supervised", told
    if plan.cooldown_ms < LEAST_COOLDOWN_MS:
        told = Moment(None, plan.name, (("cooldown_ms", plan.cooldown_ms), ("least_ms", LEAST_COOLDOWN_MS)))
        return Rule.FREQUENCY, "its exits act again at once", told
    return None


def wish_is_stated(signal: Signal) -> bool:
    """Whether a wish above the red line is a reference preset's own: its plan, and no more than it states."""
    preset = PRESETS.get(signal.plan.name)
    if signal.wished_leverage <= MAX_LEVERAGE:
        return True
    return preset is not None and signal.wished_leverage <= preset.wished_leverage


def _factors(plan: ExitPlan) -> Iterator[Mapping[str, Decimal]]:
    """Yield every choice of factors at and above the thresholds of the rules."""
    names = sorted({rule.factor for rule in plan.rules})
    highest = {name: max(rule.above for rule in plan.rules if rule.factor == name) for name in names}
    lowest = {name: min(rule.above for rule in plan.rules if rule.factor == name) for name in names}
    for choice in product((False, True), repeat=len(names)):
        yield {
            name: highest[name] + 1 if on else lowest[name] for name, on in zip(names, choice, strict=True)
        }
