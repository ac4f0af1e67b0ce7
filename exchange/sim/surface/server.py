"""The simulated venue on one port: REST, the three WebSocket endpoints, control and clock.

After every request, every message and every step of the clock the outbox is pushed to all sessions,
and a request's pushes leave before its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from exchange.sim.seam import Venue
from exchange.sim.surface.control_api import ControlApi, Edits
from exchange.sim.surface.http_front import HttpFront
from exchange.sim.surface.order_entry import OrderEntry
from exchange.sim.surface.pacing import FreeRunning, LockStep
from exchange.sim.surface.rate_limits import RateLimits
from exchange.sim.surface.rest_api import RestApi
from exchange.sim.surface.stream_api import KINDS, StreamHub, StreamSession
from exchange.sim.surface.ws_link import SLOW_CONSUMER, WebSocketLink

STREAMS: Final = {f"/ws/v5/{kind}": kind for kind in KINDS}
CLOCK: Final = "/sim/clock"
IDLE_S: Final = 30.0
PROOF_PATIENCE_S: Final = 30.0  # for a pong; a client that takes longer has stopped reading


class SimServer:
    """`speed` None: time stands until a client attaches to /sim/clock, and after it has left."""

    def __init__(
        self,
        venue: Venue,
        edits: Edits,
        speed: float | None,
        rate_limits: bool = True,
        idle_s: float = IDLE_S,
    ) -> None:
        self._venue = venue
        limits = RateLimits(rate_limits)
        entry = OrderEntry(venue, limits)
        self._rest = RestApi(venue, limits, entry)
        self._hub = StreamHub(venue, limits, entry)
        self._lockstep = LockStep(self)
        self._control = ControlApi(venue, self._clock_info, edits)
        self._speed = speed
        self._idle_s = idle_s
        self._free: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[HttpFront] = set()
        self._links: dict[StreamSession, WebSocketLink] = {}
        self._unproven: dict[asyncio.Future[None], WebSocketLink] = {}
        self._drained_ms = venue.now_ms
        self._broken: asyncio.Future[None] | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, set the clock going, and return the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: HttpFront(self, self._connections), host, port)
        self._broken = loop.create_future()
        if self._speed is not None:
            self._free = loop.create_task(FreeRunning(self, self._speed).run())
            self._free.add_done_callback(self._free_ended)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def finished(self) -> None:
        """Return when the server is closed; raise what broke the venue while its clock was moved."""
        assert self._broken is not None, "start() comes first"
        await self._broken

    async def close(self) -> None:
        self._stop_free_running()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(None)

    # --- Application: what the HTTP front asks ------------------------------------------------

    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, peer: str
    ) -> tuple[int, bytes]:
        if path.startswith("/sim/"):
            answer = self._control.handle(method, path, body)
        else:
            answer = self._rest.handle(method, path, query, headers, body, peer)
        self.publish()
        return answer

    def opens(self, path: str) -> bool:
        return path in STREAMS or path == CLOCK

    def opened(self, path: str, link: WebSocketLink) -> None:
        if path == CLOCK:
            link.listener = _ClockClient(self, self._lockstep, link)
            return
        session = self._hub.open(STREAMS[path])
        self._links[session] = link
        link.listener = _StreamClient(self, session, link)

    # --- Stage: what the clock asks -----------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return self._venue.now_ms

    def next_ms(self) -> int | None:
        return self._venue.next_ms()

    def advance(self, until_ms: int) -> int:
        now_ms = self._venue.advance(until_ms)
        self.publish()
        return now_ms

    def close_idle(self) -> None:
        """30 s of venue time and of wall time: at high speed a client must still get its turn."""
        now_s = asyncio.get_running_loop().time()
        for session in self._hub.idle():
            link = self._links[session]
            if now_s - link.active_s >= self._idle_s:
                link.end(4004, "No data received in 30s")

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

    # --- sessions -----------------------------------------------------------------------------

    def publish(self) -> None:
        """Push everything that has happened to every session it concerns."""
        if not self._venue.outbox and self._venue.now_ms == self._drained_ms:
            return
        self._drained_ms = self._venue.now_ms
        for session, frames in self._hub.drain():
            self.send(self._links[session], frames)

    def send(self, link: WebSocketLink, frames: list[bytes]) -> None:
        """Send frames; where time stands still for clients, with a ping that proves their arrival."""
        if self._lockstep.clients:
            self._unproven[link.send_proved(frames)] = link
        else:
            link.send(frames)

    def drop(self, session: StreamSession) -> None:
        self._hub.drop(session)
        del self._links[session]

    def clock_attached(self) -> None:
        """From the first lock-step client on, time is moved by such clients only."""
        self._stop_free_running()

    def _stop_free_running(self) -> None:
        if self._free is not None:
            self._free.cancel()

    def _free_ended(self, ran: asyncio.Task[None]) -> None:
        if not ran.cancelled() and (error := ran.exception()) is not None:
            self.failed(error)

    def _clock_info(self) -> dict[str, object]:
        free = self._free is not None and not self._free.done()
        return {
            "now_ms": self._venue.now_ms,
            "next_ms": self._venue.next_ms(),
            "driver": "free-running" if free else "lock-step",
            "speed": self._speed if free else None,
            "clients": self._lockstep.clients,
        }


class _StreamClient:
    """Listens on one of the venue's own endpoints."""

    def __init__(self, server: SimServer, session: StreamSession, link: WebSocketLink) -> None:
        self._server, self._session, self._link = server, session, link

    def heard(self, text: str) -> None:
        frames = self._session.receive(text)
        if frames:
            self._server.send(self._link, frames)
        if self._session.closing is not None:
            self._link.end(*self._session.closing)
        self._server.publish()

    def lost(self) -> None:
        self._server.drop(self._session)


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
