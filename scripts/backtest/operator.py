"""Who resumes an engine in a backtest of years: a simulated operator, or nobody.

A losing streak holds new risk, and a breach stops the engine, until the operator says so. A backtest has no
operator; one that answers after some days is simulated if asked for, and leaves the row a real one's command
leaves, with `simulated operator` as its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from core.context import Context
from core.events import Decision, On, State
from risk.circuit_breaker import DAILY_LOSS
from scripts.commands import Command, Verb

REASON: Final = "simulated operator"


class Operator:
    """A listener of the engine: says `resume` when it has waited for it so long; None never does.

    give  takes the command, as a running engine takes one of its folder.
    """

    def __init__(self, after_ms: int | None) -> None:
        self._after_ms = after_ms
        self._asked_ms = 0
        self.give: Callable[[Command], None] = lambda command: None

    def due_ms(self, ctx: Context) -> int | None:
        """When the operator comes; None while nothing waits for him."""
        since_ms = _waiting_since_ms(ctx)
        if self._after_ms is None or since_ms is None:
            return None
        return max(since_ms, self._asked_ms) + self._after_ms

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        """Look at every scan, also at those a stopped engine drops."""
        due_ms = self.due_ms(ctx) if decision.on is On.SCAN else None
        if due_ms is not None and ctx.now_ms >= due_ms:
            self._asked_ms = ctx.now_ms
            self.give(Command(Verb.RESUME, REASON))


def _waiting_since_ms(ctx: Context) -> int | None:
    """Since when something is waited for that only the operator ends."""
    waits = [view.since_ms for view in ctx.causes.values() if view.until_operator]
    if ctx.state is State.STOPPED:
        waits.append(ctx.state_since_ms)
    if ctx.breaker.tripped and ctx.breaker.tripped != DAILY_LOSS:
        waits.append(ctx.breaker.tripped_ms)
    return max(waits, default=None)
