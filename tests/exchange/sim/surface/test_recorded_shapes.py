"""Field names and JSON types of what we serve, held against recorded payloads of the real venue.

Every field a recording has must be served with the same JSON type, unless a deviation is listed here
with its reason. Fields we have beyond the recording are newer than it, or deliberately unknown.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exchange.sim.model import InstrumentChanged, PositionKey, PositionRow, StatusChanged
from tests.exchange.sim.surface.client import Rest, Stream
from tests.exchange.sim.surface.stub_venue import START_MS, D

RECORDED = Path(__file__).parents[4].parent / "shared" / "okx" / "recorded"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not at hand")

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
HELD = PositionKey(SWAP)
Row = dict[str, Any]


def world() -> Rest:
    """An account with something of everything."""
    rest = Rest()
    demo = rest.venue.demo
    demo.positions[HELD] = PositionRow(HELD, "1", D(-5), D(60_000), D(3), START_MS, START_MS)
    demo.funding["USDT"] = D(10)
    demo.closed_positions.append({"instId": SWAP, "uTime": str(START_MS), "type": "2"})
    rest.venue.maintenance = [{"title": "t", "begin": "1", "end": "2"}]
    rest.order(clOrdId="live1")
    rest.order(ordType="ioc", clOrdId="done1")
    rest.hub.drain()
    return rest


def get(path: str, **params: str) -> Callable[[], Row]:
    def ask() -> Row:
        row: Row = world().rows(path, **params)[0]
        return row

    return ask


def post(path: str, body: Any) -> Callable[[], Row]:
    def ask() -> Row:
        row: Row = world().post(path, body)[1]["data"][0]
        return row

    return ask


def push(kind: str, nth: int = -1, **arg: str) -> Callable[[], Row]:
    """The nth message after subscribing, and after a step in which everything happens."""

    def ask() -> Row:
        rest = world()
        stream = Stream(rest, kind)
        stream.login()
        messages = [m for m in stream.subscribe(**arg) if "data" in m]
        rest.venue.advance(START_MS + 60_000)
        rest.venue.outbox += [InstrumentChanged(SPOT), StatusChanged()]
        rest.order(ordType="ioc")
        rest.venue.margin_ratio = D(2)
        messages += stream.news()
        row: Row = messages[nth]["data"][0]
        return row

    return ask


def operate(op: str, arg: Row) -> Callable[[], Row]:
    def ask() -> Row:
        stream = Stream(world(), "private")
        stream.login()
        [answer] = stream.say(id="1", op=op, args=[arg])
        assert answer["code"] == "0", answer
        row: Row = answer["data"][0]
        return row

    return ask


ORDER = {"instId": SWAP, "tdMode": "cross", "side": "sell", "ordType": "limit", "px": "61000", "sz": "1"}
NAMED = {"instId": SWAP, "clOrdId": "live1"}
TRANSFER = {"ccy": "USDT", "amt": "1", "from": "18", "to": "6"}

# recording, what we serve, fields of the recording that we do not serve as recorded
CASES: list[tuple[str, Callable[[], Row], set[str]]] = [
    ("okx_net/rest_ExchangeData_GetServerTime", get("/public/time"), set()),
    ("okx_net/rest_ExchangeData_GetSymbols", get("/public/instruments", instType="SPOT"), set()),
    ("nautilus_trader/http_get_instruments_swap", get("/public/instruments", instType="SWAP"), set()),
    ("nautilus_trader/http_get_instruments_spot", get("/public/instruments", instType="SPOT"), set()),
    ("okx_net/rest_ExchangeData_GetTicker", get("/market/ticker", instId=SWAP), set()),
    ("okx_net/rest_ExchangeData_GetTickers", get("/market/tickers", instType="SPOT"), set()),
    ("okx_net/rest_ExchangeData_GetIndexTickers", get("/market/index-tickers", instId=SPOT), set()),
    ("okx_net/rest_ExchangeData_GetRecentTrades", get("/market/trades", instId=SPOT), set()),
    ("okx_net/rest_ExchangeData_GetFundingRates", get("/public/funding-rate", instId=SWAP), set()),
    (
        "okx_net/rest_ExchangeData_GetFundingRateHistory",
        get("/public/funding-rate-history", instId=SWAP),
        set(),
    ),
    ("okx_net/rest_ExchangeData_GetMarkPrices", get("/public/mark-price", instType="SWAP"), set()),
    ("okx_net/rest_ExchangeData_GetLimitPrice", get("/public/price-limit", instId=SWAP), set()),
    (
        "nautilus_trader/http_get_position_tiers",
        get("/public/position-tiers", instType="SWAP", tdMode="cross", instFamily=SPOT),
        set(),
    ),
    (
        "okx_net/rest_ExchangeData_GetDiscountInfo",
        get("/public/discount-rate-interest-free-quota", ccy="BTC"),
        {"discountInfo"},  # replaced by `details` in the documents of 2026
    ),
    ("okx_net/rest_Account_GetAccountConfiguration", get("/account/config"), set()),
    ("okx_net/rest_Account_GetAccountBalance", get("/account/balance"), set()),
    ("okx_net/rest_Account_GetAccountPositions", get("/account/positions"), set()),
    ("okx_net/rest_Account_GetAccountPositionHistory", get("/account/positions-history"), set()),
    ("okx_net/rest_Account_GetAccountPositionRisk", get("/account/account-position-risk"), set()),
    (
        "okx_net/rest_Account_GetAccountLeverage",
        get("/account/leverage-info", instId=SWAP, mgnMode="cross"),
        set(),
    ),
    (
        "okx_net/rest_Account_SetAccountLeverage",
        post("/account/set-leverage", {"instId": SWAP, "lever": "2", "mgnMode": "cross"}),
        set(),
    ),
    (
        "okx_net/rest_Account_GetMaximumAmount",
        get("/account/max-size", instId=SPOT, tdMode="cash"),
        set(),
    ),
    (
        "okx_net/rest_Account_GetMaximumAvailableAmount",
        get("/account/max-avail-size", instId=SPOT, tdMode="cash"),
        set(),
    ),
    ("okx_net/rest_Account_GetMaximumWithdrawals", get("/account/max-withdrawal"), set()),
    ("okx_net/rest_Account_GetFeeRates", get("/account/trade-fee", instType="SPOT"), set()),
    ("okx_net/rest_Account_GetBillArchive", get("/account/bills-archive"), set()),
    ("okx_net/rest_Account_GetFundingBalance", get("/asset/balances"), set()),
    ("okx_net/rest_Account_Transfer", post("/asset/transfer", TRANSFER), set()),
    ("okx_net/rest_Trading_PlaceOrder", post("/trade/order", ORDER), set()),
    ("okx_net/rest_Trading_PlaceMultipleOrders", post("/trade/batch-orders", [ORDER]), set()),
    ("okx_net/rest_Trading_CancelOrder", post("/trade/cancel-order", NAMED), set()),
    ("okx_net/rest_Trading_CancelMultipleOrders", post("/trade/cancel-batch-orders", [NAMED]), set()),
    ("okx_net/rest_Trading_AmendOrder", post("/trade/amend-order", {**NAMED, "newSz": "2"}), set()),
    (
        "okx_net/rest_Trading_AmendMultipleOrders",
        post("/trade/amend-batch-orders", [{**NAMED, "newSz": "2"}]),
        set(),
    ),
    (
        "okx_net/rest_Trading_ClosePosition",
        post("/trade/close-position", {"instId": SWAP, "mgnMode": "cross"}),
        set(),
    ),
    ("okx_net/rest_Trading_CancelAllAfter", post("/trade/cancel-all-after", {"timeOut": "10"}), set()),
    ("okx_net/rest_Trading_GetOrderDetails", get("/trade/order", instId=SWAP, clOrdId="done1"), set()),
    ("okx_net/rest_Trading_GetOrders", get("/trade/orders-pending"), set()),
    ("okx_net/rest_Trading_GetOrderHistory", get("/trade/orders-history", instType="SWAP"), set()),
    ("okx_net/rest_Trading_GetOrderArchive", get("/trade/orders-history-archive", instType="SWAP"), set()),
    ("nautilus_trader/http_get_orders_history", get("/trade/orders-history", instType="SWAP"), set()),
    ("okx_net/rest_Trading_GetUserTrades", get("/trade/fills"), set()),
    ("okx_net/ws_ExchangeData_Ticker", push("public", channel="tickers", instId=SPOT), set()),
    ("okx_net/ws_ExchangeData_Trades", push("public", channel="trades", instId=SPOT), set()),
    ("okx_net/ws_ExchangeData_OrderBook", push("public", channel="books", instId=SPOT), set()),
    ("nautilus_trader/ws_books_update", push("public", channel="books", instId=SPOT), set()),
    ("nautilus_trader/ws_bbo_tbt", push("public", channel="bbo-tbt", instId=SPOT), set()),
    ("crypto-msg-parser/okx_014", push("public", channel="books5", instId=SPOT), set()),
    ("okx_net/ws_ExchangeData_MarkPrice", push("public", channel="mark-price", instId=SWAP), set()),
    ("okx_net/ws_ExchangeData_IndexTicker", push("public", channel="index-tickers", instId=SPOT), set()),
    ("okx_net/ws_ExchangeData_FundingRate", push("public", channel="funding-rate", instId=SWAP), set()),
    ("nautilus_trader/ws_funding_rate", push("public", channel="funding-rate", instId=SWAP), set()),
    ("okx_net/ws_ExchangeData_PriceLimit", push("public", channel="price-limit", instId=SWAP), set()),
    ("okx_net/ws_ExchangeData_Interest", push("public", channel="open-interest", instId=SWAP), set()),
    ("okx_net/ws_ExchangeData_Symbol", push("public", channel="instruments", instType="SPOT"), set()),
    ("okx_net/ws_ExchangeData_SystemStatus", push("public", channel="status"), set()),
    ("okx_net/ws_Account_Balance", push("private", 0, channel="account"), set()),
    ("okx_net/ws_Account_BalanceAndPosition", push("private", 0, channel="balance_and_position"), set()),
    ("okx_net/ws_Trading_Position", push("private", 0, channel="positions", instType="SWAP"), set()),
    (
        "okx_net/ws_Trading_LiquidationWarning",
        push("private", channel="liquidation-warning", instType="SWAP"),
        set(),
    ),
    ("nautilus_trader/ws_orders", push("private", channel="orders", instType="SWAP"), set()),
    ("nautilus_trader/ws_orders_adl", push("private", channel="orders", instType="SWAP"), set()),
    ("gocryptotrader/wsOrders_003", push("private", channel="orders", instType="SWAP"), set()),
    ("okx_net/wsop_UnifiedApi_PlaceOrder", operate("order", {**ORDER, "instIdCode": 10459}), set()),
    ("okx_net/wsop_UnifiedApi_CancelOrder", operate("cancel-order", NAMED), set()),
    ("okx_net/wsop_UnifiedApi_AmendOrder", operate("amend-order", {**NAMED, "newSz": "2"}), set()),
]


def recorded_row(name: str) -> Row:
    payload = json.loads((RECORDED / f"{name}.json").read_text())["payload"]
    row: Row = payload["data"][0]
    return row


def deviations(recorded: Row, served: Row, where: str = "") -> list[str]:
    """Fields of `recorded` that are missing in `served`, or of another JSON type; lists by first item."""
    found = []
    for name, value in recorded.items():
        if name not in served:
            found.append(f"{where}{name} missing")
            continue
        ours = served[name]
        if type(ours) is not type(value):
            found.append(f"{where}{name} is {type(ours).__name__}, recorded {type(value).__name__}")
        elif isinstance(value, dict):
            found += deviations(value, ours, f"{where}{name}.")
        elif isinstance(value, list) and value and ours and isinstance(value[0], dict):
            found += deviations(value[0], ours[0], f"{where}{name}[].")
    return found


@pytest.mark.parametrize(("name", "serve", "known"), CASES, ids=[name for name, _, _ in CASES])
def test_we_serve_every_recorded_field_with_its_type(
    name: str, serve: Callable[[], Row], known: set[str]
) -> None:
    found = deviations(recorded_row(name), serve())
    assert {text.split()[0] for text in found} == known, found


def test_a_missing_field_and_a_wrong_type_are_found() -> None:
    recorded = {"a": "1", "b": 2, "c": {"d": "x"}, "e": [{"f": "y"}]}
    assert deviations(recorded, recorded) == []
    served = {"a": 1, "c": {}, "e": [{"f": None}]}
    assert [text.split()[0] for text in deviations(recorded, served)] == ["a", "b", "c.d", "e[].f"]


def test_candles_have_nine_columns_as_recorded() -> None:
    payload = json.loads((RECORDED / "okx_net/rest_ExchangeData_GetKlineHistory.json").read_text())["payload"]
    [ours] = world().rows("/market/history-candles", instId=SWAP, limit=1)
    assert len(ours) == len(payload["data"][0]) == 9
    assert all(isinstance(value, str) for value in ours)
