"""A supervised stream: whatever ends a connection, the next one is on its way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from core.context import StreamHealth
from core.errors import AuthFailed, BadPayload
from core.ports import Clock
from exchange.okx import wire
from exchange.okx.endpoints import Credentials
from exchange.okx.session import Arg, Connect, Session, StreamTimes, WebSocket

MOST_REFUSALS = 3  # of a login in a row; then it is tried only now and then


class Stream:
    """Keeps one endpoint subscribed: connect, log in, subscribe, resync, live; again after any end.

    args        what to subscribe to, changed by `want`; there is no connection while that is nothing.

    on_push     one decoded message; BadPayload skips it and is reported, any other exception costs
                the connection, is reported, and a new connection starts from a snapshot.
    on_resync   awaited on every new connection before it is live: what was missed comes by REST.
    on_trouble  told in words what went wrong; the same words once until the stream is live again.
    """

    def __init__(
        self,
        name: str,
        url: str,
        args: Sequence[Arg],
        on_push: Callable[[wire.Frame], None],
        clock: Clock,
        rng: random.Random,
        times: StreamTimes,
        on_trouble: Callable[[str], None],
        connect: Connect = WebSocket.open,
        credentials: Credentials | None = None,
        venue_now_ms: Callable[[], int] | None = None,
        on_resync: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._url = url
        self._args = tuple(args)
        self._wanted = asyncio.Event()
        if args:
            self._wanted.set()
        self._on_push = on_push
        self._clock = clock
        self._rng = rng
        self._times = times
        self._on_trouble = on_trouble
        self._connect = connect
        self._credentials = credentials
        self._venue_now_ms = venue_now_ms or clock.now_ms
        self._on_resync = on_resync
        self._session: Session | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._renewals: dict[str, asyncio.Task[None]] = {}
        self._changing: asyncio.Task[None] | None = None
        self._failures = 0  # in a row, for the pause
        self._refusals = 0  # logins refused in a row
        self._told = ""
        self._last_seen_ms = 0
        self._connects = 0
        self.frames = 0
        self.unreadable = 0
        self.tried = asyncio.Event()  # the first attempt is over, well or badly

    def health(self) -> StreamHealth:
        live = self._session is not None and self._session.live
        return StreamHealth(live, self._last_seen_ms, max(0, self._connects - 1))

    def start(self) -> None:
        self._supervisor = asyncio.create_task(self._run(), name=f"stream {self.name}")

    async def stop(self) -> None:
        others = [task for task in (self._changing, self._supervisor) if task is not None]
        tasks = [*self._renewals.values(), *others]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.end()

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to subscribe to. Without, there is no connection and none is missed."""
        return self._wanted.is_set()

    def want(self, args: Sequence[Arg]) -> None:
        """Subscribe to these from now on, and to nothing else: the live connection is changed, later ones
        begin with them."""
        self._args = tuple(args)
        if args:
            self._wanted.set()
        else:
            self._wanted.clear()
        self._catch_up()

    def renew(self, arg: Arg) -> None:
        """Take one subscription anew because its data has a gap. One at a time: no storm."""
        session, key = self._session, str(arg)
        if session is None or not session.live or key in self._renewals:
            return

        async def renewal() -> None:
            (problem,) = await asyncio.gather(session.renew(arg), return_exceptions=True)
            if problem is not None and session.live:
                session.abort(f"could not renew {key}: {problem}")
            del self._renewals[key]

        self._renewals[key] = asyncio.create_task(renewal())

    # --- changing what is subscribed ----------------------------------------------------------

    def _catch_up(self) -> None:
        session = self._session
        if session is not None and session.live and self._changing is None and self._is_behind(session):
            self._changing = asyncio.create_task(self._change(session), name=f"stream {self.name} change")

    def _is_behind(self, session: Session) -> bool:
        return not self._args or set(session.subscribed) != {str(arg) for arg in self._args}

    async def _change(self, session: Session) -> None:
        """Go on until what is subscribed is what is wanted, however often that changes meanwhile."""
        while session.live and self._is_behind(session):
            if not self._args:
                await session.end()
                break
            (problem,) = await asyncio.gather(session.change(self._args), return_exceptions=True)
            if problem is not None:
                session.abort(f"could not change subscriptions: {problem}")
                break
        self._changing = None

    # --- supervision ------------------------------------------------------------------------

    async def _run(self) -> None:
        old: Session | None = None
        while True:
            session = await self._open_patiently(old)
            old = await self._until_over(session)

    async def _open_patiently(self, old: Session | None) -> Session:
        """Try until a connection is live. An old one that is about to end goes on meanwhile."""
        while True:
            await self._wanted.wait()
            await self._clock.sleep(self._pause_s())
            (result,) = await asyncio.gather(self._open(old), return_exceptions=True)
            self.tried.set()
            if isinstance(result, Session):
                return result
            # A refused login will be refused again: asking quickly risks a ban
            is_refusal = isinstance(result, AuthFailed)
            self._failures += 100 if is_refusal else 1
            self._refusals = self._refusals + 1 if is_refusal else 0
            self._trouble(f"cannot connect: {type(result).__name__} {result}".rstrip())

    async def _open(self, old: Session | None) -> Session:
        session = await Session.connected(
            self._url,
            self._clock,
            self._times,
            self._connect,
            on_push=self._push,
            on_frame=self._frame,
            on_trouble=self._trouble,
        )
        try:
            if self._credentials is not None:
                await session.login(self._credentials, self._venue_now_ms())
            await session.subscribe(self._args)
            if self._on_resync is not None:
                await self._on_resync()
            if old is not None:
                await old.end()  # first, so that two connections never speak at once
            session.go_live()
        except BaseException:
            await session.end()
            raise
        self._session = session
        self._connects += 1
        self._refusals = 0
        self._told = ""
        self._catch_up()
        return session

    async def _until_over(self, session: Session) -> Session | None:
        """Wait for the end of a connection. Return it if the venue has only announced the end."""
        loop = asyncio.get_running_loop()
        born_s = loop.time()
        notice = asyncio.create_task(session.upgrade.wait())
        try:
            await asyncio.wait({session.reader, notice}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            notice.cancel()
        # A venue that announces the end of every connection at once is as busy as one that drops it
        stable = loop.time() - born_s >= self._times.stable_after_s
        self._failures = 0 if stable else self._failures + 1
        if not session.reader.done():
            return session
        if session.reader.cancelled():
            self._failures = 0  # ended by us: nothing was wanted any more, and nothing is lost
            self._connects -= 1
        else:
            self._trouble(f"lost: {session.reason()}")
        await session.end()
        return None

    def _pause_s(self) -> float:
        """Return nothing before the first try, then a doubling pause with jitter."""
        if not self._failures:
            return 0.0
        if self._refusals >= MOST_REFUSALS:
            return self._times.refused_pause_s * self._rng.uniform(0.5, 1.0)
        doubled = self._times.first_pause_s * 2.0 ** min(self._failures - 1, 16)
        return min(self._times.longest_pause_s, doubled) * self._rng.uniform(0.5, 1.0)

    # --- what the session tells -------------------------------------------------------------

    def _frame(self) -> None:
        self.frames += 1
        self._last_seen_ms = self._clock.now_ms()

    def _push(self, frame: wire.Frame) -> None:
        try:
            self._on_push(frame)
        except BadPayload as exc:
            self.unreadable += 1
            self._trouble(f"unreadable: {exc}")

    def _trouble(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._on_trouble(f"{self.name} stream {text}")
