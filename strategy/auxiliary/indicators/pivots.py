"""Swing highs and lows: what chart patterns are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import talib

from strategy.auxiliary.indicators.columns import Column, Marks, checked, checked_length


@dataclass(frozen=True, slots=True)
class Pivot:
    """A bar whose high (or low) none of its neighbours reached. `at` counts bars from the first."""

    at: int
    px: float
    top: bool


@dataclass(frozen=True, slots=True)
class Line:
    """px(at) = px + slope * (at - begins)."""

    begins: int
    px: float
    slope: float  # price per bar

    def at(self, bar: int) -> float:
        return self.px + self.slope * (bar - self.begins)


def pivots(high: Column, low: Column, reach: int = 3) -> tuple[Pivot, ...]:
    """Return highs and lows in turn, oldest first.

    A high is one above the `reach` bars before it and not below the `reach` after it, so it is known only
    `reach` bars later. Of several highs without a low between them the highest stays, and of equal ones
    the first; lows likewise.
    """
    checked("pivots", high, low)
    checked_length("pivots", reach)
    tops, bottoms = _stands_out(high, reach), _stands_out(-low, reach)
    turns: list[Pivot] = []
    for at in map(int, np.flatnonzero(tops | bottoms)):
        found = [Pivot(at, float(high[at]), True)] if tops[at] else []
        found += [Pivot(at, float(low[at]), False)] if bottoms[at] else []
        if len(found) == 2 and turns and turns[-1].top:
            found.reverse()  # a bar that is both goes on with the other kind first
        for pivot in found:
            _take(turns, pivot)
    return tuple(turns)


def fitted(points: tuple[Pivot, ...]) -> Line:
    """Return the line with the least sum of squared distances from the points. Needs two bars at least."""
    count = len(points)
    at, px = sum(point.at for point in points) / count, sum(point.px for point in points) / count
    spread = sum((point.at - at) ** 2 for point in points)
    slope = sum((point.at - at) * (point.px - px) for point in points) / spread
    return Line(points[0].at, px - slope * (at - points[0].at), slope)


def _stands_out(px: Column, reach: int) -> Marks:
    marks = np.zeros(len(px), dtype=np.bool_)
    if len(px) <= 2 * reach:
        return marks
    peaks = talib.MAX(px, reach) if reach > 1 else px
    middle, before, after = px[reach:-reach], peaks[reach - 1 : -reach - 1], peaks[2 * reach :]
    marks[reach:-reach] = (middle > before) & (middle >= after)
    return marks


def _take(turns: list[Pivot], pivot: Pivot) -> None:
    if not turns or turns[-1].top != pivot.top:
        turns.append(pivot)
    elif (pivot.px > turns[-1].px) if pivot.top else (pivot.px < turns[-1].px):
        turns[-1] = pivot
