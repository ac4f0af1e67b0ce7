"""One scan at a time, in slices: the engine's loop has its turn every few milliseconds.

What computes is a `Worker`. A live engine has `Apart` (apart.py), a process of its own: a module may hang
there, eat memory or crash the interpreter; the engine goes on, and the process is replaced. Where time is
virtual and nobody waits, a backtest or a test, `Here` asks in this process.

Threads were no answer: one that hangs cannot be ended, and a regular expression or a loop in C holds the
interpreter's lock, and with it the engine, for as long as it likes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.errors import EngineError
from core.ports import Clock
from strategy.auxiliary.language import Module
from strategy.auxiliary.scanner import Round, Scanner
from strategy.auxiliary.scanning.asking import asked
from strategy.auxiliary.scanning.sights import Sights
from strategy.auxiliary.scanning.words import Question, Reply, Scan

SLICE_S: Final = 0.002  # of the loop at a stretch
LONGEST_S: Final = 30.0  # of a scan; what is left then comes with the next one


class WorkerFailed(EngineError):
    """Nobody can be asked now: the message says why. `replies` are those that had come until then."""

    def __init__(self, message: str, replies: Sequence[Reply] = ()) -> None:
        super().__init__(message)
        self.replies = replies


class Worker(Protocol):
    """Who asks the modules."""

    async def ask(self, questions: Sequence[Question]) -> Sequence[Reply]:
        """Return a reply to every question, in their order. Raises WorkerFailed."""
        ...

    async def close(self) -> None: ...


class Here:
    """Asks in this process. A module that hangs hangs everything: for virtual time only."""

    def __init__(self, modules: Sequence[Module], tick_s: Callable[[], float] = time.perf_counter) -> None:
        self._modules, self._tick_s = {module.name: module for module in modules}, tick_s

    async def ask(self, questions: Sequence[Question]) -> Sequence[Reply]:
        return [asked(self._modules, question, self._tick_s) for question in questions]

    async def close(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A scan that came while another ran: it is not made up for, the next one sees all it would have seen."""

    at_ms: int
    running_since_ms: int


class Scanning:
    """Scans, one at a time. `on_dropped` is told of those that came while one ran."""

    def __init__(
        self,
        scanner: Scanner,
        worker: Worker,
        clock: Clock,
        on_dropped: Callable[[Dropped], None] = lambda _: None,
        tick_s: Callable[[], float] = time.perf_counter,
        slice_s: float = SLICE_S,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._scanner, self._worker, self._clock = scanner, worker, clock
        self._on_dropped, self._tick_s = on_dropped, tick_s
        self._slice_s, self._longest_s = slice_s, longest_s
        self._since_ms: int | None = None
        self.dropped = 0

    async def scan(self, instruments: Sequence[str], sights: Sights, now_ms: int) -> Scan | None:
        """Return what a scan came to; None when one was running, which is told and counted."""
        if self._since_ms is not None:
            self.dropped += 1
            self._on_dropped(Dropped(now_ms, self._since_ms))
            return None
        self._since_ms = now_ms
        try:
            round_ = self._scanner.begin(instruments, sights, now_ms)
            why = await self._through(round_)
            await self._clock.sleep(0)
            return round_.end(why)
        finally:
            self._since_ms = None

    async def close(self) -> None:
        await self._worker.close()

    async def _through(self, round_: Round) -> str:
        """Go through a round; return why it was given up, "" when it was not."""
        began_s = slice_s = self._tick_s()
        for group in round_.groups():
            if group:
                try:
                    round_.take(await self._worker.ask(group))
                except WorkerFailed as error:
                    round_.take(error.replies)
                    return str(error)
            now_s = self._tick_s()
            if now_s - began_s > self._longest_s:
                return f"the scan took longer than {self._longest_s:g} s"
            if now_s - slice_s > self._slice_s:
                await self._clock.sleep(0)
                slice_s = self._tick_s()
        return ""
