"""The sleeve put together on fakes: real books, execution and plans, a scripted venue, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from config.auxiliary import AuxiliaryModules
from config.schema import Settings
from core.context import MarketView
from core.errors import VenueDown, VenueRejected
from core.facts import Kind
from core.ids import JournalIds
from core.permission import Permissions
from core.protection import StopRecord, StopRequest, StopState
from core.sleeve.books import SleeveBooks
from core.sleeve.comparison import Comparison
from core.sleeve.engine import SleeveEngine, SleeveParts
from core.sleeve.ports import Judged, Sight
from core.types import ONE, Base, Book, Fill, OrderKind, OrderRecord, OrderRequest, Side, Usdt
from core.types import Leg as L
from core.verdict import Verdict
from execution.order_manager import OrderManager
from execution.position_trader import PositionTools, PositionTrader
from execution.stop_keeper import StopKeeper
from strategy.auxiliary.conduct import PlanConduct, Surroundings
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Stop, StopTo, Target
from strategy.auxiliary.gate import Judgement, judge
from strategy.auxiliary.language import Signal
from strategy.auxiliary.sleeve_view import SleeveView
from tests.fakes import FINE, D, FakeClock, FakeJournal, FakeTrading, btc

BTC = "BTC-USDT"
PX = D(60_000)
CAPITAL = Usdt(D(100_000))

LADDER = ExitPlan(
    name="ladder",
    stop=Stop((Distance(ratio=D("0.03")),)),
    targets=(
        Target(Distance(ratio=D("0.05")), D("0.5"), StopTo.ENTRY),
        Target(Distance(ratio=D("0.10"))),
    ),
)


def signal(at_ms: int, side: Side = Side.BUY, px: Decimal = PX, plan: ExitPlan = LADDER) -> Signal:
    return Signal(
        module="trend_breakout",
        instrument=BTC,
        side=side,
        strength=D(80),
        px=px,
        at_ms=at_ms,
        valid_until_ms=at_ms + 60_000,
        evidence=(("ma_cross_ratio", D("0.01")),),
        plan=plan,
    )


class SleeveVenue(FakeTrading):
    """FakeTrading with conditional stops on the mark price (core.protection.Protection)."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock, btc())
        self.level_base = D(100)
        self.waiting: dict[str, StopRecord] = {}
        self.stop_script: list[str] = []  # for the next stops in turn: "", "lost", "ack_lost", or a code
        self.stop_triggers = True
        self.had_no_stop_ms = 0  # the longest time something was held without one
        self._bare_since_ms: int | None = None

    def mark(self, px: Decimal) -> None:
        """Move the market; stops whose trigger it passes take off what they can."""
        self.mids = dict.fromkeys(self.mids, px)
        for stop in list(self.waiting.values()):
            beyond = px <= stop.trigger_px if stop.side is Side.SELL else px >= stop.trigger_px
            if stop.state is StopState.LIVE and beyond and self.stop_triggers:
                self._trigger(stop, px)
        self.look()

    def _trigger(self, stop: StopRecord, px: Decimal) -> None:
        self.waiting[stop.cl_id] = replace(stop, state=StopState.EFFECTIVE, ord_id="8" + stop.algo_id)
        slack = ONE + stop.side.sign * D("0.02")
        limit = (px * slack).quantize(D("0.1"))
        order = OrderRequest(
            "", BTC, stop.inst_id, L.SWAP, stop.side, OrderKind.IOC, stop.size, limit, True, px
        )
        if self._reducible(order) > 0:
            found = self._accept(order, FINE)
            del self.orders[""]
            self.orders[f"algo{stop.algo_id}"] = found
            self.clock.later(20, lambda: self._push(found))

    def look(self) -> None:
        """How long has something been held that no stop protects?"""
        is_bare = bool(self.position) and not any(s.state is StopState.LIVE for s in self.waiting.values())
        now_ms = self.clock.now_ms()
        if not is_bare:
            self._bare_since_ms = None
        elif self._bare_since_ms is None:
            self._bare_since_ms = now_ms
        if self._bare_since_ms is not None:
            self.had_no_stop_ms = max(self.had_no_stop_ms, now_ms - self._bare_since_ms)

    async def place_stop(self, stop: StopRequest) -> str:
        await asyncio.sleep(0)
        fate = self.stop_script.pop(0) if self.stop_script else ""
        if fate == "lost":
            raise VenueDown("no answer")
        if fate.isdigit():
            raise VenueRejected("refused", fate)
        if not self.position:
            raise VenueRejected("no position", "51058")
        algo_id = str(len(self.waiting) + 1)
        self.waiting[stop.cl_id] = StopRecord(
            stop.cl_id,
            algo_id,
            stop.inst_id,
            stop.side,
            stop.size,
            stop.trigger_px,
            StopState.LIVE,
            "",
            self.clock.now_ms(),
        )
        self.look()
        if fate == "ack_lost":
            raise VenueDown("endpoint timeout", "50004")
        return algo_id

    async def cancel_stop(self, inst_id: str, cl_id: str) -> None:
        self._answer()
        stop = self.waiting.get(cl_id)
        if stop is None or stop.state.is_final:
            raise VenueRejected("gone", "51400")
        self.waiting[cl_id] = replace(stop, state=StopState.CANCELED)
        self.look()

    async def stop(self, cl_id: str) -> StopRecord | None:
        self._answer()
        return self.waiting.get(cl_id)

    async def stops(self) -> tuple[StopRecord, ...]:
        self._answer()
        return tuple(s for s in self.waiting.values() if s.state is StopState.LIVE)

    def standing(self) -> list[StopRecord]:
        return [s for s in self.waiting.values() if s.state is StopState.LIVE]


class Sleeve:
    """`restart` makes everything anew from the journal, as a new process does."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.journal = FakeJournal()
        self.venue = SleeveVenue(self.clock)
        self.told: list[tuple[str, str]] = []
        self.rules = AuxiliaryModules()
        self.refuses: Callable[[OrderRequest], str] = lambda order: ""
        self._tasks: list[asyncio.Task[None]] = []
        self._epoch = 0

    # --- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        self._epoch += 1
        self.books = SleeveBooks()
        self.permissions = Permissions(self.journal, self.clock, self)
        for row in self.journal.written:
            self.books.apply(row)
            self.permissions.fold(row)
        self.journal.listeners = [self.books.apply, lambda row: self.venue.look()]
        body: dict[str, object] = {"epoch": self._epoch}
        if self._epoch == 1:
            body["opening_cash"] = dict(self.venue.cash)
        self.journal.append(Kind.BOOT, self.clock.now_ms(), body)
        ids = JournalIds(self._epoch)
        settings = Settings()
        self.orders = OrderManager(
            self.venue,
            self.journal,
            self.clock,
            settings.risk.execution,
            self._gate,
            self.books,
            lambda _: self.venue.pair,
            self._foreign,
            on_late=lambda: self.engine.differ(),
        )
        self.venue.sink = self.orders
        keeper = StopKeeper(self.venue, self.journal, self.books, self.clock, ids)
        self.comparison = Comparison(
            self.venue,
            self.venue,
            self.orders,
            keeper,
            self.journal,
            self.books,
            self.clock,
            {BTC: self.venue.pair},
        )
        tools = PositionTools(
            self.orders,
            keeper,
            self.books,
            self.venue,
            self.clock,
            ids,
            settings.risk.execution,
            lambda _: self.venue.pair,
            self._book,
            lambda: self.engine.differ(),
        )
        around = Surroundings(
            self._judge,
            lambda: CAPITAL,
            lambda _: self.venue.pair.swap,
            lambda _: self.venue.mids[self.venue.pair.swap.inst_id],
        )
        self.engine = SleeveEngine(
            SleeveParts(
                self.books,
                PlanConduct(around),
                PositionTrader(tools),
                self.journal,
                self.permissions,
                self.clock,
                self,
                lambda _: self.venue.pair.swap.step,
                ids.position_id,
                self.comparison.compare,
                lambda name: self.sight(),
            )
        )
        await self.engine.boot()
        self._tasks = [asyncio.create_task(self.engine.run())]

    async def die(self) -> None:
        """The process is gone: nothing it waited for comes back to it."""
        self.venue.sink = None
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def restart(self) -> None:
        await self.die()
        await self.start()

    async def settle(self, seconds: float = 30) -> None:
        """Let so much time pass."""
        await self.clock.sleep(seconds)

    # --- what is seen -----------------------------------------------------------------------------

    def sight(self) -> Sight:
        return Sight(self.clock.now_ms(), self.venue.mids[self.venue.pair.swap.inst_id])

    async def mark(self, px: Decimal | int, seconds: float = 5) -> None:
        self.venue.mark(D(px))
        self.engine.see(BTC, self.sight())
        await self.settle(seconds)

    def propose(self, side: Side = Side.BUY) -> Judged:
        px = self.venue.mids[self.venue.pair.swap.inst_id]
        return self.engine.propose(signal(self.clock.now_ms(), side, px))

    @property
    def at_venue(self) -> Base:
        """Coins, signed."""
        return Base(self.venue.position * self.venue.pair.swap.ct_val)

    def events(self) -> list[str]:
        return [row.body["event"] for row in self.journal.of(Kind.POSITION)]

    # --- ports ----------------------------------------------------------------------------------

    def tell(self, topic: str, level: str, fields: object) -> None:
        self.told.append((topic, str(fields)))

    def _gate(self, order: OrderRequest) -> Verdict:
        why = self.refuses(order)
        return Verdict(not why, "test", why)

    def _foreign(self, record: OrderRecord, fill: Fill | None) -> None:
        if fill is not None:
            self.comparison.book(BTC, fill)
        self.engine.differ()

    async def _book(self, name: str) -> Book | None:
        return await self.venue.book(self.venue.pair.swap.inst_id)

    def _judge(self, proposal: Signal, view: SleeveView, now_ms: int) -> Judgement:
        market: MarketView = self.venue.view(BTC)
        return judge(proposal, view, market, self.rules, now_ms)
