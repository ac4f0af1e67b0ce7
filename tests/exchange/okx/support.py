"""A clock that never waits, and a tiny venue over HTTP that checks what reaches it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from exchange.okx.endpoints import Credentials, Endpoints

NOW_MS = 1_767_571_200_123
KEY = Credentials("key-canary", "secret-canary", "passphrase-canary")
WINDOW_MS = 30_000


class StillClock:
    """Time moves only when a test says so; sleeping is noted and over at once."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now = now_ms
        self.slept: list[float] = []
        self.held = 0

    def now_ms(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def sleep_until(self, at_ms: int) -> None:
        await self.sleep(max(0, at_ms - self.now) / 1000)

    def holding(self) -> AbstractContextManager[None]:
        self.held += 1
        return nullcontext()


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Answer:
    """What to say: JSON rows in an envelope, or any body. `hang_up` closes without a word."""

    rows: list[Any] = field(default_factory=list)
    code: str = "0"
    msg: str = ""
    status: int = 200
    text: str | None = None
    hang_up: bool = False
    stall: bool = False

    def body(self) -> bytes:
        if self.text is not None:
            return self.text.encode()
        return json.dumps({"code": self.code, "msg": self.msg, "data": self.rows}).encode()


Script = list[Answer] | Answer | Callable[[Asked], Answer]


class HttpVenue:
    """Answers by path from a script; a list is used up answer by answer, its last one stays.

    Signed requests are checked the way the venue does it, with the venue's own clock.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: dict[str, Script] = {}
        self.now_ms = NOW_MS
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.released = threading.Event()

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(f"http://127.0.0.1:{self.server.server_port}", "ws://127.0.0.1:1/ws/v5", demo=True)

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def answer(self, asked: Asked, raw_path: str, raw_body: str) -> Answer:
        refused = self._refuse(asked, raw_path, raw_body)
        if refused is not None:
            return refused
        script = self.script.get(asked.path, Answer(code="50005", msg="no such endpoint"))
        if isinstance(script, list):
            return script.pop(0) if len(script) > 1 else script[0]
        return script if isinstance(script, Answer) else script(asked)

    def _refuse(self, asked: Asked, raw_path: str, raw_body: str) -> Answer | None:
        headers = asked.headers
        if "ok-access-sign" not in headers:
            if "/account/" in asked.path or "/trade/" in asked.path or "/asset/" in asked.path:
                return Answer(code="50106", msg="OK-ACCESS-SIGN can't be blank", status=401)
            return None
        stamp = headers["ok-access-timestamp"]
        prehash = f"{stamp}{asked.method}{raw_path}{raw_body}"
        digest = hmac.new(KEY.secret.encode(), prehash.encode(), hashlib.sha256).digest()
        if headers["ok-access-sign"] != base64.b64encode(digest).decode():
            return Answer(code="50113", msg="Invalid Sign", status=401)
        if headers["ok-access-key"] != KEY.key or headers["ok-access-passphrase"] != KEY.passphrase:
            return Answer(code="50105", msg="Passphrase incorrect", status=401)
        sent_ms = datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000
        if abs(sent_ms - self.now_ms) > WINDOW_MS:
            return Answer(code="50102", msg="Timestamp request expired", status=401)
        return None


def _handler(venue: HttpVenue) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve("")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _serve(self, raw_body: str) -> None:
            url = urlsplit(self.path)
            asked = Asked(
                self.command,
                url.path,
                {key: values[0] for key, values in parse_qs(url.query).items()},
                json.loads(raw_body) if raw_body else {},
                {key.lower(): value for key, value in self.headers.items()},
            )
            venue.asked.append(asked)
            answer = venue.answer(asked, self.path, raw_body)
            if answer.stall:
                venue.released.wait(30)
            if answer.stall or answer.hang_up:
                self.close_connection = True
                return
            body = answer.body()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def http_venue() -> Iterator[HttpVenue]:
    venue = HttpVenue()
    thread = threading.Thread(target=venue.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield venue
    finally:
        venue.released.set()
        venue.server.shutdown()
        venue.server.server_close()
        thread.join()
