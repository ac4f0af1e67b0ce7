"""Every route asked with everything: an envelope always, a documented code with its HTTP status, no crash."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.sim.exchange import Exchange
from exchange.sim.surface.inprocess import InProcess
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.rest.api import PREFIX, status_of
from exchange.sim.surface.switchboard import Switchboard
from tests.exchange.sim.surface.client import Rest, signed_headers
from tests.exchange.sim.worlds import MINUTE_MS, START_MS, SWAP, D, StillMarket

SHEET = Path(__file__).parents[5].parent / "shared" / "okx" / "api-v5.md"
ROUTES = sorted((route.method, route.path, route.batch) for route in Rest().api.routes)
MARKET = StillMarket()

# What a parameter is called by anybody, and values that mean something somewhere.
NAMES = [
    "acctLv", "activePx", "after", "algoClOrdId", "algoId", "amt", "attachAlgoOrds", "autoCxl", "banAmend",
    "bar", "before", "begin", "callbackRatio", "callbackSpread", "ccy", "clOrdId", "clientId",
    "closeFraction", "cxlOnClosePos", "cxlOnFail", "end", "feeType", "from", "groupId", "instFamily",
    "instId", "instIdCode", "instType", "isoMode", "lever", "limit", "loanTrans", "mgnMode", "newPx",
    "newSz", "omitPosRisk", "ordId", "ordType", "orderPx", "period", "posId", "posMode", "posSide", "px",
    "pxAmendType", "quoteCcy", "reduceOnly", "reqId", "side", "slOrdPx", "slTriggerPx", "slTriggerPxType",
    "slippagePct", "state", "stpMode", "subAcct", "subType", "sz", "tag", "tdMode", "tgtCcy", "tier",
    "timeOut", "to", "tpOrdPx", "tpTriggerPx", "transId", "triggerPx", "triggerPxType", "type", "uly",
]  # fmt: skip
MEANT = (
    "BTC-USDT", "BTC-USDT-SWAP", "ETH-USDT-SWAP", "SPOT", "SWAP", "FUTURES", "OPTION", "MARGIN", "ANY", "BTC",
    "USDT", "cash", "cross", "isolated", "net", "long", "short", "net_mode", "long_short_mode", "buy", "sell",
    "market", "limit", "post_only", "ioc", "fok", "optimal_limit_ioc", "conditional", "oco", "trigger",
    "move_order_stop", "0", "1", "2", "3", "6", "18", "10", "100", "0.01", "60000", "59000.1", "-1", "true",
    "false", "1m", "1M", "1Dutc", "add", "reduce", "base_ccy", "quote_ccy", "last", "live", "canceled",
    "order1",
)  # fmt: skip
STRANGE = (
    "", " ", "null", "NaN", "Infinity", "-Infinity", "1e400", "1E-9", "-0", "+1", "00", "0x10", "१२", "٣",
    "1_000", "9" * 19, "9" * 40, "-" + "9" * 30, "0." + "0" * 19 + "1", "0." + "1" * 60, "a" * 33, "x" * 5000,
    "é", "\u0000", "\ud7ff", "💥", "' OR 1=1", "../../etc", "BTC-USDT,BTC-USDT-SWAP", "a,b,c,d,e,f,g,h,i,j,k",
    "[]", "{}", "1,2,3",
)  # fmt: skip
values = st.sampled_from(MEANT) | st.sampled_from(STRANGE) | st.text(max_size=12)
nested = st.recursive(
    values | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=6,
)
# What every route needs is there and right, so that what is strange about the rest gets through to it.
GOOD = {
    "instId": "BTC-USDT-SWAP", "instType": "SWAP", "instFamily": "BTC-USDT", "ccy": "USDT", "tdMode": "cross",
    "mgnMode": "cross", "ordType": "oco", "state": "canceled", "clOrdId": "order1", "algoClOrdId": "order1",
}  # fmt: skip
PAGING = ("after", "before", "begin", "end", "limit", "sz", "bar", "type", "px")
names = st.sampled_from(PAGING) | st.sampled_from(NAMES)
queries = st.dictionaries(names, values, min_size=1, max_size=6).map(lambda strange: {**GOOD, **strange})
objects = st.dictionaries(st.sampled_from(NAMES), values | nested, max_size=9)
ORDER = {"instId": SWAP, "tdMode": "cross", "side": "sell", "ordType": "limit", "sz": "1", "px": "60000"}
likely = objects.map(lambda more: {**ORDER, **more})
bodies = objects | likely | st.lists(likely, max_size=22) | nested


class House:
    """A venue with a trader who has something of everything; made anew for every example."""

    def __init__(self) -> None:
        self.venue = Exchange(MARKET, seed=1)
        self.near = InProcess(Switchboard(premises_of(self.venue, rate_limits=False)))
        self.venue.advance(START_MS + MINUTE_MS)
        self.account = self.venue.create_account("me", "me-key", "me-secret", "pass", {"USDT": D(100_000)})
        for kind, more in (("ioc", {"px": "59000"}), ("limit", {"px": "60900", "clOrdId": "order1"})):
            self.ask("POST", "/trade/order", body=json.dumps({**ORDER, "ordType": kind, **more}).encode())

    def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        full = PREFIX + path
        target = f"{full}?{query}" if query else full
        signed = signed_headers(
            self.venue.now_ms, method, target, body.decode("utf-8", "replace"), "me-key", "me-secret", "pass"
        )
        status, _, answer = self.near.request(method, full, query, {**signed, **(headers or {})}, body)
        return status, json.loads(answer)


def judge(status: int, answer: dict[str, Any]) -> None:
    assert set(answer) - {"inTime", "outTime"} == {"code", "msg", "data"}
    assert (
        isinstance(answer["code"], str)
        and isinstance(answer["msg"], str)
        and isinstance(answer["data"], list)
    )
    assert status == status_of(answer["code"]) and status != 500, answer
    assert answer["code"] in DOCUMENTED, answer
    items = [row["sCode"] for row in answer["data"] if isinstance(row, dict) and "sCode" in row]
    assert all(re.fullmatch(r"0|5\d{4}", code) for code in items), answer
    assert not answer["data"] or answer["code"] in ("0", "1", "2")


def documented() -> set[str]:
    """Every code the fact sheet names, alone, in a list or in a range."""
    text = SHEET.read_text()
    found = set(re.findall(r"\b[56]\d{4}\b", text))
    for first, last in re.findall(r"\b([56]\d{4})[–-]([56]\d{4})\b", text):
        found |= {str(code) for code in range(int(first), int(last) + 1)}
    return found | {"0", "1", "2", "404"}


DOCUMENTED = documented() if SHEET.is_file() else set()
pytestmark = pytest.mark.skipif(not DOCUMENTED, reason="the fact sheet of the venue is not at hand")

many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(route=st.sampled_from(ROUTES), query=queries, quoted=st.booleans())
def test_any_query_gets_an_answer(route: tuple[str, str, bool], query: dict[str, str], quoted: bool) -> None:
    text = "&".join(f"{name}={quote(value) if quoted else value}" for name, value in query.items())
    judge(*House().ask("GET", route[1], text))


@many
@given(route=st.sampled_from(ROUTES), body=bodies)
def test_any_body_gets_an_answer(route: tuple[str, str, bool], body: Any) -> None:
    judge(*House().ask("POST", route[1], body=json.dumps(body).encode()))


@many
@given(
    route=st.sampled_from([route for route in ROUTES if route[0] == "POST"]),
    changes=st.lists(objects, min_size=1, max_size=4),
)
def test_any_mixture_of_orders_gets_an_answer_and_leaves_a_venue_that_goes_on(
    route: tuple[str, str, bool], changes: list[dict[str, Any]]
) -> None:
    house = House()
    for change in changes:
        body = {**ORDER, **change}
        judge(*house.ask("POST", route[1], body=json.dumps([body] if route[2] else body).encode()))
    house.venue.advance(house.venue.now_ms + MINUTE_MS)
    for path in ("/account/balance", "/account/positions", "/trade/orders-pending", "/trade/fills"):
        status, answer = house.ask("GET", path)
        assert (status, answer["code"]) == (200, "0")


@many
@given(route=st.sampled_from(ROUTES), raw=st.binary(max_size=60) | st.sampled_from((b"[" * 5000, b"{" * 50)))
def test_any_bytes_for_a_body_get_an_answer(route: tuple[str, str, bool], raw: bytes) -> None:
    judge(*House().ask("POST", route[1], body=raw))


HEADERS = (
    "ok-access-key", "ok-access-sign", "ok-access-timestamp", "ok-access-passphrase", "content-type",
    "exptime", "x-simulated-trading",
)  # fmt: skip


@many
@given(
    route=st.sampled_from(ROUTES),
    headers=st.dictionaries(st.sampled_from(HEADERS), values, min_size=1, max_size=4),
    method=st.sampled_from(("GET", "POST", "PUT", "DELETE", "get", "HEAD", "PATCH", "X")),
)
def test_any_header_and_method_get_an_answer(
    route: tuple[str, str, bool], headers: dict[str, str], method: str
) -> None:
    body = b"" if method == "GET" else json.dumps([ORDER] if route[2] else ORDER).encode()
    judge(*House().ask(method, route[1], "instId=BTC-USDT", body, headers))


@given(path=st.text("/abc?%.é", max_size=20))
def test_any_path_gets_an_answer(path: str) -> None:
    judge(*House().ask("GET", path))


def test_the_routes_asked_are_all_there_are() -> None:
    assert len(ROUTES) > 60 and ("POST", "/trade/batch-orders", True) in ROUTES
