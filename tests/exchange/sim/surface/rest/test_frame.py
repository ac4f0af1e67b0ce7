"""Envelope, signature, permissions, limits: what every REST request meets first."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.model import Reject
from exchange.sim.surface.entry.rate_limits import Limit, RateLimits
from exchange.sim.surface.rest.api import status_of
from exchange.sim.surface.wires import Request
from tests.exchange.sim.surface.client import Rest, iso, sign, signed_headers
from tests.exchange.sim.surface.stub_venue import KEY, SECRET, START_MS, D

BALANCE = "/api/v5/account/balance"


def ask_balance(rest: Rest, **changed: str) -> tuple[int, str]:
    headers = signed_headers(rest.venue.now_ms, "GET", BALANCE, "")
    for name, value in changed.items():
        headers[f"ok-access-{name}"] = value
    status, answer = rest.raw("GET", BALANCE, "", headers)
    return status, answer["code"]


def test_a_signed_request_is_answered() -> None:
    assert ask_balance(Rest()) == (200, "0")


@pytest.mark.parametrize(
    ("name", "code"), [("key", "50103"), ("passphrase", "50104"), ("sign", "50106"), ("timestamp", "50107")]
)
def test_a_missing_header_is_named(name: str, code: str) -> None:
    assert ask_balance(Rest(), **{name: ""}) == (401, code)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("key", "no-such-key", "50119"),
        ("key", "bad key!", "50111"),
        ("passphrase", "wrong", "50105"),
        ("sign", "AAAA", "50113"),
        ("timestamp", "yesterday", "50112"),
        ("timestamp", "2026-13-45T00:00:00.000Z", "50112"),
    ],
)
def test_a_wrong_credential_has_its_own_code(name: str, value: str, code: str) -> None:
    assert ask_balance(Rest(), **{name: value}) == (401, code)


@pytest.mark.parametrize(("off_ms", "code"), [(30_000, "0"), (30_001, "50102"), (-30_001, "50102")])
def test_the_timestamp_is_held_against_the_venues_clock(off_ms: int, code: str) -> None:
    rest = Rest()
    headers = signed_headers(START_MS + off_ms, "GET", BALANCE, "")
    assert rest.raw("GET", BALANCE, "", headers)[1]["code"] == code


def test_the_signature_covers_the_query() -> None:
    rest = Rest()
    headers = signed_headers(START_MS, "GET", BALANCE + "?ccy=BTC", "")
    assert rest.raw("GET", BALANCE, "ccy=BTC", headers)[0] == 200
    assert rest.raw("GET", BALANCE, "ccy=USDT", headers)[1]["code"] == "50113"


def test_the_signature_covers_the_body() -> None:
    rest, path = Rest(), "/api/v5/account/set-position-mode"
    headers = signed_headers(START_MS, "POST", path, '{"posMode":"net_mode"}')
    assert rest.raw("POST", path, "", headers, '{"posMode":"net_mode"}')[0] == 200
    assert rest.raw("POST", path, "", headers, '{"posMode":"net_mode" }')[1]["code"] == "50113"


def test_the_demo_header_is_accepted() -> None:
    headers = {**signed_headers(START_MS, "GET", BALANCE, ""), "x-simulated-trading": "1"}
    assert Rest().raw("GET", BALANCE, "", headers)[0] == 200


@pytest.mark.parametrize(
    ("environment", "header", "code"),
    [
        ("demo", "1", "0"),
        ("demo", "0", "50101"),
        ("demo", None, "50101"),
        ("live", "1", "50101"),
        ("live", "0", "0"),
        ("live", None, "0"),
        ("any", "0", "0"),
        ("any", None, "0"),
    ],
)
def test_a_key_of_another_environment_is_refused(environment: str, header: str | None, code: str) -> None:
    rest = Rest(environment=environment)
    headers = signed_headers(START_MS, "GET", BALANCE, "")
    if header is not None:
        headers["x-simulated-trading"] = header
    status, answer = rest.raw("GET", BALANCE, "", headers)
    assert (status, answer["code"]) == (401 if code != "0" else 200, code)


def test_an_environment_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="environment is test, allowed: any, live, demo"):
        Rest(environment="test")


def test_a_key_bound_to_other_addresses_is_refused() -> None:
    rest = Rest()
    rest.venue.demo.ip = "10.0.0.1,10.0.0.2"
    assert ask_balance(rest) == (401, "50110")
    rest.venue.demo.ip = "10.0.0.1,127.0.0.1"
    assert ask_balance(rest) == (200, "0")


def test_a_read_only_key_may_look_and_not_trade() -> None:
    rest = Rest()
    rest.venue.demo.permissions = "read_only"
    assert ask_balance(rest) == (200, "0")
    status, answer = rest.post("/trade/order", {"instId": "BTC-USDT"})
    assert (status, answer["code"], answer["data"]) == (401, "50120", [])


def test_public_endpoints_need_no_signature() -> None:
    assert Rest().raw("GET", "/api/v5/public/time", "", {}) == (
        200,
        {"code": "0", "msg": "", "data": [{"ts": str(START_MS)}]},
    )


def test_unknown_paths_wrong_methods_and_what_is_not_simulated_are_told_apart() -> None:
    rest = Rest()
    assert rest.get("/public/nothing")[0] == 404
    assert rest.post("/public/time", {})[0] == 405
    assert rest.post("/public/time", {})[1]["code"] == "50115"
    assert rest.get("/trade/cancel-order")[0] == 405
    status, answer = rest.post("/asset/withdrawal", {"instId": "BTC-USDT"})
    assert (status, answer["code"]) == (410, "50005")


@pytest.mark.parametrize(
    ("body", "code"),
    [("", "50000"), ("{", "50002"), ("[1]", "50002"), ('"x"', "50002"), ("[]", "50002")],
)
def test_a_body_that_is_no_object_is_refused(body: str, code: str) -> None:
    rest, path = Rest(), "/api/v5/trade/order"
    status, answer = rest.raw("POST", path, "", signed_headers(START_MS, "POST", path, body), body)
    assert (status, answer["code"]) == (400, code)


def test_a_body_of_another_content_type_is_refused() -> None:
    status, answer = Rest().post("/trade/order", {}, **{"content-type": "text/plain"})
    assert (status, answer["code"]) == (400, "50006")


def test_a_body_that_is_not_text_is_refused_and_nothing_breaks() -> None:
    rest, path = Rest(), "/api/v5/trade/order"
    body = b'{"instId":"\xff"}'
    stamp = iso(START_MS)
    headers = {
        **signed_headers(START_MS, "POST", path, ""),
        "ok-access-sign": sign(SECRET, f"{stamp}POST{path}" + body.decode("utf-8", "replace")),
    }
    status, answer = rest.api.handle(Request("POST", path, "", headers, body))
    assert (status, json.loads(answer)["code"]) == (400, "50002")


def test_empty_and_null_parameters_are_absent_and_unknown_ones_ignored() -> None:
    rest = Rest()
    rows = rest.rows("/public/instruments", instType="SPOT", instId="", uly="", whatever="1")
    assert [row["instId"] for row in rows] == ["BTC-USDT"]
    ack = rest.order(ccy="", reduceOnly="", attachAlgoOrds=None, clOrdId="", banAmend="", stpMode=None)
    assert ack["sCode"] == "0"


def test_a_missing_parameter_is_named() -> None:
    status, answer = Rest().get("/market/ticker")
    assert (status, answer["code"]) == (400, "50014")
    assert "instId" in answer["msg"]


def test_a_bad_parameter_is_named() -> None:
    status, answer = Rest().get("/market/candles", instId="BTC-USDT", bar="7m")
    assert (status, answer["code"], answer["msg"]) == (400, "51000", "Parameter bar error")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("0", 200),
        ("51008", 200),
        ("50011", 429),
        ("50113", 401),
        ("50120", 401),
        ("50001", 503),
        ("50026", 500),
    ],
)
def test_the_http_status_follows_the_code(code: str, status: int) -> None:
    assert status_of(code) == status


PATHS = sorted(path for _, path in Rest().api._routes)


@settings(max_examples=300)
@given(
    path=st.sampled_from(PATHS),
    params=st.dictionaries(
        st.sampled_from(
            ("instId", "instType", "after", "before", "limit", "bar", "sz", "px", "ordId", "ccy")
        ),
        st.text("aA0-.,1U", max_size=6) | st.sampled_from(("BTC-USDT-SWAP", "SWAP", "1D", "0", "99")),
    ),
)
def test_whatever_is_asked_gets_an_envelope(path: str, params: dict[str, str]) -> None:
    rest = Rest()
    for status, answer in (
        rest.get(path.removeprefix("/api/v5"), **params),
        rest.post(path.removeprefix("/api/v5"), params),
        rest.post(path.removeprefix("/api/v5"), [params]),
    ):
        assert status in (200, 400, 401, 405)
        assert set(answer) >= {"code", "msg", "data"} and isinstance(answer["data"], list)


# --- limits -------------------------------------------------------------------------------------


def test_a_full_bucket_serves_its_count_and_refuses_the_next() -> None:
    rest = Rest(rate_limits=True)
    codes = [rest.get("/account/config")[1]["code"] for _ in range(6)]
    assert codes == ["0"] * 5 + ["50011"]
    assert rest.get("/account/config")[0] == 429


def test_a_bucket_refills_with_the_venues_time() -> None:
    rest = Rest(rate_limits=True)
    for _ in range(5):
        rest.get("/account/config")
    rest.venue.now_ms += 399  # 5 per 2 s: the next token is there after 400 ms
    assert rest.get("/account/config")[0] == 429
    rest.venue.now_ms += 1
    assert rest.get("/account/config")[0] == 200
    assert rest.get("/account/config")[0] == 429


def test_a_long_rest_fills_a_bucket_no_further_than_its_count() -> None:
    rest = Rest(rate_limits=True)
    rest.get("/account/config")
    rest.venue.now_ms += 3_600_000
    codes = [rest.get("/account/config")[1]["code"] for _ in range(6)]
    assert codes == ["0"] * 5 + ["50011"]


def test_limits_of_one_instrument_leave_others_alone() -> None:
    rest = Rest(rate_limits=True)
    for _ in range(10):
        assert rest.get("/public/mark-price", instType="SWAP", instId="BTC-USDT-SWAP")[0] == 200
    assert rest.get("/public/mark-price", instType="SWAP", instId="BTC-USDT-SWAP")[0] == 429
    assert rest.get("/public/mark-price", instType="SPOT", instId="BTC-USDT")[0] == 200


def test_limits_of_one_account_leave_others_alone() -> None:
    rest = Rest(rate_limits=True)
    rest.venue.create_account("two", "two-key", "two-secret", "two-pass", {"USDT": D(1)})
    for _ in range(6):
        rest.get("/account/config")
    path = "/api/v5/account/config"
    headers = signed_headers(START_MS, "GET", path, "", "two-key", "two-secret", "two-pass")
    assert rest.raw("GET", path, "", headers)[0] == 200


def test_single_orders_are_limited_per_instrument_and_apart_from_batches() -> None:
    rest = Rest(rate_limits=True)
    answers = [rest.post("/trade/order", _swap_order()) for _ in range(61)]
    assert [answer["code"] for _, answer in answers] == ["0"] * 60 + ["50011"]
    assert answers[60][0] == 429 and answers[60][1]["data"] == []
    assert rest.post("/trade/batch-orders", [_swap_order(), _swap_order()])[1]["code"] == "0"
    assert rest.post("/trade/batch-orders", [_swap_order()])[1]["code"] == "50011"  # counts as single
    ack = rest.post("/trade/cancel-order", {"instId": "BTC-USDT-SWAP", "ordId": "1"})[1]["data"][0]
    assert ack["sCode"] == "51400"


def test_one_account_may_send_a_thousand_swap_orders_in_two_seconds() -> None:
    rest = Rest(rate_limits=True)
    limits, seconds = rest.entry._limits, rest.venue
    limits.spend(("new orders", seconds.demo.uid), Limit(1000, 2000), seconds.now_ms, 999)
    assert rest.order()["sCode"] == "0"
    status, answer = rest.post("/trade/order", _swap_order())
    assert (status, answer["code"]) == (200, "50061")
    assert rest.post("/trade/order", _spot_order())[1]["code"] == "0"


def test_an_amount_above_the_bucket_is_refused_and_takes_nothing() -> None:
    limits, limit = RateLimits(), Limit(3, 1000)
    with pytest.raises(Reject):
        limits.spend(("x",), limit, 0, 4)
    limits.spend(("x",), limit, 0, 3)
    with pytest.raises(Reject):
        limits.spend(("x",), limit, 0, 1)


def test_limits_can_be_switched_off() -> None:
    rest = Rest(rate_limits=False)
    assert all(rest.get("/account/config")[0] == 200 for _ in range(50))


def _swap_order() -> dict[str, str]:
    return {
        "instId": "BTC-USDT-SWAP",
        "tdMode": "cross",
        "side": "sell",
        "ordType": "limit",
        "px": "61000",
        "sz": "1",
    }


def _spot_order() -> dict[str, str]:
    return {**_swap_order(), "instId": "BTC-USDT", "tdMode": "cash", "sz": "0.01"}


def test_the_key_of_the_demo_account_is_the_documented_one() -> None:
    account = Rest().venue.account_by_key(KEY)
    assert account is not None and account.name == "demo"


def test_buckets_of_made_up_scopes_are_forgotten_once_they_are_full_again() -> None:
    limits, limit = RateLimits(), Limit(2, 1000)
    for n in range(50_000):
        limits.spend((str(n),), limit, now_ms=n)
    assert len(limits._buckets) < 25_000
    limits.spend(("49999",), limit, 49_999)
    with pytest.raises(Reject):
        limits.spend(("49999",), limit, 49_999)
