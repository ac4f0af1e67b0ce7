"""The wiring of the sleeve, once: whatever it trades on, only the ports differ."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from config.loader import fingerprint
from config.schema import Settings
from core import storage
from core.context import Permission
from core.errors import SelfCheckRefused, VenueError
from core.facts import Kind
from core.halt import HaltMarker
from core.ids import JournalIds, next_epoch
from core.journal import FILE_NAME, LINGER_S, Database, SqliteJournal, open_in_thread
from core.ledger import USDT
from core.permission import Permissions
from core.ports import Clock, Market, Notifier, OrderSink, SleeveFeed, Trading
from core.protection import Protection
from core.sleeve.books import SleeveBooks
from core.sleeve.comparison import Comparison
from core.sleeve.engine import SleeveEngine, SleeveParts
from core.sleeve.ports import Judged
from core.types import ZERO, AccountConfig, AccountMode, Book, Fill, OrderRecord, Pair, Usdt
from exchange.sleeve_markets import SleeveMarkets
from execution.order_manager import OrderManager
from execution.position_trader import PositionTools, PositionTrader
from execution.stop_keeper import StopKeeper
from scripts.sleeve.gate import SleeveGate
from scripts.version import VERSION
from strategy.auxiliary.conduct import PlanConduct, Surroundings
from strategy.auxiliary.gate import Judgement, judge
from strategy.auxiliary.language import Signal
from strategy.auxiliary.sleeve import sleeve
from strategy.auxiliary.sleeve_view import SleeveView

FOLDER = "sleeve"  # inside the data folder

OnMark = Callable[[str, Decimal, int], None]
OnBook = Callable[[Book], None]
Resync = Callable[[], Awaitable[None]]
OnTrouble = Callable[[str], None]


@dataclass(slots=True)
class SleevePorts:
    """What a setting brings: the sleeve's account, and the public side it shares with the hedges.

    pairs  every instrument the sleeve may trade.    taken_uid  of the hedges' account.
    """

    trading: Trading
    protection: Protection
    market: Market
    pairs: Mapping[str, Pair]
    feed: Callable[[OrderSink, OnMark, OnBook, Resync, OnTrouble], SleeveFeed]
    close: Callable[[], Awaitable[None]]
    taken_uid: str = ""


@dataclass(slots=True)
class SleeveApp:
    """A composed sleeve and the parts a program around it wants to see."""

    engine: SleeveEngine
    journal: SqliteJournal
    books: SleeveBooks
    permissions: Permissions
    markets: SleeveMarkets
    feed: SleeveFeed

    async def run(self) -> None:
        """Until cancelled: watch what is held, take signals. Raises what any part raised."""
        await self.feed.start()
        await self.engine.boot()
        await self.engine.run()

    async def offer(self, signal: Signal) -> Judged | None:
        """Look at the signal's market and put it before the gate; None where the market gave no answer."""
        try:
            await self.markets.look(signal.instrument)
        except VenueError as error:
            self.permissions.lower("market", Permission.NO_NEW_RISK, f"no market of a signal: {error}")
            return None
        self.permissions.lift("market")
        return self.engine.propose(signal)


async def compose_sleeve(
    settings: Settings,
    ports: SleevePorts,
    folder: Path,
    clock: Clock,
    notifier: Notifier,
    mode: str,
    linger_s: float = LINGER_S,
    open_database: Callable[[Path], Awaitable[Database]] = open_in_thread,
) -> SleeveApp:
    """Open the sleeve's books, replay them, connect every part. Nothing trades before `run`.

    folder  the engine's data folder; the sleeve's journal lies in a folder of its own inside.

    Raises SelfCheckRefused for an account that is no sleeve's, VenueError without an answer.
    """
    account = await ports.trading.account_config()
    refuse_account(account, ports.taken_uid)
    own = folder / FOLDER
    own.mkdir(mode=0o700, exist_ok=True)
    journal = await SqliteJournal.open(own / FILE_NAME, clock, linger_s, open_database, None)
    try:
        return await _connected(settings, ports, folder, journal, clock, notifier, mode, account)
    except BaseException:
        await journal.close()
        raise


def refuse_account(account: AccountConfig, taken_uid: str) -> None:
    """Raise SelfCheckRefused, naming what is wrong, for an account the sleeve must not trade in."""
    if account.uid == taken_uid:
        raise SelfCheckRefused(
            f"the sleeve's key belongs to account {account.uid}, which holds the hedges: a sub-account of "
            "its own is allowed"
        )
    if account.mode is not AccountMode.FUTURES:
        raise SelfCheckRefused(
            f"the sleeve's account is in {account.mode.value} mode; futures mode is allowed: isolated margin"
        )
    if not account.net_positions:
        raise SelfCheckRefused("the sleeve's account is in long/short mode; net mode is allowed")
    if "withdraw" in account.permissions:
        raise SelfCheckRefused("the sleeve's key may withdraw; keys without that permission are allowed")


async def _connected(
    settings: Settings,
    ports: SleevePorts,
    folder: Path,
    journal: SqliteJournal,
    clock: Clock,
    notifier: Notifier,
    mode: str,
    account: AccountConfig,
) -> SleeveApp:
    rules = settings.strategy.auxiliary
    books, permissions = SleeveBooks(), Permissions(journal, clock, notifier)
    async for row in journal.rows():
        books.apply(row)
        permissions.fold(row)
    journal.listeners.append(books.apply)
    storage.follow(journal, permissions)
    epoch = next_epoch(books.epoch, clock.now_ms())
    body: dict[str, object] = {
        "mode": mode,
        "version": VERSION,
        "fingerprint": fingerprint(settings),
        "epoch": epoch,
        "account_uid": account.uid,
    }
    if not books.boots_ms:
        snapshot = await ports.trading.account()
        body["opening_cash"] = {ccy: balance.cash for ccy, balance in snapshot.balances.items()}
    journal.append(Kind.BOOT, clock.now_ms(), body)
    ids = JournalIds(epoch, (*books.sent.orders, *books.stops))
    markets = SleeveMarkets(ports.pairs, ports.market, clock, rules.limits.max_market_age_s * 1000)
    orders = OrderManager(
        ports.trading,
        journal,
        clock,
        settings.risk.execution,
        SleeveGate(books, permissions, ports.pairs, markets.mark_of, HaltMarker(folder)).check,
        books,
        ports.pairs.__getitem__,
        lambda record, fill: _outside(engine, comparison, by_swap, record, fill),
        on_late=lambda: engine.differ(),
    )
    keeper = StopKeeper(ports.protection, journal, books, clock, ids)
    comparison = Comparison(
        ports.trading, ports.protection, orders, keeper, journal, books, clock, ports.pairs
    )
    by_swap = {pair.swap.inst_id: name for name, pair in ports.pairs.items()}
    trader = PositionTrader(
        PositionTools(
            orders,
            keeper,
            books,
            ports.trading,
            clock,
            ids,
            settings.risk.execution,
            ports.pairs.__getitem__,
            markets.book,
            lambda: engine.differ(),
        )
    )
    allotted = sleeve(settings.account)
    conduct = PlanConduct(
        Surroundings(
            gate=lambda signal, view, now_ms: _judged(markets, settings, signal, view, now_ms),
            capital=lambda: Usdt(max(ZERO, min(allotted, books.ledger.cash.get(USDT, ZERO)))),
            swap_of=lambda name: ports.pairs[name].swap,
            mark_of=markets.mark_of,
        )
    )
    engine = SleeveEngine(
        SleeveParts(
            books=books,
            conduct=conduct,
            trader=trader,
            journal=journal,
            permissions=permissions,
            clock=clock,
            notifier=notifier,
            lot_of=lambda name: ports.pairs[name].swap.step,
            new_id=ids.position_id,
            compare=comparison.compare,
            mark_of=markets.sight,
            deadline_s=float(settings.risk.execution.opening_deadline_s),
        )
    )

    async def resync() -> None:
        """What a broken connection missed is asked for."""
        engine.differ()

    feed = ports.feed(
        orders,
        markets.on_mark,
        markets.on_book,
        resync,
        lambda what: notifier.tell("trouble", "warning", {"what": "sleeve stream", "detail": what}),
    )
    markets.on_sight = engine.see
    watch = partial(_watch, feed, books, ports.pairs)
    engine.listeners.append(lambda ctx, decision: watch())
    watch()
    return SleeveApp(engine, journal, books, permissions, markets, feed)


def _judged(
    markets: SleeveMarkets, settings: Settings, signal: Signal, view: SleeveView, now_ms: int
) -> Judgement:
    return judge(signal, view, markets.view(signal.instrument), settings.strategy.auxiliary, now_ms)


def _watch(feed: SleeveFeed, books: SleeveBooks, pairs: Mapping[str, Pair]) -> None:
    """Prices are heard of what is held, and of nothing else."""
    feed.watch(pairs[name].swap.inst_id for name in books.instruments)


def _outside(
    engine: SleeveEngine,
    comparison: Comparison,
    by_swap: Mapping[str, str],
    record: OrderRecord,
    fill: Fill | None,
) -> None:
    """The venue's stop, a liquidation, or a hand at the screen: its fill is booked, then all is compared."""
    name = by_swap.get(record.inst_id)
    if name is not None and fill is not None:
        comparison.book(name, fill)
    engine.differ()
