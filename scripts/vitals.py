"""The engine's own judgement of its tasks, once a second: alive, and not stuck in one piece of work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from core.context import Permission
from core.permission import Permissions
from core.pulse import Pulse

# Tasks that only end with the engine, by the beginning of their names.
LASTING: Final = ("consumer", "worker", "errands", "journal", "ticker", "stream ", "backups")


class Vitals:
    """`look` is asked on the loop. What it finds is in `dead` and `stuck`, and holds new risk back.

    on_change  called when either of them changed.
    """

    def __init__(self, pulse: Pulse, permissions: Permissions, on_change: Callable[[], None]) -> None:
        self._pulse, self._permissions, self._on_change = pulse, permissions, on_change
        self._expected: frozenset[str] | None = None
        self._resting = False
        self.dead: tuple[str, ...] = ()
        self.stuck: tuple[str, ...] = ()
        self.looks = 0

    def rest(self) -> None:
        """The engine is ending, and its tasks with it: nothing is missed from now on."""
        self._resting = True

    def look(self) -> bool:
        """True when every task that lived at the first look still lives, and none is stuck."""
        self.looks += 1
        if self._resting:
            return True
        living = {task.get_name() for task in asyncio.all_tasks()}
        if self._expected is None:
            self._expected = frozenset(name for name in living if name.startswith(LASTING))
        before = self.dead, self.stuck
        self.dead = tuple(sorted(self._expected - living))
        self.stuck = tuple(beat.name for beat in self._pulse.beats() if beat.is_stuck)
        if before != (self.dead, self.stuck):
            self._judge()
        return not self.dead and not self.stuck

    def _judge(self) -> None:
        said = [f"{name} is dead" for name in self.dead] + [f"{name} is stuck" for name in self.stuck]
        if said:
            self._permissions.lower("task", Permission.NO_NEW_RISK, ", ".join(said))
        else:
            self._permissions.lift("task")
        self._on_change()
