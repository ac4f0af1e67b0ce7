"""What the chat needs of the engine, from its side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from monitor.chat.passbook import Passbook
from monitor.status import Status


class Desk(Protocol):
    """The engine as a chat may see and ask it. Every method may be called from the chat's own thread,
    answers at once and touches nothing a decision reads."""

    @property
    def passbook(self) -> Passbook: ...

    @property
    def instruments(self) -> Sequence[str]:
        """What may be hedged, and whatever else is held."""
        ...

    def status(self) -> Status | None:
        """Everything at a glance; None before the first decision."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """The configuration that is in force, as JSON can hold it. It holds no secrets."""
        ...

    def command(self, verb: str, reason: str, instrument: str = "") -> None:
        """Ask for what the operator wants: a fact in the journal before anything is done about it.

        Raises UsageError for a verb that may not come from here, OSError when it cannot be left.
        """
        ...

    def log_lines(self, most: int) -> Sequence[str]:
        """The newest lines of the log file, oldest first, secrets redacted."""
        ...
