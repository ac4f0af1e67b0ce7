"""Where rows go while the journal's own file cannot be written: JSON lines that continue its hash chain.

Each batch is on the disk (fsync) before anybody acts on it. When the journal can be written again, in
this process or in the next, its rows are taken over and the file goes away.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from core.chain import GENESIS, INSERT, MIGRATIONS, next_hash
from core.errors import JournalBroken, JournalFailed
from core.packing import Packer, Record

SUFFIX: Final = ".fallback.jsonl"


def fallback_of(journal: Path) -> Path:
    """The fallback file that belongs to a journal: journal.db.fallback.jsonl."""
    return journal.with_name(journal.name + SUFFIX)


class Fallback:
    """Append-only, one writer. `last_seq` is the number of the last row known to be on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last_seq = 0
        self._length = 0  # bytes known to be whole lines; what a failed write left behind is cut off

    def append(self, records: Iterable[Record]) -> None:
        """Write these rows and return once they are on the disk. Raises OSError; then none counts."""
        fresh = [record for record in records if record[0] > self.last_seq]
        if not fresh:
            return
        lines = "".join(_line(record) for record in fresh).encode()
        is_new = not self.path.exists()
        with open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.truncate(self._length)
            file.seek(self._length)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self.path.parent)
        self._length += len(lines)
        self.last_seq = fresh[-1][0]

    def clear(self) -> None:
        """All of its rows are in the journal: take the file away."""
        self.path.unlink(missing_ok=True)
        self.last_seq = self._length = 0


def read_fallback(path: Path) -> list[Record]:
    """The rows of a fallback file, oldest first; a last line that was cut off was never promised.

    Raises JournalBroken when a line in the middle cannot be read or does not follow from the one before.
    """
    if not path.exists():
        return []
    records: list[Record] = []
    *lines, _cut_off = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            record = _record(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise JournalBroken(f"{path}: line {number} cannot be read") from error
        if records and record[4] != _follows(records[-1][4], record):
            raise JournalBroken(f"{path}: line {number} does not follow from the one before")
        records.append(record)
    return records


def rejoin(journal: Path) -> int:
    """Take the rows of the fallback file over into the journal; return how many. 0 without such a file.

    All of them or none, in one transaction; the file is removed after the commit. Rows the journal has
    already are compared, not repeated. Raises JournalFailed when the journal cannot be written,
    JournalBroken when the rows do not continue it.
    """
    path = fallback_of(journal)
    records = read_fallback(path)
    if not records:
        path.unlink(missing_ok=True)
        return 0
    try:
        with closing(sqlite3.connect(journal, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = FULL")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version != len(MIGRATIONS):
                raise JournalFailed(f"{journal} has schema {version}, {path.name} was written with another")
            fresh = _beyond(db, records, path)
            db.execute("BEGIN IMMEDIATE")
            db.executemany(INSERT, Packer().pack(fresh))
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise JournalFailed(f"cannot take {path.name} over into {journal}: {error}") from error
    path.unlink()
    sync_folder(path.parent)
    return len(fresh)


def _beyond(db: sqlite3.Connection, records: list[Record], path: Path) -> list[Record]:
    """The records the journal does not hold yet; all of them must belong to its chain."""
    last = db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone() or (0, GENESIS)
    seq, head = int(last[0]), bytes(last[1])
    for record in records:
        if record[0] <= seq:
            held = db.execute("SELECT hash FROM events WHERE seq = ?", (record[0],)).fetchone()
            if held is None or held[0] != record[4]:
                raise JournalBroken(f"{path}: row {record[0]} is another one than the journal's")
    fresh = [record for record in records if record[0] > seq]
    if fresh and (fresh[0][0] != seq + 1 or fresh[0][4] != _follows(head, fresh[0])):
        raise JournalBroken(f"{path}: row {fresh[0][0]} does not continue the journal, which ends at {seq}")
    return fresh


def _follows(head: bytes, record: Record) -> bytes:
    seq, kind, at_ms, body, _, _ = record
    return next_hash(head, seq, kind, at_ms, body)


def _line(record: Record) -> str:
    seq, kind, at_ms, body, digest, chain = record
    held = {
        "seq": seq,
        "kind": kind,
        "at_ms": at_ms,
        "body": body,
        "hash": digest.hex(),
        "chain": chain.hex() if chain else None,
    }
    return json.dumps(held, ensure_ascii=False, separators=(",", ":")) + "\n"


def _record(held: dict[str, Any]) -> Record:
    chain = held["chain"]
    return (
        int(held["seq"]),
        str(held["kind"]),
        int(held["at_ms"]),
        str(held["body"]),
        bytes.fromhex(held["hash"]),
        bytes.fromhex(chain) if chain else None,
    )


def sync_folder(folder: Path) -> None:
    """Make a file's coming and going durable: a folder has to be told separately."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
