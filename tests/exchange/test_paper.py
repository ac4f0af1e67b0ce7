"""The paper account: fills from the live book, money that adds up, and a life beyond one process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import MarketView, StreamHealth
from core.errors import VenueRejected
from core.facts import Kind, Row, canonical, plain
from core.ledger import Ledger
from core.types import (
    AccountSnapshot,
    BillKind,
    Book,
    FeeRates,
    Fill,
    Leg,
    OrderKind,
    OrderRecord,
    OrderRequest,
    OrderStatus,
    SettledFunding,
    Side,
    TransferStatus,
    Wallet,
)
from exchange.account_data import AccountData
from exchange.paper import PaperAccount
from exchange.paper_streams import EVERY_S, PaperStreams
from tests.fakes import START_MS, FakeClock, btc

D = Decimal
PAIR = btc()
NAME, SPOT, SWAP = PAIR.name, PAIR.spot.inst_id, PAIR.swap.inst_id
FEES = FeeRates(D("0.0008"), D("0.001"), D("0.0002"), D("0.0005"))
EXACT = D("1e-15")


class World:
    """One pair's market and the account trading on it."""

    def __init__(self, cash: str = "100000", clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.market = MarketView(PAIR, mark_px=D(60_000))
        self.quote(SPOT, bids=[("59990", "0.5"), ("59980", "1")], asks=[("60010", "0.5"), ("60020", "1")])
        self.quote(SWAP, bids=[("60000", "30"), ("59950", "90")], asks=[("60050", "30"), ("60100", "90")])
        self.told: list[tuple[OrderRecord, Fill | None]] = []
        self.seen: list[AccountSnapshot] = []
        self.sent = 0
        self.paper = self.start(cash)

    def start(self, cash: str) -> PaperAccount:
        paper = PaperAccount(self, self.clock, D(cash), sink=self, fees=FEES)
        paper.on_change = self.seen.append
        return paper

    @property
    def names(self) -> tuple[str, ...]:
        return (NAME,)

    def view(self, name: str) -> MarketView:
        assert name == NAME
        return self.market

    def on_order(self, record: OrderRecord, fill: Fill | None) -> None:
        self.told.append((record, fill))

    def quote(self, inst_id: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        def levels(side: list[tuple[str, str]]) -> tuple[tuple[Decimal, Decimal], ...]:
            return tuple((D(px), D(size)) for px, size in side)

        book = Book(inst_id, levels(bids), levels(asks), START_MS, START_MS, 1)
        part = {"spot": book} if inst_id == SPOT else {"swap": book}
        self.market = replace(self.market, **part)  # type: ignore[arg-type]

    async def send(
        self,
        leg: Leg,
        side: Side,
        size: str | Decimal,
        limit: str = "",
        *,
        reduce_only: bool = False,
        kind: OrderKind = OrderKind.IOC,
    ) -> OrderRecord:
        self.sent += 1
        inst_id = SPOT if leg is Leg.SPOT else SWAP
        limit_px = D(limit or ("99999" if side is Side.BUY else "1"))
        cl_id = f"o{self.sent}"
        request = OrderRequest(
            cl_id, NAME, inst_id, leg, side, kind, D(size), limit_px, reduce_only, D(60_000)
        )
        await self.paper.place(request)
        record = await self.paper.order(inst_id, cl_id)
        assert record is not None
        return record

    async def identities(self) -> set[str]:
        fills, bills = await self.paper.fills(0), await self.paper.bills(0)
        return {b.bill_id for b in bills} | {i for f in fills for i in (f.ord_id, f.trade_id)}

    async def ledger(self) -> Ledger:
        """Our own books of all this account ever told."""
        ledger = Ledger()
        rows: list[tuple[Kind, Mapping[str, object]]] = [
            (Kind.BOOT, {"opening_cash": {"USDT": D(100_000)}}),
            *((Kind.FILL, self.fill_row(f)) for f in await self.paper.fills(0)),
            *((Kind.BILL, self.bill_row(b)) for b in await self.paper.bills(0)),
        ]
        for n, (kind, body) in enumerate(rows):
            ledger.apply(Row(n + 1, kind, START_MS, json.loads(canonical(plain(body))), ""))
        return ledger

    @staticmethod
    def fill_row(fill: Fill) -> Mapping[str, object]:
        is_swap = fill.inst_id == SWAP
        return {
            "hedge_id": "h",
            "instrument": NAME,
            "leg": Leg.SWAP if is_swap else Leg.SPOT,
            "ref_mid": D(60_000),
            "ct_val": PAIR.swap.ct_val if is_swap else D(1),
            "fill": fill,
        }

    @staticmethod
    def bill_row(bill: object) -> Mapping[str, object]:
        return {"bill": bill, "instrument": NAME, "hedge_id": "h"}


@pytest.fixture
def world() -> World:
    return World()


# --- fills ------------------------------------------------------------------------------------


async def test_a_buy_walks_the_asks_and_pays_its_fee_in_the_coin(world: World) -> None:
    record = await world.send(Leg.SPOT, Side.BUY, "0.8")
    assert record.status is OrderStatus.FILLED and record.filled == D("0.8")
    cost = D("0.5") * 60_010 + D("0.3") * 60_020
    assert record.avg_px == cost / D("0.8")
    assert (record.fee, record.fee_ccy) == (D("-0.0008"), "BTC")
    account = await world.paper.account()
    assert account.cash("USDT") == 100_000 - cost
    assert account.cash("BTC") == D("0.7992")


async def test_a_sell_walks_the_bids_and_pays_its_fee_in_usdt(world: World) -> None:
    await world.send(Leg.SPOT, Side.BUY, "0.5")
    before = (await world.paper.account()).cash("USDT")
    record = await world.send(Leg.SPOT, Side.SELL, "0.4")
    assert record.avg_px == D(59_990)
    assert (await world.paper.account()).cash("USDT") == before + D("0.4") * 59_990 * D("0.999")


async def test_nothing_fills_beyond_the_limit_and_the_rest_is_cancelled(world: World) -> None:
    record = await world.send(Leg.SPOT, Side.BUY, "0.8", "60010")
    assert record.status is OrderStatus.CANCELED and record.filled == D("0.5")
    record = await world.send(Leg.SWAP, Side.SELL, "40", "60000")
    assert record.status is OrderStatus.CANCELED and record.filled == 30
    record = await world.send(Leg.SPOT, Side.BUY, "0.8", "60000")
    assert (record.status, record.filled, record.avg_px) == (OrderStatus.CANCELED, D(0), None)


async def test_no_order_rests_on_paper(world: World) -> None:
    record = await world.send(Leg.SPOT, Side.BUY, "0.1", kind=OrderKind.POST_ONLY)
    assert (record.status, record.filled) == (OrderStatus.CANCELED, D(0))
    assert await world.paper.open_orders() == ()
    with pytest.raises(VenueRejected, match="51400"):
        await world.paper.cancel(SPOT, "o1")


async def test_every_order_is_told_with_its_fill_before_place_returns(world: World) -> None:
    record = await world.send(Leg.SWAP, Side.SELL, "10")
    ((told, fill),) = world.told
    assert told == record and fill is not None
    assert await world.paper.order_fills(SWAP, record.ord_id) == (fill,)
    assert (fill.cl_id, fill.size, fill.px) == ("o1", D(10), D(60_000))
    assert world.seen[-1].contracts(SWAP) == -10


async def test_a_client_id_is_taken_once(world: World) -> None:
    await world.send(Leg.SPOT, Side.BUY, "0.1")
    world.sent = 0
    with pytest.raises(VenueRejected, match="51016"):
        await world.send(Leg.SPOT, Side.BUY, "0.1")
    assert len(await world.paper.fills(0)) == 1


async def test_without_a_sane_book_nothing_is_traded(world: World) -> None:
    world.quote(SPOT, bids=[("60010", "1")], asks=[("60000", "1")])
    with pytest.raises(VenueRejected, match="51109"):
        await world.send(Leg.SPOT, Side.BUY, "0.1")
    world.market = replace(world.market, swap=None)
    with pytest.raises(VenueRejected, match="51109"):
        await world.send(Leg.SWAP, Side.SELL, "1")


async def test_what_the_account_does_not_have_is_refused_and_changes_nothing(world: World) -> None:
    for leg, side, size in ((Leg.SPOT, Side.BUY, "1.5"), (Leg.SPOT, Side.SELL, "0.00001")):
        world.paper = world.start("80000")
        with pytest.raises(VenueRejected, match="51008"):
            await world.send(leg, side, size)
        account = await world.paper.account()
        assert account.cash("USDT") == 80_000 and account.cash("BTC") == 0
        assert await world.paper.fills(0) == ()


# --- the short --------------------------------------------------------------------------------


async def test_a_short_is_marked_and_realised_at_its_average_price(world: World) -> None:
    await world.send(Leg.SWAP, Side.SELL, "60")  # 30 at 60000, 30 at 59950: 59975 on average
    world.market = replace(world.market, mark_px=D(59_000))
    account = await world.paper.account()
    position = account.positions[SWAP]
    assert (position.contracts, position.avg_px, position.upl) == (D(-60), D(59_975), D("0.6") * 975)
    fee = D("0.6") * 59_975 * D("0.0005")
    assert account.balances["USDT"].cash == 100_000 - fee
    assert account.balances["USDT"].equity == 100_000 - fee + D("0.6") * 975

    world.quote(SWAP, bids=[("58990", "90")], asks=[("59000", "90")])
    await world.send(Leg.SWAP, Side.BUY, "20", reduce_only=True)
    account = await world.paper.account()
    assert account.cash("USDT") == 100_000 - fee + D("0.2") * 975 - D("0.2") * 59_000 * D("0.0005")
    assert account.positions[SWAP].avg_px == 59_975
    await world.send(Leg.SWAP, Side.BUY, "40", reduce_only=True)
    assert SWAP not in (await world.paper.account()).positions


async def test_reduce_only_never_crosses_zero_and_never_adds(world: World) -> None:
    with pytest.raises(VenueRejected, match="51169"):
        await world.send(Leg.SWAP, Side.BUY, "5", reduce_only=True)
    await world.send(Leg.SWAP, Side.SELL, "10")
    with pytest.raises(VenueRejected, match="51169"):
        await world.send(Leg.SWAP, Side.SELL, "5", reduce_only=True)
    record = await world.send(Leg.SWAP, Side.BUY, "25", reduce_only=True)
    assert record.filled == 10 and record.status is OrderStatus.CANCELED
    assert (await world.paper.account()).contracts(SWAP) == 0


async def test_funding_is_paid_once_for_each_settlement_passed_while_short(world: World) -> None:
    hour = 3_600_000
    before = SettledFunding(START_MS - hour, D("0.01"))
    world.market = replace(world.market, settled=(before,))
    await world.send(Leg.SWAP, Side.SELL, "10")
    cash = (await world.paper.account()).cash("USDT")
    passed, to_come = SettledFunding(START_MS + hour, D("0.0001")), SettledFunding(START_MS + 9 * hour, D(1))
    world.market = replace(world.market, settled=(before, passed, to_come))
    assert await world.paper.bills(0) == ()  # its time has not come
    await world.clock.sleep(3600)
    (bill,) = await world.paper.bills(0)
    assert (bill.kind, bill.change, bill.px, bill.size) == (BillKind.FUNDING, D("0.6"), D(60_000), D(10))
    assert await world.paper.bills(0) == (bill,)
    assert (await world.paper.account()).cash("USDT") == cash + D("0.6")


async def test_a_negative_rate_is_paid_by_the_short(world: World) -> None:
    await world.send(Leg.SWAP, Side.SELL, "10")
    await world.clock.sleep(10)
    world.market = replace(world.market, settled=(SettledFunding(START_MS + 1, D("-0.0002")),))
    (bill,) = await world.paper.bills(0)
    assert bill.change == D("-1.2")
    assert bill.ts_ms == world.clock.now_ms()  # booked now: whoever asks for new bills gets it


async def test_a_late_settlement_is_not_behind_the_bills_seen_before(world: World) -> None:
    await world.send(Leg.SWAP, Side.SELL, "10")
    await world.clock.sleep(3600)
    await world.paper.transfer("t1", "USDT", D(10), Wallet.TRADING, Wallet.FUNDING)
    (seen,) = await world.paper.bills(0)
    world.market = replace(world.market, settled=(SettledFunding(START_MS + 1, D("0.0001")),))
    assert BillKind.FUNDING in {bill.kind for bill in await world.paper.bills(seen.ts_ms)}


# --- money ------------------------------------------------------------------------------------


async def test_a_transfer_moves_money_both_ways_and_leaves_bills(world: World) -> None:
    ident = await world.paper.transfer("t1", "USDT", D(30_000), Wallet.TRADING, Wallet.FUNDING)
    assert (await world.paper.transfer_state(ident)).status is TransferStatus.DONE
    assert await world.paper.wallet() == {"USDT": D(30_000)}
    account = await world.paper.account()
    assert account.cash("USDT") == 70_000 and account.funding_wallet == {"USDT": D(30_000)}
    assert world.seen[-1] == account
    await world.paper.transfer("t2", "USDT", D(10_000), Wallet.FUNDING, Wallet.TRADING)
    assert [b.change for b in await world.paper.bills(0)] == [-30_000, 10_000]
    with pytest.raises(VenueRejected, match="58350"):
        await world.paper.transfer("t3", "USDT", D(20_001), Wallet.FUNDING, Wallet.TRADING)
    assert await world.paper.wallet() == {"USDT": D(20_000)}


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "short", "cover", "transfer", "back", "settle"]),
        st.integers(1, 200),
        st.integers(-200, 200),
    ),
    max_size=25,
)


@given(acts=ACTS)
def test_cash_and_coins_equal_our_own_books_whatever_happened(acts: list[tuple[str, int, int]]) -> None:
    async def play() -> None:
        world = World()
        for n, (act, amount, move) in enumerate(acts):
            shift = D(move)
            world.quote(SPOT, [(str(59_990 + shift), "0.5")], [(str(60_010 + shift), "0.7")])
            world.quote(SWAP, [(str(59_995 + shift), "50")], [(str(60_015 + shift), "70")])
            try:
                match act:
                    case "buy":
                        await world.send(Leg.SPOT, Side.BUY, D(amount) / 100)
                    case "sell":
                        await world.send(Leg.SPOT, Side.SELL, D(amount) / 100)
                    case "short":
                        await world.send(Leg.SWAP, Side.SELL, D(amount))
                    case "cover":
                        await world.send(Leg.SWAP, Side.BUY, D(amount))
                    case "transfer":
                        await world.paper.transfer("t", "USDT", D(amount), Wallet.TRADING, Wallet.FUNDING)
                    case "back":
                        await world.paper.transfer("t", "USDT", D(amount), Wallet.FUNDING, Wallet.TRADING)
                    case "settle":
                        await world.clock.sleep(60)
                        rate = SettledFunding(world.clock.now_ms(), shift / 100_000)
                        world.market = replace(world.market, settled=(*world.market.settled, rate))
                        await world.paper.bills(0)
            except VenueRejected:
                assert n >= 0  # refused: the books below must not have changed either
        account, ledger = await world.paper.account(), await world.ledger()
        assert account.cash("BTC") >= 0
        assert {c: g for c, g in ledger.differences(account).items() if abs(g) > EXACT} == {}
        position = ledger.positions.get(NAME)
        held = position.base if position else D(0)
        assert held == PAIR.swap.to_base(account.contracts(SWAP))
        wallet = (await world.paper.wallet()).get("USDT", D(0))
        assert wallet == -ledger.transfers

    asyncio.run(play())


# --- beyond one process -----------------------------------------------------------------------


async def test_the_books_bring_an_account_back_as_it_was(world: World) -> None:
    await world.send(Leg.SPOT, Side.BUY, "0.5")
    await world.send(Leg.SWAP, Side.SELL, "50")
    await world.paper.transfer("t1", "USDT", D(20_000), Wallet.TRADING, Wallet.FUNDING)
    await world.clock.sleep(60)
    settled = SettledFunding(START_MS + 30_000, D("0.0001"))
    world.market = replace(world.market, settled=(settled,))
    await world.paper.bills(0)
    before, ledger = await world.paper.account(), await world.ledger()
    known = await world.identities()
    await world.clock.sleep(60)

    world.paper = world.start("77")
    world.paper.restore(ledger)
    after = await world.paper.account()
    assert after.balances == before.balances
    assert after.positions[SWAP].avg_px == before.positions[SWAP].avg_px
    assert after.contracts(SWAP) == -50
    assert after.funding_wallet == before.funding_wallet
    assert await world.paper.bills(0) == ()  # the settlement was paid before
    world.market = replace(world.market, settled=(settled, SettledFunding(world.clock.now_ms(), D("0.0001"))))
    assert len(await world.paper.bills(0)) == 1  # this one was not
    world.sent += 100
    await world.send(Leg.SPOT, Side.SELL, "0.1")
    assert not known & await world.identities()


class PublicStreams:
    """Streams that are told to start and stop, and do."""

    frames = 12

    def __init__(self) -> None:
        self.runs = False

    async def start(self) -> None:
        self.runs = True

    async def stop(self) -> None:
        self.runs = False

    def health(self) -> Mapping[str, StreamHealth]:
        return {"public": StreamHealth(True, 0)}


async def test_the_account_is_told_at_every_change_and_every_few_seconds(world: World) -> None:
    account, public = AccountData(world.clock), PublicStreams()
    streams = PaperStreams(public, world.paper, account, world.clock)
    await streams.start()
    assert public.runs and streams.frames == 12 and set(streams.health()) == {"public"}
    await world.clock.sleep(EVERY_S * 3)
    snapshot = account.snapshot()
    assert snapshot is not None and world.clock.now_ms() - snapshot.seen_ms <= EVERY_S * 1000
    await world.send(Leg.SWAP, Side.SELL, "10")
    told = account.snapshot()
    assert told is not None and told.contracts(SWAP) == -10
    await streams.stop()
    assert not public.runs
    await world.clock.sleep(EVERY_S * 3)
    assert account.snapshot() == told
