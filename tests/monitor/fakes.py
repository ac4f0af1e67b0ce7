"""Hand-written stand-ins: a clock that stands still, a channel with a script, a web service with one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.monitor.samples import NOW_MS


class StillClock:
    """Time moves only when the test says so."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the human side does not sleep on the engine's clock")

    async def sleep_until(self, at_ms: int) -> None:
        raise AssertionError("the human side does not sleep on the engine's clock")

    def holding(self) -> AbstractContextManager[None]:
        return nullcontext()


class ScriptedChannel:
    """Raises what the script says, one entry a send; None and the end of the script deliver."""

    name = "scripted"
    pace_s = 0.0

    def __init__(self, *script: Exception | None, max_chars: int = 1_000) -> None:
        self.script = list(script)
        self.max_chars = max_chars
        self.texts: list[str] = []
        self.closed = False

    async def send(self, text: str, level: str) -> None:
        answer = self.script.pop(0) if self.script else None
        if answer is not None:
            raise answer
        self.texts.append(text)

    async def close(self) -> None:
        self.closed = True


class Sleeps:
    """Writes down how long somebody wanted to sleep, and lets the loop breathe."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Answer:
    """What a web service says next; status 0 hangs up without a word."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class WebService:
    url: str
    script: list[Answer]
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def web_service(*script: Answer, otherwise: Answer) -> Iterator[WebService]:
    """A real HTTP server on loopback that answers by script, then always `otherwise`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            service.paths.append(self.path)
            service.bodies.append(body)
            answer = service.script.pop(0) if service.script else otherwise
            self.close_connection = True
            if answer.status:
                self.send_response(answer.status)
                for name, value in {"content-type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = WebService(f"http://127.0.0.1:{server.server_address[1]}", list(script))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
