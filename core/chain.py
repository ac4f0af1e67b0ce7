"""The journal's file format: its tables, and the hash chain that makes its past unchangeable.

A row's hash is sha256 over the previous row's hash, its seq, kind, time and canonical body, one per
line. `chain` is a second chain over decision rows alone, over time and body: two runs that decided the
same have the same one, however their facts were interleaved. Both cover the text of a row; how it is
packed (core/packing.py) is the file's own business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from core.facts import Kind, Row
from core.packing import unpack

GENESIS: Final = bytes(32)

# One entry per schema version; PRAGMA user_version says how many have been applied.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE events (
            seq   INTEGER PRIMARY KEY,
            kind  TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            body  TEXT NOT NULL,
            hash  BLOB NOT NULL,
            chain BLOB
        ) STRICT""",
        "CREATE INDEX events_by_kind ON events (kind, seq)",
        "CREATE TRIGGER events_stay BEFORE DELETE ON events "
        "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
        "CREATE TRIGGER events_hold BEFORE UPDATE ON events "
        "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    ),
    (
        "ALTER TABLE events ADD COLUMN packed BLOB",  # the body, compressed; then `body` is empty
        "ALTER TABLE events ADD COLUMN base INTEGER",  # the row it is compressed against
    ),
)

INSERT: Final = (
    "INSERT INTO events (seq, kind, at_ms, body, hash, chain, packed, base) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
PACKED_SINCE: Final = 2  # the schema that brought packing


def next_hash(previous: bytes, seq: int, kind: str, at_ms: int, body: str) -> bytes:
    return hashlib.sha256(f"{previous.hex()}\n{seq}\n{kind}\n{at_ms}\n{body}".encode()).digest()


def next_chain(previous: bytes, at_ms: int, body: str) -> bytes:
    return hashlib.sha256(f"{previous.hex()}\n{at_ms}\n{body}".encode()).digest()


def to_row(record: Sequence[Any]) -> Row:
    """Make a Row of (seq, kind, at_ms, hash, body, packed, packed base). Raises ValueError for damage."""
    seq, kind, at_ms, digest, *stored = record
    return Row(seq, Kind(kind), at_ms, msgspec.json.decode(unpack(*stored)), digest.hex())


class _Outline(msgspec.Struct):
    """A decision's body without its verdicts and targets, which are nearly all of it."""

    on: str
    src: str
    dst: str
    moved: bool
    instrument: str | None = None
    reason: str = ""


_outline = msgspec.json.Decoder(_Outline)


def to_outline(record: Sequence[Any]) -> Row:
    """As `to_row`, but a decision comes without verdicts and targets, in a fiftieth of the time.

    For whoever follows the books: nothing is booked from what a guard said. Raises ValueError for damage.
    """
    seq, kind, at_ms, digest, *stored = record
    if kind != Kind.DECISION.value:
        return to_row(record)
    body = msgspec.structs.asdict(_outline.decode(unpack(*stored)))
    return Row(seq, Kind.DECISION, at_ms, body, digest.hex())


def select(kinds: Sequence[Kind], order: str = "ASC", schema: int = PACKED_SINCE) -> str:
    """The query of a page of rows: seq after ?, up to ?, of these kinds (none: all), at most ?."""
    only = f"AND e.kind IN ({', '.join('?' * len(kinds))}) " if kinds else ""
    columns = _COLUMNS[schema >= PACKED_SINCE]
    return f"{columns} WHERE e.seq > ? AND e.seq <= ? {only}ORDER BY e.seq {order} LIMIT ?"


def select_chained(schema: int) -> str:
    """The query of all rows with both of their links, for verification: `chain` first, then as `to_row`."""
    return _COLUMNS[schema >= PACKED_SINCE].replace("SELECT", "SELECT e.chain,", 1) + " ORDER BY e.seq"


_COLUMNS: Final = (
    "SELECT e.seq, e.kind, e.at_ms, e.hash, e.body, NULL, NULL FROM events e",
    "SELECT e.seq, e.kind, e.at_ms, e.hash, e.body, e.packed, b.packed "
    "FROM events e LEFT JOIN events b ON b.seq = e.base",
)
