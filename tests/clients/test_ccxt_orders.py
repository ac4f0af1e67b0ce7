"""Orders placed with ccxt do at the venue what ccxt then says they did."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.house import HOUR_MS, SPOT, SPOT_ID, SWAP, SWAP_ID, D, House

SPOT_TAKER, SWAP_TAKER, SWAP_MAKER = D("0.001"), D("0.0005"), D("0.0002")


def exact(value: float) -> Any:
    """What went through ccxt's floats, to be compared with a Decimal."""
    return D(str(value))


async def test_a_market_buy_by_cost_spends_the_cost_and_pays_its_fee_in_the_coin(
    house: House, client: Any
) -> None:
    ask, before = house.ask(SPOT_ID).price, house.cash("USDT")
    placed = await client.create_market_buy_order_with_cost(SPOT, 1000)
    order = await client.fetch_order(placed["id"], SPOT)
    filled = exact(order["filled"])
    assert (order["status"], order["type"], order["side"]) == ("closed", "market", "buy")
    assert exact(order["average"]) == ask
    assert D(1000) - D("0.00000001") * ask < filled * ask <= D(1000)
    assert house.cash("USDT") == before - filled * ask
    assert house.cash("BTC") == filled * (1 - SPOT_TAKER)
    assert order["fee"] == {"cost": float(filled * SPOT_TAKER), "currency": "BTC"}


async def test_a_market_buy_by_amount_fills_the_amount(house: House, client: Any) -> None:
    ask, before = house.ask(SPOT_ID).price, house.cash("USDT")
    placed = await client.create_order(SPOT, "market", "buy", 0.01)
    order = await client.fetch_order(placed["id"], SPOT)
    assert (order["amount"], order["filled"], order["remaining"]) == (0.01, 0.01, 0)
    assert house.cash("USDT") == before - D("0.01") * ask
    sold = await client.create_order(SPOT, "market", "sell", 0.005)
    order = await client.fetch_order(sold["id"], SPOT)
    bid = house.bid(SPOT_ID).price
    assert exact(order["average"]) == bid
    assert order["fee"] == {"cost": float(bid * D("0.005") * SPOT_TAKER), "currency": "USDT"}


async def test_a_market_sell_of_the_swap_opens_a_short_of_that_many_contracts(
    house: House, client: Any
) -> None:
    bid, before = house.bid(SWAP_ID).price, house.cash("USDT")
    placed = await client.create_order(SWAP, "market", "sell", 3)
    order = await client.fetch_order(placed["id"], SWAP)
    fee = 3 * D("0.01") * bid * SWAP_TAKER
    assert (order["status"], order["filled"], exact(order["average"])) == ("closed", 3, bid)
    assert order["fee"] == {"cost": float(fee), "currency": "USDT"}
    assert exact(order["cost"]) == 3 * D("0.01") * bid
    assert (house.contracts(), house.cash("USDT")) == (D(-3), before - fee)


async def test_a_limit_order_rests_is_edited_and_cancelled(house: House, client: Any) -> None:
    price = float(house.ask(SWAP_ID).price + 500)
    placed = await client.create_order(SWAP, "limit", "sell", 2, price, {"clientOrderId": "mine1"})
    [order] = await client.fetch_open_orders(SWAP)
    assert (order["id"], order["clientOrderId"], order["status"]) == (placed["id"], "mine1", "open")
    assert (order["price"], order["amount"], order["filled"], order["average"]) == (price, 2, 0, None)
    await client.edit_order(placed["id"], SWAP, "limit", "sell", 3, price + 10)
    order = await client.fetch_order(None, SWAP, {"clOrdId": "mine1"})
    assert (order["price"], order["amount"]) == (price + 10, 3)
    await client.cancel_order(placed["id"], SWAP)
    assert await client.fetch_open_orders() == []
    order = await client.fetch_order(placed["id"], SWAP)
    assert (order["status"], order["filled"]) == ("canceled", 0)


async def test_an_order_edited_into_the_book_fills_there(house: House, client: Any) -> None:
    bid = house.bid(SWAP_ID).price
    placed = await client.create_order(SWAP, "limit", "sell", 1, float(bid + 500))
    await client.edit_order(placed["id"], SWAP, "limit", "sell", 1, float(bid - 50))
    order = await client.fetch_order(placed["id"], SWAP)
    assert (order["status"], exact(order["average"])) == ("closed", bid)


async def test_a_resting_order_is_filled_as_maker_when_the_market_comes_to_it(
    house: House, client: Any
) -> None:
    price = house.bid(SWAP_ID).price - 20
    placed = await client.create_order(SWAP, "limit", "buy", 1, float(price), {"postOnly": True})
    for _ in range(48):
        await house.drive(HOUR_MS // 2)
        if house.contracts():
            break
    order = await client.fetch_order(placed["id"], SWAP)
    assert (order["status"], exact(order["average"])) == ("closed", price)
    fills = await client.fetch_order_trades(placed["id"], SWAP)
    assert sum(exact(fill["amount"]) for fill in fills) == 1
    assert {fill["takerOrMaker"] for fill in fills} == {"maker"}
    assert exact(order["fee"]["cost"]) == D("0.01") * price * SWAP_MAKER


async def test_post_only_that_would_take_is_accepted_and_then_cancelled(house: House, client: Any) -> None:
    bid = float(house.bid(SWAP_ID).price)
    placed = await client.create_order(SWAP, "limit", "sell", 1, bid, {"postOnly": True})
    order = await client.fetch_order(placed["id"], SWAP)
    assert (order["status"], order["filled"], order["postOnly"]) == ("canceled", 0, True)
    assert order["info"]["cancelSource"] == "31"


async def test_ioc_takes_what_is_there_and_fok_all_or_nothing(house: House, client: Any) -> None:
    best = house.ask(SWAP_ID)
    wanted, price = float(best.size + 10), float(best.price)
    fok = await client.create_order(SWAP, "limit", "buy", wanted, price, {"timeInForce": "FOK"})
    order = await client.fetch_order(fok["id"], SWAP)
    assert (order["status"], order["filled"], order["info"]["cancelSource"]) == ("canceled", 0, "13")
    ioc = await client.create_order(SWAP, "limit", "buy", wanted, price, {"timeInForce": "IOC"})
    order = await client.fetch_order(ioc["id"], SWAP)
    assert (order["status"], exact(order["filled"]), order["remaining"]) == ("canceled", best.size, 10)
    assert (order["timeInForce"], order["info"]["cancelSource"]) == ("IOC", "14")
    assert house.contracts() == best.size


async def test_reduce_only_closes_what_is_there_and_never_more(house: House, client: Any) -> None:
    await client.create_order(SWAP, "market", "sell", 2)
    placed = await client.create_order(SWAP, "market", "buy", 5, None, {"reduceOnly": True})
    order = await client.fetch_order(placed["id"], SWAP)
    assert (order["filled"], order["reduceOnly"], house.contracts()) == (2, True, 0)


async def test_both_legs_go_in_one_batch_and_one_bad_leg_stops_no_other(house: House, client: Any) -> None:
    legs = [
        {"symbol": SPOT, "type": "market", "side": "buy", "amount": 0.01},
        {"symbol": SWAP, "type": "market", "side": "sell", "amount": 1},
    ]
    placed = await client.create_orders(legs)
    states = [
        await client.fetch_order(one["id"], leg["symbol"]) for one, leg in zip(placed, legs, strict=True)
    ]
    assert [order["status"] for order in states] == ["closed", "closed"]
    greedy = {"symbol": SWAP, "type": "market", "side": "sell", "amount": 9999}
    mixed = await client.create_orders([legs[1], greedy])
    assert [(one["status"], one["info"]["sCode"]) for one in mixed] == [(None, "0"), ("rejected", "51008")]
    assert house.contracts() == -2


async def test_many_orders_are_cancelled_at_once(house: House, client: Any) -> None:
    price = float(house.bid(SWAP_ID).price - 100)
    batch = [{"symbol": SWAP, "type": "limit", "side": "buy", "amount": 1, "price": price}] * 20
    placed = await client.create_orders(batch)
    assert len(await client.fetch_open_orders(SWAP)) == 20
    gone = await client.cancel_orders([order["id"] for order in placed], SWAP)
    assert [order["id"] for order in gone] == [order["id"] for order in placed]
    assert await client.fetch_open_orders() == []


async def test_finished_orders_page_backwards_without_a_gap_or_a_double(house: House, client: Any) -> None:
    bid = float(house.bid(SWAP_ID).price)
    filled = [await client.create_order(SWAP, "market", "sell", 1) for _ in range(12)]
    rested = [await client.create_order(SWAP, "limit", "buy", 1, bid - 90) for _ in range(11)]
    for order in rested:
        await client.cancel_order(order["id"], SWAP)
    for fetch, expected in (
        (client.fetch_closed_orders, filled),
        (client.fetch_canceled_orders, rested),
    ):
        seen: list[str] = []
        params: dict[str, str] = {}
        while page := await fetch(SWAP, limit=5, params=params):
            seen += [order["id"] for order in page]
            params = {"after": min(seen)}
        assert sorted(seen) == [order["id"] for order in expected]


async def test_my_trades_are_the_fills_of_my_orders_and_page_completely(house: House, client: Any) -> None:
    orders = [await client.create_order(SWAP, "market", "sell", 1 + n) for n in range(7)]
    trades: list[Any] = []
    params: dict[str, str] = {}
    while page := await client.fetch_my_trades(SWAP, limit=3, params=params):
        trades = page + trades
        params = {"after": min(page, key=lambda row: int(row["info"]["billId"]))["info"]["billId"]}
    bills = [trade["info"]["billId"] for trade in trades]
    assert len(set(bills)) == len(bills) == len(house.me.executions)
    for order in orders:
        own = [trade for trade in trades if trade["order"] == order["id"]]
        state = await client.fetch_order(order["id"], SWAP)
        assert sum(exact(trade["amount"]) for trade in own) == exact(state["filled"])
        assert sum(exact(trade["fee"]["cost"]) for trade in own) == exact(state["fee"]["cost"])
    assert {(trade["takerOrMaker"], trade["side"]) for trade in trades} == {("taker", "sell")}


async def test_an_unfilled_cancelled_order_is_forgotten_after_two_hours(house: House, client: Any) -> None:
    placed = await client.create_order(SWAP, "limit", "buy", 1, float(house.bid(SWAP_ID).price - 90))
    await client.cancel_order(placed["id"], SWAP)
    await house.drive(2 * HOUR_MS + 1)
    assert await client.fetch_canceled_orders(SWAP) == []
    with pytest.raises(Exception, match="51603"):
        await client.fetch_order(placed["id"], SWAP)


async def test_closing_a_position_and_the_dead_mans_switch(house: House, client: Any) -> None:
    await client.create_order(SWAP, "market", "sell", 4)
    await client.close_position(SWAP, params={"marginMode": "cross"})
    assert house.contracts() == 0
    await client.create_order(SWAP, "limit", "buy", 1, float(house.bid(SWAP_ID).price - 90))
    armed = await client.cancel_all_orders_after(10_000)
    assert int(armed["data"][0]["triggerTime"]) == house.venue.now_ms + 10_000
    await house.drive(9_999)
    assert len(await client.fetch_open_orders()) == 1
    await house.drive(1)
    assert await client.fetch_open_orders() == []
