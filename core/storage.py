"""What a failing disk takes away from the engine: no new risk without a record, and nothing more."""

from __future__ import annotations

from core.context import Permission
from core.journal import SqliteJournal
from core.permission import Permissions


def follow(journal: SqliteJournal, permissions: Permissions) -> None:
    """From now on, hold the permission down while the journal fails or lives on its reserve.

    Each is told once when it begins and once when it ends. The rows that say so wait with the others.
    """

    def look() -> None:
        if journal.failed is not None:
            permissions.lower("journal", Permission.REDUCE_ONLY, str(journal.failed))
        else:
            permissions.lift("journal")
        if journal.on_reserve:
            permissions.lower("disk", Permission.NO_NEW_RISK, "the disk is full: the reserve is in use")
        else:
            permissions.lift("disk")

    journal.on_health = look
