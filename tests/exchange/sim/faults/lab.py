"""A venue in this process, with its real economics, a client of it, and faults between them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from exchange.sim.exchange import Exchange
from exchange.sim.surface.inprocess import InProcess, MemoryStream
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.switchboard import Switchboard
from tests.exchange.sim.surface.client import sign, signed_headers
from tests.exchange.sim.surface.stub_venue import KEY, PASSPHRASE, SECRET
from tests.exchange.sim.worlds import SPOT, SWAP, StillMarket

Row = dict[str, Any]
ORDER_PATH = "/api/v5/trade/order"
BATCH_PATH = "/api/v5/trade/batch-orders"
PLACING = {"rest": f"POST {ORDER_PATH}"}


def order(**changes: object) -> Row:
    """A swap sell that trades at once."""
    body = {"instId": SWAP, "tdMode": "cross", "side": "sell", "ordType": "ioc", "px": "59500", "sz": "1"}
    return body | changes


class Stream:
    """A client of one stream, in objects."""

    def __init__(self, lab: Lab, kind: str) -> None:
        self.lab = lab
        self.end: MemoryStream = lab.near.connect(f"/ws/v5/{kind}")

    @property
    def closed(self) -> tuple[int, str] | None:
        return self.end.closed

    def say(self, **message: object) -> list[Row]:
        """Say something, and return all that has come."""
        self.end.say(json.dumps(message))
        return self.heard()

    def heard(self) -> list[Row]:
        found: list[Row] = []
        while (frame := self.end.next_frame()) is not None:
            found.append({"text": frame} if frame == "pong" else json.loads(frame))
        return found

    def pings(self) -> bool:
        self.end.say("ping")
        return self.heard() == [{"text": "pong"}]

    def login(self) -> list[Row]:
        seconds = str(self.lab.board.now_ms // 1000)
        prehash = f"{seconds}GET/users/self/verify"
        arg = {
            "apiKey": KEY, "passphrase": PASSPHRASE, "timestamp": seconds, "sign": sign(SECRET, prehash),
        }  # fmt: skip
        return self.say(op="login", args=[arg])

    def follow(self, channel: str, **arg: str) -> list[Row]:
        return self.say(op="subscribe", args=[{"channel": channel, **arg}])


class Lab:
    """BTC stands at 60,000; the demo account has 100,000 USDT."""

    def __init__(self, **options: Any) -> None:
        self.market = StillMarket()
        self.venue = Exchange(self.market, seed=1, check=True)
        self.board = Switchboard(premises_of(self.venue, rate_limits=False), **options)
        self.near = InProcess(self.board)

    # --- faults -------------------------------------------------------------------------------

    def fault(self, what: object, where: Row | None = None, **when: object) -> str:
        """Add one rule, return its id."""
        rule = {"what": what, "where": where, "when": when}
        status, answer = self.control(
            "POST", "/sim/faults", {"rules": [{k: v for k, v in rule.items() if v}]}
        )
        assert status == 200, answer
        [rule_id] = answer["added"]
        return str(rule_id)

    def hits(self) -> list[int]:
        return [rule["hits"] for rule in self.control("GET", "/sim/faults")[1]["rules"]]

    def log(self, kind: str) -> list[Row]:
        rows = self.control("GET", "/sim/log", query="limit=10000")[1]["rows"]
        return [row for row in rows if row["kind"] == kind]

    def control(self, method: str, path: str, body: object = None, query: str = "") -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self.near.request(method, path, query, {}, raw)
        return status, json.loads(answer)

    # --- a client -----------------------------------------------------------------------------

    def raw(
        self, method: str, path: str, query: str = "", body: object = None
    ) -> tuple[int, dict[str, str], bytes]:
        text = "" if body is None else json.dumps(body)
        target = f"{path}?{query}" if query else path
        headers = signed_headers(self.board.now_ms, method, target, text)
        return self.near.request(method, path, query, headers, text.encode())

    def get(self, path: str, query: str = "") -> tuple[int, Any]:
        status, _, answer = self.raw("GET", path, query)
        return status, json.loads(answer)

    def post(self, path: str, body: object) -> tuple[int, Any]:
        status, _, answer = self.raw("POST", path, "", body)
        return status, json.loads(answer)

    def place(self, **changes: object) -> Row:
        """Place an order, return its acknowledgement."""
        _, answer = self.post(ORDER_PATH, order(**changes))
        ack: Row = answer["data"][0]
        return ack

    def stream(self, kind: str = "public") -> Stream:
        return Stream(self, kind)

    def private(self) -> Stream:
        stream = self.stream("private")
        assert stream.login()[0]["event"] == "login"
        return stream

    # --- the truth ----------------------------------------------------------------------------

    @property
    def orders(self) -> list[str]:
        return [one.cl_id for one in self.venue.accounts["demo"].orders.values()]

    def contracts(self) -> Decimal:
        rows = self.venue.accounts["demo"].positions.values()
        return sum((row.size for row in rows if row.inst_id == SWAP), Decimal(0))

    def wait(self, ms: int) -> None:
        self.board.run_until(self.board.now_ms + ms)


__all__ = ["BATCH_PATH", "ORDER_PATH", "PLACING", "SPOT", "SWAP", "Lab", "Row", "Stream", "order"]
