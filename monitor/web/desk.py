"""What the pages need of the engine, from their side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from monitor.figures import Figures
from monitor.status import Status
from monitor.web.answers import Form, Reconfigured


class Desk(Protocol):
    """The engine as its visitors may see and ask it. Every method may be called from the web's own thread,
    answers at once and touches nothing a decision reads."""

    def status(self) -> Status | None:
        """Everything at a glance; None before the first decision."""
        ...

    def figures(self) -> Figures | None:
        """Everything that is measured; None before the engine is put together."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """The configuration that is in force, as JSON can hold it. It holds no secrets."""
        ...

    def form(self) -> Form:
        """What a form for the configuration needs."""
        ...

    def configure(self, version: int, changes: Mapping[str, str | None], reason: str) -> Reconfigured:
        """Judge a change of the configuration and ask the engine for it, as for any command.

        Raises StaleVersion when somebody else has changed it since `version`, UsageError with every problem.
        """
        ...

    def command(self, verb: str, reason: str, instrument: str = "") -> None:
        """Ask for what the operator wants. It becomes a fact in the journal before anything is done, and
        nothing here waits for it.

        Raises UsageError for a verb that may not come from here. What cannot be done, such as giving up a
        hedge that is not held, is told by the engine when it takes the command.
        """
        ...

    def log_lines(self, most: int) -> Sequence[str]:
        """The newest lines of the log file, oldest first, secrets redacted."""
        ...
