"""Every method of python-okx's classes, unmodified, against the venue on a real port.

The library signs with the machine's clock, so this venue starts at the machine's time; nothing here
depends on which time that is. Its WebSocket classes always ask for TLS and cannot speak to a plain ws://
address, so they are left out: ccxt.pro speaks for the streams.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest
from okx.Account import AccountAPI
from okx.Funding import FundingAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Status import StatusAPI
from okx.SubAccount import SubAccountAPI
from okx.Trade import TradeAPI

from exchange.sim.profile import VenueProfile
from tests.clients.house import SPOT_ID, SWAP_ID, D, House, machine_ms, open_house

APIS = (PublicAPI, MarketAPI, AccountAPI, TradeAPI, FundingAPI, StatusAPI, SubAccountAPI)
CROSS: dict[str, Any] = {"mgnMode": "cross"}
SWAPS: dict[str, Any] = {"instType": "SWAP"}
SPOT: dict[str, Any] = {"instId": SPOT_ID}
SWAP: dict[str, Any] = {"instId": SWAP_ID}

# What reads: class, method, arguments, and a field every row has ("" for rows that are lists).
READS: tuple[tuple[type, str, dict[str, Any], str], ...] = (
    (PublicAPI, "get_system_time", {}, "ts"),
    (PublicAPI, "get_instruments", SWAPS, "ctVal"),
    (PublicAPI, "get_funding_rate", SWAP, "fundingRate"),
    (PublicAPI, "funding_rate_history", SWAP, "realizedRate"),
    (PublicAPI, "get_mark_price", SWAPS, "markPx"),
    (PublicAPI, "get_price_limit", SWAP, "buyLmt"),
    (PublicAPI, "get_position_tiers", SWAPS | {"tdMode": "cross", "instFamily": SPOT_ID}, "mmr"),
    (PublicAPI, "get_open_interest", SWAPS, "oi"),
    (PublicAPI, "discount_interest_free_quota", {"ccy": "BTC"}, "minDiscountRate"),
    (PublicAPI, "get_underlying", SWAPS, ""),
    (PublicAPI, "get_insurance_fund", SWAPS | {"uly": SPOT_ID}, "total"),
    (MarketAPI, "get_ticker", SPOT, "last"),
    (MarketAPI, "get_tickers", SWAPS, "bidPx"),
    (MarketAPI, "get_orderbook", SWAP | {"sz": "400"}, "asks"),
    (MarketAPI, "get_candlesticks", SPOT | {"bar": "15m"}, ""),
    (MarketAPI, "get_history_candlesticks", SPOT | {"bar": "1Dutc"}, ""),
    (MarketAPI, "get_index_candlesticks", SPOT, ""),
    (MarketAPI, "get_mark_price_candlesticks", SWAP, ""),
    (MarketAPI, "get_trades", SPOT, "tradeId"),
    (MarketAPI, "get_history_trades", SPOT, "tradeId"),
    (MarketAPI, "get_index_tickers", SPOT, "idxPx"),
    (MarketAPI, "get_tier", SWAPS | {"tdMode": "cross", "uly": SPOT_ID}, "mmr"),
    (AccountAPI, "get_account_config", {}, "acctLv"),
    (AccountAPI, "get_account_balance", {}, "details"),
    (AccountAPI, "get_positions", {}, "avgPx"),
    (AccountAPI, "get_position_risk", {}, "balData"),
    (AccountAPI, "get_instruments", SWAPS, "ctVal"),
    (AccountAPI, "get_account_bills", {}, "billId"),
    (AccountAPI, "get_account_bills_archive", {}, "billId"),
    (AccountAPI, "get_fee_rates", {"instType": "SPOT"}, "taker"),
    (AccountAPI, "get_leverage", SWAP | CROSS, "lever"),
    (AccountAPI, "get_max_order_size", SWAP | {"tdMode": "cross"}, "maxBuy"),
    (AccountAPI, "get_max_avail_size", SPOT | {"tdMode": "cash"}, "availBuy"),
    (AccountAPI, "get_max_withdrawal", {"ccy": "USDT"}, "maxWd"),
    (AccountAPI, "get_positions_history", {}, "closeAvgPx"),
    (AccountAPI, "get_interest_rate", {}, "interestRate"),
    (AccountAPI, "get_interest_limits", {}, "records"),
    (AccountAPI, "get_max_loan", SPOT | CROSS, "maxLoan"),
    (TradeAPI, "get_order_list", {}, "ordId"),
    (TradeAPI, "get_orders_history", SWAPS, "ordId"),
    (TradeAPI, "get_orders_history_archive", SWAPS, "ordId"),
    (TradeAPI, "get_fills", {}, "tradeId"),
    (TradeAPI, "get_fills_history", SWAPS, "tradeId"),
    (TradeAPI, "order_algos_list", {"ordType": "conditional"}, "algoId"),
    (FundingAPI, "get_currencies", {}, "ccy"),
    (FundingAPI, "get_balances", {}, "availBal"),
)
# What reads and has nothing to tell of an account that never borrowed, deposited or met a maintenance.
EMPTY: tuple[tuple[type, str, dict[str, Any]], ...] = (
    (StatusAPI, "status", {}),
    (AccountAPI, "get_interest_accrued", {}),
    (TradeAPI, "order_algos_history", {"ordType": "conditional", "state": "effective"}),
    (FundingAPI, "get_deposit_history", {}),
    (FundingAPI, "get_withdrawal_history", {}),
)
# What acts, and the reads that follow from it: each has a test of its own below.
ACTS = {
    (TradeAPI, "place_order"),
    (TradeAPI, "place_multiple_orders"),
    (TradeAPI, "amend_order"),
    (TradeAPI, "amend_multiple_orders"),
    (TradeAPI, "cancel_order"),
    (TradeAPI, "cancel_multiple_orders"),
    (TradeAPI, "close_positions"),
    (TradeAPI, "get_order"),
    (TradeAPI, "place_algo_order"),
    (TradeAPI, "amend_algo_order"),
    (TradeAPI, "cancel_algo_order"),
    (TradeAPI, "get_algo_order_details"),
    (AccountAPI, "set_leverage"),
    (AccountAPI, "set_position_mode"),
    (AccountAPI, "set_account_level"),
    (AccountAPI, "set_auto_loan"),
    (AccountAPI, "set_isolated_mode"),
    (AccountAPI, "adjustment_margin"),
    (FundingAPI, "funds_transfer"),
    (FundingAPI, "transfer_state"),
}
# What a method nobody lists here may answer to meaningless arguments: not simulated, bad or missing
# arguments, not for this account mode, no such position. Never: unknown path, bad body, system error.
REFUSED = {"50005", "50014", "50015", "50016", "51000", "51001", "51010", "51023", "59300"}


class Sdk:
    """Every class once, called from threads as a program around it would."""

    def __init__(self, house: House) -> None:
        self.house = house
        me = house.me
        self._apis = {api: api(me.key, me.secret, me.passphrase, flag="0", domain=house.url) for api in APIS}

    async def call(self, api: type, name: str, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await asyncio.to_thread(getattr(self._apis[api], name), **params)
        return answer

    async def rows(self, api: type, name: str, **params: Any) -> list[Any]:
        answer = await self.call(api, name, **params)
        assert answer["code"] == "0", (name, answer)
        rows: list[Any] = answer["data"]
        return rows

    async def row(self, api: type, name: str, **params: Any) -> Any:
        [row] = await self.rows(api, name, **params)
        return row

    def close(self) -> None:
        for api in self._apis.values():
            api.close()


@pytest.fixture
async def sdk() -> AsyncIterator[Sdk]:
    # At whatever time of day the tests run: no settlement may be under way.
    async with open_house(machine_ms(), profile=VenueProfile(settlement_s=(0, 0))) as house:
        sdk = Sdk(house)
        yield sdk
        sdk.close()


def order(house: House, **changes: str) -> dict[str, str]:
    """A swap order that rests."""
    price = str(house.bid(SWAP_ID).price - 100)
    return SWAP | {"tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": price} | changes


def public_methods(api: type) -> list[tuple[type, str]]:
    return [(api, name) for name, _ in inspect.getmembers(api, inspect.isfunction)
            if name in vars(api) and not name.startswith("_")]  # fmt: skip


def plain_arguments(method: Any) -> dict[str, Any]:
    """Something for every argument a method insists on."""
    named = list(inspect.signature(method).parameters.values())[1:]
    return {one.name: "1" for one in named if one.default is one.empty}


async def test_everything_that_reads_answers_with_rows(sdk: Sdk) -> None:
    house = sdk.house
    await sdk.rows(FundingAPI, "funds_transfer", ccy="USDT", amt="5", from_="18", to="6")
    await sdk.row(TradeAPI, "place_order", **order(house, ordType="market", side="sell", px=""))
    await sdk.row(TradeAPI, "close_positions", instId=SWAP_ID, mgnMode="cross")
    await sdk.row(TradeAPI, "place_order", **order(house, ordType="market", side="sell", px=""))
    await sdk.row(TradeAPI, "place_order", **order(house))
    await sdk.row(TradeAPI, "place_algo_order", **stop(house))
    await house.drive(2_000)
    for api, name, params, field in READS:
        rows = await sdk.rows(api, name, **params)
        assert rows, name
        assert all(field in row if field else isinstance(row, list) for row in rows), (name, rows[0])
    for api, name, params in EMPTY:
        assert await sdk.rows(api, name, **params) == [], name


async def test_every_method_is_served_or_refused_as_the_documents_say(sdk: Sdk) -> None:
    known = {(api, name) for api, name, *_ in (*READS, *EMPTY)} | ACTS
    for api in APIS:
        for method in public_methods(api):
            if method not in known:
                answer = await sdk.call(*method, **plain_arguments(getattr(*method)))
                assert answer["code"] in {"0", *REFUSED}, (method, answer)
    assert known <= {method for api in APIS for method in public_methods(api)}


async def test_an_order_is_placed_seen_amended_and_cancelled(sdk: Sdk) -> None:
    placed = await sdk.row(TradeAPI, "place_order", **order(sdk.house, clOrdId="py1"))
    assert placed["sCode"] == "0"
    amended = await sdk.row(TradeAPI, "amend_order", instId=SWAP_ID, clOrdId="py1", newSz="3")
    assert amended["sCode"] == "0"
    seen = await sdk.row(TradeAPI, "get_order", instId=SWAP_ID, ordId=placed["ordId"])
    assert (seen["sz"], seen["state"], seen["reduceOnly"]) == ("3", "live", "false")
    assert (await sdk.row(TradeAPI, "cancel_order", instId=SWAP_ID, ordId=placed["ordId"]))["sCode"] == "0"
    assert (await sdk.row(TradeAPI, "get_order", instId=SWAP_ID, clOrdId="py1"))["state"] == "canceled"


async def test_a_batch_is_placed_amended_and_cancelled(sdk: Sdk) -> None:
    batch = [order(sdk.house, clOrdId="py1"), order(sdk.house, clOrdId="py2"), order(sdk.house, sz="0.001")]
    answer = await sdk.call(TradeAPI, "place_multiple_orders", orders_data=batch)
    assert answer["code"] == "2"
    assert [ack["sCode"] == "0" for ack in answer["data"]] == [True, True, False]
    changes = [{"instId": SWAP_ID, "clOrdId": name, "newSz": "2"} for name in ("py1", "py2")]
    assert len(await sdk.rows(TradeAPI, "amend_multiple_orders", orders_data=changes)) == 2
    assert {one.size for one in sdk.house.me.open_orders.values()} == {D(2)}
    gone = [{"instId": SWAP_ID, "clOrdId": name} for name in ("py1", "py2")]
    assert len(await sdk.rows(TradeAPI, "cancel_multiple_orders", orders_data=gone)) == 2
    assert not sdk.house.me.open_orders


def stop(house: House) -> dict[str, str]:
    """A stop that would buy back one contract far above the market."""
    far = str(house.ask(SWAP_ID).price + 5_000)
    return SWAP | {
        "tdMode": "cross", "side": "buy", "ordType": "conditional", "sz": "1", "slTriggerPx": far,
        "slOrdPx": "-1",
    }  # fmt: skip


async def test_a_stop_is_placed_amended_and_cancelled(sdk: Sdk) -> None:
    placed = await sdk.row(TradeAPI, "place_algo_order", **stop(sdk.house))
    seen = await sdk.row(TradeAPI, "get_algo_order_details", algoId=placed["algoId"])
    assert (seen["state"], seen["ordType"], seen["slOrdPx"]) == ("live", "conditional", "-1")
    further = str(D(seen["slTriggerPx"]) + 100)
    await sdk.row(
        TradeAPI, "amend_algo_order", instId=SWAP_ID, algoId=placed["algoId"], newSlTriggerPx=further
    )
    seen = await sdk.row(TradeAPI, "get_algo_order_details", algoId=placed["algoId"])
    assert seen["slTriggerPx"] == further
    gone = [{"instId": SWAP_ID, "algoId": placed["algoId"]}]
    assert (await sdk.row(TradeAPI, "cancel_algo_order", orders_data=gone))["sCode"] == "0"
    assert await sdk.rows(TradeAPI, "order_algos_list", ordType="conditional") == []


async def test_settings_are_set_and_read_back(sdk: Sdk) -> None:
    await sdk.row(AccountAPI, "set_leverage", lever="2", mgnMode="cross", instId=SWAP_ID)
    assert (await sdk.row(AccountAPI, "get_leverage", mgnMode="cross", instId=SWAP_ID))["lever"] == "2"
    isolated = await sdk.row(AccountAPI, "set_isolated_mode", isoMode="automatic", type="CONTRACTS")
    assert isolated == {"isoMode": "automatic"}
    await sdk.row(AccountAPI, "set_position_mode", posMode="long_short_mode")
    await sdk.row(AccountAPI, "set_account_level", acctLv="3")
    await sdk.row(AccountAPI, "set_auto_loan", autoLoan="true")
    config = await sdk.row(AccountAPI, "get_account_config")
    assert (config["posMode"], config["acctLv"], config["autoLoan"]) == ("long_short_mode", "3", True)


async def test_margin_is_added_to_an_isolated_position(sdk: Sdk) -> None:
    opened = order(sdk.house, tdMode="isolated", ordType="market", side="sell", px="")
    await sdk.row(TradeAPI, "place_order", **opened)
    [before] = await sdk.rows(AccountAPI, "get_positions", instId=SWAP_ID)
    await sdk.row(AccountAPI, "adjustment_margin", instId=SWAP_ID, posSide="net", type="add", amt="100")
    [after] = await sdk.rows(AccountAPI, "get_positions", instId=SWAP_ID)
    assert D(after["margin"]) == D(before["margin"]) + 100


async def test_a_transfer_arrives(sdk: Sdk) -> None:
    moved = await sdk.row(FundingAPI, "funds_transfer", ccy="USDT", amt="5", from_="18", to="6")
    assert (await sdk.row(FundingAPI, "transfer_state", transId=moved["transId"]))["state"] == "pending"
    await sdk.house.drive(2_000)
    assert (await sdk.row(FundingAPI, "transfer_state", transId=moved["transId"]))["state"] == "success"
    assert (await sdk.row(FundingAPI, "get_balances", ccy="USDT"))["availBal"] == "5"


async def test_what_the_library_has_no_wrapper_for(sdk: Sdk) -> None:
    await sdk.row(TradeAPI, "place_order", **order(sdk.house))
    switch = {"request_path": "/api/v5/trade/cancel-all-after", "params": {"timeOut": "10"}}
    armed = await sdk.row(TradeAPI, "_request_with_params", method="POST", **switch)
    assert int(armed["triggerTime"]) == sdk.house.venue.now_ms + 10_000
    await sdk.house.drive(10_000)
    assert not sdk.house.me.open_orders


async def test_a_wrong_secret_is_a_plain_answer_with_a_code(sdk: Sdk) -> None:
    me = sdk.house.me
    stranger = AccountAPI(me.key, "guessed", me.passphrase, flag="0", domain=sdk.house.url)
    answer = await asyncio.to_thread(stranger.get_account_balance)
    assert (answer["code"], answer["data"]) == ("50113", [])
    stranger.close()
