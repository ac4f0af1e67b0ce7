"""The daemon's own backups: every so many hours, in a thread, so that nothing waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from config.monitor import BackupPlan
from core.errors import JournalFailed
from core.ports import Clock, Notifier
from scripts.backup import FOLDER, MANIFEST, Backup, make_backup

HOUR_MS = 3_600_000
RETRY_MS = 15 * 60_000
CONDITION = {"condition": "backup failed", "what": "backup failed"}


class AutoBackup:
    """Makes a backup whenever the last one is older than the plan allows, restarts included.

    A failure is told once, tried again every quarter of an hour, and never reaches the engine.
    """

    def __init__(
        self,
        data: Path,
        plan: BackupPlan,
        clock: Clock,
        notifier: Notifier,
        make: Callable[[Path, Path, int, int | None], Backup] = make_backup,
    ) -> None:
        self._data, self._plan, self._clock, self._notifier, self._make = data, plan, clock, notifier, make
        self._to = Path(plan.folder) if plan.folder else data / FOLDER

    async def run(self) -> None:
        """Until cancelled. Returns at once when the plan says never."""
        if not self._plan.every_hours:
            return
        every_ms = int(self._plan.every_hours * HOUR_MS)
        due_ms = self._last_ms() + every_ms
        while True:
            await self._clock.sleep_until(due_ms)
            due_ms = self._clock.now_ms() + (every_ms if await self._try() else min(RETRY_MS, every_ms))

    def _last_ms(self) -> int:
        """When the youngest backup was made; now when there is none, so that a fresh engine first works."""
        made = [int(path.stat().st_mtime * 1000) for path in self._to.glob(f"*/{MANIFEST}")]
        return max(made, default=self._clock.now_ms())

    async def _try(self) -> bool:
        now_ms = self._clock.now_ms()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, self._make, self._data, self._to, now_ms, self._plan.keep)
        except (JournalFailed, OSError) as error:
            self._notifier.tell("trouble", "warning", {**CONDITION, "detail": str(error)})
            return False
        self._notifier.tell("recovered", "info", CONDITION)
        return True
