"""What ccxt.pro is pushed is what happens, and its order entry over WebSocket is the venue's."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt
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
    ccxt_pro_client,
)
from tests.clients.test_ccxt_orders import exact

DEPTHS = {"books": 400, "books5": 5, "bbo-tbt": 1}


async def in_step(pro: Punctual, house: House, symbol: str, inst_id: str) -> Any:
    """The order book ccxt keeps, once it has heard everything the venue has said."""
    book = await pro.watch_order_book(symbol)
    while book["nonce"] != house.venue.markets[inst_id].seq_id:
        book = await pro.watch_order_book(symbol)
    return book


@pytest.mark.parametrize(("symbol", "inst_id"), [(SPOT, SPOT_ID), (SWAP, SWAP_ID)])
async def test_a_book_kept_from_hundreds_of_updates_is_the_book_the_venue_serves(
    house: House, pro: Punctual, symbol: str, inst_id: str
) -> None:
    market = house.venue.markets[inst_id]
    await pro.watch_order_book(symbol)
    for _ in range(300):
        await house.drive(20_000)
    kept = pro.orderbooks[symbol]
    while kept["nonce"] != market.seq_id:
        await pro.watch_order_book(symbol)
        kept = pro.orderbooks[symbol]
    served = await pro.fetch_order_book(symbol, 400)
    for side in ("bids", "asks"):
        assert [row[:2] for row in kept[side]] == [row[:2] for row in served[side]]


@pytest.mark.parametrize("channel", DEPTHS)
async def test_every_free_book_channel_shows_the_top_of_the_book(
    house: House, pro: Punctual, channel: str
) -> None:
    book = await pro.watch_order_book(SWAP, params={"depth": channel})
    assert (exact(book["bids"][0][0]), exact(book["asks"][0][0])) == (
        house.bid(SWAP_ID).price,
        house.ask(SWAP_ID).price,
    )
    assert len(book["bids"]) <= DEPTHS[channel]


async def test_a_ticker_follows_the_market(house: House, pro: Punctual) -> None:
    assert (await pro.watch_ticker(SWAP))["timestamp"] == house.venue.now_ms
    ahead = asyncio.ensure_future(pro.watch_ticker(SWAP))
    await house.drive(5 * MINUTE_MS)
    ticker = await ahead
    while ticker["timestamp"] != house.venue.now_ms:
        ticker = await pro.watch_ticker(SWAP)
    assert exact(ticker["bid"]) == house.bid(SWAP_ID).price
    assert exact(ticker["last"]) == house.venue.markets[SWAP_ID].last


async def test_trades_are_each_pushed_once_and_in_order(house: House, pro: Punctual) -> None:
    watching = await pro.start(pro.watch_trades(SPOT), "trades")
    first = house.venue.markets[SPOT_ID].trades[-1].trade_id
    for _ in range(60):
        await house.drive(MINUTE_MS)
    await watching
    last = house.venue.markets[SPOT_ID].trades[-1].trade_id
    while pro.trades[SPOT][-1]["id"] != str(last):
        await pro.watch_trades(SPOT)
    idents = [int(trade["id"]) for trade in pro.trades[SPOT]]
    assert idents == sorted(set(idents)) and idents[0] > first and len(idents) >= 10


async def test_candles_grow_and_close(house: House, pro: Punctual) -> None:
    rows = await pro.watch_ohlcv(SWAP, "1m")
    for _ in range(10):
        await house.drive(MINUTE_MS)
    while rows[-1][0] != house.venue.now_ms // MINUTE_MS * MINUTE_MS:
        rows = await pro.watch_ohlcv(SWAP, "1m")
    kept = pro.ohlcvs[SWAP]["1m"]
    times = [row[0] for row in kept]
    assert times == list(range(times[0], times[-1] + 1, MINUTE_MS))
    served = await pro.fetch_ohlcv(SWAP, "1m", limit=5)
    assert [row[:5] for row in kept[-5:-1]] == [row[:5] for row in served[:-1]]


async def test_the_funding_rate_and_the_mark_price_are_pushed(house: House, pro: Punctual) -> None:
    rate = await pro.watch_funding_rate(SWAP)
    funding = house.venue.markets[SWAP_ID].funding
    assert funding is not None and exact(rate["fundingRate"]) == funding.rate
    mark = await pro.watch_mark_price(SWAP)
    assert exact(mark["markPrice"]) == house.venue.markets[SWAP_ID].mark_px


async def test_an_order_is_pushed_through_its_whole_life(house: House, pro: Punctual) -> None:
    watching = await pro.start(pro.watch_orders(SWAP), "orders")
    price = float(house.ask(SWAP_ID).price + 500)
    placed = await pro.create_order(SWAP, "limit", "sell", 2, price)
    [order] = await watching
    assert (order["id"], order["status"], order["amount"]) == (placed["id"], "open", 2)
    watching = asyncio.ensure_future(pro.watch_orders(SWAP))
    await asyncio.sleep(0)
    await pro.edit_order(placed["id"], SWAP, "limit", "sell", 3, price)
    [order] = await watching
    assert (order["status"], order["amount"], order["filled"]) == ("open", 3, 0)
    watching = asyncio.ensure_future(pro.watch_orders(SWAP))
    await asyncio.sleep(0)
    await pro.cancel_order(placed["id"], SWAP)
    [order] = await watching
    assert (order["status"], order["filled"]) == ("canceled", 0)


async def test_fills_are_pushed_once_each_with_their_fees(house: House, pro: Punctual) -> None:
    watching = await pro.start(pro.watch_my_trades(), "orders")
    await pro.create_order(SPOT, "market", "buy", 0.05)
    await pro.create_order(SWAP, "market", "sell", 5)
    await watching
    while len(pro.myTrades) < len(house.me.executions):
        await pro.watch_my_trades()
    assert len(pro.myTrades) == len(house.me.executions)
    for trade, execution in zip(pro.myTrades, house.me.executions, strict=True):
        assert (trade["id"], trade["order"]) == (str(execution.trade_id), execution.ord_id)
        assert (exact(trade["price"]), exact(trade["amount"])) == (execution.price, execution.size)
        assert exact(trade["fee"]["cost"]) == pytest.approx(execution.fee)
        assert trade["fee"]["currency"] == execution.fee_ccy
        assert trade["takerOrMaker"] == "taker"


async def test_the_balance_is_greeted_and_then_follows_every_change(house: House, pro: Punctual) -> None:
    balance = await pro.watch_balance()
    assert balance["USDT"]["total"] == 100_000
    watching = asyncio.ensure_future(pro.watch_balance())
    await pro.create_order(SPOT, "market", "buy", 0.1)
    await house.drive(1_000)
    balance = await watching
    while balance["USDT"]["total"] != float(house.cash("USDT")):
        balance = await pro.watch_balance()
    assert exact(balance["BTC"]["total"]) == house.cash("BTC")


async def test_a_position_is_pushed_when_it_opens_and_when_it_is_gone(house: House, pro: Punctual) -> None:
    assert await pro.watch_positions() == []
    watching = asyncio.ensure_future(pro.watch_positions())
    await pro.create_order(SWAP, "market", "sell", 2)
    await house.drive(1_000)
    positions = await watching
    assert (positions[-1]["side"], positions[-1]["contracts"]) == ("short", 2)
    watching = asyncio.ensure_future(pro.watch_positions())
    await pro.create_order(SWAP, "market", "buy", 2, None, {"reduceOnly": True})
    await house.drive(1_000)
    positions = await watching
    while positions[-1]["contracts"]:
        positions = await pro.watch_positions()
    assert house.contracts() == 0


@pytest.mark.parametrize("op", ["order", "batch-orders"])
async def test_orders_are_entered_edited_and_cancelled_over_the_socket(
    house: House, pro: Punctual, op: str
) -> None:
    price = float(house.ask(SWAP_ID).price + 500)
    placed = await pro.create_order_ws(SWAP, "limit", "sell", 2, price, {"op": op})
    order = house.me.orders[placed["id"]]
    assert (order.inst_id, order.side, order.size, order.price) == (SWAP_ID, "sell", D(2), exact(price))
    await pro.edit_order_ws(placed["id"], SWAP, "limit", "sell", 3, price + 10)
    assert (order.size, order.price) == (D(3), exact(price + 10))
    await pro.cancel_order_ws(placed["id"], SWAP)
    assert order.state == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        await pro.cancel_order_ws(placed["id"], SWAP)


async def test_many_orders_are_cancelled_over_the_socket_at_once(house: House, pro: Punctual) -> None:
    price = float(house.bid(SWAP_ID).price - 100)
    placed = [await pro.create_order_ws(SWAP, "limit", "buy", 1, price) for _ in range(3)]
    await pro.cancel_orders_ws([order["id"] for order in placed], SWAP)
    assert not house.me.open_orders


async def test_a_refusal_over_the_socket_is_the_same_exception_as_over_rest(
    house: House, pro: Punctual
) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await pro.create_order_ws(SWAP, "market", "sell", 9_999)
    with pytest.raises(ccxt.InvalidOrder):
        await pro.create_order_ws(SWAP, "limit", "buy", 1, 10_000_000)


async def test_a_wrong_secret_is_refused_at_login(house: House) -> None:
    async with ccxt_pro_client(house, secret="guessed") as pro:
        pro.has["fetchCurrencies"] = False  # the one signed request of load_markets
        with pytest.raises(ccxt.AuthenticationError, match="60007"):
            await pro.watch_balance()


async def test_a_channel_that_does_not_exist_is_refused(house: House, pro: Punctual) -> None:
    with pytest.raises(ccxt.BadRequest, match="60018"):
        await pro.watch_order_book(SWAP, params={"depth": "books-of-yesterday"})


async def test_after_the_venue_has_closed_the_connection_ccxt_comes_back_by_itself(
    house: House, pro: Punctual
) -> None:
    await pro.watch_order_book(SWAP)
    await pro.watch_balance()
    waiting = asyncio.ensure_future(pro.watch_order_book(SWAP))
    for connection in list(house.server._connections):
        connection.transport.close()
    with pytest.raises(ccxt.NetworkError):
        await waiting
    await house.drive(HOUR_MS)
    book = await in_step(pro, house, SWAP, SWAP_ID)
    assert exact(book["bids"][0][0]) == house.bid(SWAP_ID).price
    assert (await pro.watch_balance())["USDT"]["total"] == float(house.cash("USDT"))
