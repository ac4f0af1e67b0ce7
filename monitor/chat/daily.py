"""The daily report: once at its hour of the engine's day, to every channel, however often it restarts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.errors import EngineError
from core.types import DAY_MS
from monitor.chat.answers import Answers
from monitor.chat.desk import Desk
from monitor.chat.passbook import HOUR_MS
from monitor.words import Language

log = logging.getLogger(__name__)

FILE_NAME: Final = "daily_report.txt"
LOOK_EVERY_S: Final = 20.0  # real seconds


def due_ms(now_ms: int, hour: int) -> int:
    """The last time at or before now when a report was due."""
    at_ms = now_ms - now_ms % DAY_MS + hour * HOUR_MS
    return at_ms if at_ms <= now_ms else at_ms - DAY_MS


class DailyReport:
    """Looks now and then whether the hour has come, and posts one report for it.

    A report that came due while the engine was down is posted after its start, once. The very first start
    owes none. Which one was posted last stands in a file of the data folder.
    """

    def __init__(
        self, desk: Desk, hour: int, language: Language, folder: Path, post: Callable[[str, str], None]
    ) -> None:
        self._desk, self._hour, self._answers, self._post = desk, hour, Answers(language), post
        self._path = folder / FILE_NAME
        self._last_ms: int | None = None

    async def run(self, over: asyncio.Event) -> None:
        """Look until `over` is set."""
        while not over.is_set():
            self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), LOOK_EVERY_S)

    def look(self) -> None:
        """Post a report when one is due."""
        status = self._desk.status()
        if status is None:
            return
        due = due_ms(status.now_ms, self._hour)
        last_ms = self._last()
        if last_ms is None or due < last_ms:  # the first start, or a clock that began anew
            self._remember(due)
        elif due > last_ms:
            try:
                day = self._desk.passbook.stretch(status.now_ms - DAY_MS, status.now_ms)
            except (EngineError, OSError) as error:
                log.warning("report_waits error=%s", error)
                return
            self._post("info", "📋 " + self._answers.report(status, day).as_text())
            self._remember(due)

    def _last(self) -> int | None:
        if self._last_ms is None:
            with suppress(OSError, ValueError):  # no report yet, or not ours to read: as at the first start
                self._last_ms = int(self._path.read_text(encoding="ascii"))
        return self._last_ms

    def _remember(self, due: int) -> None:
        self._last_ms = due
        try:
            draft = self._path.with_name(self._path.name + ".new")
            draft.write_text(str(due), encoding="ascii")
            draft.replace(self._path)
        except OSError as error:
            log.warning("report_not_noted error=%s", error)
