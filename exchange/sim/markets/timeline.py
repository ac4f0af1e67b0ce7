"""One price series over time: the path inside each bar, and candles of any length cut from it.

A bar is four prices: its open, the two extremes in the order they were met, and its close, reached at
0, 1/4, 1/2 and 3/4 of the bar; between them the price moves in a straight line, then rests at the
close. Candles are cut from this path alone, so they hold exactly the prices the market showed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
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
    """Bars of one length as columns, oldest first, gaps allowed. Prices in USDT, volume in coins.

    low_first  per bar, whether its low was met before its high
    earlier    asked for what lies before the first bar when somebody looks there; it may prepend bars
    """

    def __init__(self, bar_ms: int, earlier: Callable[[int], None] | None = None) -> None:
        if bar_ms % MINUTE_MS:
            raise ValueError(f"a bar is whole minutes, not {bar_ms} ms")
        self.bar_ms = bar_ms
        self.ts = array("q")
        self.open, self.high, self.low, self.close, self.volume = (array("d") for _ in range(5))
        self.low_first = bytearray()
        self._earlier = earlier
        phases = [at_ms * 4 / bar_ms for at_ms in range(0, bar_ms, MINUTE_MS)]
        self._minutes = [(int(phase), phase - int(phase)) for phase in phases]

    def append(self, ts_ms: int, points: Points, volume: float) -> None:
        first, second, third, last = points
        self.ts.append(ts_ms)
        self.open.append(first)
        self.high.append(max(points))
        self.low.append(min(points))
        self.close.append(last)
        self.volume.append(volume)
        self.low_first.append(second <= third)

    def prepend(self, older: Track) -> None:
        """Put a whole series in front, which ends where this one begins."""
        for name in ("ts", "open", "high", "low", "close", "volume", "low_first"):
            setattr(self, name, getattr(older, name) + getattr(self, name))

    def points(self, i: int) -> Points:
        return path_points(self.open[i], self.high[i], self.low[i], self.close[i], bool(self.low_first[i]))

    def index(self, at_ms: int) -> int:
        """The bar at or before `at_ms`, -1 when the series starts later."""
        ts = self.ts
        if not ts:
            return -1
        if at_ms < ts[0] and self._earlier is not None:
            self._earlier(at_ms)
            ts = self.ts
        i = (at_ms - ts[0]) // self.bar_ms  # right as long as there is no gap
        if 0 <= i < len(ts) and 0 <= at_ms - ts[i] < self.bar_ms:
            return i
        return bisect_right(ts, at_ms) - 1

    def at(self, at_ms: int, index: int | None = None) -> float:
        """The price at an instant; inside a gap the close before it. Raises IndexError before the start."""
        i = self.index(at_ms) if index is None else index
        if i < 0:
            raise IndexError(f"no price yet at {at_ms}")
        phase = (at_ms - self.ts[i]) * 4 / self.bar_ms
        if phase >= 3:
            return self.close[i]
        second, third = (self.low[i], self.high[i]) if self.low_first[i] else (self.high[i], self.low[i])
        if phase >= 2:
            return third + (self.close[i] - third) * (phase - 2)
        if phase >= 1:
            return second + (third - second) * (phase - 1)
        first = self.open[i]
        return first + (second - first) * phase

    def minutes(self, i: int) -> list[float]:
        """The prices at the whole minutes of bar `i`, its open first."""
        first, second, third, last = self.points(i)
        path = (first, second, third, last, last)
        return [path[k] + (path[k + 1] - path[k]) * part for k, part in self._minutes]

    def spans(
        self, bar_ms: int, before_ms: int | None, limit: int, now_ms: int, offset_ms: int = 0
    ) -> list[Span]:
        """The newest `limit` candles of `bar_ms` opening before `before_ms`, newest first, as of `now_ms`.

        `offset_ms` shifts where candles begin (8 h for days counted in UTC+8). A candle without a
        single bar is left out: a gap of the series is a gap of its candles.
        """
        found: list[Span] = []
        for start_ms in self._starts(
            bar_ms, now_ms if before_ms is None else min(now_ms, before_ms - 1), offset_ms
        ):
            if len(found) >= limit:
                break
            span = self.cut(start_ms, start_ms + bar_ms, now_ms)
            if span is not None:
                found.append(span)
        return found

    def _starts(self, bar_ms: int, newest_ms: int, offset_ms: int) -> Iterator[int]:
        """Where candles with data in them may begin, newest first, gaps jumped over."""
        start_ms = _floor(newest_ms, bar_ms, offset_ms)
        while True:
            i = self.index(start_ms + bar_ms - 1)
            if i < 0:
                return
            last_ms = self.ts[i] + self.bar_ms - 1
            if last_ms < start_ms:  # a gap
                start_ms = _floor(last_ms, bar_ms, offset_ms)
            yield start_ms
            start_ms -= bar_ms

    def cut(self, begin_ms: int, end_ms: int, now_ms: int) -> Span | None:
        """The candle over [begin, end) as far as `now_ms`, or None when no bar touches it."""
        stop_ms = min(end_ms, now_ms + 1)
        i, last = max(0, self.index(begin_ms)), self.index(stop_ms - 1)
        if last < 0 or self.ts[last] + self.bar_ms <= begin_ms:
            return None
        if self.ts[i] + self.bar_ms <= begin_ms:
            i += 1
        open_ = self.at(max(begin_ms, self.ts[i]), i)
        parts = [self._part(i, begin_ms, stop_ms, now_ms)]
        if last > i:
            if last > i + 1:  # bars wholly inside
                k, n = i + 1, last
                parts.append(
                    (max(self.high[k:n]), min(self.low[k:n]), self.close[n - 1], sum(self.volume[k:n]))
                )
            parts.append(self._part(last, begin_ms, stop_ms, now_ms))
        highs, lows, closes, volumes = zip(*parts, strict=True)
        return Span(begin_ms, open_, max(highs), min(lows), closes[-1], sum(volumes), closed=end_ms <= now_ms)

    def _part(self, k: int, begin_ms: int, stop_ms: int, now_ms: int) -> Points:
        """(high, low, close, volume) of what lies of bar `k` in [begin, stop), as far as `now_ms`."""
        ts = self.ts[k]
        if begin_ms <= ts and ts + self.bar_ms <= stop_ms:
            return self.high[k], self.low[k], self.close[k], self.volume[k]
        quarter = self.bar_ms // 4
        inside = [p for n, p in enumerate(self.points(k)) if begin_ms <= ts + n * quarter < stop_ms]
        from_ms, to_ms = max(begin_ms, ts), min(stop_ms, ts + self.bar_ms)
        inside += [self.at(from_ms, k), self.at(min(to_ms, now_ms), k)]
        return max(inside), min(inside), inside[-1], self.volume[k] * (to_ms - from_ms) / self.bar_ms


def _floor(at_ms: int, bar_ms: int, offset_ms: int) -> int:
    return (at_ms + offset_ms) // bar_ms * bar_ms - offset_ms
