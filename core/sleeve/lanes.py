"""One pair of hands for each instrument: an exit never waits for another position's order.

A lane carries out one target at a time, the newest that was asked for; what was asked for meanwhile and is
not begun is replaced, because a target says what should be, not what should be done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from core.sleeve.events import PositionTarget
from core.sleeve.ports import Done

CarryOut = Callable[[PositionTarget], Awaitable[Done]]
CameBack = Callable[[PositionTarget, Done], None]

FAREWELL_S: Final = 5.0
PAUSES_S: Final = (0.0, 1.0, 2.0, 5.0)  # before the same is tried again, the last one for good


class Lanes:
    """`carry_out` is awaited within the lane's task; `came_back` is called with what it returned."""

    def __init__(
        self, carry_out: CarryOut, came_back: CameBack, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._carry_out, self._came_back, self._sleep = carry_out, came_back, sleep
        self._waiting: dict[str, PositionTarget] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[None] | None = None
        self._vain: dict[str, int] = {}  # instrument -> how often in a row nothing was reached

    def give(self, target: PositionTarget, *, again: bool = False) -> None:
        """Ask for a target. `again`: the last one was not reached, so it waits a little longer each time."""
        name = target.instrument
        self._vain[name] = self._vain.get(name, 0) + 1 if again else 0
        self._waiting[name] = target
        if name not in self._tasks:
            task = self._tasks[name] = asyncio.get_running_loop().create_task(self._work(name))
            task.add_done_callback(lambda done: self._ended(name, done))

    def works_on(self, name: str) -> bool:
        return name in self._tasks

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    async def run(self) -> None:
        """Until cancelled; then what is under way has a moment to come to its end.

        Raises what a lane raised: the first failure of any part ends all of them.
        """
        self._failed = asyncio.get_running_loop().create_future()
        try:
            await self._failed
        finally:
            self._waiting.clear()
            if self._tasks:
                await asyncio.wait(self._tasks.values(), timeout=FAREWELL_S)
            for task in list(self._tasks.values()):
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _work(self, name: str) -> None:
        while name in self._waiting:
            if pause_s := PAUSES_S[min(self._vain[name], len(PAUSES_S) - 1)]:
                await self._sleep(pause_s)
            target = self._waiting.pop(name)
            self._came_back(target, await self._carry_out(target))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        del self._tasks[name]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)
        elif name in self._waiting:
            self.give(self._waiting[name])
