"""What parts of the engine count while they work, for whoever watches them from outside.

Nothing here is ever read by a decision. Each counter is written by one thread and may be read by any: a
reader can see it an instant early or late, and never half of it. Adding costs about a microsecond.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from core.events import On

# Upper bounds of buckets, s. What a machine does by itself, and what goes over a network.
WORK_BOUNDS_S: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
)  # fmt: skip
LINE_BOUNDS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
NAKED_BOUNDS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 300.0)

STAGES: Final = ("work", "wire", "ack", "push", "fill")
OUTCOMES: Final = ("filled", "partial", "canceled", "refused", "denied", "absent")
LEGS: Final = ("spot", "swap")
ANSWERS: Final = ("answered", "rejected", "throttled", "unauthorized", "failed")


@dataclass(frozen=True, slots=True)
class Reading:
    """A histogram as it stands: `counts` per bucket, the last one for everything above the last bound."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        return sum(self.counts)


class Histogram:
    """Counts values in fixed buckets. Raises ValueError for bounds that do not ascend."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Iterable[float]) -> None:
        self._bounds = tuple(bounds)
        if not self._bounds or list(self._bounds) != sorted(set(self._bounds)):
            raise ValueError(f"bounds {self._bounds}: at least one is needed, and they ascend")
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Count one value, in the bucket of the least bound that is not below it."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def read(self) -> Reading:
        return Reading(self._bounds, tuple(self._counts), self._total)


class Family:
    """One histogram for each of a few names, made as they come; the named ones are there from the start."""

    __slots__ = ("_bounds", "_members")

    def __init__(self, bounds: Iterable[float], names: Iterable[str] = ()) -> None:
        self._bounds = tuple(bounds)
        self._members = {name: Histogram(self._bounds) for name in names}

    def add(self, name: str, value: float) -> None:
        member = self._members.get(name)
        if member is None:
            member = self._members[name] = Histogram(self._bounds)
        member.add(value)

    def read(self) -> dict[str, Reading]:
        return {name: member.read() for name, member in self._members.copy().items()}


class Counts:
    """How often, or how much, by a few labels; the given ones are told from the start, at zero."""

    __slots__ = ("_sums",)

    def __init__(self, labels: Iterable[tuple[str, ...]] = ()) -> None:
        self._sums: dict[tuple[str, ...], float] = dict.fromkeys(labels, 0)

    def add(self, *labels: str, amount: float = 1) -> None:
        self._sums[labels] = self._sums.get(labels, 0) + amount

    def read(self) -> dict[tuple[str, ...], float]:
        return self._sums.copy()


@dataclass(slots=True)
class Meters:
    """Every measuring point of one engine; handed to the parts that know the figures.

    now_s        the machine's stopwatch. What the venue is waited for is measured on the engine's clock
                 instead, which is the venue's in a demo.
    decisions_s  from the moment an event is taken up to its decision being in the journal's queue and told to
                 every listener, by event.
    stages_s     of orders, each counted from the end of the one before: `work` decision -> execution begins,
                 `wire` order wanted -> handed to the network (guards and disk); then from the wire on: `ack`
                 the REST answer, `push` the first word of it on the stream, `fill` the first execution.
    orders       by outcome and leg.
    rest_s       request sent -> answer read, by endpoint family.    answers  by family and kind of answer.
    throttle_s   waited for our own request budget, by family.
    pushes_s     the venue's time stamp -> read from the stream, by channel; clock offset taken out.
    """

    now_s: Callable[[], float] = time.perf_counter
    decisions_s: Family = field(default_factory=lambda: Family(WORK_BOUNDS_S, [on.value for on in On]))
    stages_s: Family = field(default_factory=lambda: Family(LINE_BOUNDS_S, STAGES))
    orders: Counts = field(default_factory=lambda: Counts((o, leg) for o in OUTCOMES for leg in LEGS))
    rest_s: Family = field(default_factory=lambda: Family(LINE_BOUNDS_S))
    answers: Counts = field(default_factory=Counts)
    throttle_s: Counts = field(default_factory=Counts)
    pushes_s: Family = field(default_factory=lambda: Family(LINE_BOUNDS_S))

    @contextmanager
    def deciding(self, on: On) -> Iterator[None]:
        """Around everything that one event sets off at once."""
        began_s = self.now_s()
        try:
            yield
        finally:
            self.decisions_s.add(on.value, self.now_s() - began_s)
