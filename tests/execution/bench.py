"""Execution put together on fakes: real books, a scripted venue, virtual time."""

from __future__ import annotations

from decimal import Decimal

from config.schema import Opening, Settings, Strategy
from core.events import HedgeTarget, Purpose, Report
from core.facts import Kind
from core.meters import Meters
from core.projections import Books
from core.types import ZERO, Base, Fill, Leg, OrderKind, OrderRecord, OrderRequest, Pair, Side
from core.verdict import Verdict
from execution.desk import Desk, Tools
from execution.holdings import Legs
from execution.order_manager import OrderManager
from execution.position_manager import PositionManager
from execution.rebalancer import Transfers
from tests.fakes import FEES, D, FakeClock, FakeIds, FakeJournal, FakeTrading, btc

MAKER_FIRST = Settings(strategy=Strategy(opening=Opening(maker_first=True)))


class Bench:
    def __init__(self, pair: Pair | None = None, settings: Settings | None = None) -> None:
        self.pair = pair or btc()
        self.settings = settings or Settings()
        self.clock = FakeClock()
        self.ids = FakeIds()
        self.journal = FakeJournal()
        self.books = Books()
        self.journal.listeners.append(self.books.apply)
        self.venue = FakeTrading(self.clock, self.pair)
        self.foreign: list[tuple[OrderRecord, Fill | None]] = []
        self.late = 0  # orders that came after they had been called absent or refused
        self.refuses = ""  # the gate's reason, when it says no
        self.meters = Meters()
        self.stops_after: int | None = None  # orders after which a stop is asked for
        self.hire()

    def came_late(self) -> None:
        self.late += 1

    def hire(self) -> None:
        """Make execution anew, as after a restart."""
        self.orders = OrderManager(
            self.venue,
            self.journal,
            self.clock,
            self.settings.risk.execution,
            self.gate,
            self.books,
            lambda _: self.pair,
            lambda record, fill: self.foreign.append((record, fill)),
            on_late=self.came_late,
            meters=self.meters,
        )
        self.venue.sink = self.orders
        self.tools = Tools(
            self.orders,
            self.books,
            self.clock,
            self.ids,
            lambda _: FEES,
            self.venue.account,
            self.venue.book,
            self.settings.risk.exchange.max_market_age_s * 1000,
            self.venue.fee_in_base,
        )
        self.positions = PositionManager(self.tools, self.journal, self.settings, self.stop_asked)
        self.transfers = Transfers(self.venue, self.journal, self.ids, self.clock)

    def desk(self) -> Desk:
        return Desk(self.tools, self.pair, self.venue.view)

    def gate(self, order: OrderRequest) -> Verdict:
        return Verdict(not self.refuses, "red_lines", self.refuses)

    def stop_asked(self) -> bool:
        return self.stops_after is not None and len(self.venue.sent) >= self.stops_after

    async def reach(self, base: str | Decimal, purpose: Purpose) -> Report:
        target = HedgeTarget(self.pair.name, Base(D(base)), purpose, "test")
        return await self.positions.reach(target, self.pair, self.venue.view)

    def order(self, size: str = "1", side: Side = Side.BUY, kind: OrderKind = OrderKind.IOC) -> OrderRequest:
        """A spot order for hedge h1, priced generously enough to fill at once."""
        mid = self.venue.mids[self.pair.spot.inst_id]
        spot, slack = self.pair.spot, D(1) + side.sign * D("0.01")
        return OrderRequest(
            self.ids.order_id("h1", "spot"), self.pair.name, spot.inst_id, Leg.SPOT, side, kind,
            D(size), mid * slack, False, mid,
        )  # fmt: skip

    @property
    def legs(self) -> Legs:
        """By the books."""
        hedge = self.books.hedge(self.pair.name)
        return Legs(self.pair, hedge.spot_base, hedge.contracts) if hedge else Legs(self.pair)

    @property
    def real(self) -> Legs:
        """By the venue."""
        return Legs(self.pair, self.venue.cash.get("BTC", ZERO), -self.venue.position)

    def hedge_events(self) -> list[str]:
        return [row.body["event"] for row in self.journal.of(Kind.HEDGE)]

    def sides(self) -> list[str]:
        """What was sent, in order: "buy spot", "sell swap"."""
        return [f"{order.side.value} {order.leg.value}" for order in self.venue.sent]
