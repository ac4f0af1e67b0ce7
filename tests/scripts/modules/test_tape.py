"""Frames of a tape: whole bars only, nothing over a hole, nothing after the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import HOUR_MS
from exchange.tape_store import write_lines
from scripts.modules.tape import Coin, frames_of, read_coins
from strategy.auxiliary.bars import FRAME_MS
from tests.scripts.modules.scenes import BEGIN_MS, tapes

HEADER = "ts,symbol,open,high,low,close,volume"


@given(tapes)
def test_a_longer_bar_is_all_of_its_shorter_ones(coin: Coin) -> None:
    quarters, hours = coin.series["15m"], coin.series["1H"]
    for at, ts in enumerate(hours.ts_ms):
        inside = (quarters.ts_ms >= ts) & (quarters.ts_ms < ts + HOUR_MS)
        assert inside.sum() == 4
        assert hours.open[at] == quarters.open[inside][0] and hours.close[at] == quarters.close[inside][-1]
        assert hours.high[at] == quarters.high[inside].max() and hours.low[at] == quarters.low[inside].min()
        assert hours.volume[at] == pytest.approx(quarters.volume[inside].sum())


@given(tapes, st.integers(1, 200))
def test_bars_that_are_shown_follow_one_another_without_a_hole(coin: Coin, count: int) -> None:
    for series in coin.series.values():
        for index in range(0, len(series.ts_ms), 17):
            shown = series.bars(index, count)
            assert (np.diff(shown.ts_ms) == series.frame_ms).all()
            assert shown.closed_ms == series.closed_ms[index] and len(shown) <= count
            assert (
                series.ts_ms[series.last[index]] >= series.ts_ms[index] >= series.ts_ms[series.first[index]]
            )


@given(tapes, st.floats(0, 1))
def test_a_bar_that_closed_too_long_ago_is_not_the_newest(coin: Coin, part: float) -> None:
    series = coin.series["15m"]
    now_ms = BEGIN_MS + int(part * 700) * FRAME_MS["15m"]
    [index], [count] = series.newest(np.array([now_ms]))
    if count:
        assert series.closed_ms[index] <= now_ms < series.closed_ms[index] + series.frame_ms
    else:
        closing = (series.closed_ms <= now_ms) & (series.closed_ms > now_ms - series.frame_ms)
        assert not closing.any()


@given(tapes, st.floats(0, 1))
def test_a_tape_cut_at_an_instant_has_nothing_that_closed_later(coin: Coin, part: float) -> None:
    now_ms = BEGIN_MS + int(part * 700) * FRAME_MS["15m"]
    cut = coin.until(now_ms)
    assert all((series.closed_ms <= now_ms).all() for series in cut.series.values())
    assert all(each.ts_ms <= now_ms for each in cut.settled)


def test_a_frames_own_bars_go_before_those_put_together() -> None:
    ts = BEGIN_MS + np.arange(8, dtype=np.int64) * FRAME_MS["15m"]
    ones, two = np.ones(8), np.full(1, 2.0)
    own = (ts[:1], two, two, two, two, two)
    series = frames_of(
        "X-USDT", {FRAME_MS["15m"]: (ts, ones, ones, ones, ones, ones), HOUR_MS: own}, int(ts[-1]) * 2
    )
    assert series["1H"].close.tolist() == [2.0, 1.0]


def test_two_periods_of_one_series_are_one(tmp_path: Path) -> None:
    for number, name in ((0, ""), (1, "_2026")):
        rows = [f"{BEGIN_MS + (number * 50 + n) * HOUR_MS},BTC-USDT-SWAP,100,101,99,100,1" for n in range(20)]
        write_lines(tmp_path / f"okx_perp_1h_BTC-USDT-SWAP{name}.csv.gz", [HEADER, *rows])
    [coin] = read_coins(tmp_path, ("BTC-USDT",))
    assert len(coin.series["1H"].ts_ms) == 40 and len(set(coin.series["1H"].first.tolist())) == 2
    assert coin.venue == "okx" and coin.funding_venue is None and not coin.settled


def test_the_venue_that_covers_more_is_taken_unless_one_is_named(tmp_path: Path) -> None:
    for venue, hours in (("okx", 10), ("binance", 30)):
        rows = [f"{BEGIN_MS + n * HOUR_MS},BTCUSDT,100,101,99,100,1" for n in range(hours)]
        write_lines(tmp_path / f"{venue}_perp_1h_BTCUSDT.csv.gz", [HEADER, *rows])
    assert read_coins(tmp_path, ("BTC-USDT",))[0].venue == "binance"
    assert read_coins(tmp_path, ("BTC-USDT",), venue="okx")[0].venue == "okx"


def test_funding_is_of_the_venue_that_has_the_period(tmp_path: Path) -> None:
    rows = [f"{BEGIN_MS + n * HOUR_MS},BTCUSDT,100,101,99,100,1" for n in range(48)]
    write_lines(tmp_path / "okx_perp_1h_BTCUSDT.csv.gz", [HEADER, *rows])
    late_ms = BEGIN_MS + 40 * HOUR_MS
    for venue, first_ms in (("okx", late_ms), ("binance", BEGIN_MS)):
        paid = [f"{at},BTCUSDT,0.0001" for at in range(first_ms, late_ms + 1, 8 * HOUR_MS)]
        write_lines(tmp_path / f"{venue}_funding_BTCUSDT.csv.gz", ["ts,symbol,rate", *paid])
    [whole] = read_coins(tmp_path, ("BTC-USDT",))
    assert (whole.venue, whole.funding_venue, len(whole.settled)) == ("okx", "binance", 6)
    [late] = read_coins(tmp_path, ("BTC-USDT",), from_ms=late_ms)
    assert late.funding_venue == "okx"
