"""The Market port: which page, which bar word, which rows count."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal

import pytest

from core.errors import VenueDown, VenueRejected
from exchange.okx.market import OkxMarket
from exchange.okx.rest import OkxRest
from tests.exchange.okx.support import NOW_MS, Answer, Asked, HttpVenue, StillClock
from tests.exchange.okx.test_parse import BOOK, FUNDING, MARK, SWAP

D = Decimal
SPOT = SWAP | {"instType": "SPOT", "instId": "BTC-USDT", "baseCcy": "BTC", "quoteCcy": "USDT", "ctType": ""}


def coin(name: str, **changes: str) -> tuple[dict[str, str], dict[str, str]]:
    return (
        SPOT | {"instId": f"{name}-USDT", "baseCcy": name},
        SWAP | {"instId": f"{name}-USDT-SWAP", "ctValCcy": name} | changes,
    )


@pytest.fixture
def market(rest: OkxRest, venue: HttpVenue, clock: StillClock) -> OkxMarket:
    coins = [coin("BTC"), coin("ETH"), coin("SOL"), coin("OLD", state="suspend")]
    spots = [spot for spot, _ in coins] + [
        SPOT | {"instId": "XRP-USDT"},
        SPOT | {"instId": "BTC-EUR", "quoteCcy": "EUR"},
    ]
    swaps = [swap for _, swap in coins]
    swaps += [
        SWAP | {"instId": "NEW-USDT-SWAP", "lotSz": ""},  # announced, sizes still empty
        SWAP | {"instId": "BTC-USD-SWAP", "ctType": "inverse"},
        SWAP | {"instId": "BTC-EUR-SWAP"},
        SWAP | {"instId": "LONE-USDT-SWAP"},
    ]

    def instruments(asked: Asked) -> Answer:
        return Answer(spots if asked.query["instType"] == "SPOT" else swaps)

    venue.script["/api/v5/public/instruments"] = instruments
    return OkxMarket(rest, clock, demo=True)


async def test_named_pairs_come_in_the_order_asked_for(market: OkxMarket) -> None:
    pairs = await market.pairs(iter(["ETH-USDT", "BTC-USDT"]))
    assert [pair.swap.inst_id for pair in pairs] == ["ETH-USDT-SWAP", "BTC-USDT-SWAP"]


@pytest.mark.parametrize("name", ["XRP-USDT", "LONE-USDT", "NEW-USDT", "BTC-EUR", "BTC-USD"])
async def test_a_pair_that_cannot_be_hedged_is_refused_by_name(market: OkxMarket, name: str) -> None:
    with pytest.raises(VenueRejected, match=name):
        await market.pairs(["BTC-USDT", name])


async def test_pairs_are_ranked_by_turnover_in_usdt(market: OkxMarket, venue: HttpVenue) -> None:
    tickers = [
        {"instId": "BTC-USDT-SWAP", "last": "60000", "volCcy24h": "10"},
        {"instId": "ETH-USDT-SWAP", "last": "3000", "volCcy24h": "900"},
        {"instId": "OLD-USDT-SWAP", "last": "1", "volCcy24h": "99999999"},
        {"instId": "BTC-USD-SWAP", "last": "60000", "volCcy24h": "99999999"},
        {"instId": "LTC-USDT-SWAP", "last": "", "volCcy24h": ""},
    ]
    venue.script["/api/v5/market/tickers"] = Answer(tickers)
    assert [pair.name for pair in await market.ranked_pairs(2)] == ["ETH-USDT", "BTC-USDT"]
    assert [pair.name for pair in await market.ranked_pairs(9)] == ["ETH-USDT", "BTC-USDT", "SOL-USDT"]
    assert (await market.volumes())["BTC-USDT"] == D(600_000)


async def test_a_book_is_asked_with_its_depth(market: OkxMarket, venue: HttpVenue, clock: StillClock) -> None:
    venue.script["/api/v5/market/books"] = Answer([BOOK])
    book = await market.book("BTC-USDT", 400)
    assert venue.asked[-1].query == {"instId": "BTC-USDT", "sz": "400"}
    assert book.is_sane and book.seen_ms == clock.now and book.seq_id == 7


def candle_server(count: int, step_ms: int) -> Callable[[Asked], Answer]:
    rows = [
        [str(NOW_MS - i * step_ms), "1", "2", "1", "2", "5", "5", "5", "0" if i == 0 else "1"]
        for i in range(count)
    ]

    def answer(asked: Asked) -> Answer:
        after = int(asked.query.get("after", NOW_MS + 1))
        return Answer([row for row in rows if int(row[0]) < after][: int(asked.query["limit"])])

    return answer


async def test_candles_are_paged_and_turned_oldest_first(market: OkxMarket, venue: HttpVenue) -> None:
    venue.script["/api/v5/market/candles"] = candle_server(1000, 180_000)
    candles = await market.candles("BTC-USDT", "3m", 480)
    assert len(candles) == 480 and len(venue.asked) == 2
    assert all(b.ts_ms - a.ts_ms == 180_000 for a, b in itertools.pairwise(candles))
    assert candles[-1].ts_ms == NOW_MS and not candles[-1].closed


async def test_a_short_history_ends_the_paging(market: OkxMarket, venue: HttpVenue) -> None:
    venue.script["/api/v5/market/candles"] = candle_server(20, 180_000)
    assert len(await market.candles("BTC-USDT", "3m", 480)) == 20
    assert len(venue.asked) == 1


async def test_days_begin_at_midnight_utc(market: OkxMarket, venue: HttpVenue) -> None:
    venue.script["/api/v5/market/candles"] = Answer([])
    for bar in ("1m", "3m", "5m", "15m", "1H", "4H", "1D", "D"):
        await market.candles("BTC-USDT", bar, 10)
    asked = [asked.query["bar"] for asked in venue.asked]
    assert asked == ["1m", "3m", "5m", "15m", "1H", "4H", "1Dutc", "1Dutc"]


async def test_settled_funding_is_paged_oldest_first(market: OkxMarket, venue: HttpVenue) -> None:
    rows = [{"fundingTime": str(NOW_MS - i * 1000), "realizedRate": f"0.{i + 1:04d}"} for i in range(150)]

    def answer(asked: Asked) -> Answer:
        after = int(asked.query.get("after", NOW_MS + 1))
        return Answer([row for row in rows if int(row["fundingTime"]) < after][: int(asked.query["limit"])])

    venue.script["/api/v5/public/funding-rate-history"] = answer
    settled = await market.settled_funding("BTC-USDT-SWAP", 120)
    assert len(settled) == 120 and settled[-1].ts_ms == NOW_MS
    assert [row.ts_ms for row in settled] == sorted(row.ts_ms for row in settled)
    assert len(await market.settled_funding("BTC-USDT-SWAP", 3)) == 3


async def test_the_quotes_of_a_swap(market: OkxMarket, venue: HttpVenue, clock: StillClock) -> None:
    venue.script["/api/v5/public/funding-rate"] = Answer([FUNDING])
    venue.script["/api/v5/public/mark-price"] = Answer([MARK])
    venue.script["/api/v5/public/open-interest"] = Answer([{"oiCcy": "123.4", "oi": "12340"}])
    venue.script["/api/v5/public/time"] = Answer([{"ts": "1700000000001"}])
    assert (await market.funding("BTC-USDT-SWAP")).seen_ms == clock.now
    assert await market.mark_px("BTC-USDT-SWAP") == D("60000.1")
    assert await market.open_interest("BTC-USDT-SWAP") == D("123.4")
    assert await market.server_time_ms() == 1700000000001


async def test_an_empty_answer_is_no_quote(market: OkxMarket, venue: HttpVenue) -> None:
    venue.script["/api/v5/public/mark-price"] = Answer([])
    with pytest.raises(VenueDown):
        await market.mark_px("BTC-USDT-SWAP")


async def test_only_maintenance_of_our_environment_counts(market: OkxMarket, venue: HttpVenue) -> None:
    window = {"title": "upgrade", "state": "scheduled", "begin": "1000", "end": "2000"}
    venue.script["/api/v5/system/status"] = Answer(
        [window | {"env": "1"}, window | {"env": "2", "end": "3000"}, window]
    )
    assert [w.end_ms for w in await market.maintenance()] == [3000, 2000]
