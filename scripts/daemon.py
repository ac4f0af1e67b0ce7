"""The daemon: its venue, its clock, its folder, its voices, and one session in the middle."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from config.loader import NO_OVERLAY, load
from config.overlay import read_overlay
from config.schema import Settings
from config.secrets import Secrets, load_secrets
from core.ap_ticker import ApTicker
from core.clock import SystemClock, VirtualClock, VirtualLoop
from core.errors import SelfCheckRefused, UsageError
from core.journal import LINGER_S
from core.lock import FolderLock
from core.ports import Clock
from core.scheduler import Ticker, WalkingTicker
from exchange.lockstep import LockstepKeeper
from monitor.console import open_screen
from monitor.keepsake import FILE_NAME as MESSAGES
from monitor.keepsake import Keepsake
from monitor.logs import set_up_logs
from monitor.notifier import QueueNotifier
from monitor.redaction import Redactor, redacted_errors, redacted_stream
from monitor.summary import RunFacts
from monitor.web.audit import Refusals
from monitor.words import label
from scripts.channels import channels_of, habits_of
from scripts.child_venue import child_venue
from scripts.cockpit import EngineDesk, check_web, journal_refusals, open_web
from scripts.collector import as_before, calm_collector
from scripts.compose import App
from scripts.door import door_of
from scripts.evidence import again, host_facts, journal_facts
from scripts.folders import data_folder, lasting_folder
from scripts.gauges import Gauges
from scripts.heart import Heart
from scripts.messenger import ChatDesk, open_chat
from scripts.okx_ports import okx_ports
from scripts.options import Mode, RunOptions
from scripts.outcome import Reckoning, print_json
from scripts.ports import Ports
from scripts.reconfiguration import Reconfiguration
from scripts.resumption import Resumption
from scripts.self_check import HostFacts, JournalFacts, Parts, Result, passed, self_check
from scripts.session import Session
from scripts.signals import ignore_doorbell
from scripts.sleeve.start import Site, add_sleeve, check_sleeve

SCANS_PER_LINE = 12
DEMO_LINGER_S = 600.0
DEMO_LOOK_S = 300.0  # each look makes the venue stop and push everything; nothing happens in between
SILENCE_S = 20.0  # after so much silence a stream is pinged; on a venue's own clock silence means nothing


@dataclass(slots=True)
class Life:
    """What one engine of this process has to live with. A change of the configuration begins the next.

    evidence  what the journal and the host say before the start.
    reckoning  of the whole run, handed on from one to the next.
    """

    options: RunOptions
    settings: Settings
    secrets: Secrets
    redact: Redactor
    base_url: str | None
    folder: Path
    changes: Reconfiguration
    evidence: tuple[JournalFacts, HostFacts]
    on_app: Callable[[App], None]
    reckoning: Reckoning
    port: int | None = None  # of the page, once there was one: it stays where it was found
    is_reconfigured: bool = False


def run_daemon(options: RunOptions, on_app: Callable[[App], None] = lambda app: None) -> int:
    """Run until the time is up or a signal comes; return the exit code. Raises EngineError on failure.

    on_app  is handed the composed engine before it starts: the seam for whoever watches it closely.
    """
    secrets = load_secrets()
    redact = Redactor(secrets.values())
    with redacted_errors(redact), ExitStack() as stack:
        settings = fit_settings(options, secrets)
        folder = data_folder(options)
        host = host_facts(folder)
        ignore_doorbell()  # from here on our process id is to be found
        stack.enter_context(FolderLock(folder))
        base_url = None
        if options.mode is Mode.DEMO:
            base_url = stack.enter_context(venue_of(options, settings))
        facts: RunFacts | None = None
        port: int | None = None
        reckoning, rest = Reckoning(), options
        while True:
            evidence = journal_facts(folder, take_over=True), host
            changes = Reconfiguration(
                options.config, folder, settings, lambda files: _with_instruments(files, options)
            )
            life = Life(
                rest, settings, secrets, redact, base_url, folder, changes, evidence, on_app, reckoning, port
            )
            facts = live(life) or facts
            if not life.is_reconfigured or facts is None:
                break
            port = life.port
            rest, settings = _rest_of(options, facts), fit_settings(options, secrets, folder)
    if options.json and facts is not None:
        print_json(facts)
    return 0


def live(life: Life) -> RunFacts | None:
    """One engine from its start to its end, on a loop of its own."""
    options, monitor = life.options, life.settings.monitor
    with ExitStack() as stack:
        logs = set_up_logs(
            life.folder / "logs",
            monitor.log_level,
            monitor.keep_logs_days,
            life.redact,
            max_bytes=monitor.max_log_mb * 1_000_000,
        )
        stack.callback(logs.close)
        stack.enter_context(as_before())
        keeper = None
        if life.base_url is not None:
            keeper = LockstepKeeper(life.base_url.replace("http", "ws", 1) + "/sim/clock", options.speed)
            stack.callback(keeper.close)
        with asyncio.Runner(loop_factory=loop_factory(keeper)) as runner:
            return runner.run(_main(life, keeper))


def settings_of(options: RunOptions, folder: Path | None = None) -> Settings:
    """The files, the changes that lie in the data folder, and what the command line says.

    Raises UsageError.
    """
    folder = folder or lasting_folder(options)
    overlay = read_overlay(folder) if folder is not None else NO_OVERLAY
    return _with_instruments(load(options.config, overlay), options)


def fit_settings(options: RunOptions, secrets: Secrets, folder: Path | None = None) -> Settings:
    """The settings a start may have: asked before each, as the files may have changed since the last one.

    Raises UsageError for a page that others could reach without a token, and for what live mode lacks.
    """
    settings = settings_of(options, folder)
    if options.web:
        check_web(settings.monitor.web, secrets)
    check_sleeve(settings)
    if options.mode is Mode.LIVE:
        refuse_unready(settings, secrets)
    return settings


def _rest_of(options: RunOptions, facts: RunFacts) -> RunOptions:
    """For the engine that starts again: what is left of the time the run was given."""
    if options.for_ms is None:
        return options
    return replace(options, for_ms=max(1, options.for_ms - (facts.to_ms - facts.from_ms)))


def refuse_unready(settings: Settings, secrets: Secrets) -> None:
    """Real orders need a deliberate configuration. Raises UsageError naming what is missing."""
    if settings.strategy.dry_run:
        raise UsageError("strategy.yaml dry_run is true: --mode live needs false; try --mode dry-run first")
    if missing := secrets.missing(settings, trading=True):
        raise UsageError(f"--mode live needs {', '.join(missing)} in the environment, in .env or as *_FILE")


def _with_instruments(settings: Settings, options: RunOptions) -> Settings:
    if not options.instruments:
        return settings
    changed = settings.instruments.model_copy(update={"instruments": options.instruments})
    return settings.model_copy(update={"instruments": changed})


@contextmanager
def venue_of(options: RunOptions, settings: Settings) -> Iterator[str]:
    """The base URL of a demo's venue: the one given, else a child process that lives as long as this."""
    if options.venue is not None:
        yield options.venue.rstrip("/")
        return
    with child_venue(options, settings.instruments.instruments) as url:
        yield url


def loop_factory(keeper: LockstepKeeper | None) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop an engine runs in: on the venue's clock where there is one."""
    return None if keeper is None else lambda: VirtualLoop(keeper)


async def _main(life: Life, keeper: LockstepKeeper | None) -> RunFacts | None:
    options, settings, secrets, redact = life.options, life.settings, life.secrets, life.redact
    clock, ticker = time_of(keeper)
    out = sys.stderr if options.json else sys.stdout
    # The screen draws as soon as it is open, and the notifier, which the session needs, writes on it.
    sessions: list[Session] = []
    screen = open_screen(
        redacted_stream(out, redact),
        lambda: sessions[0].status() if sessions else None,
        settings.monitor.language,
        SCANS_PER_LINE,
    )
    notifier = QueueNotifier(
        channels_of(settings.monitor, secrets),
        clock,
        settings.monitor.language,
        redact,
        screen.note,
        habits=habits_of(settings.monitor),
        keepsake=Keepsake(life.folder / MESSAGES),
    )
    endpoints, _ = door_of(options, settings, secrets, life.base_url)
    site = Site(
        settings,
        secrets,
        endpoints,
        life.base_url,
        life.folder,
        clock,
        notifier,
        options.mode,
        LINGER_S if keeper is None else demo_linger_s(options.speed),
        (lambda: SILENCE_S) if keeper is None else None,
    )
    session = Session(
        settings,
        life.folder,
        clock,
        ticker,
        notifier,
        options.mode.value,
        options.for_ms,
        lambda: notifier.channels_down,
        options.flatten,
        site.linger_s,
        take_over=options.take_over,
        redact=redact,
        look_every_s=None if keeper is None else DEMO_LOOK_S,
        configure=life.changes.carry_out,
        reckoning=life.reckoning,
    )
    sessions.append(session)
    if keeper is not None:
        keeper.on_lost = session.lose_venue
        keeper.on_end = lambda: session.end("the market data has ended")
    notifier.start()
    refusals = Refusals(time.monotonic)
    heart = Heart(life.folder, clock, notifier, beat_every_s(options), on_venue_clock=keeper is not None)

    def on_composed(app: App) -> None:
        heart.attach(app)
        session.last_words = journal_refusals(app, refusals, clock)
        trading = None if options.mode is Mode.DRY_RUN else app.trading
        parts = Parts(options.mode, settings, secrets, app.market, trading, clock, *life.evidence)
        app.engine.may_resume = Resumption(heart, lambda: again(parts, app.books, life.folder)).ask
        add_sleeve(app, site)
        life.on_app(app)
        calm_collector()

    with ExitStack() as open_:
        open_.enter_context(screen)
        gauges = Gauges(settings, options.mode.value, life.folder, notifier, lambda: session.parts)
        desk = EngineDesk(life.folder, settings, session.status, life.changes, gauges.figures)
        if settings.monitor.web.enabled and options.web:

            def shown(url: str) -> None:
                life.port = urlsplit(url).port
                screen.note(clock.now_ms(), "info", f"{label('web', settings.monitor.language)}: {url}")

            web = settings.monitor.web
            if life.port is not None:
                web = web.model_copy(update={"port": life.port})
            page = open_web(web, secrets, desk, life.folder, notifier, redact, shown, refusals)
            open_.enter_context(page)
        chat = ChatDesk(life.folder, settings, desk)
        open_.enter_context(open_chat(settings.monitor, secrets, chat, life.folder, notifier, redact))
        try:
            async with heart.beating():
                facts = await session.run(lambda: _checked(life, clock), on_composed)
        finally:
            await notifier.stop()
    life.is_reconfigured = session.is_reconfigured
    return facts


def beat_every_s(options: RunOptions) -> float | None:
    """How often the heart wakes an idle consumer, by the engine's clock: a second of the wall's time.

    At full speed events come faster than that by themselves.
    """
    if options.mode is not Mode.DEMO:
        return 1.0
    return None if options.speed is None else max(1.0, options.speed)


def demo_linger_s(speed: float | None) -> float:
    """How long a demo's rows may wait for the disk, by the venue's clock: a second of the wall's time, and
    DEMO_LINGER_S at most. `speed` None: as fast as possible."""
    return DEMO_LINGER_S if speed is None else min(DEMO_LINGER_S, LINGER_S * max(1.0, speed))


def time_of(keeper: LockstepKeeper | None) -> tuple[Clock, Ticker]:
    """Clock and ticker for the running loop."""
    if keeper is None:
        return SystemClock(), ApTicker()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = VirtualClock(loop, keeper)
    return clock, WalkingTicker(clock)


async def _checked(life: Life, clock: Clock) -> Ports:
    """Connect, and start only if the self-check says so. Raises SelfCheckRefused with its findings."""
    ports = await _connect(life, clock)
    options, evidence = life.options, life.evidence
    trading = None if options.mode is Mode.DRY_RUN else ports.trading
    parts = Parts(options.mode, life.settings, life.secrets, ports.market, trading, clock, *evidence)
    checks = await self_check(parts)
    if not passed(checks):
        await ports.rest.close()
        failed = [f"{c.name}: {c.found}; {c.todo}" for c in checks if c.result is Result.FAIL]
        raise SelfCheckRefused("the self-check refuses to start\n  " + "\n  ".join(failed))
    return ports


async def _connect(life: Life, clock: Clock) -> Ports:
    endpoints, credentials = door_of(life.options, life.settings, life.secrets, life.base_url)
    paper = life.options.mode is Mode.DRY_RUN
    silence_s = (lambda: SILENCE_S) if life.base_url is None else None
    held = life.evidence[0].held
    return await okx_ports(
        endpoints, credentials, life.settings, clock, paper=paper, silence_s=silence_s, held=held
    )
