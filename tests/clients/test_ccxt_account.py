"""Money, positions, settings and the ledger as ccxt reads them are the venue's own books."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.clients.house import HOUR_MS, MINUTE_MS, SPOT, SWAP, SWAP_ID, D, House
from tests.clients.test_ccxt_orders import exact


async def hedge(client: Any) -> None:
    """Long 0.1 coins, short 10 contracts."""
    await client.create_order(SPOT, "market", "buy", 0.1)
    await client.create_order(SWAP, "market", "sell", 10)


async def test_the_balance_is_the_cash_the_profit_and_what_is_in_use(house: House, client: Any) -> None:
    await client.set_leverage(5, SWAP, {"mgnMode": "cross"})
    await hedge(client)
    await client.create_order(SPOT, "limit", "buy", 0.1, 80_000)
    await house.drive(HOUR_MS)
    balance, figures = await client.fetch_balance(), house.venue.figures(house.me)
    assert exact(balance["BTC"]["free"]) == exact(balance["BTC"]["total"]) == house.cash("BTC")
    usdt = figures.coins["USDT"]
    assert balance["USDT"]["total"] == pytest.approx(float(usdt.equity))
    assert balance["USDT"]["free"] == pytest.approx(float(usdt.available_equity))
    [position] = await client.fetch_positions([SWAP])
    in_use = position["initialMargin"] + 0.1 * 80_000
    assert balance["USDT"]["used"] == pytest.approx(in_use, rel=1e-3)


async def test_a_position_is_worth_what_the_mark_says(house: House, client: Any) -> None:
    await client.set_leverage(4, SWAP, {"mgnMode": "cross"})
    bid = house.bid(SWAP_ID).price
    await hedge(client)
    await house.drive(HOUR_MS)
    mark = house.venue.markets[SWAP_ID].mark_px
    [position] = await client.fetch_positions()
    assert position == await client.fetch_position(SWAP)
    assert (position["side"], position["contracts"], position["marginMode"]) == ("short", 10, "cross")
    assert (exact(position["entryPrice"]), exact(position["markPrice"])) == (bid, mark)
    assert position["leverage"] == 4
    assert position["unrealizedPnl"] == pytest.approx(float(10 * D("0.01") * (bid - mark)))
    assert position["notional"] == pytest.approx(float(10 * D("0.01") * mark), rel=1e-3)
    assert position["initialMargin"] == pytest.approx(float(10 * D("0.01") * mark / 4))
    assert position["maintenanceMargin"] == pytest.approx(float(10 * D("0.01") * mark * D("0.004")))
    assert position["liquidationPrice"] > float(mark)


async def test_leverage_is_set_and_read_back_and_limits_what_can_be_opened(house: House, client: Any) -> None:
    await client.set_leverage(7, SWAP, {"mgnMode": "cross"})
    leverage = await client.fetch_leverage(SWAP, {"marginMode": "cross"})
    assert (leverage["longLeverage"], leverage["shortLeverage"]) == (7, 7)
    with pytest.raises(Exception, match="59102"):
        await client.set_leverage(101, SWAP, {"mgnMode": "cross"})


async def test_the_position_mode_changes_only_while_nothing_is_open(house: House, client: Any) -> None:
    assert (await client.fetch_position_mode())["hedged"] is False
    await client.set_position_mode(True)
    assert (await client.fetch_position_mode())["hedged"] is True
    await client.set_position_mode(False)
    await hedge(client)
    with pytest.raises(Exception, match="59000"):
        await client.set_position_mode(True)


async def test_funding_is_paid_and_shows_as_history_with_its_sign(house: House, client: Any) -> None:
    await hedge(client)
    before = house.cash("USDT")
    await house.drive(17 * HOUR_MS)
    history = await client.fetch_funding_history(SWAP)
    assert [row["timestamp"] % (8 * HOUR_MS) for row in history] == [0, 0]
    assert sum(exact(row["amount"]) for row in history) == house.cash("USDT") - before != 0
    rates = await client.fetch_funding_rate_history(SWAP, since=history[0]["timestamp"], limit=10)
    assert [row["timestamp"] for row in rates] == [row["timestamp"] for row in history]
    for row, rate in zip(history, rates, strict=True):
        paid = 10 * D("0.01") * exact(float(row["info"]["px"])) * exact(rate["fundingRate"])
        assert exact(row["amount"]) == pytest.approx(paid)


@pytest.mark.parametrize("ask", ["private_get_account_bills", "private_get_account_bills_archive"])
async def test_the_bills_explain_every_change_of_the_cash_and_page_completely(
    house: House, client: Any, ask: str
) -> None:
    await hedge(client)
    await house.drive(9 * HOUR_MS)
    await client.transfer("USDT", 100, "trading", "funding")
    await house.drive(MINUTE_MS)
    rows: list[Any] = []
    params = {"ccy": "USDT", "limit": "3"}
    while page := (await getattr(client, ask)(params))["data"]:
        rows += page
        params["after"] = page[-1]["billId"]
    assert [(row["type"], row["subType"]) for row in rows] == [
        ("1", "12"),
        ("8", "174"),
        ("2", "4"),
        ("2", "1"),
    ]
    assert sum(D(row["balChg"]) for row in rows) == house.cash("USDT") - 100_000
    for newer, older in pairwise(rows):
        assert D(newer["bal"]) - D(newer["balChg"]) == D(older["bal"])
    assert D(rows[0]["bal"]) == house.cash("USDT")


async def test_the_ledger_of_the_swap_is_its_trade_and_its_funding(house: House, client: Any) -> None:
    await hedge(client)
    await house.drive(9 * HOUR_MS)
    rows = await client.fetch_ledger("USDT", params={"type": "swap"})
    assert [(row["type"], row["direction"]) for row in rows] == [("trade", "out"), ("fee", "in")]
    fill, payment = rows
    assert exact(fill["amount"]) == house.me.bills[-2].change
    assert exact(payment["after"]) == house.cash("USDT")


async def test_a_transfer_is_pending_then_done_and_both_wallets_show_it(house: House, client: Any) -> None:
    await house.drive(2 * MINUTE_MS)  # the settlement of the first instant is charged
    moved = await client.transfer("USDT", 250, "trading", "funding")
    assert (await client.fetch_transfer(moved["id"]))["info"]["state"] == "pending"
    await house.drive(MINUTE_MS)
    done = await client.fetch_transfer(moved["id"])
    assert (done["status"], done["amount"], done["fromAccount"], done["toAccount"]) == (
        "ok", 250, "trading", "funding",
    )  # fmt: skip
    assert (await client.fetch_balance({"type": "funding"}))["USDT"]["total"] == 250
    assert (await client.fetch_balance())["USDT"]["total"] == float(house.cash("USDT")) == 99_750
    [listed] = await client.fetch_transfers("USDT")
    assert (listed["amount"], listed["fromAccount"], listed["toAccount"]) == (250, "trading", "funding")
    assert listed["info"]["notes"] == "To Funding Account"


async def test_fees_are_the_ones_that_are_charged(house: House, client: Any) -> None:
    spot, swap = await client.fetch_trading_fee(SPOT), await client.fetch_trading_fee(SWAP)
    assert (spot["maker"], spot["taker"]) == (0.0008, 0.001)
    assert (swap["maker"], swap["taker"]) == (0.0002, 0.0005)
    await hedge(client)
    for symbol, fee in ((SPOT, spot), (SWAP, swap)):
        for trade in await client.fetch_my_trades(symbol):
            paid = trade["fee"]["cost"] * (trade["price"] if trade["fee"]["currency"] == "BTC" else 1)
            assert paid == pytest.approx(trade["cost"] * fee["taker"])


async def test_a_closed_position_is_history_with_all_its_costs(house: House, client: Any) -> None:
    await hedge(client)
    await house.drive(9 * HOUR_MS)
    await client.close_position(SWAP, params={"marginMode": "cross"})
    [closed] = await client.fetch_positions_history([SWAP])
    info = {
        name: D(closed["info"][name]) for name in ("pnl", "fee", "fundingFee", "liqPenalty", "realizedPnl")
    }
    assert info["realizedPnl"] == info["pnl"] + info["fee"] + info["fundingFee"] + info["liqPenalty"]
    assert info["fundingFee"] != 0 and info["fee"] < 0
    bills = [bill for bill in house.me.bills if bill.inst_id == SWAP_ID]
    assert info["realizedPnl"] == pytest.approx(sum(bill.change for bill in bills))
    assert await client.fetch_positions() == []


async def test_in_hedge_mode_both_sides_stand_apart_and_close_by_their_own_orders(
    house: House, client: Any
) -> None:
    await client.set_position_mode(True)
    both = {"hedged": True}
    await client.create_order(SWAP, "market", "buy", 2, None, both)
    await client.create_order(SWAP, "market", "sell", 3, None, both)
    held = {row["side"]: row["contracts"] for row in await client.fetch_positions()}
    assert held == {"long": 2, "short": 3}
    await client.create_order(SWAP, "market", "sell", 2, None, both | {"reduceOnly": True})
    [left] = await client.fetch_positions()
    assert (left["side"], left["contracts"], left["hedged"]) == ("short", 3, True)
    await client.close_position(SWAP, params={"posSide": "short", "marginMode": "cross"})
    closed = await client.fetch_positions_history([SWAP])
    assert sorted((row["info"]["posSide"], row["info"]["closeTotalPos"]) for row in closed) == [
        ("long", "2"),
        ("short", "3"),
    ]


async def test_an_isolated_position_has_margin_of_its_own(house: House, client: Any) -> None:
    await client.set_leverage(4, SWAP, {"mgnMode": "isolated"})
    before = house.cash("USDT")
    await client.create_order(SWAP, "market", "sell", 10, None, {"marginMode": "isolated"})
    [position] = await client.fetch_positions()
    price, fee = house.bid(SWAP_ID).price, house.me.executions[-1].fee
    assert (position["marginMode"], position["leverage"]) == ("isolated", 4)
    assert exact(position["initialMargin"]) == pytest.approx(10 * D("0.01") * price / 4, rel=D("0.001"))
    balance = await client.fetch_balance()
    assert balance["USDT"]["free"] == pytest.approx(float(before) + float(fee) - position["initialMargin"])


async def test_in_multi_currency_mode_the_coins_stand_behind_the_swap(house: House, client: Any) -> None:
    await client.private_post_account_set_account_level({"acctLv": "3"})
    cross = {"marginMode": "cross", "tgtCcy": "base_ccy"}
    await client.create_order(SPOT, "market", "buy", 0.5, None, cross)
    await client.create_order(SWAP, "market", "sell", 50)
    total = (await client.fetch_balance())["info"]["data"][0]
    [coin] = [row for row in total["details"] if row["ccy"] == "BTC"]
    assert D(coin["disEq"]) == pytest.approx(D(coin["eqUsd"]) * D("0.98"), rel=D("0.0001"))
    assert D(total["adjEq"]) < D(total["totalEq"])
    assert D(total["mgnRatio"]) == pytest.approx(
        D(total["adjEq"]) / (D(total["mmr"]) + D(total["notionalUsd"]) * D("0.0005")), rel=D("0.01")
    )
