from __future__ import annotations

from pathlib import Path

from core.journal import FILE_NAME, SqliteJournal
from tests.core.story import StillClock, Story


class Shelf:
    """A journal that grows while it is read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self.written = 0

    async def write(self, story: Story) -> None:
        journal = await SqliteJournal.open(self.path, StillClock())
        for row in story.rows[self.written :]:
            journal.append(row.kind, row.at_ms, row.body)
        self.written = len(story.rows)
        await journal.close()
