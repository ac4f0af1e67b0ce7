"""The HALT marker: a file in the data folder that says "no order from the engine", whoever reads it.

Set by the watchdog or by close_all when the engine does not answer, and read by the engine before every
single order: a process that was stopped and goes on later finds it before it sends anything. Only an
operator's `resume` takes it away. Existence is all that counts; what is written in it is for people.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE_NAME: Final = "HALT"
SPARE_NAME: Final = "halt.spare"  # room on the disk, taken while there is some: a full disk must not
SPARE_BYTES: Final = 1024  #        keep a marker from being set


@dataclass(frozen=True, slots=True)
class Halt:
    """What a marker says: who set it, why, and when (UTC ms, by that process's clock)."""

    by: str = "somebody"
    reason: str = ""
    at_ms: int = 0

    def __str__(self) -> str:
        return f"{self.by}: {self.reason}" if self.reason else f"set by {self.by}"


class HaltMarker:
    """The marker of one data folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._spare = folder / SPARE_NAME

    def is_set(self) -> bool:
        """One look at the file system: cheap enough for every order. Anything but "no such file" is a yes."""
        try:
            self.path.lstat()
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def read(self) -> Halt | None:
        """What the marker says, None when there is none. An unreadable one is a marker all the same."""
        if not self.is_set():
            return None
        try:
            said = json.loads(self.path.read_text(encoding="utf-8"))
            return Halt(str(said["by"]), str(said["reason"]), int(said["at_ms"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Halt()

    def prepare(self) -> None:
        """Take the room a marker will need. Raises OSError when the disk has none."""
        if not self._spare.exists():
            self._spare.write_bytes(b" " * SPARE_BYTES)
            _to_disk(self._spare)

    def set(self, halt: Halt) -> None:
        """Put the marker up, durably; one that is up already stays as it is.

        Raises OSError when not even an empty file can be made in the folder (read-only, gone).
        """
        if self.is_set():
            return
        said = {"by": halt.by, "reason": halt.reason[:600], "at_ms": halt.at_ms}
        text = json.dumps(said, ensure_ascii=True)[: SPARE_BYTES - 1].encode()
        if not self._from_spare(text.ljust(SPARE_BYTES - 1) + b"\n"):
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o644))  # from here on it counts
            with suppress(OSError):  # on a full disk it stays without words
                self.path.write_bytes(text)
                _to_disk(self.path)
        with suppress(OSError):  # durable where the file system offers it
            _to_disk(self.path.parent)

    def clear(self) -> None:
        """Take the marker down, durably. Raises OSError when that cannot be done."""
        self.path.unlink(missing_ok=True)
        _to_disk(self.path.parent)

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the marker's own lock, so that two processes never reduce at once. Yields False when
        another one is at it. The lock dies with its process."""
        if not self.is_set():  # a folder that takes no files has no lock either
            yield True
            return
        with self.path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _from_spare(self, text: bytes) -> bool:
        """Write over the spare, whose room is ours already, and give it the marker's name."""
        try:
            with self._spare.open("r+b") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            self._spare.rename(self.path)
        except OSError:
            return False
        return True


def _to_disk(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
