"""Time as a port: the wall clock of a live engine, and an event loop whose time is somebody else's.

The virtual loop runs the whole engine on a venue's clock. asyncio's own timers follow it, so a sleep,
a deadline or a timeout is venue time everywhere, and nothing above this file knows the difference.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from core.ports import Clock

# How long real work outside the loop (disk, a thread, a handshake) may hold virtual time still
# before timers are allowed to run on: a peer that never answers must still time out.
HOLD_PATIENCE_S = 10.0
RESOLUTION_S = 1e-6  # timers closer than this fire together


class SystemClock:
    """UTC milliseconds that never go back.

    Counts by the monotonic clock from an anchor of wall time, so a backward step of the wall clock
    changes nothing. A forward gap above one second (NTP step, resume from suspend) is followed.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._anchor = wall() - monotonic()
        self._skipped_s = 0.0

    def now_ms(self) -> int:
        now = self._anchor + self._monotonic()
        wall = self._wall()
        if wall > now + 1:
            self._anchor += wall - now
            self._skipped_s += wall - now
            now = wall
        return int(now * 1000)

    def skipped_ms(self) -> int:
        """How much time was jumped over since the start: the host was suspended, or its clock was set."""
        self.now_ms()
        return int(self._skipped_s * 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sleep_until(self, at_ms: int) -> None:
        await asyncio.sleep(max(0, at_ms - self.now_ms()) / 1000)

    def holding(self) -> AbstractContextManager[None]:
        return nullcontext()


class TimeKeeper(Protocol):
    """Who moves a virtual loop's time: a venue over a socket, or a simulation in process."""

    def now_ms(self) -> int: ...

    def attach(self, loop: VirtualLoop) -> None:
        """Called once, before the loop runs, so that the keeper may register its own socket."""
        ...

    def idle(self, until_ms: int | None) -> bool:
        """The loop has worked off everything and waits for `until_ms` (None: for nothing).

        Return True when time has moved already, False when it will move by I/O the loop waits for.
        """
        ...


class _IdleSelector(selectors.DefaultSelector):
    """Turns "select with a timeout" into "tell the keeper we are idle"."""

    # CPython 3.11's loop is read in two places: `_ready`, the callbacks waiting to run, and
    # `_clock_resolution`, how early a timer may fire. tests/core/test_clock.py holds both.
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or self.loop._ready:  # type: ignore[attr-defined]
            return ready
        return self.loop._when_idle(timeout, super().select)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on a keeper's time. Work in threads and held sections keep time still."""

    def __init__(self, keeper: TimeKeeper) -> None:
        selector = _IdleSelector()
        selector.loop = self
        self._keeper = keeper
        self._start_ms = keeper.now_ms()
        self._outside = 0
        self._asked = False
        super().__init__(selector)
        self._clock_resolution = RESOLUTION_S
        keeper.attach(self)

    def time(self) -> float:
        return (self._keeper.now_ms() - self._start_ms) / 1000

    def moved(self) -> None:
        """The keeper's answer to `idle` has arrived: time may have moved, timers may fire."""
        self._asked = False
        self._clock_resolution = RESOLUTION_S

    def run_in_executor(  # type: ignore[override]  # typeshed's generic signature
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self._outside += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: object) -> None:
        self._outside -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        with self.holding():
            await super().shutdown_default_executor()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep time still while something outside the loop is worked on."""
        self._outside += 1
        try:
            yield
        finally:
            self._outside -= 1

    def _when_idle(
        self,
        timeout: float | None,
        wait: Callable[[float | None], list[tuple[selectors.SelectorKey, int]]],
    ) -> list[tuple[selectors.SelectorKey, int]]:
        if self._outside:
            ready = wait(HOLD_PATIENCE_S)
            if ready:
                return ready
        if not self._asked:
            if timeout is not None and timeout <= 0:
                return []  # a timer is due
            # Up to whole milliseconds, but not for what a float's last digits add: a timer that is asked
            # for every five minutes must not wander from its minute over the years.
            until = (
                None
                if timeout is None
                else self._keeper.now_ms() + math.ceil((timeout - RESOLUTION_S) * 1000)
            )
            self._asked = True
            # The clock may show the new instant before all of its pushes are here: no timer fires yet.
            self._clock_resolution = -math.inf
            if self._keeper.idle(until):
                self.moved()
                return []
        return wait(None)


class VirtualClock:
    """The Clock port on a VirtualLoop."""

    def __init__(self, loop: VirtualLoop, keeper: TimeKeeper) -> None:
        self._loop, self._keeper = loop, keeper

    def now_ms(self) -> int:
        return self._keeper.now_ms()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sleep_until(self, at_ms: int) -> None:
        await asyncio.sleep(max(0, at_ms - self.now_ms()) / 1000)

    def holding(self) -> AbstractContextManager[None]:
        return self._loop.holding()


def skips_of(clock: Clock) -> Callable[[], int]:
    """What tells how much time a clock has jumped over, ms; virtual time never does."""
    return clock.skipped_ms if isinstance(clock, SystemClock) else lambda: 0
