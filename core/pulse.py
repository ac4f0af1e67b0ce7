"""Signs of life of the engine's own tasks: who is at work, since when, and how long that may last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from core.ports import Clock

# The longest one piece of work may take, s. Execution has its own deadlines far below; these say "hung".
LIMITS_S: Final[Mapping[str, int]] = {"consumer": 60, "worker": 900, "errands": 300}


@dataclass(frozen=True, slots=True)
class Beat:
    """One task: `age_ms` is how long it has been at its present piece of work, 0 while it waits for one."""

    name: str
    age_ms: int
    limit_ms: int

    @property
    def is_stuck(self) -> bool:
        return self.age_ms > self.limit_ms


class Pulse:
    """Tasks say when they begin and when they end a piece of work."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_ms: dict[str, int | None] = dict.fromkeys(LIMITS_S)

    @contextmanager
    def at_work(self, name: str) -> Iterator[None]:
        """Around one piece of work of a task named in LIMITS_S."""
        self._since_ms[name] = self._clock.now_ms()
        try:
            yield
        finally:
            self._since_ms[name] = None

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def beats(self) -> tuple[Beat, ...]:
        now_ms = self._clock.now_ms()
        return tuple(
            Beat(name, 0 if since is None else now_ms - since, LIMITS_S[name] * 1000)
            for name, since in self._since_ms.items()
        )
