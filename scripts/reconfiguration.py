"""Changing the configuration while the engine runs: proposed, judged, journalled, laid over the files.

A change is never put into parts that are at work. The engine brings what is under way to its end, holds
its hedges, and starts again with the new settings, through the recovery that every start goes through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from config.loader import differences, fingerprint, load
from config.meanings import MEANINGS
from config.overlay import LOCKED, Overlay, read_overlay, write_overlay
from config.schema import Settings
from core.errors import UsageError
from core.facts import Kind
from core.journal import FILE_NAME as JOURNAL
from core.journal_reader import JournalReader
from monitor.refusal_words import refusal_in_chinese
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
    """What may be changed of one engine: its files, and the overlay in its data folder.

    in_force  what the engine started with; None where nobody knows: then it counts as what lies there now.
    shape     what the command line says besides, to this start as to every other.
    """

    def __init__(
        self,
        config: Path,
        folder: Path,
        in_force: Settings | None = None,
        shape: Callable[[Settings], Settings] = lambda settings: settings,
    ) -> None:
        self._config, self._folder, self._in_force, self._shape = config, folder, in_force, shape

    def settings(self) -> Settings:
        """The files with the overlay over them. Raises UsageError."""
        return self._next(read_overlay(self._folder))

    def form(self) -> Form:
        """What a form needs to propose a change."""
        overlay = read_overlay(self._folder)
        edited: tuple[Moved, ...] = ()
        problem = ""
        try:
            edited = self._moved(self._next(overlay), {})
        except UsageError as error:
            problem = str(error)
        changes, meanings = dict(overlay.changes), _meanings()
        chinese = refusal_in_chinese(problem)
        return Form(overlay.version, changes, _schemas(), LOCKED, APPLIES, meanings, edited, problem, chinese)

    def is_as_started(self) -> bool:
        """Whether the last start was with what lies there now; True also when there was none."""
        if not (self._folder / JOURNAL).exists():
            return True
        with JournalReader(self._folder / JOURNAL) as reader:
            boot = next(reader.backwards(Kind.BOOT), None)
        return boot is None or boot.body["fingerprint"] == fingerprint(self.settings())

    @property
    def version(self) -> int:
        """Of the overlay that lies there now."""
        return read_overlay(self._folder).version

    def propose(self, version: int, changes: Mapping[str, str | None]) -> Proposal:
        """Judge a change as the next start would. Its diff names everything that start brings along: also
        what was edited in the files since the last one.

        Raises StaleVersion when the overlay has moved on, UsageError with every problem, or when the change
        would change nothing.
        """
        before = read_overlay(self._folder)
        after = before.changed(version, changes)
        settings = self._next(after)
        diff = self._moved(settings, changes)
        if not diff and not differences(self._next(before), settings):
            raise UsageError(f"changes: {', '.join(changes)}; nothing in force would become another")
        return Proposal(after, diff)

    def carry_out(self, version: int, changes: Mapping[str, str | None]) -> Proposal:
        """Lay the change over the files; the next start reads it. Raises as `propose`."""
        proposal = self.propose(version, changes)
        write_overlay(self._folder, proposal.overlay)
        return proposal

    def _next(self, overlay: Overlay) -> Settings:
        """What a start would have now."""
        return self._shape(load(self._config, overlay))

    def _moved(self, then: Settings, changes: Mapping[str, str | None]) -> tuple[Moved, ...]:
        """Every value that `then` makes another one, and whether the changes name it."""
        now = self._in_force or self._next(read_overlay(self._folder))
        return tuple(Moved(*one, asked=one[0] in changes) for one in differences(now, then))


@cache
def _meanings() -> dict[str, Meaning]:
    return {path: Meaning(*told) for path, told in MEANINGS.items()}


@cache
def _schemas() -> dict[str, Any]:
    """The JSON schema of each file."""
    return {
        name: field.annotation.model_json_schema()
        for name, field in Settings.model_fields.items()
        if field.annotation is not None
    }
