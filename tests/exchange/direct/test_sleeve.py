"""The sleeve's account on a venue in this process: by plain calls it is what it is through the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from core.clock import VirtualLoop
from core.errors import VenueRejected
from core.protection import Protection, StopRequest, StopState
from core.types import Book, Contracts, Fill, Leg, OrderKind, OrderRecord, OrderRequest, Side
from exchange.direct.deliveries import Deliveries
from exchange.direct.desk import DirectTrading
from exchange.direct.line import DirectStreams, DirectTime
from exchange.direct.protection import DirectProtection
from exchange.direct.sleeve import MARKS_EVERY_MS, DirectSleeveFeed
from exchange.direct.stores import DirectAccount
from exchange.okx.endpoints import Credentials
from exchange.okx.protection import OkxProtection
from exchange.okx.rest import OkxRest
from exchange.okx.sdk import Sdk
from exchange.okx.trading import OkxTrading
from exchange.sim.exchange import NEUTRAL, Exchange
from exchange.sim.model import AccountState
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.switchboard import Switchboard
from scripts.simulation.crossings import Crossings
from scripts.simulation.time import SimClock, SimLoop
from scripts.simulation.way import AT_ONCE, Way
from scripts.simulation.world import ENDPOINTS
from tests.exchange.sim.worlds import MINUTE_MS, SWAP, StillMarket

D = Decimal
NAME, ETH = "BTC-USDT", "ETH-USDT-SWAP"
KEY = Credentials("sleeve-key", "secret", "phrase")


def order(
    side: Side, size: str, limit_px: str, cl_id: str, *, closes: bool = False, inst_id: str = SWAP
) -> OrderRequest:
    price = D(limit_px)
    return OrderRequest(
        cl_id, NAME, inst_id, Leg.SWAP, side, OrderKind.IOC, D(size), price, closes, price
    )  # fmt: skip


def stop(side: Side, trigger_px: str, cl_id: str, size: str = "10", inst_id: str = SWAP) -> StopRequest:
    return StopRequest(cl_id, NAME, inst_id, side, Contracts(D(size)), D(trigger_px))


def a_venue() -> tuple[StillMarket, Exchange, AccountState]:
    market = StillMarket()
    venue = Exchange(market, seed=1, profile=NEUTRAL)
    account = venue.create_account("sleeve", KEY.key, KEY.secret, KEY.passphrase, {"USDT": D(10_000)})
    return market, venue, account


# --- the same as through the protocol -----------------------------------------------------------


@dataclass
class Twin:
    """One venue behind both kinds of ports."""

    market: StillMarket
    venue: Exchange
    board: Switchboard
    store: DirectAccount
    trading: DirectTrading
    protection: DirectProtection
    wired: OkxTrading
    wired_protection: OkxProtection

    def mark(self, price: float) -> None:
        self.market.mark["BTC"] = price
        self.board.run_until(self.venue.now_ms + MINUTE_MS)


Run = Callable[[Callable[[Twin], Awaitable[None]]], None]


@pytest.fixture
def run() -> Iterator[Run]:
    market, venue, account = a_venue()
    board = Switchboard(premises_of(venue))
    loop = SimLoop(board)

    async def played(test: Callable[[Twin], Awaitable[None]]) -> None:
        clock = SimClock(board)
        rest = OkxRest(ENDPOINTS, KEY, clock, Way(board, Crossings(), AT_ONCE), Sdk)
        store = DirectAccount(venue, account, sleeve=True)
        after = Deliveries(venue).deliver
        twin = Twin(
            market, venue, board, store,
            DirectTrading(venue, account, store, after, isolated=True),
            DirectProtection(venue, account, after),
            OkxTrading(rest, clock, isolated=True),
            OkxProtection(rest),
        )  # fmt: skip
        await test(twin)
        await rest.close()

    yield lambda test: loop.run_until_complete(played(test))
    loop.close()


def as_written(told: object) -> Any:
    """No more digits than the protocol writes."""
    if isinstance(told, Decimal):
        return round(told, 10)
    if isinstance(told, dict):
        return {name: as_written(one) for name, one in told.items()}
    return told


async def same(twin: Twin) -> None:
    """Whatever may be asked is answered alike."""
    for ask in (
        lambda t: t.account_config(),
        lambda t: t.leverage(SWAP),
        lambda t: t.leverage(ETH),
        lambda t: t.open_orders(),
        lambda t: t.fills(0),
        lambda t: t.bills(0),
        lambda t: t.order(SWAP, "o1"),
        lambda t: t.order(ETH, "o2"),
    ):
        question: Callable[[Any], Awaitable[Any]] = ask
        assert await question(twin.trading) == await question(twin.wired)
    for cl_id in ("s1", "s2", "s3", "nobody"):
        assert await twin.protection.stop(cl_id) == await twin.wired_protection.stop(cl_id)
    assert await twin.protection.stops() == await twin.wired_protection.stops()
    twin.store.changed()  # what the wired port did at this instant is not delivered here
    here, there = await twin.trading.account(), await twin.wired.account()
    there = replace(there, ts_ms=here.ts_ms, seen_ms=here.seen_ms, funding_wallet=here.funding_wallet)
    assert as_written(asdict(here)) == as_written(asdict(there))


def test_positions_both_ways_and_their_stops_are_the_same_from_beginning_to_end(run: Run) -> None:
    async def compare(twin: Twin) -> None:
        await twin.trading.set_leverage(SWAP, D(2))
        await twin.trading.place(order(Side.BUY, "10", "60100", "o1"))
        await twin.wired.place(order(Side.SELL, "10", "2990", "o2", inst_id=ETH))
        await twin.protection.place_stop(stop(Side.SELL, "59000", "s1"))
        await twin.wired_protection.place_stop(stop(Side.BUY, "3100", "s2", inst_id=ETH))
        await same(twin)
        held = (await twin.trading.account()).positions
        assert held[SWAP].contracts == 10 and held[ETH].contracts == -10
        assert [one.cl_id for one in await twin.protection.stops()] == ["s2", "s1"]
        twin.mark(58_990)
        await same(twin)
        gone = await twin.protection.stop("s1")
        assert gone is not None and gone.state is StopState.EFFECTIVE
        await twin.protection.cancel_stop(ETH, "s2")
        await twin.protection.place_stop(stop(Side.BUY, "3100", "s3", inst_id=ETH))
        await twin.trading.place(order(Side.BUY, "10", "3010", "o3", closes=True, inst_id=ETH))
        await same(twin)
        assert not (await twin.trading.account()).positions and not await twin.protection.stops()

    run(compare)


def test_a_refusal_is_the_same_error_with_the_same_code(run: Run) -> None:
    async def refused(doing: Awaitable[object]) -> str:
        with pytest.raises(VenueRejected) as no:
            await doing
        return no.value.code

    async def compare(twin: Twin) -> None:
        without = [await refused(p.place_stop(stop(Side.SELL, "59000", "s1"))) for p in protections(twin)]
        await twin.trading.place(order(Side.BUY, "10", "60100", "o1"))
        passed = [await refused(p.place_stop(stop(Side.SELL, "61000", "s1"))) for p in protections(twin)]
        absent = [await refused(p.cancel_stop(SWAP, "s1")) for p in protections(twin)]
        geared = [await refused(t.set_leverage(SWAP, D(500))) for t in (twin.trading, twin.wired)]
        for here, there in (without, passed, absent, geared):
            assert here == there
        assert len({codes[0] for codes in (without, passed, absent, geared)}) == 4

    run(compare)


def protections(twin: Twin) -> tuple[Protection, Protection]:
    return twin.protection, twin.wired_protection


# --- what the sleeve hears -------------------------------------------------------------------------


class Ear:
    def __init__(self, venue: Exchange) -> None:
        self._venue = venue
        self.marks: list[tuple[int, str, Decimal]] = []
        self.books: list[Book] = []
        self.orders: list[tuple[OrderRecord, Fill | None]] = []

    def on_mark(self, inst_id: str, px: Decimal, at_ms: int) -> None:
        assert at_ms == self._venue.now_ms
        self.marks.append((at_ms, inst_id, px))

    def on_book(self, book: Book) -> None:
        self.books.append(book)

    def on_order(self, record: OrderRecord, fill: Fill | None) -> None:
        self.orders.append((record, fill))


class Stage:
    """Engine and sleeve with an account each, on the same venue and virtual time."""

    def __init__(self) -> None:
        self.market, self.venue, self.account = a_venue()
        self.ear, self.engine = Ear(self.venue), Ear(self.venue)
        demo, deliveries = self.venue.accounts["demo"], Deliveries(self.venue)
        own = DirectAccount(self.venue, demo)
        self.store = DirectAccount(self.venue, self.account, sleeve=True)
        self.streams = DirectStreams(self.venue, demo, own, deliveries)
        self.streams.orders = self.engine
        ear = self.ear
        self.feed = DirectSleeveFeed(
            self.venue, self.account, self.store, deliveries, ear, ear.on_mark, ear.on_book
        )
        self.keeper = DirectTime(self.venue, self.streams)
        self.keeper.sleeve = self.feed
        after = deliveries.deliver
        self.trading = DirectTrading(self.venue, self.account, self.store, after, isolated=True)
        self.protection = DirectProtection(self.venue, self.account, after)
        self.mine = DirectTrading(self.venue, demo, own, after)

    def play(self, scene: Callable[[], Awaitable[None]]) -> None:
        async def played() -> None:
            await self.streams.start()
            await self.feed.start()
            await scene()

        with asyncio.Runner(loop_factory=lambda: VirtualLoop(self.keeper)) as runner:
            runner.run(played())


def test_a_watched_mark_is_told_when_it_moves_and_repeated_while_it_stands() -> None:
    stage = Stage()

    async def scene() -> None:
        await asyncio.sleep(60)
        assert not stage.ear.marks and set(stage.feed.health()) == {"sleeve private"}
        stage.feed.watch([SWAP])
        assert stage.feed.health()["sleeve public"].live
        begun_ms = stage.venue.now_ms
        await asyncio.sleep(25)
        assert [at_ms - begun_ms for at_ms, _, _ in stage.ear.marks] == [
            0,
            MARKS_EVERY_MS,
            2 * MARKS_EVERY_MS,
        ]
        assert {px for _, _, px in stage.ear.marks} == {D(60_000)}
        stage.market.mark["BTC"] = 60_321.0
        await asyncio.sleep(60)
        assert stage.ear.marks[-1][2] == 60_321
        assert stage.ear.books[-1].inst_id == SWAP and stage.ear.books[-1].is_sane
        assert len(stage.ear.books[-1].bids) == 5
        stage.feed.watch([])
        count = len(stage.ear.marks)
        await asyncio.sleep(600)
        assert len(stage.ear.marks) == count

    stage.play(scene)


@pytest.mark.parametrize(
    ("opens", "limit_px", "trigger_px", "beyond"),
    [(Side.BUY, "60100", "59000", 58_990.0), (Side.SELL, "59900", "61000", 61_010.0)],
    ids=["long", "short"],
)
def test_each_account_hears_its_own_and_a_stops_fill_names_it(
    opens: Side, limit_px: str, trigger_px: str, beyond: float
) -> None:
    stage = Stage()

    async def scene() -> None:
        await stage.trading.place(order(opens, "10", limit_px, "o1"))
        await stage.mine.place(order(Side.SELL, "5", "59900", "e1"))
        await stage.protection.place_stop(stop(opens.opposite, trigger_px, "s1"))
        stage.feed.watch([SWAP])
        assert {record.cl_id for record, _ in stage.ear.orders} == {"o1"}
        assert {record.cl_id for record, _ in stage.engine.orders} == {"e1"}
        assert stage.store.snapshot().contracts(SWAP) == 10 * opens.sign
        stage.ear.orders.clear()
        stage.market.mark["BTC"] = beyond
        await asyncio.sleep(120)
        told = [record for record, _ in stage.ear.orders]
        assert told and {record.algo_cl_id for record in told} == {"s1"}
        assert sum(fill.size for _, fill in stage.ear.orders if fill) == 10
        assert not stage.store.snapshot().positions
        assert {record.cl_id for record, _ in stage.engine.orders} == {"e1"}

    stage.play(scene)


def test_nothing_is_leapt_over_while_the_sleeve_watches_a_price() -> None:
    stage, asked = Stage(), [0]

    def leap() -> bool:
        asked[0] += 1
        return False

    stage.keeper.leap = leap

    async def scene() -> None:
        stage.feed.watch([SWAP])
        asked[0] = 0
        await asyncio.sleep(60)
        assert asked[0] == 0
        stage.feed.watch([])
        await asyncio.sleep(60)
        assert asked[0] > 0

    stage.play(scene)


def test_the_sleeves_account_is_told_what_its_position_is_worth_now_and_then() -> None:
    stage = Stage()
    seen: list[int] = []

    class Sink:
        def on_account(self, snapshot: object) -> None:
            seen.append(stage.venue.now_ms)

    async def scene() -> None:
        await stage.trading.place(order(Side.BUY, "10", "60100", "o1"))
        stage.feed.watch([SWAP])
        stage.store.sinks.append(Sink())
        await asyncio.sleep(300)
        assert 4 <= len(seen) <= 6

    stage.play(scene)
