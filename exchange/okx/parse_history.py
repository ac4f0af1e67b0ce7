"""History payloads to rows of a tape: checked as prices and sizes, kept in the digits they came in."""

from __future__ import annotations

from typing import NamedTuple

from exchange.okx import wire
from exchange.okx.fields import millis, number, one_of, positive, unreadable
from exchange.okx.parse_market import SWAP_SUFFIX, candle, settled

_CONFIRM = {"0": False, "1": True}


class HistoryRow(NamedTuple):
    """One row by its instant. `cells` follow ts and symbol in the tape's columns."""

    ts_ms: int
    cells: tuple[str, ...]
    closed: bool = True


def candle_row(row: wire.CandleRow, inst_id: str) -> HistoryRow:
    """Prices and the volume in coins, which is another column for swaps than for spot."""
    bar = candle(row, inst_id)
    volume = row[6] if inst_id.endswith(SWAP_SUFFIX) else row[5]
    return HistoryRow(bar.ts_ms, (*row[1:5], volume), bar.closed)


def mark_row(row: wire.CandleRow) -> HistoryRow:
    """[ts, o, h, l, c, confirm]: nothing is traded at a mark price."""
    if len(row) < 6:
        unreadable("mark candle", len(row), row)
    for name, cell in zip("ohlc", row[1:5], strict=True):
        positive(name, cell, row)
    return HistoryRow(millis("ts", row[0], row), tuple(row[1:5]), one_of("confirm", row[5], _CONFIRM, row))


def settlement_row(row: wire.FundingHistory) -> HistoryRow:
    """What was charged; old rows say only what was announced, which then was charged."""
    one = settled(row)
    return HistoryRow(one.ts_ms, (row.realized_rate or row.funding_rate or "",))


def interest_row(row: wire.CandleRow) -> HistoryRow:
    """[ts, oi, oiCcy, oiUsd]: contracts and coins."""
    if len(row) < 3:
        unreadable("open interest", len(row), row)
    for name, cell in zip(("oi", "oiCcy"), row[1:3], strict=True):
        number(name, cell, row)
    return HistoryRow(millis("ts", row[0], row), tuple(row[1:3]))
