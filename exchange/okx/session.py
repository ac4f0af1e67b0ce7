"""One WebSocket connection to the venue, from its handshake to its end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.errors import EngineError
from core.ports import Clock
from exchange.okx import wire
from exchange.okx.endpoints import Credentials
from exchange.okx.errors import refusal

Arg = Mapping[str, str]  # a subscription as it is asked for

UPGRADE_NOTICE: Final = "64008"
# The venue allows 480 subscriptions, unsubscriptions and logins an hour on one connection
MOST_OPERATIONS: Final = 400
TICK_S: Final = 0.001  # less is rounding: waiting for it may take no time at all, again and again
_FRAME: Final = msgspec.json.Decoder(wire.Frame)


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """Patience of a stream, seconds of loop time.

    ping_after_s  says after how much silence a text ping goes out (the venue hangs up after 30), asked anew
                  before each; None never.
    """

    ping_after_s: Callable[[], float] | None = lambda: 20.0
    pong_within_s: float = 10.0
    answer_within_s: float = 5.0  # connect, login, each subscription
    first_pause_s: float = 0.5  # before trying again; doubles
    longest_pause_s: float = 30.0
    refused_pause_s: float = 300.0  # after several logins that were refused
    stable_after_s: float = 30.0  # a connection that lived this long wipes the slate


class Lost(EngineError):
    """The connection ended or was refused; the message says how."""


class Socket(Protocol):
    """One open WebSocket, as far as a session needs it."""

    async def recv(self) -> bytes:
        """Wait for the next text frame. Raises Lost or websockets' ConnectionClosed at the end."""
        ...

    async def send(self, text: str) -> None: ...

    def abort(self) -> None:
        """Tear the connection down without a closing frame."""
        ...

    async def close(self) -> None: ...


Connect = Callable[[str], Awaitable[Socket]]


class WebSocket:
    """A Socket on the network."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> WebSocket:
        """Connect. Raises OSError or websockets' InvalidHandshake."""
        return cls(
            await connect(
                url,
                ping_interval=None,  # the venue asks for text pings
                compression=None,
                max_queue=1024,
                max_size=8 * 2**20,
                open_timeout=None,
                close_timeout=1,
                proxy=None,
            )
        )

    async def recv(self) -> bytes:
        return await self._connection.recv(decode=False)

    async def send(self, text: str) -> None:
        await self._connection.send(text)

    def abort(self) -> None:
        self._connection.transport.abort()

    async def close(self) -> None:
        await self._connection.close()


class Session:
    """Reads from the beginning: events resolve what is being asked for, pushes wait until `go_live`.

    `reader` ends with an exception in every case: Lost, ConnectionClosed, or whatever a handler
    raised. Frames are handled one by one as they are read, so a slow handler slows the socket down
    instead of filling a queue, and nothing is ever dropped.
    """

    def __init__(
        self,
        socket: Socket,
        on_push: Callable[[wire.Frame], None],
        on_frame: Callable[[], None],
        on_trouble: Callable[[str], None],
        clock: Clock,
        times: StreamTimes,
    ) -> None:
        self._socket = socket
        self._on_push, self._on_frame, self._on_trouble = on_push, on_frame, on_trouble
        self._clock = clock
        self._times = times
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._loop.time()
        self._heard = asyncio.Event()
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self._held_back: list[wire.Frame] | None = []
        self._operations = 0
        self.subscribed: dict[str, Arg] = {}  # as written
        self._why = ""
        self.upgrade = asyncio.Event()  # the venue will close this connection soon
        self.reader = asyncio.create_task(self._read())
        self._heart = asyncio.create_task(self._beat(after)) if (after := times.ping_after_s) else None

    @classmethod
    async def connected(
        cls,
        url: str,
        clock: Clock,
        times: StreamTimes,
        connect: Connect = WebSocket.open,
        **callbacks: Callable[..., None],
    ) -> Session:
        """Connect. Raises TimeoutError, Lost, OSError or websockets' InvalidHandshake."""
        with clock.holding():
            async with asyncio.timeout(times.answer_within_s):
                socket = await connect(url)
        return cls(socket, clock=clock, times=times, **callbacks)

    @property
    def live(self) -> bool:
        return self._held_back is None and not self.reader.done()

    async def login(self, credentials: Credentials, venue_now_ms: int) -> None:
        """Log in and wait for the answer. Raises Lost when it does not come, AuthFailed when it is no."""
        await self._ask("login", [login_arg(credentials, venue_now_ms // 1000)])

    async def subscribe(self, args: Sequence[Arg]) -> None:
        """Subscribe and wait for every single acknowledgement. Raises Lost."""
        if args:
            await self._ask("subscribe", args)
        self.subscribed.update((str(arg), arg) for arg in args)

    async def renew(self, arg: Arg) -> None:
        """Drop a subscription and take it again, for a new snapshot. Raises Lost."""
        self._require_budget()
        await self._ask("unsubscribe", [arg])
        await self._ask("subscribe", [arg])

    async def change(self, wanted: Sequence[Arg]) -> None:
        """Drop what is not wanted any more, then take what is new. Raises Lost."""
        keep = {str(arg): arg for arg in wanted}
        dropped = [key for key in self.subscribed if key not in keep]
        if dropped:
            self._require_budget()
            await self._ask("unsubscribe", [self.subscribed[key] for key in dropped])
            for key in dropped:
                del self.subscribed[key]
        if new := [arg for key, arg in keep.items() if key not in self.subscribed]:
            self._require_budget()
            await self.subscribe(new)

    def _require_budget(self) -> None:
        if self._operations >= MOST_OPERATIONS:
            raise Lost("subscription budget of this connection is spent")

    def go_live(self) -> None:
        """Hand over what came during the handshake, in order, and from now on everything at once."""
        held_back, self._held_back = self._held_back, None
        for frame in held_back or ():
            self._on_push(frame)

    def abort(self, why: str) -> None:
        """Tear the connection down without a word: for a peer that does not answer."""
        self._why = why
        self._socket.abort()

    async def end(self) -> None:
        """Close properly and stop reading."""
        tasks = [self.reader] if self._heart is None else [self._heart, self.reader]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with self._clock.holding():
            await self._socket.close()

    def reason(self) -> str:
        """Say why the reader has ended."""
        error = None if self.reader.cancelled() else self.reader.exception()
        if self._why or error is None:
            return self._why or "closed by us"
        if isinstance(error, EngineError | ConnectionClosed):
            return str(error)
        return f"handler failed: {error!r}"

    # --- reading ----------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            raw = await self._socket.recv()
            self._heard_s = self._loop.time()
            self._heard.set()
            self._on_frame()
            if raw == b"pong":
                continue
            try:
                frame = _FRAME.decode(raw)
            except msgspec.DecodeError as exc:
                self._on_trouble(f"unreadable frame ({exc}): {raw!r:.200}")
                continue
            if frame.event:
                self._on_event(frame)
            elif self._held_back is not None:
                self._held_back.append(frame)
            else:
                self._on_push(frame)

    def _on_event(self, frame: wire.Frame) -> None:
        match frame.event:
            case "subscribe" | "unsubscribe" if (arg := frame.arg) is not None:
                self._answered(_key(frame.event, arg.channel, arg.inst_type, arg.inst_id))
            case "login" if frame.code == "0":
                self._answered(_key("login", "", "", ""))
            case "error" | "login":
                raise refusal(frame.code or "", frame.msg or "stream error")
            case "channel-conn-count-error":
                raise Lost(f"too many connections for channel {frame.channel}")
            case "notice" if frame.code == UPGRADE_NOTICE:
                self.upgrade.set()
            case "channel-conn-count":
                pass  # information only
            case _:
                self._on_trouble(f"unknown event {frame.event}: {frame.code} {frame.msg}")

    def _answered(self, key: str) -> None:
        future = self._awaited.pop(key, None)
        if future is not None and not future.done():
            future.set_result(None)

    # --- asking -----------------------------------------------------------------------------

    async def _ask(self, op: str, args: Sequence[Arg]) -> None:
        """Send one operation and wait until each of its arguments is acknowledged."""
        awaited = {_asked(op, arg): self._loop.create_future() for arg in args}
        self._awaited.update(awaited)
        self._operations += 1
        everything = asyncio.gather(*awaited.values())
        everything.add_done_callback(_forget)  # where the reader ends first, nobody asks for its end
        either: set[asyncio.Future[Any]] = {self.reader, everything}
        with self._clock.holding():
            await self._socket.send(json.dumps({"op": op, "args": args}))
            done, _ = await asyncio.wait(
                either,
                timeout=self._times.answer_within_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        if everything in done:
            return
        everything.cancel()
        if self.reader in done:
            raise self.reader.exception() or Lost(self.reason())
        missing = [key for key in awaited if key in self._awaited]
        raise Lost(f"no answer to {', '.join(missing)}")

    async def _beat(self, ping_after_s: Callable[[], float]) -> None:
        """Break the silence in time, and give up a peer that does not answer."""
        while True:
            silent_s = self._loop.time() - self._heard_s
            left_s = ping_after_s() - silent_s
            if left_s > TICK_S:
                await asyncio.sleep(left_s)
                continue
            self._heard.clear()
            await self._socket.send("ping")
            try:
                async with asyncio.timeout(self._times.pong_within_s):
                    await self._heard.wait()
            except TimeoutError:
                self.abort("no pong")
                return


def login_arg(credentials: Credentials, at_s: int) -> dict[str, str]:
    """Sign a stream login; the venue takes epoch seconds here, and a fixed path."""
    signed = f"{at_s}GET/users/self/verify".encode()
    digest = hmac.new(credentials.secret.encode(), signed, hashlib.sha256).digest()
    return {
        "apiKey": credentials.key,
        "passphrase": credentials.passphrase,
        "timestamp": str(at_s),
        "sign": base64.b64encode(digest).decode(),
    }


def _forget(done: asyncio.Future[Any]) -> None:
    """Look at how it ended, so that asyncio does not complain that nobody has."""
    if not done.cancelled():
        done.exception()


def _key(op: str, channel: str, inst_type: str | None, inst_id: str | None) -> str:
    """Name an acknowledgement: the venue echoes the argument, sometimes with more in it."""
    return f"{op} {channel} {inst_type or ''}{inst_id or ''}".rstrip()


def _asked(op: str, arg: Arg) -> str:
    return _key(op, arg.get("channel", ""), arg.get("instType"), arg.get("instId"))
