"""`resume` under a HALT marker: the self-check once more, and only then is the marker taken down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from scripts.heart import Heart
from scripts.self_check import Check, Result


class Resumption:
    """What the engine asks before it leaves STOPPED (core.engine.Engine.may_resume)."""

    def __init__(self, heart: Heart, check: Callable[[], Awaitable[tuple[Check, ...]]]) -> None:
        self._heart, self._check = heart, check

    async def ask(self) -> str:
        """Return "" and lift the halt, or say what keeps it up. Without a marker nothing is asked."""
        if self._heart.halt.is_set():
            failed = [check for check in await self._check() if check.result is Result.FAIL]
            if failed:
                return "; ".join(f"{check.name}: {check.found}; {check.todo}" for check in failed)
        try:
            self._heart.lift()
        except OSError as error:
            return f"the HALT marker cannot be removed: {error}"
        return ""
