"""Guards that read nothing but the engine's own books: balanced, flat, due, permitted.

`Finding` is what reconciliation with the venue concluded; the other conditions look at the hedges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from core.context import Context, HedgeView, Permission
from core.events import State
from core.ports import Guard
from core.verdict import Figures, Verdict

MAX_REPAIRS = 3  # repairs in a row before the engine stops and calls a human


def is_even(ctx: Context, hedge: HedgeView) -> bool:
    """Legs equal to one lot of the swap: what cannot be traded away is not a naked leg."""
    return abs(hedge.net_delta) < ctx.markets[hedge.instrument].pair.swap.step


def uneven(ctx: Context) -> tuple[HedgeView, ...]:
    return ctx.once(_uneven)


def _uneven(ctx: Context) -> tuple[HedgeView, ...]:
    return tuple(h for h in ctx.hedges.values() if not is_even(ctx, h))


def held(ctx: Context) -> tuple[HedgeView, ...]:
    """Hedges with at least one lot on either side; less is dust."""
    return ctx.once(_held)


def _held(ctx: Context) -> tuple[HedgeView, ...]:
    return tuple(h for h in ctx.hedges.values() if h.size >= ctx.markets[h.instrument].pair.swap.step)


@dataclass(frozen=True, slots=True)
class Condition:
    """A guard made of a name, a question and its sentence."""

    name: str
    asks: Callable[[Context], bool]
    reason: str
    shows: Callable[[Context], Figures] = lambda ctx: ()

    def check(self, ctx: Context) -> Verdict:
        return Verdict(self.asks(ctx), self.name, self.reason, self.shows(ctx))


def _deltas(ctx: Context) -> Figures:
    return tuple((f"{h.instrument} net_delta_base", Decimal(h.net_delta)) for h in ctx.hedges.values())


def _permission(ctx: Context) -> Figures:
    return (("permission", ctx.permission.level.name), ("cause", ctx.permission.reason))


def _known(ctx: Context) -> bool:
    return ctx.unresolved_orders == 0 and not ctx.unexplained


CONDITIONS: tuple[Guard, ...] = (
    Condition("was_stopped", lambda c: c.state is State.STOPPED, "stopped before, waits for the operator"),
    Condition(
        "unexplained",
        lambda c: bool(c.unexplained),
        "venue and books differ without a reason",
        lambda c: (("difference", c.unexplained),),
    ),
    Condition("unbalanced", lambda c: bool(uneven(c)), "a leg stands alone", _deltas),
    Condition(
        "balanced", lambda c: _known(c) and bool(held(c)) and not uneven(c), "both legs equal", _deltas
    ),
    Condition("flat", lambda c: _known(c) and not held(c) and not uneven(c), "nothing is held", _deltas),
    Condition("holding", lambda c: bool(held(c) or uneven(c)), "something is held", _deltas),
    Condition("settled", lambda c: _known(c) and not held(c) and not uneven(c), "unwound", _deltas),
    Condition(
        "repairable",
        lambda c: c.repairs < MAX_REPAIRS,
        "another repair may be tried",
        lambda c: (("repairs", c.repairs), ("max_repairs", MAX_REPAIRS)),
    ),
    Condition(
        "stopping",
        lambda c: bool(c.stopping),
        "unwinding in order to stop",
        lambda c: (("cause", c.stopping),),
    ),
    Condition("flatten_asked", lambda c: c.flatten_asked, "the operator asked to flatten"),
    Condition(
        "adjustment_due",
        lambda c: bool(c.plan.adjusting),
        "something held must change",
        lambda c: tuple((t.purpose.value, t.reason) for t in c.plan.adjusting),
    ),
    Condition(
        "may_act",
        lambda c: c.permission.level >= Permission.REDUCE_ONLY,
        "reducing is permitted",
        _permission,
    ),
    Condition(
        "may_add_risk", lambda c: c.permission.level is Permission.FULL, "new risk is permitted", _permission
    ),
)
