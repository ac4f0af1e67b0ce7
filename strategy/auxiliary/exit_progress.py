"""One position under its exit plan: how it began, how far it has come, and both as plain records.

A record holds text and whole numbers only (`core.facts.plain`), so that the journal can keep it; `recalled`
makes the same object of it in the next life of the engine, the plan in force included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from core.facts import plain
from core.types import ZERO, Base, Side, Usdt
from core.verdict import Figures
from strategy.auxiliary.exit_plan import ExitPlan, Levels, Measures, StopTo, Trail, TrailBy, is_above_zero

PLANNED = "plan"  # what set the first stop


class Reason(StrEnum):
    """Why something was taken off, or all of it; in the order in which they are asked."""

    EMERGENCY = "emergency"
    STOP = "stop"
    TIME = "time"
    TARGET = "target"
    TRAIL = "trail"
    OUTSIDE = "outside"  # not by the plan: the venue's stop, a liquidation, an operator


@dataclass(frozen=True, slots=True)
class Entry:
    """What was entered, and never changes again.

    base      coins, > 0; `side` is the direction.    lot  the smallest step of it, coins.
    px        what was paid on average, USDT per coin.
    leverage  as granted.    margin  initial margin, USDT.
    levels    of the plan for this entry; see `entered`.

    Raises ValueError for an amount or a price that is not above zero, or a stop on the winning side.
    """

    side: Side
    base: Base
    px: Decimal
    leverage: Decimal
    margin: Usdt
    lot: Base
    opened_ms: int
    measures: Measures
    levels: Levels

    def __post_init__(self) -> None:
        for name in ("base", "px", "leverage", "margin", "lot"):
            value = getattr(self, name)
            if not is_above_zero(value):
                raise ValueError(f"{name} of an entry is {value}, allowed: above 0")
        if self.is_beyond(self.levels.stop_px, self.px):
            raise ValueError(f"a {self.side.value} at {self.px} cannot be stopped at {self.levels.stop_px}")

    def is_beyond(self, px: Decimal, line_px: Decimal) -> bool:
        """Whether a price is at a line or on its winning side."""
        return (px - line_px) * self.side.sign >= 0

    def better(self, one_px: Decimal, other_px: Decimal) -> Decimal:
        """Return the price further in the winning direction."""
        return one_px if self.is_beyond(one_px, other_px) else other_px

    def margin_lost(self, mark_px: Decimal) -> Decimal:
        """Return unrealised loss / initial margin, a fraction; negative in profit.

        Both are of the coins still held: the margin shrinks with them, and so what was taken off makes
        the rest no safer. Entered at 100 with leverage 3, at 90: 0.3.
        """
        return (self.px - mark_px) * self.side.sign * self.base / self.margin


def entered(
    plan: ExitPlan,
    side: Side,
    base: Base,
    px: Decimal,
    *,
    leverage: Decimal,
    margin: Usdt,
    lot: Base,
    opened_ms: int,
    measures: Measures,
) -> Entry:
    """Return the entry with the plan's prices for it. Raises ValueError where the plan has none."""
    levels = plan.levels(side, px, measures, leverage)
    return Entry(side, base, px, leverage, margin, lot, opened_ms, measures, levels)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a position has come.

    left      coins that are to be held. A target, not a count: while the venue holds more, an order of ours
              is still to be filled.
    reached   how many targets, in order.
    stop_px   where the stop stands; it never moves away from the price.    stop_by  what put it there.
    bests     per trail: the best mark since it began; None before, and for the averages.
    bars_ms   per trail: close of the newest bar it has seen.
    due       number of the trail (from 0) whose bar said to leave; waits there for the cooldown.
    acted_ms  the last action.    seen_ms  the newest observation.
    broke_even  the stop was moved to the entry once.
    ended     why nothing is left; None while something is.
    """

    left: Base
    reached: int
    stop_px: Decimal
    stop_by: str
    bests: tuple[Decimal | None, ...]
    bars_ms: tuple[int, ...]
    seen_ms: int
    due: int | None = None
    acted_ms: int | None = None
    broke_even: bool = False
    ended: Reason | None = None

    def __post_init__(self) -> None:
        if not (self.left.is_finite() and self.left >= 0 and is_above_zero(self.stop_px)):
            raise ValueError(f"{self.left} coins with a stop at {self.stop_px}, allowed: 0 or more, above 0")
        if (self.ended is None) != (self.left > 0):
            raise ValueError(f"{self.left} coins left, and ended by {self.ended}")


def begun(plan: ExitPlan, entry: Entry) -> Progress:
    """Return the progress at the entry. A trail that waits for no target begins at the entry price."""
    bests = tuple(entry.px if _follows_from(trail, 0) else None for trail in plan.trails)
    return Progress(
        entry.base,
        0,
        entry.levels.stop_px,
        PLANNED,
        bests,
        bars_ms=(entry.opened_ms,) * len(plan.trails),
        seen_ms=entry.opened_ms,
    )


def followed(plan: ExitPlan, entry: Entry, progress: Progress, mark_px: Decimal) -> Progress:
    """Return the progress with the best marks carried on, of all trails that have begun."""
    bests = tuple(
        (mark_px if best is None else entry.better(best, mark_px))
        if _follows_from(trail, progress.reached)
        else best
        for trail, best in zip(plan.trails, progress.bests, strict=True)
    )
    return progress if bests == progress.bests else replace(progress, bests=bests)


def _follows_from(trail: Trail, reached: int) -> bool:
    return trail.by in (TrailBy.RATIO, TrailBy.ATR) and reached >= trail.after_targets


def with_stop(entry: Entry, progress: Progress, px: Decimal, by: str) -> Progress:
    """Return the progress with the stop at `px`, or as it was when that would move it away from the price."""
    if entry.is_beyond(progress.stop_px, px):
        return progress
    return replace(progress, stop_px=px, stop_by=by, broke_even=progress.broke_even or by == StopTo.ENTRY)


def with_held(progress: Progress, held: Base) -> Progress:
    """Return the progress after the books told what is held, coins.

    Less than it should be: somebody else took it off, and the plan goes on with the rest. More: our own order
    is not filled yet, and what should be held stays what it is.
    """
    if held >= progress.left:
        return progress
    left = Base(max(ZERO, held))
    return replace(progress, left=left, ended=None if left else Reason.OUTSIDE)


T = TypeVar("T", ExitPlan, Entry, Progress, Measures)


def recorded(what: ExitPlan | Entry | Progress) -> dict[str, Any]:
    """Return it as the journal keeps it: Decimal as text, times as whole numbers."""
    record: dict[str, Any] = plain(what)
    return record


def recalled(record: Mapping[str, Any], kind: type[T]) -> T:
    """Return what `recorded` made the record of. Raises ValueError that names the place of what is wrong."""
    return msgspec.convert(record, kind)


def tally(positions: Iterable[Progress]) -> Figures:
    """Count what became of many positions: targets, stops, moves to the entry, and every other end."""
    seen = list(positions)
    rungs = max((progress.reached for progress in seen), default=0)
    return (
        *((f"target_{n}_hits", sum(p.reached >= n for p in seen)) for n in range(1, rungs + 1)),
        *((f"{reason.value}_ends", sum(p.ended is reason for p in seen)) for reason in Reason),
        ("break_even_moves", sum(p.broke_even for p in seen)),
    )
