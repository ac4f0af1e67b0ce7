"""The way between the engine and a venue in the same process: requests and streams, with their latency."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from exchange.okx.errors import HttpReply
from exchange.okx.sdk import Prepared
from exchange.okx.session import Lost
from exchange.sim.surface.switchboard import Line, Switchboard
from exchange.sim.surface.wires import Fate, Reply, Request
from scripts.simulation.crossings import Crossings

ORDER_PATH = "/api/v5/trade/order"
PEER = "10.0.0.1"  # where the engine comes from, as the venue sees it


class NoAnswer(OSError):
    """The answer did not come in time, or the connection was reset; the request may have been executed."""


class VenueBroke(SystemExit):
    """The simulated venue itself failed: the simulation ends, nothing may take it for a lost answer."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the way is, in venue time: a request to the venue, its answer, a pushed frame."""

    request_ms: int = 0
    answer_ms: int = 0
    push_ms: int = 0


AT_ONCE = Latency()


class Way:
    """One process's connections to the venue. Implements exchange.okx.rest.Carrier; `connect` opens streams.

    What has left for the venue is the venue's business: it is executed there even if the process that
    sent it dies meanwhile. `on_order` is told of every order as it leaves, `on_reply` of every answer,
    `on_news` of every frame of public data as it is taken in.
    """

    def __init__(
        self,
        board: Switchboard,
        crossings: Crossings,
        latency: Latency,
        on_order: Callable[[Mapping[str, str]], None] = lambda order: None,
        on_reply: Callable[[str, Reply], None] = lambda path, reply: None,
        on_news: Callable[[bytes], None] | None = None,
    ) -> None:
        self._board, self._crossings, self._latency = board, crossings, latency
        self._on_order, self._on_reply, self._on_news = on_order, on_reply, on_news
        self._ends: list[StreamEnd] = []

    # --- requests -------------------------------------------------------------------------------

    async def carry(self, request: Prepared, is_order: bool) -> HttpReply:
        name = crossing_of(request)
        self._crossings.cross(name, "before")
        if request.method == "POST" and request.path == ORDER_PATH:
            self._on_order(json.loads(request.body))
        reply = await self._answered(request)
        self._crossings.cross(name, "after")
        self._on_reply(request.path, reply)
        return HttpReply(reply.status, reply.body)

    async def _answered(self, request: Prepared) -> Reply:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Reply] = loop.create_future()

        def arrived(reply: Reply) -> None:
            if loop.is_closed() or answer.done() or reply.fate is Fate.SILENCE:
                return  # nobody waits for it any more, or nobody is there
            if self._latency.answer_ms:
                loop.call_later(self._latency.answer_ms / 1000, _settle, answer, reply)
            else:
                answer.set_result(reply)

        path, _, query = request.path.partition("?")
        headers = {key.lower(): _text(value) for key, value in request.headers.items()}
        sent = Request(request.method, path, query, headers, request.body, PEER)
        if self._latency.request_ms:
            at_ms = self._board.now_ms + self._latency.request_ms
            self._board.agenda.add(at_ms, lambda: self._work(self._board.serve(sent), arrived))
        else:
            self._work(self._board.serve(sent), arrived)
        if not answer.done():
            await asyncio.wait([answer], timeout=request.patience_s)
        if not answer.done():
            answer.cancel()
            raise NoAnswer("no answer in time")
        if answer.result().fate is Fate.RESET:
            raise NoAnswer("connection reset by peer")
        return answer.result()

    def _work(self, serving: Generator[int, None, Reply], arrived: Callable[[Reply], None]) -> None:
        """Work on a request until it is answered or has to wait at the venue."""
        try:
            at_ms = next(serving)
        except StopIteration as ended:
            arrived(ended.value)
        except Exception as error:
            raise VenueBroke(f"the venue broke: {error!r}") from error
        else:
            self._board.agenda.add(at_ms, lambda: self._work(serving, arrived))

    async def close(self) -> None:
        return None

    # --- streams --------------------------------------------------------------------------------

    async def connect(self, url: str) -> StreamEnd:
        """Knock at the venue. Raises Lost when it does not open; waits for ever where it is silent."""
        kind = url.rpartition("/")[2]
        self._crossings.cross(f"connect {kind}", "before")
        on_news = self._on_news if kind == "public" else None
        end = StreamEnd(self._crossings, self._latency.push_ms, kind, on_news)
        refusal = self._board.knock(f"/ws/v5/{kind}", PEER)
        if refusal is None:
            end.line = self._board.open(f"/ws/v5/{kind}", VenueEnd(end), PEER)
            self._ends.append(end)
        elif refusal.fate is Fate.SILENCE:
            await asyncio.get_running_loop().create_future()
        else:
            raise Lost(f"refused with HTTP {refusal.status}" if refusal.status else "connection reset")
        return end

    def cut(self) -> None:
        """The process is gone: its connections end."""
        for end in self._ends:
            end.over("the process is gone")
        self._ends.clear()


def _text(value: str | bytes) -> str:
    """The SDK leaves its signature as bytes."""
    return value.decode() if isinstance(value, bytes) else value


def _settle(answer: asyncio.Future[Reply], reply: Reply) -> None:
    if not answer.done():
        answer.set_result(reply)


def crossing_of(request: Prepared) -> str:
    """A request's name among the crossings: its path, and of an order its market and side."""
    name = request.path.partition("?")[0].removeprefix("/api/v5/")
    if request.path == ORDER_PATH and request.method == "POST":
        order = json.loads(request.body)
        market = "swap" if order["instId"].endswith("-SWAP") else "spot"
        return f"rest {name} {market} {order['side']}"
    return f"rest {name}"


class StreamEnd:
    """The engine's end of a stream. Implements exchange.okx.session.Socket.

    Frames keep their order; each arrives `push_ms` after it was sent.
    """

    def __init__(
        self, crossings: Crossings, push_ms: int, kind: str, on_news: Callable[[bytes], None] | None
    ) -> None:
        self._crossings, self._push_ms, self._kind = crossings, push_ms, kind
        self._on_news = on_news
        self._loop = asyncio.get_running_loop()
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()
        self.line: Line | None = None  # the venue's end; None before it is open
        self.closed = ""
        self.muted = False

    async def recv(self) -> bytes:
        while not self._frames:
            if self.closed:
                raise Lost(self.closed)
            self._news.clear()
            await self._news.wait()
        self._crossings.cross(f"push {self._kind}", "before")
        frame = self._frames.popleft()
        if self._on_news is not None:
            self._on_news(frame)
        return frame

    async def send(self, text: str) -> None:
        self._crossings.cross(f"say {self._kind}", "before")
        if self.closed:
            raise Lost(self.closed)
        if self.line is not None and not self.muted:
            self.line.heard(text)

    def abort(self) -> None:
        self.over("torn down")

    async def close(self) -> None:
        self.over("closed by us")

    def travel(self, frames: list[bytes]) -> None:
        """Frames are on their way here."""
        if self._push_ms:
            self._loop.call_later(self._push_ms / 1000, self._arrive, frames)
        else:
            self._arrive(frames)

    def _arrive(self, frames: list[bytes]) -> None:
        if not self.closed:
            self._frames.extend(frames)
            self._news.set()

    def over(self, why: str) -> None:
        if not self.closed:
            self.closed = why
            if self.line is not None:
                self.line.lost()
            self._news.set()


class VenueEnd:
    """The venue's wire to a StreamEnd. Implements exchange.sim.surface.wires.Wire."""

    def __init__(self, end: StreamEnd) -> None:
        self._end = end

    def send(self, frames: list[bytes]) -> None:
        if not self._end.closed and not self._end.muted:
            self._end.travel(frames)

    def end(self, code: int, reason: str) -> None:
        if not self._end.muted:
            self._end.over(f"received {code} {reason}".rstrip())

    def reset(self) -> None:
        self._end.over("connection reset by peer")

    def mute(self) -> None:
        self._end.muted = True
