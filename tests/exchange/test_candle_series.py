"""Four bars grown from one: adding up 3m candles gives what the venue would have said."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.types import DAY_MS, Candle
from exchange.candle_series import BAR_MS, KEEP, CandleSeries

D = Decimal
MIDNIGHT = 20_454 * DAY_MS
STEP = BAR_MS["3m"]


def bar(
    n: int, close: int = 10, *, high: int | None = None, low: int | None = None, closed: bool = True
) -> Candle:
    """The n-th 3m bar after midnight; it opens at the close of none."""
    top, bottom = (close if high is None else high), (close if low is None else low)
    return Candle(MIDNIGHT + n * STEP, D(close), D(top), D(bottom), D(close), D(1), closed)


def test_five_small_bars_make_one_of_fifteen_minutes() -> None:
    series = CandleSeries()
    for n, (close, high, low) in enumerate([(10, 11, 9), (12, 15, 10), (8, 12, 7), (9, 9, 8), (10, 10, 9)]):
        series.push(bar(n, close, high=high, low=low))
    (fifteen,) = series.frozen()["15m"]
    assert fifteen == Candle(MIDNIGHT, D(10), D(15), D(7), D(10), D(5), closed=True)


def test_a_forming_bar_replaces_its_earlier_state_everywhere() -> None:
    series = CandleSeries()
    series.push(bar(0))
    for close in (11, 12, 9):
        series.push(bar(1, close, closed=False))
    frozen = series.frozen()
    assert [c.close for c in frozen["3m"]] == [10, 9]
    assert frozen["15m"][-1].close == 9 and frozen["15m"][-1].volume == 2 and not frozen["15m"][-1].closed
    assert frozen["D"][-1].high == 10  # the high of 12 was taken back by the venue, so it is here


def test_a_new_bar_closes_the_larger_one_before_it() -> None:
    series = CandleSeries()
    for n in range(4):
        series.push(bar(n))
    series.push(bar(5, 20, closed=False))
    fifteen = series.frozen()["15m"]
    assert [c.ts_ms - MIDNIGHT for c in fifteen] == [0, BAR_MS["15m"]]
    assert [c.closed for c in fifteen] == [True, False]
    assert fifteen[1].open == 20 and fifteen[1].volume == 1


def test_days_and_four_hours_begin_at_midnight_utc() -> None:
    series = CandleSeries()
    for n in range(-1, 81):
        series.push(bar(n))
    frozen = series.frozen()
    assert [c.ts_ms for c in frozen["D"]] == [MIDNIGHT - DAY_MS, MIDNIGHT]
    assert [c.ts_ms for c in frozen["4H"]] == [MIDNIGHT - BAR_MS["4H"], MIDNIGHT, MIDNIGHT + BAR_MS["4H"]]
    assert frozen["4H"][1].volume == 80 and frozen["4H"][1].closed


def test_old_and_outdated_bars_are_ignored() -> None:
    series = CandleSeries()
    series.push(bar(0))
    series.push(bar(1))
    series.push(bar(0, 99))
    series.push(bar(1, 99, closed=False))
    assert [c.close for c in series.frozen()["3m"]] == [10, 10]
    assert series.frozen()["15m"][-1].high == 10


def test_a_missing_bar_is_noticed_until_seeded_again() -> None:
    series = CandleSeries()
    series.push(bar(0))
    assert not series.has_hole
    series.push(bar(2))
    assert series.has_hole
    series.seed({"3m": [bar(n) for n in range(4)]})
    assert not series.has_hole


def test_a_seeded_series_goes_on_exactly() -> None:
    """History from the venue, then pushes: the same as having listened all day."""
    bars = [bar(n, 10 + n % 7, high=20 + n % 5, low=5 - n % 3) for n in range(100)]
    listened = CandleSeries()
    for candle in bars:
        listened.push(candle)
    seeded = CandleSeries()
    known = CandleSeries()
    for candle in bars[:60]:
        known.push(candle)
    seeded.seed(known.frozen())
    for candle in bars[59:]:
        seeded.push(candle)
    assert seeded.frozen() == listened.frozen()


def test_a_short_history_keeps_the_venues_own_forming_bar() -> None:
    series = CandleSeries()
    day = Candle(MIDNIGHT, D(1), D(50), D(1), D(10), D(100), closed=False)
    series.seed({"D": [day], "3m": [bar(40, closed=False)]})
    (grown,) = series.frozen()["D"]
    assert (grown.open, grown.high, grown.low, grown.close) == (D(1), D(50), D(1), D(10))


def test_every_series_is_bounded() -> None:
    series = CandleSeries()
    for n in range(3000):
        series.push(bar(n))
    assert {name: len(bars) <= KEEP[name] for name, bars in series.frozen().items()} == dict.fromkeys(
        KEEP, True
    )
    assert len(series.frozen()["3m"]) == KEEP["3m"]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=60), st.integers(0, 479)
)
def test_larger_bars_are_what_their_parts_say(prices: list[tuple[int, int]], first: int) -> None:
    series = CandleSeries()
    bars = [bar(first + n, a, high=max(a, b), low=min(a, b)) for n, (a, b) in enumerate(prices)]
    for candle in bars:
        series.push(candle)
    for name in ("15m", "4H", "D"):
        for large in series.frozen()[name]:
            parts = [c for c in bars if large.ts_ms <= c.ts_ms < large.ts_ms + BAR_MS[name]]
            assert (large.open, large.close) == (parts[0].open, parts[-1].close)
            assert (large.high, large.low) == (max(c.high for c in parts), min(c.low for c in parts))
            assert large.volume == len(parts)
