"""Figures carry when they were known: nothing is shown before that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import HOUR_MS
from strategy.auxiliary.scanning.known import DELAY_MS, KEPT, KnownSeries
from tests.fakes import START_MS, D

NAME = "BTC-USDT"


def test_a_figure_is_known_when_it_is_seen_and_not_when_it_speaks_of() -> None:
    series = KnownSeries(HOUR_MS)
    assert series.take(NAME, START_MS, D("1.5"), START_MS + HOUR_MS + 60_000)
    assert series.known(NAME, START_MS + HOUR_MS + 59_999) == ()
    assert series.known(NAME, START_MS + HOUR_MS + 60_000) == ((START_MS + HOUR_MS + 60_000, D("1.5")),)


def test_history_was_known_a_while_after_its_period_was_over() -> None:
    series = KnownSeries(HOUR_MS)
    series.take(NAME, START_MS - 10 * HOUR_MS, D(1), START_MS)
    assert series.known(NAME, START_MS) == ((START_MS - 9 * HOUR_MS + DELAY_MS, D(1)),)


def test_what_comes_twice_was_known_the_first_time() -> None:
    series = KnownSeries(HOUR_MS)
    assert series.take(NAME, START_MS, D(1), START_MS + HOUR_MS)
    shown = series.known(NAME, START_MS + HOUR_MS)
    assert not series.take(NAME, START_MS, D(2), START_MS + 2 * HOUR_MS)
    assert series.known(NAME, START_MS + 2 * HOUR_MS) is shown


def test_a_period_that_is_not_over_is_refused() -> None:
    with pytest.raises(ValueError, match="before it was over"):
        KnownSeries(HOUR_MS).take(NAME, START_MS, D(1), START_MS + HOUR_MS - 1)
    with pytest.raises(ValueError, match="allowed: 0 or more"):
        KnownSeries(-1)


def test_memory_is_bounded() -> None:
    series = KnownSeries(0)
    for at in range(KEPT + 5):
        series.take(NAME, START_MS + at, D(at), START_MS + at)
    shown = series.known(NAME, START_MS + KEPT + 5)
    assert len(shown) == KEPT and shown[0][1] == 5


@given(
    seen=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20 * 60_000)), max_size=40),
    at=st.integers(0, 32),
)
def test_nothing_is_shown_that_was_not_known_and_all_is_oldest_first(
    seen: list[tuple[int, int]], at: int
) -> None:
    series, now_ms = KnownSeries(HOUR_MS), START_MS + at * HOUR_MS
    for hour, late_ms in seen:
        series.take(NAME, START_MS + hour * HOUR_MS, D(hour), START_MS + (hour + 1) * HOUR_MS + late_ms)
    shown = series.known(NAME, now_ms)
    assert all(known_ms <= now_ms for known_ms, _ in shown)
    assert [known_ms for known_ms, _ in shown] == sorted(known_ms for known_ms, _ in shown)
    assert all(known_ms >= START_MS + (int(hour) + 1) * HOUR_MS for known_ms, hour in shown)
