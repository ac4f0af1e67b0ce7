"""One loop for engine and venue: its time is the venue's, and nothing in it waits for the real world."""

from __future__ import annotations

import asyncio
import math
import random
import selectors
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from core.clock import SystemClock
from core.errors import EngineError
from exchange.sim.surface.switchboard import Switchboard

RESOLUTION_S: Final = 1e-6
ROUNDING_MS: Final = 1e-6  # of binary fractions
WITHIN_MS: Final = 0.25  # a host's clock stands so far into its millisecond
NOBODY: Final[list[tuple[selectors.SelectorKey, int]]] = []


class Deadlock(EngineError):
    """Everything waits and nothing will ever happen."""


class _NoSelector(selectors.BaseSelector):
    """There is nothing to select from: no sockets, no threads. Waiting moves the venue's time instead."""

    loop: SimLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self.loop.wait(timeout)
        return NOBODY

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        # asyncio registers its own wake-up pipe; nobody writes to it here
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_map(self) -> Any:
        return {}

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)


class SimLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on a venue in the same process.

    When all ready work is done the venue moves to the next instant anybody waits for. `shuffle` draws
    the order of callbacks that are ready together, so that no result rests on it; None keeps asyncio's.
    `on_step` is called after every step of time.
    """

    def __init__(
        self,
        board: Switchboard,
        shuffle: random.Random | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        selector = _NoSelector()
        selector.loop = self
        self._board = board
        self._start_ms = board.now_ms
        self._shuffle, self._on_step = shuffle, on_step
        super().__init__(selector)
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        return (self._board.now_ms - self._start_ms) / 1000

    def call_at(  # type: ignore[override]  # typeshed's generic signature
        self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Timers fall on whole milliseconds, as the venue's time does."""
        whole_ms = math.ceil(when * 1000 - ROUNDING_MS)
        return super().call_at(whole_ms / 1000, callback, *args, context=context)

    def wait(self, timeout_s: float | None) -> None:
        """Let the venue move by one step, at most `timeout_s` far. Raises Deadlock."""
        if timeout_s is not None:
            until_ms = self._board.now_ms + max(1, round(timeout_s * 1000))
        elif (next_ms := self._board.next_ms()) is not None:
            until_ms = next_ms
        else:
            raise Deadlock("every task waits and the market has ended")
        self._board.advance(until_ms)
        self._on_step()

    def _run_once(self) -> None:
        if self._shuffle is not None and len(self._ready) > 1:  # type: ignore[attr-defined]
            self._shuffle.shuffle(self._ready)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]

    def run_in_executor(  # type: ignore[override]  # typeshed's generic signature
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        raise EngineError(f"{func} wants a thread; in a simulation there is none")


class SimClock:
    """The Clock port on a SimLoop. Nothing is outside, so there is nothing to hold time still for."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def now_ms(self) -> int:
        return self._board.now_ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sleep_until(self, at_ms: int) -> None:
        await asyncio.sleep(max(0, at_ms - self.now_ms()) / 1000)

    def holding(self) -> AbstractContextManager[None]:
        return nullcontext()


class HostClock(SystemClock):
    """The engine's own clock on a host whose wall clock is set: `off_ms` tells how far it is off.

    The monotonic clock is the venue's time; the wall clock is that and what it is off by. Both stand a
    little within their millisecond, so that no binary fraction falls into the one before.
    """

    def __init__(self, board: Switchboard, off_ms: Callable[[], int]) -> None:
        start_ms = board.now_ms
        super().__init__(
            lambda: (board.now_ms + off_ms() + WITHIN_MS) / 1000, lambda: (board.now_ms - start_ms) / 1000
        )
