from decimal import Decimal
from typing import Any

import pytest

from exchange.sim.model import PositionKey, Reject
from tests.exchange.sim.surface.client import Rest
from tests.exchange.sim.surface.stub_venue import HOUR_MS, START_MS, D

DAY_MS = 24 * HOUR_MS
SPOT: dict[str, object] = {"instId": "BTC-USDT", "tdMode": "cash"}


def test_an_accepted_order_is_acknowledged_with_its_ids_and_gateway_times() -> None:
    rest = Rest()
    body = {
        "instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "sell", "ordType": "ioc", "px": "59950",
        "sz": "15.99", "clOrdId": "c7o1s0001", "tag": "t1",
    }  # fmt: skip
    status, answer = rest.post("/trade/order", body)
    [ack] = answer["data"]
    assert (status, answer["code"], ack["sCode"], ack["subCode"]) == (200, "0", "0", "")
    assert ack["clOrdId"] == "c7o1s0001" and ack["ordId"] in rest.venue.demo.orders
    assert int(answer["inTime"]) // 1000 == START_MS and int(answer["outTime"]) > int(answer["inTime"])
    order = rest.venue.demo.orders[ack["ordId"]]
    assert (order.size, order.price, order.kind) == (D("15.99"), D("59950"), "ioc")


def test_a_refused_order_tells_why_in_its_item() -> None:
    rest = Rest()
    rest.venue.refuse = Reject("51008", "Order failed. Insufficient USDT balance in account.")
    status, answer = rest.post("/trade/order", _order(clOrdId="h1a"))
    [ack] = answer["data"]
    assert (status, answer["code"], answer["msg"]) == (200, "1", "All operations failed")
    assert (ack["sCode"], ack["clOrdId"], ack["ordId"]) == ("51008", "h1a", "")
    assert ack["sMsg"].startswith("Order failed.")


def _order(**changed: object) -> dict[str, object]:
    return {
        "instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "sell", "ordType": "limit", "px": "61000",
        "sz": "1", **changed,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "code", "named"),
    [
        ({"instId": ""}, "50014", "instId"),
        ({"instId": "XYZ-USDT"}, "51001", "Instrument"),
        ({"tdMode": ""}, "50014", "tdMode"),
        ({"tdMode": "cash"}, "51000", "tdMode"),
        ({"tdMode": "cash"}, "51000", "tdMode"),
        ({"side": "short"}, "51000", "side"),
        ({"ordType": "stop"}, "51000", "ordType"),
        ({"sz": ""}, "50014", "sz"),
        ({"sz": "0"}, "51000", "sz"),
        ({"sz": "-1"}, "51000", "sz"),
        ({"sz": "1e3"}, "51000", "sz"),
        ({"sz": "NaN"}, "51000", "sz"),
        ({"px": ""}, "50014", "px"),
        ({"px": "0"}, "51000", "px"),
        ({"posSide": "long"}, "51000", "posSide"),
        ({"clOrdId": "a-b"}, "51000", "clOrdId"),
        ({"clOrdId": "a_b"}, "51000", "clOrdId"),
        ({"clOrdId": "x" * 33}, "51000", "clOrdId"),
        ({"tag": "x" * 17}, "51000", "tag"),
        ({"stpMode": "never"}, "51000", "stpMode"),
        ({"reduceOnly": "maybe"}, "51000", "reduceOnly"),
        ({**SPOT, "tdMode": "cross"}, "51000", "tdMode"),
        ({**SPOT, "ordType": "optimal_limit_ioc"}, "51000", "ordType"),
        ({**SPOT, "ordType": "market", "tgtCcy": "BTC"}, "51000", "tgtCcy"),
        ({"sz": {"a": 1}}, "51000", "sz"),
    ],
)
def test_a_malformed_order_is_refused_and_the_parameter_named(
    changed: dict[str, object], code: str, named: str
) -> None:
    rest = Rest()
    ack = rest.order(**changed)
    assert (ack["sCode"], ack["ordId"]) == (code, "")
    assert named in ack["sMsg"]
    assert not rest.venue.demo.orders and not rest.venue.outbox


def test_longest_client_id_and_json_numbers_and_booleans_are_taken() -> None:
    rest = Rest()
    ack = rest.order(clOrdId="x" * 32, sz=1.5, px=61000, reduceOnly=True)
    order = rest.venue.demo.orders[ack["ordId"]]
    assert (order.size, order.price, order.reduce_only) == (D("1.5"), D(61000), True)


def test_spot_orders_are_cash_in_futures_mode_and_cross_in_multi_currency_mode() -> None:
    rest = Rest()
    assert rest.order(**SPOT)["sCode"] == "0"
    rest.venue.demo.level = "3"
    assert rest.order(**SPOT)["sCode"] == "51000"
    assert rest.order(instId="BTC-USDT", tdMode="cross")["sCode"] == "0"


def test_swaps_are_refused_in_spot_mode() -> None:
    rest = Rest()
    rest.venue.demo.level = "1"
    assert rest.order()["sCode"] == "51010"


@pytest.mark.parametrize(("side", "unit"), [("buy", "quote_ccy"), ("sell", "base_ccy")])
def test_a_spot_market_order_is_in_quote_for_a_buy_and_in_base_for_a_sell(side: str, unit: str) -> None:
    rest = Rest()
    ack = rest.order(**SPOT, side=side, ordType="market", px="")
    assert rest.venue.demo.orders[ack["ordId"]].target_ccy == unit
    explicit = rest.order(**SPOT, side=side, ordType="market", px="", tgtCcy="base_ccy")
    assert rest.venue.demo.orders[explicit["ordId"]].target_ccy == "base_ccy"
    limit = rest.order(**SPOT, side=side, tgtCcy="quote_ccy")
    assert rest.venue.demo.orders[limit["ordId"]].target_ccy == ""


def test_a_market_order_ignores_its_price() -> None:
    rest = Rest()
    ack = rest.order(ordType="market", px="1")
    assert rest.venue.demo.orders[ack["ordId"]].price is None


def test_an_order_past_its_expiry_is_not_accepted() -> None:
    rest = Rest()
    _, answer = rest.post("/trade/order", _order(), exptime=str(START_MS - 1))
    assert (answer["code"], answer["data"]) == ("50036", [])
    assert not rest.venue.demo.orders
    assert rest.post("/trade/order", _order(), exptime=str(START_MS + 1))[1]["code"] == "0"


def test_an_order_may_name_its_instrument_by_code() -> None:
    rest = Rest()
    ack = rest.order(instId="", instIdCode=10459)
    assert rest.venue.demo.orders[ack["ordId"]].inst_id == "BTC-USDT-SWAP"


# --- batches ------------------------------------------------------------------------------------


def test_a_batch_with_one_bad_item_succeeds_in_part() -> None:
    rest = Rest()
    _, answer = rest.post("/trade/batch-orders", [_order(clOrdId="a"), _order(sz="x", clOrdId="b")])
    assert answer["code"] == "2"
    assert [(ack["clOrdId"], ack["sCode"]) for ack in answer["data"]] == [("a", "0"), ("b", "51000")]
    assert "inTime" in answer


def test_a_batch_of_failures_fails_and_one_of_successes_succeeds() -> None:
    rest = Rest()
    assert rest.post("/trade/batch-orders", [_order(sz="x"), _order(sz="y")])[1]["code"] == "1"
    assert rest.post("/trade/batch-orders", [_order(), _order(**SPOT)])[1]["code"] == "0"


def test_a_batch_holds_twenty() -> None:
    rest = Rest()
    assert len(rest.post("/trade/batch-orders", [_order()] * 20)[1]["data"]) == 20
    assert rest.post("/trade/batch-orders", [_order()] * 21)[1]["code"] == "51111"
    assert len(rest.venue.demo.orders) == 20
    item = {"instId": "BTC-USDT-SWAP", "ordId": "1"}
    assert rest.post("/trade/cancel-batch-orders", [item] * 21)[1]["code"] == "51406"
    assert rest.post("/trade/amend-batch-orders", [item] * 21)[1]["code"] == "51501"


def test_one_order_is_not_a_batch_and_a_batch_is_not_one_order() -> None:
    rest = Rest()
    assert rest.post("/trade/batch-orders", _order())[1]["code"] == "50002"
    assert rest.post("/trade/order", [_order()])[1]["code"] == "50002"


# --- cancel and amend ---------------------------------------------------------------------------


def test_an_order_is_cancelled_by_either_id_and_the_venues_id_wins() -> None:
    rest = Rest()
    first, second = rest.order(clOrdId="one"), rest.order(clOrdId="two")
    body = {"instId": "BTC-USDT-SWAP", "ordId": first["ordId"], "clOrdId": "two"}
    assert rest.post("/trade/cancel-order", body)[1]["data"][0]["ordId"] == first["ordId"]
    assert rest.venue.demo.orders[second["ordId"]].is_open
    by_client = rest.post("/trade/cancel-order", {"instId": "BTC-USDT-SWAP", "clOrdId": "two"})[1]
    assert by_client["data"][0]["sCode"] == "0"
    assert not rest.venue.demo.open_orders


def test_cancelling_what_is_finished_unknown_or_elsewhere_is_51400() -> None:
    rest = Rest()
    done = rest.order(ordType="ioc", clOrdId="done")
    for body in (
        {"instId": "BTC-USDT-SWAP", "ordId": done["ordId"]},
        {"instId": "BTC-USDT-SWAP", "clOrdId": "never"},
    ):
        ack = rest.post("/trade/cancel-order", body)[1]["data"][0]
        assert ack["sCode"] == "51400"
    live = rest.order()
    other = rest.post("/trade/cancel-order", {"instId": "BTC-USDT", "ordId": live["ordId"]})[1]
    assert other["data"][0]["sCode"] == "51400"
    neither = rest.post("/trade/cancel-order", {"instId": "BTC-USDT-SWAP"})[1]["data"][0]
    assert neither["sCode"] == "51407"
    neither = rest.post("/trade/amend-order", {"instId": "BTC-USDT-SWAP", "newSz": "2"})[1]["data"][0]
    assert neither["sCode"] == "51003"
    assert rest.get("/trade/order", instId="BTC-USDT-SWAP")[1]["code"] == "51003"


def test_an_amendment_echoes_its_request_and_changes_the_order() -> None:
    rest = Rest()
    placed = rest.order(clOrdId="a1")
    body = {"instId": "BTC-USDT-SWAP", "clOrdId": "a1", "newSz": "2", "newPx": "61500", "reqId": "r1"}
    _, answer = rest.post("/trade/amend-order", body)
    assert answer["data"][0]["reqId"] == "r1" and answer["code"] == "0"
    order = rest.venue.demo.orders[placed["ordId"]]
    assert (order.size, order.price) == (D(2), D(61500))


def test_an_amendment_without_change_or_order_is_refused() -> None:
    rest = Rest()
    placed = rest.order()
    empty = rest.post("/trade/amend-order", {"instId": "BTC-USDT-SWAP", "ordId": placed["ordId"]})[1]
    assert empty["data"][0]["sCode"] == "50015"
    unknown = rest.post("/trade/amend-order", {"instId": "BTC-USDT-SWAP", "ordId": "9", "newSz": "1"})[1]
    assert unknown["data"][0]["sCode"] == "51503"


def test_a_failed_amendment_cancels_when_asked_to() -> None:
    rest = Rest()
    placed = rest.order()
    body = {"instId": "BTC-USDT-SWAP", "ordId": placed["ordId"], "newSz": "5", "cxlOnFail": True}
    rest.venue.refuse = Reject("51008", "Insufficient balance")
    assert rest.post("/trade/amend-order", body)[1]["data"][0]["sCode"] == "51008"
    assert rest.venue.demo.orders[placed["ordId"]].state == "canceled"


# --- queries ------------------------------------------------------------------------------------


def test_a_filled_order_shows_its_average_fee_and_last_fill() -> None:
    rest = Rest()
    placed = rest.order(ordType="ioc", clOrdId="f1", sz="2")
    [row] = rest.rows("/trade/order", instId="BTC-USDT-SWAP", clOrdId="f1")
    assert (row["state"], row["accFillSz"], row["avgPx"]) == ("filled", "2", "60000")
    assert (row["fee"], row["feeCcy"], row["rebate"]) == ("-0.6", "USDT", "0")
    assert (row["ordId"], row["reduceOnly"], row["tgtCcy"]) == (placed["ordId"], "false", "")
    assert row["tradeId"] != "" and row["fillSz"] == "2"


def test_an_unfilled_order_has_no_average() -> None:
    rest = Rest()
    placed = rest.order(reduceOnly=True)
    [row] = rest.rows("/trade/order", instId="BTC-USDT-SWAP", ordId=placed["ordId"])
    assert (row["avgPx"], row["accFillSz"], row["state"], row["reduceOnly"]) == ("", "0", "live", "true")


def test_a_rebate_is_not_a_negative_fee() -> None:
    rest = Rest()
    placed = rest.order()
    rest.venue.demo.orders[placed["ordId"]].fee = D("0.25")
    [row] = rest.rows("/trade/order", instId="BTC-USDT-SWAP", ordId=placed["ordId"])
    assert (row["fee"], row["rebate"]) == ("0", "0.25")


def test_an_unknown_order_is_51603() -> None:
    rest = Rest()
    rest.order()
    for wanted in ({"ordId": "9"}, {"clOrdId": "nope"}):
        status, answer = rest.get("/trade/order", instId="BTC-USDT-SWAP", **wanted)
        assert (status, answer["code"], answer["data"]) == (200, "51603", [])


def test_a_cancelled_order_without_a_fill_is_forgotten_after_two_hours() -> None:
    rest = Rest()
    placed = rest.order()
    rest.post("/trade/cancel-order", {"instId": "BTC-USDT-SWAP", "ordId": placed["ordId"]})
    rest.venue.now_ms += 2 * HOUR_MS
    assert len(rest.rows("/trade/orders-history", instType="SWAP")) == 1
    rest.venue.now_ms += 1
    assert rest.rows("/trade/orders-history", instType="SWAP") == []
    assert rest.get("/trade/order", instId="BTC-USDT-SWAP", ordId=placed["ordId"])[1]["code"] == "51603"


def test_history_keeps_seven_days_the_archive_three_months_of_fills() -> None:
    rest = Rest()
    filled, cancelled = rest.order(ordType="ioc"), rest.order()
    rest.post("/trade/cancel-order", {"instId": "BTC-USDT-SWAP", "ordId": cancelled["ordId"]})
    rest.order()  # still open: in neither
    assert _ids(rest, "/trade/orders-history") == [cancelled["ordId"], filled["ordId"]]
    assert _ids(rest, "/trade/orders-history-archive") == [filled["ordId"]]
    rest.venue.now_ms += 8 * DAY_MS
    assert _ids(rest, "/trade/orders-history") == []
    assert _ids(rest, "/trade/orders-history-archive") == [filled["ordId"]]
    rest.venue.now_ms += 90 * DAY_MS
    assert _ids(rest, "/trade/orders-history-archive") == []


def _ids(rest: Rest, path: str, **params: object) -> list[str]:
    return [row["ordId"] for row in rest.rows(path, instType="SWAP", **params)]


def test_history_needs_a_type_and_filters() -> None:
    rest = Rest()
    rest.order(ordType="ioc")
    assert rest.get("/trade/orders-history")[1]["code"] == "50014"
    assert rest.rows("/trade/orders-history", instType="SPOT") == []
    assert len(rest.rows("/trade/orders-history", instType="SWAP", state="filled", ordType="ioc,fok")) == 1
    assert rest.rows("/trade/orders-history", instType="SWAP", state="canceled") == []
    assert rest.rows("/trade/orders-history", instType="SWAP", begin=START_MS + 1) == []


def test_pending_orders_page_newest_first() -> None:
    rest = Rest()
    ids = [rest.order()["ordId"] for _ in range(5)]
    rest.order(ordType="ioc")
    assert _ids(rest, "/trade/orders-pending") == ids[::-1]
    assert _ids(rest, "/trade/orders-pending", limit=2) == [ids[4], ids[3]]
    assert _ids(rest, "/trade/orders-pending", after=ids[3], limit=2) == [ids[2], ids[1]]
    assert _ids(rest, "/trade/orders-pending", before=ids[3]) == [ids[4]]
    assert rest.get("/trade/orders-pending", limit=0)[1]["code"] == "51000"


def test_fills_carry_their_order_bill_and_signed_fee() -> None:
    rest = Rest()
    placed = rest.order(ordType="ioc", clOrdId="f1", tag="tag1", sz="2")
    rest.order(**SPOT, ordType="ioc", side="buy", sz="0.01")
    [row] = rest.rows("/trade/fills", instType="SWAP")
    assert (row["ordId"], row["clOrdId"], row["tag"]) == (placed["ordId"], "f1", "tag1")
    assert (row["fee"], row["feeCcy"], row["feeRate"], row["execType"]) == ("-0.6", "USDT", "-0.0005", "T")
    assert (row["fillSz"], row["fillPx"], row["side"]) == ("2", "60000", "sell")
    assert row["billId"] == rest.venue.demo.bills[0].bill_id
    assert len(rest.rows("/trade/fills")) == 2
    assert len(rest.rows("/trade/fills", ordId=placed["ordId"])) == 1


def test_fills_are_kept_three_days_and_their_history_three_months() -> None:
    rest = Rest()
    rest.order(ordType="ioc")
    rest.venue.now_ms += 3 * DAY_MS + 1
    assert rest.rows("/trade/fills") == []
    assert len(rest.rows("/trade/fills-history", instType="SWAP")) == 1
    rest.venue.now_ms += 90 * DAY_MS
    assert rest.rows("/trade/fills-history", instType="SWAP") == []


def test_fills_page_by_bill_without_loss() -> None:
    rest = Rest()
    for _ in range(7):
        rest.order(ordType="ioc")
    seen: list[str] = []
    after: dict[str, Any] = {}
    while rows := rest.rows("/trade/fills", limit=3, **after):
        seen += [row["billId"] for row in rows]
        after = {"after": seen[-1]}
    assert len(seen) == len(set(seen)) == 7


def test_a_position_is_closed_by_name() -> None:
    rest = Rest()
    body = {"instId": "BTC-USDT-SWAP", "mgnMode": "cross", "clOrdId": "x1"}
    assert rest.post("/trade/close-position", body)[1]["code"] == "51023"
    rest.order(ordType="ioc")
    [row] = rest.post("/trade/close-position", body)[1]["data"]
    assert (row["instId"], row["posSide"], row["clOrdId"]) == ("BTC-USDT-SWAP", "net", "x1")
    assert rest.venue.demo.positions[PositionKey("BTC-USDT-SWAP")].size == Decimal(0)


@pytest.mark.parametrize(
    ("seconds", "expected"), [("0", "0"), ("10", str(START_MS + 10_000)), ("120", str(START_MS + 120_000))]
)
def test_the_dead_mans_switch_tells_when_it_fires(seconds: str, expected: str) -> None:
    [row] = Rest().post("/trade/cancel-all-after", {"timeOut": seconds})[1]["data"]
    assert row["triggerTime"] == expected


@pytest.mark.parametrize("seconds", ["9", "121", "x", "-10"])
def test_the_dead_mans_switch_takes_ten_to_a_hundred_and_twenty_seconds(seconds: str) -> None:
    assert Rest().post("/trade/cancel-all-after", {"timeOut": seconds})[1]["code"] == "51000"


def test_there_are_no_algo_orders() -> None:
    assert Rest().rows("/trade/orders-algo-pending", ordType="conditional") == []
