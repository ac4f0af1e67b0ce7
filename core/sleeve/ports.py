"""What the sleeve's engine needs of strategy and of execution, from the engine's side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from core.sleeve.books import Position, SleeveBooks
from core.sleeve.events import PositionPlan, PositionTarget
from core.types import Side
from core.verdict import Figures, Verdict

EXECUTED = "executed"  # fates as strategy.auxiliary.language has them
CONFLICT = "conflict"


class Proposal(Protocol):
    """A module's signal, as far as the kernel reads it (strategy.auxiliary.language.Signal fits)."""

    @property
    def module(self) -> str: ...

    @property
    def signal_id(self) -> str: ...

    @property
    def instrument(self) -> str: ...

    @property
    def side(self) -> Side: ...

    @property
    def strength(self) -> Decimal: ...

    @property
    def px(self) -> Decimal: ...

    @property
    def evidence(self) -> Figures: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a proposal.

    fate    one of strategy.auxiliary.language.Fate.
    target  of an executed one, without its position id; None else.
    record  what a later life needs of it: plan, leverage, measures.
    """

    fate: str
    reason: str
    verdicts: tuple[Verdict, ...]
    wished_leverage: Decimal
    granted_leverage: Decimal | None = None
    target: PositionTarget | None = None
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sight:
    """What was just seen of one instrument.

    mark_px  None when none is known that is young enough to act on.
    bars     closed bars behind one that has just closed (strategy's own type), None otherwise.
    """

    at_ms: int
    mark_px: Decimal | None = None
    bars: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a position's plan says to a sight. `progress` is strategy's own and goes back to it as it is.

    record  of the progress, where it holds news for a later life; None otherwise.
    """

    plan: PositionPlan
    progress: Any
    record: Mapping[str, Any] | None = None
    reason: str = ""


class Conduct(Protocol):
    """Strategy's part. Pure: the same questions, the same answers."""

    def judge(self, proposal: Any, books: SleeveBooks, frozen: str, now_ms: int) -> Judged:
        """Ask the gate. `frozen`: why nothing may be opened now, "" when it may."""
        ...

    def begin(self, position: Position) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return the entry and the progress of a position whose entry has come to its end, as records."""
        ...

    def recall(self, position: Position) -> Any:
        """Return the progress the journal ends with, as `look` wants it."""
        ...

    def held(self, position: Position, progress: Any) -> Any:
        """Return the progress after the books told what is held: less than it should be is others' doing."""
        ...

    def record(self, progress: Any) -> Mapping[str, Any]:
        """Return the progress as the journal keeps it."""
        ...

    def ended(self, position: Position, progress: Any | None) -> str:
        """Return in a word why it is over: its plan's reason, what closed it, or that nothing was entered."""
        ...

    def target(self, progress: Any) -> Decimal:
        """Return the coins the plan wants held."""
        ...

    def look(self, position: Position, progress: Any, sight: Sight) -> Answer: ...

    def caring(self, position: Position, progress: Any | None) -> PositionTarget:
        """Return what should be held and where the venue's stop should stand. `progress` None: not begun."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """What execution did about a target.

    unknown    an order's outcome is open.
    protected  the venue's stops are as they should be: one for all that is held, none under nothing.
    """

    orders: int
    unknown: bool
    protected: bool
    detail: str = ""


class Trader(Protocol):
    """Execution's hands: one target of an instrument at a time. Never raises but for its cancelling."""

    async def carry_out(self, target: PositionTarget) -> Done: ...
