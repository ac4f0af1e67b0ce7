"""The rules, held against modules that break each of them, and against all that are shipped."""

from __future__ import annotations

import pytest

from strategy.auxiliary.red_lines import SAYS, Rule, checked
from strategy.auxiliary.red_lines.check import Effort
from strategy.auxiliary.red_lines.worlds import Shape
from tests.strategy.auxiliary.red_line_modules import COMPLIANT, OFFENDING, Tried

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


def test_there_are_twenty_of_each_and_every_rule_is_broken_by_some() -> None:
    assert len(OFFENDING) >= 20 and len(COMPLIANT) >= 20
    assert {case.rule for case in OFFENDING} == set(Rule)
