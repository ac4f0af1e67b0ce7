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
        self._args = args
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
        tasks = [*self._renewals.values(), *([self._supervisor] if self._supervisor else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.end()

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

    # --- supervision ------------------------------------------------------------------------

    async def _run(self) -> None:
        old: Session | None = None
        while True:
            session = await self._open_patiently(old)
            old = await self._until_over(session)

    async def _open_patiently(self, old: Session | None) -> Session:
        """Try until a connection is live. An old one that is about to end goes on meanwhile."""
        while True:
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
