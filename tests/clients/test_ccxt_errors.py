"""A refusal of the venue is the exception ccxt has for it."""

from __future__ import annotations

from typing import Any

import ccxt
import pytest

from tests.clients.house import MINUTE_MS, SPOT, SWAP, SWAP_ID, House, ccxt_client, open_house


def limit(house: House, **changes: Any) -> dict[str, str]:
    """A swap order that would rest, in the venue's own words."""
    price = str(house.bid(SWAP_ID).price - 100)
    return {
        "instId": SWAP_ID,
        "tdMode": "cross",
        "side": "buy",
        "ordType": "limit",
        "sz": "1",
        "px": price,
    } | changes


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"sz": "20000"}, ccxt.InsufficientFunds, "51008"),
        ({"sz": "99999"}, ccxt.InvalidOrder, "51185"),
        ({"px": "10000000"}, ccxt.InvalidOrder, "51137"),
        ({"side": "sell", "px": "1"}, ccxt.InvalidOrder, "51138"),
        ({"sz": "0.001"}, ccxt.InvalidOrder, "51121|51020"),
        ({"sz": "1.001"}, ccxt.InvalidOrder, "51121"),
        ({"sz": "999999999"}, ccxt.InvalidOrder, "5120[12]|51005|51101"),
        ({"instId": "NOPE-USDT-SWAP"}, ccxt.BadSymbol, "51001"),
        ({"tdMode": "cash"}, ccxt.BadRequest, "51000"),
        ({"side": "hold"}, ccxt.BadRequest, "51000"),
        ({"clOrdId": "with-a-dash"}, ccxt.BadRequest, "51000"),
        ({"sz": ""}, ccxt.BadRequest, "50014"),
        ({"ordType": "market", "reduceOnly": True}, ccxt.ExchangeError, "51169|51170|51023"),
    ],
)
async def test_an_order_the_venue_refuses(
    house: House, client: Any, changes: dict[str, Any], error: type[Exception], code: str
) -> None:
    with pytest.raises(error, match=code):
        await client.private_post_trade_order(limit(house, **changes))
    assert not house.me.open_orders


async def test_an_id_that_is_taken(house: House, client: Any) -> None:
    order = limit(house, clOrdId="once")
    await client.private_post_trade_order(order)
    with pytest.raises(ccxt.InvalidOrder, match="51016"):
        await client.private_post_trade_order(order)


async def test_an_order_that_is_not_there(client: Any) -> None:
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order("1", SWAP)
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order("1", SWAP)
    with pytest.raises(ccxt.OrderNotFound):
        await client.edit_order("1", SWAP, "limit", "buy", 2, 1000)


async def test_money_that_is_not_there(house: House, client: Any) -> None:
    await house.drive(2 * MINUTE_MS)  # the settlement of the first instant is charged
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(SPOT, "market", "sell", 1)
    with pytest.raises(ccxt.ExchangeError, match=r"58116|58350"):
        await client.transfer("USDT", 1_000_000, "trading", "funding")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"secret": "guessed"}, "50113"),
        ({"password": "guessed"}, "50105"),
        ({"apiKey": "00000000"}, "50119"),
    ],
)
async def test_a_stranger_is_not_let_in(house: House, wrong: dict[str, str], code: str) -> None:
    async with ccxt_client(house, **wrong) as client:
        with pytest.raises(ccxt.AuthenticationError if code != "50119" else ccxt.BaseError, match=code):
            await client.private_get_account_balance()


async def test_a_clock_that_is_wrong(house: House, client: Any) -> None:
    client.options["timeDifference"] += 31_000
    with pytest.raises(ccxt.InvalidNonce, match="50102"):
        await client.fetch_balance()


async def test_too_many_requests_until_time_has_passed() -> None:
    async with open_house(rate_limits=True) as house, ccxt_client(house) as client:
        await client.load_markets()
        with pytest.raises(ccxt.RateLimitExceeded, match="50011"):
            for _ in range(11):
                await client.fetch_balance()
        await house.drive(2_000)
        await client.fetch_balance()


async def test_a_suspended_instrument_takes_no_orders(house: House, client: Any) -> None:
    house.venue.instruments[SWAP_ID].state = "suspend"
    with pytest.raises(ccxt.ContractUnavailable):
        await client.private_post_trade_order(limit(house))
    await client.load_markets(True)
    assert client.market(SWAP)["active"] is False


async def test_a_path_the_venue_has_not_got_is_an_error_not_an_empty_answer(client: Any) -> None:
    with pytest.raises(ccxt.ExchangeError, match=r"404|50005"):
        await client.private_get_rfq_quotes()
