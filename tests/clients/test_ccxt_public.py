"""What ccxt reads of the market is what the venue's market is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.clients.house import (
    HOUR_MS,
    MINUTE_MS,
    SPOT,
    SPOT_ID,
    SWAP,
    SWAP_ID,
    D,
    House,
    Punctual,
    ccxt_client,
    open_house,
)

DAY_MS = 24 * HOUR_MS
LENGTH_MS = {"5m": 5 * MINUTE_MS, "1h": HOUR_MS, "6h": 6 * HOUR_MS, "1d": DAY_MS}


@pytest.mark.parametrize("sandbox", [False, True])
@pytest.mark.parametrize("signed", [False, True])
async def test_every_market_loads_with_its_steps_and_sizes(sandbox: bool, signed: bool) -> None:
    keys = {} if signed else {"apiKey": "", "secret": "", "password": ""}
    async with open_house() as house, ccxt_client(house, sandbox, **keys) as client:
        markets = await client.load_markets()
        assert sorted(market["id"] for market in markets.values()) == sorted(house.venue.instruments)
        for market in markets.values():
            listed = house.venue.instruments[market["id"]]
            assert D(str(market["precision"]["price"])) == listed.tick
            assert D(str(market["precision"]["amount"])) == listed.lot
            assert D(str(market["limits"]["amount"]["min"])) == listed.min_size
            assert market["active"] and market["swap"] == listed.is_swap
        swap = markets[SWAP]
        assert (swap["linear"], swap["settle"], swap["contractSize"]) == (True, "USDT", 0.01)
        assert swap["limits"]["leverage"]["max"] == 100


async def test_time_and_status_are_the_venues(house: House, client: Any) -> None:
    assert await client.fetch_time() == house.venue.now_ms
    assert (await client.fetch_status())["status"] == "ok"


@pytest.mark.parametrize(("symbol", "inst_id"), [(SPOT, SPOT_ID), (SWAP, SWAP_ID)])
async def test_the_order_book_is_the_venues_to_the_last_level(
    house: House, client: Any, symbol: str, inst_id: str
) -> None:
    market = house.venue.markets[inst_id]
    for depth in (1, 5, 400):
        book = await client.fetch_order_book(symbol, depth)
        for side, levels in (("bids", market.bids(depth)), ("asks", market.asks(depth))):
            assert [level[:2] for level in book[side]] == [[float(x.price), float(x.size)] for x in levels]
        assert book["bids"][0][0] < book["asks"][0][0]
        assert book["nonce"] in (None, market.seq_id)


async def test_tickers_show_the_top_of_the_book_and_the_days_figures(house: House, client: Any) -> None:
    await house.drive(2 * HOUR_MS)
    tickers = await client.fetch_tickers([SPOT])
    tickers |= await client.fetch_tickers([SWAP])
    for symbol, inst_id in ((SPOT, SPOT_ID), (SWAP, SWAP_ID)):
        market = house.venue.markets[inst_id]
        assert tickers[symbol] == await client.fetch_ticker(symbol)
        ticker = tickers[symbol]
        assert (ticker["bid"], ticker["ask"]) == (
            float(market.bids(1)[0].price),
            float(market.asks(1)[0].price),
        )
        assert (ticker["last"], ticker["open"]) == (float(market.last), float(market.open_24h))
        assert ticker["low"] <= min(ticker["last"], ticker["open"])
        assert max(ticker["last"], ticker["open"]) <= ticker["high"]
        assert ticker["timestamp"] == house.venue.now_ms
    spot = tickers[SPOT]
    assert spot["low"] < spot["vwap"] < spot["high"]
    assert tickers[SWAP]["baseVolume"] > spot["baseVolume"]


async def test_mark_prices_open_interest_and_tiers_belong_to_the_swap(house: House, client: Any) -> None:
    market = house.venue.markets[SWAP_ID]
    await house.drive(2 * HOUR_MS)
    while len({market.mark_px, market.index_px, market.last}) < 3:  # or this test could not tell them apart
        await house.drive(5 * MINUTE_MS)
    assert (await client.fetch_mark_price(SWAP))["markPrice"] == float(market.mark_px)
    assert (await client.fetch_mark_prices([SWAP]))[SWAP]["markPrice"] == float(market.mark_px)
    interest = await client.fetch_open_interest(SWAP)
    assert interest["openInterestAmount"] == float(market.open_interest)
    assert interest["baseVolume"] == float(market.open_interest * market.instrument.ct_val)
    tiers = sorted(await client.fetch_market_leverage_tiers(SWAP), key=lambda row: float(row["tier"]))
    assert [(row["maintenanceMarginRate"], row["maxLeverage"]) for row in tiers] == [
        (float(mmr), float(lever)) for _, _, mmr, _, lever in house.venue.tiers(SWAP_ID)
    ]


async def test_the_funding_rate_is_a_forecast_with_its_interval(house: House, client: Any) -> None:
    await house.drive(HOUR_MS)
    rate, state = await client.fetch_funding_rate(SWAP), house.venue.markets[SWAP_ID].funding
    assert state is not None
    assert rate["fundingRate"] == float(state.rate)
    assert (rate["fundingTimestamp"], rate["nextFundingTimestamp"]) == (
        state.funding_ms,
        state.next_funding_ms,
    )
    assert rate["interval"] == "8h"
    everyone = await client.fetch_funding_rates()
    assert sorted(everyone) == [SWAP, "ETH/USDT:USDT"]
    assert everyone[SWAP]["fundingRate"] == rate["fundingRate"]


async def test_funding_history_pages_back_to_its_beginning_without_a_gap_or_a_double(
    house: House, client: Any
) -> None:
    await house.drive(17 * HOUR_MS)
    rows: list[Any] = []
    after: dict[str, Any] = {}
    while page := await client.fetch_funding_rate_history(SWAP, limit=50, params=after):
        rows = page + rows
        after = {"after": page[0]["timestamp"]}
    times = [row["timestamp"] for row in rows]
    assert times == list(range(times[0], times[-1] + 1, 8 * HOUR_MS))
    assert times[-1] == house.venue.now_ms // (8 * HOUR_MS) * 8 * HOUR_MS
    settled = house.venue.markets[SWAP_ID].settled
    assert [row["fundingRate"] for row in rows] == [float(one.rate) for one in settled]
    since = times[-10]
    newest = await client.fetch_funding_rate_history(SWAP, since=since, limit=100)
    assert [row["timestamp"] for row in newest] == times[-10:]


@pytest.mark.parametrize("timeframe", LENGTH_MS)
async def test_candles_page_forward_from_any_time_without_a_gap_or_a_double(
    house: House, client: Any, timeframe: str
) -> None:
    await house.drive(3 * HOUR_MS)
    step, now_ms = LENGTH_MS[timeframe], house.venue.now_ms
    since = now_ms // step * step - 25 * step
    rows: list[Any] = []
    while since <= now_ms:
        page = await client.fetch_ohlcv(SWAP, timeframe, since=since, limit=7)
        assert page, "a page before now is never empty"
        rows += page
        since = page[-1][0] + step
    times = [row[0] for row in rows]
    assert times == list(range(times[0], times[0] + 26 * step, step))
    for before, row in pairwise(rows):
        _, open_, high, low, close, volume = row
        assert low <= min(open_, close) <= max(open_, close) <= high
        assert (open_ == before[4] and volume > 0) or row is rows[-1]
    until = await client.fetch_ohlcv(SWAP, timeframe, limit=3, params={"until": times[-2]})
    assert [row[0] for row in until] == times[-5:-2]


async def test_an_hour_is_its_twelve_five_minutes(house: House, client: Any) -> None:
    await house.drive(3 * HOUR_MS)
    since = house.venue.now_ms - 2 * HOUR_MS
    hour = (await client.fetch_ohlcv(SPOT, "1h", since=since, limit=1))[0]
    parts = await client.fetch_ohlcv(SPOT, "5m", since=since, limit=12)
    assert hour[:5] == [
        since,
        parts[0][1],
        max(row[2] for row in parts),
        min(row[3] for row in parts),
        parts[-1][4],
    ]
    assert hour[5] == pytest.approx(sum(row[5] for row in parts))


async def test_mark_and_index_candles_follow_their_own_price(house: House, client: Any) -> None:
    await house.drive(HOUR_MS)
    market = house.venue.markets[SWAP_ID]
    assert abs(market.mark_px / market.index_px - 1) > D("0.0001"), "or this test could not tell them apart"
    last = (await client.fetch_mark_ohlcv(SWAP, "5m", limit=5))[-1]
    assert last[4] == pytest.approx(float(market.mark_px), rel=1e-5)
    last = (await client.fetch_index_ohlcv(SWAP, "5m", limit=5))[-1]
    assert last[4] == pytest.approx(float(market.index_px), rel=1e-5)


async def test_trades_are_the_tape_in_order_each_once(house: House, client: Any) -> None:
    seen: dict[str, Any] = {}
    for _ in range(20):
        await house.drive(5 * MINUTE_MS)
        seen |= {trade["id"]: trade for trade in await client.fetch_trades(SWAP, limit=100)}
    printed = {str(one.trade_id): one for one in house.venue.markets[SWAP_ID].trades}
    assert len(seen) >= 20 and set(printed) <= set(seen)
    for ident, one in printed.items():
        assert (seen[ident]["price"], seen[ident]["amount"]) == (float(one.price), float(one.size))
        assert (seen[ident]["side"], seen[ident]["timestamp"]) == (one.side, one.ts_ms)
    page = await client.fetch_trades(SWAP, limit=5)
    assert [trade["id"] for trade in page] == list(seen)[-5:]


async def test_a_market_nobody_lists_is_refused_by_name(house: House, client: Any) -> None:
    with pytest.raises(Exception, match="51001"):
        await client.public_get_market_ticker({"instId": "NOPE-USDT"})


async def test_paging_done_by_ccxt_itself_is_complete(house: House, pro: Punctual) -> None:
    await house.drive(HOUR_MS)
    minutes = await pro.fetch_ohlcv(
        SWAP, "1m", house.venue.now_ms - 1_000 * MINUTE_MS, None, {"paginate": True}
    )
    times = [row[0] for row in minutes]
    assert times == list(range(house.venue.now_ms - 1_000 * MINUTE_MS, house.venue.now_ms + 1, MINUTE_MS))
    since = house.venue.now_ms // DAY_MS * DAY_MS - 30 * DAY_MS
    rates = await pro.fetch_funding_rate_history(SWAP, since, None, {"paginate": True})
    assert [row["timestamp"] for row in rates] == list(
        range(since, house.venue.now_ms // (8 * HOUR_MS) * 8 * HOUR_MS + 1, 8 * HOUR_MS)
    )
