"""The journal's file without a thread: for an engine on virtual time in a process of its own.

Nothing but the run itself waits for the disk there, so the file is written where it is asked for, and left
to the system to bring to the disk: what breaks the machine breaks the run, and a broken run is run again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

SYNCHRONOUS: Final = "PRAGMA synchronous"


class InLine:
    """Implements core.journal.Database on the loop's own thread. Does not wait for the disk, whatever is
    asked of it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> object:
        if sql.startswith(SYNCHRONOUS):
            return None
        return self._db.execute(sql, tuple(parameters))

    async def transact(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(sql, rows)
        self._db.execute("COMMIT")

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] = ()) -> Iterable[Any]:
        return self._db.execute(sql, tuple(parameters)).fetchall()

    async def close(self) -> None:
        self._db.close()


async def open_in_line(path: Path) -> InLine:
    """Open a file whose work is done where it is asked for. Raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"{SYNCHRONOUS} = OFF")
    return InLine(db)
