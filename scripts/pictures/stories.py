"""What the pictures show: the engine played on generated markets, and its models on their settlements.

Everything comes from seeds, so a picture changes only with the code it is about.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from config.schema import Instruments, Settings
from core.context import Context
from core.events import Decision, Event, On, Purpose, Target
from core.facts import Kind, Row
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.types import HOUR_MS, SettledFunding
from exchange.sim.edits import Edits
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import START_MS, GeneratedMarket
from exchange.sim.markets.measure import settled_rates
from scripts.backtest.command import PROFILE
from scripts.backtest.stage import ACCOUNT, play
from scripts.compose import App
from scripts.market import market_of
from strategy.foresight import Course, perfect_foresight
from strategy.rehearsal import MODES, Rehearsal

SEED: Final = 7  # the demo's
YEAR_SEED: Final = 8  # a year with a long stretch below zero
COIN: Final = "ETH"
PAIR: Final = f"{COIN}-USDT"
SWAP: Final = f"{PAIR}-SWAP"
MINUTE_MS: Final = 60_000
ADL_AFTER_MS: Final = 3 * HOUR_MS
ADL_SHARE: Final = Decimal("0.3")
FLATTEN_AFTER_MS: Final = 9 * HOUR_MS
DAY_ENDS_MS: Final = 10 * HOUR_MS
RALLY_MS: Final = 9 * HOUR_MS
UPKEEP: Final = (Purpose.SWEEP, Purpose.TOP_UP, Purpose.SHRINK)
SWITCH_COST: Final = Decimal("0.0015")  # taker fees of both legs, once: half a round trip
YEAR_OF_SETTLEMENTS: Final = 3 * 365


@dataclass(slots=True)
class Story:
    """One play: every decision with what it knew, and the rows that were written."""

    decisions: list[tuple[Context, Decision]] = field(default_factory=list)
    rows: tuple[Row, ...] = ()

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        self.decisions.append((ctx, decision))

    def of(self, *kinds: Kind) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.kind in kinds)

    @property
    def opening(self) -> Decision:
        """The first decision that opened something."""
        return next(d for _, d in self.decisions if d.moved and d.on is On.SCAN and d.dst == "OPENING")

    @property
    def upkeep(self) -> tuple[tuple[int, Target], ...]:
        """What margin upkeep asked for, with the times: transfers, and smaller hedges."""
        found = ((d.at_ms, target) for _, d in self.decisions for target in d.targets)
        return tuple((at_ms, target) for at_ms, target in found if target.purpose in UPKEEP)


def one_hedge() -> Story:
    """A hedge of one coin: opened, a part of its short taken by forced deleveraging, mended, flattened."""

    def meddle(venue: Exchange, app: App, passed_ms: int, done: set[str]) -> None:
        if passed_ms >= ADL_AFTER_MS and "adl" not in done:
            done.add("adl")
            Edits(venue).force_adl(venue.accounts[ACCOUNT], SWAP, ADL_SHARE)
        if passed_ms >= FLATTEN_AFTER_MS and "flatten" not in done:
            done.add("flatten")
            app.engine.post(Event(On.HALT, venue.now_ms, "operator", flatten=True))

    return _played(None, DAY_ENDS_MS, meddle)


def squeeze() -> Story:
    """Two hedges while prices climb for hours: margin falls, and upkeep answers."""
    return _played("squeeze", RALLY_MS, lambda venue, app, passed_ms, done: None, (PAIR, "BTC-USDT"))


def _played(
    regime: str | None,
    for_ms: int,
    meddle: Callable[[Exchange, App, int, set[str]], None],
    pairs: tuple[str, ...] = (PAIR,),
) -> Story:
    settings = Settings(instruments=Instruments(instruments=pairs))
    venue = Exchange(market_of(None, SEED, pairs, None, None, regime), SEED, profile=PROFILE)
    story, apps, done = Story(), list[App](), set[str]()

    def on_app(app: App) -> None:
        apps.append(app)
        app.engine.listeners.append(story.on_decision)

    def on_time(now_ms: int) -> None:
        if apps:
            meddle(venue, apps[0], now_ms - START_MS, done)

    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        play(venue, settings, Path(folder), on_app, on_time, for_ms=for_ms)
        with JournalReader(Path(folder) / FILE_NAME) as journal:
            story.rows = tuple(journal.rows())
    return story


@dataclass(frozen=True, slots=True)
class Year:
    """A year of settlements of one coin, and what each exit mode and perfect foresight make of it."""

    rehearsal: Rehearsal
    best: Course
    courses: dict[str, Course]


def year(coin: str, seed: int) -> Year:
    """The generated market's first year."""
    market = GeneratedMarket(seed, (coin,))
    end_ms = START_MS + YEAR_OF_SETTLEMENTS * 8 * HOUR_MS + MINUTE_MS
    rates = settled_rates(market, coin, seed, end_ms, YEAR_OF_SETTLEMENTS)
    times = [START_MS + (n + 1) * 8 * HOUR_MS for n in range(len(rates))]
    settled = [SettledFunding(at, rate) for at, rate in zip(times, rates, strict=True)]
    rehearsal = Rehearsal(settled, SWITCH_COST, Settings().strategy)
    return Year(
        rehearsal, perfect_foresight(rehearsal.rates, SWITCH_COST), {m: rehearsal.play(m) for m in MODES}
    )
