"""One market's order book, kept from a snapshot and its numbered changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.types import Book, Level

DEPTH = 50  # levels a side that leave this file: more than any order of ours may take


@dataclass(frozen=True, slots=True)
class BookChange:
    """What one push says. Sizes are absolute, zero removes the level.

    `prev_seq_id` names the change this one follows; a snapshot follows nothing.
    """

    snapshot: bool
    bids: Sequence[Level]
    asks: Sequence[Level]
    ts_ms: int
    seq_id: int
    prev_seq_id: int


class LocalBook:
    """Applies changes in sequence and freezes itself on demand.

    A gap makes the book unreadable at once, until the next snapshot: a book that missed a change may
    show a price nobody offers. Checksums are not looked at, the venue sends zero.
    """

    def __init__(self, inst_id: str) -> None:
        self._inst_id = inst_id
        self._bids: dict[Decimal, Level] = {}
        self._asks: dict[Decimal, Level] = {}
        self._valid = False
        self._ts_ms = 0
        self._seen_ms = 0
        self._seq_id = -1
        self._prev_seq_id = -1
        self._sides: tuple[tuple[Level, ...], tuple[Level, ...]] | None = None

    def apply(self, change: BookChange, seen_ms: int) -> bool:
        """Apply one push; return False when it shows that something was missed.

        After maintenance the venue may restart its numbers: that is no gap as long as the change
        names the last number we have. An exact repeat of the last push is not a gap either.
        """
        if change.snapshot:
            self._bids.clear()
            self._asks.clear()
            self._valid = True
        elif (change.seq_id, change.prev_seq_id) == (self._seq_id, self._prev_seq_id):
            return self._valid
        elif not self._valid or change.prev_seq_id != self._seq_id:
            self._valid = False
            return False
        _merge(self._bids, change.bids)
        _merge(self._asks, change.asks)
        if change.snapshot or change.bids or change.asks:
            self._sides = None
        self._seq_id, self._prev_seq_id = change.seq_id, change.prev_seq_id
        self._ts_ms, self._seen_ms = change.ts_ms, seen_ms
        return True

    def freeze(self) -> Book | None:
        """Return the best levels as they are now, or None while the book may not be read."""
        if not self._valid:
            return None
        if self._sides is None:
            # Levels lie mostly in the order of the snapshot, which sorting takes advantage of
            bids, asks = sorted(self._bids, reverse=True)[:DEPTH], sorted(self._asks)[:DEPTH]
            self._sides = tuple(self._bids[px] for px in bids), tuple(self._asks[px] for px in asks)
        return Book(self._inst_id, *self._sides, self._ts_ms, self._seen_ms, self._seq_id)


def _merge(side: dict[Decimal, Level], levels: Sequence[Level]) -> None:
    for level in levels:
        if level[1]:
            side[level[0]] = level
        else:
            side.pop(level[0], None)
