"""What the engine may do: one persisted level, made of causes that come and go.

Each cause asks for a ceiling; the lowest one holds. A cause is told once when it starts and once when
it ends, and survives restarts through the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.context import Permission, PermissionView
from core.facts import Kind, Row
from core.ports import Clock, Journal, Notifier


class Permissions:
    """Keeps the causes. `fold` rebuilds them from the journal."""

    def __init__(self, journal: Journal, clock: Clock, notifier: Notifier) -> None:
        self._journal, self._clock, self._notifier = journal, clock, notifier
        self._causes: dict[str, PermissionView] = {}

    @property
    def view(self) -> PermissionView:
        """The level that holds now; with several causes the strictest, the oldest of equals."""
        if not self._causes:
            return PermissionView()
        return min(self._causes.values(), key=lambda v: (v.level, v.since_ms))

    @property
    def causes(self) -> Mapping[str, PermissionView]:
        return dict(self._causes)

    def lower(self, cause: str, level: Permission, reason: str) -> None:
        """Hold the engine at `level` at most until `lift(cause)`. Repeating it changes nothing."""
        known = self._causes.get(cause)
        if known is not None and known.level == level:
            return
        now_ms = self._clock.now_ms()
        self._causes[cause] = PermissionView(level, reason, now_ms)
        self._write(cause, level.name, reason)

    def lift(self, cause: str) -> None:
        if self._causes.pop(cause, None) is not None:
            self._write(cause, Permission.FULL.name, "lifted")

    def fold(self, row: Row) -> None:
        """Take up a row of the journal at replay; rows of another kind change nothing."""
        if row.kind is not Kind.PERMISSION:
            return
        cause, level = row.body["cause"], Permission[row.body["level"]]
        if level is Permission.FULL:
            self._causes.pop(cause, None)
        else:
            self._causes[cause] = PermissionView(level, row.body["reason"], row.at_ms)

    def _write(self, cause: str, level: str, reason: str) -> None:
        body: dict[str, Any] = {
            "cause": cause,
            "level": level,
            "reason": reason,
            "holds": self.view.level.name,
        }
        self._journal.append(Kind.PERMISSION, self._clock.now_ms(), body)
        self._notifier.tell(
            "permission",
            "info" if level == Permission.FULL.name else "warning",
            {"level": self.view.level.name, "cause": cause, "reason": reason},
        )
