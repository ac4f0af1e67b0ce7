"""A client of the protocol without sockets: signs, asks, and reads the answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from exchange.sim.seam import Venue
from exchange.sim.surface.entry.order_entry import OrderEntry
from exchange.sim.surface.entry.rate_limits import RateLimits
from exchange.sim.surface.rest.api import RestApi
from exchange.sim.surface.streams.hub import StreamHub, StreamSession
from exchange.sim.surface.wires import Request
from tests.exchange.sim.surface.stub_venue import KEY, PASSPHRASE, SECRET, StubVenue


def iso(at_ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sign(secret: str, prehash: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), prehash.encode(), hashlib.sha256).digest()).decode()


def signed_headers(
    at_ms: int,
    method: str,
    target: str,
    body: str,
    key: str = KEY,
    secret: str = SECRET,
    passphrase: str = PASSPHRASE,
) -> dict[str, str]:
    stamp = iso(at_ms)
    return {
        "ok-access-key": key,
        "ok-access-passphrase": passphrase,
        "ok-access-timestamp": stamp,
        "ok-access-sign": sign(secret, stamp + method + target + body),
        "content-type": "application/json",
    }


class Rest:
    """The REST surface of a stub venue, asked without sockets."""

    def __init__(
        self, venue: StubVenue | None = None, rate_limits: bool = False, environment: str = "any"
    ) -> None:
        self.venue = venue or StubVenue()
        checked: Venue = self.venue
        limits = RateLimits(rate_limits)
        self.entry = OrderEntry(checked, limits)
        self.api = RestApi(checked, limits, self.entry, environment)
        self.hub = StreamHub(checked, limits, self.entry, environment)

    def raw(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: str = ""
    ) -> tuple[int, dict[str, Any]]:
        status, answer = self.api.handle(Request(method, path, query, headers, body.encode()))
        return status, json.loads(answer)

    def get(self, path: str, **params: object) -> tuple[int, dict[str, Any]]:
        """Signed; public endpoints do not mind."""
        query = "&".join(f"{name.rstrip('_')}={value}" for name, value in params.items())
        full = f"/api/v5{path}"
        target = f"{full}?{query}" if query else full
        headers = signed_headers(self.venue.now_ms, "GET", target, "")
        return self.raw("GET", full, query, headers)

    def post(self, path: str, body: object, **extra: str) -> tuple[int, dict[str, Any]]:
        full, text = f"/api/v5{path}", json.dumps(body)
        headers = {**signed_headers(self.venue.now_ms, "POST", full, text), **extra}
        return self.raw("POST", full, "", headers, text)

    def rows(self, path: str, **params: object) -> list[Any]:
        status, answer = self.get(path, **params)
        assert (status, answer["code"]) == (200, "0"), answer
        data: list[Any] = answer["data"]
        return data

    def order(self, **fields: object) -> dict[str, Any]:
        """Place an order, by default a resting swap sell; return its acknowledgement."""
        body = {
            "instId": "BTC-USDT-SWAP",
            "tdMode": "cross",
            "side": "sell",
            "ordType": "limit",
            "px": "61000",
            "sz": "1",
            **fields,
        }
        _, answer = self.post("/trade/order", body)
        ack: dict[str, Any] = answer["data"][0]
        return ack


class Stream:
    """One session on a hub, spoken to in objects."""

    def __init__(self, rest: Rest, kind: str, peer: str = "127.0.0.1", asked: str = "") -> None:
        self.rest = rest
        self.session: StreamSession = rest.hub.open(kind, peer, asked)

    def say(self, **message: object) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.session.receive(json.dumps(message))]

    def login(self, secret: str = SECRET, key: str = KEY, **changed: str) -> list[dict[str, Any]]:
        seconds = str(self.rest.venue.now_ms // 1000)
        arg = {
            "apiKey": key,
            "passphrase": PASSPHRASE,
            "timestamp": seconds,
            "sign": sign(secret, changed.get("timestamp", seconds) + "GET/users/self/verify"),
            **changed,
        }
        return self.say(op="login", args=[arg])

    def subscribe(self, **arg: str) -> list[dict[str, Any]]:
        return self.say(op="subscribe", args=[arg])

    def news(self) -> list[dict[str, Any]]:
        """Drain the venue's outbox and return what this session is pushed."""
        frames = dict(self.rest.hub.drain()).get(self.session, [])
        return [json.loads(frame) for frame in frames]


def channels(messages: list[dict[str, Any]]) -> list[str]:
    return [message["arg"]["channel"] for message in messages]


def decoded(frame: bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(frame)
    return message


def public(rest: Rest | None = None, kind: str = "public") -> Stream:
    return Stream(rest or Rest(), kind)


def step(stream: Stream, by_ms: int = 1000) -> list[dict[str, Any]]:
    """Move the venue's time and return what the session is pushed."""
    venue = stream.rest.venue
    venue.advance(venue.now_ms + by_ms)
    return stream.news()
