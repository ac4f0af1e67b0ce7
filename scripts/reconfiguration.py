"""Changing the configuration while the engine runs: proposed, judged, journalled, laid over the files.

A change is never put into parts that are at work. The engine brings what is under way to its end, holds
its hedges, and starts again with the new settings, through the recovery that every start goes through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.loader import differences, load
from config.meanings import MEANINGS
from config.overlay import LOCKED, Overlay, read_overlay, write_overlay
from config.schema import Settings
from core.errors import UsageError
from monitor.web.answers import Form, Meaning, Moved

APPLIES: Final = (
    "The engine finishes what is under way, holds its hedges and starts again with the new settings, "
    "which takes some seconds."
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that would be carried out: the overlay's next version, and every value it moves."""

    overlay: Overlay
    diff: tuple[Moved, ...]


def changes_of(words: Iterable[str]) -> dict[str, str | None]:
    """Read KEY=VALUE; nothing after the sign goes back to what the file says. Raises UsageError."""
    changes: dict[str, str | None] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise UsageError(f"{word!r}: allowed is KEY=VALUE, like strategy.exit.cooldown_hours=12")
        changes[key] = value or None
    return changes


class Reconfiguration:
    """What may be changed of one engine: its files, and the overlay in its data folder."""

    def __init__(self, config: Path, folder: Path) -> None:
        self._config, self._folder = config, folder

    def settings(self) -> Settings:
        """The files with the overlay over them. Raises UsageError."""
        return load(self._config, read_overlay(self._folder))

    def form(self) -> Form:
        """What a form needs to propose a change."""
        overlay = read_overlay(self._folder)
        files = {
            name: field.annotation.model_json_schema()
            for name, field in Settings.model_fields.items()
            if field.annotation is not None
        }
        meanings = {path: Meaning(*told) for path, told in MEANINGS.items()}
        return Form(overlay.version, dict(overlay.changes), files, LOCKED, APPLIES, meanings)

    @property
    def version(self) -> int:
        """Of the overlay that lies there now."""
        return read_overlay(self._folder).version

    def propose(self, version: int, changes: Mapping[str, str | None]) -> Proposal:
        """Judge a change as the next start would.

        Raises StaleVersion when the overlay has moved on, UsageError with every problem, or when the change
        would change nothing.
        """
        before = read_overlay(self._folder)
        after = before.changed(version, changes)
        moved = differences(load(self._config, before), load(self._config, after))
        diff = tuple(Moved(*one) for one in moved)
        if not diff:
            raise UsageError(f"changes: {', '.join(changes)}; nothing in force would become another")
        return Proposal(after, diff)

    def carry_out(self, version: int, changes: Mapping[str, str | None]) -> Proposal:
        """Lay the change over the files; the next start reads it. Raises as `propose`."""
        proposal = self.propose(version, changes)
        write_overlay(self._folder, proposal.overlay)
        return proposal
