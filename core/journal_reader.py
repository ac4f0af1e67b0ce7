"""Reads a journal file without the engine: for questions, with the daemon running or stopped."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from core.chain import GENESIS, MIGRATIONS, next_chain, next_hash, select, select_chained, to_outline, to_row
from core.errors import JournalBroken, JournalFailed
from core.facts import Kind, Row
from core.packing import unpack

LAST_SEQ = 2**63 - 1
PAGE_ROWS = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What recomputing the chain found. `head` is the hash of the last row that holds."""

    ok: bool
    rows: int
    head: str
    decision_head: str
    first_bad_seq: int | None = None
    message: str = "every row follows from the one before"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A row as the file has it, packed: each question reads what it needs, and raises JournalBroken when
    that cannot be read."""

    seq: int
    kind: Kind
    at_ms: int
    _record: tuple[Any, ...]

    def open(self) -> Row:
        """The whole row."""
        return _read(to_row, self._record)

    def outline(self) -> Row:
        """A decision without its verdicts and targets, any other row whole: see core.chain.to_outline."""
        return _read(to_outline, self._record)

    def text(self) -> str:
        """The row as `as_json` writes it, without its body being taken apart."""
        body = _read(lambda record: unpack(*record[4:]), self._record)
        head = f'{{"seq":{self.seq},"kind":"{self.kind.value}","at_ms":{self.at_ms}'
        return f'{head},"body":{body},"hash":"{self._record[3].hex()}"}}'


class JournalReader:
    """Read-only access; use as a context manager.

    Pages through short queries, so it never keeps the writer's log from being tidied up. A page waits as
    the file has it, packed, and one row at a time is unpacked: a scan's verdicts take 30 times the room.
    """

    def __init__(self, path: Path) -> None:
        """Raises JournalFailed when there is no journal here or a newer version wrote it."""
        if not path.exists():
            raise JournalFailed(f"there is no journal at {path}")
        try:
            self._db = sqlite3.connect(_uri(path), uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise JournalFailed(f"cannot open the journal {path}: {error}") from error
        try:
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            self._db.close()
            raise JournalBroken(f"cannot read the journal {path}: {error}") from error
        if not 0 < version <= len(MIGRATIONS):
            self._db.close()
            raise JournalFailed(f"the journal has schema {version}; this version knows {len(MIGRATIONS)}")
        self._schema: int = version

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def rows(self, *kinds: Kind, after_seq: int = 0, up_to: int = LAST_SEQ) -> Iterator[Row]:
        """Yield the rows of these kinds (none: all) up to a row, oldest first. Raises JournalBroken."""
        for sealed in self._forwards(kinds, after_seq, up_to):
            yield sealed.open()

    def outlines(self, after_seq: int = 0) -> Iterator[Row]:
        """As `rows`, decisions without their verdicts and targets. Raises JournalBroken."""
        for sealed in self._forwards((), after_seq, LAST_SEQ):
            yield sealed.outline()

    def backwards(self, *kinds: Kind, up_to: int = LAST_SEQ) -> Iterator[Row]:
        """Yield the rows of these kinds (none: all) from a row back, youngest first. Raises JournalBroken."""
        for sealed in self.sealed(*kinds, up_to=up_to):
            yield sealed.open()

    def sealed(self, *kinds: Kind, up_to: int = LAST_SEQ, page_rows: int = PAGE_ROWS) -> Iterator[Sealed]:
        """As `backwards`, each row still packed.

        page_rows  how many are fetched at once: no more than will be looked at.
        """
        while page := self._page(kinds, 0, up_to, "DESC", page_rows):
            yield from map(_sealed, page)
            up_to = page[-1][0] - 1

    def _forwards(self, kinds: tuple[Kind, ...], after_seq: int, up_to: int) -> Iterator[Sealed]:
        while page := self._page(kinds, after_seq, up_to):
            yield from map(_sealed, page)
            after_seq = page[-1][0]

    def last_at(self, at_ms: int) -> int:
        """The last row written at or before an instant; 0 when there is none. Raises JournalBroken."""
        try:
            found = self._db.execute(
                "SELECT seq FROM events WHERE at_ms <= ? ORDER BY seq DESC LIMIT 1", (at_ms,)
            ).fetchone()
        except sqlite3.Error as error:
            raise JournalBroken(f"a row cannot be read: {error}") from error
        return int(found[0]) if found else 0

    def _page(
        self,
        kinds: tuple[Kind, ...],
        after_seq: int,
        up_to: int,
        order: str = "ASC",
        page_rows: int = PAGE_ROWS,
    ) -> list[tuple[Any, ...]]:
        parameters = (after_seq, up_to, *(k.value for k in kinds), page_rows)
        try:
            return self._db.execute(select(kinds, order, self._schema), parameters).fetchall()
        except sqlite3.Error as error:
            raise JournalBroken(f"a row cannot be read: {error}") from error

    def verify(self) -> VerifyResult:
        """Recompute both chains from the first row, and stop at the first that does not hold."""
        count, head, chain = 0, GENESIS, GENESIS

        def result(message: str) -> VerifyResult:
            return VerifyResult(False, count, head.hex(), chain.hex(), count + 1, message)

        try:
            for link, seq, kind, at_ms, digest, *stored in self._db.execute(select_chained(self._schema)):
                body = unpack(*stored)
                if seq != count + 1:
                    return result(f"row {count + 1} is missing")
                expected = next_hash(head, seq, kind, at_ms, body)
                if digest != expected:
                    return result(f"row {seq} does not follow from the one before: it was changed")
                expected_link = next_chain(chain, at_ms, body) if kind == Kind.DECISION.value else None
                if link != expected_link:
                    return result(f"row {seq} breaks the chain of decisions")
                count, head, chain = seq, expected, expected_link or chain
        except (sqlite3.Error, ValueError) as error:
            return result(f"the file cannot be read after row {count}: {error}")
        return VerifyResult(True, count, head.hex(), chain.hex())


def verify(path: Path) -> VerifyResult:
    """Recompute the chain of the journal at `path`. Raises JournalFailed when there is none to read."""
    with JournalReader(path) as reader:
        return reader.verify()


def as_json(row: Row) -> str:
    """One row as one line of JSON."""
    record = {"seq": row.seq, "kind": row.kind.value, "at_ms": row.at_ms, "body": row.body, "hash": row.hash}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _sealed(record: tuple[Any, ...]) -> Sealed:
    try:
        return Sealed(record[0], Kind(record[1]), record[2], record)
    except ValueError as error:
        raise JournalBroken(f"a row cannot be read: {error}") from error


def _read(way: Callable[[Sequence[Any]], T], record: Sequence[Any]) -> T:
    try:
        return way(record)
    except ValueError as error:
        raise JournalBroken(f"a row cannot be read: {error}") from error


def _uri(path: Path) -> str:
    """Read-only. In a folder we may not write to, a journal at rest is read without its log: SQLite
    would have to create one, and nobody is writing."""
    at_rest = not path.with_name(path.name + "-wal").exists() and not os.access(path.parent, os.W_OK)
    return f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if at_rest else ''}"
