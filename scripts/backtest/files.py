"""What `--out` writes: trades, funding, equity and decisions, for whoever wants to recompute the report.

Every file is written whole or not at all. Amounts are USDT, times UTC ms, numbers decimal text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from core.facts import Kind, plain
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.ledger import Settlement
from core.tally import Trade
from monitor.pnl_tracker import Point

TRADES = ("ts", "instrument", "hedge_id", "leg", "side", "px", "size", "base_qty", "fee", "fee_ccy",
          "fee_usdt", "fee_base", "slippage_usdt", "maker", "cl_id", "trade_id")  # fmt: skip
FUNDING = ("ts", "instrument", "hedge_id", "base_qty", "mark_px", "rate", "amount")
EQUITY = ("ts", "equity")


def write_trades(path: Path, trades: Iterable[Trade]) -> None:
    """One row a fill. `base_qty` is in coins for both legs, `fee_base` what a fee took in the coin."""
    rows = (
        (
            t.fill.ts_ms, t.instrument, t.hedge_id, t.leg.value, t.fill.side.value, t.fill.px, t.fill.size,
            t.base, t.fill.fee, t.fill.fee_ccy, t.fee_usdt, t.fee_base, t.slippage, t.fill.maker,
            t.fill.cl_id, t.fill.trade_id,
        )
        for t in trades
    )  # fmt: skip
    _write_csv(path, TRADES, rows)


def write_funding(path: Path, settlements: Iterable[Settlement]) -> None:
    """One row a settlement, with the round it belongs to; `rate` is positive where the short received."""
    rows = ((s.ts_ms, s.instrument, s.hedge_id, s.base_qty, s.mark_px, s.rate, s.amount) for s in settlements)
    _write_csv(path, FUNDING, rows)


def write_equity(path: Path, points: Iterable[Point]) -> None:
    _write_csv(path, EQUITY, points)


def write_decisions(path: Path, folder: Path) -> None:
    """Every decision of the journal in `folder`, refusals included, one JSON object a line."""
    text = io.StringIO()
    with JournalReader(folder / FILE_NAME) as reader:
        for row in reader.rows(Kind.DECISION):
            body = {"seq": row.seq, "at_ms": row.at_ms, **plain(row.body)}
            text.write(json.dumps(body, separators=(",", ":")) + "\n")
    write_whole(path, text.getvalue())


def write_whole(path: Path, text: str) -> None:
    """All of it or nothing."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    write_whole(path, text.getvalue())


def _cell(value: object) -> object:
    """Decimals without an exponent, absent values empty."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else value
