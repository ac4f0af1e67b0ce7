"""The stop that stands at the venue under ours, for the time nobody is there to watch.

It waits on the mark price, like ours, and lies a little behind it: while the engine lives, its own order with
its own limit price goes first; when it does not, the position loses that little more and no further.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Final

from core.types import Base, Side
from core.verdict import Figures
from strategy.auxiliary.exit_plan import ExitPlan
from strategy.auxiliary.exit_progress import Entry, Progress

BEHIND: Final = Decimal("0.1")  # of the way from the entry to where ours first stood


@dataclass(frozen=True, slots=True)
class VenueStop:
    """A conditional market order. It waits on the mark price and may only reduce.

    side        of the order: sells a long.    base  coins, all that is left.
    trigger_px  USDT per coin, on the venue's tick.
    """

    side: Side
    base: Base
    trigger_px: Decimal


class Upkeep(StrEnum):
    """What is to be done about the order that stands."""

    NOTHING = "nothing"
    PLACE = "place"
    REPLACE = "replace"  # the new one first: between the two there is no moment without any
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Care:
    """`wanted` is what should stand now; None when the position is over."""

    todo: Upkeep
    wanted: VenueStop | None
    figures: Figures


def edge_px(plan: ExitPlan, entry: Entry, stop_px: Decimal) -> Decimal:
    """Return where ours closes everything: at the stop, or at the emergency where that is nearer.

    With leverage 3 an emergency at 0.3 of the margin lies 10 % from the entry: before a stop at 20 %.
    """
    emergency_px = entry.px - entry.side.sign * plan.emergency_ratio * entry.margin / entry.base
    return entry.better(stop_px, emergency_px)


def venue_stop(
    plan: ExitPlan, entry: Entry, progress: Progress, tick: Decimal, behind: Decimal = BEHIND
) -> VenueStop | None:
    """Return what should stand at the venue now, None when nothing is left.

    behind  how far behind ours, as a fraction of the way from the entry to where ours first stood, above 0;
            that is before any liquidation, because ours stands within the emergency's part of the margin.
            Rounding to the tick goes further behind. A long at 100, its stop at 97, a tick of 0.1: 96.7.

    Raises ValueError for a tick or a fraction that is not above zero.
    """
    if tick <= 0 or behind <= 0:
        raise ValueError(f"tick {tick} and behind {behind}, allowed: both above 0")
    if not progress.left:
        return None
    way = abs(entry.px - edge_px(plan, entry, entry.levels.stop_px))
    far_px = edge_px(plan, entry, progress.stop_px) - entry.side.sign * behind * way
    rounding = ROUND_FLOOR if entry.side is Side.BUY else ROUND_CEILING
    trigger_px = max(tick, (far_px / tick).to_integral_value(rounding) * tick)
    return VenueStop(entry.side.opposite, progress.left, trigger_px)


def care_for(standing: VenueStop | None, wanted: VenueStop | None) -> Care:
    """Compare what stands with what should. Also a size that is too large is replaced: the venue would cut it
    to the position, but the record would speak of coins that are not there."""
    figures = (*_told("standing", standing), *_told("wanted", wanted))
    if standing == wanted:
        return Care(Upkeep.NOTHING, wanted, figures)
    if wanted is None:
        return Care(Upkeep.CANCEL, None, figures)
    return Care(Upkeep.PLACE if standing is None else Upkeep.REPLACE, wanted, figures)


def _told(name: str, stop: VenueStop | None) -> Figures:
    if stop is None:
        return ()
    return ((f"{name}_trigger_px", stop.trigger_px), (f"{name}_base", Decimal(stop.base)))
