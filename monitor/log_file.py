"""A log file that turns over at midnight UTC and when it is full, and keeps so many days."""

from __future__ import annotations

import logging
import logging.handlers
import re
from pathlib import Path
from typing import Final

_OLD: Final = re.compile(r"\.\d{4}-\d{2}-\d{2}(\.\d+)?$")


class DailyFile(logging.handlers.TimedRotatingFileHandler):
    """`engine.log`; old ones are `engine.log.2026-01-31`, and `.1`, `.2` where a day has several.

    keep_days  files of so many days are kept; what is older is deleted at the next turn.
    max_bytes  a line that would make the file longer goes to a new one.
    """

    def __init__(self, path: Path, keep_days: int, max_bytes: int) -> None:
        super().__init__(path, when="midnight", utc=True, backupCount=keep_days, encoding="utf-8")
        self._max_bytes = max_bytes

    def shouldRollover(self, record: logging.LogRecord) -> int:
        if super().shouldRollover(record):
            return 1
        if self.stream is None:
            self.stream = self._open()
        self.stream.seek(0, 2)
        written = self.stream.tell()
        line = len(self.format(record).encode()) + 1
        return int(written > 0 and written + line > self._max_bytes)

    def rotation_filename(self, default_name: str) -> str:
        """The next free name of the day: the base class would overwrite the one before."""
        name, number = default_name, 0
        while Path(name).exists():
            number += 1
            name = f"{default_name}.{number}"
        return name

    def getFilesToDelete(self) -> list[str]:
        """Everything of the days before the youngest `keep_days`."""
        base = Path(self.baseFilename)
        old = [p for p in base.parent.glob(f"{base.name}.*") if _OLD.fullmatch(p.name[len(base.name) :])]
        days = sorted({p.name[len(base.name) + 1 :][:10] for p in old})
        gone = set(days[: -self.backupCount] if self.backupCount else days)
        return [str(p) for p in old if p.name[len(base.name) + 1 :][:10] in gone]
