"""The indicators one closed candle at a time, equal to the columns of the same settings.

Each class takes the settings of the function it is the twin of, and `update` returns what that function
has in the last place of its columns once the candle has been appended: NaN as long as it is not known.
An average of anything but the close is an average of columns; the twins here speak of candles.
"""

from __future__ import annotations

from collections import deque
from math import isnan, nan
from typing import Final

from talib import stream

from core.types import Candle
from strategy.auxiliary.indicators import averages, momentum, trend, volatility, volume
from strategy.auxiliary.indicators.columns import Column, unknown
from strategy.auxiliary.indicators.fed import Fed, Quiet
from strategy.auxiliary.indicators.momentum import MIDDLE, STILL_RSI, WILLIAMS_MIDDLE

Triple = tuple[float, float, float]

NONE: Final[Column] = unknown(0)  # the batch function looks at the settings: one set of rules for both


def _closed(candle: Candle) -> Candle:
    if not candle.closed:
        raise ValueError(f"the candle of {candle.ts_ms} is still forming, allowed: closed ones")
    return candle


def _hlc(candle: Candle) -> Triple:
    _closed(candle)
    return float(candle.high), float(candle.low), float(candle.close)


def _close(candle: Candle) -> float:
    return float(_closed(candle).close)


class Sma:
    """Twin of averages.sma of the close."""

    def __init__(self, n: int) -> None:
        averages.sma(NONE, n)
        self._mean = Fed("sma", stream.SMA, n, needs=n)

    def update(self, candle: Candle) -> float:
        return self._mean.take(_close(candle))[0]


class Ema:
    """Twin of averages.ema of the close."""

    def __init__(self, n: int) -> None:
        averages.ema(NONE, n)
        self._mean = Fed("ema", stream.EMA, n, needs=n)

    def update(self, candle: Candle) -> float:
        return self._mean.take(_close(candle))[0]


class Rsi:
    """Twin of momentum.rsi."""

    def __init__(self, n: int = 14) -> None:
        momentum.rsi(NONE, n)
        self._index = Fed("rsi", stream.RSI, n, needs=n + 1)
        self._first: float | None = None
        self._moved = False

    def update(self, candle: Candle) -> float:
        close = _close(candle)
        (index,) = self._index.take(close)
        if self._first is None:
            self._first = close
        self._moved = self._moved or close != self._first
        return index if self._moved or isnan(index) else MIDDLE


class Macd:
    """Twin of momentum.macd: (dif, dea, hist)."""

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        momentum.macd(NONE, fast, slow, signal)
        self._lines = Fed("macd", stream.MACD, fast, slow, signal, needs=slow + signal - 1, gives=3)

    def update(self, candle: Candle) -> Triple:
        dif, dea, hist = self._lines.take(_close(candle))
        return dif, dea, hist


class StochRsi:
    """Twin of momentum.stoch_rsi: (k, d)."""

    def __init__(self, rsi_n: int = 14, stoch_n: int = 14, k: int = 3, d: int = 3) -> None:
        momentum.stoch_rsi(NONE, rsi_n, stoch_n, k, d)
        self._index = Rsi(rsi_n)
        self._n, self._window = stoch_n, deque[float](maxlen=stoch_n)
        self._k = Fed("stoch_rsi", stream.SMA, k, needs=k)
        self._d = Fed("stoch_rsi", stream.SMA, d, needs=d)

    def update(self, candle: Candle) -> tuple[float, float]:
        index = self._index.update(candle)
        if isnan(index):
            return nan, nan
        self._window.append(index)
        if len(self._window) < self._n:
            return nan, nan
        lowest = min(self._window)
        span = max(self._window) - lowest
        (k,) = self._k.take(100.0 * (index - lowest) / span if span > STILL_RSI else MIDDLE)
        return (k, nan) if isnan(k) else (k, self._d.take(k)[0])


class Ultimate:
    """Twin of momentum.ultimate."""

    def __init__(self, short: int = 7, middle: int = 14, long: int = 28) -> None:
        momentum.ultimate(NONE, NONE, NONE, short, middle, long)
        self._index = Fed("ultimate", stream.ULTOSC, short, middle, long, needs=long + 1)
        self._weights = ((short, 4), (middle, 2), (long, 1))
        self._still = Quiet()
        self._last: float | None = None

    def update(self, candle: Candle) -> float:
        high, low, close = _hlc(candle)
        (index,) = self._index.take(high, low, close)
        rows = self._still.take(close != self._last or high != low)
        self._last = close
        for n, weight in self._weights:
            if rows >= n:
                index += MIDDLE * weight / 7
        return index


class Cci:
    """Twin of momentum.cci."""

    def __init__(self, n: int = 20) -> None:
        momentum.cci(NONE, NONE, NONE, n)
        self._index = Fed("cci", stream.CCI, n, needs=n)

    def update(self, candle: Candle) -> float:
        return self._index.take(*_hlc(candle))[0]


class Williams:
    """Twin of momentum.williams."""

    def __init__(self, n: int = 14) -> None:
        momentum.williams(NONE, NONE, NONE, n)
        self._index = Fed("williams", stream.WILLR, n, needs=n)
        self._highs: deque[float] = deque(maxlen=n)
        self._lows: deque[float] = deque(maxlen=n)

    def update(self, candle: Candle) -> float:
        high, low, close = _hlc(candle)
        (index,) = self._index.take(high, low, close)
        self._highs.append(high)
        self._lows.append(low)
        if isnan(index) or max(self._highs) > min(self._lows):
            return index
        return WILLIAMS_MIDDLE


class Adx:
    """Twin of trend.adx."""

    def __init__(self, n: int = 14) -> None:
        trend.adx(NONE, NONE, NONE, n)
        self._index = Fed("adx", stream.ADX, n, needs=2 * n)

    def update(self, candle: Candle) -> float:
        return self._index.take(*_hlc(candle))[0]


class SuperTrend:
    """Twin of trend.supertrend: (line, direction)."""

    def __init__(self, n: int = 10, times: float = 3.0) -> None:
        trend.supertrend(NONE, NONE, NONE, n, times)
        self._line = Fed("supertrend", stream.SUPERTREND, n, times, needs=n + 1, gives=2)

    def update(self, candle: Candle) -> tuple[float, float]:
        line, direction = self._line.take(*_hlc(candle))
        return line, direction


class Psar:
    """Twin of trend.psar."""

    def __init__(self, step: float = 0.02, most: float = 0.2) -> None:
        trend.psar(NONE, NONE, step, most)
        self._stop = Fed("psar", stream.SAR, step, most, needs=2)

    def update(self, candle: Candle) -> float:
        high, low, _ = _hlc(candle)
        return self._stop.take(high, low)[0]


class Ichimoku:
    """Twin of trend.ichimoku: (tenkan, kijun, span_a, span_b)."""

    def __init__(self, tenkan_n: int = 9, kijun_n: int = 26, senkou_n: int = 52) -> None:
        trend.ichimoku(NONE, NONE, tenkan_n, kijun_n, senkou_n)
        self._tenkan = Fed("ichimoku", stream.MIDPRICE, tenkan_n, needs=tenkan_n)
        self._kijun = Fed("ichimoku", stream.MIDPRICE, kijun_n, needs=kijun_n)
        self._senkou = Fed("ichimoku", stream.MIDPRICE, senkou_n, needs=senkou_n)
        self._ahead: deque[tuple[float, float]] = deque([(nan, nan)] * kijun_n)

    def update(self, candle: Candle) -> tuple[float, float, float, float]:
        high, low, _ = _hlc(candle)
        (tenkan,), (kijun,) = self._tenkan.take(high, low), self._kijun.take(high, low)
        self._ahead.append(((tenkan + kijun) / 2, self._senkou.take(high, low)[0]))
        return tenkan, kijun, *self._ahead.popleft()


class Atr:
    """Twin of volatility.atr."""

    def __init__(self, n: int = 14) -> None:
        volatility.atr(NONE, NONE, NONE, n)
        self._range = Fed("atr", stream.ATR, n, needs=n + 1)

    def update(self, candle: Candle) -> float:
        return self._range.take(*_hlc(candle))[0]


class Bollinger:
    """Twin of volatility.bollinger: (upper, middle, lower)."""

    def __init__(self, n: int = 20, times: float = 2.0) -> None:
        volatility.bollinger(NONE, n, times)
        self._lines = Fed("bollinger", stream.BBANDS, n, times, times, needs=n, gives=3)

    def update(self, candle: Candle) -> Triple:
        upper, middle, lower = self._lines.take(_close(candle))
        return upper, middle, lower


class Keltner:
    """Twin of volatility.keltner: (upper, middle, lower)."""

    def __init__(self, n: int = 20, times: float = 2.0, atr_n: int = 10) -> None:
        volatility.keltner(NONE, NONE, NONE, n, times, atr_n)
        self._lines = Fed("keltner", stream.KC, n, atr_n, times, needs=max(n, atr_n + 1), gives=3)

    def update(self, candle: Candle) -> Triple:
        upper, middle, lower = self._lines.take(*_hlc(candle))
        return upper, middle, lower


class AtrChannel:
    """Twin of volatility.atr_channel: (upper, middle, lower)."""

    def __init__(self, n: int = 14, times: float = 2.0) -> None:
        volatility.atr_channel(NONE, NONE, NONE, n, times)
        self._mean, self._range, self._times = Sma(n), Atr(n), times

    def update(self, candle: Candle) -> Triple:
        middle, reach = self._mean.update(candle), self._times * self._range.update(candle)
        return (nan, nan, nan) if isnan(reach) else (middle + reach, middle, middle - reach)


class Obv:
    """Twin of volume.obv."""

    def __init__(self) -> None:
        self._sum = Fed("obv", stream.OBV, needs=1)

    def update(self, candle: Candle) -> float:
        return self._sum.take(_close(candle), float(candle.volume))[0]


class Cmf:
    """Twin of volume.cmf."""

    def __init__(self, n: int = 20) -> None:
        volume.cmf(NONE, NONE, NONE, NONE, n)
        self._flow = Fed("cmf", stream.CMF, n, needs=n)
        self._n, self._quiet = n, Quiet()

    def update(self, candle: Candle) -> float:
        traded = float(candle.volume)
        (flow,) = self._flow.take(*_hlc(candle), traded)
        if self._quiet.take(traded != 0) >= self._n:
            return 0.0
        return flow if isnan(flow) else max(-1.0, min(1.0, flow))


class Mfi:
    """Twin of volume.mfi."""

    def __init__(self, n: int = 14) -> None:
        volume.mfi(NONE, NONE, NONE, NONE, n)
        self._index = Fed("mfi", stream.MFI, n, needs=n + 1)
        self._n, self._quiet = n, Quiet()
        self._last: float | None = None

    def update(self, candle: Candle) -> float:
        high, low, close = _hlc(candle)
        traded = float(candle.volume)
        (index,) = self._index.take(high, low, close, traded)
        typical = (high + low + close) / 3.0
        flows = self._last is None or (typical != self._last and traded != 0)
        self._last = typical
        return MIDDLE if self._quiet.take(flows) >= self._n else index


class RelativeVolume:
    """Twin of volume.relative_volume."""

    def __init__(self, n: int = 10) -> None:
        volume.relative_volume(NONE, n)
        self._n, self._mean = n, Fed("relative_volume", stream.SMA, n, needs=n)

    def update(self, candle: Candle) -> float:
        traded = float(_closed(candle).volume)
        (mean,) = self._mean.take(traded)
        if isnan(mean):
            return nan
        return min(traded / mean, self._n) if mean > 0 else 0.0
