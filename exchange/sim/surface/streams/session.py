"""One WebSocket session without its socket: text frames in, text frames out.

A session answers what its client sends: ping, login, subscribe, unsubscribe and, on the private
endpoint, order operations. Codes: api-v5.md 5 and 6.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from exchange.sim.markets.dollar import DOLLAR
from exchange.sim.model import AccountState, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.entry import auth
from exchange.sim.surface.entry.order_entry import Items, OrderEntry, check_expiry, outcome
from exchange.sim.surface.entry.rate_limits import Limit, RateLimits
from exchange.sim.surface.rendering.text import Row
from exchange.sim.surface.streams.book_feed import Sent, book_frame
from exchange.sim.surface.streams.channels import (
    ALL,
    BUSINESS,
    DEEP_BOOKS,
    PUBLIC,
    Topic,
    encode,
    push_order,
)
from exchange.sim.surface.streams.private_feed import ALGO, PRIVATE, PrivateFeed, Subscription, subscription
from exchange.sim.surface.streams.public_feed import PublicFeed

OPERATIONS_PER_HOUR: Final = Limit(480, 3_600_000)
CONNECTIONS_PER_CHANNEL: Final = 30
MOST_ARGUMENTS: Final = 64 * 1024  # bytes of channel arguments, of a request and of a connection
ARGUMENT_NAMES: Final = ("channel", "instType", "instFamily", "instId", "ccy", "extraParams")

LOGIN_FAILED: Final = (4001, "Login failed")
KEY_GONE: Final = (4007, "The API key has been updated or deleted")
TOO_MANY_CHANNELS: Final = (4008, "Subscribed channels exceed the maximum")
TOO_LONG_CHANNELS: Final = (4009, "Subscription channels of this connection exceed the limit")
UPGRADED: Final = (1012, "Service upgrade")

_TYPED: Final = ("orders", "positions", "liquidation-warning", *ALGO)  # their argument names an instType
_VIP_PRIVATE: Final = ("fills",)
_INST_TYPES: Final = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")


@dataclass(slots=True)
class Backstage:
    """What the sessions of a venue share."""

    venue: Venue
    limits: RateLimits
    entry: OrderEntry
    public: PublicFeed
    private: PrivateFeed
    environment: str = "any"  # whose keys there are, see RestApi
    sessions: dict[StreamSession, None] = field(default_factory=dict)  # in order of connection
    topics: dict[Topic, dict[StreamSession, None]] = field(default_factory=dict)  # in order of pushing
    quiet_until_ms: int = 0  # no topic speaks before, unless something happens

    def join(self, topic: Topic, session: StreamSession) -> None:
        self.quiet_until_ms = 0
        known = topic in self.topics
        self.topics.setdefault(topic, {})[session] = None
        if not known:
            self.topics = dict(sorted(self.topics.items(), key=lambda item: push_order(item[0])))

    def leave(self, topic: Topic, session: StreamSession) -> None:
        followers = self.topics.get(topic, {})
        followers.pop(session, None)
        if not followers:
            self.topics.pop(topic, None)

    def connections(self, account: AccountState, channel: str) -> int:
        """How many connections of an account are subscribed to a private channel."""
        return sum(
            any(sub.channel == channel for sub in session.subscriptions.values())
            for session in self.sessions
            if session.account is account
        )


class StreamSession:
    """One connection, from the address `peer`, for the environment it `asked` for: demo, live or "".

    `closing` is set to (code, reason) when the venue wants to end it.
    """

    def __init__(self, kind: str, backstage: Backstage, conn_id: str, peer: str, asked: str = "") -> None:
        self.kind = kind
        self._peer = peer
        self._asked = asked
        self.account: AccountState | None = None
        self.closing: tuple[int, str] | None = None
        self.ends_ms: int | None = None  # announced: the connection is closed then
        self.active_ms = backstage.venue.now_ms
        self.subscriptions: dict[bytes, Subscription] = {}
        self._backstage = backstage
        self._venue = backstage.venue
        self._conn_id = conn_id
        self._key = ""  # the API key of the login
        self._topics: dict[Topic, None] = {}
        self._books: dict[Topic, Sent] = {}
        self._argument_bytes = 0
        self._unsent: list[bytes] = []
        entry = backstage.entry
        self._orders: dict[str, Callable[[AccountState, Items], list[Row]]] = {
            "order": lambda account, items: entry.place(account, items, by_code=True),
            "batch-orders": lambda account, items: entry.place(account, items, by_code=True),
            "cancel-order": entry.cancel,
            "batch-cancel-orders": entry.cancel,
            "amend-order": entry.amend,
            "batch-amend-orders": entry.amend,
            "mass-cancel": entry.mass_cancel,
        }

    # --- what the hub asks --------------------------------------------------------------------

    def own_news(self) -> list[bytes]:
        """What this round means to this session alone: notices, then its account."""
        frames, self._unsent = self._unsent, []
        if self.account is not None:
            for sub in self.subscriptions.values():
                frames += self._backstage.private.pushes(sub, self.account)
        return frames

    def book_news(self, topic: Topic) -> bytes | None:
        update = self._backstage.public.books.update(topic, self._books[topic])
        if update is None:
            return None
        frame, self._books[topic] = update
        return frame

    def book_due_ms(self, topic: Topic) -> int:
        """When the book is to be said again although nothing happens."""
        return self._backstage.public.books.due_ms(topic, self._books[topic])

    def announce_end(self, at_ms: int) -> None:
        """Tell the client that its connection will be closed at `at_ms`; the hub closes it then."""
        self.ends_ms = at_ms
        msg = "The connection will soon be closed for a service upgrade. Please reconnect."
        self._unsent.append(self.event(None, event="notice", code="64008", msg=msg))

    def check(self) -> None:
        """Set `closing` when an announced end has come or the key of the login is no more."""
        if self.ends_ms is not None and self._venue.now_ms >= self.ends_ms:
            self.closing = UPGRADED
        elif self.account is not None and self._venue.account_by_key(self._key) is not self.account:
            self.closing = KEY_GONE

    def leave(self) -> None:
        """The connection is gone: nothing is pushed to it any more."""
        for topic in self._topics:
            self._backstage.leave(topic, self)
        self._topics.clear()
        self.subscriptions.clear()

    # --- what the client says -----------------------------------------------------------------

    def receive(self, text: str) -> list[bytes]:
        """Answer one text frame. Never raises for bad input."""
        self.active_ms = self._venue.now_ms
        if text == "ping":
            return [b"pong"]
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeError):
            return [self._error("60012", f"Illegal request: {text}", None)]
        op, ident = message.get("op"), message.get("id")
        if not isinstance(ident, str | None):
            return [self._error("60013", "Invalid args", None)]
        args = message.get("args")
        if self.kind == "private" and isinstance(op, str) and op in self._orders:
            return [self._operate(op, message, ident)]
        if op not in ("login", "subscribe", "unsubscribe"):
            return [self._error("60012", f"Illegal request: {text}", ident)]
        if not isinstance(args, list) or not args or not all(isinstance(arg, dict) for arg in args):
            return [self._error("60013", "Invalid args", ident)]
        if op == "subscribe" and len(encode(args)) > MOST_ARGUMENTS:
            self.closing = TOO_MANY_CHANNELS
            return []
        try:
            scope = ("operations", self._conn_id)
            self._backstage.limits.spend(scope, OPERATIONS_PER_HOUR, self._venue.now_ms, code="60014")
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
            account = auth.check_login(self._venue, arg, self._peer)
            auth.check_environment(self._backstage.environment, self._asked)
        except Reject as no:
            self.closing = LOGIN_FAILED
            return self._error(no.code, no.msg, ident)
        self.account, self._key = account, account.key
        return self.event(ident, event="login", code="0", msg="")

    def _operate(self, op: str, message: Row, ident: str | None) -> bytes:
        now_ms = self._venue.now_ms
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
            if "cancel" not in op:
                check_expiry(expires, self._venue)
            data = self._orders[op](self.account, args)
            (code, _), msg = outcome(data), ""  # over REST a refusal has words too, here only its items do
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
        self._require_level(topic)
        ack = self.event(ident, event="subscribe", arg=arg)
        if topic not in self._topics:
            self._topics[topic] = None
            if topic.key in self._venue.markets:
                self._venue.watch(topic.key)
            self._backstage.join(topic, self)
            if not self._has_room(arg):
                return []
        if not ALL[topic.channel].levels:
            return [ack, *self._backstage.public.greeting(topic)]
        view = self._backstage.public.books.view(topic.key, ALL[topic.channel].levels)
        self._books[topic] = (view, self._venue.now_ms)
        return [ack, book_frame(topic, None, view)]

    def _has_room(self, arg: Row) -> bool:
        """Count an argument. Too many of them in all end the connection."""
        self._argument_bytes += len(encode(arg))
        if self._argument_bytes > MOST_ARGUMENTS:
            self.closing = TOO_LONG_CHANNELS
        return self.closing is None

    def _subscribe_private(self, arg: Row, ident: str | None) -> list[bytes]:
        if self.account is None:
            raise Reject("60011", "Please log in")
        ack = self.event(ident, event="subscribe", arg=arg)
        channel = arg["channel"]
        if channel in _TYPED and not arg.get("instType"):
            raise _wrong(arg)
        key = encode(arg)
        sub = subscription(channel, arg, self.account.uid)
        if key not in self.subscriptions and not self._has_room(arg):
            return []
        self.subscriptions[key] = sub
        count = self._backstage.connections(self.account, channel)
        if count > CONNECTIONS_PER_CHANNEL:
            del self.subscriptions[key]
            self._argument_bytes -= len(key)
            return [ack, self._conn_count("channel-conn-count-error", channel, count - 1)]
        self.subscriptions = dict(
            sorted(self.subscriptions.items(), key=lambda item: (*PRIVATE, *ALGO).index(item[1].channel))
        )
        greeting = self._backstage.private.greeting(sub, self.account)
        if channel in ALGO:
            return [ack, *greeting]
        return [ack, self._conn_count("channel-conn-count", channel, count), *greeting]

    def _unsubscribe(self, arg: Row, ident: str | None) -> list[bytes]:
        arg = _argument(arg)
        if self._is_private(arg):
            known = self.subscriptions.pop(encode(arg), None) is not None
        else:
            topic = self._topic(arg)
            known = topic in self._topics
            self._topics.pop(topic, None)
            self._books.pop(topic, None)
            self._backstage.leave(topic, self)
        if known:
            self._argument_bytes -= len(encode(arg))
        return [self.event(ident, event="unsubscribe", arg=arg)]

    def _is_private(self, arg: Row) -> bool:
        own = {"private": PRIVATE, "business": ALGO}.get(self.kind, ())
        return arg.get("channel") in own

    def _topic(self, arg: Row) -> Topic:
        """The public topic an argument names. Raises Reject(60018) when there is no such thing here."""
        name = arg.get("channel")
        if self.kind == "private" and name in _VIP_PRIVATE:
            raise _level_needed(name)
        offered = {"public": PUBLIC, "business": BUSINESS}.get(self.kind, {})
        if name is None or name not in offered:
            raise _wrong(arg)
        channel, venue = ALL[name], self._venue
        key: str = arg.get(channel.key, "") if channel.key else ""
        known: Any = _INST_TYPES if channel.key == "instType" else venue.instruments if channel.key else ("",)
        if channel.indices_only and key == DOLLAR:
            return Topic(name, key)
        if key not in known:
            raise _wrong(arg)
        swap = channel.key == "instId" and venue.instruments[key].is_swap
        if (channel.swaps_only and not swap) or (channel.indices_only and swap):
            raise _wrong(arg)
        family: str = arg.get("instFamily", "") if channel.by_family else ""
        if family and f"{family}-SWAP" not in venue.instruments:
            raise _wrong(arg)
        return Topic(name, key, family)

    def _require_level(self, topic: Topic) -> None:
        """Deep and fast books are for customers of a level. Raises Reject (60011, 64003, 64004)."""
        needed = ALL[topic.channel].vip
        if not needed:
            return
        if self.account is None:
            raise Reject("60011", "Please log in")
        level = self.account.fee_level.removeprefix("VIP")
        if not level.isdecimal() or int(level) < needed:
            raise _level_needed(topic.channel)
        for other in DEEP_BOOKS:
            if other != topic.channel and Topic(other, topic.key) in self._topics:
                both = f"Subscribe to both {topic.channel} and {other} is not allowed."
                raise Reject("64004", f"{both} Unsubscribe {other} first.")

    # --- frames -------------------------------------------------------------------------------

    def event(self, ident: str | None, **fields: Any) -> bytes:
        head = {"id": ident} if ident else {}
        return encode({**head, **fields, "connId": self._conn_id})

    def _error(self, code: str, msg: str, ident: str | None) -> bytes:
        return self.event(ident, event="error", code=code, msg=msg)

    def _conn_count(self, event: str, channel: str, count: int) -> bytes:
        return self.event(None, event=event, channel=channel, connCount=str(count))


def _argument(arg: Row) -> Row:
    """What is known of an argument, for the echo. Raises Reject(60013) for anything but text."""
    known: Row = {name: arg[name] for name in ARGUMENT_NAMES if name in arg}
    if not all(isinstance(value, str) for value in known.values()):
        raise Reject("60013", "Invalid args")
    return known


def _wrong(arg: Row) -> Reject:
    named = ",".join(f"{name}:{value}" for name, value in arg.items() if name != "extraParams")
    return Reject(
        "60018",
        f"Wrong URL or {named} doesn't exist. Please use the correct URL, channel and parameters "
        "referring to API document.",
    )


def _level_needed(channel: str) -> Reject:
    return Reject("64003", f"Your trading fee tier doesn't meet the requirement to access {channel}")
