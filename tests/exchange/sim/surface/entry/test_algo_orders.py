"""Algo orders through the protocol, on a venue with real economics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.sim.surface.client import Stream
from tests.exchange.sim.surface.scene import Scene

RECORDED = Path(__file__).parents[5].parent / "shared" / "okx" / "recorded"
STOP: dict[str, object] = {
    "instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "1",
    "slTriggerPx": "59500", "slOrdPx": "-1",
}  # fmt: skip


class AlgoScene(Scene):
    def place(self, **changed: object) -> dict[str, Any]:
        return self.ack("/trade/order-algo", {**STOP, **changed})

    def details(self, algo_id: str) -> dict[str, Any]:
        (row,) = self.rest.rows("/trade/order-algo", algoId=algo_id)
        found: dict[str, Any] = row
        return found


def recorded(name: str) -> Any:
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"needs the recorded payload {path}")
    return json.loads(path.read_text())["payload"]["data"]


def test_a_stop_is_acknowledged_shown_as_waiting_and_ends_in_the_history() -> None:
    scene = AlgoScene()
    ack = scene.place(algoClOrdId="stop1", tag="t")
    assert (ack["sCode"], ack["algoClOrdId"], ack["tag"], ack["clOrdId"]) == ("0", "stop1", "t", "")
    (row,) = scene.rest.rows("/trade/orders-algo-pending", ordType="conditional,oco")
    assert (row["algoId"], row["state"], row["slTriggerPx"], row["slOrdPx"], row["slTriggerPxType"]) == (
        ack["algoId"], "live", "59500", "-1", "last",
    )  # fmt: skip
    scene.move(59_400)
    assert not scene.rest.rows("/trade/orders-algo-pending", ordType="conditional")
    (row,) = scene.rest.rows("/trade/orders-algo-history", ordType="conditional", state="effective")
    (order,) = scene.rest.rows("/trade/orders-history", instType="SWAP")
    assert row["ordIdList"] == [row["ordId"]] == [order["ordId"]]
    assert (row["actualSide"], row["actualSz"], row["actualPx"]) == ("sl", "1", order["avgPx"])
    assert (order["algoId"], order["algoClOrdId"], order["source"]) == (ack["algoId"], "stop1", "7")
    by_name = scene.rest.rows("/trade/order-algo", algoClOrdId="stop1")
    assert by_name == [row]


def test_a_failed_trigger_tells_why() -> None:
    scene = AlgoScene()
    ack = scene.place(sz="9000")
    scene.move(59_400)
    (row,) = scene.rest.rows("/trade/orders-algo-history", ordType="conditional", state="order_failed")
    assert (row["algoId"], row["failCode"], row["ordIdList"]) == (ack["algoId"], "51008", [])


def test_history_needs_a_kind_and_a_state_or_an_id() -> None:
    rest = AlgoScene().rest
    assert rest.get("/trade/orders-algo-history", state="canceled")[1]["code"] == "50014"
    assert rest.get("/trade/orders-algo-history", ordType="oco")[1]["code"] == "50015"
    assert rest.get("/trade/orders-algo-history", ordType="oco", state="live")[1]["code"] == "51000"
    assert rest.get("/trade/orders-algo-pending", ordType="oco,trigger")[1]["code"] == "51000"
    assert rest.rows("/trade/orders-algo-pending", ordType="twap") == []
    assert rest.get("/trade/order-algo", algoId="1")[1]["code"] == "51603"
    assert rest.get("/trade/order-algo")[1]["code"] == "50015"


def test_waiting_orders_are_paged_by_their_ids_newest_first() -> None:
    scene = AlgoScene()
    ids = [scene.place()["algoId"] for _ in range(5)]

    def page(**more: object) -> list[str]:
        rows = scene.rest.rows("/trade/orders-algo-pending", ordType="conditional", limit=2, **more)
        return [row["algoId"] for row in rows]

    assert page() == [ids[4], ids[3]]
    assert page(after=ids[3]) == [ids[2], ids[1]]
    assert page(before=ids[3]) == [ids[4]]


def test_ten_at_most_are_cancelled_at_once_and_each_is_acknowledged() -> None:
    scene = AlgoScene()
    algo_id = scene.place()["algoId"]
    items = [{"instId": "BTC-USDT-SWAP", "algoId": algo_id}, {"instId": "BTC-USDT-SWAP", "algoId": "1"}]
    answer = scene.rest.post("/trade/cancel-algos", items)[1]
    assert answer["code"] == "2" and [ack["sCode"] for ack in answer["data"]] == ["0", "51400"]
    assert scene.details(algo_id)["state"] == "canceled"
    assert scene.rest.post("/trade/cancel-algos", items * 6)[1]["code"] == "51406"


def test_an_amendment_moves_the_trigger_and_keeps_what_it_does_not_name() -> None:
    scene = AlgoScene()
    algo_id = scene.place(ordType="oco", tpTriggerPx="60500", tpOrdPx="60400")["algoId"]
    body = {"instId": "BTC-USDT-SWAP", "algoId": algo_id, "newTpTriggerPx": "60600", "reqId": "r1"}
    ack = scene.ack("/trade/amend-algos", body)
    assert (ack["reqId"], ack["sCode"]) == ("r1", "0")
    row = scene.details(algo_id)
    assert (row["tpTriggerPx"], row["tpOrdPx"], row["slTriggerPx"]) == ("60600", "60400", "59500")
    assert scene.ack("/trade/amend-algos", {**body, "newTpTriggerPx": ""})["sCode"] == "51500"
    assert scene.ack("/trade/amend-algos", {**body, "algoId": "1"})["sCode"] == "51527"
    refused = scene.ack("/trade/amend-algos", {**body, "newTpTriggerPx": "59000", "cxlOnFail": True})
    assert refused["sCode"] == "51279" and scene.details(algo_id)["state"] == "canceled"


@pytest.mark.parametrize(
    ("changed", "code", "named"),
    [
        ({"instId": "X-USDT"}, "51001", "Instrument"),
        ({"sz": ""}, "50015", "closeFraction"),
        ({"sz": "", "closeFraction": "0.5"}, "51000", "closeFraction"),
        ({"closeFraction": "1"}, "50024", "sz"),
        ({"slOrdPx": ""}, "50014", "slOrdPx"),
        ({"slTriggerPxType": "mid"}, "51000", "slTriggerPxType"),
        ({"algoClOrdId": "a-b"}, "51000", "algoClOrdId"),
        ({"tpTriggerRatio": "0.1"}, "51000", "tpTriggerRatio"),
        ({"tpOrdKind": "limit"}, "51000", "tpOrdKind"),
        ({"ordType": "trigger", "tgtCcy": "base_ccy"}, "51281", "tgtCcy"),
        ({"ordType": "trigger"}, "50014", "triggerPx"),
        ({"ordType": "chase"}, "51056", "chase"),
    ],
)
def test_a_malformed_algo_order_is_refused_and_the_parameter_named(
    changed: dict[str, object], code: str, named: str
) -> None:
    scene = AlgoScene()
    ack = scene.place(**changed)
    assert (ack["sCode"], ack["algoId"]) == (code, "") and named in ack["sMsg"]
    assert not scene.venue.accounts["demo"].algos


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tpTriggerRatio", "0.1"),
        ("slTriggerRatio", "-0.1"),
        ("tpOrdKind", "limit"),
        ("amendPxOnTriggerType", "1"),
    ],
)
def test_what_no_document_describes_of_attached_stops_is_refused_by_its_name(name: str, value: str) -> None:
    scene = AlgoScene()
    attached = {"slTriggerPx": "59500", "slOrdPx": "-1", "tpTriggerPx": "60900", "tpOrdPx": "60800"}
    ack = scene.rest.order(side="buy", px="59900", attachAlgoOrds=[{**attached, name: value}])
    assert ack["sCode"] == "51000" and name in ack["sMsg"]
    assert not scene.venue.accounts["demo"].orders
    plain = {"tpOrdKind": "condition", "amendPxOnTriggerType": "0", "tpTriggerRatio": ""}
    assert scene.rest.order(side="buy", px="59900", attachAlgoOrds=[attached | plain])["sCode"] == "0"


def test_attached_stops_travel_with_the_order_and_then_stand_by_themselves() -> None:
    scene = AlgoScene()
    attached = [{"attachAlgoClOrdId": "g1", "slTriggerPx": "59500", "slOrdPx": "-1", "tpTriggerPx": "60900", "tpOrdPx": "60800"}]  # fmt: skip # noqa: E501
    ack = scene.rest.order(side="buy", px="59900", attachAlgoOrds=attached)
    (row,) = scene.rest.rows("/trade/orders-pending")
    (shown,) = row["attachAlgoOrds"]
    assert (shown["attachAlgoClOrdId"], shown["slOrdPx"], shown["tpOrdPx"]) == ("g1", "-1", "60800")
    scene.move(59_800)
    assert scene.rest.rows("/trade/order", instId="BTC-USDT-SWAP", ordId=ack["ordId"])[0]["state"] == "filled"
    (guard,) = scene.rest.rows("/trade/orders-algo-pending", ordType="oco")
    assert (guard["algoId"], guard["algoClOrdId"], guard["side"]) == (shown["attachAlgoId"], "g1", "sell")


def test_every_change_of_a_stop_is_pushed_on_its_channel() -> None:
    scene = AlgoScene()
    stream, (ack,) = scene.business(channel="orders-algo", instType="SWAP")
    assert ack["event"] == "subscribe"
    algo_id = scene.place()["algoId"]
    body = {"instId": "BTC-USDT-SWAP", "algoId": algo_id, "newSz": "2", "reqId": "r7"}
    scene.ack("/trade/amend-algos", body)
    scene.place(ordType="move_order_stop", slTriggerPx="", slOrdPx="", callbackRatio="0.1")
    news = stream.news()
    scene.move(59_400)
    news += stream.news()
    assert {frame["arg"]["channel"] for frame in news} == {"orders-algo"}
    rows = [frame["data"][0] for frame in news]
    assert [(row["state"], row["sz"], row["reqId"], row["amendResult"]) for row in rows] == [
        ("live", "1", "", ""), ("live", "2", "r7", "0"), ("effective", "2", "", ""),
    ]  # fmt: skip
    assert rows[0]["notionalUsd"] == "595"


def test_trailing_orders_are_pushed_on_the_channel_of_advanced_ones_which_greets() -> None:
    scene = AlgoScene()
    trailing: dict[str, object] = {"ordType": "move_order_stop", "slTriggerPx": "", "slOrdPx": ""}
    first = scene.place(**trailing, callbackRatio="0.1")["algoId"]
    stream, (_, greeting) = scene.business(channel="algo-advance", instType="ANY")
    assert [row["algoId"] for row in greeting["data"]] == [first]
    stream.news()
    second = scene.place(**trailing, callbackSpread="100")["algoId"]
    scene.place()
    (news,) = stream.news()
    assert (news["data"][0]["algoId"], news["data"][0]["moveTriggerPx"]) == (second, "59900")


def test_the_channel_wants_a_login_and_an_instrument_type() -> None:
    scene = AlgoScene()
    (refused,) = Stream(scene.rest, "business").subscribe(channel="orders-algo", instType="SWAP")
    assert refused["code"] == "60011"
    _, (refused,) = scene.business(channel="orders-algo")
    assert refused["code"] == "60018"


def test_every_recorded_field_of_an_algo_order_is_served() -> None:
    scene = AlgoScene()
    row = scene.details(scene.place()["algoId"])
    stream, _ = scene.business(channel="orders-algo", instType="ANY")
    push = row | {"amendResult": "", "reqId": "", "notionalUsd": ""}
    ack = scene.place()
    assert set(stream.news()[0]["data"][0]) == set(push)
    for name, shown in (
        ("okx_net/rest_Trading_GetAlgoOrder.json", row),
        ("nautilus_trader/http_get_orders_algo_history.json", row),
        ("nautilus_trader/http_get_orders_algo_pending_close_fraction.json", row),
        ("nautilus_trader/ws_orders_algo.json", push),
        ("okx_net/ws_Trading_AlgoOrder.json", push),
        ("nautilus_trader/http_place_algo_order_response.json", ack),
        ("okx_net/rest_Trading_AmendAlgoOrder.json", ack | {"reqId": ""}),
    ):
        for one in recorded(name):
            assert set(one) <= set(shown), name
            assert all(isinstance(shown[field], type(value)) for field, value in one.items()), name
