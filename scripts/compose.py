"""The wiring, once: every part of an engine built and connected, whatever it trades on.

The settings differ only in the ports handed in: which venue, which market, which clock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from config.schema import Settings
from core import conditions
from core.adl import AdlQueue
from core.bookkeeper import Bookkeeper
from core.engine import BUSY, Deadlines, Engine
from core.events import On
from core.forced import ForcedWatch
from core.halt import HaltMarker
from core.journal import FILE_NAME, LINGER_S, Database, SqliteJournal, open_in_thread
from core.lookout import Lookout
from core.meters import Meters
from core.naked import NakedTimes
from core.observer import Observer
from core.patrol import Patrol
from core.permission import Permissions
from core.ports import Clock, Market, Notifier, Planner, Streams, Trading
from core.projections import Books
from core.recovery import Reconciler
from core.reserve import Reserve
from core.scheduler import Ticker
from core.sentinel import Sentinel
from core.state_machine import StateMachine
from core.survey import Survey
from core.types import OrderRecord
from core.watches import FrozenWatch, TopUpWatch
from execution.account_watch import AccountWatch
from execution.dead_man import DeadMan
from execution.deleveraging import DeleveragingPlanner
from execution.desk import Tools
from execution.order_manager import OrderManager
from execution.position_manager import PositionManager
from execution.rebalancer import DriftPlanner, Transfers
from execution.worker import Worker
from risk import FundPlanner, build_alarms, build_guards, build_hold, build_judge
from scripts.gate import Gate
from scripts.giving_up import GivingUp
from scripts.opening import Opened, opened
from scripts.owners import ExternalWatch, Owners
from scripts.ports import Line, Markets, Ports
from scripts.vigilance import build_lookout, build_patrol, venue_health
from strategy import build_guards as build_strategy_guards
from strategy import build_planner

BOOK_DEPTH = 50
LASTING_BOOKS = frozenset({"live", "dry-run"})  # worth a reserve on the disk, and backups


@dataclass(slots=True)
class App:
    """A composed engine and the parts a program around it wants to see."""

    engine: Engine
    rest: Line
    notifier: Notifier
    journal: SqliteJournal
    books: Books
    bookkeeper: Bookkeeper
    permissions: Permissions
    lookout: Lookout
    streams: Streams
    markets: Markets
    naked: NakedTimes
    owners: Owners
    giving_up: GivingUp
    market: Market
    trading: Trading
    dead_man: DeadMan
    meters: Meters
    loop_lags_s: list[float] = field(default_factory=list)  # how late the loop was, one look after the other


async def compose(
    settings: Settings,
    venue: Ports,
    folder: Path,
    clock: Clock,
    ticker: Ticker,
    notifier: Notifier,
    mode: str,
    linger_s: float = LINGER_S,
    open_database: Callable[[Path], Awaitable[Database]] = open_in_thread,
    take_over: bool = False,
    look_every_s: float | None = None,
    strategy: Planner | None = None,
) -> App:
    """Open the books, replay them, connect every part. Nothing trades before `engine.boot`.

    take_over     start although another engine has just been active on the account.
    look_every_s  instead of the configured pace, for a venue whose clock leaps.
    strategy      instead of the main one.
    """
    reserve = Reserve(folder) if mode in LASTING_BOOKS else None
    journal = await SqliteJournal.open(folder / FILE_NAME, clock, linger_s, open_database, reserve)
    try:
        known = await opened(settings, venue, journal, clock, notifier, mode, take_over)
        pace_s = float(settings.risk.degradation.look_every_s) if look_every_s is None else look_every_s
        halt = HaltMarker(folder)
        return await _connected(
            settings, venue, journal, clock, ticker, notifier, known, halt, pace_s, strategy
        )
    except BaseException:
        await journal.close()
        raise


async def _connected(
    settings: Settings,
    venue: Ports,
    journal: SqliteJournal,
    clock: Clock,
    ticker: Ticker,
    notifier: Notifier,
    known: Opened,
    halt: HaltMarker,
    look_every_s: float,
    strategy: Planner | None,
) -> App:
    books, permissions, pairs, fees = known.books, known.permissions, known.pairs, known.fees
    survey = Survey(books, venue.markets, permissions, journal, clock, notifier)
    sentinel = Sentinel(books, permissions, journal, clock, notifier)
    bookkeeper = Bookkeeper(
        venue.trading,
        venue.market,
        journal,
        books,
        venue.markets,
        venue.account,
        clock,
        notifier,
        lambda: _refresh(engine, venue, transfers, orders, patrol),
        survey,
    )
    patrol = build_patrol(settings, venue, journal, books, fees, clock, notifier)
    journal.listeners.append(patrol.on_row)
    transfers = Transfers(venue.trading, journal, known.ids, clock)
    gate = Gate(books, venue, permissions, pairs, halt)
    dead_man = DeadMan(
        venue.trading, clock, notifier, settings.risk.execution.dead_man_s, lambda: orders.rests()
    )
    orders = OrderManager(
        venue.trading,
        journal,
        clock,
        settings.risk.execution,
        gate.check,
        books,
        pairs.__getitem__,
        lambda record, fill: _on_foreign(engine, sentinel, record),
        dead_man.guard,
        lambda: engine.holdings_differ(),
        venue.meters,
    )
    queue = AdlQueue(
        {name: pair.swap.inst_id for name, pair in pairs.items()},
        books.target_of,
        settings.risk.deleveraging.warn_rank,
        settings.risk.deleveraging.samples,
    )
    streams = venue.streams(
        orders, lambda: _resync(engine, bookkeeper), lambda what: _trouble(notifier, what)
    )
    may_we = build_guards(settings)
    machine = StateMachine((*conditions.CONDITIONS, *may_we, *build_strategy_guards(settings)))
    lookout = build_lookout(settings, venue, permissions, patrol, streams, clock, look_every_s)
    gate.jumped = lambda: lookout.jumped
    engine = Engine(
        machine=machine,
        observer=Observer(
            venue.markets,
            venue.account,
            books,
            permissions,
            lambda: venue_health(venue.rest, streams, patrol, clock.now_ms()),
            fees,
            lambda: queue.views,
        ),
        planners=(
            strategy or build_planner(settings, may_we),
            FundPlanner(settings),
            DriftPlanner(settings),
            DeleveragingPlanner(settings.risk.deleveraging),
        ),
        alarms=build_alarms(settings.risk),
        judge=build_judge(settings),
        still_tripped=build_hold(settings),
        journal=journal,
        books=books,
        bookkeeper=bookkeeper,
        reconcile=Reconciler(
            venue.trading, journal, books, bookkeeper, venue.markets, orders, clock, sentinel, survey
        ).reconcile,
        permissions=permissions,
        lookout=lookout,
        ticker=ticker,
        clock=clock,
        notifier=notifier,
        deadlines=Deadlines(
            settings.risk.execution.opening_deadline_s, settings.risk.execution.rebalancing_deadline_s
        ),
        meters=venue.meters,
    )
    gate.stop_asked = engine.buys_nothing
    engine.chores.append(dead_man.run)
    tools = Tools(
        orders=orders,
        holdings=books,
        clock=clock,
        ids=known.ids,
        fees=fees.__getitem__,
        ask_account=venue.trading.account,
        ask_book=lambda inst_id: venue.market.book(inst_id, BOOK_DEPTH),
        max_age_ms=settings.risk.exchange.max_market_age_s * 1000,
        fee_in_base=not (await venue.trading.account_config()).fee_in_quote,
        ask_limits=venue.market.price_limits,
        on_halted=lambda: engine.tick(On.REVIEW, None),
    )
    positions = PositionManager(tools, journal, settings, engine.stop_asked)
    engine.employ(Worker(positions, transfers, venue.markets.view, venue.markets.names))
    engine.restore(books.state, books.unwinding)
    venue.account.sinks.append(
        AccountWatch(settings, books, pairs, engine, known.naked, queue, journal, clock),
    )
    venue.account.sinks.append(ExternalWatch(survey, engine.errand, engine.compare, lambda: engine.has_work))
    engine.listeners.append(FrozenWatch(notifier).on_decision)
    engine.listeners.append(TopUpWatch(notifier, books.top_up_failed_ms).on_decision)
    engine.listeners.append(
        ForcedWatch(
            (h for name in pairs if (h := books.hedge(name)) is not None),
            permissions,
            notifier,
            engine.post,
            engine.violations,
            settings.risk.deleveraging.samples,
        ).on_decision
    )
    return App(
        engine=engine,
        rest=venue.rest,
        notifier=notifier,
        journal=journal,
        books=books,
        bookkeeper=bookkeeper,
        permissions=permissions,
        lookout=lookout,
        streams=streams,
        markets=venue.markets,
        naked=known.naked,
        owners=Owners(survey, sentinel, venue.trading, known.ids, journal, clock, notifier),
        giving_up=GivingUp(books, journal, clock, notifier),
        market=venue.market,
        trading=venue.trading,
        dead_man=dead_man,
        meters=venue.meters,
    )


def _on_foreign(engine: Engine, sentinel: Sentinel, record: OrderRecord) -> None:
    """An order nobody here sent: by hand, by force, or another engine's."""
    sentinel.see(record.cl_id)
    engine.holdings_differ()


async def _refresh(
    engine: Engine, venue: Ports, transfers: Transfers, orders: OrderManager, patrol: Patrol
) -> None:
    """Transfers and orders without outcome are asked for again, unless execution is at them right now.
    Rules may change and delistings are announced in them; a lost push leaves a hole in the candles."""
    if engine.state not in BUSY:
        await transfers.settle()
        await orders.settle()
    known = {pair.name: pair for pair in await venue.market.known_pairs(venue.markets.names)}
    for name in venue.markets.names:
        before = venue.markets.pair(name)
        if name in known:
            patrol.note_rules(before, known[name])
        venue.markets.set_pair(known.get(name) or before.gone)
    await venue.mend()


async def _resync(engine: Engine, bookkeeper: Bookkeeper) -> None:
    """After each (re)connect of the private stream: what was missed is asked for by REST."""
    await bookkeeper.account()
    engine.account_changed()


def _trouble(notifier: Notifier, what: str) -> None:
    notifier.tell("trouble", "warning", {"what": "stream", "detail": what})
