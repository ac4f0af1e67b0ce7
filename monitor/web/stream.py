"""News for any number of listeners, as server-sent events: made once, and never queued.

A listener that is slow misses what lies between and gets the newest: nothing piles up for it. Where nobody
listens nothing is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

LOOK_EVERY_S: Final = 0.5
SILENCE_S: Final = 15.0  # then a comment, so that both ends know the other is there
MOST_LISTENERS: Final = 512


class Hub:
    """Looks at the engine while anybody listens. Belongs to the loop it is used in.

    look  the newest picture as one line of JSON, None when there is none yet.
    """

    def __init__(self, look: Callable[[], str | None], every_s: float = LOOK_EVERY_S) -> None:
        self._look, self._every_s = look, every_s
        self._changed = asyncio.Condition()
        self._newest, self._event, self._number = "", "", 0
        self._listeners = 0
        self._looking: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        return self._listeners

    @property
    def is_full(self) -> bool:
        return self._listeners >= MOST_LISTENERS

    async def listen(self) -> AsyncIterator[str]:
        """Yield events until the listener goes: the newest picture at once, then each that differs."""
        self._listeners += 1
        if self._looking is None or self._looking.done():
            self._look_now()
            self._looking = asyncio.create_task(self._keep_looking())
        seen = 0
        try:
            while True:
                if self._number > seen:
                    seen = self._number
                    yield self._event
                    continue
                try:
                    async with asyncio.timeout(SILENCE_S), self._changed:
                        await self._changed.wait()
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._listeners -= 1
            if not self._listeners and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            if self._look_now():
                async with self._changed:
                    self._changed.notify_all()

    def _look_now(self) -> bool:
        told = self._look()
        if told is None or told == self._newest:
            return False
        self._newest, self._number = told, self._number + 1
        self._event = f"id: {self._number}\nevent: status\ndata: {told}\n\n"
        return True
