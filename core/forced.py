"""What the venue does to a hedge by force, said aloud once, and what must never be answered by opening again.

The venue's own bills tell a liquidation from a deleveraging and from a trade by hand; the books count them
per hedge. How the other leg follows is a repair like any other. What is special is here: a short that was
liquidated whole is never sold again, everything is unwound, and nothing is sent until the operator says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from core.context import Context, HedgeView, Permission
from core.events import Decision, Event, On, State
from core.hedges import Hedge
from core.permission import Permissions
from core.ports import Notifier

CAUSE: Final = "liquidation"


class ForcedWatch:
    """Listens to decisions (core.engine.Engine.listeners).

    known  the open hedges as the journal has them: what was told before a restart is not told again.
    post   the engine's mailbox; `violations` its list of what went wrong in this run.
    samples  of a high ADL rank that make a warning.
    """

    def __init__(
        self,
        known: Iterable[Hedge],
        permissions: Permissions,
        notifier: Notifier,
        post: Callable[[Event], None],
        violations: list[str],
        samples: int,
    ) -> None:
        self._told = {h.hedge_id: (h.liquidations, h.deleveragings) for h in known}
        self._permissions, self._notifier, self._post = permissions, notifier, post
        self._violations, self._samples = violations, samples
        self._warned: set[str] = set()

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        for hedge in ctx.hedges.values():
            self._look(ctx, hedge)
        self._queue(ctx)
        if CAUSE not in self._permissions.causes:
            return
        if decision.dst is State.STOPPED:
            reason = "a short was liquidated: nothing is sent until the operator resumes"
            self._permissions.lower(CAUSE, Permission.HALTED, reason)
        elif decision.dst is State.IDLE and decision.on is not On.HALT:
            self._post(Event(On.HALT, ctx.now_ms, "a short was liquidated"))

    def _look(self, ctx: Context, hedge: HedgeView) -> None:
        liquidations, deleveragings = self._told.get(hedge.hedge_id, (0, 0))
        if (hedge.liquidations, hedge.deleveragings) == (liquidations, deleveragings):
            return
        self._told[hedge.hedge_id] = (hedge.liquidations, hedge.deleveragings)
        left = f"{hedge.instrument}: {hedge.contracts:f} contracts are left of the short"
        if hedge.deleveragings > deleveragings:
            self._notifier.tell("alarm", "critical", {"what": "forced deleveraging", "detail": left})
        if hedge.liquidations <= liquidations:
            return
        if hedge.contracts:
            self._notifier.tell("alarm", "critical", {"what": "partial liquidation", "detail": left})
            return
        what = f"liquidation: the whole short of {hedge.instrument} was taken over"
        self._violations.append(what)
        self._notifier.tell("alarm", "critical", {"what": "liquidation", "detail": hedge.instrument})
        self._permissions.lower(CAUSE, Permission.REDUCE_ONLY, what)
        self._post(Event(On.HALT, ctx.now_ms, what, flatten=True))

    def _queue(self, ctx: Context) -> None:
        """Tell once when a short comes near the head of the queue, and once when it has left it."""
        near = {name for name, view in ctx.adl.items() if view.samples >= self._samples}
        for name in sorted(near - self._warned):
            view = ctx.adl[name]
            self._notifier.tell(
                "trouble",
                "warning",
                {
                    "condition": f"deleveraging near {name}",
                    "what": "deleveraging near",
                    "detail": f"{name}, rank {view.rank} of 5",
                    "instrument": name,
                    "rank": Decimal(view.rank),
                },
            )
        for name in sorted(self._warned - near):
            fields = {"condition": f"deleveraging near {name}", "what": "deleveraging near"}
            self._notifier.tell("recovered", "info", fields)
        self._warned = near
