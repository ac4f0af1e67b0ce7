"""A lookout for tests: real ladder and witness, and a patrol that asks nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from core.context import Context
from core.ladder import Finding, Ladder
from core.lookout import Crew, Lookout
from core.permission import Permissions
from core.witness import Witness


class IdlePatrol:
    """Remembers what it was told, asks nobody."""

    def __init__(self) -> None:
        self.asked: list[int | None] = []  # paces; -1 is the status page alone
        self.accepted = 0

    async def go(self, now_ms: int, every_ms: int | None = None) -> None:
        self.asked.append(every_ms)

    async def ask_status(self, now_ms: int) -> None:
        self.asked.append(-1)

    def accept(self) -> None:
        self.accepted += 1


class Recheck:
    """What the self-check of a `resume` finds."""

    def __init__(self) -> None:
        self.finds = ""

    async def __call__(self) -> str:
        return self.finds


class StillLookout(Lookout):
    """Looks at events only: a fake clock would race through the pauses between looks."""

    async def watch(self, crew: Crew) -> None:
        await asyncio.Event().wait()


def lookout(
    permissions: Permissions,
    clock: Any,
    judge: Callable[[Context], Iterable[Finding]] = lambda ctx: (),
    *,
    kind: type[Lookout] = StillLookout,
    **changed: Any,
) -> Lookout:
    parts: dict[str, Any] = {
        "judge": judge,
        "ladder": Ladder(permissions, 60_000),
        "permissions": permissions,
        "witness": Witness(Decimal("0.05"), 3),
        "patrol": IdlePatrol(),
        "clock": clock,
        "skipped_ms": lambda: 0,
        "renew": lambda inst_id: None,
        "recheck": Recheck(),
        "look_every_s": 5.0,
        "max_skip_ms": 60_000,
        "max_data_age_ms": 15_000,
    }
    return kind(**{**parts, **changed})
