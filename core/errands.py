"""What must be fetched before it can be decided about: jobs beside the consumer, one at a time.

An errand ends in facts and then posts its event. It decides nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from core.errors import EngineError
from core.facts import Kind
from core.herald import Herald
from core.ports import Clock, Journal
from core.pulse import Pulse

Errand = Callable[[], Awaitable[None]]


class Errands:
    """A queue and the one who walks it. One that fails is told and noted, and keeps nobody."""

    def __init__(self, journal: Journal, clock: Clock, herald: Herald, pulse: Pulse) -> None:
        self._journal, self._clock, self._herald, self._pulse = journal, clock, herald, pulse
        self._queue: deque[Errand] = deque()
        self._come = asyncio.Event()

    def __len__(self) -> int:
        return len(self._queue)

    def send(self, errand: Errand) -> None:
        self._queue.append(errand)
        self._come.set()

    async def run(self) -> None:
        while True:
            while not self._queue:
                self._come.clear()
                await self._come.wait()
            await self.attempt(self._queue.popleft())

    async def attempt(self, errand: Errand) -> None:
        """Do this one now."""
        try:
            with self._pulse.at_work("errands"):
                await errand()
        except EngineError as error:
            what = "errand failed"
            self._journal.append(Kind.NOTE, self._clock.now_ms(), {"what": what, "detail": str(error)})
            self._herald.trouble(what, str(error))
