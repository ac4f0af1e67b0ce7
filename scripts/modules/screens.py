"""At which closes a module can propose something at all: necessary conditions, over whole columns at once.

A screen may let too much through and never too little: what it marks is put to the module itself. Columns
over a whole series differ from those over a module's own window in their last digits, so every comparison
leaves room. A module without a screen is asked at every close. Tests hold each to that on random bars.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from functools import partial
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from core.types import Side
from scripts.modules.asking import Marks, Screen
from scripts.modules.tape import Coin, Indices, Series
from strategy.auxiliary.bars import Column
from strategy.auxiliary.indicators.trend import adx
from strategy.auxiliary.indicators.volatility import atr
from strategy.auxiliary.language import Module, settings_of
from strategy.auxiliary.modules.counter_sentiment import FRAME as CROWD_FRAME
from strategy.auxiliary.modules.crowd import LONGEST_MS
from strategy.auxiliary.modules.factor_score import FRAME, WEIGHTS
from strategy.auxiliary.modules.factors import (
    BURST_BARS,
    CARRY,
    DAY,
    FLOW_BARS,
    FULL_FLOW,
    FULL_RATE_8H,
    QUALITIES,
    SIGNED,
    WEEK,
    WILDER_BARS,
    WINDOW,
    Lengths,
    last_rate_8h,
    support,
)
from strategy.auxiliary.modules.neutral_grid import NeutralGrid
from strategy.auxiliary.modules.trend_breakout import FRAMES

ROOM: Final = 1e-6  # of a price or a ratio
SCORE_ROOM: Final = 1.0  # points of a hundred
ADX_ROOM: Final = 0.5
STILL_BARS: Final = 20  # with fewer bars that move in its window an ADX may be another one than in the series


Settings = Mapping[str, Decimal]


def screen_of(module: Module, given: Settings) -> Screen | None:
    """Return the screen of a module with these settings; None where it is to be asked at every close."""
    screen = SCREENS.get(module.name)
    return None if screen is None else partial(screen, settings_of(module.parameters, given))


def crossing(settings: Settings, coin: Coin, asked: Indices) -> Marks:
    """The average is crossed with volume on one of the frames that close there."""
    shortest = int(settings["shortest_frame"])
    frames = FRAMES[shortest : shortest + int(settings["frames"])]
    on = coin.series[frames[0]]
    marks = np.zeros(len(asked), dtype=np.bool_)
    for frame in frames:
        series = coin.series[frame]
        average = mean_of(series.close, int(settings["ma_bars"]))
        volume = mean_of(series.volume, int(settings["volume_bars"]))
        beyond, room = series.close - average, ROOM * series.close
        before, room_before = np.roll(beyond, 1), np.roll(room, 1)
        crossed = ((before <= room_before) & (beyond > -room)) | ((before >= -room_before) & (beyond < room))
        loud = series.volume >= (float(settings["volume_threshold"]) - ROOM) * volume
        marks |= np.isin(on.closed_ms[asked], series.closed_ms[crossed & loud])
    return marks


def calm(settings: Settings, coin: Coin, asked: Indices) -> Marks:
    """The ADX of the hours is below the limit: now, and when the block began."""
    hours, rule = coin.series["1H"], NeutralGrid(settings).rule
    strength = adx(hours.high, hours.low, hours.close, WILDER_BARS)
    low = ~(strength >= rule.below_adx + ADX_ROOM) | _still(hours, 150)
    now_ms = coin.series["15m"].closed_ms[asked]
    marks = np.ones(len(asked), dtype=np.bool_)
    for at_ms in (now_ms, now_ms // rule.block_ms * rule.block_ms):
        index, _ = hours.newest(at_ms)
        marks &= (index >= 0) & low[np.maximum(index, 0)]
    return marks


def scored(settings: Settings, coin: Coin, asked: Indices) -> Marks:
    """The score of the side the signed factors lean to may reach the least one."""
    series = coin.series[FRAME]
    weights = {name: float(settings[f"weight_{name}"]) for name in WEIGHTS}
    lengths = Lengths(*(int(settings[f"{each.name}_bars"]) for each in fields(Lengths)))
    factors = factor_columns(coin, series, lengths)
    known = {name: ~np.isnan(column) for name, column in factors.items()}
    filled = {name: np.nan_to_num(column) for name, column in factors.items()}
    lean = sum((weights[name] * filled[name] for name in SIGNED), np.zeros(len(series.close)))
    whole = sum((weights[name] * known[name] for name in weights), np.zeros(len(series.close)))
    marks = _still(series, WINDOW) | _still(series, WINDOW + 1)
    for side in Side:
        points = sum(
            (weights[name] * known[name] * _supports(name, filled[name], side) for name in weights),
            np.zeros(len(series.close)),
        )
        score, leans = 100 * points / np.maximum(whole, ROOM), lean * side.sign
        may = (leans > -ROOM) & (score >= float(settings["min_score"]) - SCORE_ROOM)
        surely = (leans > ROOM) & (score >= float(settings["min_score"]) + SCORE_ROOM)
        marks |= may & ~np.concatenate(([False], surely[:-1]))  # the edge speaks, not the state
    found: Marks = marks[asked]
    return found


def paid(settings: Settings, coin: Coin, asked: Indices) -> Marks:
    """The newest rate is above the floor, on whichever side."""
    rates = np.array([0.0, *(abs(float(each.rate)) for each in coin.settled)])
    gaps_ms = np.diff(coin.settled_ms, prepend=0)
    rates[1:] *= LONGEST_MS / np.clip(gaps_ms, 1, LONGEST_MS)
    now_ms = coin.series[CROWD_FRAME].closed_ms[asked]
    newest = rates[np.searchsorted(coin.settled_ms, now_ms, side="left")]
    marks: Marks = newest > float(settings["floor_rate_8h"]) * (1 - ROOM)
    return marks


def factor_columns(coin: Coin, series: Series, lengths: Lengths) -> Mapping[str, Column]:
    """Return `factors.measured` of every bar, but for the last digits; see there for the formulas."""
    high, low, close, volume = series.high, series.low, series.close, series.volume
    change = np.diff(close, prepend=close[0])
    usual = np.sqrt(mean_of(change**2, WEEK))
    today = np.sqrt(mean_of(change**2, DAY))
    usual_volume = mean_of(volume, WEEK)
    strength = np.clip((adx(high, low, close, WILDER_BARS) - 10) / 40, 0, 1)
    return {
        "momentum": _cut(_moved(close, lengths.momentum, usual)),
        "trend": strength * np.sign(close - mean_of(close, lengths.trend)),
        "reversion": _cut(-_moved(close, lengths.reversion, usual)),
        "breakout": _breakout(high, low, close, lengths.breakout),
        "money_flow": _flow(high, low, close, volume),
        "volatility": 100 * usual * np.sqrt(DAY) / close,
        "expansion": np.clip((_over(today, usual) - 0.5) / 1.5, 0, 1),
        "volume": _burst(volume, usual_volume),
        "liquidity": np.clip((np.log10(np.maximum(usual_volume * close, 1e-300)) - 4) / 5, 0, 1),
        "persistence": np.clip((0.2 + _over(_following(change), usual**2 * WEEK)) / 0.4, 0, 1),
        CARRY: _carry(coin, series),
    }


def mean_of(column: Column, n: int) -> Column:
    """The mean of the last `n`, each summed by itself: a running sum would carry old errors along."""
    found = np.full(len(column), np.nan)
    if len(column) >= n:
        found[n - 1 :] = sliding_window_view(column, n).mean(axis=1)
    return found


def _moved(close: Column, count: int, usual: Column) -> Column:
    far = np.full(len(close), np.nan)
    far[count:] = close[count:] - close[:-count]
    return _over(far, 2 * usual * np.sqrt(count))


def _breakout(high: Column, low: Column, close: Column, count: int) -> Column:
    beyond = np.zeros(len(close))
    if len(close) > count:
        highest = sliding_window_view(high, count).max(axis=1)[:-1]
        lowest = sliding_window_view(low, count).min(axis=1)[:-1]
        beyond[count:] = np.maximum(close[count:] - highest, 0) + np.minimum(close[count:] - lowest, 0)
    return _cut(_over(beyond, atr(high, low, close, WILDER_BARS)))


def _flow(high: Column, low: Column, close: Column, volume: Column) -> Column:
    leaning = _over(2 * close - high - low, high - low) * volume
    return _cut(_over(mean_of(leaning, FLOW_BARS), mean_of(volume, FLOW_BARS)) / FULL_FLOW)


def _burst(volume: Column, usual: Column) -> Column:
    times = _over(mean_of(volume, BURST_BARS), usual)
    return np.where(times > 0, np.clip((np.log2(np.maximum(times, 1e-300)) + 1) / 2, 0, 1), 0.0)


def _following(change: Column) -> Column:
    pairs = np.zeros(len(change))
    pairs[1:] = change[1:] * change[:-1]
    return mean_of(pairs, WEEK - 1) * (WEEK - 1)


def _carry(coin: Coin, series: Series) -> Column:
    """The rate changes at settlements only: one question for each, spread over the bars behind it."""
    settled = coin.settled
    rates = [last_rate_8h(settled[max(0, n - 2) : n], settled[n - 1].ts_ms + 1) if n else None
             for n in range(len(settled) + 1)]  # fmt: skip
    column = np.array([np.nan if rate is None else -rate / FULL_RATE_8H for rate in rates])
    found: Column = column[np.searchsorted(coin.settled_ms, series.closed_ms, side="left")]
    return _cut(found)


def _supports(name: str, column: Column, side: Side) -> Column:
    """`factors.support` of a column: a straight line between two of its values, for every factor."""
    if name in SIGNED:
        return (1 + side.sign * column) / 2
    assert name in QUALITIES
    return np.interp(column, _LINE, [support(name, at, side) for at in _LINE])


_LINE: Final = [0.0, 1.0, 2.0, 8.0, 100.0]  # where a quality's line may bend


def _still(series: Series, bars: int) -> Marks:
    """Where so few of the bars moved that a window says something else than the series."""
    moved = (np.diff(series.high, prepend=np.nan) > 0) | (np.diff(series.low, prepend=np.nan) < 0)
    count = np.concatenate(([0], np.cumsum(moved)))
    ends = np.arange(1, len(moved) + 1)
    marks: Marks = count[ends] - count[np.maximum(ends - bars, 0)] < STILL_BARS
    return marks


def _over(part: Column, whole: Column) -> Column:
    found = np.zeros(len(part))
    np.divide(part, whole, out=found, where=~(whole <= 0))
    return found


def _cut(column: Column) -> Column:
    return np.clip(column, -1, 1)


SCREENS: Final[Mapping[str, Callable[[Settings, Coin, Indices], Marks]]] = {
    "counter_sentiment_by_funding": paid,
    "factor_score": scored,
    "neutral_grid": calm,
    "trend_breakout": crossing,
}
