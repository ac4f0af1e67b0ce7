"""The unmodified python-okx classes against the venue on a real port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from okx.Account import AccountAPI
from okx.Funding import FundingAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Status import StatusAPI
from okx.Trade import TradeAPI

from tests.exchange.sim.surface.sockets import running
from tests.exchange.sim.surface.stub_venue import KEY, PASSPHRASE, SECRET, D, StubVenue

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
APIS = (PublicAPI, MarketAPI, AccountAPI, TradeAPI, FundingAPI, StatusAPI)


class Sdk:
    """Every class once, called from threads as an engine would. The library signs with the wall clock."""

    def __init__(self, venue: StubVenue, port: int, secret: str = SECRET) -> None:
        self.venue = venue
        domain = f"http://127.0.0.1:{port}"
        self._apis = {api: api(KEY, secret, PASSPHRASE, flag="0", domain=domain) for api in APIS}

    async def call(self, api: type, name: str, **params: Any) -> dict[str, Any]:
        self.venue.now_ms = int(time.time() * 1000)
        answer: dict[str, Any] = await asyncio.to_thread(getattr(self._apis[api], name), **params)
        return answer

    async def row(self, api: type, name: str, **params: Any) -> Any:
        answer = await self.call(api, name, **params)
        assert answer["code"] == "0", answer
        return answer["data"][0] if answer["data"] else None

    def close(self) -> None:
        for api in self._apis.values():
            api.close()


@pytest.fixture
async def sdk() -> AsyncIterator[Sdk]:
    async with running(StubVenue(int(time.time() * 1000))) as server:
        sdk = Sdk(server.venue, server.port)
        yield sdk
        sdk.close()


async def test_public_data(sdk: Sdk) -> None:
    assert (await sdk.row(PublicAPI, "get_system_time"))["ts"] == str(sdk.venue.now_ms)
    assert (await sdk.row(PublicAPI, "get_instruments", instType="SWAP"))["ctVal"] == "0.01"
    assert (await sdk.row(PublicAPI, "get_funding_rate", instId=SWAP))["fundingRate"] == "0.0001"
    history = await sdk.call(PublicAPI, "funding_rate_history", instId=SWAP, limit="3")
    assert len(history["data"]) == 3
    assert (await sdk.row(PublicAPI, "get_mark_price", instType="SWAP"))["markPx"] == "60005"
    assert (await sdk.row(PublicAPI, "get_price_limit", instId=SWAP))["enabled"] is True
    tiers = await sdk.call(PublicAPI, "get_position_tiers", instType="SWAP", tdMode="cross", instFamily=SPOT)
    assert len(tiers["data"]) == 2
    assert (await sdk.row(PublicAPI, "get_open_interest", instType="SWAP"))["oi"] == "5000"
    assert (await sdk.row(PublicAPI, "discount_interest_free_quota", ccy="BTC"))["ccy"] == "BTC"
    assert await sdk.row(StatusAPI, "status") is None


async def test_market_data(sdk: Sdk) -> None:
    assert (await sdk.row(MarketAPI, "get_ticker", instId=SPOT))["instType"] == "SPOT"
    assert (await sdk.row(MarketAPI, "get_tickers", instType="SWAP"))["instId"] == SWAP
    assert len((await sdk.row(MarketAPI, "get_orderbook", instId=SPOT, sz="5"))["asks"]) == 5
    assert len(await sdk.row(MarketAPI, "get_candlesticks", instId=SPOT, bar="15m", limit="2")) == 9
    assert len(await sdk.row(MarketAPI, "get_history_candlesticks", instId=SPOT, limit="2")) == 9
    assert (await sdk.row(MarketAPI, "get_trades", instId=SPOT))["instId"] == SPOT
    assert (await sdk.row(MarketAPI, "get_index_tickers", instId=SPOT))["idxPx"] == "60000"


async def test_an_order_is_placed_seen_amended_and_cancelled(sdk: Sdk) -> None:
    placed = await sdk.row(
        TradeAPI, "place_order", instId=SWAP, tdMode="cross", side="sell", ordType="limit", sz="2",
        px="61000", clOrdId="py1", reduceOnly="",
    )  # fmt: skip
    assert placed["sCode"] == "0"
    assert (await sdk.row(TradeAPI, "get_order_list"))["ordId"] == placed["ordId"]
    amended = await sdk.row(TradeAPI, "amend_order", instId=SWAP, clOrdId="py1", newSz="3")
    assert amended["sCode"] == "0"
    assert (await sdk.row(TradeAPI, "get_order", instId=SWAP, clOrdId="py1"))["sz"] == "3"
    assert (await sdk.row(TradeAPI, "cancel_order", instId=SWAP, ordId=placed["ordId"]))["sCode"] == "0"
    assert (await sdk.row(TradeAPI, "get_orders_history", instType="SWAP"))["state"] == "canceled"


async def test_a_batch_of_both_legs_fills_and_shows_in_fills_positions_and_bills(sdk: Sdk) -> None:
    legs = [
        {"instId": SPOT, "tdMode": "cash", "side": "buy", "ordType": "ioc", "px": "60100", "sz": "0.1"},
        {"instId": SWAP, "tdMode": "cross", "side": "sell", "ordType": "ioc", "px": "59900", "sz": "10"},
    ]
    batch = await sdk.call(TradeAPI, "place_multiple_orders", orders_data=legs)
    assert [ack["sCode"] for ack in batch["data"]] == ["0", "0"]
    fills = await sdk.call(TradeAPI, "get_fills")
    assert [row["instId"] for row in fills["data"]] == [SWAP, SPOT]
    assert (await sdk.row(TradeAPI, "get_fills_history", instType="SPOT"))["fillSz"] == "0.1"
    assert (await sdk.row(AccountAPI, "get_positions"))["pos"] == "-10"
    assert (await sdk.row(AccountAPI, "get_account_bills"))["type"] == "2"
    assert (await sdk.row(AccountAPI, "get_account_bills_archive"))["type"] == "2"
    assert (await sdk.row(AccountAPI, "get_position_risk"))["posData"][0]["pos"] == "-10"
    assert (await sdk.row(TradeAPI, "close_positions", instId=SWAP, mgnMode="cross"))["instId"] == SWAP


async def test_account_settings_and_room(sdk: Sdk) -> None:
    assert (await sdk.row(AccountAPI, "get_account_config"))["acctLv"] == "2"
    assert (await sdk.row(AccountAPI, "get_account_balance", ccy="USDT"))["details"][0]["ccy"] == "USDT"
    lever = {"lever": "2", "mgnMode": "cross", "instId": SWAP}
    assert (await sdk.row(AccountAPI, "set_leverage", **lever))["lever"] == "2"
    assert (await sdk.row(AccountAPI, "get_leverage", mgnMode="cross", instId=SWAP))["lever"] == "2"
    assert (await sdk.row(AccountAPI, "set_position_mode", posMode="net_mode"))["posMode"] == "net_mode"
    assert (await sdk.row(AccountAPI, "get_max_order_size", instId=SWAP, tdMode="cross"))["maxSell"] == "0.5"
    assert (await sdk.row(AccountAPI, "get_max_avail_size", instId=SPOT, tdMode="cash"))["availSell"] == "0.5"
    assert (await sdk.row(AccountAPI, "get_max_withdrawal", ccy="USDT"))["maxWd"] == "100000"
    assert (await sdk.row(AccountAPI, "get_fee_rates", instType="SPOT"))["taker"] == "-0.001"
    assert await sdk.row(AccountAPI, "get_interest_accrued") is None


async def test_money_moves_between_the_wallets(sdk: Sdk) -> None:
    moved = await sdk.row(FundingAPI, "funds_transfer", ccy="USDT", amt="5", from_="18", to="6")
    state = await sdk.row(FundingAPI, "transfer_state", transId=moved["transId"])
    assert (state["state"], state["amt"]) == ("pending", "5")
    sdk.venue.demo.funding["USDT"] = D(5)
    assert (await sdk.row(FundingAPI, "get_balances", ccy="USDT"))["availBal"] == "5"


async def test_what_the_library_has_no_wrapper_for(sdk: Sdk) -> None:
    answer = await sdk.call(
        TradeAPI,
        "_request_with_params",
        method="POST",
        request_path="/api/v5/trade/cancel-all-after",
        params={"timeOut": "10"},
    )
    assert int(answer["data"][0]["triggerTime"]) > 0


async def test_a_wrong_secret_is_a_plain_answer_with_a_code() -> None:
    async with running(StubVenue(int(time.time() * 1000))) as server:
        sdk = Sdk(server.venue, server.port, secret="guessed")
        assert (await sdk.call(AccountAPI, "get_account_balance"))["code"] == "50113"
        sdk.close()
