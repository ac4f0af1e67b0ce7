"""Who may come in: the door in front of every page and every question.

An ASGI middleware. In order: the path, the Host header (names that resolve to us but are not ours are how
a foreign page reaches a loopback server), the Origin of what changes something, the size, how often, and
the token. Every refusal has a status, a reason that is no secret, and is told to `on_refusal`.
"""

from __future__ import annotations

import hmac
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY: Final = 65_536  # bytes; a whole configuration overlay takes a tenth of it
LONGEST_PATH: Final = 1_024
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BURST, PER_S = 120.0, 30.0  # requests of one address: a page asks a dozen questions as it opens
COMMAND_BURST, COMMANDS_PER_S = 10.0, 0.5
WRONG_TOKENS: Final = 5  # in a row; then the address waits
LOCK_OUT_S: Final = 300.0
MOST_ADDRESSES: Final = 4_096  # remembered at once; the one that was heard longest ago is forgotten first


@dataclass(frozen=True, slots=True)
class Rules:
    """hosts    names this server answers to, without port.
    token    what callers must show; None only where nobody but this host can reach us.
    """

    hosts: frozenset[str]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    error: str
    detail: str
    retry_after_s: int | None = None


TOO_LARGE: Final = Refusal(413, "too_large", f"a body has at most {MOST_BODY} bytes")


@dataclass(slots=True)
class _Caller:
    """What is known of one address."""

    asked: float
    seen_s: float
    commands: float = 0.0
    commanded_s: float = 0.0
    wrong: int = 0
    locked_until_s: float = 0.0


@dataclass(slots=True)
class Door:
    """`app` behind the door.

    now_s       seconds of a clock that never goes back.
    on_refusal  told of every refusal: address, method, path, and why.
    """

    app: App
    rules: Rules
    now_s: Callable[[], float]
    on_refusal: Callable[[str, str, str, Refusal], None]
    _callers: OrderedDict[str, _Caller] = field(default_factory=OrderedDict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
                return
            await _close(receive, send)
            return
        refusal = self._against(scope)
        if refusal is not None:
            self._tell(scope, refusal)
            await _answer(send, refusal)
            return
        await self.app(scope, _limited(receive, lambda: self._tell(scope, TOO_LARGE)), _guarded(send))

    def _tell(self, scope: Scope, refusal: Refusal) -> None:
        client = scope.get("client") or ("?", 0)
        self.on_refusal(str(client[0]), scope["method"], scope["path"][:200], refusal)

    def _against(self, scope: Scope) -> Refusal | None:
        """The first thing that speaks against this request; None when it may come in."""
        headers = _headers(scope)
        if headers is None:
            return Refusal(400, "bad_header", "a header that must stand once stands twice")
        checks: Iterable[Callable[[Scope, dict[str, str]], Refusal | None]] = (
            self._path, self._host, self._origin, self._size, self._pace, self._token,
        )  # fmt: skip
        return next((no for check in checks if (no := check(scope, headers)) is not None), None)

    @staticmethod
    def _path(scope: Scope, headers: dict[str, str]) -> Refusal | None:
        raw = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        path = unquote(unquote(raw))
        if len(raw) > LONGEST_PATH or "\\" in path or "\0" in path or ".." in path.split("/"):
            return Refusal(400, "bad_path", "no such path can exist here")
        return None

    def _host(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        name = _name_of(headers.get("host", ""))
        if name not in self.rules.hosts:
            return Refusal(421, "unknown_host", f"this server is {', '.join(sorted(self.rules.hosts))}")
        return None

    def _origin(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        origin = headers.get("origin")
        if origin is not None and (
            not origin.startswith(("http://", "https://"))
            or origin.partition("://")[2] != headers.get("host", "")
        ):
            return Refusal(403, "foreign_origin", "pages of other servers may not ask here")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return Refusal(403, "foreign_origin", "pages of other servers may not ask here")
        if scope["method"] in SAFE:
            return None
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # what a form of a foreign page can never send unasked
            return Refusal(415, "not_json", "commands are JSON: content-type application/json")
        return None

    @staticmethod
    def _size(scope: Scope, headers: dict[str, str]) -> Refusal | None:
        length = headers.get("content-length")
        if length is not None and (not length.isdigit() or int(length) > MOST_BODY):
            return TOO_LARGE
        return None

    def _pace(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        caller, now_s = self._caller(scope), self.now_s()
        caller.asked = max(0.0, caller.asked - (now_s - caller.seen_s) * PER_S) + 1
        caller.seen_s = now_s
        if caller.asked > BURST:
            caller.asked = BURST
            return Refusal(429, "too_often", f"at most {PER_S:.0f} requests a second", 1)
        if scope["method"] in SAFE:
            return None
        caller.commands = max(0.0, caller.commands - (now_s - caller.commanded_s) * COMMANDS_PER_S) + 1
        caller.commanded_s = now_s
        if caller.commands > COMMAND_BURST:
            caller.commands = COMMAND_BURST
            return Refusal(429, "too_often", f"at most {COMMAND_BURST:.0f} commands at once", 2)
        return None

    def _token(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        if self.rules.token is None or not _needs_token(scope["path"]):
            return None
        caller, now_s = self._caller(scope), self.now_s()
        if now_s < caller.locked_until_s:
            left_s = int(caller.locked_until_s - now_s) + 1
            return Refusal(429, "locked_out", "too many wrong tokens from this address", left_s)
        shown = headers.get("authorization", "")
        scheme, _, token = shown.partition(" ")
        right = hmac.compare_digest(token.strip().encode(), self.rules.token.encode())
        if scheme.lower() == "bearer" and right:
            caller.wrong = 0
            return None
        if not shown:
            return Refusal(401, "no_token", "show the token: Authorization: Bearer ...")
        caller.wrong += 1
        if caller.wrong >= WRONG_TOKENS:
            caller.wrong, caller.locked_until_s = 0, now_s + LOCK_OUT_S
        return Refusal(401, "wrong_token", "this is not the token")

    def _caller(self, scope: Scope) -> _Caller:
        address = str((scope.get("client") or ("?", 0))[0])
        caller = self._callers.get(address)
        if caller is None:
            caller = self._callers[address] = _Caller(0.0, self.now_s())
            if len(self._callers) > MOST_ADDRESSES:
                self._callers.popitem(last=False)
        self._callers.move_to_end(address)
        return caller


def _needs_token(path: str) -> bool:
    """Data and commands need it; the page itself, which asks for the token, and a supervisor's do not."""
    return path.startswith(("/api", "/metrics", "/openapi.json", "/docs"))


def _headers(scope: Scope) -> dict[str, str] | None:
    """Headers by lower-case name; None when one that decides stands twice."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in found and name in ("host", "origin", "authorization", "content-length", "content-type"):
            return None
        found[name] = raw_value.decode("latin-1")
    return found


def _name_of(host: str) -> str:
    """The name in a Host header, without its port: `[::1]:8788` is `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _limited(receive: Receive, on_cut: Callable[[], None]) -> Receive:
    """Bodies that come in pieces have no length to look at before: they are counted, and cut off."""
    heard = 0

    async def take() -> Message:
        nonlocal heard
        message = await receive()
        if message["type"] == "http.request":
            heard += len(message.get("body", b""))
            if heard > MOST_BODY:
                on_cut()
                return {"type": "http.disconnect"}
        return message

    return take


HARDENING: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
)


def _guarded(send: Send) -> Send:
    async def out(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *HARDENING]}
        await send(message)

    return out


async def _answer(send: Send, refusal: Refusal) -> None:
    body = json.dumps({"error": refusal.error, "detail": refusal.detail}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *HARDENING,
    ]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _close(receive: Receive, send: Send) -> None:
    """There are no WebSockets here: news come as server-sent events."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})
