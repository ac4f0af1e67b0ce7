"""Orders that wait for a price, placed with ccxt: kept apart from the book's, carried out when it comes."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt
import pytest

from tests.clients.house import MINUTE_MS, SWAP, SWAP_ID, House, Punctual

TRIGGER = {"trigger": True}
STOP = {"trigger": True, "ordType": "conditional"}


def mid(house: House) -> float:
    return float(house.bid(SWAP_ID).price + house.ask(SWAP_ID).price) / 2


async def wait_for(house: House, happened: Any) -> None:
    """Let the market walk until something has happened; it always walks the same way."""
    for _ in range(7 * 24 * 60):
        if happened():
            return
        await house.drive(MINUTE_MS)
    raise AssertionError("not within a week")


async def test_a_stop_loss_waits_and_closes_the_position_when_its_price_is_traded(
    house: House, client: Any
) -> None:
    await client.create_order(SWAP, "market", "sell", 3)
    price = round(mid(house) * 1.002, 1)
    placed = await client.create_order(
        SWAP, "market", "buy", 3, None, {"stopLossPrice": price, "reduceOnly": True}
    )
    [waiting] = await client.fetch_open_orders(SWAP, params=STOP)
    assert (waiting["id"], waiting["stopLossPrice"], waiting["amount"]) == (placed["id"], price, 3)
    assert await client.fetch_open_orders(SWAP) == []
    await wait_for(house, lambda: house.contracts() == 0)
    assert await client.fetch_open_orders(SWAP, params=STOP) == []
    done = await client.fetch_order(placed["id"], SWAP, TRIGGER)
    assert done["info"]["state"] == "effective"
    closed = (await client.fetch_closed_orders(SWAP))[-1]
    assert (closed["side"], closed["filled"], closed["info"]["algoId"]) == ("buy", 3, placed["id"])
    assert closed["average"] >= price * 0.999


async def test_a_trigger_order_puts_its_limit_order_into_the_book(house: House, client: Any) -> None:
    price = round(mid(house) * 0.998, 1)
    placed = await client.create_order(SWAP, "limit", "buy", 1, price - 400, {"triggerPrice": price})
    await wait_for(house, lambda: bool(house.me.open_orders))
    [order] = await client.fetch_open_orders(SWAP)
    assert (order["price"], order["amount"]) == (round(price - 400, 1), 1)
    assert order["info"]["algoId"] == placed["id"]


async def test_one_of_two_cancels_the_other(house: House, client: Any) -> None:
    await client.create_order(SWAP, "market", "sell", 1)
    both = {
        "stopLossPrice": round(mid(house) * 1.003, 1),
        "takeProfitPrice": round(mid(house) * 0.997, 1),
        "reduceOnly": True,
    }
    await client.create_order(SWAP, "oco", "buy", 1, None, both)
    await wait_for(house, lambda: house.contracts() == 0)
    assert await client.fetch_open_orders(SWAP, params={"ordType": "oco"}) == []


async def test_a_trailing_stop_follows_the_market_down(house: House, client: Any) -> None:
    await client.create_order(SWAP, "market", "sell", 1)
    await client.create_order(SWAP, "market", "buy", 1, None, {"trailingPercent": "0.3", "reduceOnly": True})
    [waiting] = await client.fetch_open_orders(SWAP, params={"trailing": True})
    assert waiting["info"]["callbackRatio"] == "0.003"
    await wait_for(house, lambda: house.contracts() == 0)


async def test_a_waiting_order_is_cancelled_and_then_unknown(house: House, client: Any) -> None:
    far = round(mid(house) * 1.1, 1)
    placed = await client.create_order(SWAP, "market", "buy", 1, None, {"triggerPrice": far})
    await client.cancel_order(placed["id"], SWAP, TRIGGER)
    assert await client.fetch_open_orders(SWAP, params=TRIGGER) == []
    with pytest.raises(ccxt.BaseError, match="51400"):
        await client.cancel_order(placed["id"], SWAP, TRIGGER)
    [gone] = await client.fetch_canceled_orders(SWAP, params={"trigger": True, "ordType": "trigger"})
    assert (gone["id"], gone["status"]) == (placed["id"], "canceled")


async def test_a_stop_attached_to_an_order_comes_alive_with_its_fill(house: House, client: Any) -> None:
    loss = round(mid(house) * 1.05, 1)
    await client.create_order(SWAP, "market", "sell", 2, None, {"stopLoss": {"triggerPrice": loss}})
    [waiting] = await client.fetch_open_orders(SWAP, params=STOP)
    assert (waiting["stopLossPrice"], waiting["side"], waiting["amount"]) == (loss, "buy", 2)


async def test_a_waiting_order_is_pushed_when_it_comes_and_when_it_goes(house: House, pro: Punctual) -> None:
    watching = await pro.start(pro.watch_orders(SWAP, params=TRIGGER), "orders-algo")
    far = round(mid(house) * 1.1, 1)
    placed = await pro.create_order(SWAP, "market", "buy", 1, None, {"triggerPrice": far})
    [order] = await watching
    assert (order["id"], order["status"], order["triggerPrice"]) == (placed["id"], "open", far)
    watching = asyncio.ensure_future(pro.watch_orders(SWAP, params=TRIGGER))
    await asyncio.sleep(0)
    await pro.cancel_order(placed["id"], SWAP, TRIGGER)
    [order] = await watching
    assert order["status"] == "canceled"
