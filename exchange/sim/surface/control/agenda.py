"""What is under way to clients and has an instant to arrive at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush


class Agenda:
    """Of one instant, things happen in the order they were entered."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def add(self, at_ms: int, act: Callable[[], None]) -> None:
        self._count += 1
        heappush(self._entries, (at_ms, self._count, act))

    def clear(self) -> None:
        self._entries.clear()

    def next_ms(self) -> int | None:
        return self._entries[0][0] if self._entries else None

    def due(self, now_ms: int) -> Iterator[Callable[[], None]]:
        """Take out what is due; what that enters for the same instant comes too."""
        while self._entries and self._entries[0][0] <= now_ms:
            yield heappop(self._entries)[2]
