"""The table of a position: the states of the hedges' machine, one machine for each instrument.

IDLE nothing held, OPENING the entry is on its way, RUNNING held and watched, REBALANCING something is being
taken off, STOPPED what the venue holds cannot be explained: its own stop protects it until the operator
has looked. For one event and state the rows are tried from top to bottom; the first whose guards pass wins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.events import Event
from core.events import State as S
from core.sleeve.events import Intent, PositionContext, PositionOn, PositionTarget
from core.table import SAME, Row
from core.table_machine import Rules, TableMachine
from core.types import ZERO, Base
from core.verdict import Figures, Verdict

On = PositionOn


class PositionAct(StrEnum):
    """What a row hands to execution."""

    ENTER = "enter"
    REDUCE = "reduce"
    CLOSE = "close"
    CARE = "care"  # the venue's stop, at the size and the price it should have
    ASK = "ask"  # the outcome of an order is still open


HELD: Final = (S.RUNNING, S.REBALANCING)
EVERY: Final = tuple(S)

POSITION_TABLE: Final[tuple[Row[PositionOn, PositionAct], ...]] = (
    # Start and recovery are one path: the venue has been asked, these rows read what was found.
    Row(On.BOOT, EVERY, S.STOPPED, ("unexplained",), PositionAct.CARE),
    Row(On.BOOT, EVERY, S.IDLE, ("flat",), PositionAct.CARE),
    Row(On.BOOT, EVERY, S.REBALANCING, ("unknown",), PositionAct.ASK),
    Row(On.BOOT, EVERY, S.REBALANCING, ("closing",), PositionAct.CLOSE),
    Row(On.BOOT, EVERY, S.REBALANCING, ("above_target",), PositionAct.REDUCE),
    Row(On.BOOT, EVERY, S.RUNNING, (), PositionAct.CARE),
    # The gate's grant is the only way in.
    Row(On.SIGNAL, (S.IDLE,), S.OPENING, ("granted",), PositionAct.ENTER),
    # What execution reports back. An order without outcome comes first: nothing is sent beside it.
    Row(On.ENTERED, (S.OPENING,), SAME, ("unknown",), PositionAct.ASK),
    Row(On.ENTERED, (S.OPENING,), S.IDLE, ("flat",), PositionAct.CARE),
    Row(On.ENTERED, (S.OPENING,), S.RUNNING, (), PositionAct.CARE),
    Row(On.ENTERED, (S.REBALANCING,), SAME, ("unknown",), PositionAct.ASK),
    Row(On.ENTERED, (S.REBALANCING,), S.IDLE, ("flat",), PositionAct.CARE),
    Row(On.ENTERED, (S.REBALANCING,), SAME, (), PositionAct.CLOSE),
    Row(On.ADJUSTED, (S.REBALANCING,), SAME, ("unknown",), PositionAct.ASK),
    Row(On.ADJUSTED, (S.REBALANCING,), S.IDLE, ("flat",), PositionAct.CARE),
    Row(On.ADJUSTED, (S.REBALANCING,), SAME, ("closing",), PositionAct.CLOSE),
    Row(On.ADJUSTED, (S.REBALANCING,), SAME, ("above_target",), PositionAct.REDUCE),
    Row(On.ADJUSTED, (S.REBALANCING,), S.RUNNING),
    # The exit plan speaks. A target is a target: a stop that comes while a part is being taken off lowers it.
    Row(On.SEEN, HELD, S.REBALANCING, ("exit_due",), PositionAct.REDUCE),
    Row(On.SEEN, (S.RUNNING,), SAME, ("stop_moves",), PositionAct.CARE),
    # Others speak. Nothing that ends a position is asked whether it may.
    Row(On.CLOSE, (S.OPENING, *HELD, S.STOPPED), S.REBALANCING, (), PositionAct.CLOSE),
    Row(On.COMPARED, HELD, S.STOPPED, ("unexplained",), PositionAct.CARE),
    Row(On.COMPARED, (S.RUNNING, S.STOPPED), S.IDLE, ("flat",), PositionAct.CARE),
    Row(On.COMPARED, (S.RUNNING,), SAME, (), PositionAct.CARE),
    Row(On.RESUME, (S.STOPPED,), S.IDLE, ("explained", "flat"), PositionAct.CARE),
    Row(On.RESUME, (S.STOPPED,), S.RUNNING, ("explained",), PositionAct.CARE),
    # Time is up: it is told, and what is under way goes on.
    Row(On.DEADLINE, (S.OPENING, S.REBALANCING), SAME),
)

# Signals that find the instrument taken were judged a conflict; reports that come after the machine has moved
# on are facts already.
POSITION_IGNORED: Final = frozenset(
    {(s, On.SIGNAL) for s in EVERY if s is not S.IDLE}
    | {(s, On.ENTERED) for s in (S.IDLE, S.RUNNING, S.STOPPED)}
    | {(s, On.ADJUSTED) for s in EVERY if s is not S.REBALANCING}
    | {(s, On.SEEN) for s in (S.IDLE, S.OPENING, S.STOPPED)}
    | {(S.IDLE, On.CLOSE)}
    | {(s, On.COMPARED) for s in (S.IDLE, S.OPENING)}
    | {(s, On.RESUME) for s in EVERY if s is not S.STOPPED}
    | {(s, On.DEADLINE) for s in (S.IDLE, S.RUNNING, S.STOPPED)}
)


@dataclass(frozen=True, slots=True)
class _Condition:
    name: str
    asks: Callable[[PositionContext], bool]
    reason: str

    def check(self, ctx: PositionContext, /) -> Verdict:
        return Verdict(self.asks(ctx), self.name, self.reason, _figures(ctx), ctx.instrument)


def _figures(ctx: PositionContext) -> Figures:
    return (
        ("held_base", Decimal(ctx.held)),
        ("target_base", Decimal(ctx.target)),
        ("lot_base", Decimal(ctx.lot)),
    )


POSITION_GUARDS: Final = (
    _Condition("granted", lambda c: c.plan.entering is not None, "the gate grants an entry"),
    _Condition("exit_due", lambda c: c.plan.reducing is not None, "the exit plan takes something off"),
    _Condition("stop_moves", lambda c: c.plan.moves, "the exit plan moves the stop"),
    _Condition("flat", lambda c: c.held < c.lot, "less than a lot is held"),
    _Condition("above_target", lambda c: c.held - c.target >= c.lot, "more is held than wanted"),
    _Condition("unknown", lambda c: c.unknown, "an order's outcome is not known yet"),
    _Condition("closing", lambda c: bool(c.closing), "it is to be closed"),
    _Condition("unexplained", lambda c: bool(c.unexplained), "the venue holds what the books cannot explain"),
    _Condition("explained", lambda c: not c.unexplained, "books and venue agree"),
)


def position_targets(
    act: PositionAct, ctx: PositionContext, event: Event[PositionOn]
) -> tuple[PositionTarget, ...]:
    """What a row hands to execution, read off the context alone."""
    plan, caring = ctx.plan, ctx.plan.caring
    match act:
        case PositionAct.ENTER:
            return _one(plan.entering)
        case PositionAct.REDUCE:
            return _one(plan.reducing or _aimed(caring, ctx.target, Intent.REDUCE, "not done yet"))
        case PositionAct.CLOSE:
            reason = event.reason or ctx.closing or event.on.value
            return _one(_aimed(caring, Base(ZERO), Intent.CLOSE, reason))
        case PositionAct.CARE | PositionAct.ASK:
            return _one(caring)


def _one(target: PositionTarget | None) -> tuple[PositionTarget, ...]:
    return () if target is None else (target,)


def _aimed(caring: PositionTarget | None, base: Base, purpose: Intent, reason: str) -> PositionTarget | None:
    if caring is None:
        return None
    return PositionTarget(
        caring.instrument, caring.position_id, caring.side, base, caring.trigger_px, purpose, reason
    )


def _planned(ctx: PositionContext) -> dict[Verdict, None]:
    return dict.fromkeys(ctx.plan.verdicts)


POSITION_RULES: Final[Rules[PositionContext, PositionTarget, PositionOn, PositionAct]] = Rules(
    POSITION_TABLE, POSITION_IGNORED, position_targets, _planned
)


class PositionMachine(TableMachine[PositionContext, PositionTarget, PositionOn, PositionAct]):
    """Holds the state of one instrument's place in the sleeve."""

    def __init__(self, initial: S = S.IDLE) -> None:
        super().__init__(POSITION_RULES, POSITION_GUARDS, initial)
