"""`main.py backtest`: the engine on history, and what it made of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from config.loader import load
from config.overlay import Overlay
from config.schema import Settings
from core.errors import UsageError
from core.journal import FILE_NAME
from core.types import AccountMode
from exchange.sim.exchange import Exchange
from exchange.sim.markets.source import MarketSource
from exchange.sim.markets.tape import TapeMarket
from exchange.sim.profile import VenueProfile
from monitor.summary import RunFacts, summary
from monitor.words import Language
from scripts.backtest.files import write_decisions, write_equity, write_funding, write_trades
from scripts.backtest.operator import Operator
from scripts.backtest.recorder import Recorder
from scripts.backtest.stage import ACCOUNT, LOOK_S, play
from scripts.compose import App
from scripts.market import market_of
from scripts.options import check_order, check_tape
from scripts.outcome import print_json
from strategy.rehearsal import MODES

if TYPE_CHECKING:
    from scripts.backtest.leaper import Leaper

LANGUAGES: Final = get_args(Language)
# Nobody watches between the engine's own looks: the market moves at its turns and once a minute.
FAST, FULL = "fast", "full"
PATHS: Final = (FAST, FULL)
LEVELS: Final = {AccountMode.FUTURES.value: "2", AccountMode.MULTI.value: "3"}  # the venue's acctLv
PROFILE: Final = VenueProfile(pulse_ms=60_000, book_levels=50)


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """One backtest as asked for.

    tape         folder of recorded data.
    exit_mode    instead of strategy.yaml's exit.mode.
    out          where the results are written; None writes nothing.
    language     of the report, instead of monitor.yaml's.
    path         fast or full; None: fast where numpy is there, which it needs.
    resume_after_ms  so long after a stop or a trip a simulated operator resumes; None: nobody does.
    changes      over the configuration, each a key and its value as in YAML: account.spot_ratio=0.66.
    account      what backs the swap: futures, USDT alone; multi, every coin at its discount.
    Raises UsageError for what cannot be.
    """

    tape: Path
    instruments: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    exit_mode: str | None = None
    out: Path | None = None
    config: Path = Path("config")
    seed: int = 7
    json: bool = False
    language: str | None = None
    path: str | None = None
    resume_after_ms: int | None = None
    account: str = AccountMode.FUTURES.value
    changes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_tape(self.tape)
        check_order(self.from_ms, self.to_ms)
        if self.exit_mode is not None and self.exit_mode not in MODES:
            raise UsageError(f"--exit {self.exit_mode}: allowed: {', '.join(MODES)}")
        if self.path not in (None, *PATHS):
            raise UsageError(f"--path {self.path}: allowed: {', '.join(PATHS)}")
        if self.account not in LEVELS:
            raise UsageError(f"--account {self.account}: allowed: {', '.join(LEVELS)}")
        if self.path == FAST and not has_numpy():
            raise UsageError("--path fast needs numpy, not installed here: run `make search`")
        if self.language is not None and self.language not in LANGUAGES:
            raise UsageError(f"--language {self.language}: allowed: {', '.join(LANGUAGES)}")
        if self.out is not None and (self.out / FILE_NAME).exists():
            raise UsageError(
                f"--out {self.out}: has the results of an earlier run; an empty folder is needed"
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a backtest leaves behind: its figures, what was recorded meanwhile, the engine's books, what it
    was played on, and who leapt (None on the full path)."""

    facts: RunFacts
    recorder: Recorder
    app: App
    settings: Settings
    market: MarketSource
    leaper: Leaper | None


def settings_of(options: BacktestOptions) -> Settings:
    """The configured settings with what the command line says instead. Raises ConfigError."""
    settings = load(options.config, _overlay(options.changes))
    if options.instruments:
        changed = settings.instruments.model_copy(update={"instruments": options.instruments})
        settings = settings.model_copy(update={"instruments": changed})
    if options.exit_mode is not None:
        way = settings.strategy.exit.model_copy(update={"mode": options.exit_mode})
        strategy = settings.strategy.model_copy(update={"exit": way})
        settings = settings.model_copy(update={"strategy": strategy})
    return in_language(settings, options.language)


def _overlay(changes: tuple[str, ...]) -> Overlay:
    """What `--set` says, as a change of a running engine would be. Raises UsageError for what is no pair."""
    pairs = dict[str, str | None]()
    for change in changes:
        key, is_pair, value = (part.strip() for part in change.partition("="))
        if not is_pair or not value:
            raise UsageError(f"--set {change!r}: KEY=VALUE is allowed, like account.spot_ratio=0.66")
        pairs[key] = value
    return Overlay().changed(0, pairs) if pairs else Overlay()


def in_language(settings: Settings, language: str | None) -> Settings:
    """The settings as they are, or with the language that was asked for."""
    if language is None:
        return settings
    monitor = settings.monitor.model_copy(update={"language": language})
    return settings.model_copy(update={"monitor": monitor})


def backtest(options: BacktestOptions) -> int:
    """Run, write what was asked for, print the summary; return the exit code."""
    settings = settings_of(options)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        outcome = run(options, settings, options.out)
        write(outcome, options.out, options.changes)
    else:
        with tempfile.TemporaryDirectory(prefix="backtest-") as folder:
            outcome = run(options, settings, Path(folder))
    if options.json:
        print_json(outcome.facts)
    else:
        print(_told(outcome.facts))
        if options.out is not None:
            print(f"results in {options.out}, to look at: {options.out / 'report.html'}")
    return 0


def run(options: BacktestOptions, settings: Settings, folder: Path) -> Outcome:
    """Play the tape through; the journal lies in `folder` afterwards. Raises EngineError."""
    names = settings.instruments.instruments
    market = market_of(options.tape, options.seed, names, options.from_ms, options.to_ms)
    venue = Exchange(market, options.seed, profile=PROFILE)
    venue.set_level(venue.accounts[ACCOUNT], LEVELS[options.account])
    recorder, apps = Recorder(), list[App]()

    def on_app(app: App) -> None:
        apps.append(app)
        app.engine.listeners.append(recorder.on_decision)
        app.engine.listeners.append(operator.on_decision)
        if leaper is not None:
            leaper.engage(app)

    operator = Operator(options.resume_after_ms)
    leaper = _leaper(options.path, venue, market, settings, operator)
    instants, show = 0, _progress(market.end_ms, venue.now_ms)

    def on_time(now_ms: int) -> None:
        nonlocal instants
        instants += 1
        show(now_ms)

    facts = play(venue, settings, folder, on_app, on_time, leaper=leaper, operator=operator)
    facts = replace(facts, path=FULL if leaper is None else FAST, instants=instants)
    recorder.close(facts.to_ms)
    return Outcome(facts, recorder, apps[0], settings, market, leaper)


def has_numpy() -> bool:
    """Whether the fast path can run: the engine itself does without numpy."""
    return find_spec("numpy") is not None


def _leaper(
    path: str | None, venue: Exchange, market: MarketSource, settings: Settings, operator: Operator
) -> Leaper | None:
    """Who leaps on the fast path; nobody on the full one."""
    if path == FULL or not has_numpy() or not isinstance(market, TapeMarket):
        return None
    from scripts.backtest.leaper import Leaper  # needs numpy
    from scripts.backtest.terrain import Terrain
    from scripts.backtest.vigil import Vigil

    terrain, look_ms = Terrain(market, settings), int(LOOK_S * 1000)
    vigil = Vigil(settings, terrain, look_ms, venue.now_ms % look_ms)
    return Leaper(venue, venue.accounts[ACCOUNT], terrain, vigil, operator)


def write(outcome: Outcome, folder: Path, changes: tuple[str, ...] = ()) -> None:
    """Report, summary, trades, funding, equity and decisions, beside the journal."""
    from scripts.backtest.report import report_facts, write_report  # brings all that draws a page

    ledger = outcome.app.books.ledger
    write_trades(folder / "trades.csv", ledger.trades)
    write_funding(folder / "funding.csv", ledger.settlements)
    write_equity(folder / "equity.csv", outcome.facts.equity)
    write_decisions(folder / "decisions.jsonl", folder)
    shown = report_facts(
        outcome.facts, outcome.recorder, outcome.app, outcome.settings, outcome.market, changes
    )
    write_report(folder, shown, outcome.settings.monitor.language)


def _progress(end_ms: int | None, start_ms: int) -> Callable[[int], None]:
    """One line on stderr that grows while the tape plays; nothing where nobody looks."""
    if end_ms is None or not sys.stderr.isatty():
        return lambda now_ms: None
    shown = -1

    def show(now_ms: int) -> None:
        nonlocal shown
        share = 100 * (now_ms - start_ms) // (end_ms - start_ms)
        if share != shown:
            shown = share
            print(f"\r{share:3d} %", end="\n" if share >= 100 else "", file=sys.stderr, flush=True)

    return show


def _told(facts: RunFacts) -> str:
    said = summary(facts)
    days = (facts.to_ms - facts.from_ms) / 86_400_000
    lines = [
        f"{', '.join(facts.instruments)}, account in {facts.account} mode: {days:.1f} days in "
        f"{facts.wall_s:.1f} s on the {facts.path} path, {facts.instants} looks",
        f"net {said['net_pnl']} USDT, {float(said['net_apr']):.2%} a year, "
        f"largest fall {float(said['max_drawdown']):.2%}",
        *(f"  {name:9} {said[name]:>16}" for name in ("funding", "basis", "fees", "slippage", "interest")),
        f"opened {said['opens']}, closed {said['closes']}, rebalanced {said['rebalances']}, "
        f"unexplained {said['unexplained']}",
    ]
    return "\n".join(lines)
