"""What can happen to a position of the sleeve, and what it may want: events, targets, context."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from core.events import State
from core.hedges import NOTHING
from core.types import Base, Side
from core.verdict import Figures, Verdict


class PositionOn(StrEnum):
    """The events the table of positions knows."""

    BOOT = "boot"
    SIGNAL = "signal"  # a module proposes, and the gate has judged
    ENTERED = "entered"  # the entry's orders have come to an end
    SEEN = "seen"  # a mark, a closed bar or some seconds of holding time ask for something
    ADJUSTED = "adjusted"  # what was to be taken off, or cared for, has come to an end
    CLOSE = "close"  # the operator, a halt with flatten, an emergency of the hedges
    COMPARED = "compared"  # books and venue were compared: the venue's stop, a liquidation, a trade by hand
    DEADLINE = "deadline"  # an entry or an exit takes too long
    RESUME = "resume"


class Intent(StrEnum):
    """Why a position is traded."""

    ENTER = "enter"
    REDUCE = "reduce"  # a part or all of it, by its plan
    CLOSE = "close"  # all of it, whatever its plan says
    CARE = "care"  # nothing is traded; the venue's stop is looked after

    @property
    def adds_risk(self) -> bool:
        return self is Intent.ENTER


@dataclass(frozen=True, slots=True)
class PositionTarget:
    """ "Hold `base` coins in this direction, with a stop at the venue": execution computes the difference.

    base        coins, >= 0; zero ends the position. Never more than is held, but for an entry.
    trigger_px  where the venue's own stop is to stand, a mark price on the tick; for all that is held.
    limit_px    an entry pays no more than this (a short gets no less); None for everything else.
    leverage    of an entry, as granted; isolated margin.
    """

    instrument: str
    position_id: str
    side: Side
    base: Base
    trigger_px: Decimal
    purpose: Intent
    reason: str
    limit_px: Decimal | None = None
    leverage: Decimal | None = None
    figures: Figures = ()


@dataclass(frozen=True, slots=True)
class PositionPlan:
    """What strategy says to what was just seen.

    entering   the gate's grant.
    reducing   what the exit plan takes off now.
    caring     what should be held and protected as things stand; None where nothing is held.
    moves      whether the plan moves the stop.
    verdicts   everything that was asked, refusals included.
    """

    entering: PositionTarget | None = None
    reducing: PositionTarget | None = None
    caring: PositionTarget | None = None
    moves: bool = False
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class PositionContext:
    """Everything a decision about one position may look at.

    held     coins in the position's direction, by the books.
    target   coins its plan wants held.
    lot      the smallest order of the swap, coins.
    unknown  an order's outcome is open: nothing more may be sent.
    """

    now_ms: int
    instrument: str
    state: State
    held: Base = NOTHING
    target: Base = NOTHING
    lot: Base = NOTHING
    unknown: bool = False
    unexplained: str = ""
    closing: str = ""
    plan: PositionPlan = field(default_factory=PositionPlan)
