"""What could have been earned with every rate known beforehand, and what given decisions would have earned.

Everything is counted per unit of swap notional, held constant: neither the size of a hedge nor what became
of its capital plays a part, only the decision to hold or not at each settlement. That makes decisions of
different runs, modes and instruments comparable.

    net = sum of the rates of the settlements held - switch_cost x switches

A switch is one opening or one closing. Positions are flat at both ends of a segment, so every opening has
its closing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from core.types import ZERO

Segments = Sequence[tuple[int, int]]  # [first, end) positions of settlements, in order, not overlapping


@dataclass(frozen=True, slots=True)
class Course:
    """One way through the settlements.

    net       fraction of the notional, costs deducted.
    switches  openings and closings together.
    held      for each settlement whether the short stood through it.
    """

    net: Decimal
    switches: int
    held: tuple[bool, ...]

    @property
    def settlements_held(self) -> int:
        return sum(self.held)


def segments_of(times_ms: Sequence[int], breaks: Iterable[tuple[int, int]] = ()) -> Segments:
    """Split settlements where one of `breaks` (begin_ms, end_ms) lies between two of them.

    A settlement inside of a break cannot be held through; such a tape lists none.
    """
    holes = sorted(breaks)
    cuts = [
        n
        for n, (before_ms, after_ms) in enumerate(pairwise(times_ms), 1)
        if any(begin_ms < after_ms and end_ms > before_ms for begin_ms, end_ms in holes)
    ]
    edges = [0, *cuts, len(times_ms)]
    return tuple((first, end) for first, end in pairwise(edges) if first < end)


def course_of(
    rates: Sequence[Decimal], held: Sequence[bool], switch_cost: Decimal, segments: Segments | None = None
) -> Course:
    """Return what holding through these settlements comes to.

    rates        of each settlement, a fraction, positive where a short receives.
    switch_cost  of one opening or one closing, a fraction of the notional: half a round trip, >= 0.
    segments     None: all settlements are one.

    Held through three settlements of 0.001 at 0.0015 a switch: 0.003 - 2 x 0.0015 = 0.
    Raises ValueError when `held` has another length than `rates`.
    """
    if len(held) != len(rates):
        raise ValueError(f"{len(rates)} settlements, and {len(held)} of them said to be held or not")
    switches = 0
    for first, end in _all(rates, segments):
        stands = False
        for now in held[first:end]:
            switches += now is not stands
            stands = now
        switches += stands
    paid = sum((rate for rate, now in zip(rates, held, strict=True) if now), ZERO)
    return Course(paid - switch_cost * switches, switches, tuple(held))


def perfect_foresight(
    rates: Sequence[Decimal], switch_cost: Decimal, segments: Segments | None = None
) -> Course:
    """Return the best way through settlements whose rates are all known; parameters as in `course_of`.

    Dynamic programming over two states (Bellman 1957): with F and H the best result that ends a settlement
    flat or held,

        H' = rate + max(H, F - c)        F' = max(F, H - c)

    from F = 0 and H impossible, to the better of F and H - c at a segment's end. Of equal ways the one that
    switches later, and so less often, is taken.
    """
    held = [False] * len(rates)
    for first, end in _all(rates, segments):
        held[first:end] = _best(rates[first:end], switch_cost)
    return course_of(rates, held, switch_cost, segments)


def _best(rates: Sequence[Decimal], cost: Decimal) -> list[bool]:
    flat, stands = ZERO, -cost  # before the first settlement; an opening is paid for
    came_from_held: list[tuple[bool, bool]] = []  # of (flat, stands) at each settlement
    for n, rate in enumerate(rates):
        opens, closes = flat - cost, stands - cost
        stays_held = n > 0 and stands >= opens
        leaves = n > 0 and closes > flat
        came_from_held.append((leaves, stays_held))
        flat, stands = closes if leaves else flat, rate + (stands if stays_held else opens)
    now = stands - cost > flat
    path = []
    for leaves, stays_held in reversed(came_from_held):
        path.append(now)
        now = stays_held if now else leaves
    return path[::-1]


def _all(rates: Sequence[Decimal], segments: Segments | None) -> Segments:
    return ((0, len(rates)),) if segments is None else segments
