"""Looks over the engine's shoulder for people: the live view, runtime_state.json, conditions told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config.schema import Settings
from core.context import Context
from core.events import Decision, On
from core.facts import Kind
from core.observer import prices_of
from core.replay import checkpoint
from core.tally import Terms
from core.types import DAY_MS
from monitor.figures import LoopFigures
from monitor.formats import usdt
from monitor.health_check import Condition, HealthFacts, announce, health
from monitor.lifeguard import Lifeguard
from monitor.status import STATE_FILE, Status, TaskLine, Totals, build_status, write_runtime_state
from monitor.systemd import Systemd
from scripts.compose import App
from scripts.vitals import Vitals

SHOWN_DECISIONS = 8
UNSEEN = frozenset({"backtest"})  # modes in which nobody looks before the end


class Watch:
    """A listener of the engine. `status` may be called from the screen's own thread."""

    def __init__(
        self,
        app: App,
        settings: Settings,
        mode: str,
        folder: Path,
        channels_down: Callable[[], tuple[str, ...]],
    ) -> None:
        self._app, self._settings, self._mode = app, settings, mode
        self._is_seen = mode not in UNSEEN
        self._file = folder / STATE_FILE
        self._channels_down = channels_down
        self._latest: tuple[Context, tuple[Decision, ...], Totals] | None = None
        self._conditions: tuple[Condition, ...] = ()
        self._last_scan_ms: int | None = None
        self._lost_ticks = 0  # at the last look
        self._vitals = Vitals(app.engine.pulse, app.permissions, self._look_again)
        self._lifeguard: Lifeguard | None = None
        self._systemd = Systemd()
        self._proved_day = 0
        self.money: Mapping[str, Terms] = {}  # by instrument, at the prices of the last decision

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        """Keep what the screen shows; look at health and write the state file where that is due."""
        recent = self._latest[1] if self._latest else ()
        if decision.moved or decision.on is On.SCAN:
            recent = (*recent, decision)[-SHOWN_DECISIONS:]
        totals = self._totals(ctx) if self._is_seen else Totals()
        self._latest = (ctx, recent, totals)  # whole or not at all: the screen has its own thread
        if decision.on is On.SCAN:
            self._last_scan_ms = ctx.now_ms
        if not self._is_seen:
            return
        if decision.on in (On.SCAN, On.ACCOUNT):
            self._look(ctx)
        if decision.on is On.REVIEW or decision.src is not decision.dst:
            self.write_state()
        if decision.on is On.REVIEW and ctx.now_ms // DAY_MS != self._proved_day:
            self._proved_day = ctx.now_ms // DAY_MS
            self.prove_books()

    @contextmanager
    def guarded(self, systemd: Systemd) -> Iterator[Lifeguard]:
        """While inside, a thread watches the loop and the engine's tasks, and feeds the watchdog."""
        self._systemd = systemd
        with Lifeguard(self._vitals.look, systemd) as lifeguard:
            self._lifeguard = lifeguard
            yield lifeguard
            self._app.loop_lags_s.append(lifeguard.max_lag_s)

    def stand_down(self) -> None:
        """The engine is about to end: its tasks may."""
        self._vitals.rest()

    def show(self, ctx: Context) -> None:
        """Show an engine that has decided nothing yet."""
        self._latest = (ctx, (), self._totals(ctx))
        self.write_state()

    def status(self) -> Status | None:
        if self._latest is None:
            return None
        ctx, recent, totals = self._latest
        lag_ms = int(self._lifeguard.lag_s * 1000) if self._lifeguard else 0
        tasks = tuple(
            TaskLine(beat.name, beat.age_ms, beat.name in self._vitals.dead, beat.is_stuck)
            for beat in self._app.engine.pulse.beats()
        )
        return build_status(ctx, self._mode, totals, recent, self._conditions, tasks, lag_ms)

    @property
    def loop(self) -> LoopFigures | None:
        """How the event loop and the engine's tasks are; None where nobody guards them."""
        guard, vitals = self._lifeguard, self._vitals
        if guard is None:
            return None
        return LoopFigures(guard.lag_s, guard.lags_s.read(), guard.stalls, vitals.dead, vitals.stuck)

    def prove_books(self) -> None:
        """Leave a digest of the books in the journal, for `journal replay` to meet."""
        body = checkpoint(self._app.books)
        self._app.journal.append(Kind.NOTE, self._app.books.last_row_ms, body)

    def write_state(self) -> None:
        """Replace the readable export. It is never read back, so a failure is told and nothing more."""
        if self._latest is not None and not self._is_seen:
            ctx, recent, _ = self._latest
            self._latest = (ctx, recent, self._totals(ctx))
            self._look(ctx)
        status = self.status()
        if status is None:
            return
        try:
            write_runtime_state(status, self._file, self._app.journal.redact)
        except OSError as error:
            fields = {"what": "runtime_state.json", "detail": str(error)}
            self._app.notifier.tell("trouble", "warning", fields)

    def _look_again(self) -> None:
        """Between two scans, because a part of the engine has died, hangs, or is well again."""
        if self._latest is not None:
            self._look(replace(self._latest[0], now_ms=self._app.engine.pulse.now_ms()))

    def _look(self, ctx: Context) -> None:
        self._systemd.status(
            f"{ctx.state.value}, {ctx.permission.level.name}, equity {usdt(ctx.equity)} USDT"
        )
        lost, self._lost_ticks = self._lost_ticks, self._app.engine.totals.lost_ticks
        facts = HealthFacts(
            journal_failed=self._app.journal.failed is not None,
            journal_lag_ms=self._app.journal.overdue_ms(ctx.now_ms),
            missed_ticks=self._lost_ticks - lost,
            on_reserve=self._app.journal.on_reserve,
            last_scan_ms=self._last_scan_ms,
            channels_down=self._channels_down(),
            tasks_dead=self._vitals.dead,
            tasks_stuck=self._vitals.stuck,
            loop_lag_ms=int(self._lifeguard.worst_lag_s() * 1000) if self._lifeguard else 0,
        )
        before = self._conditions
        self._conditions = health(ctx, facts, self._settings.risk, before, self._settings.monitor.language)
        announce(self._app.notifier, before, self._conditions, ctx.now_ms)

    def _totals(self, ctx: Context) -> Totals:
        app, counted = self._app, self._app.engine.totals
        prices, ledger = prices_of(ctx.markets), app.books.ledger
        self.money = {name: ledger.terms(prices, name) for name in ledger.tallies}
        terms = sum(self.money.values(), Terms())
        return Totals(
            orders=counted.orders,
            rejects=counted.rejects,
            scans=counted.scans,
            settlements=len(app.books.ledger.settlements),
            opens=counted.opens,
            closes=counted.closes,
            funding=terms.funding,
            fees=terms.fees,
        )
