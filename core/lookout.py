"""Looks at everything, at each event and every few seconds between them, and keeps the permission by it.

Deciding stays pure: what a look finds is in the context a decision gets. What follows from it and needs the
venue (comparing books after a suspend, a new snapshot of a silent book) is sent on its way from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, Protocol

from core.context import Context
from core.ladder import Finding, Ladder
from core.patrol import Patrol
from core.permission import Permissions
from core.ports import Clock
from core.witness import Witness

AILING_MS: Final = 30_000  # pace of the questions while a cause holds
RENEW_MS: Final = 30_000  # between two new subscriptions of the same silent book


class Crew(Protocol):
    """The engine, as far as the lookout needs it."""

    def glance(self) -> Context: ...

    def compare_when_free(self) -> None:
        """Compare books and venue as soon as nothing is being executed."""
        ...


class Lookout:
    """Judges each context, and watches between events.

    judge       every cause as it is on a context (risk/degradation.py).
    skipped_ms  how much time has been jumped over since the start, suspend and clock steps.
    renew       subscribe one market's book anew, for a snapshot.
    recheck     what speaks against going on, asked by the operator's `resume`; empty when nothing does.
    """

    def __init__(
        self,
        judge: Callable[[Context], tuple[Finding, ...]],
        ladder: Ladder,
        permissions: Permissions,
        witness: Witness,
        patrol: Patrol,
        clock: Clock,
        skipped_ms: Callable[[], int],
        renew: Callable[[str], None],
        recheck: Callable[[], Awaitable[str]],
        look_every_s: float,
        max_skip_ms: int,
        max_data_age_ms: int,
    ) -> None:
        self._judge, self._ladder, self._permissions = judge, ladder, permissions
        self._witness, self._patrol = witness, patrol
        self._clock, self._skipped_ms, self._renew = clock, skipped_ms, renew
        self._every_s, self._max_skip_ms, self._max_age_ms = look_every_s, max_skip_ms, max_data_age_ms
        self._compared_ms = skipped_ms()  # what had been skipped when books and venue were last compared
        self._in_maintenance = False
        self._must_compare = False
        self._renewed: dict[str, int] = {}
        self.recheck = recheck
        self.seen: Context | None = None  # the newest look, frozen: for whoever watches from outside

    # --- at each event --------------------------------------------------------------------------

    def observe(self, ctx: Context) -> Context:
        """Judge a context and return it with the permission that follows."""
        doubtful = self._witness.look(ctx.markets, ctx.now_ms)
        skipped_ms, causes = self._skipped_ms() - self._compared_ms, self._permissions.causes
        if (doubtful, skipped_ms, causes) != (ctx.doubtful, ctx.skipped_ms, ctx.causes):
            ctx = replace(ctx, doubtful=doubtful, skipped_ms=skipped_ms, causes=causes)
        self._ladder.look(ctx.once(self._judge), ctx.now_ms)
        running = ctx.venue.maintenance_at(ctx.now_ms) is not None
        if self._in_maintenance and not running:
            self._must_compare = True
        self._in_maintenance = running
        view, causes = self._permissions.view, self._permissions.causes
        if (view, causes) == (ctx.permission, ctx.causes):
            self.seen = ctx
            return ctx  # as nearly always: a copy would work everything out again
        self.seen = replace(ctx, permission=view, causes=causes)
        return self.seen

    @property
    def jumped(self) -> bool:
        """The clock has jumped so far that no order may leave before everything was compared. Asked right
        before each order: a host may be suspended between a decision and its order."""
        return self._skipped_ms() - self._compared_ms >= self._max_skip_ms

    @property
    def must_compare(self) -> bool:
        return self._must_compare or self.jumped

    @property
    def is_paused(self) -> bool:
        """The venue is in maintenance: it is not asked anything it need not be."""
        return self._in_maintenance

    def begin_comparing(self) -> Callable[[], None]:
        """Return what to call when books and venue have been compared, from this instant on."""
        skipped_ms = self._skipped_ms()

        def done() -> None:
            self._compared_ms, self._must_compare = skipped_ms, False

        return done

    def acknowledge(self) -> None:
        """The operator has looked: what only he can end is over, and the account's rules are accepted."""
        self._patrol.accept()
        self._permissions.acknowledge()

    # --- between events -------------------------------------------------------------------------

    async def watch(self, crew: Crew) -> None:
        """Look until cancelled. Questions run beside the looking: an answer may take its time."""
        asking: asyncio.Task[None] | None = None
        try:
            while True:
                if asking is None or asking.done():
                    if asking is not None:
                        asking.result()  # raises what broke it
                    asking = asyncio.create_task(self._ask(), name="patrol")
                self._look(crew)
                await self._clock.sleep(self._every_s)
        finally:
            if asking is not None:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)

    def _look(self, crew: Crew) -> None:
        ctx = self.observe(crew.glance())
        if self.must_compare:
            crew.compare_when_free()
        self._renew_silent(ctx)

    async def _ask(self) -> None:
        now_ms = self._clock.now_ms()
        if self._in_maintenance:
            await self._patrol.ask_status(now_ms)
            return
        ailing = any(not view.until_operator for view in self._permissions.causes.values())
        await self._patrol.go(now_ms, AILING_MS if ailing else None)

    def _renew_silent(self, ctx: Context) -> None:
        """A book that stands still on a living connection is asked for anew."""
        for market in ctx.markets.values():
            for book in (market.spot, market.swap):
                if book is None or ctx.now_ms - book.seen_ms <= self._max_age_ms:
                    continue
                if ctx.now_ms - self._renewed.get(book.inst_id, 0) >= RENEW_MS:
                    self._renewed[book.inst_id] = ctx.now_ms
                    self._renew(book.inst_id)
