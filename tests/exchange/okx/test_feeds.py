"""The three connections together: every push reaches its store, gaps are mended, junk is skipped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from core.types import ZERO, AccountMode, AccountSnapshot, Fill, OrderRecord
from exchange.account_data import AccountData
from exchange.market_data import MarketData
from exchange.okx.endpoints import Credentials
from exchange.okx.feeds import OkxStreams
from exchange.okx.session import StreamTimes
from tests.exchange.okx.stream_venue import Line, StreamVenue, eventually
from tests.exchange.okx.support import KEY, StillClock
from tests.exchange.okx.test_parse import BALANCE, CANDLE, FUNDING, MARK, ORDER, POSITION
from tests.fakes import btc

D = Decimal
PAIR = btc()
SPOT, SWAP = PAIR.spot.inst_id, PAIR.swap.inst_id
TIMES = StreamTimes(answer_within_s=1.0)


class Orders:
    """An order sink that writes down."""

    def __init__(self) -> None:
        self.seen: list[tuple[OrderRecord, Fill | None]] = []

    def on_order(self, record: OrderRecord, fill: Fill | None) -> None:
        self.seen.append((record, fill))


class Desk:
    """Stores, streams and what they say."""

    def __init__(self, venue: StreamVenue, clock: StillClock, credentials: Credentials | None) -> None:
        self.market = MarketData([PAIR], clock)
        self.account = AccountData(clock)
        self.orders = Orders()
        self.troubles: list[str] = []
        self.streams = OkxStreams(
            venue.endpoints,
            credentials,
            [PAIR],
            self.market,
            self.account,
            self.orders,
            clock,
            self.resync,
            self.troubles.append,
            silence_s=None,
            times=TIMES,
            offset_ms=lambda: 7_000,
        )

    async def resync(self) -> None:
        self.account.replace(AccountSnapshot(AccountMode.FUTURES, {}, {}, ZERO, ts_ms=1, seen_ms=1))

    @property
    def view(self) -> Any:
        return self.market.view(PAIR.name)


@asynccontextmanager
async def running(
    venue: StreamVenue, clock: StillClock, credentials: Credentials | None = KEY
) -> AsyncIterator[Desk]:
    desk = Desk(venue, clock, credentials)
    await desk.streams.start()
    try:
        yield desk
    finally:
        await desk.streams.stop()


@pytest.fixture
async def venue() -> AsyncIterator[StreamVenue]:  # type: ignore[override]
    async with StreamVenue() as started:
        yield started


def book(seq: int, previous: int, **sides: list[list[str]]) -> dict[str, object]:
    return {
        "asks": [],
        "bids": [],
        "ts": "1700000000100",
        "seqId": seq,
        "prevSeqId": previous,
        "checksum": 0,
    } | sides


SNAPSHOT = book(10, -1, asks=[["60001", "2", "0", "1"]], bids=[["60000", "1", "0", "1"]])


async def say_book(line: Line, inst_id: str, action: str, row: dict[str, object]) -> None:
    await line.push("books", inst_id, [row], action=action)


async def test_everything_needed_is_subscribed_where_it_belongs(
    venue: StreamVenue, clock: StillClock
) -> None:
    async with running(venue, clock) as desk:
        assert set(desk.streams.health()) == {"public", "business", "private"}
        assert all(stream.live for stream in desk.streams.health().values())
        assert venue.line("public").subscribed == [
            {"channel": "books", "instId": SPOT},
            {"channel": "books", "instId": SWAP},
            {"channel": "mark-price", "instId": SWAP},
            {"channel": "funding-rate", "instId": SWAP},
            {"channel": "tickers", "instId": SWAP},
        ]
        assert venue.line("business").subscribed == [{"channel": "candle3m", "instId": SPOT}]
        assert [arg["channel"] for arg in venue.line("private").subscribed] == [
            "orders",
            "account",
            "positions",
            "balance_and_position",
        ]


async def test_the_login_is_signed_with_the_venues_time(venue: StreamVenue, clock: StillClock) -> None:
    async with running(venue, clock):
        login = venue.line("private").received[0]["args"][0]
        assert int(login["timestamp"]) == (clock.now + 7_000) // 1000


async def test_without_a_key_there_is_no_private_stream(venue: StreamVenue, clock: StillClock) -> None:
    async with running(venue, clock, credentials=None) as desk:
        assert set(desk.streams.health()) == {"public", "business"}
        assert venue.count("private") == 0


async def test_starting_does_not_wait_for_a_venue_that_is_down(clock: StillClock) -> None:
    async with StreamVenue() as gone:
        desk = Desk(gone, clock, KEY)
    await desk.streams.start()
    assert not any(stream.live for stream in desk.streams.health().values())
    assert len(desk.troubles) == 3
    await desk.streams.stop()


async def test_market_pushes_reach_the_market_store(venue: StreamVenue, clock: StillClock) -> None:
    async with running(venue, clock) as desk:
        public, business = venue.line("public"), venue.line("business")
        await say_book(public, SPOT, "snapshot", SNAPSHOT)
        await say_book(public, SWAP, "snapshot", SNAPSHOT)
        await say_book(public, SPOT, "update", book(11, 10, bids=[["60000", "3", "0", "1"]]))
        await public.push("mark-price", SWAP, [MARK])
        await public.push("funding-rate", SWAP, [FUNDING])
        await public.push("tickers", SWAP, [{"instId": SWAP, "last": "60000", "volCcy24h": "12.5"}])
        await business.push("candle3m", SPOT, [CANDLE])
        await eventually(lambda: desk.view.volume_24h_usdt and desk.view.candles["3m"])
        view = desk.view
        assert view.is_quoted and view.spot.bids == ((D(60000), D(3)),)
        assert view.mark_px == D("60000.1") and view.funding.rate == D("0.0001")
        assert view.candles["3m"][0].close == 2
        assert view.volume_24h_usdt == 750_000
        assert desk.troubles == []


async def test_private_pushes_reach_the_account_and_the_orders(venue: StreamVenue, clock: StillClock) -> None:
    async with running(venue, clock) as desk:
        line = venue.line("private")
        await line.push("orders", "", [ORDER, ORDER | {"tradeId": "", "fillSz": "0"}])
        await line.push("account", "", [BALANCE], eventType="event_update")
        await line.push("positions", "", [POSITION | {"uTime": "5"}])
        await line.push(
            "balance_and_position",
            "",
            [{"eventType": "filled", "balData": [{"ccy": "USDT", "cashBal": "9", "uTime": "1700000000200"}]}],
        )
        await eventually(lambda: (held := desk.account.snapshot()) and held.cash("USDT") == 9)
        snapshot = desk.account.snapshot()
        assert snapshot is not None and snapshot.contracts(SWAP) == -16
        assert [fill.trade_id if fill else None for _, fill in desk.orders.seen] == ["555123", None]


@pytest.mark.fault("MD2", "MD3")
async def test_a_gap_makes_the_book_unreadable_and_asks_for_a_new_one(
    venue: StreamVenue, clock: StillClock
) -> None:
    async with running(venue, clock) as desk:
        line = venue.line("public")
        await say_book(line, SPOT, "snapshot", SNAPSHOT)
        await eventually(lambda: desk.view.spot)
        for seq in range(20, 25):  # several pushes after the gap, one renewal
            await say_book(line, SPOT, "update", book(seq + 1, seq))
        await eventually(lambda: line.ops() == ["subscribe", "unsubscribe", "subscribe"])
        assert desk.view.spot is None
        assert line.received[-1]["args"] == [{"channel": "books", "instId": SPOT}]
        await say_book(line, SPOT, "snapshot", SNAPSHOT | {"seqId": 30})
        await eventually(lambda: desk.view.spot and desk.view.spot.seq_id == 30)
        assert len(venue.lines) == 3


@pytest.mark.fault("MD9")
async def test_a_repeated_or_reordered_push_never_shows_a_wrong_book(
    venue: StreamVenue, clock: StillClock
) -> None:
    async with running(venue, clock) as desk:
        line = venue.line("public")
        first = book(11, 10, bids=[["60000", "3", "0", "1"]])
        second = book(12, 11, bids=[["60000", "0", "0", "0"], ["59999", "1", "0", "1"]])
        await say_book(line, SPOT, "snapshot", SNAPSHOT)
        for row in (first, first, second):  # repeated: nothing happens
            await say_book(line, SPOT, "update", row)
        await eventually(lambda: desk.view.spot and desk.view.spot.seq_id == 12)
        assert desk.view.spot.bids == ((D(59999), D(1)),) and line.ops() == ["subscribe"]
        for row in (book(14, 13), book(13, 12)):  # reordered: unreadable, and taken anew
            await say_book(line, SPOT, "update", row)
        await eventually(lambda: len(line.received) == 3)
        assert desk.view.spot is None


@pytest.mark.fault("MD10")
async def test_broken_pushes_are_skipped_on_every_channel(venue: StreamVenue, clock: StillClock) -> None:
    broken: list[tuple[str, str, Any]] = [
        ("books", SPOT, [{"asks": "?"}]),
        ("books", SPOT, [book(1, 0, asks=[["NaN", "1"]])]),
        ("books", SPOT, {}),
        ("books", "DOGE-USDT", [SNAPSHOT]),
        ("mark-price", SWAP, [{"markPx": ""}]),
        ("mark-price", SWAP, None),
        ("mark-price", "DOGE-USDT-SWAP", [MARK]),
        ("funding-rate", SWAP, [FUNDING | {"nextFundingTime": ""}]),
        ("candle3m", SPOT, [["1"]]),
        ("candle3m", SPOT, [[1, 2]]),
        ("orders", "", [ORDER | {"state": "?"}]),
        ("orders", "", ["order"]),
        ("account", "", [BALANCE | {"details": [{"ccy": "USDT"}]}]),
        ("positions", "", [POSITION | {"avgPx": ""}]),
        ("balance_and_position", "", [{"balData": [{"ccy": "USDT"}]}]),
        ("horoscope", "", [{}]),
    ]
    async with running(venue, clock) as desk:
        line = venue.line("private")
        for channel, inst_id, rows in broken:
            await line.push(channel, inst_id, rows, action="update")
        await line.say({"data": [MARK]})
        await line.say({"arg": None, "data": None})
        await line.push("orders", "", [ORDER | {"side": "?"}, ORDER])  # the second row still counts
        await eventually(lambda: desk.orders.seen)
        assert len(desk.troubles) == len(broken) + 2  # two say the same in a row
        assert [s.reconnects for s in desk.streams.health().values()] == [0, 0, 0]


async def test_frames_of_all_connections_are_counted(venue: StreamVenue, clock: StillClock) -> None:
    async with running(venue, clock) as desk:
        before = desk.streams.frames
        assert before == 5 + 1 + 5  # acknowledgements and one login
        await venue.line("public").push("mark-price", SWAP, [MARK])
        await venue.line("business").push("candle3m", SPOT, [CANDLE])
        await eventually(lambda: desk.streams.frames == before + 2)


@pytest.mark.fault("WS4")
async def test_every_connection_comes_back_on_its_own(venue: StreamVenue, clock: StillClock) -> None:
    async with running(venue, clock) as desk:
        for name in ("public", "business", "private"):
            await venue.line(name).socket.close(1000)
        await eventually(lambda: all(s.reconnects == 1 and s.live for s in desk.streams.health().values()))
        await say_book(venue.line("public"), SPOT, "snapshot", SNAPSHOT)
        await eventually(lambda: desk.view.spot)
