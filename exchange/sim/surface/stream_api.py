"""The WebSocket protocol without sockets: text frames in, text frames out.

`StreamHub` knows every session and turns the venue's outbox into their pushes. A session answers what
its client sends: ping, login, subscribe, unsubscribe and, on the private endpoint, order operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from exchange.sim.model import AccountState, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface import auth
from exchange.sim.surface.channels import (
    ALL,
    BOOK_GAP_MS,
    BOOK_KEEP_ALIVE_MS,
    BUSINESS,
    PUBLIC,
    BookView,
    PublicFeed,
    Topic,
    book_frame,
    encode,
)
from exchange.sim.surface.order_entry import Items, OrderEntry, outcome
from exchange.sim.surface.private_feed import ALGO, PRIVATE, PrivateFeed, Subscription, subscription
from exchange.sim.surface.rate_limits import Limit, RateLimits
from exchange.sim.surface.render import DayOpens
from exchange.sim.surface.text import Row

KINDS: Final = ("public", "private", "business")
OPERATIONS_PER_HOUR = Limit(480, 3_600_000)
CONNECTIONS_PER_CHANNEL = 30
IDLE_MS = 30_000
ARGUMENT_NAMES: Final = ("channel", "instType", "instFamily", "instId", "ccy", "extraParams")

_TYPED: Final = ("orders", "positions", "liquidation-warning", *ALGO)  # their argument names an instType
_VIP_ONLY: Final = ("books50-l2-tbt", "books-l2-tbt", "fills")
_INST_TYPES: Final = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")


class StreamHub:
    """Every open session of a venue."""

    def __init__(self, venue: Venue, limits: RateLimits, entry: OrderEntry) -> None:
        self.venue = venue
        self.limits = limits
        self.entry = entry
        self.public = PublicFeed(venue, DayOpens())
        self.private = PrivateFeed(venue)
        self._sessions: dict[StreamSession, None] = {}  # in order of connection
        self._opened = 0

    def open(self, kind: str) -> StreamSession:
        self._opened += 1
        session = StreamSession(kind, self, f"{self._opened:08x}")
        self._sessions[session] = None
        return session

    def drop(self, session: StreamSession) -> None:
        self._sessions.pop(session, None)

    def drain(self) -> list[tuple[StreamSession, list[bytes]]]:
        """Empty the venue's outbox: what each session is to be sent now, those without news left out."""
        events = list(self.venue.outbox)
        self.venue.outbox.clear()
        self.public.begin(events)
        self.private.begin(events)
        news = [(session, session.pushes()) for session in self._sessions]
        return [(session, frames) for session, frames in news if frames]

    def idle(self) -> list[StreamSession]:
        """Sessions without a frame in either direction for 30 s of venue time."""
        now_ms = self.venue.now_ms
        return [session for session in self._sessions if now_ms - session.active_ms > IDLE_MS]

    def subscribers(self, account: AccountState, channel: str) -> int:
        return sum(
            any(sub.channel == channel for sub in session.subscriptions.values())
            for session in self._sessions
            if session.account is account
        )


class StreamSession:
    """One connection. `closing` is set to (code, reason) when the venue wants to end it."""

    def __init__(self, kind: str, hub: StreamHub, conn_id: str) -> None:
        self.kind = kind
        self.account: AccountState | None = None
        self.closing: tuple[int, str] | None = None
        self.active_ms = hub.venue.now_ms
        self.subscriptions: dict[bytes, Subscription] = {}
        self._hub = hub
        self._conn_id = conn_id
        self._topics: dict[Topic, None] = {}
        self._books: dict[str, tuple[BookView, int]] = {}  # instrument -> what was sent, when
        self._orders: dict[str, Callable[[AccountState, Items], list[Row]]] = {
            "order": lambda account, items: hub.entry.place(account, items, by_code=True),
            "batch-orders": lambda account, items: hub.entry.place(account, items, by_code=True),
            "cancel-order": hub.entry.cancel,
            "batch-cancel-orders": hub.entry.cancel,
            "amend-order": hub.entry.amend,
            "batch-amend-orders": hub.entry.amend,
        }

    def pushes(self) -> list[bytes]:
        """What this round of events means to this session: its own account first, then the market."""
        frames: list[bytes] = []
        if self.account is not None:
            for sub in self.subscriptions.values():
                frames += self._hub.private.pushes(sub, self.account)
        for topic in self._topics:
            frames += self._book_push(topic[1]) if topic[0] == "books" else self._hub.public.frames(topic)
        if frames:
            self.active_ms = self._hub.venue.now_ms
        return frames

    def _book_push(self, inst_id: str) -> list[bytes]:
        (old, sent_ms), now_ms = self._books[inst_id], self._hub.venue.now_ms
        new = self._hub.public.view(inst_id)
        if now_ms - sent_ms < (BOOK_KEEP_ALIVE_MS if new.seq_id == old.seq_id else BOOK_GAP_MS):
            return []
        self._books[inst_id] = (new, now_ms)
        return [self._hub.public.book_update(inst_id, old, new)]

    def receive(self, text: str) -> list[bytes]:
        """Answer one text frame. Never raises for bad input."""
        self.active_ms = self._hub.venue.now_ms
        if text == "ping":
            return [b"pong"]
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeError):
            return [self._error("60012", f"Invalid request: {text[:200]}", None)]
        op, ident = message.get("op"), message.get("id")
        if not isinstance(ident, str | None):
            return [self._error("60013", "Invalid args", None)]
        args = message.get("args")
        if self.kind == "private" and isinstance(op, str) and op in self._orders:
            return [self._operate(op, message, ident)]
        if op not in ("login", "subscribe", "unsubscribe"):
            return [self._error("60012", f"Invalid request: {text[:200]}", ident)]
        if not isinstance(args, list) or not args or not all(isinstance(arg, dict) for arg in args):
            return [self._error("60013", "Invalid args", ident)]
        try:
            scope = ("operations", self._conn_id)
            self._hub.limits.spend(scope, OPERATIONS_PER_HOUR, self._hub.venue.now_ms, code="60014")
        except Reject as no:
            return [self._error(no.code, "Requests too frequent", ident)]
        if op == "login":
            return [self._login(args[0], ident)]
        act = self._subscribe if op == "subscribe" else self._unsubscribe
        frames: list[bytes] = []
        for arg in args:
            try:
                frames += act(arg, ident)
            except Reject as no:
                frames.append(self._error(no.code, no.msg, ident))
        return frames

    # --- login and orders ---------------------------------------------------------------------

    def _login(self, arg: Row, ident: str | None) -> bytes:
        if self.account is not None:
            return self._error("60031", "Repeated login", ident)
        try:
            self.account = auth.check_login(self._hub.venue, arg)
        except Reject as no:
            self.closing = (4001, "Login failed")
            return self._error(no.code, no.msg, ident)
        return self._event(ident, event="login", code="0", msg="")

    def _operate(self, op: str, message: Row, ident: str | None) -> bytes:
        now_ms = self._hub.venue.now_ms
        data: list[Row] = []
        args, expires = message.get("args"), str(message.get("expTime") or "")
        try:
            if self.account is None:
                raise Reject("60011", "Please log in")
            if not ident or len(ident) > 32 or not ident.isalnum():
                raise Reject("60013", "Invalid args")
            if not isinstance(args, list) or not args or not all(isinstance(arg, dict) for arg in args):
                raise Reject("60013", "Invalid args")
            if "batch" not in op and len(args) != 1:
                raise Reject("60013", "Invalid args")
            if "trade" not in self.account.permissions.split(","):
                raise Reject("50120", "This API key doesn't have permission to use this function")
            if expires.isdecimal() and int(expires) < now_ms:
                raise Reject("50036", "The expTime can't be earlier than the current system time.")
            data = self._orders[op](self.account, args)
            code, msg = outcome(data)
        except Reject as no:
            code, msg = no.code, no.msg
        stamps = {"inTime": str(now_ms * 1000 + 123), "outTime": str(now_ms * 1000 + 1456)}
        return encode({"id": ident or "", "op": op, "data": data, "code": code, "msg": msg, **stamps})

    # --- subscriptions ------------------------------------------------------------------------

    def _subscribe(self, arg: Row, ident: str | None) -> list[bytes]:
        arg = _argument(arg)
        if self._is_private(arg):
            return self._subscribe_private(arg, ident)
        topic = self._topic(arg)
        ack = self._event(ident, event="subscribe", arg=arg)
        self._topics[topic] = None
        self._topics = dict.fromkeys(sorted(self._topics, key=_push_order))
        if topic[0] != "books":
            return [ack, *self._hub.public.greeting(topic)]
        view = self._hub.public.view(topic[1])
        self._books[topic[1]] = (view, self._hub.venue.now_ms)
        return [ack, book_frame(topic[1], None, view)]

    def _subscribe_private(self, arg: Row, ident: str | None) -> list[bytes]:
        if self.account is None:
            raise Reject("60011", "Please log in")
        ack = self._event(ident, event="subscribe", arg=arg)
        channel = arg["channel"]
        if channel in _TYPED and not arg.get("instType"):
            raise _wrong(arg)
        key = encode(arg)
        self.subscriptions[key] = sub = subscription(channel, arg, self.account.uid)
        count = self._hub.subscribers(self.account, channel)
        if count > CONNECTIONS_PER_CHANNEL:
            del self.subscriptions[key]
            return [ack, self._conn_count("channel-conn-count-error", channel, count - 1)]
        self.subscriptions = dict(
            sorted(self.subscriptions.items(), key=lambda item: (*PRIVATE, *ALGO).index(item[1].channel))
        )
        greeting = self._hub.private.greeting(sub, self.account)
        if channel in ALGO:
            return [ack, *greeting]
        return [ack, self._conn_count("channel-conn-count", channel, count), *greeting]

    def _unsubscribe(self, arg: Row, ident: str | None) -> list[bytes]:
        arg = _argument(arg)
        if self._is_private(arg):
            self.subscriptions.pop(encode(arg), None)
        else:
            topic = self._topic(arg)
            self._topics.pop(topic, None)
            if topic[0] == "books":
                self._books.pop(topic[1], None)
        return [self._event(ident, event="unsubscribe", arg=arg)]

    def _is_private(self, arg: Row) -> bool:
        own = {"private": PRIVATE, "business": ALGO}.get(self.kind, ())
        return arg.get("channel") in own

    def _topic(self, arg: Row) -> Topic:
        """The public topic an argument names. Raises Reject(60018) when there is no such thing here."""
        name = arg.get("channel")
        if name in _VIP_ONLY:
            raise Reject("64003", f"Your trading fee tier doesn't meet the requirement to access {name}")
        offered = {"public": PUBLIC, "business": BUSINESS}.get(self.kind, {})
        if name is None or name not in offered:
            raise _wrong(arg)
        channel, venue = ALL[name], self._hub.venue
        key: str = arg.get(channel.key, "") if channel.key else ""
        known: Any = _INST_TYPES if channel.key == "instType" else venue.instruments if channel.key else ("",)
        if key not in known:
            raise _wrong(arg)
        swap = channel.key == "instId" and venue.instruments[key].is_swap
        if (channel.swaps_only and not swap) or (name == "index-tickers" and swap):
            raise _wrong(arg)
        return name, key

    # --- frames -------------------------------------------------------------------------------

    def _event(self, ident: str | None, **fields: Any) -> bytes:
        head = {"id": ident} if ident else {}
        return encode({**head, **fields, "connId": self._conn_id})

    def _error(self, code: str, msg: str, ident: str | None) -> bytes:
        return self._event(ident, event="error", code=code, msg=msg)

    def _conn_count(self, event: str, channel: str, count: int) -> bytes:
        return self._event(None, event=event, channel=channel, connCount=str(count))


def _argument(arg: Row) -> Row:
    """What is known of an argument, for the echo. Raises Reject(60013) for anything but text."""
    known: Row = {name: arg[name] for name in ARGUMENT_NAMES if name in arg}
    if not all(isinstance(value, str) for value in known.values()):
        raise Reject("60013", "Invalid args")
    return known


_ORDER: Final = {name: n for n, name in enumerate(ALL)}


def _push_order(topic: Topic) -> tuple[str, int]:
    """Per instrument in the documented order: bbo-tbt, books, books5, then the rest."""
    return topic[1], _ORDER[topic[0]]


def _wrong(arg: Row) -> Reject:
    named = ",".join(f"{name}:{value}" for name, value in arg.items() if name != "extraParams")
    return Reject(
        "60018",
        f"Wrong URL or {named} doesn't exist. Please use the correct URL, channel and parameters "
        "referring to API document.",
    )
