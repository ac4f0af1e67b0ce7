"""Start and recovery: every difference between our books and the venue's is explained, or told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from config.schema import ExecutionLimits
from core.bookkeeper import Bookkeeper
from core.context import MarketView
from core.errors import VenueDown
from core.facts import Kind, plain
from core.permission import Permissions
from core.projections import Books
from core.recovery import Reconciler
from core.sentinel import Sentinel
from core.survey import Survey
from core.types import (
    Bill,
    BillKind,
    Fill,
    Leg,
    OrderKind,
    OrderRecord,
    OrderRequest,
    OrderStatus,
    Pair,
    SettledFunding,
    Side,
)
from core.verdict import Verdict
from exchange.account_data import AccountData
from execution.order_manager import OrderManager
from tests.fakes import START_MS, FakeClock, FakeJournal, FakeTrading, Fault, VenueOrder, btc

D = Decimal
PAIR = btc()
NAME, SPOT, SWAP = PAIR.name, PAIR.spot.inst_id, PAIR.swap.inst_id
HEDGE = "FE1H1"


class Silent:
    """A notifier nobody reads aloud."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.told.append((topic, level, str(fields.get("what", fields.get("cause", "")))))


class Markets:
    """One pair; of the rest recovery asks nothing."""

    names = (NAME,)

    def view(self, name: str) -> MarketView:
        return MarketView(PAIR)

    def views(self) -> Mapping[str, MarketView]:
        return {NAME: self.view(NAME)}

    def pair(self, name: str) -> Pair:
        return PAIR

    def on_funding(self, quote: object) -> None:
        raise AssertionError("recovery learns no rates")

    def seed_settled(self, name: str, settled: Iterable[SettledFunding]) -> None:
        raise AssertionError("recovery learns no rates")

    def on_open_interest(self, name: str, coins: Decimal) -> None:
        raise AssertionError("recovery asks for no open interest")


async def _refresh() -> None:
    raise AssertionError("recovery is no review")


class Venue(FakeTrading):
    """With bills, and with orders that may fill right after they were listed as open."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock, PAIR)
        self.filed: list[Bill] = []
        self.fills_what_it_lists = False

    async def bills(self, since_ms: int) -> tuple[Bill, ...]:
        return tuple(bill for bill in self.filed if bill.ts_ms >= since_ms)

    async def open_orders(self) -> tuple[OrderRecord, ...]:
        listed = await super().open_orders()
        if self.fills_what_it_lists:
            for record in listed:
                self._take_resting(self.orders[record.cl_id], D(1))
        return listed


class World:
    """A venue, a journal that survives, and processes that come and go."""

    def __init__(self) -> None:
        self.clock, self.journal = FakeClock(), FakeJournal()
        self.trading = Venue(self.clock)
        self.told = Silent()
        self.restart()
        cash = {"opening_cash": dict(self.trading.cash)}
        self.journal.append(Kind.BOOT, START_MS, {"epoch": 1, **cash})

    def restart(self) -> None:
        """A new process: books folded from the journal, an order manager that remembers nothing."""
        self.books = Books()
        for row in self.journal.written:
            self.books.apply(row)
        self.journal.listeners = [self.books.apply]
        self.orders = OrderManager(
            self.trading, self.journal, self.clock, ExecutionLimits(),
            lambda request: Verdict(True, "gate", "open"), self.books, lambda name: PAIR,
            lambda record, fill: None,
        )  # fmt: skip
        self.trading.sink = self.orders
        markets, account = Markets(), AccountData(self.clock)
        self.permissions = Permissions(self.journal, self.clock, self.told)
        for row in self.journal.written:
            self.permissions.fold(row)
        self.survey = Survey(self.books, markets, self.permissions, self.journal, self.clock, self.told)
        self.sentinel = Sentinel(self.books, self.permissions, self.journal, self.clock, self.told)
        self.keeper = Bookkeeper(
            self.trading, Nowhere(), self.journal, self.books, markets, account, self.clock, Silent(),
            _refresh, self.survey,
        )  # fmt: skip
        self.reconciler = Reconciler(
            self.trading, self.journal, self.books, self.keeper, markets, self.orders, self.clock,
            self.sentinel, self.survey,
        )  # fmt: skip

    async def reconcile(self) -> str:
        self.restart()
        return await self.reconciler.reconcile()

    def request(self, cl_id: str, side: Side, size: str, kind: OrderKind = OrderKind.IOC) -> OrderRequest:
        leg, inst_id = (Leg.SWAP, SWAP) if "p" in cl_id else (Leg.SPOT, SPOT)
        limit = D(61_000) if side is Side.BUY else D(59_000)
        if kind is OrderKind.POST_ONLY:
            limit = D(59_000)
        return OrderRequest(cl_id, NAME, inst_id, leg, side, kind, D(size), limit, False, D(60_000))

    def meant(self, request: OrderRequest) -> None:
        """The intent is on disk; whatever comes next, the process may not be there to see it."""
        self.journal.append(Kind.HEDGE, self.clock.now_ms(), self._hedge("opened"))
        body = {"order": plain(request), "hedge_id": HEDGE, "purpose": "open"}
        self.journal.append(Kind.INTENT, self.clock.now_ms(), body)

    async def unseen(self, request: OrderRequest, fault: Fault) -> None:
        """The order is sent, and the process dies before it hears anything."""
        self.meant(request)
        self.trading.sink = None
        self.trading.on(request.inst_id, fault)
        try:
            await self.trading.place(request)
        except VenueDown:
            return  # the process never learns even that

    async def hold(self, contracts: str = "10") -> None:
        """Open a hedge in good order: coins for so many contracts of 0.01, and the short."""
        base = D(contracts) * PAIR.swap.ct_val
        for cl_id, side, size in (("s0", Side.BUY, str(base)), ("p0", Side.SELL, contracts)):
            request = self.request(cl_id, side, size)
            await self.unseen(request, Fault(push="none"))
            await self.settle(cl_id)

    async def settle(self, cl_id: str) -> None:
        self.restart()
        await self.orders.resolve(cl_id)

    def foreign(self, inst_id: str, side: Side, size: str, category: str = "normal") -> None:
        """A trade nobody here sent: by hand, or forced by the venue."""
        number, now_ms, amount = len(self.trading.orders) + 1, self.clock.now_ms(), D(size)
        record = OrderRecord(
            "", f"8{number}", inst_id, side, OrderStatus.FILLED, amount, amount, D(60_000), D(0), "USDT",
            now_ms, category,
        )  # fmt: skip
        fill = Fill(
            inst_id, f"f{number}", record.ord_id, "", side, D(60_000), amount, D(0), "USDT", now_ms
        )  # fmt: skip
        request = self.request("p?" if inst_id == SWAP else "s?", side, size)
        self.trading.orders[f"foreign {number}"] = VenueOrder(request, record, 0, [fill])
        if inst_id == SWAP:
            self.trading.position += side.sign * amount
        else:
            self.trading.cash["BTC"] = self.trading.cash.get("BTC", D(0)) + side.sign * amount

    def held(self) -> tuple[Decimal, Decimal]:
        hedge = self.books.hedge(NAME)
        return (hedge.spot_base, hedge.contracts) if hedge else (D(0), D(0))

    def venues(self) -> tuple[Decimal, Decimal]:
        return self.trading.cash.get("BTC", D(0)), -self.trading.position

    def fills(self) -> list[dict[str, Any]]:
        return [dict(row.body) for row in self.journal.of(Kind.FILL)]

    @staticmethod
    def _hedge(event: str) -> dict[str, object]:
        return {
            "hedge_id": HEDGE, "instrument": NAME, "event": event, "target_base": D("0.1"),
            "purpose": "open", "reason": "pays",
        }  # fmt: skip


class Nowhere:
    """A market of public data that recovery has no question for."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"recovery asks the market for {name}")


@pytest.fixture
def world() -> World:
    return World()


async def test_books_that_equal_the_venue_are_in_order_and_said_to_be(world: World) -> None:
    await world.hold()
    rows = len(world.fills())
    assert await world.reconcile() == ""
    assert world.held() == world.venues() and world.held()[1] == 10
    assert len(world.fills()) == rows
    note = world.journal.of(Kind.NOTE)[-1].body
    assert (note["what"], note["unexplained"]) == ("reconciled", [])


# --- our own orders ---------------------------------------------------------------------------


@pytest.mark.fault("CR2", "RE1")
@pytest.mark.parametrize("fault", [Fault(push="none"), Fault(push="none", ack_lost=True)])
async def test_an_order_nobody_saw_the_end_of_is_found_and_booked_once(world: World, fault: Fault) -> None:
    await world.unseen(world.request("s0", Side.BUY, "0.1"), fault)
    assert await world.reconcile() == ""
    assert world.held() == world.venues() == (D("0.0999"), D(0))
    assert world.books.unresolved_orders() == ()
    assert len(world.trading.sent) == 1  # asked for, never sent again
    assert await world.reconcile() == ""
    assert len(world.fills()) == 1


@pytest.mark.fault("CR1")
async def test_an_order_that_never_arrived_is_absent_and_holds_nothing(world: World) -> None:
    await world.unseen(world.request("s0", Side.BUY, "0.1"), Fault(lost=True))
    assert await world.reconcile() == ""
    assert world.held() == world.venues() == (D(0), D(0))
    assert world.books.unresolved_orders() == ()
    assert world.journal.of(Kind.ORDER)[-1].body["status"] == "absent"


@pytest.mark.fault("CR1")
async def test_a_process_that_died_before_sending_has_nothing_at_the_venue(world: World) -> None:
    world.meant(world.request("s0", Side.BUY, "0.1"))
    assert await world.reconcile() == ""
    assert world.trading.sent == [] and world.books.unresolved_orders() == ()


@pytest.mark.fault("CR3")
async def test_a_resting_order_of_ours_is_cancelled_with_what_it_had_filled(world: World) -> None:
    request = world.request("s0", Side.BUY, "0.1", OrderKind.POST_ONLY)
    await world.unseen(request, Fault(push="none", rest_fill=(10, D("0.4"))))
    await world.clock.sleep(1)
    assert await world.reconcile() == ""
    assert await world.trading.open_orders() == ()
    assert world.held() == world.venues() and world.held()[0] > 0


async def test_a_leftover_the_books_had_given_up_is_cancelled_too(world: World) -> None:
    request = world.request("s0", Side.BUY, "0.1", OrderKind.POST_ONLY)
    await world.unseen(request, Fault(push="none"))
    body = {"cl_id": "s0", "outcome": "rejected", "ord_id": "", "code": "51000", "message": ""}
    world.journal.append(Kind.ACK, world.clock.now_ms(), body)
    world.restart()
    assert world.books.unresolved_orders() == ()
    assert await world.reconcile() == ""
    assert await world.trading.open_orders() == ()


@pytest.mark.fault("OL8")
async def test_a_leftover_that_fills_while_it_is_being_cancelled_is_ours(world: World) -> None:
    request = world.request("s0", Side.BUY, "0.1", OrderKind.POST_ONLY)
    await world.unseen(request, Fault(push="none"))
    body = {"cl_id": "s0", "outcome": "rejected", "ord_id": "", "code": "51000", "message": ""}
    world.journal.append(Kind.ACK, world.clock.now_ms(), body)
    world.trading.fills_what_it_lists = True
    assert await world.reconcile() == ""
    assert world.held() == world.venues() and world.held()[0] > 0


async def test_an_order_of_somebody_else_is_left_alone(world: World) -> None:
    stranger = world.request("sx", Side.BUY, "0.1", OrderKind.POST_ONLY)
    await world.trading.place(stranger)
    assert await world.reconcile() == ""
    (left,) = await world.trading.open_orders()
    assert left.cl_id == "sx" and left.status is OrderStatus.LIVE


@pytest.mark.fault("WS6", "CR5")
async def test_a_late_fill_of_ours_is_adopted_with_the_price_its_decision_saw(world: World) -> None:
    request = replace(world.request("s0", Side.BUY, "0.1"), ref_mid=D("60001.5"))
    await world.unseen(request, Fault(push="none"))
    ended = {
        "cl_id": "s0", "ord_id": "900000", "inst_id": SPOT, "status": "filled", "filled": D("0.1"),
        "avg_px": D(60_003), "fee": D(0), "fee_ccy": "BTC", "cancel_source": "", "category": "normal",
    }  # fmt: skip
    world.journal.append(Kind.ORDER, world.clock.now_ms(), ended)  # its end is known, its fill is not
    assert await world.reconcile() == ""
    (fill,) = world.fills()
    assert (fill["hedge_id"], fill["leg"], fill["ref_mid"]) == (HEDGE, "spot", "60001.5")
    assert world.held() == world.venues()


# --- the venue and other people ---------------------------------------------------------------


@pytest.mark.fault("MG5")
async def test_a_forced_reduction_explains_the_shorter_short(world: World) -> None:
    await world.hold()
    world.foreign(SWAP, Side.BUY, "4", "adl")
    assert await world.reconcile() == ""
    assert world.held() == world.venues() and world.held()[1] == 6
    fill = world.fills()[-1]
    assert (fill["hedge_id"], fill["leg"], fill["ct_val"]) == (HEDGE, "swap", "0.01")
    assert await world.reconcile() == ""
    assert world.held()[1] == 6


@pytest.mark.fault("MI1")
async def test_coins_sold_by_hand_explain_the_shorter_spot(world: World) -> None:
    await world.hold()
    world.foreign(SPOT, Side.SELL, "0.05")
    assert await world.reconcile() == ""
    assert world.held() == world.venues()


@pytest.mark.fault("MI1", "MI3")
async def test_only_the_trades_that_took_something_away_are_adopted_and_only_as_far(world: World) -> None:
    await world.hold()
    for inst_id, side, size in (
        (SPOT, Side.BUY, "0.03"),
        (SWAP, Side.SELL, "5"),
        (SWAP, Side.BUY, "5"),
        (SPOT, Side.SELL, "0.08"),
    ):
        world.foreign(inst_id, side, size)
    adopted = len(world.fills())
    assert await world.reconcile() == ""
    (row,) = world.fills()[adopted:]  # 0.03 of the 0.08 were the operator's own
    assert (D(row["fill"]["size"]), row["split"]) == (D("0.05"), True)
    assert world.held() == world.venues() and world.held()[1] == 10


async def test_coins_of_the_operator_do_not_explain_a_forced_reduction(world: World) -> None:
    world.trading.cash["BTC"] = D(1)
    await world.hold()
    for inst_id, side, size in ((SPOT, Side.SELL, "0.5"), (SWAP, Side.BUY, "4")):
        world.foreign(inst_id, side, size)
    adopted = len(world.fills())
    spot = world.held()[0]
    assert await world.reconcile() == ""
    assert [row["fill"]["size"] for row in world.fills()[adopted:]] == ["4"]
    assert world.held() == (spot, D(6))


@pytest.mark.fault("FU5")
async def test_funding_paid_while_nobody_was_there_is_booked_to_its_hedge(world: World) -> None:
    await world.hold()
    bill = Bill("b1", BillKind.FUNDING, "8", "USDT", D("1.5"), START_MS + 1, SWAP, px=D(60_000), size=D(10))
    world.trading.filed.append(bill)
    assert await world.reconcile() == ""
    assert world.books.ledger.terms({}).funding == D("1.5")
    assert world.journal.of(Kind.BILL)[-1].body["hedge_id"] == HEDGE
    assert await world.reconcile() == ""
    assert len(world.journal.of(Kind.BILL)) == 1


@pytest.mark.fault("MI3")
async def test_foreign_inventory_is_never_ours(world: World) -> None:
    await world.hold()
    held, rows = world.held(), len(world.fills())
    world.foreign(SPOT, Side.BUY, "3")
    world.foreign(SWAP, Side.SELL, "50")
    assert await world.reconcile() == ""
    assert world.held() == held and len(world.fills()) == rows


async def test_foreign_trades_that_cancel_out_explain_nothing_and_are_left(world: World) -> None:
    await world.hold()
    rows = len(world.fills())
    world.foreign(SWAP, Side.SELL, "5")
    world.foreign(SWAP, Side.BUY, "5")
    assert await world.reconcile() == ""
    assert world.held()[1] == 10 and len(world.fills()) == rows


@pytest.mark.parametrize(
    ("spot", "contracts", "says"),
    [("-0.05", "0", "-0.05000 coins, 0 contracts short"), ("0", "4", "0 coins, -4 contracts short")],
)
async def test_what_nothing_explains_is_told_with_its_figures(
    world: World, spot: str, contracts: str, says: str
) -> None:
    await world.hold()
    world.trading.cash["BTC"] += D(spot)
    world.trading.position += D(contracts)
    found = await world.reconcile()
    assert found == f"{NAME}: {says}"
    assert world.journal.of(Kind.NOTE)[-1].body["unexplained"] == [found]


async def test_dust_below_the_lot_is_no_difference(world: World) -> None:
    await world.hold()
    world.trading.cash["BTC"] -= PAIR.spot.lot / 2
    assert await world.reconcile() == ""
    world.trading.cash["BTC"] -= PAIR.spot.lot / 2
    assert await world.reconcile() != ""


@pytest.mark.fault("RE12")
async def test_a_venue_that_does_not_answer_proves_nothing(world: World) -> None:
    await world.hold()
    world.trading.outages.append(True)
    with pytest.raises(VenueDown):
        await world.reconcile()
    assert await world.reconcile() == ""
