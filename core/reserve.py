"""Room on the disk that is kept for the day it is full: a file of zeros, given up when writing fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

FILE_NAME: Final = "disk.reserve"
SIZE_BYTES: Final = 64_000_000


class Reserve:
    """A file of `size` bytes beside the journal. It survives restarts; `is_held` says whether it is there."""

    def __init__(self, folder: Path, size: int = SIZE_BYTES) -> None:
        self._path, self._size = folder / FILE_NAME, size

    @property
    def is_held(self) -> bool:
        return self._path.exists() and self._path.stat().st_size >= self._size

    def hold(self) -> bool:
        """Take the room, unless as much again would not stay free. Return whether it is held."""
        if self.is_held:
            return True
        try:
            if shutil.disk_usage(self._path.parent).free < 2 * self._size:
                return False
            with open(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.release()  # half a reserve is none
        return self.is_held

    def release(self) -> bool:
        """Give the room back; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
