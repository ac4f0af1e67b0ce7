"""How far prices swing, and the channels drawn from it. Every channel is (upper, middle, lower)."""

from __future__ import annotations

import numpy as np
import talib

from strategy.auxiliary.indicators.columns import Column, checked, checked_length

Channel = tuple[Column, Column, Column]


def atr(high: Column, low: Column, close: Column, n: int = 14) -> Column:
    checked("atr", high, low, close)
    return talib.ATR(high, low, close, checked_length("atr", n))


def bollinger(close: Column, n: int = 20, times: float = 2.0) -> Channel:
    checked("bollinger", close)
    return talib.BBANDS(close, checked_length("bollinger", n, 2), times, times)


def keltner(
    high: Column, low: Column, close: Column, n: int = 20, times: float = 2.0, atr_n: int = 10
) -> Channel:
    checked("keltner", high, low, close)
    return talib.KC(high, low, close, checked_length("keltner", n, 2), atr_n, times)


def atr_channel(high: Column, low: Column, close: Column, n: int = 14, times: float = 2.0) -> Channel:
    """Return the average close of `n` bars and the lines `times` ATR over `n` above and below it."""
    checked("atr_channel", high, low, close)
    middle = talib.SMA(close, checked_length("atr_channel", n))
    reach = times * talib.ATR(high, low, close, n)
    middle[np.isnan(reach)] = np.nan  # the average is known a bar before the range is
    return middle + reach, middle, middle - reach
