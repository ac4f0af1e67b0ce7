from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import BreakerView
from core.types import HOUR_MS
from risk import build_judge
from risk.circuit_breaker import DAILY_LOSS, LOSING_STREAK, BreakerGuard, judge
from tests.risk.scenes import NOW, SETTINGS, D, scene

LIMITS = SETTINGS.risk.circuit_breaker
GUARD = BreakerGuard(LIMITS)
TODAY = "2026-01-05"


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (BreakerView(day=TODAY), ""),
        (BreakerView(losing_rounds=2, day=TODAY), ""),
        (BreakerView(losing_rounds=3, day=TODAY), LOSING_STREAK),
        (BreakerView(day=TODAY, day_pnl=D("-499.99")), ""),
        (BreakerView(day=TODAY, day_pnl=D(-500)), DAILY_LOSS),
        (BreakerView(day="2026-01-04", day_pnl=D(-900)), ""),
    ],
)
def test_the_breaker_trips_on_a_streak_or_on_a_bad_day(view: BreakerView, reason: str) -> None:
    assert judge(view, LIMITS, NOW) == reason
    assert build_judge(SETTINGS)(view, NOW) == reason
    assert GUARD.check(scene(breaker=view)).ok is (reason == "")


def test_a_losing_streak_waits_for_the_operator_however_long() -> None:
    view = BreakerView(day=TODAY, tripped=LOSING_STREAK, tripped_ms=NOW - 1000 * HOUR_MS)
    assert not GUARD.check(scene(breaker=view)).ok


def test_a_bad_day_wears_off_after_the_cooldown() -> None:
    fresh = BreakerView(day=TODAY, tripped=DAILY_LOSS, tripped_ms=NOW - 23 * HOUR_MS)
    assert not GUARD.check(scene(breaker=fresh)).ok
    assert GUARD.check(scene(breaker=replace(fresh, tripped_ms=NOW - 24 * HOUR_MS))).ok


def test_a_bad_day_that_goes_on_does_not_wear_off() -> None:
    short = BreakerGuard(LIMITS.model_copy(update={"cooldown_hours": D(1)}))
    view = BreakerView(day=TODAY, day_pnl=D(-600), tripped=DAILY_LOSS, tripped_ms=NOW - 2 * HOUR_MS)
    assert not short.check(scene(breaker=view)).ok


def test_a_trip_for_any_other_reason_waits_for_the_operator() -> None:
    view = BreakerView(day=TODAY, tripped="system error", tripped_ms=NOW - 1000 * HOUR_MS)
    assert not GUARD.check(scene(breaker=view)).ok


def test_openings_of_a_day_are_limited_and_yesterdays_do_not_count() -> None:
    assert not GUARD.check(scene(breaker=BreakerView(day=TODAY, rounds_today=20))).ok
    assert GUARD.check(scene(breaker=BreakerView(day=TODAY, rounds_today=19))).ok
    assert GUARD.check(scene(breaker=BreakerView(day="2026-01-04", rounds_today=20))).ok


@given(
    losing=st.integers(min_value=0, max_value=10),
    pnl=st.decimals(min_value=-2000, max_value=2000, places=2),
    rounds=st.integers(min_value=0, max_value=30),
)
def test_the_guard_never_lets_through_what_would_trip(losing: int, pnl: Decimal, rounds: int) -> None:
    view = BreakerView(losing_rounds=losing, day=TODAY, day_pnl=pnl, rounds_today=rounds)
    if GUARD.check(scene(breaker=view)).ok:
        assert losing < 3 and pnl > -500 and rounds < 20
