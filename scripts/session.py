"""One process's life around the engine: connect, reconcile, run, and end cleanly."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from config.schema import Settings
from core.context import Context, Permission
from core.errors import EngineError, UsageError
from core.events import Decision, Event, On, State
from core.facts import Kind
from core.journal import LINGER_S, Database, open_in_thread
from core.ports import Clock, Notifier, Planner
from core.scheduler import Ticker
from monitor.status import Status
from monitor.summary import RunFacts
from monitor.systemd import Systemd
from scripts.auto_backup import AutoBackup
from scripts.commands import Command, Verb, take
from scripts.compose import LASTING_BOOKS, App, compose
from scripts.outcome import Reckoning
from scripts.ports import Ports
from scripts.signals import handling
from scripts.standstill import stand_still
from scripts.version import VERSION
from scripts.vigilance import CRASH_LOOP
from scripts.watch import Watch

if TYPE_CHECKING:
    from scripts.reconfiguration import Proposal

CLOSING_PATIENCE_S = 20.0  # to bring the hedge under way to where both legs are accounted for
FAREWELL_S = 10.0  # for the last look at the account

T = TypeVar("T")
Configure = Callable[[int, Mapping[str, str | None]], "Proposal"]


class Session:
    """Runs one engine until its time is up, a signal comes, or a part of it fails.

    for_ms   how long, by the engine's clock; None runs until told to end.
    flatten  unwind what the books hold, stop, and end.
    signals  whether this process's signals are for this session.
    strategy  instead of the main one.
    configure  lays a change of the operator's over the configuration; None where nothing may be changed.
    reckoning  of the run this is a part of; None for one of its own.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        clock: Clock,
        ticker: Ticker,
        notifier: Notifier,
        mode: str,
        for_ms: int | None,
        channels_down: Callable[[], tuple[str, ...]],
        flatten: bool = False,
        linger_s: float = LINGER_S,
        signals: bool = True,
        open_database: Callable[[Path], Awaitable[Database]] = open_in_thread,
        take_over: bool = False,
        redact: Callable[[str], str] = str,
        look_every_s: float | None = None,
        strategy: Planner | None = None,
        configure: Configure | None = None,
        reckoning: Reckoning | None = None,
    ) -> None:
        self._configure, self._is_reconfigured = configure, False
        self._take_over, self._redact, self._strategy = take_over, redact, strategy
        self._hears_signals, self._open_database = signals, open_database
        self._settings, self._folder = settings, folder
        self._clock, self._ticker, self._notifier = clock, ticker, notifier
        self._mode, self._for_ms, self._channels_down = mode, for_ms, channels_down
        self._flatten, self._linger_s, self._look_every_s = flatten, linger_s, look_every_s
        self._over, self._rung = asyncio.Event(), asyncio.Event()
        self._why = ""
        self._venue_lost = False
        self._accounted_for = True  # nothing was under way, or it came to its end
        self._app: App | None = None
        self._obeys = False
        self._systemd = Systemd.of(os.environ)
        self._watch: Watch | None = None
        self._reckoning = reckoning or Reckoning()
        self.last_words: Callable[[], None] = lambda: None  # called before the last row is written

    def status(self) -> Status | None:
        """What the screen shows; None before the first decision."""
        return self._watch.status() if self._watch is not None else None

    @property
    def is_reconfigured(self) -> bool:
        """Whether it ended in order to start again with other settings."""
        return self._is_reconfigured

    @property
    def parts(self) -> tuple[App, Watch] | None:
        """The engine and who looks over its shoulder; None before it is put together."""
        return (self._app, self._watch) if self._app is not None and self._watch is not None else None

    def end(self, why: str) -> None:
        """Ask for a clean end; the first reason is the one that counts."""
        self._why = self._why or why
        self._over.set()

    def ring(self) -> None:
        """The doorbell: commands of the operator lie in the folder. Before the engine is up nobody hears
        it, and they are found then."""
        self._rung.set()
        if self._app is not None and self._obeys:
            self._obey(self._app, take(self._folder))

    def hear(self, command: Command) -> None:
        """A command of this process's own, once the engine is up."""
        if self._app is not None and self._obeys:
            self._obey(self._app, (command,))

    def lose_venue(self, why: str) -> None:
        """The venue's clock stands still for good: end without asking it anything more."""
        self._venue_lost = True
        self.end(why)

    async def run(
        self, connect: Callable[[], Awaitable[Ports]], on_app: Callable[[App], None]
    ) -> RunFacts | None:
        """Return the run's figures; None when it was asked to end before it had begun.

        Raises EngineError when a part failed or the venue was lost.
        """
        with self._hearing():
            ports = await self._unless_over(connect())
            if ports is None:
                return None
            try:
                return await self._with(ports, on_app)
            finally:
                await ports.rest.close()

    def _hearing(self) -> AbstractContextManager[None]:
        if not self._hears_signals:
            return nullcontext()
        return handling(self._asked_to_end, self.ring, lambda: self._is_reconfigured)

    async def _with(self, ports: Ports, on_app: Callable[[App], None]) -> RunFacts | None:
        begun_ms = self._clock.now_ms()
        fields = {"mode": self._mode, "version": VERSION, "instruments": list(ports.markets.names)}
        self._notifier.tell("start", "info", fields)
        app = self._app = await self._unless_over(
            compose(
                self._settings,
                ports,
                self._folder,
                self._clock,
                self._ticker,
                self._notifier,
                self._mode,
                self._linger_s,
                self._open_database,
                self._take_over,
                self._look_every_s,
                self._strategy,
            )
        )
        if app is None:
            return None
        try:
            app.journal.redact = self._redact
            self._follow(app)
            on_app(app)
            self._reckoning.begin(app, begun_ms)
            await self._live(app)
            await self._say_goodbye(app)
            return self._reckoning.end(app, self._mode, self._clock.now_ms())
        finally:
            await app.streams.stop()
            await app.journal.close()

    async def _unless_over(self, work: Awaitable[T]) -> T | None:
        """The result of `work`; None, and the work given up, when a signal asks for the end first.

        Raises EngineError when the venue is lost meanwhile.
        """
        task = asyncio.ensure_future(work)
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._need_venue()
            return None
        return task.result()

    def _need_venue(self) -> None:
        """Raises EngineError when there is none any more: what came to its end for that did not end well."""
        if self._venue_lost:
            raise EngineError(f"the venue is gone: {self._why}")

    async def _say_goodbye(self, app: App) -> None:
        """The last look at the account, the last rows. A venue that does not answer holds up no end."""
        if not self._venue_lost:
            try:
                async with asyncio.timeout(FAREWELL_S):
                    await app.dead_man.disarm()
                    await app.bookkeeper.review()
            except (EngineError, TimeoutError) as error:
                fields = {"what": "last review failed", "detail": str(error) or "the venue did not answer"}
                self._notifier.tell("trouble", "warning", fields)
        assert self._watch is not None
        self._watch.write_state()
        said = {"reason": self._why, "state": app.engine.state.value}
        self._notifier.tell("stop", "info", said)
        self._watch.prove_books()
        self.last_words()
        body = {"reason": self._why, "clean": self._accounted_for}
        app.journal.append(Kind.STOP, self._clock.now_ms(), body)

    def _follow(self, app: App) -> None:
        self._watch = Watch(app, self._settings, self._mode, self._folder, self._channels_down)
        app.engine.listeners.append(self._watch.on_decision)

    async def _live(self, app: App) -> None:
        """From the streams' start to the last hedge being accounted for."""
        if await self._unless_over(self._begin(app)) is None:
            return
        if self._flatten:
            self._flatten_then_end("close_all")
        engine = asyncio.create_task(app.engine.run(), name="engine")
        backups = asyncio.create_task(self._back_up(), name="backups")
        waits = [engine, asyncio.create_task(self._over.wait())]
        if self._for_ms is not None:
            end_ms = self._clock.now_ms() + self._for_ms
            waits.append(asyncio.create_task(self._clock.sleep_until(end_ms)))
        assert self._watch is not None
        with self._watch.guarded(self._systemd) if self._hears_signals else nullcontext():
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            self.end("time is up")
            self._watch.stand_down()
            self._systemd.stopping(self._why)
            try:
                if not engine.done() and not self._venue_lost:
                    closing = asyncio.create_task(app.engine.close())
                    await asyncio.wait(
                        {engine, closing}, timeout=CLOSING_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
                    )
                    self._accounted_for = closing.done()
                    closing.cancel()
            finally:
                for task in (*waits, backups):
                    task.cancel()
                ended = await asyncio.gather(*waits, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise EngineError(f"the engine failed: {_root(ended[0])}") from ended[0]
        self._need_venue()

    async def _begin(self, app: App) -> bool:
        """Up to the first decision: streams, a picture of the account, recovery."""
        await app.streams.start()
        kept = await self._stand_still(app)
        await app.bookkeeper.review()
        await app.engine.boot()
        fields = {"venue": self._mode, "state": app.engine.state.value}
        self._notifier.tell("connected", "info", fields)
        self._systemd.ready(f"{app.engine.state.value}, {self._mode}")
        self._obeys = True
        self._obey(app, (*kept, *take(self._folder)))  # what was said while no daemon ran
        return True

    async def _stand_still(self, app: App) -> tuple[Command, ...]:
        """In a crash loop: wait for the operator, or for the end of this run."""
        if self._flatten:
            app.permissions.acknowledge()  # whoever flattens has looked
        if CRASH_LOOP not in app.permissions.causes:
            return ()
        assert self._watch is not None
        self._watch.show(app.engine.glance())
        timer = None
        if self._for_ms is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self._for_ms / 1000, lambda: self.end("time is up"))
        try:
            return await stand_still(app, self._folder, self._clock, self._notifier, self._rung)
        finally:
            if timer is not None:
                timer.cancel()

    async def _back_up(self) -> None:
        """The daemon's own backups."""
        if self._mode in LASTING_BOOKS:
            plan = self._settings.monitor.backup
            await AutoBackup(self._folder, plan, self._clock, self._notifier).run()

    def _asked_to_end(self, name: str) -> None:
        """SIGTERM, SIGINT or SIGHUP: end, holding or flattening as configured."""
        if self._settings.risk.shutdown.on_signal == "flatten" and self._app is not None:
            self._why = f"signal {name}"
            self._flatten_then_end(self._why)
        else:
            self.end(f"signal {name}")

    def _obey(self, app: App, commands: Iterable[Command]) -> None:
        """Carry out what the operator left in the folder; each command is a fact."""
        for command in commands:
            now_ms = self._clock.now_ms()
            body: dict[str, object] = {
                "what": "operator",
                "command": command.verb.value,
                "reason": command.reason,
            }
            if command.verb is Verb.CONFIGURE:
                body |= {"version": command.version, "changes": dict(command.changes)}
            app.journal.append(Kind.NOTE, now_ms, body)
            self._notifier.tell("operator", "warning", {"command": command.verb.value})
            match command.verb:
                case Verb.HALT | Verb.FLATTEN:
                    flatten = command.verb is Verb.FLATTEN
                    if flatten:
                        app.permissions.acknowledge()  # whoever flattens has looked
                    app.engine.post(Event(On.HALT, now_ms, command.reason, flatten=flatten))
                case Verb.RESUME:
                    app.owners.acknowledge()
                    app.engine.ask_resume()
                case Verb.ADOPT:
                    app.engine.errand(partial(app.owners.adopt, command.instrument, app.engine.state))
                case Verb.REFUSE:
                    app.engine.errand(app.owners.refuse)
                case Verb.PAUSE:
                    app.permissions.lower("operator", Permission.NO_NEW_RISK, command.reason)
                case Verb.UNPAUSE:
                    app.permissions.lift("operator")
                case Verb.SCAN:
                    app.engine.tick(On.SCAN, None)
                case Verb.CONFIGURE:
                    self._reconfigure(app, command)
                case Verb.CLOSE:
                    if app.giving_up.ask(command.instrument, command.reason, app.engine.state):
                        app.engine.tick(On.SCAN, None)

    def _reconfigure(self, app: App, command: Command) -> None:
        """The change and what it moves are facts; then this life ends, holding, for the next one."""
        if self._configure is None:
            self._refuse(f"{self._mode} mode keeps its configuration")
            return
        if self._is_reconfigured:
            self._refuse("another change is being carried out")
            return
        try:
            proposal = self._configure(command.version, command.changes)
        except UsageError as error:
            self._refuse(str(error))
            return
        body = {"what": "configuration", "version": proposal.overlay.version, "diff": proposal.diff}
        app.journal.append(Kind.NOTE, self._clock.now_ms(), body)
        self._is_reconfigured = True
        self.end("new configuration")

    def _refuse(self, why_not: str) -> None:
        self._notifier.tell("trouble", "warning", {"what": "change refused", "detail": why_not})

    def _flatten_then_end(self, why: str) -> None:
        def on_decision(_: Context, decision: Decision) -> None:
            if decision.dst is State.STOPPED:
                self.end(why)

        assert self._app is not None
        self._app.engine.listeners.append(on_decision)
        self._app.engine.post(Event(On.HALT, self._clock.now_ms(), why, flatten=True))


def _root(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
