"""A small venue over real WebSockets that answers by the book, or misbehaves when told to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from exchange.okx.endpoints import Endpoints
from tests.exchange.okx.support import KEY


class Line:
    """One connection as the venue sees it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.path = socket.request.path if socket.request else ""
        self.received: list[dict[str, Any]] = []
        self.pings = 0
        self.closed = asyncio.Event()

    @property
    def subscribed(self) -> list[dict[str, str]]:
        return [arg for op in self.received if op["op"] == "subscribe" for arg in op["args"]]

    def ops(self) -> list[str]:
        return [op["op"] for op in self.received]

    async def say(self, message: object) -> None:
        await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    async def push(self, channel: str, inst_id: str, rows: list[Any], **more: str) -> None:
        await self.say({"arg": {"channel": channel, "instId": inst_id}, **more, "data": rows})


class StreamVenue:
    """Use as `async with`. Change the attributes to make it misbehave."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.login_code = "0"
        self.login_answered = True
        self.not_acknowledged: set[str] = set()  # channels
        self.refused: set[str] = set()
        self.answers_ping = True
        # told of every acknowledged subscription: the place to send a snapshot
        self.on_subscribe: Callable[[Line, dict[str, str]], Any] | None = None
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def endpoints(self) -> Endpoints:
        assert self._server is not None
        port = next(iter(self._server.sockets)).getsockname()[1]
        return Endpoints("http://127.0.0.1:1", f"ws://127.0.0.1:{port}/ws/v5", demo=True)

    def line(self, name: str) -> Line:
        """The newest connection to /public, /private or /business."""
        return [line for line in self.lines if line.path.endswith(name)][-1]

    def count(self, name: str) -> int:
        return sum(line.path.endswith(name) for line in self.lines)

    async def _serve(self, socket: ServerConnection) -> None:
        line = Line(socket)
        self.lines.append(line)
        with suppress(ConnectionClosed):
            async for raw in socket:
                await self._heard(line, raw)
        line.closed.set()

    async def _heard(self, line: Line, raw: str | bytes) -> None:
        if raw == "ping":
            line.pings += 1
            if self.answers_ping:
                await line.say("pong")
            return
        op = json.loads(raw)
        line.received.append(op)
        await self._answer(line, op)

    async def _answer(self, line: Line, op: dict[str, Any]) -> None:
        if op["op"] == "login":
            await self._login(line, op["args"][0])
            return
        for arg in op["args"]:
            if arg["channel"] in self.refused:
                await line.say({"event": "error", "code": "60018", "msg": f"Wrong channel:{arg['channel']}"})
            elif arg["channel"] not in self.not_acknowledged:
                await line.say({"event": op["op"], "arg": arg, "connId": "a4d3ae55"})
                if op["op"] == "subscribe" and self.on_subscribe is not None:
                    await self.on_subscribe(line, arg)

    async def _login(self, line: Line, arg: dict[str, str]) -> None:
        prehash = f"{arg['timestamp']}GET/users/self/verify".encode()
        digest = hmac.new(KEY.secret.encode(), prehash, hashlib.sha256).digest()
        right = arg["sign"] == base64.b64encode(digest).decode() and arg["apiKey"] == KEY.key
        if not self.login_answered:
            return
        if right and self.login_code == "0":
            await line.say({"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"})
        else:
            code = self.login_code if right else "60007"
            await line.say({"event": "error", "code": code, "msg": "Login failed.", "connId": "a4d3ae55"})


async def eventually(condition: Callable[[], object]) -> None:
    """Let the loop run until the condition holds. Raises TimeoutError after a generous while."""
    async with asyncio.timeout(10):
        while True:
            if condition():
                return
            await asyncio.sleep(0.001)
