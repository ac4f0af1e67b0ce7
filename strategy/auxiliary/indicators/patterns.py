"""Chart patterns as measurements: each is a formula over closed bars, and gives its figures or None.

A pattern speaks of the last bar. One that was left at an earlier bar is over and is not shown again, so
`broken` is an edge: this close is beyond the line, the one before was not.

    side     where the textbook expects the price to go; None where it leaves that open
    broken   where this close has gone, None while it is still inside

Widths and heights are in the price's unit, ratios fractions, slopes fractions of the pattern's width at its
beginning that a line moves over its whole length.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Final

import numpy as np

from core.types import Side
from core.verdict import Figures
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators.columns import Column, checked_length
from strategy.auxiliary.indicators.pivots import Line, Pivot, fitted, pivots
from strategy.auxiliary.indicators.volume import relative_volume

FLAT: Final = 0.2  # a line that moves less than this part of the width over the pattern is level
NARROWED: Final = 0.7  # width at the last bar / width at the beginning, at most
MISFIT: Final = 0.15  # how far a pivot, or a close, may lie from its line, in widths
FEWEST: Final = 5  # pivots of a wedge or triangle, two at least on each side

HEAD: Final = 0.15  # how far the head stands above the higher shoulder, in heights, at least
UNEVEN: Final = 0.35  # difference of the shoulders, and tilt of the neckline, in heights, at most
LOPSIDED: Final = 3  # the longer half / the shorter one, in bars, at most


@dataclass(frozen=True, slots=True)
class Breakout:
    """A close beyond the highest high, or the lowest low, of the `bars` before it.

    beyond_ratio   (close - level) / level, without sign.
    height_ratio   (highest - lowest) / level: small where the price had been at rest.
    volume_times   volume / its mean over as many bars, this one included.
    """

    broken: Side
    level_px: float
    beyond_ratio: float
    height_ratio: float
    volume_times: float
    bars: int

    @property
    def side(self) -> Side:
        return self.broken


class Shape(StrEnum):
    RISING_WEDGE = "rising_wedge"
    FALLING_WEDGE = "falling_wedge"
    ASCENDING = "ascending_triangle"
    DESCENDING = "descending_triangle"
    SYMMETRIC = "symmetric_triangle"


EXPECTED: Final = {
    Shape.RISING_WEDGE: Side.SELL,
    Shape.FALLING_WEDGE: Side.BUY,
    Shape.ASCENDING: Side.BUY,
    Shape.DESCENDING: Side.SELL,
    Shape.SYMMETRIC: None,
}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Two lines that close in on each other: the one through the highs, the other through the lows.

    upper_px, lower_px  the lines at the last bar.
    narrowed_ratio      width there / width at the first pivot.
    misfit_ratio        the largest distance of a pivot from its line, in widths at the first pivot.
    bars                from the first pivot to the last bar.
    """

    shape: Shape
    broken: Side | None
    upper_px: float
    lower_px: float
    upper_slope: float
    lower_slope: float
    narrowed_ratio: float
    misfit_ratio: float
    pivots: int
    bars: int

    @property
    def side(self) -> Side | None:
        return EXPECTED[self.shape]


@dataclass(frozen=True, slots=True)
class HeadAndShoulders:
    """Three peaks, the middle one the highest, over one neckline; or the same upside down.

    neck_px       the neckline at the last bar.
    height_ratio  (head - neckline below it) / neckline: how far the price is expected to go beyond it.
    uneven_ratio  difference of the shoulders, each measured from the neckline, / height.
    """

    side: Side
    broken: Side | None
    left_px: float
    head_px: float
    right_px: float
    neck_px: float
    height_ratio: float
    uneven_ratio: float
    bars: int


def evidence(name: str, pattern: Breakout | Narrowing | HeadAndShoulders) -> Figures:
    """Return a pattern's figures as a signal shows them, `name` in front of each; None is left out."""
    shown = ((field.name, getattr(pattern, field.name)) for field in fields(pattern))
    return tuple((f"{name}_{key}", _figure(value)) for key, value in shown if value is not None)


def breakout(bars: Bars, over: int = 20) -> Breakout | None:
    """Return whether the last close left the range of the `over` bars before it.

    Source: the channel breakout of Richard Donchian, on closes.
    """
    checked_length("breakout", over, 2)
    if len(bars) <= over:
        return None
    before = slice(-over - 1, -1)
    highest, lowest, close = bars.high[before].max(), bars.low[before].min(), bars.close[-1]
    if lowest <= close <= highest or lowest <= 0:
        return None
    broken, level = (Side.BUY, highest) if close > highest else (Side.SELL, lowest)
    return Breakout(
        broken,
        float(level),
        float(abs(close - level) / level),
        float((highest - lowest) / level),
        float(relative_volume(bars.volume[-over:], over)[-1]),
        over,
    )


def wedge(bars: Bars, over: int = 60, reach: int = 3) -> Narrowing | None:
    """Return two lines that narrow and both rise, or both fall, over the last `over` bars.

    Each line is the least-squares fit through its pivots (see `pivots`; `reach` as there), moves by more
    than FLAT, and they have closed to NARROWED of their width. No pivot, and no close before the last, lies
    further outside than MISFIT. A rising one is expected to break down, a falling one up.
    Source: Robert Edwards and John Magee, Technical Analysis of Stock Trends (1948), in figures of our own.
    """
    found = _narrowing(bars, over, reach)
    return found if found and found.shape in (Shape.RISING_WEDGE, Shape.FALLING_WEDGE) else None


def triangle(bars: Bars, over: int = 60, reach: int = 3) -> Narrowing | None:
    """Return two lines that narrow from a level top, from a level bottom, or from both sides.

    Measured as a wedge is; a line that moves by no more than FLAT is level. Ascending (level top, rising
    bottom) is expected to break up, descending down, symmetric either way. Source: as there.
    """
    found = _narrowing(bars, over, reach)
    return found if found and found.shape not in (Shape.RISING_WEDGE, Shape.FALLING_WEDGE) else None


def head_and_shoulders(bars: Bars, over: int = 80, reach: int = 3) -> HeadAndShoulders | None:
    """Return a top of three peaks that is expected to break down, or its mirror image.

    Five pivots in turn: shoulder, trough, head, trough, shoulder. The neckline runs through the troughs and
    the height is how far the head stands above it. The head is above both shoulders by HEAD heights, the
    shoulders stand above the neckline, differ by UNEVEN at most, the neckline tilts by UNEVEN at most
    between the troughs, one half is at most LOPSIDED times as long as the other, and no close since the
    right shoulder, before the last, lies beyond the neckline or the head.
    Source: Andrew Lo, Harry Mamaysky and Jiang Wang, Foundations of Technical Analysis, Journal of Finance
    55 (2000), for the idea to measure it between extremes; the bounds are our own.
    """
    checked_length("head_and_shoulders", over, 2)
    seen = bars.last(over)
    turns = pivots(seen.high, seen.low, reach)
    for top in (True, False):
        ends = [place for place in range(len(turns), len(turns) - 2, -1) if place >= 5]
        for end in ends:
            five = turns[end - 5 : end]
            if five[-1].top is top and (found := _shoulders(five, seen.close, top)):
                return found
    return None


def _narrowing(bars: Bars, over: int, reach: int) -> Narrowing | None:
    checked_length("narrowing", over, 2)
    seen = bars.last(over)
    turns = pivots(seen.high, seen.low, reach)
    tops, bottoms = tuple(t for t in turns if t.top), tuple(t for t in turns if not t.top)
    if len(turns) < FEWEST or len(tops) < 2 or len(bottoms) < 2:
        return None
    upper, lower, begins, last = fitted(tops), fitted(bottoms), turns[0].at, len(seen) - 1
    width, left = upper.at(begins) - lower.at(begins), upper.at(last) - lower.at(last)
    if width <= 0 or not 0 < left <= NARROWED * width:
        return None
    misfit = max(
        *(abs(t.px - upper.at(t.at)) / width for t in tops),
        *(abs(t.px - lower.at(t.at)) / width for t in bottoms),
    )
    slopes = upper.slope * (last - begins) / width, lower.slope * (last - begins) / width
    shape = _shape(*slopes)
    if shape is None or misfit > MISFIT or _strays(seen.close, upper, lower, begins, MISFIT * width):
        return None
    if not lower.at(last - 1) <= seen.close[-2] <= upper.at(last - 1):
        return None  # it was left before
    return Narrowing(
        shape,
        _left(float(seen.close[-1]), lower.at(last), upper.at(last)),
        upper.at(last),
        lower.at(last),
        *slopes,
        left / width,
        misfit,
        len(turns),
        last - begins,
    )


def _shape(upper: float, lower: float) -> Shape | None:
    if abs(upper) <= FLAT:
        return Shape.ASCENDING if lower > FLAT else None
    if abs(lower) <= FLAT:
        return Shape.DESCENDING if upper < 0 else None
    if upper > 0:
        return Shape.RISING_WEDGE if lower > 0 else None
    return Shape.FALLING_WEDGE if lower < 0 else Shape.SYMMETRIC


def _strays(close: Column, upper: Line, lower: Line, begins: int, most: float) -> bool:
    bars = np.arange(begins, len(close) - 1)
    inside = close[begins:-1]
    above = inside - (upper.px + upper.slope * (bars - upper.begins))
    below = (lower.px + lower.slope * (bars - lower.begins)) - inside
    return bool((above > most).any() or (below > most).any())


def _left(close: float, lower: float, upper: float) -> Side | None:
    if close > upper:
        return Side.BUY
    return Side.SELL if close < lower else None


def _shoulders(five: tuple[Pivot, ...], close: Column, top: bool) -> HeadAndShoulders | None:
    # Upside down it is the same figure in negative prices.
    sign = 1.0 if top else -1.0
    left, first, head, second, right = (Pivot(p.at, sign * p.px, p.top) for p in five)
    neck = fitted((first, second))
    height = head.px - neck.at(head.at)
    stands = left.px - neck.at(left.at), right.px - neck.at(right.at)
    halves = head.at - left.at, right.at - head.at
    if height <= 0 or min(stands) <= 0 or head.px - max(left.px, right.px) < HEAD * height:
        return None
    uneven = abs(stands[0] - stands[1]) / height
    if uneven > UNEVEN or abs(second.px - first.px) > UNEVEN * height or max(halves) > LOPSIDED * min(halves):
        return None
    since, last = sign * close[right.at :], len(close) - 1
    line = neck.at(right.at) + neck.slope * np.arange(len(since))
    if (since[:-1] < line[:-1]).any() or (since > head.px).any():
        return None
    side = Side.SELL if top else Side.BUY
    return HeadAndShoulders(
        side,
        side if since[-1] < line[-1] else None,
        sign * left.px,
        sign * head.px,
        sign * right.px,
        sign * neck.at(last),
        height / abs(neck.at(head.at)),
        uneven,
        last - left.at,
    )


def _figure(value: object) -> Decimal | int | str:
    if isinstance(value, float):
        return Decimal(f"{value:.10g}")
    return int(value) if isinstance(value, int) else str(value)
