"""What could not be delivered and matters, kept in a small file until the next process delivers it.

Written in the couriers' thread, never by the engine. A file that cannot be read is set aside, not lost.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from monitor.outbox import LEVELS, Message

log = logging.getLogger(__name__)

FILE_NAME: Final = "messages.json"
VERSION: Final = 1
MOST: Final = 100  # messages of one channel, the most urgent first, then the oldest
MOST_CHARS: Final = 2_000  # of one message
MOST_BYTES: Final = 4_000_000

Kept = Mapping[str, Sequence[Message]]  # by channel name


class Keepsake:
    """One file. `load` belongs before the first `save`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: dict[str, object] | None = None
        self._is_failing = False

    def load(self) -> tuple[Kept, str]:
        """What an earlier process left, and what was wrong with the file; empty when nothing was."""
        try:
            if self._path.stat().st_size > MOST_BYTES:
                raise ValueError(f"larger than {MOST_BYTES} bytes")
            told = json.loads(self._path.read_text(encoding="utf-8"))
            if told["version"] != VERSION:
                raise ValueError(f"version {told['version']!r}, known is {VERSION}")
            return {str(name): [_read(one) for one in ones] for name, ones in told["channels"].items()}, ""
        except FileNotFoundError:
            return {}, ""
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return {}, self._set_aside(error)

    def save(self, kept: Kept) -> None:
        """Replace the file at once; without anything to keep there is none. A disk that fails is logged."""
        channels = {
            name: [_told(m) for m in sorted(ones, key=lambda m: (LEVELS.index(m.level), m.put_ms))[:MOST]]
            for name, ones in sorted(kept.items())
            if ones
        }
        if channels == self._written:
            return
        try:
            if channels:
                self._replace(json.dumps({"version": VERSION, "channels": channels}, ensure_ascii=False))
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            if not self._is_failing:
                log.warning("messages_not_kept error=%s", error)
            self._is_failing = True
            return
        self._written, self._is_failing = dict(channels), False

    def _replace(self, text: str) -> None:
        draft = self._path.with_name(self._path.name + ".new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._path)

    def _set_aside(self, error: Exception) -> str:
        aside = self._path.with_name(self._path.name + ".unreadable")
        try:
            os.replace(self._path, aside)
        except OSError as failed:
            return f"{self._path.name}: {error}; it cannot be set aside: {failed}"
        return f"{self._path.name}: {error}; it is now {aside.name}"


def _told(message: Message) -> dict[str, object]:
    return {"level": message.level, "put_ms": message.put_ms, "text": message.text[:MOST_CHARS]}


def _read(told: Mapping[str, object]) -> Message:
    level, put_ms, text = told["level"], told["put_ms"], told["text"]
    if level not in LEVELS or not isinstance(put_ms, int) or not isinstance(text, str):
        raise ValueError(f"a message of level {level!r} at {put_ms!r}")
    return Message(str(level), text, put_ms, is_kept=True)
