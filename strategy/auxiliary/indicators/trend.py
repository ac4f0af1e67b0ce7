"""Which way, and whether there is one at all."""

from __future__ import annotations

import numpy as np
import talib

from strategy.auxiliary.indicators.columns import Column, checked, checked_length, unknown


def adx(high: Column, low: Column, close: Column, n: int = 14) -> Column:
    checked("adx", high, low, close)
    return talib.ADX(high, low, close, checked_length("adx", n, 2))


def supertrend(
    high: Column, low: Column, close: Column, n: int = 10, times: float = 3.0
) -> tuple[Column, Column]:
    """Return the line and the direction: 1 up, -1 down, NaN where the line is."""
    checked("supertrend", high, low, close)
    line, trend = talib.SUPERTREND(high, low, close, checked_length("supertrend", n, 2), times)
    direction = trend.astype(np.float64)
    direction[np.isnan(line)] = np.nan
    return line, direction


def psar(high: Column, low: Column, step: float = 0.02, most: float = 0.2) -> Column:
    checked("psar", high, low)
    return talib.SAR(high, low, step, most)


def ichimoku(
    high: Column, low: Column, tenkan_n: int = 9, kijun_n: int = 26, senkou_n: int = 52
) -> tuple[Column, Column, Column, Column]:
    """Return tenkan, kijun and the two spans of the cloud that stands over each bar.

    The spans were computed `kijun_n` bars before the bar they stand at: nothing here looks ahead.
    """
    checked("ichimoku", high, low)
    tenkan = talib.MIDPRICE(high, low, tenkan_n)
    kijun = talib.MIDPRICE(high, low, kijun_n)
    ahead = (tenkan + kijun) / 2, talib.MIDPRICE(high, low, senkou_n)
    spans = []
    for span in ahead:
        shown = unknown(len(high))
        shown[kijun_n:] = span[: max(0, len(span) - kijun_n)]
        spans.append(shown)
    return tenkan, kijun, spans[0], spans[1]
