"""Oscillators: how fast, and how far from where it usually is. 0 to 100 unless said otherwise."""

from __future__ import annotations

from typing import Final

import numpy as np
import talib

from strategy.auxiliary.indicators.columns import Column, changed, checked, checked_length, none_of_last

MIDDLE: Final = 50.0
WILLIAMS_MIDDLE: Final = -50.0
STILL_RSI: Final = 1e-6  # points; less than that between highest and lowest is rounding


def rsi(close: Column, n: int = 14) -> Column:
    """Return 100 * average gain / (average gain + average loss). The first `n` are NaN.

    Both averages begin with the mean of the first `n` changes and go on by Wilder's smoothing,
    (a * (n - 1) + new) / n. Until the price has moved at all it is 50.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    checked("rsi", close)
    index = talib.RSI(close, checked_length("rsi", n, 2))
    moves = changed(close)
    moves[:1] = False
    index[n:][~np.logical_or.accumulate(moves)[n:]] = MIDDLE
    return index


def macd(close: Column, fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Column, Column, Column]:
    """Return (dif, dea, hist): fast EMA - slow EMA, its EMA over `signal`, and dif - dea.

    All three are NaN for the first slow + signal - 2. Both price averages begin at the bar where the slow
    one does, so at first `dif` is not the difference of two `ema` columns. Some programs show
    2 * (dif - dea) as histogram: the sign is the same. Source: Gerald Appel, The Moving Average
    Convergence-Divergence Method (1979). Raises ValueError unless fast < slow.
    """
    checked("macd", close)
    checked_length("macd", fast, 2)
    checked_length("macd", slow, 2)
    checked_length("macd", signal)
    if fast >= slow:
        raise ValueError(f"macd: fast {fast} and slow {slow} bars, allowed: fast below slow")
    return talib.MACD(close, fast, slow, signal)


def stoch_rsi(
    close: Column, rsi_n: int = 14, stoch_n: int = 14, k: int = 3, d: int = 3
) -> tuple[Column, Column]:
    """Return (k, d): where the RSI stands between its lowest and highest of `stoch_n` bars, smoothed.

    raw = 100 * (rsi - lowest) / (highest - lowest); k is its mean over `k` bars, d the mean of k over `d`.
    An RSI that moved less than 1e-6 points over the window stands in the middle: the ratio of two roundings
    says nothing. NaN for the first rsi_n + stoch_n + k - 2 and another d - 1.
    Source: Tushar Chande and Stanley Kroll, The New Technical Trader (1994), without smoothing; the two
    means are what charts show as StochRSI(3, 3, 14, 14).
    """
    index = rsi(close, rsi_n)
    checked_length("stoch_rsi", stoch_n, 2)
    lowest, highest = talib.MIN(index, stoch_n), talib.MAX(index, stoch_n)
    span = highest - lowest
    raw = np.where(np.isnan(span), np.nan, MIDDLE)
    np.divide(100.0 * (index - lowest), span, out=raw, where=span > STILL_RSI)
    smooth = talib.SMA(raw, checked_length("stoch_rsi", k))
    return smooth, talib.SMA(smooth, checked_length("stoch_rsi", d))


def ultimate(
    high: Column, low: Column, close: Column, short: int = 7, middle: int = 14, long: int = 28
) -> Column:
    """Return 100 * (4 * a(short) + 2 * a(middle) + a(long)) / 7. The first `long` are NaN.

    a(n) is the sum of buying pressure over `n` bars, close - the lower of low and previous close, by the
    sum of true ranges. Over bars without any range a(n) counts as 1/2.
    Source: Larry Williams, The Ultimate Oscillator, Technical Analysis of Stocks & Commodities (1985).
    Raises ValueError unless short < middle < long.
    """
    checked("ultimate", high, low, close)
    checked_length("ultimate", short)
    checked_length("ultimate", long)
    if not short < middle < long:
        raise ValueError(f"ultimate: over {short}, {middle} and {long} bars, allowed: each above the last")
    index = talib.ULTOSC(high, low, close, short, middle, long)
    moves = changed(close) | (high != low)
    for n, weight in ((short, 4), (middle, 2), (long, 1)):
        index[none_of_last(n, moves)] += MIDDLE * weight / 7
    return index


def cci(high: Column, low: Column, close: Column, n: int = 20) -> Column:
    """Return (typical - its mean) / (0.015 * mean absolute deviation), without bounds; 0 when still.

    Typical is (high + low + close) / 3, the mean and the deviation are over `n` bars. The first n - 1 are
    NaN. Most values lie within -100 and 100.
    Source: Donald Lambert, Commodity Channel Index, Commodities (October 1980).
    """
    checked("cci", high, low, close)
    return talib.CCI(high, low, close, checked_length("cci", n, 2))


def williams(high: Column, low: Column, close: Column, n: int = 14) -> Column:
    """Return -100 * (highest - close) / (highest - lowest) of `n` bars: -100 at the bottom, 0 at the top.

    The first n - 1 are NaN. Without any range it is -50.
    Source: Larry Williams, How I Made One Million Dollars Last Year Trading Commodities (1973).
    """
    checked("williams", high, low, close)
    index = talib.WILLR(high, low, close, checked_length("williams", n, 2))
    index[talib.MAX(high, n) == talib.MIN(low, n)] = WILLIAMS_MIDDLE
    return index
