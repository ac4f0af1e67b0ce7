"""What modules are shown of candles: closed ones, without a hole, and nothing they could write into."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import HOUR_MS, Candle
from strategy.auxiliary.bars import FRAME_MS, Bars, bars_of

D = Decimal
T0 = 1_704_067_200_000


def candle(hour: int, closed: bool = True) -> Candle:
    px = D(100 + hour)
    return Candle(T0 + hour * HOUR_MS, px, px + 2, px - 3, px + 1, D("0.5") * hour, closed)


def hourly(*hours: int) -> Bars:
    return bars_of("BTC-USDT", "1H", [candle(hour) for hour in hours])


def hours_of(bars: Bars) -> list[int]:
    return ((bars.ts_ms - T0) // HOUR_MS).tolist()


def test_columns_carry_the_candles_oldest_first() -> None:
    bars = hourly(0, 1, 2)
    assert (bars.instrument, bars.frame, len(bars), bars.frame_ms) == ("BTC-USDT", "1H", 3, HOUR_MS)
    assert bars.ts_ms.tolist() == [T0, T0 + HOUR_MS, T0 + 2 * HOUR_MS]
    assert bars.open.tolist() == [100, 101, 102]
    assert bars.high.tolist() == [102, 103, 104]
    assert bars.low.tolist() == [97, 98, 99]
    assert bars.close.tolist() == [101, 102, 103]
    assert bars.volume.tolist() == [0, 0.5, 1]
    assert bars.closed_ms == T0 + 3 * HOUR_MS


def test_the_bar_that_is_still_forming_is_nowhere() -> None:
    bars = bars_of("BTC-USDT", "1H", [candle(0), candle(1), candle(2, closed=False)])
    assert hours_of(bars) == [0, 1] and bars.closed_ms == T0 + 2 * HOUR_MS


def test_only_the_run_after_the_last_hole_is_kept() -> None:
    assert hours_of(hourly(0, 1, 3, 4, 6, 7, 8)) == [6, 7, 8]
    assert hours_of(hourly(0, 1, 2, 9)) == [9]


def test_a_candle_that_never_closed_leaves_a_hole() -> None:
    bars = bars_of("BTC-USDT", "1H", [candle(0), candle(1, closed=False), candle(2)])
    assert hours_of(bars) == [2]


def test_candles_of_another_length_are_nothing_but_holes() -> None:
    assert len(bars_of("BTC-USDT", "15m", [candle(0), candle(1), candle(2)])) == 1


@given(kept=st.lists(st.booleans(), max_size=40))
def test_whatever_is_missing_what_is_kept_is_the_longest_run_up_to_the_newest(kept: list[bool]) -> None:
    hours = [hour for hour, here in enumerate(kept) if here]
    bars = hourly(*hours)
    shown = hours_of(bars)
    assert shown == hours[len(hours) - len(shown) :]
    assert (np.diff(bars.ts_ms) == HOUR_MS).all()
    assert len(shown) == len(hours) or shown[0] - 1 not in hours
    assert bool(shown) == bool(hours)


def test_without_a_closed_candle_there_are_no_bars_and_no_last_close() -> None:
    for candles in ([], [candle(0, closed=False)]):
        bars = bars_of("BTC-USDT", "1H", candles)
        assert len(bars) == 0 and bars.close.dtype == np.float64
        with pytest.raises(IndexError):
            _ = bars.closed_ms


@pytest.mark.parametrize("name", ["ts_ms", "open", "high", "low", "close", "volume"])
def test_what_others_see_cannot_be_written_into(name: str) -> None:
    bars = hourly(0, 1, 2)
    for shown in (bars, bars.last(2)):
        with pytest.raises(ValueError, match="read-only"):
            getattr(shown, name)[0] = 1
        with pytest.raises(FrozenInstanceError):
            setattr(shown, name, np.zeros(3))


def test_the_newest_bars_are_views_of_the_same_columns() -> None:
    bars = hourly(0, 1, 2, 3)
    assert hours_of(bars.last(2)) == [2, 3]
    assert bars.last(2).closed_ms == bars.closed_ms
    assert np.shares_memory(bars.last(2).close, bars.close)
    assert hours_of(bars.last(9)) == [0, 1, 2, 3] and len(bars.last(0)) == 0


def test_candles_that_are_not_oldest_first_are_refused() -> None:
    for hours in ((1, 0), (0, 0), (0, 2, 1)):
        with pytest.raises(ValueError, match="BTC-USDT 1H: candles are not oldest first"):
            hourly(*hours)


def test_a_frame_nobody_knows_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(ValueError, match="frame is '2H', allowed: 1m, 5m, 15m, 1H, 4H, 1D"):
        bars_of("BTC-USDT", "2H", [candle(0)])


@pytest.mark.parametrize("frame", FRAME_MS)
def test_neighbours_of_every_frame_are_one_frame_apart(frame: str) -> None:
    candles = [replace(candle(0), ts_ms=T0 + n * FRAME_MS[frame]) for n in range(3)]
    assert len(bars_of("BTC-USDT", frame, candles)) == 3
