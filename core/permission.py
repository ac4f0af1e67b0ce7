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

    def lower(
        self,
        cause: str,
        level: Permission,
        reason: str,
        *,
        until_operator: bool = False,
        critical: bool = False,
    ) -> None:
        """Hold the engine at `level` at most until `lift(cause)`. Repeating it changes nothing.

        until_operator  only `acknowledge` ends it: no look at the world can tell that it is over.
        critical        how loudly it is told.
        """
        known = self._causes.get(cause)
        if known is not None and known.level == level:
            return
        view = PermissionView(level, reason, self._clock.now_ms(), until_operator)
        self._causes[cause] = view
        self._write(cause, view, "critical" if critical else "warning")

    def lift(self, cause: str) -> None:
        if self._causes.pop(cause, None) is not None:
            self._write(cause, PermissionView(reason="lifted"), "info")

    def acknowledge(self) -> None:
        """The operator has seen to it: lift every cause that waits for that."""
        for cause in [name for name, view in self._causes.items() if view.until_operator]:
            self.lift(cause)

    def fold(self, row: Row) -> None:
        """Take up a row of the journal at replay; rows of another kind change nothing."""
        if row.kind is Kind.PERMISSION:
            take_up(self._causes, row)

    def _write(self, cause: str, view: PermissionView, loudness: str) -> None:
        body: dict[str, Any] = {
            "cause": cause,
            "level": view.level.name,
            "reason": view.reason,
            "holds": self.view.level.name,
            "until_operator": view.until_operator,
        }
        self._journal.append(Kind.PERMISSION, self._clock.now_ms(), body)
        said = {"level": self.view.level.name, "cause": cause, "reason": view.reason}
        self._notifier.tell("permission", loudness, said)


def take_up(causes: dict[str, PermissionView], row: Row) -> None:
    """Fold one permission row into the causes that hold."""
    body = row.body
    cause, level = str(body["cause"]), Permission[body["level"]]
    if level is Permission.FULL:
        causes.pop(cause, None)
    else:
        waits = bool(body.get("until_operator", False))  # rows of older versions do not say
        causes[cause] = PermissionView(level, str(body["reason"]), row.at_ms, waits)
