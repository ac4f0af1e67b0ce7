"""One engine per data folder: an operating system lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO, Self

from core.errors import JournalFailed, SelfCheckRefused

FILE_NAME = "engine.lock"
PID_WIDTH = 10


class FolderLock:
    """Held from construction until `release` or the end of the process, a kill -9 included.

    The file stays behind with the last holder's process id; only the lock on it says somebody is there.
    """

    def __init__(self, folder: Path) -> None:
        """Raises SelfCheckRefused when another process holds the folder, JournalFailed on a full disk."""
        self._file: IO[str] | None = None
        path = folder / FILE_NAME
        path.touch()
        file = path.open("r+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = file.read().strip() or "unknown"
            file.close()
            raise SelfCheckRefused(
                f"another engine (process {pid}) is working in {folder}: "
                "stop it, or use another data folder with --data"
            ) from error
        try:
            file.write(f"{os.getpid():<{PID_WIDTH}}\n")  # over the last one: at no instant is there none
            file.flush()
        except OSError as error:
            raise JournalFailed(f"cannot write {path}: {error}") from error
        self._file = file

    def release(self) -> None:
        """Give the folder free; a second call does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder(folder: Path) -> int | None:
    """The process id of the engine working in this folder, or None when there is none.

    0 while the first engine of a folder holds it and has not said who it is.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    with path.open(encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read().strip() or 0)
    return None
