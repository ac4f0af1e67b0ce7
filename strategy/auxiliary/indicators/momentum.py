"""Oscillators: how fast, and how far from where it usually is."""

from __future__ import annotations

import talib

from strategy.auxiliary.indicators.columns import Column, checked, checked_length


def rsi(close: Column, n: int = 14) -> Column:
    checked("rsi", close)
    return talib.RSI(close, checked_length("rsi", n, 2))


def macd(close: Column, fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Column, Column, Column]:
    checked("macd", close)
    return talib.MACD(close, fast, slow, signal)


def stoch_rsi(
    close: Column, rsi_n: int = 14, stoch_n: int = 14, k: int = 3, d: int = 3
) -> tuple[Column, Column]:
    checked("stoch_rsi", close)
    fast, _ = talib.STOCHRSI(close, rsi_n, stoch_n, 1)
    slow = talib.SMA(fast, k)
    return slow, talib.SMA(slow, d)


def ultimate(
    high: Column, low: Column, close: Column, short: int = 7, middle: int = 14, long: int = 28
) -> Column:
    checked("ultimate", high, low, close)
    return talib.ULTOSC(high, low, close, short, middle, long)


def cci(high: Column, low: Column, close: Column, n: int = 20) -> Column:
    checked("cci", high, low, close)
    return talib.CCI(high, low, close, checked_length("cci", n, 2))


def williams(high: Column, low: Column, close: Column, n: int = 14) -> Column:
    checked("williams", high, low, close)
    return talib.WILLR(high, low, close, checked_length("williams", n, 2))
