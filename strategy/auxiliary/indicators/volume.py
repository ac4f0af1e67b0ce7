"""What traded, and which way it leaned."""

from __future__ import annotations

import numpy as np
import talib

from strategy.auxiliary.indicators.columns import Column, checked, checked_length


def obv(close: Column, volume: Column) -> Column:
    checked("obv", close, volume)
    return talib.OBV(close, volume)


def cmf(high: Column, low: Column, close: Column, volume: Column, n: int = 20) -> Column:
    checked("cmf", high, low, close, volume)
    return talib.CMF(high, low, close, volume, checked_length("cmf", n, 2))


def mfi(high: Column, low: Column, close: Column, volume: Column, n: int = 14) -> Column:
    checked("mfi", high, low, close, volume)
    return talib.MFI(high, low, close, volume, checked_length("mfi", n, 2))


def relative_volume(volume: Column, n: int = 10) -> Column:
    """Return volume / the mean volume of the last `n` bars, this one included; 0 where nothing traded."""
    checked("relative_volume", volume)
    mean = talib.SMA(volume, checked_length("relative_volume", n))
    times = np.zeros_like(mean)
    times[np.isnan(mean)] = np.nan
    return np.divide(volume, mean, out=times, where=mean > 0)
