"""Clients in the venue's own process: REST for synchronous HTTP clients, streams as pairs in memory.

    client = httpx.Client(transport=httpx.MockTransport(InProcess(board)))

Nothing here moves time by itself but an answer that is late: while it is under way the venue's clock
runs on to the instant at which it arrives, or to where the client's own timeout ends the wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from exchange.sim.surface.switchboard import Line, Switchboard
from exchange.sim.surface.wires import SILENCE, Fate, Reply, Request

RESET_CODE: Final = 1006  # what a client sees of a connection that ended without a closing frame
PEER: Final = "127.0.0.1"  # where such clients come from, as the venue sees it
PATIENCE_MS: Final = 5_000  # for an answer, where the client names no timeout


class NoAnswer(Exception):
    """The client has waited as long as it wanted to; the request may have been executed."""


class ConnectionLost(Exception):
    """The connection was reset before the answer came; the request may have been executed."""


class Refused(Exception):
    """The venue does not open the stream; `reply` is what it says instead."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


class InProcess:
    """`wait` moves time to an instant; by default the switchboard itself does."""

    def __init__(self, board: Switchboard, wait: Callable[[int], None] | None = None) -> None:
        self._board = board
        self._wait = wait or board.run_until

    def request(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        patience_ms: int = PATIENCE_MS,
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body. `headers` are sent with lower-case names.

        Raises NoAnswer when nothing has come `patience_ms` later, in venue time, and ConnectionLost.
        """
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        reply = self._serve(
            Request(method, path, query, lowered, body, PEER), self._board.now_ms + patience_ms
        )
        return reply.status, {"content-type": reply.content_type}, reply.body

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The handler of `httpx.MockTransport`; what goes wrong is raised as httpx itself would."""
        read_s = request.extensions.get("timeout", {}).get("read")
        try:
            status, headers, body = self.request(
                request.method,
                request.url.raw_path.partition(b"?")[0].decode(),
                request.url.query.decode(),
                request.headers,
                request.read(),
                PATIENCE_MS if read_s is None else int(read_s * 1_000),
            )
        except NoAnswer as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except ConnectionLost as error:
            raise httpx.ReadError(str(error), request=request) from error
        return httpx.Response(status, headers=headers, content=body)

    def _serve(self, request: Request, until_ms: int) -> Reply:
        serving = self._board.serve(request)
        while True:
            try:
                at_ms = next(serving)
            except StopIteration as ended:
                reply: Reply = ended.value
                break
            if at_ms > until_ms:  # the venue goes on with it, but nobody hears the answer
                self._board.go_on(serving, at_ms)
                reply = SILENCE
                break
            self._wait(at_ms)
        if reply.fate is Fate.RESET:
            raise ConnectionLost(f"{request.method} {request.path}: connection reset by peer")
        if reply.fate is Fate.SILENCE:
            self._wait(until_ms)
            raise NoAnswer(f"{request.method} {request.path}: no answer")
        return reply

    def connect(self, path: str, headers: Mapping[str, str] | None = None) -> MemoryStream:
        """Open a stream like /ws/v5/public. Raises Refused and ConnectionLost.

        `headers` of its handshake have lower-case names.
        One whose handshake is never answered is open, and silent for ever.
        """
        return MemoryStream(self._board, path, headers)


class MemoryStream:
    """The client's end of a stream. It is also the venue's Wire to itself: the two ends are one object.

    `closed` is (code, reason) once either side has ended it, with code 1006 after a reset. `on_news` is
    called after every frame and at the end.
    """

    def __init__(self, board: Switchboard, path: str, headers: Mapping[str, str] | None = None) -> None:
        self.closed: tuple[int, str] | None = None
        self.on_news: Callable[[], None] = lambda: None
        self._frames: deque[str] = deque()
        self._muted = False
        self._reader: asyncio.Future[None] | None = None
        self._line: Line | None = None
        instead = board.knock(path, PEER)
        if instead is None:
            self._line = board.open(path, self, PEER, headers)
        elif instead.fate is Fate.ARRIVES:
            raise Refused(instead)
        elif instead.fate is Fate.RESET:
            raise ConnectionLost(f"{path}: connection reset by peer")

    # --- the client's side --------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Send one text frame. Raises ConnectionLost after the end."""
        if self.closed is not None:
            raise ConnectionLost(f"closed with {self.closed[0]} {self.closed[1]}")
        if self._line is not None and not self._muted:
            self._line.heard(text)

    def next_frame(self) -> str | None:
        """The next frame that has arrived, None when there is none."""
        return self._frames.popleft() if self._frames else None

    async def recv(self) -> str:
        """Wait for the next frame. Raises ConnectionLost when the stream has ended before it."""
        while not self._frames:
            if self.closed is not None:
                raise ConnectionLost(f"closed with {self.closed[0]} {self.closed[1]}")
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._frames.popleft()

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._over(code, reason)

    # --- Wire: the venue's side ---------------------------------------------------------------

    def send(self, frames: list[bytes]) -> None:
        if self.closed is None and not self._muted:
            self._frames.extend(frame.decode() for frame in frames)
            self._news()

    def end(self, code: int, reason: str) -> None:
        if not self._muted:
            self._over(code, reason)

    def reset(self) -> None:
        self._over(RESET_CODE, "")

    def mute(self) -> None:
        self._muted = True

    def _over(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed = (code, reason)
            if self._line is not None:
                self._line.lost()
            self._news()

    def _news(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        self.on_news()
