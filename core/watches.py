"""What people must hear of once: a pair that is frozen, a top-up that failed."""

from __future__ import annotations

from core.conditions import held
from core.context import Context
from core.events import Decision
from core.ports import Notifier


class FrozenWatch:
    """Listens to decisions (core.engine.Engine.listeners); once at the beginning, once at the end."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._frozen: set[str] = set()

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        frozen = ctx.once(_frozen)
        for name in sorted(frozen - self._frozen):
            pair = ctx.markets[name].pair
            detail = f"{name}: spot {pair.spot.state}, swap {pair.swap.state}; neither leg is moved"
            fields = {"condition": f"frozen pair {name}", "what": "frozen pair", "detail": detail}
            self._notifier.tell("trouble", "critical", fields)
        for name in sorted(self._frozen - frozen):
            self._notifier.tell(
                "recovered", "info", {"condition": f"frozen pair {name}", "what": "frozen pair"}
            )
        self._frozen = frozen


def _frozen(ctx: Context) -> set[str]:
    return {h.instrument for h in held(ctx) if not ctx.markets[h.instrument].pair.trades}


class TopUpWatch:
    """Listens to decisions; tells every top-up the venue has refused."""

    def __init__(self, notifier: Notifier, told_ms: int) -> None:
        self._notifier = notifier
        self._told_ms = told_ms

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        if ctx.top_up_failed_ms > self._told_ms:
            self._told_ms = ctx.top_up_failed_ms
            detail = "the hedge is made smaller instead, for a quarter of an hour"
            self._notifier.tell("alarm", "critical", {"what": "top-up failed", "detail": detail})
