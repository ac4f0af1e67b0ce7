"""The simulated venue on one port: REST, the three WebSocket endpoints, control and clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from typing import Final

from exchange.sim.surface.http_front import HttpFront
from exchange.sim.surface.pacing import FreeRunning, LockStep
from exchange.sim.surface.premises import Premises
from exchange.sim.surface.switchboard import Switchboard
from exchange.sim.surface.wires import Reply, Request
from exchange.sim.surface.ws_link import SLOW_CONSUMER, WebSocketLink

CLOCK: Final = "/sim/clock"
IDLE_S: Final = 30.0
PROOF_PATIENCE_S: Final = 30.0  # for a pong; a client that takes longer has stopped reading
HELD_PATIENCE_S: Final = 1.0  # for the same before a late answer, whose client may be unable to read


class SimServer:
    """`speed` None: time stands until a client attaches to /sim/clock, and after it has left."""

    def __init__(
        self,
        premises: Premises,
        speed: float | None,
        idle_s: float = IDLE_S,
        environment: str = "any",
    ) -> None:
        self.board = Switchboard(premises, self._clock_info, environment)
        self._lockstep = LockStep(self)
        self._speed = speed
        self._idle_s = idle_s
        self._free: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[HttpFront] = set()
        self._unproven: dict[asyncio.Future[None], WebSocketLink] = {}
        self._late: set[asyncio.Task[None]] = set()  # answers on their way
        self._moved = asyncio.Event()  # replaced whenever time has moved
        self._broken: asyncio.Future[None] | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, set the clock going, and return the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: HttpFront(self, self._connections), host, port)
        self._broken = loop.create_future()
        if self._speed is not None:
            self._free = loop.create_task(FreeRunning(self, self._speed).run())
            self._free.add_done_callback(self._moving_ended)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def finished(self) -> None:
        """Return when the server is closed; raise what broke the venue while its clock was moved."""
        assert self._broken is not None, "start() comes first"
        await self._broken

    async def close(self) -> None:
        self._stop_free_running()
        for late in self._late:
            late.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(None)

    # --- Application: what the HTTP front asks ------------------------------------------------

    def answer(self, request: Request, reply: Callable[[Reply], None]) -> None:
        """Answer at once, or when the venue's clock has come to where the answer is due."""
        serving = self.board.serve(request)
        try:
            at_ms = next(serving)
        except StopIteration as ended:
            reply(ended.value)
            return
        late = asyncio.get_running_loop().create_task(self._answer_late(serving, at_ms, reply))
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        late.add_done_callback(self._moving_ended)

    async def _answer_late(
        self, serving: Generator[int, None, Reply], at_ms: int, reply: Callable[[Reply], None]
    ) -> None:
        while True:
            await self._reach(at_ms)
            try:
                at_ms = next(serving)
            except StopIteration as ended:
                reply(ended.value)
                return

    async def _reach(self, at_ms: int) -> None:
        """Wait for a free-running clock. Any other stands while its clients wait: it is moved for them."""
        while self.now_ms < at_ms:
            if self._is_free_running():
                await self._moved.wait()
            else:
                await self._lockstep.move(at_ms)

    def knock(self, path: str, peer: str) -> Reply | None:
        return None if path == CLOCK else self.board.knock(path, peer)

    def opened(self, path: str, link: WebSocketLink, peer: str, headers: Mapping[str, str]) -> None:
        if path == CLOCK:
            link.listener = _ClockClient(self, self._lockstep, link)
        else:
            link.listener = self.board.open(path, _SocketWire(self, link), peer, headers)

    # --- Stage: what the clock asks -----------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return self.board.now_ms

    def next_ms(self) -> int | None:
        return self.board.next_ms()

    def advance(self, until_ms: int) -> int:
        now_ms = self.board.advance(until_ms)
        self._moved.set()
        self._moved = asyncio.Event()
        return now_ms

    def close_idle(self) -> None:
        """30 s of venue time and of wall time: at high speed a client must still get its turn."""
        now_s = asyncio.get_running_loop().time()
        for line in self.board.idle():
            wire = line.wire.inner
            assert isinstance(wire, _SocketWire)
            if now_s - wire.link.active_s >= self._idle_s:
                line.wire.end(4004, "No data received in 30s")

    def failed(self, error: BaseException) -> None:
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)

    def unproven(self) -> bool:
        return bool(self._unproven)

    async def prove(self) -> None:
        proofs, self._unproven = self._unproven, {}
        if not proofs:
            return
        _, late = await asyncio.wait(proofs, timeout=PROOF_PATIENCE_S)
        for proof in late:
            proofs[proof].end(SLOW_CONSUMER, "Buffer is full, too slow a consumer")

    async def prove_if_read(self) -> None:
        if self._unproven:
            await asyncio.wait(self._unproven, timeout=HELD_PATIENCE_S)

    # --- sessions -----------------------------------------------------------------------------

    def send(self, link: WebSocketLink, frames: list[bytes]) -> None:
        """Send frames; where time stands still for clients, with a ping that proves their arrival."""
        if self._lockstep.clients:
            self._unproven[link.send_proved(frames)] = link
        else:
            link.send(frames)

    def clock_attached(self) -> None:
        """From the first lock-step client on, time is moved by such clients only."""
        self._stop_free_running()
        self._moved.set()  # who waits for the free-running clock waits for nothing now

    def _stop_free_running(self) -> None:
        if self._free is not None:
            self._free.cancel()
            self._free = None

    def _is_free_running(self) -> bool:
        return self._free is not None and not self._free.done()

    def _moving_ended(self, ran: asyncio.Task[None]) -> None:
        if not ran.cancelled() and (error := ran.exception()) is not None:
            self.failed(error)

    def _clock_info(self) -> dict[str, object]:
        free = self._is_free_running()
        return {
            "driver": "free-running" if free else "lock-step",
            "speed": self._speed if free else None,
            "clients": self._lockstep.clients,
        }


class _SocketWire:
    """The wire to a WebSocket client."""

    def __init__(self, server: SimServer, link: WebSocketLink) -> None:
        self.link = link
        self._server = server

    def send(self, frames: list[bytes]) -> None:
        self._server.send(self.link, frames)

    def end(self, code: int, reason: str) -> None:
        self.link.end(code, reason)

    def reset(self) -> None:
        self.link.reset()

    def mute(self) -> None:
        self.link.mute()


class _ClockClient:
    """Listens on /sim/clock."""

    def __init__(self, server: SimServer, lockstep: LockStep, link: WebSocketLink) -> None:
        self._server, self._lockstep, self._link = server, lockstep, link

    def heard(self, text: str) -> None:
        self._lockstep.hear(self._link, text)
        if self._lockstep.clients:
            self._server.clock_attached()

    def lost(self) -> None:
        self._lockstep.leave(self._link)
