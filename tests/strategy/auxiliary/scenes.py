"""Bars drawn by hand: closes along straight lines between knots, with a wick of one width on every bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strategy.auxiliary.bars import FRAME_MS, Bars
from tests.strategy.auxiliary.series import T0, column


def drawn(knots: Sequence[tuple[int, float]], wick: float = 0.1, volume: float = 10.0) -> Bars:
    """Bars 0 to the last knot's. The close at a knot is the knot's height; high and low a wick beyond."""
    count = knots[-1][0] + 1
    return bars_along(np.interp(range(count), [at for at, _ in knots], [px for _, px in knots]), wick, volume)


def bars_along(closes: Sequence[float] | np.ndarray, wick: float = 0.1, volume: float = 10.0) -> Bars:
    close = np.asarray(closes, dtype=np.float64)
    ts_ms = T0 + np.arange(len(close), dtype=np.int64) * FRAME_MS["5m"]
    traded = column([volume] * len(close))
    return Bars("BTC-USDT", "5m", ts_ms, close, close + wick, close - wick, close, traded)


def upside_down(bars: Bars, around: float = 200.0) -> Bars:
    return Bars(
        bars.instrument,
        bars.frame,
        bars.ts_ms,
        around - bars.open,
        around - bars.low,
        around - bars.high,
        around - bars.close,
        bars.volume,
    )
