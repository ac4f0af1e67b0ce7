"""Ten factors and carry: what a bar is scored by. Every one is a formula with stated bounds.

c close, h high, l low, v volume, d the change of the close, of the last closed bar and those before it;
rms the root of the mean square. Signed factors lie in -1 to 1 and lean to a side, the others are qualities
that make either side better. All are cut at their bounds.

    momentum     (c - c 24 bars ago) / (rms of d over 168 bars * sqrt 24) / 2                      -1 to 1
    trend        sign(c - mean of 168 closes) * (ADX14 - 10) / 40, ADX cut to 10-50                 -1 to 1
    reversion    -(c - c 3 bars ago) / (rms of d over 168 bars * sqrt 3) / 2                        -1 to 1
    breakout     ATR14 beyond the highest high or lowest low of the 55 bars before; 0 inside them   -1 to 1
    money_flow   Chaikin money flow of 20 bars / 0.25                                               -1 to 1
    volatility   rms of d over 168 bars * sqrt 24 / c, in percent a day                             0 and up
    expansion    (rms of d over 24 bars / rms over 168 - 0.5) / 1.5                                  0 to 1
    volume       (log2(mean v of 3 bars / mean v of 168) + 1) / 2                                    0 to 1
    liquidity    (log10(mean v of 168 bars * c in USDT) - 4) / 5: 10 000 USDT an hour 0, 1 bn 1      0 to 1
    persistence  1/2 + 2.5 * the correlation of d with the d before it, over 168 bars                0 to 1
    carry        -(last settled funding per 8 h) / 0.0005: a long pays a positive rate              -1 to 1

Changes are differences and not logarithms, so that a market upside down scores the same for the other side.
Relative strength to BTC is not among them: a Look shows one instrument. Carry needs two settlements before
the bar closed; without them there are ten factors, and no other one takes its place.

How independent they are (independence.py), over hourly Binance swaps with funding from 2024-02-01 to
2025-01-31, 8545 bars each: no pair reaches 0.8. The nearest to it, BTC and ETH:

    volatility  liquidity     0.74   0.69    a wild week is traded more
    momentum    trend         0.66   0.65    a day is a part of its week
    momentum    money_flow    0.51   0.45
    expansion   volume        0.44   0.46
    carry       liquidity    -0.37  -0.43
    reversion   breakout     -0.36  -0.37

A volatility of one day instead of seven was 0.79 and 0.74 with expansion, which is why it is not one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.types import HOUR_MS, SettledFunding, Side
from strategy.auxiliary.bars import Bars, Column
from strategy.auxiliary.indicators.averages import sma
from strategy.auxiliary.indicators.trend import adx
from strategy.auxiliary.indicators.volatility import atr
from strategy.auxiliary.indicators.volume import cmf

WEEK: Final = 168  # bars: what a day is compared with
DAY: Final = 24
WINDOW: Final = 240  # bars every factor is computed from: what began before weighs less than 1e-6 in an ADX
WILDER_BARS: Final = 14
FLOW_BARS: Final = 20
BURST_BARS: Final = 3

SIGNED: Final = ("momentum", "trend", "reversion", "breakout", "money_flow", "carry")
QUALITIES: Final = ("volatility", "expansion", "volume", "liquidity", "persistence")
CARRY: Final = "carry"

FULL_FLOW: Final = 0.25
FULL_RATE_8H: Final = 0.0005  # funding that is a whole carry, five times the usual
LONGEST_MS: Final = 8 * HOUR_MS
CALM_PCT, WILD_PCT = 2.0, 8.0  # a day's volatility that is no burden, and one that is all of it


@dataclass(frozen=True, slots=True)
class Lengths:
    """Bars the factors that may be tuned look back; none may exceed WEEK."""

    momentum: int = 24
    trend: int = 168
    reversion: int = 3
    breakout: int = 55


def measured(bars: Bars, settled: Sequence[SettledFunding], lengths: Lengths) -> dict[str, float]:
    """Return every factor of the last of these bars by name; `carry` only where it is known.

    bars     at least WINDOW; older ones are not looked at.
    settled  funding, oldest first; what settled at the bar's close or later was not known then.
    """
    bars = bars.last(WINDOW)
    close, last = bars.close, float(bars.close[-1])
    change = close[-WEEK:] - close[-WEEK - 1 : -1]
    energy = float(change @ change)
    usual = math.sqrt(energy / WEEK)
    today = math.sqrt(float(change[-DAY:] @ change[-DAY:]) / DAY)
    usual_volume = float(bars.volume[-WEEK:].sum()) / WEEK
    factors = {
        "momentum": _cut(_moved(close, lengths.momentum, usual)),
        "trend": _trend(bars, lengths.trend),
        "reversion": _cut(-_moved(close, lengths.reversion, usual)),
        "breakout": _breakout(bars, lengths.breakout),
        "money_flow": _money_flow(bars),
        "volatility": 100 * usual * math.sqrt(DAY) / last,
        "expansion": _share(_over(today, usual) - 0.5, 1.5),
        "volume": _volume(bars.volume, usual_volume),
        "liquidity": _liquidity(usual_volume * last),
        "persistence": _share(0.2 + _over(float(change[1:] @ change[:-1]), energy), 0.4),
    }
    if (rate_8h := last_rate_8h(settled, bars.closed_ms)) is not None:
        factors[CARRY] = _cut(-rate_8h / FULL_RATE_8H)
    return factors


def support(name: str, value: float, side: Side) -> float:
    """Return how far a factor speaks for a side, 0-1. A signed one that does not care gives a half."""
    if name in SIGNED:
        return (1 + side.sign * value) / 2
    if name == "volatility":
        return 1 - _share(value - CALM_PCT, WILD_PCT - CALM_PCT)
    return value


def factor_series(
    bars: Bars, settled: Sequence[SettledFunding] = (), lengths: Lengths | None = None
) -> Mapping[str, Column]:
    """Return every factor as a column over a tape, each bar as it was seen then; NaN while not known."""
    count = len(bars)
    series = {name: np.full(count, np.nan) for name in (*SIGNED, *QUALITIES)}
    for end in range(WINDOW, count + 1):
        for name, value in measured(bars.without_last(count - end), settled, lengths or Lengths()).items():
            series[name][end - 1] = value
    return series


def last_rate_8h(settled: Sequence[SettledFunding], before_ms: int) -> float | None:
    """Return the newest rate that settled before an instant, per 8 hours; None where two are not known.

    The two tell its interval. A gap of more than 8 h is a hole in the history, not a longer interval.
    """
    known = bisect_left(settled, before_ms, key=lambda each: each.ts_ms)
    if known < 2:
        return None
    before, newest = settled[known - 2], settled[known - 1]
    interval_ms = min(newest.ts_ms - before.ts_ms, LONGEST_MS)
    return float(newest.rate) * LONGEST_MS / interval_ms if interval_ms > 0 else None


def _moved(close: Column, count: int, usual: float) -> float:
    """Return how far it went in `count` bars, in half widths of what is usual for so many."""
    return _over(float(close[-1] - close[-1 - count]), 2 * usual * math.sqrt(count))


def _trend(bars: Bars, count: int) -> float:
    strength = _share(float(adx(bars.high, bars.low, bars.close, WILDER_BARS)[-1]) - 10, 40)
    beyond = float(bars.close[-1] - sma(bars.close[-count:], count)[-1])
    return strength if beyond > 0 else -strength if beyond < 0 else 0.0


def _breakout(bars: Bars, count: int) -> float:
    close = float(bars.close[-1])
    highest, lowest = float(bars.high[-1 - count : -1].max()), float(bars.low[-1 - count : -1].min())
    beyond = max(close - highest, 0.0) + min(close - lowest, 0.0)
    return (
        _cut(_over(beyond, float(atr(bars.high, bars.low, bars.close, WILDER_BARS)[-1]))) if beyond else 0.0
    )


def _money_flow(bars: Bars) -> float:
    tail = slice(-FLOW_BARS, None)
    flow = float(cmf(bars.high[tail], bars.low[tail], bars.close[tail], bars.volume[tail], FLOW_BARS)[-1])
    return _cut(flow / FULL_FLOW)


def _volume(volume: Column, usual: float) -> float:
    times = _over(float(volume[-BURST_BARS:].sum()) / BURST_BARS, usual)
    return _share(math.log2(times) + 1, 2) if times > 0 else 0.0


def _liquidity(turnover_usdt: float) -> float:
    return _share(math.log10(turnover_usdt) - 4, 5) if turnover_usdt > 0 else 0.0


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0)


def _cut(value: float) -> float:
    return min(max(value, -1.0), 1.0)
