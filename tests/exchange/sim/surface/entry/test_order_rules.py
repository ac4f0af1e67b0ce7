"""Order entry through the protocol, on a venue with real economics."""

from __future__ import annotations

from typing import Any

import pytest

from tests.exchange.sim.surface.client import Stream
from tests.exchange.sim.surface.scene import Scene

SWAP = "BTC-USDT-SWAP"
SPOT: dict[str, object] = {"instId": "BTC-USDT", "tdMode": "cash"}


def orders_stream(scene: Scene) -> Stream:
    stream = Stream(scene.rest, "private")
    stream.login()
    stream.subscribe(channel="orders", instType="ANY")
    return stream


def pushed(stream: Stream) -> list[dict[str, Any]]:
    return [frame["data"][0] for frame in stream.news()]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"pxUsd": "1"}, "51537"),
        ({"pxAmendType": "2"}, "51000"),
        ({**SPOT, "tradeQuoteCcy": "EUR"}, "51000"),
        ({**SPOT, "ordType": "market", "px": "", "slippagePct": "0.06"}, "54084"),
        ({**SPOT, "ordType": "market", "px": "", "slippagePct": "0.01234"}, "54085"),
        ({"ordType": "mmp"}, "51000"),
        ({"px": "70000", "side": "buy"}, "51137"),
        ({"reduceOnly": True}, "51169"),
    ],
)
def test_what_an_order_cannot_ask_for_is_refused(changed: dict[str, object], code: str) -> None:
    assert Scene().rest.order(**changed)["sCode"] == code


def test_every_parameter_python_okx_sends_for_an_order_is_understood() -> None:
    scene = Scene()
    unset = dict.fromkeys(("ccy", "tag", "posSide", "reduceOnly", "tgtCcy", "stpMode", "pxUsd", "pxVol"), "")
    ack = scene.rest.order(
        **unset, banAmend="", attachAlgoOrds=None, tradeQuoteCcy="", pxAmendType="1", isElpTakerAccess="false"
    )
    assert ack["sCode"] == "0"
    spot = scene.rest.order(
        **SPOT, side="buy", ordType="market", px="", sz="100", tradeQuoteCcy="USDT", banAmend=True
    )
    assert spot["sCode"] == "0"


def test_a_price_the_venue_may_move_is_shown_as_moved() -> None:
    scene = Scene()
    ack = scene.rest.order(side="buy", px="70000", pxAmendType="1", ordType="ioc")
    (row,) = scene.rest.rows("/trade/order", instId=SWAP, ordId=ack["ordId"])
    assert row["px"] == scene.rest.rows("/public/price-limit", instId=SWAP)[0]["buyLmt"]


def test_amendments_are_pushed_with_their_result_and_a_refused_one_with_its_reason() -> None:
    scene = Scene()
    stream = orders_stream(scene)
    ord_id = scene.rest.order()["ordId"]
    body = {"instId": SWAP, "ordId": ord_id, "reqId": "r1"}
    assert scene.ack("/trade/amend-order", {**body, "newSz": "2"})["sCode"] == "0"
    assert scene.ack("/trade/amend-order", {**body, "newSz": "900", "reqId": "r2"})["sCode"] == "51502"
    gone = {**body, "newPx": "61000.05", "reqId": "r3", "cxlOnFail": True}
    assert scene.ack("/trade/amend-order", gone)["sCode"] == "51000"
    rows = pushed(stream)
    assert [(row["reqId"], row["amendResult"], row["code"], row["sz"], row["state"]) for row in rows] == [
        ("", "", "0", "1", "live"),
        ("r1", "0", "0", "2", "live"),
        ("r2", "-1", "51502", "2", "live"),
        ("r3", "1", "51000", "2", "canceled"),
    ]
    assert rows[1]["amendSource"] == "1" and "Insufficient" in rows[2]["msg"]


def test_attached_stops_are_amended_by_id_and_only_where_there_are_any() -> None:
    scene = Scene()
    guard = {"attachAlgoClOrdId": "g1", "slTriggerPx": "59500", "slOrdPx": "-1"}
    ord_id = scene.rest.order(side="buy", px="59900", attachAlgoOrds=[guard])["ordId"]
    body = {"instId": SWAP, "ordId": ord_id}
    moved = {"attachAlgoClOrdId": "g1", "newSlTriggerPx": "59000"}
    assert scene.ack("/trade/amend-order", {**body, "attachAlgoOrds": [moved]})["sCode"] == "0"
    (row,) = scene.rest.rows("/trade/orders-pending")
    assert row["attachAlgoOrds"][0]["slTriggerPx"] == "59000"
    other = {"attachAlgoClOrdId": "g2", "newSlTriggerPx": "59000"}
    assert scene.ack("/trade/amend-order", {**body, "attachAlgoOrds": [other]})["sCode"] == "51527"
    assert scene.ack("/trade/amend-order", {**body, "newSlTriggerPx": "59000"})["sCode"] == "51538"
    gone = {"attachAlgoClOrdId": "g1", "newSlTriggerPx": "0"}
    assert scene.ack("/trade/amend-order", {**body, "attachAlgoOrds": [gone]})["sCode"] == "0"
    assert scene.rest.rows("/trade/orders-pending")[0]["attachAlgoOrds"] == []


def test_an_expiry_counts_for_new_and_amended_orders_only() -> None:
    scene = Scene()
    ord_id = scene.rest.order()["ordId"]
    past = str(scene.venue.now_ms - 1)
    amend = {"instId": SWAP, "ordId": ord_id, "newSz": "2"}
    assert scene.rest.post("/trade/amend-order", amend, exptime=past)[1]["code"] == "50036"
    assert scene.rest.post("/trade/amend-order", amend, exptime="soon")[1]["code"] == "51000"
    cancel = {"instId": SWAP, "ordId": ord_id}
    assert scene.rest.post("/trade/cancel-order", cancel, exptime=past)[1]["code"] == "0"


def test_mass_cancellation_is_for_option_makers() -> None:
    scene = Scene()
    assert scene.rest.post("/trade/mass-cancel", {"instType": "SWAP"})[1]["code"] == "51000"
    assert scene.rest.post("/trade/mass-cancel", {"instType": "OPTION"})[1]["code"] == "50014"
    wanted = {"instType": "OPTION", "instFamily": "BTC-USD"}
    assert scene.rest.post("/trade/mass-cancel", wanted)[1]["code"] == "51411"
    stream = orders_stream(scene)
    (answer,) = stream.say(id="1", op="mass-cancel", args=[wanted])
    assert (answer["op"], answer["code"], answer["data"]) == ("mass-cancel", "51411", [])


def test_a_dead_mans_switch_may_be_kept_per_tag() -> None:
    scene = Scene()
    (row,) = scene.rest.post("/trade/cancel-all-after", {"timeOut": "10", "tag": "a"})[1]["data"]
    assert (row["tag"], row["triggerTime"]) == ("a", str(scene.venue.now_ms + 10_000))
    tagged, plain = scene.rest.order(tag="a"), scene.rest.order()
    scene.move(60_000)
    assert [o["ordId"] for o in scene.rest.rows("/trade/orders-pending")] == [plain["ordId"]]
    gone = scene.rest.rows("/trade/order", instId=SWAP, ordId=tagged["ordId"])[0]
    assert gone["cancelSource"] == "20"


def test_closing_a_position_carries_its_tag() -> None:
    scene = Scene()
    scene.rest.order(px="59900", ordType="ioc", sz="5")
    scene.rest.post(
        "/trade/close-position", {"instId": SWAP, "mgnMode": "cross", "tag": "bye", "clOrdId": "c1"}
    )
    (row,) = scene.rest.rows("/trade/order", instId=SWAP, clOrdId="c1")
    assert (row["tag"], row["state"], row["side"], row["accFillSz"]) == ("bye", "filled", "buy", "5")


def test_a_precheck_tells_what_an_order_would_do_and_does_nothing() -> None:
    scene = Scene()
    body = {"instId": SWAP, "tdMode": "cross", "side": "sell", "ordType": "market", "sz": "100"}
    assert scene.rest.post("/trade/order-precheck", body)[1]["code"] == "51010"
    account = scene.venue.accounts["demo"]
    scene.venue.set_level(account, "3")
    before = scene.venue.snapshot_hash()
    (row,) = scene.rest.post("/trade/order-precheck", body)[1]["data"]
    assert scene.venue.snapshot_hash() == before and not account.positions
    assert scene.rest.post("/trade/order-precheck", {**body, "sz": "9000"})[1]["code"] == "51008"
    ack = scene.rest.order(ordType="market", px="", sz="100")
    assert ack["sCode"] == "0"
    (balance,) = scene.rest.rows("/account/balance")
    for name in ("adjEq", "imr", "mmr", "mgnRatio"):
        assert float(row[name]) == pytest.approx(float(balance[name]), rel=1e-4)
    (position,) = scene.rest.rows("/account/positions")
    assert float(row["liqPx"]) == pytest.approx(float(position["liqPx"]), rel=1e-4)
    assert float(row["imrChg"]) == pytest.approx(20_000, rel=1e-3)


def test_the_order_rate_of_an_account_can_be_asked_for() -> None:
    (row,) = Scene().rest.rows("/trade/account-rate-limit")
    assert row["accRateLimit"] == "1000" and {"fillRatio", "mainFillRatio", "nextAccRateLimit", "ts"} <= set(
        row
    )


def test_an_order_that_would_be_matched_after_its_expiry_is_refused() -> None:
    scene = Scene(match_ms=50)
    body = {"instId": SWAP, "tdMode": "cross", "side": "sell", "ordType": "limit", "px": "61000", "sz": "1"}
    soon, later = str(scene.venue.now_ms + 49), str(scene.venue.now_ms + 50)
    assert scene.rest.post("/trade/order", body, exptime=soon)[1]["code"] == "50037"
    assert scene.rest.post("/trade/order", body, exptime=later)[1]["code"] == "0"
