"""One market's candles in four sizes, all grown from pushes of the smallest.

The venue pushes 3m bars; the larger ones are added up here, so one subscription keeps every time
frame current. Days begin at 00:00 UTC.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from core.types import DAY_MS, HOUR_MS, Candle

BASE_BAR: Final = "3m"
BAR_MS: Final = {"3m": 180_000, "15m": 900_000, "4H": 4 * HOUR_MS, "D": DAY_MS}
ALL_BARS_MS: Final = BAR_MS | {"1m": 60_000, "5m": 300_000, "1H": HOUR_MS, "1D": DAY_MS}  # Market.candles
KEEP: Final = {"3m": 480, "15m": 300, "4H": 300, "D": 300}  # 480 x 3m is a day: the largest bar


class CandleSeries:
    """Bounded series per bar, oldest first; the last bar of each may still be forming."""

    def __init__(self) -> None:
        self._base: deque[Candle] = deque(maxlen=KEEP[BASE_BAR])
        self._larger = {bar: _Larger(BAR_MS[bar], KEEP[bar]) for bar in BAR_MS if bar != BASE_BAR}
        self.has_hole = False

    def seed(self, history: Mapping[str, Iterable[Candle]]) -> None:
        """Replace everything with the venue's own history by bar, each oldest first."""
        for bar, larger in self._larger.items():
            larger.seed(history.get(bar, ()))
        self._base.clear()
        self.has_hole = False
        for candle in history.get(BASE_BAR, ()):
            self.push(candle)

    def push(self, candle: Candle) -> None:
        """Take one 3m bar: a new one, or a later state of the last. Older ones are ignored."""
        last = self._base[-1] if self._base else None
        if last is not None and candle.ts_ms < last.ts_ms:
            return
        if last is not None and candle.ts_ms == last.ts_ms:
            if last.closed and not candle.closed:
                return
            self._base[-1] = candle
        else:
            if last is not None and candle.ts_ms - last.ts_ms > BAR_MS[BASE_BAR]:
                self.has_hole = True
            self._base.append(candle)
        for larger in self._larger.values():
            larger.push(candle)

    def frozen(self) -> dict[str, tuple[Candle, ...]]:
        return {BASE_BAR: tuple(self._base)} | {bar: tuple(s.bars) for bar, s in self._larger.items()}


class _Larger:
    """A series of larger bars, the last one made of `_part` (finished 3m bars) and the newest 3m bar."""

    def __init__(self, bar_ms: int, keep: int) -> None:
        self.bars: deque[Candle] = deque(maxlen=keep)
        self._bar_ms = bar_ms
        self._part: Candle | None = None
        self._newest: Candle | None = None

    def seed(self, candles: Iterable[Candle]) -> None:
        self.bars.clear()
        self.bars.extend(candles)
        self._part = self._newest = None

    def push(self, base: Candle) -> None:
        start = base.ts_ms - base.ts_ms % self._bar_ms
        if self.bars and start < self.bars[-1].ts_ms:
            return
        if self._newest is None and self.bars and base.ts_ms > self.bars[-1].ts_ms:
            # Seeded in the middle of a bar whose beginning we do not have: the venue's own forming
            # bar stands for what came before.
            self._part = self.bars[-1]
        if self._newest is not None and self._newest.ts_ms < base.ts_ms:
            self._part = _joined(self._part, self._newest, self._bar_ms)
        self._newest = base
        bar = _joined(self._part, base, self._bar_ms)
        if self.bars and self.bars[-1].ts_ms == start:
            self.bars[-1] = bar
            return
        if self.bars and not self.bars[-1].closed:
            self.bars[-1] = _closed(self.bars[-1])
        self.bars.append(bar)


def _joined(part: Candle | None, base: Candle, bar_ms: int) -> Candle:
    """Add one 3m bar to the part of its larger bar that came before it, if it belongs there."""
    start = base.ts_ms - base.ts_ms % bar_ms
    closed = base.closed and base.ts_ms + BAR_MS[BASE_BAR] == start + bar_ms
    if part is None or part.ts_ms < start:
        return Candle(start, base.open, base.high, base.low, base.close, base.volume, closed)
    return Candle(
        ts_ms=start,
        open=part.open,
        high=max(part.high, base.high),
        low=min(part.low, base.low),
        close=base.close,
        volume=part.volume + base.volume,
        closed=closed,
    )


def _closed(bar: Candle) -> Candle:
    return Candle(bar.ts_ms, bar.open, bar.high, bar.low, bar.close, bar.volume, True)
