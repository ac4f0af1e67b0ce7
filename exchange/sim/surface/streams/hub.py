"""The WebSocket protocol without sockets: every session of a venue, and who is pushed what.

`StreamHub` turns the venue's outbox into pushes. What a session answers is in session.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from exchange.sim.events import VenueEvent
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.order_entry import OrderEntry
from exchange.sim.surface.entry.rate_limits import Limit, RateLimits
from exchange.sim.surface.rendering.public import DayOpens
from exchange.sim.surface.streams.channels import ALL
from exchange.sim.surface.streams.private_feed import PrivateFeed
from exchange.sim.surface.streams.public_feed import FOR_EVER_MS, PublicFeed
from exchange.sim.surface.streams.session import Backstage, StreamSession

KINDS: Final = ("public", "private", "business")
NEW_CONNECTIONS: Final = Limit(3, 1000)  # per IP
IDLE_MS: Final = 30_000
NOTICE_MS: Final = 60_000  # between the notice of an upgrade and the end of the connection
STREAM_SERVICE: Final = "0"  # serviceType of a maintenance that interrupts WebSocket


class StreamHub:
    """Every open session of a venue. `environment`: whose keys there are, see RestApi."""

    def __init__(self, venue: Venue, limits: RateLimits, entry: OrderEntry, environment: str = "any") -> None:
        self._venue = venue
        self._limits = limits
        self._backstage = Backstage(
            venue, limits, entry, PublicFeed(venue, DayOpens()), PrivateFeed(venue), environment
        )
        self._opened = 0
        self.has_notices = False  # something to say although nothing has happened
        self._announced: set[tuple[str, str]] = set()  # maintenance windows, by title and begin

    def admit(self, peer: str) -> None:
        """Count a new connection of an address. Raises Reject(50011) for the fourth within a second."""
        self._limits.spend(("connections", peer), NEW_CONNECTIONS, self._venue.now_ms)

    def open(self, kind: str, peer: str, asked: str = "") -> StreamSession:
        self._opened += 1
        session = StreamSession(kind, self._backstage, f"{self._opened:08x}", peer, asked)
        self._backstage.sessions[session] = None
        return session

    def drop(self, session: StreamSession) -> None:
        self._backstage.sessions.pop(session, None)
        session.leave()

    def drain(self) -> list[tuple[StreamSession, list[bytes]]]:
        """Empty the venue's outbox: what each session is to be sent now, those without news left out.

        A session hears of its own account first, then of the market, per instrument in the documented
        order of the channels. Where nothing has happened no topic is asked before the first is due.
        """
        events: list[VenueEvent] = list(self._venue.outbox)
        self._venue.outbox.clear()
        backstage = self._backstage
        backstage.public.begin(events)
        backstage.private.begin(events)
        self._announce_maintenance()
        self.has_notices = False
        news = {session: frames for session in backstage.sessions if (frames := session.own_news())}
        if events or self._venue.now_ms >= backstage.quiet_until_ms:
            self._drain_topics(news)
        for session in news:
            session.active_ms = self._venue.now_ms
        return list(news.items())

    def _drain_topics(self, news: dict[StreamSession, list[bytes]]) -> None:
        backstage, quiet_until_ms = self._backstage, FOR_EVER_MS
        for topic, followers in backstage.topics.items():
            if ALL[topic.channel].levels:
                for session in followers:
                    if (frame := session.book_news(topic)) is not None:
                        news.setdefault(session, []).append(frame)
                    quiet_until_ms = min(quiet_until_ms, session.book_due_ms(topic))
            else:
                if shared := backstage.public.frames(topic):
                    for session in followers:
                        news.setdefault(session, []).extend(shared)
                quiet_until_ms = min(quiet_until_ms, backstage.public.due_ms(topic))
        backstage.quiet_until_ms = quiet_until_ms

    # --- ends ---------------------------------------------------------------------------------

    def idle(self) -> list[StreamSession]:
        """Sessions without a frame in either direction for 30 s of venue time."""
        now_ms = self._venue.now_ms
        return [session for session in self._backstage.sessions if now_ms - session.active_ms > IDLE_MS]

    def retire(self, after_ms: int = NOTICE_MS, sessions: Iterable[StreamSession] | None = None) -> int:
        """Announce to sessions, all by default, that they end `after_ms` from now; return how many.

        The notice, 64008, goes out with the next drain. A session that was told keeps its earlier end.
        """
        told = [s for s in (self._backstage.sessions if sessions is None else sessions) if s.ends_ms is None]
        for session in told:
            session.announce_end(self._venue.now_ms + after_ms)
        self.has_notices = bool(told)
        return len(told)

    def ending(self) -> list[StreamSession]:
        """Sessions the venue wants to end now; their `closing` says how."""
        sessions = list(self._backstage.sessions)
        for session in sessions:
            session.check()
        return [session for session in sessions if session.closing is not None]

    def _announce_maintenance(self) -> None:
        """A coming maintenance of the streams is announced a minute before it begins."""
        for window in self._venue.maintenance:
            if window.get("serviceType") != STREAM_SERVICE:
                continue
            known, ahead_ms = (window["title"], window["begin"]), int(window["begin"]) - self._venue.now_ms
            if 0 <= ahead_ms <= NOTICE_MS and known not in self._announced:
                self._announced.add(known)
                self.retire(ahead_ms)
