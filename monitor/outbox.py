"""Messages on their way to one channel: by urgency, bounded, safe between threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

LEVELS: Final = ("critical", "warning", "info")  # most urgent first
CAPACITY: Final = 200  # messages waiting per channel


@dataclass(frozen=True, slots=True)
class Message:
    """`put_ms`: when it was told, real UTC. `is_kept`: by an earlier process that could not deliver it."""

    level: str  # one of LEVELS
    text: str
    put_ms: int = 0
    is_kept: bool = False


def reaches(level: str, least: str) -> bool:
    """Whether a message of this level is at least as urgent as `least`."""
    return LEVELS.index(level) <= LEVELS.index(least)


@dataclass(slots=True)
class Outbox:
    """Messages waiting for one channel, the most urgent first. Thread-safe, bounded, never blocks."""

    capacity: int = CAPACITY
    _lanes: Mapping[str, deque[Message]] = field(default_factory=lambda: {x: deque() for x in LEVELS})
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def waiting(self, least: str = "info") -> tuple[Message, ...]:
        """What waits and is at least so urgent, as it would leave."""
        with self._lock:
            return tuple(m for level, lane in self._lanes.items() if reaches(level, least) for m in lane)

    def put(self, message: Message) -> Message | None:
        """Queue a message; return the one that had to give way, None while there is room.

        The oldest of the least urgent gives way. A full box of critical ones keeps what it has: the
        first of a series names the cause.
        """
        with self._lock:
            if len(self) < self.capacity:
                self._lanes[message.level].append(message)
                return None
            least = next(level for level in reversed(LEVELS) if self._lanes[level])
            if least == "critical" or LEVELS.index(message.level) > LEVELS.index(least):
                return message
            self._lanes[message.level].append(message)
            return self._lanes[least].popleft()

    def take(self, max_chars: int, least: str = "info") -> tuple[Message, ...]:
        """Take what fits into one send: urgent first, in order of arrival, at least one if any wait.

        least  what is less urgent stays.
        """
        batch: list[Message] = []
        room = max_chars
        with self._lock:
            for level, lane in self._lanes.items():
                while lane and reaches(level, least) and (not batch or len(lane[0].text) < room):
                    room -= len(lane[0].text) + 1
                    batch.append(lane.popleft())
                if lane:
                    break  # what waits here is more urgent than anything behind it
        return tuple(batch)

    def take_all(self) -> tuple[Message, ...]:
        with self._lock:
            batch = tuple(message for lane in self._lanes.values() for message in lane)
            for lane in self._lanes.values():
                lane.clear()
        return batch

    def put_back(self, batch: Sequence[Message]) -> None:
        """Return an undelivered batch to the front; it was inside the bound before."""
        with self._lock:
            for message in reversed(batch):
                self._lanes[message.level].appendleft(message)
