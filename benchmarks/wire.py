"""How fast the simulated venue speaks on loopback: `python -m benchmarks.wire [--json]`.

Two processes, one per core: the venue, and a load that does as little as it can. REST: pre-signed,
pipelined requests over several connections, answers counted by their status lines. Fan-out: connections
subscribed to the same channels of a fast market, frames counted by their headers.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from benchmarks.figures import Figure, report
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.server import SimServer

REST_TARGET_PER_S, FAN_OUT_TARGET_PER_S = 2_500, 150_000
KEY, SECRET, PASSPHRASE = "demo-key", "demo-secret", "demo-pass"
HOST = "127.0.0.1"
CHANNELS = ("bbo-tbt", "books5", "tickers", "trades", "mark-price", "price-limit")
INSTRUMENTS = ("BTC-USDT-SWAP",)
PIPELINED = 16


async def serve(rushing: bool) -> None:
    """The venue's process: without rate limits, until standard input is closed. Its time stands, or moves
    step by step as fast as it can."""
    venue = Exchange(GeneratedMarket(7, ("BTC", "ETH")), 7)
    server = SimServer(premises_of(venue, rate_limits=False), speed=None)
    print(json.dumps({"port": await server.start(HOST), "now_ms": venue.now_ms}), flush=True)
    closed = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while rushing and not closed.done():
        server.advance(venue.now_ms + 3_600_000)
        await asyncio.sleep(0)
    await closed
    await server.close()


@contextmanager
def venue(rushing: bool) -> Iterator[tuple[int, int]]:
    """A venue in a process of its own: its port and its time at the start."""
    command = [sys.executable, "-m", "benchmarks.wire", "--serve", "rushing" if rushing else "standing"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        told = json.loads(process.stdout.readline())
        try:
            yield told["port"], told["now_ms"]
        finally:
            process.stdin.close()


def signed_request(method: str, target: str, body: str, now_ms: int) -> bytes:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    digest = hmac.new(SECRET.encode(), (stamp + method + target + body).encode(), hashlib.sha256).digest()
    return (
        f"{method} {target} HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: wire\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nOK-ACCESS-KEY: {KEY}\r\n"
        f"OK-ACCESS-SIGN: {base64.b64encode(digest).decode()}\r\nOK-ACCESS-TIMESTAMP: {stamp}\r\n"
        f"OK-ACCESS-PASSPHRASE: {PASSPHRASE}\r\nx-simulated-trading: 0\r\n\r\n{body}"
    ).encode()


def requests_of_an_engine(now_ms: int) -> list[bytes]:
    """Mostly questions, some orders that rest and are cancelled."""
    order = {"instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "buy", "ordType": "post_only", "sz": "1"}
    place = json.dumps({**order, "px": "91000", "clOrdId": "wire1"})
    cancel = json.dumps({"instId": "BTC-USDT-SWAP", "clOrdId": "wire1"})
    asked = (
        "/account/balance",
        "/account/positions",
        "/trade/orders-pending",
        "/market/ticker?instId=BTC-USDT-SWAP",
        "/market/books?instId=BTC-USDT-SWAP&sz=5",
        "/public/funding-rate?instId=BTC-USDT-SWAP",
    )
    gets = [signed_request("GET", f"/api/v5{path}", "", now_ms) for path in asked]
    posts = [
        signed_request("POST", "/api/v5/trade/order", place, now_ms),
        signed_request("POST", "/api/v5/trade/cancel-order", cancel, now_ms),
    ]
    return gets + posts


def rest_per_s(connections: int, seconds: float) -> float:
    """Answered signed requests per second; raises AssertionError for any answer but HTTP 200."""
    with venue(rushing=False) as (port, now_ms):
        batch = requests_of_an_engine(now_ms) * (PIPELINED // 8)
        opened = [socket.create_connection((HOST, port)) for _ in range(connections)]
        sockets = {one.fileno(): one for one in opened}
        ready = selectors.DefaultSelector()
        waiting = {}
        for one in opened:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(one, selectors.EVENT_READ)
            one.sendall(b"".join(batch))
            waiting[one] = len(batch)
        answered, begin = 0, time.perf_counter()
        while (took := time.perf_counter() - begin) < seconds:
            for key, _ in ready.select():
                one = sockets[key.fd]
                got = one.recv(1 << 18)
                assert b"HTTP/1.1 4" not in got and b"HTTP/1.1 5" not in got, got
                done = got.count(b"HTTP/1.1 200")
                answered += done
                waiting[one] -= done
                if not waiting[one]:
                    one.sendall(b"".join(batch))
                    waiting[one] = len(batch)
        for one in opened:
            one.close()
        return answered / took


def masked(text: str) -> bytes:
    """A client's text frame, masked with zeros."""
    payload = text.encode()
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + payload


class FrameCounter:
    """Counts the frames of a server's byte stream that begins after its handshake."""

    def __init__(self) -> None:
        self.frames = 0
        self._left = 0  # bytes of the current frame still to come
        self._head = b""

    def feed(self, data: bytes) -> None:
        at, end = self._left, len(data)
        if self._head:
            data, self._head = self._head + data, b""
            at, end = 0, len(data)
        while at + 10 <= end:
            size, head = data[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
            at += head + size
            self.frames += 1
        if at < end:
            self._head, self._left = data[at:], 0
        else:
            self._left = at - end


def subscribed(port: int) -> socket.socket:
    one = socket.create_connection((HOST, port))
    one.sendall(
        f"GET /ws/v5/public HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += one.recv(1)
    args = [{"channel": name, "instId": inst_id} for name in CHANNELS for inst_id in INSTRUMENTS]
    one.sendall(masked(json.dumps({"op": "subscribe", "args": args})))
    return one


def fan_out_per_s(connections: int, seconds: float) -> float:
    """WebSocket messages received per second by all connections together."""
    with venue(rushing=True) as (port, _):
        ready = selectors.DefaultSelector()
        followers: dict[int, tuple[socket.socket, FrameCounter]] = {}
        for _ in range(connections):
            one = subscribed(port)
            ready.register(one, selectors.EVENT_READ)
            followers[one.fileno()] = (one, FrameCounter())
        begin = time.perf_counter()
        before, warm = 0, False
        while (took := time.perf_counter() - begin) < seconds:
            for key, _ in ready.select():
                one, counter = followers[key.fd]
                counter.feed(one.recv(1 << 20))
            if not warm and took > seconds / 4:  # by now every subscription is acknowledged
                warm, begin = True, time.perf_counter()
                before = sum(counter.frames for _, counter in followers.values())
        after = sum(counter.frames for _, counter in followers.values())
        for one, _ in followers.values():
            one.close()
        return (after - before) / took


def figures(seconds: float = 8.0, rest_connections: int = 8, streams: int = 100) -> list[Figure]:
    rest = rest_per_s(rest_connections, seconds)
    fan_out = fan_out_per_s(streams, seconds)
    return [
        Figure("signed REST requests on loopback", rest, "1/s", REST_TARGET_PER_S, True),
        Figure(f"WebSocket messages to {streams} streams", fan_out, "1/s", FAN_OUT_TARGET_PER_S, True),
    ]


def main(argv: Sequence[str]) -> int:
    if argv[:1] == ["--serve"]:
        asyncio.run(serve(argv[1] == "rushing"))
        return 0
    return report(figures(), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
