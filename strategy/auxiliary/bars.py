"""Closed candles of one instrument and length, as columns of floats: what indicators are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import DAY_MS, HOUR_MS, Candle

Column = NDArray[np.float64]
Instants = NDArray[np.int64]

MINUTE_MS: Final = 60_000
FRAME_MS: Final = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "1H": HOUR_MS,
    "4H": 4 * HOUR_MS,
    "1D": DAY_MS,
}


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """One series, oldest first, without a hole and without the bar that is still forming.

    ts_ms   open times, UTC ms; two neighbours are one `frame` apart.
    volume  coins.

    Columns are read-only: a module that writes into what others see is a ValueError of numpy's.
    """

    instrument: str
    frame: str
    ts_ms: Instants
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    def __len__(self) -> int:
        return len(self.ts_ms)

    @property
    def frame_ms(self) -> int:
        return FRAME_MS[self.frame]

    @property
    def closed_ms(self) -> int:
        """When the last bar closed, UTC ms. Raises IndexError without a bar."""
        return int(self.ts_ms[-1]) + self.frame_ms

    def last(self, count: int) -> Bars:
        """Return the newest bars, at most `count`, as views of the same columns."""
        return self._cut(slice(max(0, len(self) - count), None))

    def without_last(self, count: int) -> Bars:
        """Return all but the newest `count` bars: what was known so many bars ago."""
        return self._cut(slice(0, max(0, len(self) - count)))

    def _cut(self, cut: slice) -> Bars:
        return Bars(
            self.instrument,
            self.frame,
            self.ts_ms[cut],
            self.open[cut],
            self.high[cut],
            self.low[cut],
            self.close[cut],
            self.volume[cut],
        )


def bars_of(instrument: str, frame: str, candles: Sequence[Candle]) -> Bars:
    """Return the newest unbroken run of closed candles; what lies before a hole is left out.

    An indicator carried over a hole would speak of a market that never was.
    Raises ValueError for a frame that is not in FRAME_MS, and for candles that are not oldest first.
    """
    if frame not in FRAME_MS:
        raise ValueError(f"frame is {frame!r}, allowed: {', '.join(FRAME_MS)}")
    closed = [candle for candle in candles if candle.closed]
    ts_ms = np.array([candle.ts_ms for candle in closed], dtype=np.int64)
    steps = np.diff(ts_ms)
    if (steps <= 0).any():
        raise ValueError(f"{instrument} {frame}: candles are not oldest first")
    holes = np.flatnonzero(steps != FRAME_MS[frame])
    first = int(holes[-1]) + 1 if len(holes) else 0
    kept = closed[first:]
    opened_ms = ts_ms[first:]
    opened_ms.flags.writeable = False
    return Bars(
        instrument,
        frame,
        opened_ms,
        _column([candle.open for candle in kept]),
        _column([candle.high for candle in kept]),
        _column([candle.low for candle in kept]),
        _column([candle.close for candle in kept]),
        _column([candle.volume for candle in kept]),
    )


def _column(values: Sequence[object]) -> Column:
    column = np.array(values, dtype=np.float64)
    column.flags.writeable = False
    return column
