"""What traded, and which way it leaned."""

from __future__ import annotations

import numpy as np
import talib

from strategy.auxiliary.indicators.columns import Column, changed, checked, checked_length, none_of_last
from strategy.auxiliary.indicators.momentum import MIDDLE


def obv(close: Column, volume: Column) -> Column:
    """Return the running sum of volume, added after a rise and taken off after a fall.

    It begins with the first bar's volume, so only differences within one series mean anything.
    Source: Joseph Granville, New Key to Stock Market Profits (1963).
    """
    checked("obv", close, volume)
    return talib.OBV(close, volume)


def cmf(high: Column, low: Column, close: Column, volume: Column, n: int = 20) -> Column:
    """Return sum of (2 * close - high - low) / (high - low) * volume by sum of volume, -1 to 1.

    Both sums are over `n` bars. A bar without range counts 0, so do `n` bars without volume. The first
    n - 1 are NaN. Source: Marc Chaikin's money flow.
    """
    checked("cmf", high, low, close, volume)
    flow = talib.CMF(high, low, close, volume, checked_length("cmf", n, 2))
    flow[none_of_last(n, volume != 0)] = 0.0  # TA-Lib divides what rounding left of its running sums
    return np.clip(flow, -1.0, 1.0)


def mfi(high: Column, low: Column, close: Column, volume: Column, n: int = 14) -> Column:
    """Return 100 * flow of rising bars / all flow, over `n` bars. The first `n` are NaN.

    A bar's flow is typical price, (high + low + close) / 3, times volume; it rises when the typical price
    is above the last, and without a change it counts for neither. Without any flow it is 50.
    Source: Gene Quong and Avrum Soudack, Technical Analysis of Stocks & Commodities (March 1989).
    """
    checked("mfi", high, low, close, volume)
    index = talib.MFI(high, low, close, volume, checked_length("mfi", n, 2))
    flows = changed((high + low + close) / 3.0) & (volume != 0)
    flows[:1] = True  # the first bar has no direction; it must not pass for one without flow
    index[none_of_last(n, flows)] = MIDDLE
    return index


def relative_volume(volume: Column, n: int = 10) -> Column:
    """Return volume / the mean volume of the last `n` bars, this one included; 0 where nothing traded.

    The first n - 1 are NaN. Because the bar is part of its own mean, the most it can be is `n`.
    """
    checked("relative_volume", volume)
    mean = talib.SMA(volume, checked_length("relative_volume", n))
    times = np.zeros_like(mean)
    times[np.isnan(mean)] = np.nan
    np.divide(volume, mean, out=times, where=mean > 0)
    return np.minimum(times, n)
