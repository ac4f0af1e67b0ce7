"""The benchmark of decisions: what it counts, and that the default mode keeps what it should."""

from __future__ import annotations

from decimal import Decimal

from benchmarks.capture import measure, played, years_of
from benchmarks.recorded import SWITCH_COST
from config.loader import load
from core.types import HOUR_MS, SettledFunding
from scripts.options import instant_ms
from scripts.sweep.record import holes_of
from strategy.foresight import course_of
from tests.e2e.rig import ROOT, TAPE, needs_tape

NEW_YEAR_MS = instant_ms("2024-01-01", "")


def test_a_year_pays_for_the_switches_made_in_it() -> None:
    settled = [SettledFunding(NEW_YEAR_MS + n * 8 * HOUR_MS, Decimal("0.001")) for n in (-2, -1, 0, 1)]
    course = course_of([one.rate for one in settled], [False, True, True, True], SWITCH_COST)
    years = years_of(settled, course, ((0, 4),))
    assert years == {2023: Decimal("0.001") - SWITCH_COST, 2024: Decimal("0.002") - SWITCH_COST}
    assert sum(years.values()) == course.net


def test_a_record_is_cut_where_more_than_a_day_is_missing() -> None:
    times = [0, 8 * HOUR_MS, 40 * HOUR_MS, 48 * HOUR_MS]
    assert holes_of(times) == ((0, 2), (2, 4))


def test_after_a_hole_nothing_is_known_of_what_came_before() -> None:
    strategy = load(ROOT / "config").strategy
    rate, gap = Decimal("0.001"), 60 * 24 * HOUR_MS
    early = [SettledFunding(NEW_YEAR_MS + n * 8 * HOUR_MS, rate) for n in range(30)]
    late = [SettledFunding(one.ts_ms + gap, rate) for one in early]
    held = played([*early, *late], ((0, 30), (30, 60)), strategy, "expected_cost").held
    assert held[:30] == held[30:]
    assert not held[30] and held[59]


@needs_tape
def test_over_two_years_the_default_mode_keeps_what_it_should_of_bitcoin_and_sign_does_not() -> None:
    strategy = load(ROOT / "config").strategy
    figures = measure(TAPE, strategy, instant_ms("2024-01-01", ""), instant_ms("2026-01-01", ""))
    captures = {one.name.split(",")[0]: one.value for one in figures if one.name.startswith("capture")}
    assert captures["capture BTC expected_cost"] >= 0.92
    assert captures["capture BTC sign"] < captures["capture BTC expected_cost"]
    assert all(one.met for one in figures if one.name.startswith("worst year"))
