"""Every place where the engine touches the world outside, by name: there it can be killed.

A crossing has two sides: `before` (the request has not left, the row is not on the disk) and `after`
(it was executed or written, the engine does not know yet). Names are made of what crosses:
`rest place_order.swap.open`, `disk intent`, `push orders`. A simulation counts them, so that one run
tells which crash points exist and the next is killed at one of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


class Crash(SystemExit):
    """The process is gone. A SystemExit, because that ends an event loop at once instead of a task."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """The `nth` time (from 1) that `name` is crossed on this side, counted over the life of a world."""

    name: str
    side: str  # before or after
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.side} {self.name} #{self.nth}"


class Crossings:
    """Counts crossings, and kills the engine at the points it was told."""

    def __init__(self, points: tuple[CrashPoint, ...] = ()) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.hit: list[CrashPoint] = []
        self._armed = {(point.name, point.side, point.nth): point for point in points}
        self.is_dead = False  # between a crash and the next start nothing may cross any more

    def arm(self, point: CrashPoint) -> None:
        self._armed[(point.name, point.side, point.nth)] = point

    def cross(self, name: str, side: str) -> None:
        """Pass, or raise Crash: here and at every crossing until the next start."""
        if self.is_dead:
            raise Crash("a dead process touches nothing")
        self.counts[(name, side)] += 1
        point = self._armed.pop((name, side, self.counts[(name, side)]), None)
        if point is not None:
            self.is_dead = True
            self.hit.append(point)
            raise Crash(str(point))
