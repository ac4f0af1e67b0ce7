"""Holes in bars and settlements."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.tape_gaps import Gap, irregular_intervals, missing_bars, missing_settlements

HOUR_MS = 3_600_000


def hours(*numbers: int) -> list[int]:
    return [n * HOUR_MS for n in numbers]


@given(st.sets(st.integers(0, 60)), st.integers(0, 60 * 4), st.integers(0, 60 * 4))
def test_every_whole_bar_of_a_period_is_there_or_in_exactly_one_gap(
    known: set[int], from_quarter: int, to_quarter: int
) -> None:
    from_ms, to_ms = from_quarter * HOUR_MS // 4, to_quarter * HOUR_MS // 4
    gaps = missing_bars(hours(*sorted(known)), HOUR_MS, from_ms, to_ms)
    whole = [at for at in hours(*range(61)) if from_ms <= at and at + HOUR_MS <= to_ms]
    for at in whole:
        covering = [gap for gap in gaps if gap.begin_ms <= at < gap.end_ms]
        assert len(covering) == (at // HOUR_MS not in known)
    assert sum(gap.end_ms - gap.begin_ms for gap in gaps) == HOUR_MS * sum(
        at // HOUR_MS not in known for at in whole
    )


def test_intervals_may_step_down_and_up_again() -> None:
    assert irregular_intervals(hours(0, 8, 16, 20, 24, 26, 28, 29, 30, 32, 34, 38, 42, 50)) == []


def test_a_settlement_left_out_is_seen_at_any_interval() -> None:
    assert irregular_intervals(hours(0, 8, 24, 32)) == [tuple(hours(8, 24))]
    assert irregular_intervals(hours(0, 4, 8, 16, 20, 24)) == [tuple(hours(8, 16))]
    assert irregular_intervals(hours(0, 1, 2, 4, 5, 6)) == [tuple(hours(2, 4))]
    assert irregular_intervals(hours(0)) == irregular_intervals([]) == []


def test_what_lies_before_and_after_the_settlements_known_is_asked_for() -> None:
    gaps = missing_settlements(hours(8, 16, 32), 0, 40 * HOUR_MS)
    assert gaps == [
        Gap(0, 8 * HOUR_MS),
        Gap(16 * HOUR_MS + 1, 32 * HOUR_MS),
        Gap(32 * HOUR_MS + 1, 40 * HOUR_MS),
    ]
    assert missing_settlements([], 0, HOUR_MS) == [Gap(0, HOUR_MS)]
    assert missing_settlements(hours(0), 0, 1) == []
