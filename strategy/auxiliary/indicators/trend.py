"""Which way, and whether there is one at all."""

from __future__ import annotations

import numpy as np
import talib

from strategy.auxiliary.indicators.columns import Column, checked, checked_length, checked_times, unknown


def adx(high: Column, low: Column, close: Column, n: int = 14) -> Column:
    """Return how strong the trend is, whichever way, 0 to 100. The first 2n - 1 are NaN.

    +DM is how far the high rose above the last, -DM how far the low fell, and only the larger counts.
    Both and the true range are smoothed by Wilder; DI is 100 * DM / range, DX is
    100 * |+DI - -DI| / (+DI + -DI), and ADX is DX smoothed, begun with the mean of its first `n`. As with
    TA-Lib, the first sums take n - 1 bars. A bar that leaves DX undefined leaves ADX as it was.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    checked("adx", high, low, close)
    return talib.ADX(high, low, close, checked_length("adx", n, 2))


def supertrend(
    high: Column, low: Column, close: Column, n: int = 10, times: float = 3.0
) -> tuple[Column, Column]:
    """Return the line and the direction: 1 below the price, -1 above it. The first `n` are NaN.

    Around the middle of each bar, (high + low) / 2, lie two bands at `times` ATR(n). The upper one may only
    fall until a close stands above it, the lower one only rise until a close stands below it. The line is
    the lower band while the trend is up; a close beyond the line turns it. The first bar counts as up,
    which is a convention: it means nothing before the first turn.
    Source: Olivier Seban's SuperTrend, as TA-Lib computes it.
    """
    checked("supertrend", high, low, close)
    n, times = checked_length("supertrend", n, 2), checked_times("supertrend", times)
    line, trend = talib.SUPERTREND(high, low, close, n, times)
    direction = trend.astype(np.float64)
    direction[np.isnan(line)] = np.nan
    return line, direction


def psar(high: Column, low: Column, step: float = 0.02, most: float = 0.2) -> Column:
    """Return the stop-and-reverse price. The first is NaN.

    Each bar it moves by a factor of the way to the trend's extreme; the factor begins at `step`, grows by
    it with every new extreme, and is `most` at most. It may not enter the last two bars' range; a price
    that touches it turns the trend, and the extreme becomes the stop. The first direction is that of the
    larger directional movement between the first two bars, up when there is none.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """
    checked("psar", high, low)
    if not 0 < step <= most:
        raise ValueError(f"psar: step {step} of at most {most}, allowed: above 0, and not above the most")
    return talib.SAR(high, low, step, most)


def ichimoku(
    high: Column, low: Column, tenkan_n: int = 9, kijun_n: int = 26, senkou_n: int = 52
) -> tuple[Column, Column, Column, Column]:
    """Return tenkan, kijun and the two spans of the cloud that stands over each bar.

    Tenkan and kijun are half way between the highest high and the lowest low of their bars. Span a is half
    way between the two, span b the middle of `senkou_n` bars, and both are drawn `kijun_n` bars ahead:
    what stands here over a bar was known that many bars before it. The line that is drawn backwards
    (chikou) is left out, because at its bar it was not known.
    NaN: the first tenkan_n - 1, kijun_n - 1, 2 * kijun_n - 1 and kijun_n + senkou_n - 1.
    Source: Goichi Hosoda, Ichimoku Kinko Hyo (1969). Raises ValueError unless each spans more than the last.
    """
    checked("ichimoku", high, low)
    checked_length("ichimoku", tenkan_n, 2)
    checked_length("ichimoku", senkou_n, 2)
    if not tenkan_n < kijun_n < senkou_n:
        raise ValueError(
            f"ichimoku: over {tenkan_n}, {kijun_n} and {senkou_n} bars, allowed: each above the last"
        )
    tenkan, kijun = talib.MIDPRICE(high, low, tenkan_n), talib.MIDPRICE(high, low, kijun_n)
    span_a = _ahead((tenkan + kijun) / 2, kijun_n)
    return tenkan, kijun, span_a, _ahead(talib.MIDPRICE(high, low, senkou_n), kijun_n)


def _ahead(column: Column, bars: int) -> Column:
    moved = unknown(len(column))
    moved[bars:] = column[: max(0, len(column) - bars)]
    return moved
