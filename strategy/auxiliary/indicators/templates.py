"""Chart patterns by likeness: the last closes held against drawn ones, with time allowed to stretch a little.

Dynamic time warping: of all ways to walk through both curves in step, forwards only, the one with the least
sum of squared differences. Both curves have POINTS points, and a step may be BAND points off the diagonal at
most, so a comparison looks at no more than POINTS * (2 * BAND + 1) pairs; it stops as soon as no way can stay
within the limit, and most never begin, because a bound that costs one pass is already beyond it.

Sources: Hiroaki Sakoe and Seibi Chiba, IEEE Transactions on Acoustics, Speech, and Signal Processing 26
(1978), for the warping and its band; Eamonn Keogh and Chotirat Ratanamahatana, Knowledge and Information
Systems 7 (2005), for the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Final

import numpy as np

from core.types import Side
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators.columns import Column, checked_length

POINTS: Final = 32
BAND: Final = 3  # a tenth of the points: two features may lie that much earlier or later
LIMIT: Final = 0.3  # root mean square difference, in standard deviations; of 60 random walks one is nearer

Knots = Sequence[tuple[float, float]]  # (time 0-1, height), joined by straight lines


@dataclass(frozen=True, slots=True)
class Template:
    """A drawn curve, `side` what is expected after it. `curve` has mean 0 and deviation 1."""

    name: str
    side: Side
    curve: Column
    upper: Column  # the highest, and the lowest, within BAND points of each
    lower: Column


@dataclass(frozen=True, slots=True)
class Match:
    """The template the closes are most like.

    distance_sd  root mean square difference along the best way, in standard deviations of the closes.
    bars         how many closes were looked at.
    """

    name: str
    side: Side
    distance_sd: float
    bars: int


def template(name: str, side: Side, knots: Knots) -> Template:
    """Return a drawn curve. Raises ValueError unless the times of its knots run from 0 to 1, and rise."""
    times, heights = [time for time, _ in knots], [height for _, height in knots]
    if times[0] != 0 or times[-1] != 1 or any(b <= a for a, b in pairwise(times)):
        raise ValueError(f"{name}: knots at {times}, allowed: from 0 to 1, each after the last")
    curve = standardised(np.interp(np.linspace(0, 1, POINTS), times, heights))
    if curve is None:
        raise ValueError(f"{name}: a level line is like anything that stands still, and like nothing else")
    windows = [curve[max(0, at - BAND) : at + BAND + 1] for at in range(POINTS)]
    upper, lower = np.array([w.max() for w in windows]), np.array([w.min() for w in windows])
    for made in (curve, upper, lower):
        made.flags.writeable = False
    return Template(name, side, curve, upper, lower)


def standardised(values: Column) -> Column | None:
    """Return (values - mean) / deviation; None for values that do not differ."""
    off = values - values.mean()
    deviation = float(np.sqrt((off * off).mean()))
    # Equal values leave the rounding of their mean behind.
    return off / deviation if deviation > 1e-12 * float(np.abs(values).max()) else None


def dtw(one: Sequence[float], other: Sequence[float], band: int, limit: float = inf) -> float:
    """Return the root of the least sum of squared differences / points; infinity beyond the limit.

    Both are of one length. Raises ValueError when they are not, or are empty.
    """
    if len(one) != len(other) or not one:
        raise ValueError(f"dtw: curves of {len(one)} and {len(other)} points, allowed: one length above 0")
    points = len(one)
    most = limit * limit * points
    above = [inf] * (points + 2)  # sums of the row before; place 0 and the last lie outside
    above[0] = 0.0
    for at, value in enumerate(one):
        row = [inf] * (points + 2)
        first, last = max(0, at - band), min(points - 1, at + band)
        for place in range(first, last + 1):
            step = value - other[place]
            row[place + 1] = step * step + min(above[place], above[place + 1], row[place])
        if min(row[first + 1 : last + 2]) > most:
            return inf
        above = row
    return (above[points] / points) ** 0.5 if above[points] <= most else inf


def bound(curve: Column, drawn: Template) -> float:
    """Return what `dtw` is at least: the way out of the band the drawn curve sweeps."""
    out = np.maximum(np.maximum(curve - drawn.upper, drawn.lower - curve), 0.0)
    return float(np.sqrt((out * out).mean()))


def mirrored(drawn: Template, name: str) -> Template:
    """Return the same curve upside down, with the other side."""
    return Template(name, drawn.side.opposite, -drawn.curve, -drawn.lower, -drawn.upper)


DOUBLE_TOP: Final = template(
    "double_top", Side.SELL, ((0, 0), (0.25, 1), (0.45, 0.45), (0.65, 1), (0.9, 0.4), (1, 0.25))
)
SHOULDERS: Final = template(
    "head_and_shoulders",
    Side.SELL,
    ((0, 0), (0.15, 0.65), (0.28, 0.4), (0.45, 1), (0.62, 0.4), (0.77, 0.65), (0.93, 0.35), (1, 0.2)),
)
BULL_FLAG: Final = template(
    "bull_flag", Side.BUY, ((0, 0), (0.4, 1), (0.55, 0.8), (0.65, 0.88), (0.8, 0.68), (0.9, 0.76), (1, 1))
)
ASCENDING: Final = template(
    "ascending_triangle",
    Side.BUY,
    ((0, 0), (0.2, 1), (0.4, 0.35), (0.57, 1), (0.72, 0.6), (0.84, 1), (0.92, 0.8), (1, 1.2)),
)
TEMPLATES: Final = (
    DOUBLE_TOP,
    mirrored(DOUBLE_TOP, "double_bottom"),
    SHOULDERS,
    mirrored(SHOULDERS, "inverse_head_and_shoulders"),
    BULL_FLAG,
    mirrored(BULL_FLAG, "bear_flag"),
    ASCENDING,
    mirrored(ASCENDING, "descending_triangle"),
)


def template_match(
    bars: Bars, over: int = 48, limit: float = LIMIT, templates: Sequence[Template] = TEMPLATES
) -> Match | None:
    """Return the template the last `over` closes are most like, or None when none is within the limit.

    The closes are brought to POINTS points and to mean 0 and deviation 1, so only their shape counts.
    """
    checked_length("template_match", over, POINTS)
    if len(bars) < over:
        return None
    closes = bars.close[-over:]
    curve = standardised(np.interp(np.linspace(0, over - 1, POINTS), np.arange(over), closes))
    if curve is None:
        return None
    best: Match | None = None
    points, nearest = curve.tolist(), limit
    for near, drawn in sorted(((bound(curve, each), each) for each in templates), key=lambda pair: pair[0]):
        if near > nearest:
            break
        distance = dtw(points, drawn.curve.tolist(), BAND, nearest)
        if distance <= nearest and distance < inf:
            best, nearest = Match(drawn.name, drawn.side, distance, over), distance
    return best
