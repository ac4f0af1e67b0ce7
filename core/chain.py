"""The journal's file format: its tables, and the hash chain that makes its past unchangeable.

A row's hash is sha256 over the previous row's hash, its seq, kind, time and canonical body, one per
line. `chain` is a second chain over decision rows alone, over time and body: two runs that decided the
same have the same one, however their facts were interleaved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from core.facts import Kind, Row

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
)

INSERT: Final = "INSERT INTO events (seq, kind, at_ms, body, hash, chain) VALUES (?, ?, ?, ?, ?, ?)"


def next_hash(previous: bytes, seq: int, kind: str, at_ms: int, body: str) -> bytes:
    return hashlib.sha256(f"{previous.hex()}\n{seq}\n{kind}\n{at_ms}\n{body}".encode()).digest()


def next_chain(previous: bytes, at_ms: int, body: str) -> bytes:
    return hashlib.sha256(f"{previous.hex()}\n{at_ms}\n{body}".encode()).digest()


def to_row(record: Sequence[Any]) -> Row:
    """Make a Row of (seq, kind, at_ms, body, hash)."""
    seq, kind, at_ms, body, digest = record
    return Row(seq, Kind(kind), at_ms, msgspec.json.decode(body), digest.hex())


def select(kinds: Sequence[Kind], order: str = "ASC") -> str:
    """The query of a page of rows: seq after ?, up to ?, of these kinds (none: all), at most ?."""
    only = f"AND kind IN ({', '.join('?' * len(kinds))}) " if kinds else ""
    return (
        "SELECT seq, kind, at_ms, body, hash FROM events WHERE seq > ? AND seq <= ? "
        f"{only}ORDER BY seq {order} LIMIT ?"
    )
