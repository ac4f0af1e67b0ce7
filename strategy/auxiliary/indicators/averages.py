"""Moving averages."""

from __future__ import annotations

import talib

from strategy.auxiliary.indicators.columns import Column, checked, checked_length


def sma(x: Column, n: int) -> Column:
    """Return the mean of the last `n` values. The first n - 1 are NaN."""
    checked("sma", x)
    return talib.SMA(x, checked_length("sma", n))


def ema(x: Column, n: int) -> Column:
    """Return the exponential average: e + 2 / (n + 1) * (x - e), begun with the mean of the first `n`.

    The first n - 1 are NaN. That beginning is TA-Lib's; one that begins with the first value differs from
    it by less than 1e-6 of the difference after some 7 * n bars.
    """
    checked("ema", x)
    return talib.EMA(x, checked_length("ema", n))
