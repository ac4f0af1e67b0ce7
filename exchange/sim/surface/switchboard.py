"""The venue without sockets: requests in, answers out; streams opened, text in, frames out.

Sockets (server.py) and clients in the same process (inprocess.py) stand on this one core. After every
request, every message and every step of the clock the outbox is pushed to all sessions, and a request's
pushes leave before its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from heapq import heappop, heappush
from typing import Final

from exchange.sim.model import Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.control_api import ControlApi, Edits
from exchange.sim.surface.order_entry import OrderEntry
from exchange.sim.surface.rate_limits import RateLimits
from exchange.sim.surface.rest_api import RestApi
from exchange.sim.surface.stream_api import KINDS, NOTICE_MS, StreamHub
from exchange.sim.surface.stream_session import StreamSession
from exchange.sim.surface.wires import Reply, Request, Wire

STREAMS: Final = {f"/ws/v5/{kind}": kind for kind in KINDS}
STANDING: Final[dict[str, object]] = {"driver": "in process", "speed": None, "clients": 0}


class Switchboard:
    """`clock` describes who moves the time; whoever hosts the venue knows. `environment`: see RestApi."""

    def __init__(
        self,
        venue: Venue,
        edits: Edits,
        rate_limits: bool = True,
        clock: Callable[[], dict[str, object]] = lambda: STANDING,
        environment: str = "any",
    ) -> None:
        self._venue = venue
        self.agenda = Agenda()
        limits = RateLimits(rate_limits)
        entry = OrderEntry(venue, limits)
        self._rest = RestApi(venue, limits, entry, environment)
        self._hub = StreamHub(venue, limits, entry)
        self._control = ControlApi(venue, lambda: self._times() | clock(), edits, self.retire)
        self._lines: dict[StreamSession, Line] = {}
        self._drained_ms = venue.now_ms

    # --- time ---------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return self._venue.now_ms

    def next_ms(self) -> int | None:
        """When something is due next; None when the market data has ended and nothing is under way."""
        venue_ms, agenda_ms = self._venue.next_ms(), self.agenda.next_ms()
        return agenda_ms if venue_ms is None else venue_ms if agenda_ms is None else min(venue_ms, agenda_ms)

    def advance(self, until_ms: int) -> int:
        """Move by one step towards an instant, push what happened, and return the new now."""
        agenda_ms = self.agenda.next_ms()
        now_ms = self._venue.advance(until_ms if agenda_ms is None else min(until_ms, agenda_ms))
        for act in self.agenda.due(now_ms):
            act()
        self.publish()
        return now_ms

    def run_until(self, until_ms: int) -> None:
        """Move step by step until an instant is reached."""
        while self.now_ms < until_ms:
            self.advance(until_ms)

    def _times(self) -> dict[str, object]:
        return {"now_ms": self.now_ms, "next_ms": self.next_ms()}

    # --- requests -----------------------------------------------------------------------------

    def serve(self, request: Request) -> Generator[int, None, Reply]:
        """Answer one request. Yields every venue instant that must be reached before it goes on."""
        yield from ()
        if request.path.startswith("/sim/"):
            status, body = self._control.handle(request.method, request.path, request.body)
        else:
            status, body = self._rest.handle(
                request.method, request.path, request.query, request.headers, request.body, request.peer
            )
        self.publish()
        return Reply(status, body)

    def go_on(self, serving: Generator[int, None, Reply], at_ms: int) -> None:
        """Work on at an instant, and at those it yields then, on a request nobody waits for any more."""

        def work_on() -> None:
            for later_ms in serving:
                self.go_on(serving, later_ms)
                return

        self.agenda.add(at_ms, work_on)

    # --- streams ------------------------------------------------------------------------------

    def admits(self, peer: str) -> bool:
        """May this address open one more stream now?"""
        try:
            self._hub.admit(peer)
        except Reject:
            return False
        return True

    def open(self, path: str, wire: Wire) -> Line:
        """Open a session on one of STREAMS; whatever the venue says to it goes down the wire."""
        session = self._hub.open(STREAMS[path])
        line = self._lines[session] = Line(self, session, wire)
        return line

    def drop(self, session: StreamSession) -> None:
        self._hub.drop(session)
        self._lines.pop(session, None)

    def retire(self, after_ms: int = NOTICE_MS) -> int:
        """Announce to every session (64008) that it ends `after_ms` from now; return how many were told."""
        told = self._hub.retire(after_ms)
        self.agenda.add(self.now_ms + after_ms, lambda: None)  # time stops there, and they are ended
        return told

    def publish(self) -> None:
        """Push everything that has happened to every session it concerns, and end those that are over."""
        if not self._hub.has_notices and not self._venue.outbox and self.now_ms == self._drained_ms:
            return
        self._drained_ms = self.now_ms
        for session, frames in self._hub.drain():
            self._lines[session].wire.send(frames)
        for session in self._hub.ending():
            if session.closing is not None:
                self._lines[session].wire.end(*session.closing)

    def idle(self) -> list[Line]:
        """Lines without a frame in either direction for 30 s of venue time."""
        return [self._lines[session] for session in self._hub.idle()]


class Agenda:
    """What is to happen at instants to come; of one instant, in the order it was entered."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def add(self, at_ms: int, act: Callable[[], None]) -> None:
        self._count += 1
        heappush(self._entries, (at_ms, self._count, act))

    def next_ms(self) -> int | None:
        return self._entries[0][0] if self._entries else None

    def due(self, now_ms: int) -> Iterator[Callable[[], None]]:
        """Take out what is due; what that enters for the same instant comes too."""
        while self._entries and self._entries[0][0] <= now_ms:
            yield heappop(self._entries)[2]


class Line:
    """The venue's end of one stream connection."""

    def __init__(self, board: Switchboard, session: StreamSession, wire: Wire) -> None:
        self.wire = wire
        self._board, self._session = board, session

    def heard(self, text: str) -> None:
        """Take one text frame of the client's."""
        frames = self._session.receive(text)
        if frames:
            self.wire.send(frames)
        if self._session.closing is not None:
            self.wire.end(*self._session.closing)
        self._board.publish()

    def lost(self) -> None:
        """The connection is gone, whoever ended it."""
        self._board.drop(self._session)
