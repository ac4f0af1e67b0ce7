"""The central machine: the hedges' table, and what its rows hand to execution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.context import Context, HedgeView
from core.events import Event, HedgeTarget, On, Purpose, State, Target
from core.ports import Guard
from core.table import IGNORED, TABLE, Act
from core.table_machine import Rules, TableMachine
from core.types import ZERO, Base
from core.verdict import Verdict


class StateMachine(TableMachine[Context, Target, On, Act]):
    """Holds the one state of the engine. Raises ValueError when a row names an unknown guard."""

    def __init__(self, guards: Iterable[Guard], initial: State = State.IDLE) -> None:
        super().__init__(CARRY, guards, initial)


def targets_of(act: Act, ctx: Context, event: Event) -> tuple[Target, ...]:
    """What a row hands to execution, read off the context alone."""
    match act:
        case Act.OPEN:
            return ctx.plan.opening[:1]
        case Act.ADJUST:
            return ctx.plan.adjusting
        case Act.REPAIR:
            # Whatever was asked for last is the target again, but a repair never grows a hedge, and
            # what the venue has liquidated is not sold again.
            return tuple(
                HedgeTarget(h.instrument, _repaired(h, ctx.state), Purpose.REPAIR, "legs unequal")
                for h in _concerned(ctx)
            )
        case Act.UNWIND:
            reason = event.reason or ctx.stopping or On(event.on).value
            return tuple(
                HedgeTarget(h.instrument, Base(ZERO), Purpose.FLATTEN, reason) for h in _concerned(ctx)
            )


def _concerned(ctx: Context) -> tuple[HedgeView, ...]:
    """Hedges that hold something, or may: an order without outcome can be all there is of one."""
    return tuple(h for h in ctx.hedges.values() if h.size or ctx.unresolved_orders)


def _repaired(hedge: HedgeView, state: State) -> Base:
    if not hedge.size and not hedge.liquidations:
        return hedge.target_base  # what turns up of the order is completed, and nothing beyond it
    most = min(hedge.spot_base, hedge.short_base) if hedge.liquidations else hedge.size
    if state is State.STOPPED:
        return Base(most)  # equal legs, and no step further: a halt holds what is held
    return Base(min(hedge.target_base, most))


def _planned(ctx: Context) -> dict[Verdict, None]:
    """The plan's verdicts, without repetitions: a guard asked by two rows says the same twice."""
    return ctx.once(_spoken)


def _spoken(ctx: Context) -> dict[Verdict, None]:
    return dict.fromkeys(ctx.plan.verdicts)


CARRY: Final = Rules(TABLE, IGNORED, targets_of, _planned)
