"""Figures from candles and open interest. None means not known: a series that has not come in yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from core.types import DAY_MS, HOUR_MS, Candle

HOURLY_BARS: Final = ("3m", "15m")  # the finest first
TREND_BARS: Final = ("D", "4H")
TREND_LENGTH: Final = 20  # bars
TREND_EFFICIENCY: Final = Decimal("0.5")  # of the way travelled, what was made good


def hourly_range(candles: Mapping[str, Sequence[Candle]], now_ms: int) -> Decimal | None:
    """Return (highest high - lowest low) / last close of the bars that opened within the last hour."""
    for bar in HOURLY_BARS:
        recent = [c for c in candles.get(bar, ()) if now_ms - HOUR_MS <= c.ts_ms <= now_ms]
        if recent:
            span = max(c.high for c in recent) - min(c.low for c in recent)
            return span / recent[-1].close
    return None


def trend_word(candles: Mapping[str, Sequence[Candle]]) -> str:
    """Return "D trend, 4H range" and the like: for people, no condition reads it.

    A trend is where |last close - first close| is at least half of the sum of all steps between closes
    (Kaufman's efficiency ratio) over the last 20 closed bars.
    """
    return ", ".join(f"{bar} {_regime(candles.get(bar, ()))}" for bar in TREND_BARS)


def open_interest_rise(series: Sequence[tuple[int, Decimal]], now_ms: int) -> Decimal | None:
    """Return newest / the one a day ago - 1; None without a sample that is a day old."""
    before = [coins for ts_ms, coins in series if ts_ms <= now_ms - DAY_MS]
    if not before or not before[-1]:
        return None
    return series[-1][1] / before[-1] - 1


def _regime(candles: Sequence[Candle]) -> str:
    closes = [c.close for c in candles if c.closed][-TREND_LENGTH:]
    if len(closes) < TREND_LENGTH:
        return "not known"
    way = sum(abs(b - a) for a, b in pairwise(closes))
    made_good = abs(closes[-1] - closes[0])
    return "trend" if way and made_good / way >= TREND_EFFICIENCY else "range"
