from __future__ import annotations

from dataclasses import replace

from core.types import DAY_MS, HOUR_MS, Candle
from strategy.indicators import hourly_range, open_interest_rise, trend_word
from tests.risk.scenes import NOW, D, bars

PX = D(100)


def test_the_hourly_range_spans_the_bars_of_the_last_hour_only() -> None:
    old = Candle(NOW - HOUR_MS - 1, PX, D(200), D(1), PX, D(1))
    high = Candle(NOW - HOUR_MS, PX, D(103), PX, PX, D(1))
    low = Candle(NOW - 180_000, PX, PX, D(99), PX, D(1), closed=False)
    assert hourly_range({"3m": (old, high, low)}, NOW) == D("0.04")


def test_the_finest_bars_are_asked_first_and_coarser_ones_stand_in() -> None:
    fine, coarse = bars(20, 180_000, PX, "0.01"), bars(4, 900_000, PX, "0.02")
    assert hourly_range({"15m": coarse, "3m": fine}, NOW) == D("0.01")
    assert hourly_range({"15m": coarse}, NOW) == D("0.02")
    assert hourly_range({"3m": bars(1, 2 * HOUR_MS, PX)}, NOW) is None


def test_a_straight_way_is_a_trend_and_a_zigzag_is_a_range() -> None:
    flat = bars(20, DAY_MS, PX)
    straight = tuple(replace(c, close=PX + n) for n, c in enumerate(flat))
    zigzag = tuple(replace(c, close=PX + n % 2) for n, c in enumerate(flat))
    assert trend_word({"D": straight, "4H": zigzag}) == "D trend, 4H range"
    assert trend_word({"D": straight[1:]}) == "D not known, 4H not known"
    assert trend_word({"D": flat, "4H": flat}) == "D range, 4H range"


def test_open_interest_is_compared_with_a_day_ago() -> None:
    series = ((NOW - 2 * DAY_MS, D(50)), (NOW - DAY_MS, D(100)), (NOW - HOUR_MS, D(120)))
    assert open_interest_rise(series, NOW) == D("0.2")
    assert open_interest_rise(series[1:], NOW - 1) is None
    assert open_interest_rise((), NOW) is None
