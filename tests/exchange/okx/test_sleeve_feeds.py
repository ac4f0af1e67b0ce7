"""The sleeve's connections: what is watched changes at any time, a new private one catches up first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from core.types import ZERO, AccountMode, AccountSnapshot, Book, Fill, OrderRecord, Side
from exchange.account_data import AccountData
from exchange.okx.protection import OkxProtection
from exchange.okx.session import MOST_OPERATIONS, StreamTimes
from exchange.okx.sleeve_feeds import SleeveStreams
from exchange.okx.trading import OkxTrading
from tests.exchange.okx.house import KEY as SLEEVE_KEY
from tests.exchange.okx.house import House, client_of, open_house, order, stop
from tests.exchange.okx.stream_venue import Line, StreamVenue, eventually
from tests.exchange.okx.support import KEY, NOW_MS, StillClock
from tests.exchange.okx.test_parse import MARK, ORDER, POSITION

D = Decimal
BTC, ETH, SOL = "BTC-USDT-SWAP", "ETH-USDT-SWAP", "SOL-USDT-SWAP"
TIMES = StreamTimes(answer_within_s=1.0, first_pause_s=0.01)


class Ear:
    """Whoever the streams tell."""

    account: AccountData

    def __init__(self) -> None:
        self.marks: list[tuple[str, Decimal, int]] = []
        self.books: list[Book] = []
        self.orders: list[tuple[OrderRecord, Fill | None]] = []
        self.troubles: list[str] = []
        self.resyncs = 0

    @property
    def seen(self) -> AccountSnapshot:
        snapshot = self.account.snapshot()
        assert snapshot is not None
        return snapshot

    def on_mark(self, inst_id: str, px: Decimal, at_ms: int) -> None:
        self.marks.append((inst_id, px, at_ms))

    def on_book(self, book: Book) -> None:
        self.books.append(book)

    def on_order(self, record: OrderRecord, fill: Fill | None) -> None:
        self.orders.append((record, fill))

    async def resync(self) -> None:
        self.resyncs += 1


@asynccontextmanager
async def listening(venue: Any, clock: Any, ear: Ear, key: Any = KEY) -> AsyncIterator[SleeveStreams]:
    ear.account = AccountData(clock)
    ear.account.replace(AccountSnapshot(AccountMode.FUTURES, {}, {}, ZERO, ts_ms=1, seen_ms=1))
    streams = SleeveStreams(
        venue.endpoints,
        key,
        ear.account,
        ear,
        ear.on_mark,
        ear.on_book,
        clock,
        ear.resync,
        ear.troubles.append,
        silence_s=None,
        times=TIMES,
    )
    await streams.start()
    try:
        yield streams
    finally:
        await streams.stop()


@pytest.fixture
async def venue() -> AsyncIterator[StreamVenue]:  # type: ignore[override]
    async with StreamVenue() as started:
        yield started


@pytest.fixture
def ear() -> Ear:
    return Ear()


def prices(venue: StreamVenue) -> set[tuple[str, str]]:
    """What the newest public connection is subscribed to now, as the venue sees it."""
    held: set[tuple[str, str]] = set()
    for op in venue.line("public").received:
        for arg in op["args"]:
            pair = (arg["channel"], arg["instId"])
            held = held | {pair} if op["op"] == "subscribe" else held - {pair}
    return held


def both(*inst_ids: str) -> set[tuple[str, str]]:
    return {(channel, inst_id) for inst_id in inst_ids for channel in ("mark-price", "books5")}


async def test_without_anything_to_watch_there_is_the_private_connection_alone(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:
        assert set(streams.health()) == {"sleeve private"} and streams.health()["sleeve private"].live
        assert venue.count("public") == 0 and ear.resyncs == 1 and ear.troubles == []
        channels = [arg["channel"] for arg in venue.line("private").subscribed]
        assert channels == ["orders", "account", "positions", "balance_and_position"]


async def test_what_is_watched_may_grow_shrink_and_end_while_running(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:
        streams.watch([BTC])
        await eventually(lambda: venue.count("public") and prices(venue) == both(BTC))
        await eventually(lambda: streams.health()["sleeve public"].live)
        streams.watch([BTC, ETH])
        streams.watch([ETH, SOL])
        await eventually(lambda: prices(venue) == both(ETH, SOL))
        assert venue.count("public") == 1
        line = venue.line("public")
        streams.watch([])
        assert "sleeve public" not in streams.health()
        await line.closed.wait()
        streams.watch([BTC])
        await eventually(lambda: venue.count("public") == 2 and prices(venue) == both(BTC))
        await eventually(lambda: streams.health()["sleeve public"].live)
        assert ear.troubles == [] and streams.health()["sleeve public"].reconnects == 0


async def test_watching_the_same_again_asks_for_nothing(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:
        streams.watch([BTC, ETH])
        await eventually(lambda: streams.health()["sleeve public"].live)
        streams.watch([ETH, BTC])
        streams.watch([ETH, BTC, SOL])
        await eventually(lambda: prices(venue) == both(BTC, ETH, SOL))
        assert venue.line("public").ops() == ["subscribe", "subscribe"]


async def test_what_is_wanted_by_the_end_of_a_handshake_is_subscribed(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:

        async def change(line: Line, arg: dict[str, str]) -> None:
            assert not streams.health()["sleeve public"].live
            venue.on_subscribe = None
            streams.watch([ETH])

        venue.on_subscribe = change
        streams.watch([BTC])
        await eventually(lambda: venue.count("public") and prices(venue) == both(ETH))
        assert venue.line("public").ops() == ["subscribe", "unsubscribe", "subscribe"]


async def test_a_lost_connection_comes_back_with_what_is_watched_by_then(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:
        streams.watch([BTC])
        await eventually(lambda: streams.health()["sleeve public"].live)
        await venue.line("public").socket.close()
        streams.watch([ETH])
        await eventually(lambda: venue.count("public") == 2 and prices(venue) == both(ETH))
        await eventually(lambda: streams.health()["sleeve public"].live)
        assert streams.health()["sleeve public"].reconnects == 1
        assert len(ear.troubles) == 1 and ear.troubles[0].startswith("sleeve public stream lost")


async def test_a_change_that_is_not_acknowledged_costs_the_connection_not_the_change(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:
        streams.watch([BTC])
        await eventually(lambda: streams.health()["sleeve public"].live)
        venue.not_acknowledged = {"books5"}
        streams.watch([ETH])
        await venue.line("public").closed.wait()
        venue.not_acknowledged = set()
        await eventually(lambda: prices(venue) == both(ETH) and streams.health()["sleeve public"].live)


async def test_a_connection_whose_budget_of_changes_is_spent_is_replaced(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:
        streams.watch([BTC])
        await eventually(lambda: streams.health()["sleeve public"].live)
        for n in range(MOST_OPERATIONS):
            wanted = [ETH] if n % 2 else [BTC, ETH]
            streams.watch(wanted)
            await eventually(lambda wanted=wanted: prices(venue) == both(*wanted))
            if venue.count("public") > 1:
                break
        assert venue.count("public") == 2 and len(venue.lines[1].received) == MOST_OPERATIONS


async def test_marks_and_books_reach_whoever_watches_with_our_time(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    book = {"asks": [["60001", "2", "0", "1"]], "bids": [["60000", "1", "0", "1"]], "ts": "5", "seqId": 9}
    async with listening(venue, clock, ear) as streams:
        streams.watch([BTC, ETH])
        await eventually(lambda: streams.health()["sleeve public"].live)
        line = venue.line("public")
        await line.push("mark-price", BTC, [MARK])
        await line.push("books5", BTC, [book])
        await eventually(lambda: ear.books)
        assert ear.marks == [(BTC, D("60000.1"), NOW_MS)]
        (seen,) = ear.books
        assert (seen.inst_id, seen.bids, seen.asks) == (BTC, ((D(60000), D(1)),), ((D(60001), D(2)),))
        assert (seen.ts_ms, seen.seen_ms) == (5, NOW_MS)


async def test_a_push_of_what_was_dropped_is_late_and_one_never_asked_for_is_trouble(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:
        streams.watch([BTC, ETH])
        await eventually(lambda: streams.health()["sleeve public"].live)
        streams.watch([ETH])
        line = venue.line("public")
        await line.push("mark-price", BTC, [MARK])
        await line.push("mark-price", ETH, [MARK | {"instId": ETH}])
        await eventually(lambda: ear.marks)
        assert [one[0] for one in ear.marks] == [ETH] and ear.troubles == []
        await line.push("mark-price", SOL, [MARK | {"instId": SOL}])
        await eventually(lambda: ear.troubles)
        assert SOL in ear.troubles[0] and streams.health()["sleeve public"].live


async def test_private_pushes_are_read_as_the_sleeves(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    own = POSITION | {"mgnMode": "isolated", "pos": "16", "margin": "3200"}
    async with listening(venue, clock, ear):
        line = venue.line("private")
        await line.push("positions", "", [own, POSITION | {"instId": ETH}])
        await line.push("orders", "", [ORDER | {"algoClOrdId": "s1", "clOrdId": ""}])
        await eventually(lambda: ear.orders)
        assert ear.seen.contracts(BTC) == 16 and ear.seen.positions[BTC].margin == 3200
        assert list(ear.seen.strays) == [f"{ETH} cross"]
        ((record, fill),) = ear.orders
        assert record.algo_cl_id == "s1" and fill is not None and fill.ord_id == record.ord_id


async def test_the_fastest_view_of_positions_tells_the_sleeves_own(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    row = {"instType": "SWAP", "posSide": "net", "avgPx": "60000", "uTime": "1700000000100"}
    own = row | {"instId": BTC, "mgnMode": "isolated", "pos": "-7"}
    stray = row | {"instId": ETH, "mgnMode": "cross", "pos": "3"}
    async with listening(venue, clock, ear):
        await venue.line("private").push("balance_and_position", "", [{"posData": [stray, own]}])
        await eventually(lambda: ear.seen.positions)
        assert list(ear.seen.positions) == [BTC] and ear.seen.contracts(BTC) == -7


async def test_every_new_private_connection_catches_up_before_it_is_live(
    venue: StreamVenue, clock: StillClock, ear: Ear
) -> None:
    async with listening(venue, clock, ear) as streams:
        await venue.line("private").socket.close()
        await eventually(lambda: venue.count("private") == 2 and streams.health()["sleeve private"].live)
        assert ear.resyncs == 2


# --- on the simulated venue -----------------------------------------------------------------------


class Watch:
    """The sleeve's streams and client on one house."""

    def __init__(
        self, house: House, ear: Ear, streams: SleeveStreams, trading: OkxTrading, stops: OkxProtection
    ) -> None:
        self.house, self.ear, self.streams, self.trading, self.stops = house, ear, streams, trading, stops


@pytest.fixture
async def on_venue(ear: Ear) -> AsyncIterator[Watch]:
    async with open_house() as house, client_of(house) as rest:
        trading = OkxTrading(rest, house, isolated=True)
        async with listening(house, house, ear, SLEEVE_KEY) as streams:
            streams.watch([BTC])
            await eventually(lambda: streams.health()["sleeve public"].live)
            yield Watch(house, ear, streams, trading, OkxProtection(rest))


async def test_the_mark_is_told_as_it_moves(on_venue: Watch) -> None:
    await on_venue.house.mark(60_321)
    await eventually(lambda: on_venue.ear.marks and on_venue.ear.marks[-1][1] == 60_321)
    await on_venue.house.move(59_000)
    await eventually(lambda: on_venue.ear.marks[-1][1] == 59_000)
    await eventually(lambda: on_venue.ear.books and abs(on_venue.ear.books[-1].mid - 59_000) < 10)
    assert {one[0] for one in on_venue.ear.marks} == {BTC} and on_venue.ear.books[-1].is_sane


@pytest.mark.parametrize(
    ("opens", "limit_px", "trigger_px", "beyond"),
    [(Side.BUY, "60100", "59000", 58_990.0), (Side.SELL, "59900", "61000", 61_010.0)],
    ids=["long", "short"],
)
async def test_the_fill_of_a_triggered_stop_names_it_and_the_account_follows(
    on_venue: Watch, opens: Side, limit_px: str, trigger_px: str, beyond: float
) -> None:
    house, ear = on_venue.house, on_venue.ear
    await on_venue.trading.place(order(opens, "10", limit_px))
    await eventually(lambda: ear.seen.contracts(BTC) == 10 * opens.sign)
    await on_venue.stops.place_stop(stop(opens.opposite, trigger_px))
    await house.mark(beyond)
    await eventually(lambda: any(fill and record.algo_cl_id for record, fill in ear.orders))
    told = [(record, fill) for record, fill in ear.orders if record.algo_cl_id == "s1"]
    gone = await on_venue.stops.stop("s1")
    assert gone is not None and {record.ord_id for record, _ in told} == {gone.ord_id}
    assert sum(fill.size for _, fill in told if fill) == 10
    assert all(record.cl_id == "" and record.side is opens.opposite for record, _ in told)
    await eventually(lambda: not ear.seen.positions)
    assert ear.troubles == []


async def test_nothing_of_another_account_is_heard(on_venue: Watch) -> None:
    await on_venue.house.control("account/demo", {"position": {BTC: "-5"}})
    await on_venue.trading.place(order(Side.BUY, "1", "60100"))
    await eventually(lambda: any(fill for _, fill in on_venue.ear.orders))
    await eventually(lambda: on_venue.ear.seen.contracts(BTC) == 1)
    assert not on_venue.ear.seen.strays
