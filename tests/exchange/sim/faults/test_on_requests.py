"""What requests and their answers go through, as a client in the same process sees it."""

import json
from decimal import Decimal

import httpx
import pytest

from exchange.sim.surface.inprocess import ConnectionLost, NoAnswer
from tests.exchange.sim.faults.lab import BATCH_PATH, ORDER_PATH, PLACING, SPOT, SWAP, Lab, order
from tests.exchange.sim.worlds import START_MS, D

TIME = "/api/v5/public/time"
ANY = {"rest": "*"}


def test_a_lost_request_is_never_carried_out_and_costs_the_client_its_patience() -> None:
    lab = Lab()
    lab.fault("drop", PLACING, first=1)
    with pytest.raises(NoAnswer):
        lab.place(clOrdId="a")
    assert lab.orders == [] and lab.board.now_ms == START_MS + 5_000
    assert lab.place(clOrdId="b")["sCode"] == "0"


@pytest.mark.parametrize("what", [{"drop": {"part": "answer"}}, "ack_lost"])
def test_a_lost_answer_leaves_an_order_the_client_does_not_know_of(what: object) -> None:
    lab = Lab()
    lab.fault(what, PLACING, first=1)
    with pytest.raises(NoAnswer):
        lab.place(clOrdId="a")
    assert lab.orders == ["a"] and lab.contracts() == -1


def test_an_answer_may_become_a_50004_whose_result_is_unknown() -> None:
    lab = Lab()
    lab.fault({"ack_lost": {"answer": "timeout"}}, PLACING)
    status, answer = lab.post(ORDER_PATH, order(clOrdId="a"))
    assert (status, answer["code"], answer["data"]) == (400, "50004", [])
    assert lab.orders == ["a"]


@pytest.mark.parametrize(
    ("what", "orders"),
    [
        ("reset", []),
        ({"reset": {"part": "answer"}}, ["a"]),
        ({"ack_lost": {"answer": "reset"}}, ["a"]),
    ],
)
def test_a_reset_comes_before_the_request_counts_or_instead_of_its_answer(
    what: object, orders: list[str]
) -> None:
    lab = Lab()
    lab.fault(what, PLACING)
    with pytest.raises(ConnectionLost):
        lab.place(clOrdId="a")
    assert lab.orders == orders and lab.board.now_ms == START_MS


def test_a_half_open_connection_says_nothing() -> None:
    lab = Lab()
    lab.fault("half_open", ANY)
    with pytest.raises(NoAnswer):
        lab.get(TIME)


def test_a_late_answer_takes_venue_time_and_the_order_is_there_before() -> None:
    lab = Lab()
    private = lab.private()
    private.follow("orders", instType="ANY")
    lab.fault({"delay": {"ms": "2s"}}, PLACING)
    ack = lab.place(clOrdId="a")
    assert ack["sCode"] == "0" and ack["ts"] == str(START_MS)
    assert lab.board.now_ms == START_MS + 2_000
    [placed, *_] = [row for frame in private.heard() for row in frame["data"]]
    assert placed["uTime"] == str(START_MS)


def test_a_late_request_is_carried_out_later() -> None:
    lab = Lab()
    lab.fault({"delay": {"ms": 1_500, "part": "request"}}, PLACING)
    assert lab.place(clOrdId="a")["ts"] == str(START_MS + 1_500)


def test_a_request_later_than_its_clients_patience_is_carried_out_unheard() -> None:
    lab = Lab()
    lab.fault({"delay": {"ms": "8s", "part": "request"}}, PLACING)
    with pytest.raises(NoAnswer):
        lab.place(clOrdId="a")
    assert lab.board.now_ms == START_MS + 5_000 and lab.orders == []
    lab.wait(2_999)
    assert lab.orders == []
    lab.wait(1)
    assert lab.orders == ["a"]


def test_an_http_client_sees_its_own_errors_after_its_own_timeout() -> None:
    lab = Lab()
    client = httpx.Client(transport=httpx.MockTransport(lab.near), base_url="http://venue", timeout=2.5)
    lab.fault("drop", {"rest": f"GET {TIME}"}, nth=1)
    lab.fault("reset", {"rest": f"GET {TIME}"}, nth=2)
    with pytest.raises(httpx.ReadTimeout):
        client.get(TIME)
    assert lab.board.now_ms == START_MS + 2_500
    with pytest.raises(httpx.ReadError):
        client.get(TIME)
    assert client.get(TIME).status_code == 200


def test_a_request_may_be_carried_out_twice() -> None:
    lab = Lab()
    lab.fault("duplicate", PLACING)
    assert lab.place(clOrdId="")["sCode"] == "0"
    assert lab.contracts() == -2


def test_the_gateway_answers_with_html_instead_of_the_venue() -> None:
    lab = Lab()
    lab.fault({"http": {"status": 502}}, PLACING, first=1)
    status, headers, body = lab.raw("POST", ORDER_PATH, "", order(clOrdId="a"))
    assert (status, headers["content-type"], lab.orders) == (502, "text/html", [])
    assert body.startswith(b"<html>")
    lab.fault({"http": {"status": 504, "body": "late", "executed": True}}, PLACING)
    assert lab.raw("POST", ORDER_PATH, "", order(clOrdId="b"))[2] == b"late"
    assert lab.orders == ["b"]


def test_an_order_is_refused_with_a_code_of_its_own() -> None:
    lab = Lab()
    lab.fault({"reject": {"code": "51008", "msg": "Insufficient balance"}}, {**PLACING, "inst_id": "*-SWAP"})
    status, answer = lab.post(ORDER_PATH, order(clOrdId="a"))
    assert (status, answer["code"]) == (200, "1")
    assert (answer["data"][0]["sCode"], answer["data"][0]["sMsg"]) == ("51008", "Insufficient balance")
    spot = order(instId=SPOT, tdMode="cash", side="buy", px="60500", sz="0.01")
    assert lab.place(**spot)["sCode"] == "0"
    assert len(lab.orders) == 1


def test_one_item_of_a_batch_is_refused_and_the_others_stand() -> None:
    lab = Lab()
    lab.fault({"reject": {"code": 51008, "item": 2}}, {"rest": BATCH_PATH})
    _, answer = lab.post(BATCH_PATH, [order(clOrdId=name) for name in ("a", "b", "c")])
    assert [ack["sCode"] for ack in answer["data"]] == ["0", "51008", "0"]
    assert answer["code"] == "2" and lab.orders == ["a", "c"]


def test_a_request_is_refused_as_a_whole_with_the_codes_status() -> None:
    lab = Lab()
    lab.fault({"reject": {"code": "50111", "msg": "Invalid OK-ACCESS-KEY"}}, {"rest": "/api/v5/account/*"})
    status, answer = lab.get("/api/v5/account/balance")
    assert (status, answer) == (401, {"code": "50111", "msg": "Invalid OK-ACCESS-KEY", "data": []})
    assert lab.get(TIME)[0] == 200


def test_a_burst_of_rate_limits_ends_with_its_window() -> None:
    lab = Lab()
    lab.fault("rate_limit", ANY, until="10s")
    assert (lab.get(TIME)[0], lab.get(TIME)[1]["code"]) == (429, "50011")
    lab.wait(10_000)
    assert lab.get(TIME)[0] == 200


@pytest.mark.parametrize(("fraction", "filled"), [(0.37, D("3.7")), (0, D(0)), (1, D(10))])
def test_an_order_finds_only_a_share_of_its_size(fraction: float, filled: Decimal) -> None:
    lab = Lab()
    lab.fault({"fill": {"fraction": fraction}}, {**PLACING, "inst_id": SWAP}, first=1)
    lab.place(clOrdId="a", sz="10")
    made = next(iter(lab.venue.accounts["demo"].orders.values()))
    assert made.filled == filled and made.size == 10
    assert made.state == ("filled" if fraction == 1 else "canceled")
    lab.place(clOrdId="b", sz="10")
    assert list(lab.venue.accounts["demo"].orders.values())[-1].state == "filled"


def test_a_spot_market_buy_in_usdt_finds_only_its_share_of_coins() -> None:
    lab = Lab()
    lab.fault({"fill": {"fraction": 0.5}}, {**PLACING, "inst_id": SPOT})
    lab.post(ORDER_PATH, {"instId": SPOT, "tdMode": "cash", "side": "buy", "ordType": "market", "sz": "6000"})
    made = next(iter(lab.venue.accounts["demo"].orders.values()))
    assert D("0.0499") < made.filled < D("0.0501")


def test_a_young_order_is_not_found_by_queries() -> None:
    lab = Lab()
    lab.fault({"visibility": {"ms": "2s"}}, {"rest": "GET /api/v5/trade/*"})
    lab.place(clOrdId="a", ordType="limit", px="61000")
    query = f"instId={SWAP}&clOrdId=a"
    assert lab.get(ORDER_PATH, query)[1]["code"] == "51603"
    assert lab.get("/api/v5/trade/orders-pending")[1]["data"] == []
    lab.wait(2_000)
    assert lab.get(ORDER_PATH, query)[1]["data"][0]["clOrdId"] == "a"
    assert len(lab.get("/api/v5/trade/orders-pending")[1]["data"]) == 1


def test_a_young_fill_is_not_found_either() -> None:
    lab = Lab()
    lab.fault({"visibility": {"ms": "2s"}}, {"rest": "GET /api/v5/trade/*"})
    lab.place(clOrdId="a")
    assert lab.get("/api/v5/trade/fills")[1]["data"] == []
    lab.wait(2_000)
    assert len(lab.get("/api/v5/trade/fills")[1]["data"]) == 1


def test_rules_tell_accounts_apart() -> None:
    lab = Lab()
    lab.control("POST", "/sim/accounts", {"name": "other"})
    lab.fault({"http": {"status": 500}}, {"rest": "*", "account": "other"})
    assert lab.get("/api/v5/account/balance")[0] == 200


def test_faults_are_counted_and_recorded_with_what_they_struck() -> None:
    lab = Lab()
    lab.fault({"http": {"status": 502}}, PLACING, every=2)
    for n in range(4):
        lab.raw("POST", ORDER_PATH, "", order(clOrdId=f"c{n}"))
    [rule] = lab.control("GET", "/sim/faults")[1]["rules"]
    assert (rule["id"], rule["matches"], rule["hits"], rule["when"]) == ("r1", 4, 2, {"every": 2})
    struck = lab.log("fault")
    assert [row["at_ms"] for row in struck] == [START_MS] * 2
    assert struck[0]["rule"] == "r1" and struck[0]["what"] == "http"
    assert struck[0]["struck"] == {
        "place": "rest", "method": "POST", "path": ORDER_PATH, "account": "demo", "inst_ids": [SWAP],
    }  # fmt: skip


def test_rules_are_removed_one_by_one_or_all_at_once() -> None:
    lab = Lab()
    first = lab.fault({"http": {"status": 502}}, ANY)
    lab.fault({"http": {"status": 503}}, ANY)
    assert lab.raw("GET", TIME)[0] == 502
    assert lab.control("DELETE", f"/sim/faults/{first}") == (200, {"removed": ["r1"]})
    assert lab.raw("GET", TIME)[0] == 503
    assert lab.control("DELETE", f"/sim/faults/{first}")[0] == 404
    assert lab.control("DELETE", "/sim/faults") == (200, {"removed": ["r2"]})
    assert lab.raw("GET", TIME)[0] == 200


def test_a_senseless_rule_is_refused_and_none_of_its_company_is_added() -> None:
    lab = Lab()
    rules = [{"where": ANY, "what": "drop"}, {"where": ANY, "what": {"delay": {"ms": "soon"}}}]
    status, answer = lab.control("POST", "/sim/faults", {"rules": rules})
    assert status == 400
    assert answer["error"]["field"] == "rules[2] (r2).what.delay.ms" and answer["error"]["value"] == "soon"
    assert "500ms" in answer["error"]["allowed"]
    assert lab.control("GET", "/sim/faults")[1]["rules"] == []
    assert lab.control("POST", "/sim/faults", {"rule": []})[0] == 400
    assert json.loads(lab.raw("GET", TIME)[2])["code"] == "0"
