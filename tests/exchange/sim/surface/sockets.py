"""The venue on a real port, and clients that speak to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from exchange.sim.surface.server import SimServer
from tests.exchange.sim.surface.client import sign
from tests.exchange.sim.surface.stub_venue import (
    KEY,
    PASSPHRASE,
    SECRET,
    Edited,
    StubVenue,
    stub_premises,
)


class Running:
    """A server in this very loop."""

    def __init__(self, venue: StubVenue, server: SimServer, port: int, edited: Edited) -> None:
        self.venue, self.server, self.port, self.edited = venue, server, port, edited

    def socket(self, path: str, **options: Any) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}{path}", compression=None, **options)

    async def send(self, raw: bytes) -> bytes:
        """Send raw bytes and return everything that comes until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer


@asynccontextmanager
async def running(
    venue: StubVenue | None = None, speed: float | None = None, rate_limits: bool = True, **options: Any
) -> AsyncIterator[Running]:
    venue, edited = venue or StubVenue(), Edited()
    server = SimServer(stub_premises(venue, edited, rate_limits), speed, **options)
    port = await server.start()
    try:
        yield Running(venue, server, port, edited)
    finally:
        await server.close()


async def said(socket: ClientConnection, **message: object) -> dict[str, Any]:
    """Say something and return the next message."""
    await socket.send(json.dumps(message))
    return await heard(socket)


async def heard(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def login(socket: ClientConnection, venue: StubVenue) -> None:
    seconds = str(venue.now_ms // 1000)
    arg = {
        "apiKey": KEY,
        "passphrase": PASSPHRASE,
        "timestamp": seconds,
        "sign": sign(SECRET, seconds + "GET/users/self/verify"),
    }
    assert (await said(socket, op="login", args=[arg]))["event"] == "login"
