"""Keeping closed candles: repeats change nothing, late ones close the hole, the forming bar is nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import HOUR_MS
from strategy.auxiliary.bars import bars_of
from strategy.auxiliary.scanning.candles import Candles, Lack
from tests.fakes import START_MS, D
from tests.strategy.auxiliary.scan_scenes import NAME, candle, history

KEEP = 8
GRACE_MS = 10_000


def store() -> Candles:
    return Candles({"1H": KEEP})


def hours(kept: Candles, now_ms: int = START_MS) -> list[int]:
    return ((kept.bars(NAME, "1H", now_ms).ts_ms - START_MS) // HOUR_MS).tolist()


def lack(kept: Candles, now_ms: int = START_MS) -> Lack | None:
    return kept.lack(NAME, "1H", now_ms, GRACE_MS)


def test_history_is_shown_as_it_came() -> None:
    kept, candles = store(), history("1H", KEEP)
    assert kept.take(NAME, "1H", candles, START_MS).new == KEEP
    shown, plain = kept.bars(NAME, "1H", START_MS), bars_of(NAME, "1H", candles)
    for name in ("ts_ms", "open", "high", "low", "close", "volume"):
        assert getattr(shown, name).tolist() == getattr(plain, name).tolist()
        with pytest.raises(ValueError, match="read-only"):
            getattr(shown, name)[0] = 1
    assert lack(kept) is None


def test_the_same_bars_come_as_the_same_columns() -> None:
    kept = store()
    kept.take(NAME, "1H", history("1H", KEEP), START_MS)
    assert kept.bars(NAME, "1H", START_MS) is kept.bars(NAME, "1H", START_MS + 5)


def test_the_bar_that_is_forming_is_not_taken_in() -> None:
    kept = store()
    taken = kept.take(NAME, "1H", [candle("1H", -1), candle("1H", 0, closed=False)], START_MS + 5)
    assert (taken.new, taken.forming) == (1, 1) and hours(kept, START_MS + 5) == [-1]


def test_a_bar_confirmed_before_our_clock_says_so_is_shown_a_moment_later() -> None:
    kept = store()
    kept.take(NAME, "1H", [candle("1H", -2), candle("1H", -1)], START_MS - 200)
    assert hours(kept, START_MS - 200) == [-2]
    assert hours(kept, START_MS) == [-2, -1]


def test_a_bar_that_has_not_begun_is_refused_whatever_its_flag_says() -> None:
    kept = store()
    assert kept.take(NAME, "1H", [candle("1H", 5)], START_MS).misplaced == 1
    assert kept.take(NAME, "1H", [replace(candle("1H", -1), ts_ms=START_MS - 7)], START_MS).misplaced == 1
    assert hours(kept) == []


def test_what_comes_a_second_time_changes_nothing() -> None:
    kept = store()
    kept.take(NAME, "1H", history("1H", 4), START_MS)
    before = kept.bars(NAME, "1H", START_MS)
    assert kept.take(NAME, "1H", history("1H", 4), START_MS).repeated == 4
    assert kept.take(NAME, "1H", [candle("1H", -2, px="1")], START_MS).differing == 1
    assert kept.bars(NAME, "1H", START_MS) is before


def test_a_hole_is_told_and_shown_is_what_lies_behind_it() -> None:
    kept = store()
    kept.take(NAME, "1H", [*history("1H", 5, -3), *history("1H", 2)], START_MS)
    assert hours(kept) == [-2, -1]
    assert lack(kept) == Lack(NAME, "1H", "hole", START_MS - 3 * HOUR_MS, 3)
    kept.take(NAME, "1H", [candle("1H", -3)], START_MS)
    assert hours(kept) == list(range(-8, 0)) and lack(kept) is None


def test_a_hole_the_venue_has_itself_is_not_told_for_ever() -> None:
    kept = store()
    kept.take(NAME, "1H", [*history("1H", 5, -3), *history("1H", 2)], START_MS)
    kept.hopeless(NAME, "1H", START_MS)
    assert lack(kept) is None
    later_ms = START_MS + HOUR_MS + GRACE_MS
    assert lack(kept, later_ms) == Lack(NAME, "1H", "late", START_MS, 1)


def test_a_bar_is_missed_once_it_has_had_time_to_come() -> None:
    kept = store()
    kept.take(NAME, "1H", history("1H", KEEP), START_MS)
    assert lack(kept, START_MS + HOUR_MS + GRACE_MS - 1) is None
    assert lack(kept, START_MS + HOUR_MS + GRACE_MS) == Lack(NAME, "1H", "late", START_MS, 1)
    assert lack(kept, START_MS + 3 * HOUR_MS + GRACE_MS) == Lack(NAME, "1H", "late", START_MS, 3)


def test_of_an_empty_series_all_that_is_kept_is_asked_for() -> None:
    assert lack(store(), START_MS + GRACE_MS) == Lack(NAME, "1H", "empty", START_MS - KEEP * HOUR_MS, KEEP)


def test_a_young_instrument_is_not_asked_for_what_lies_before_its_listing() -> None:
    kept = store()
    kept.take(NAME, "1H", history("1H", 3), START_MS)
    assert lack(kept) == Lack(NAME, "1H", "short", START_MS - KEEP * HOUR_MS, KEEP)
    assert kept.listed_ms(NAME) is None
    kept.begins(NAME, "1H", START_MS - 3 * HOUR_MS)
    assert lack(kept) is None and kept.listed_ms(NAME) == START_MS - 3 * HOUR_MS
    kept.forget(NAME)
    assert kept.listed_ms(NAME) is None and hours(kept) == []


def test_columns_handed_out_are_never_written_into_again() -> None:
    kept = store()
    kept.take(NAME, "1H", history("1H", KEEP), START_MS)
    shown = kept.bars(NAME, "1H", START_MS)
    before = [column.tobytes() for column in (shown.ts_ms, shown.open, shown.volume)]
    for at in range(300):
        kept.take(NAME, "1H", [candle("1H", at)], START_MS + (at + 1) * HOUR_MS)
    assert before == [column.tobytes() for column in (shown.ts_ms, shown.open, shown.volume)]
    assert hours(kept, START_MS + 300 * HOUR_MS) == list(range(292, 300))


@pytest.mark.parametrize("keep", [{"2H": 5}, {"1H": 0}])
def test_what_cannot_be_kept_is_refused(keep: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="allowed: 1 or more of 1m, 5m"):
        Candles(keep)
    with pytest.raises(ValueError, match="bars of 5m, allowed: 1H"):
        store().bars(NAME, "5m", START_MS)


@given(
    arrivals=st.lists(st.tuples(st.integers(-20, 3), st.booleans(), st.integers(0, 2)), max_size=60),
    now_h=st.integers(-4, 4),
)
def test_whatever_comes_in_which_order_what_is_shown_is_the_newest_unbroken_run_of_what_closed(
    arrivals: list[tuple[int, bool, int]], now_h: int
) -> None:
    kept, now_ms = store(), START_MS + now_h * HOUR_MS
    first: dict[int, str] = {}
    for at, closed, version in arrivals:
        px = f"{200 + at}.{version}"
        kept.take(NAME, "1H", [candle("1H", at, closed, px)], now_ms)
        if closed and at <= now_h:  # a bar that has not begun is refused
            first.setdefault(at, px)
    newest = max(first, default=0)
    run = [at for at in sorted(first) if all(each in first for each in range(at, newest))]
    run = [at for at in run if at < now_h]  # one whose time is not over is held back
    shown = kept.bars(NAME, "1H", now_ms)
    opened = ((shown.ts_ms - START_MS) // HOUR_MS).tolist()
    assert opened == run[len(run) - len(opened) :]
    assert len(opened) >= min(len(run), KEEP - 1) and len(opened) <= KEEP
    assert [D(repr(px)) for px in shown.close.tolist()] == [D(first[at]) for at in opened]
