"""The venue without sockets: requests in, answers out; streams opened, text in, frames out.

Sockets (server.py) and clients in the same process (inprocess.py) stand on this one core. After every
request, every message and every step of the clock the outbox is pushed to all sessions, and a request's
pushes leave before its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Final

from exchange.sim.faults.rules import Effect, Occasion, Place, Rule
from exchange.sim.model import Reject
from exchange.sim.surface.control.agenda import Agenda
from exchange.sim.surface.control.api import ControlApi
from exchange.sim.surface.control.fault_desk import FaultDesk
from exchange.sim.surface.control.lab_api import LabApi
from exchange.sim.surface.control.struck_lines import StruckWire, struck_message
from exchange.sim.surface.control.struck_rest import knocked, struck_request
from exchange.sim.surface.entry.auth import stream_environment
from exchange.sim.surface.entry.order_entry import OrderEntry
from exchange.sim.surface.premises import Premises
from exchange.sim.surface.rest.api import RestApi
from exchange.sim.surface.snapshots import packed, unpacked
from exchange.sim.surface.streams.hub import KINDS, NOTICE_MS, StreamHub
from exchange.sim.surface.streams.session import StreamSession
from exchange.sim.surface.wires import Reply, Request, Wire

STREAMS: Final = {f"/ws/v5/{kind}": kind for kind in KINDS}
STANDING: Final[dict[str, object]] = {"driver": "in process", "speed": None, "clients": 0}


class Switchboard:
    """`clock` describes who moves the time; whoever hosts the venue knows. `environment`: see RestApi."""

    def __init__(
        self,
        premises: Premises,
        clock: Callable[[], dict[str, object]] = lambda: STANDING,
        environment: str = "any",
    ) -> None:
        self.agenda = Agenda()
        self._clock = clock
        self._environment = environment
        self._lines: dict[StreamSession, Line] = {}
        self._snapshots: dict[str, bytes] = {}
        self._furnish(premises)

    def _furnish(self, premises: Premises) -> None:
        """Put the protocol on top of a venue."""
        venue, limits = premises.venue, premises.limits
        self._premises = premises
        self._venue = venue
        self._log = premises.log
        entry = OrderEntry(venue, limits)
        self._rest = RestApi(venue, limits, entry, self._environment)
        self._hub = StreamHub(venue, limits, entry, self._environment)
        self.faults = FaultDesk(
            premises.plan, venue, premises.levers, entry, self._edit, self.retire, self._note
        )
        lab = LabApi(self.faults, premises.log, self)
        self._control = ControlApi(
            venue,
            lambda: self._times() | self._clock(),
            premises.edits,
            self.retire,
            self._note,
            lab.state,
            lab.routes(),
        )
        self._drained_ms = venue.now_ms

    def _edit(self, what: str, name: str, changes: Mapping[str, Any]) -> object:
        return self._control.edit(what, name, dict(changes))

    def _note(self, kind: str, details: dict[str, object]) -> None:
        self._log.record(self._venue.now_ms, kind, details)

    # --- time ---------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return self._venue.now_ms

    def next_ms(self) -> int | None:
        """When something is due next; None when the market data has ended and nothing is under way."""
        venue_ms, own_ms = self._venue.next_ms(), self._own_next_ms()
        return own_ms if venue_ms is None else venue_ms if own_ms is None else min(venue_ms, own_ms)

    def _own_next_ms(self) -> int | None:
        """When something arrives that was held back, or a fault is due."""
        agenda_ms, plan_ms = self.agenda.next_ms(), self.faults.plan.next_ms()
        return plan_ms if agenda_ms is None else agenda_ms if plan_ms is None else min(agenda_ms, plan_ms)

    def advance(self, until_ms: int) -> int:
        """Move by one step towards an instant, push what happened, and return the new now."""
        own_ms = self._own_next_ms()
        now_ms = self._venue.advance(until_ms if own_ms is None else min(until_ms, own_ms))
        self.do_due()
        for act in self.agenda.due(now_ms):
            act()
        self.publish()
        return now_ms

    def do_due(self) -> None:
        """Let the faults strike that are due by now."""
        for effect, rule in self.faults.plan.due(self.now_ms):
            if rule is not None and rule.where.place is Place.PUSH:
                self._strike_lines(effect, rule)
            else:
                self.faults.strike_venue(effect)

    def _strike_lines(self, effect: Effect, rule: Rule) -> None:
        for line in list(self._lines.values()):
            if rule.where.covers(occasion := line.occasion(rule.where.channel)):
                self.faults.tell(effect, occasion.described())
                line.wire.strike(effect)

    def run_until(self, until_ms: int) -> None:
        """Move step by step until an instant is reached."""
        while self.now_ms < until_ms:
            self.advance(until_ms)

    def _times(self) -> dict[str, object]:
        return {"now_ms": self.now_ms, "next_ms": self.next_ms()}

    # --- requests -----------------------------------------------------------------------------

    def serve(self, request: Request) -> Generator[int, None, Reply]:
        """Answer one request. Yields every venue instant that must be reached before it goes on."""
        if request.path.startswith("/sim/"):
            status, body = self._control.handle(request.method, request.path, request.query, request.body)
            self.do_due()
            self.publish()
            return Reply(status, body)
        if self.faults.watches(Place.REST):
            occasion = self.faults.request(request)
            effects = self.faults.decide(occasion)
            if effects:
                return (yield from struck_request(self.faults, effects, occasion, request, self._answer))
        return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        status, body = self._rest.handle(request)
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

    def knock(self, path: str, peer: str) -> Reply | None:
        """May this address open a stream at this path now? None, or what it gets instead."""
        if path not in STREAMS:
            return Reply(404, b'{"error":"Not Found"}')
        if self.faults.watches(Place.CONNECT):
            occasion = Occasion(Place.CONNECT, self.now_ms, stream=STREAMS[path], op="connect")
            if (refusal := knocked(self.faults.decide(occasion))) is not None:
                return refusal
        try:
            self._hub.admit(peer)
        except Reject:
            return Reply(429, b'{"error":"Too Many Requests"}')
        return None

    def open(self, path: str, wire: Wire, peer: str, headers: Mapping[str, str] | None = None) -> Line:
        """Open a session on one of STREAMS; whatever the venue says to it goes down the wire.

        `headers` are those of the handshake, with lower-case names.
        """
        session = self._hub.open(STREAMS[path], peer, stream_environment(headers or {}))
        line = self._lines[session] = Line(self, session, wire)
        return line

    def drop(self, session: StreamSession) -> None:
        self._hub.drop(session)
        self._lines.pop(session, None)

    def retire(self, after_ms: int = NOTICE_MS, sessions: Iterable[StreamSession] | None = None) -> int:
        """Announce (64008) to sessions, all by default, that they end so much later; return how many."""
        told = self._hub.retire(after_ms, sessions)
        self.agenda.add(self.now_ms + after_ms, lambda: None)  # time stops there, and they are ended
        return told

    def publish(self) -> None:
        """Push everything that has happened to every session it concerns, and end those that are over."""
        while self._hub.has_notices or self._venue.outbox or self.now_ms != self._drained_ms:
            self._drained_ms = self.now_ms
            self._log.events(self._venue)
            for session, frames in self._hub.drain():
                if session in self._lines:
                    self._lines[session].wire.send(frames)
            for session in self._hub.ending():
                if session.closing is not None and session in self._lines:
                    self._lines[session].wire.end(*session.closing)

    def idle(self) -> list[Line]:
        """Lines without a frame in either direction for 30 s of venue time."""
        return [self._lines[session] for session in self._hub.idle()]

    # --- snapshots ----------------------------------------------------------------------------

    def save(self) -> bytes:
        """Everything the venue is and remembers. What is under way to clients is not part of it."""
        self.publish()
        return packed(self._premises)

    def load(self, data: bytes) -> None:
        """Become what was saved. Every stream is reset: its client must connect and ask anew.

        Raises BadSnapshot and changes nothing.
        """
        premises = unpacked(data)
        premises.log.sink = self._log.sink
        for line in list(self._lines.values()):
            line.wire.reset()
        self._lines.clear()
        self.agenda.clear()
        self._furnish(premises)

    def snapshot(self, name: str) -> None:
        self._snapshots[name] = self.save()

    def restore(self, name: str) -> None:
        self.load(self._snapshots[name])

    def snapshots(self) -> list[str]:
        return list(self._snapshots)


class Line:
    """The venue's end of one stream connection."""

    def __init__(self, board: Switchboard, session: StreamSession, wire: Wire) -> None:
        self.wire = StruckWire(wire, session, board.faults, board.agenda)
        self._board, self._session = board, session

    def heard(self, text: str) -> None:
        """Take one text frame of the client's."""
        session, faults = self._session, self._board.faults
        if faults.watches(Place.MESSAGE):
            frames = struck_message(faults, self.wire, self._board.agenda, text, self._take)
        else:
            frames = session.receive(text)
        if frames:
            self.wire.send(frames)
        if session.closing is not None:
            self.wire.end(*session.closing)
        self._board.publish()

    def _take(self, text: str) -> list[bytes]:
        return self._session.receive(text)

    def occasion(self, channel: str) -> Occasion:
        """This connection, as a rule for pushes on `channel` that strikes at an instant sees it."""
        account = self._session.account
        return Occasion(
            Place.PUSH,
            self._board.now_ms,
            stream=self._session.kind,
            channel=channel,
            account=account.name if account else "",
        )

    def lost(self) -> None:
        """The connection is gone, whoever ended it."""
        self._board.drop(self._session)
