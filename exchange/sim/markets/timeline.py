"""One price series over time: the path inside each bar, and candles of any length cut from it.

A bar is four prices: its open, the two extremes in the order they were met, and its close, reached at
0, 1/4, 1/2 and 3/4 of the bar; between them the price moves in a straight line, then rests at the
close. Candles are cut from this path alone, so they hold exactly the prices the market showed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

Points = tuple[float, float, float, float]
MINUTE_MS = 60_000


@dataclass(slots=True)
class Span:
    """A candle in floats. `closed` is False while its end lies ahead."""

    ts_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: bool = True


def path_points(open_: float, high: float, low: float, close: float, low_first: bool) -> Points:
    return (open_, low, high, close) if low_first else (open_, high, low, close)


class Track:
    """Bars of one length, oldest first, gaps allowed. Prices in USDT, volume in coins."""

    def __init__(self, bar_ms: int) -> None:
        if bar_ms % MINUTE_MS:
            raise ValueError(f"a bar is whole minutes, not {bar_ms} ms")
        self.bar_ms = bar_ms
        self.ts: list[int] = []
        self.points: list[Points] = []
        self.volume: list[float] = []
        self._cuts: dict[tuple[int, int], tuple[list[Span], int]] = {}

    def append(self, ts_ms: int, points: Points, volume: float) -> None:
        self.ts.append(ts_ms)
        self.points.append(points)
        self.volume.append(volume)

    def index(self, at_ms: int) -> int:
        """The bar at or before `at_ms`, -1 when the series starts later."""
        return bisect_right(self.ts, at_ms) - 1

    def at(self, at_ms: int, index: int | None = None) -> float:
        """The price at an instant; inside a gap the close before it. Raises IndexError before the start."""
        i = self.index(at_ms) if index is None else index
        if i < 0:
            raise IndexError(f"no price yet at {at_ms}")
        first, second, third, last = self.points[i]
        phase = (at_ms - self.ts[i]) * 4 / self.bar_ms
        if phase >= 3:
            return last
        if phase >= 2:
            return third + (last - third) * (phase - 2)
        if phase >= 1:
            return second + (third - second) * (phase - 1)
        return first + (second - first) * phase

    def spans(
        self, bar_ms: int, before_ms: int | None, limit: int, now_ms: int, offset_ms: int = 0
    ) -> list[Span]:
        """The newest `limit` candles of `bar_ms` opening before `before_ms`, newest first, as of `now_ms`.

        `offset_ms` shifts where candles begin (8 h for days counted in UTC+8). A candle without a
        single bar is left out: a gap of the series is a gap of its candles.
        """
        edge = _floor(now_ms, bar_ms, offset_ms)
        done = self._closed(bar_ms, offset_ms, edge)
        found: list[Span] = []
        if before_ms is None or edge < before_ms:
            found.extend(self._cut(edge, edge + bar_ms, now_ms))
        end = len(done) if before_ms is None else bisect_left(done, before_ms, key=lambda span: span.ts_ms)
        found.extend(reversed(done[max(0, end - limit) : end]))
        return found[:limit]

    def _closed(self, bar_ms: int, offset_ms: int, edge_ms: int) -> list[Span]:
        """All candles that ended by `edge_ms`; kept, and extended by what ended since the last call."""
        done, upto = self._cuts.get((bar_ms, offset_ms), ([], 0))
        if not upto and self.ts:
            upto = _floor(self.ts[0], bar_ms, offset_ms)
            if bar_ms < self.bar_ms:  # short candles are wanted for the recent past only
                upto = max(upto, edge_ms - SHORT_CANDLES * bar_ms)
        if upto < edge_ms:
            done.extend(
                span
                for start in self._starts(upto, edge_ms, bar_ms, offset_ms)
                for span in self._cut(start, start + bar_ms, edge_ms)
            )
            self._cuts[(bar_ms, offset_ms)] = (done, edge_ms)
        return done

    def _starts(self, begin_ms: int, end_ms: int, bar_ms: int, offset_ms: int) -> Iterable[int]:
        if bar_ms < self.bar_ms:
            return range(begin_ms, end_ms, bar_ms)
        bars = self.ts[bisect_left(self.ts, begin_ms) : bisect_left(self.ts, end_ms)]
        return dict.fromkeys(_floor(ts, bar_ms, offset_ms) for ts in bars)  # only where there is data

    def _cut(self, begin_ms: int, end_ms: int, now_ms: int) -> list[Span]:
        """The candle over [begin, end) as far as `now_ms`, or nothing when no bar touches it."""
        stop = min(end_ms, now_ms + 1)
        i, last = max(0, self.index(begin_ms)), self.index(stop - 1)
        if last < 0 or self.ts[last] + self.bar_ms <= begin_ms:
            return []
        if self.ts[i] + self.bar_ms <= begin_ms:
            i += 1
        open_ = close = self.at(max(begin_ms, self.ts[i]), i)
        high = low = open_
        volume = 0.0
        quarter = self.bar_ms // 4
        for k in range(i, last + 1):
            ts, points = self.ts[k], self.points[k]
            if begin_ms <= ts and ts + self.bar_ms <= stop:
                high, low, close = max(high, *points), min(low, *points), points[3]
                volume += self.volume[k]
                continue
            inside = [p for n, p in enumerate(points) if begin_ms <= ts + n * quarter < stop]
            from_ms, to_ms = max(begin_ms, ts), min(stop, ts + self.bar_ms)
            inside += [self.at(from_ms, k), self.at(min(to_ms, now_ms), k)]
            high, low, close = max(high, *inside), min(low, *inside), inside[-1]
            volume += self.volume[k] * (to_ms - from_ms) / self.bar_ms
        return [Span(begin_ms, open_, high, low, close, volume, closed=end_ms <= now_ms)]


SHORT_CANDLES = 1_500  # a venue shows the most recent 1,440 candles


def _floor(at_ms: int, bar_ms: int, offset_ms: int) -> int:
    return (at_ms + offset_ms) // bar_ms * bar_ms - offset_ms
