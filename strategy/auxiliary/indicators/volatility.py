"""How far prices swing, and the channels drawn from it. Every channel is (upper, middle, lower)."""

from __future__ import annotations

import numpy as np
import talib

from strategy.auxiliary.indicators.columns import Column, checked, checked_length, checked_times

Channel = tuple[Column, Column, Column]


def atr(high: Column, low: Column, close: Column, n: int = 14) -> Column:
    """Return the average true range in the price's own unit. The first `n` are NaN.

    True range: the largest of high - low and the distances of both to the previous close. Begun with the
    mean of the first `n` ranges, then (a * (n - 1) + range) / n.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    checked("atr", high, low, close)
    return talib.ATR(high, low, close, checked_length("atr", n))


def bollinger(close: Column, n: int = 20, times: float = 2.0) -> Channel:
    """Return the mean close of `n` bars and `times` the standard deviation above and below it.

    The deviation is that of the whole population (by n, not n - 1). The first n - 1 are NaN. When the price
    stands still all three are the price itself, give or take its last binary digit: ask how wide a band is
    before asking what lies outside it. Source: John Bollinger, Bollinger on Bollinger Bands (2001).
    """
    checked("bollinger", close)
    times = checked_times("bollinger", times)
    return talib.BBANDS(close, checked_length("bollinger", n, 2), times, times)


def keltner(
    high: Column, low: Column, close: Column, n: int = 20, times: float = 2.0, atr_n: int = 10
) -> Channel:
    """Return EMA(n) of the typical price, (high + low + close) / 3, and `times` ATR(atr_n) around it.

    The first max(n - 1, atr_n) are NaN. The range is begun so late that its first value falls on that very
    bar, so it differs at first from an `atr` column. Source: Chester Keltner, How to Make Money in
    Commodities (1960), with Linda Raschke's exponential average and true range.
    """
    checked("keltner", high, low, close)
    n, atr_n = checked_length("keltner", n, 2), checked_length("keltner", atr_n)
    return talib.KC(high, low, close, n, atr_n, checked_times("keltner", times))


def atr_channel(high: Column, low: Column, close: Column, n: int = 14, times: float = 2.0) -> Channel:
    """Return the mean close of `n` bars and `times` ATR(n) above and below it. The first `n` are NaN."""
    checked("atr_channel", high, low, close)
    middle = talib.SMA(close, checked_length("atr_channel", n))
    reach = checked_times("atr_channel", times) * talib.ATR(high, low, close, n)
    middle[np.isnan(reach)] = np.nan  # the mean is known a bar before the range is
    return middle + reach, middle, middle - reach
