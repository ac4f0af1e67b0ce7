"""Changes laid over a configuration folder: made while the engine runs, kept in its data folder.

The YAML files stay as they were written; an overlay names single keys, as text like in a file. It is
judged by the same models together with the files, so it can say nothing that a file could not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.errors import UsageError

FILE_NAME: Final = "overlay.json"
MOST_CHANGES: Final = 200
LONGEST_VALUE: Final = 2_000

# Whose money it is, the two deliberate steps to real orders, and who may command: only on the host.
# Red lines are not here, because they are not in the configuration at all (risk/red_lines.py).
LOCKED: Final = (
    "account.venue",
    "account.region",
    "account.rest_url",
    "account.stream_url",
    "strategy.dry_run",
    "strategy.auxiliary.enabled",
    "strategy.auxiliary.modules",
    "risk.watchdog",
    "monitor.web",
    "monitor.telegram",
    "monitor.dingtalk",
    "monitor.email",
    "monitor.receiver",
    "monitor.backup",
)


class StaleVersion(UsageError):
    """The change was made against an overlay that somebody has changed since."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """`changes`: dotted key, such as strategy.exit.cooldown_hours, to its value as in YAML.

    version  counts every change there ever was; 0 when there was none.
    """

    version: int = 0
    changes: Mapping[str, str] = field(default_factory=dict)

    def changed(self, version: int, changes: Mapping[str, str | None]) -> Overlay:
        """The next version: these keys set, or, with None, back at what the files say.

        Raises StaleVersion unless `version` is the present one, UsageError for what can never be changed.
        """
        if version != self.version:
            raise StaleVersion(f"version: {version}; allowed: {self.version}, the present one")
        if not changes:
            raise UsageError("changes: none; allowed: at least one key with a value, or null to take it back")
        for key, value in changes.items():
            if is_locked(key):
                raise UsageError(f"changes: {key} = {value}; only the files on the host may change it")
            if value is not None and len(value) > LONGEST_VALUE:
                raise UsageError(f"changes: {key}; allowed: a value of at most {LONGEST_VALUE} characters")
        merged = {key: value for key, value in {**self.changes, **changes}.items() if value is not None}
        if len(merged) > MOST_CHANGES:
            raise UsageError(f"changes: {len(merged)} keys; allowed: at most {MOST_CHANGES}")
        return Overlay(self.version + 1, merged)


def is_locked(key: str) -> bool:
    """Whether a key may only be changed in the files."""
    return any(key == locked or key.startswith(f"{locked}.") for locked in LOCKED)


def read_overlay(folder: Path) -> Overlay:
    """The overlay of a data folder. Raises UsageError for a file that cannot be read as one."""
    path = folder / FILE_NAME
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Overlay()
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    match told:
        case {"version": int(version), "changes": dict(changes)} if version > 0 and _are_texts(changes):
            return Overlay(version, changes)
    raise _unreadable(path, "it holds no version and changes")


def write_overlay(folder: Path, overlay: Overlay) -> None:
    """Replace the overlay of a data folder: whole or not at all, and on disk when this returns."""
    text = json.dumps({"version": overlay.version, "changes": dict(overlay.changes)}, indent=2)
    draft = folder / f"{FILE_NAME}.new"
    with draft.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE_NAME)


def _are_texts(changes: Mapping[Any, Any]) -> bool:
    return all(isinstance(key, str) and isinstance(value, str) for key, value in changes.items())


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(f"{path} cannot be read ({why}): mend it, or remove it to go back to the files alone")
