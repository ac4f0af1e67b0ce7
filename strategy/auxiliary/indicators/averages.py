"""Moving averages."""

from __future__ import annotations

import talib

from strategy.auxiliary.indicators.columns import Column, checked, checked_length


def sma(x: Column, n: int) -> Column:
    """Return the mean of the last `n` values. The first n - 1 are NaN.

    TA-Lib keeps a running sum: after values of 1e9 a mean of 1 carries an error of some 1e-7.
    """
    checked("sma", x)
    return talib.SMA(x, checked_length("sma", n))


def ema(x: Column, n: int) -> Column:
    """Return the exponential average: e + (x - e) * 2 / (n + 1), begun with the mean of the first `n`.

    The first n - 1 are NaN. Other programs begin with the first value instead; what that makes of a
    difference has shrunk to a millionth after 7 * n bars.
    """
    checked("ema", x)
    return talib.EMA(x, checked_length("ema", n))
