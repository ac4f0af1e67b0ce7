"""The journal's file in a simulation: SQLite on the loop's own thread, with faults and crash points.

What a transaction has written is on the disk when its COMMIT has returned; a crash before that loses it,
as SQLite with synchronous=FULL promises.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.facts import Kind
from core.inline import InLine
from scripts.simulation.crossings import Crash, Crossings


class Disk:
    """Opens the database of a world, and makes it fail where it was told to.

    fault    what every write raises at present; None while the disk is well.
    intents  client ids of the orders whose intent has reached the disk: for whoever must know that before
             an order leaves.
    """

    def __init__(self, crossings: Crossings) -> None:
        self._crossings = crossings
        self.fault: sqlite3.Error | None = None
        self.intents: set[str] = set()
        self._open: list[sqlite3.Connection] = []

    async def open(self, path: Path) -> Inline:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._open.append(db)
        return Inline(db, self, self._crossings)

    def drop(self) -> None:
        """The process is gone: what was not committed is lost."""
        for db in self._open:
            db.close()
        self._open.clear()


class Inline(InLine):
    """The file on the loop's own thread, where it fails as told and the process may die."""

    def __init__(self, db: sqlite3.Connection, disk: Disk, crossings: Crossings) -> None:
        super().__init__(db)
        self._disk, self._crossings = disk, crossings
        self._what = "nothing"
        self._intents: list[str] = []  # written, not committed yet

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> object:
        if sql == "COMMIT":
            self._cross("before")
            self._check()
        done = self._db.execute(sql, tuple(parameters))
        if sql == "COMMIT":
            self._disk.intents.update(self._intents)
            self._intents.clear()
            self._cross("after")
        elif sql == "ROLLBACK":
            self._intents.clear()
        return done

    async def transact(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        await self.execute("BEGIN IMMEDIATE")
        await self.executemany(sql, rows)
        await self.execute("COMMIT")

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> object:
        rows = list(rows)
        self._check()
        self._what = str(rows[-1][1]) if rows else "nothing"
        self._intents += [json.loads(row[3])["order"]["cl_id"] for row in rows if row[1] == Kind.INTENT.value]
        return self._db.executemany(sql, rows)

    def _check(self) -> None:
        if self._disk.fault is not None:
            raise self._disk.fault

    def _cross(self, side: str) -> None:
        try:
            self._crossings.cross(f"disk {self._what}", side)
        except Crash:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
