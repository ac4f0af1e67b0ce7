"""What backtests earned on capital, and what the margin took: read from the folders they left.

    python main.py backtest --tape DIR --account multi --set account.spot_ratio=0.66 \\
        --set account.futures_ratio=0.33 --resume-after 7d --out OUT
    python -m benchmarks.capital OUT [OUT ...] [--json]

Several folders are parts of one record, each begun flat with the whole capital: their results are added.
All figures are of `--out` folders alone: journal.db, equity.csv, summary.json. Per cent of the equity each
began with, in which what no hedge needs is counted as idle as it is.

    net, drawdown       of equity, transfers between the wallets not counted
    margin ratio        equity that backs the swaps / swap notional, lowest at the hourly looks
    hedged              spot at its purchase / that equity, mean over the time: what of the capital works
    top-ups, sweeps     transfers between the wallets, which cost nothing
    rebalancing costs   fees and slippage of every fill that neither opened nor left a hedge
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Figure, report
from core.errors import EngineError
from core.events import Purpose
from core.facts import Kind
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.types import DAY_MS

YEAR_MS: Final = 365 * DAY_MS
NO_TARGET: Final = -100.0
NO_CEILING: Final = 1e9
MOST_NAKED_S: Final = 5.0  # execution.repair_deadline_s as shipped
PLANNED: Final = frozenset({Purpose.OPEN, Purpose.GROW, Purpose.EXIT})


@dataclass(frozen=True, slots=True)
class Part:
    """One folder's run. Money in USDT, times UTC ms.

    said    its summary.json.               by_year   net result by calendar year, UTC.
    falls   by calendar year the largest fall from the highest equity so far, a fraction.
    moved   transfers done, by purpose.     shrunk    how often hedges were made smaller for margin.
    costs   fees and slippage of what neither opened nor left a hedge.
    """

    said: Mapping[str, Any]
    by_year: Mapping[int, Decimal]
    falls: Mapping[int, Decimal]
    moved: Mapping[str, int]
    shrunk: int
    costs: Decimal

    @property
    def span_ms(self) -> int:
        return int(self.said["to_ms"]) - int(self.said["from_ms"])

    @property
    def hedged_ms(self) -> Decimal:
        """Purchase value of what was held, times how long: USDT x ms."""
        return sum(
            (
                Decimal(one["notional"]) * ((one["closed_ms"] or self.said["to_ms"]) - one["opened_ms"])
                for one in self.said["rounds_table"]
            ),
            Decimal(0),
        )


def read(folder: Path) -> Part:
    """Read the folder of a backtest with `--out`. Raises OSError and EngineError for what is none."""
    said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    purposes: dict[str, str] = {}
    moved = {Purpose.TOP_UP.value: 0, Purpose.SWEEP.value: 0}
    shrunk = 0
    with JournalReader(folder / FILE_NAME) as journal:
        for row in journal.rows(Kind.INTENT):
            purposes[row.body["order"]["cl_id"]] = row.body["purpose"]
        for row in journal.rows(Kind.TRANSFER):
            if row.body["status"] == "success":
                moved[row.body["purpose"]] += 1
        for row in journal.rows(Kind.HEDGE):
            shrunk += row.body.get("purpose") == Purpose.SHRINK
    unplanned = (row for row in _rows(folder / "trades.csv") if purposes.get(row["cl_id"]) not in PLANNED)
    costs = sum((Decimal(row["fee_usdt"]) + Decimal(row["slippage_usdt"]) for row in unplanned), Decimal(0))
    by_year, falls = _by_year(folder / "equity.csv")
    return Part(said, by_year, falls, moved, shrunk, costs)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _by_year(file: Path) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """Net results and largest falls."""
    rows = _rows(file)
    before = peak = Decimal(rows[0]["equity"])
    years, falls = dict[int, Decimal](), dict[int, Decimal]()
    for row in rows[1:]:
        year = datetime.fromtimestamp(int(row["ts"]) / 1000 - 1, UTC).year  # midnight ends the old year
        equity = Decimal(row["equity"])
        peak = max(peak, equity)
        years[year] = years.get(year, Decimal(0)) + equity - before
        falls[year] = max(falls.get(year, Decimal(0)), 1 - equity / peak)
        before = equity
    return years, falls


def measure(parts: Sequence[Part]) -> list[Figure]:
    """The figures of all parts together; those begun with another capital than the first are refused."""
    capital = Decimal(parts[0].said["equity_start"])
    if any(Decimal(part.said["equity_start"]) != capital for part in parts):
        raise EngineError("equity_start differs between the folders: parts of one record begin alike")
    span = sum(part.span_ms for part in parts)
    net = sum((Decimal(part.said["net_pnl"]) for part in parts), Decimal(0))
    accounts = " and ".join(sorted({str(part.said["account"]) for part in parts}))
    days = span / DAY_MS
    figures = [
        _told(
            f"net a year on capital, {accounts}, {days:,.0f} days", net / capital * YEAR_MS / span * 100, "%"
        ),
    ]
    years: dict[int, Decimal] = {}
    for part in parts:
        for year, amount in part.by_year.items():
            years[year] = years.get(year, Decimal(0)) + amount
    for year in sorted(years):
        fall = max(part.falls.get(year, Decimal(0)) for part in parts) * 100
        figures += [
            _told(f"net of {year}", years[year] / capital * 100, "%"),
            Figure(f"max drawdown in {year}", float(fall), "%", NO_CEILING, False),
        ]
    worst = max(Decimal(part.said["max_drawdown"]) for part in parts) * 100
    hedged = sum((part.hedged_ms for part in parts), Decimal(0)) / span / capital * 100
    ratios = [part.said["metrics"]["lowest_margin_ratio"] for part in parts]
    known = [Decimal(ratio) for ratio in ratios if ratio is not None]
    moved = {name: sum(part.moved[name] for part in parts) for name in parts[0].moved}
    costs = sum((part.costs for part in parts), Decimal(0))
    unexplained = max(abs(Decimal(part.said["unexplained"])) for part in parts)
    return [
        *figures,
        Figure("max drawdown", float(worst), "%", NO_CEILING, False),
        Figure("unexplained", float(unexplained), "USDT", 0, False),
        Figure(
            "longest naked leg", max(part.said["max_naked_s"] for part in parts), "s", MOST_NAKED_S, False
        ),
        _told("hedged, mean", hedged, "% of capital"),
        _told("lowest margin ratio", min(known, default=Decimal(0)), ""),
        _told("top-ups", Decimal(moved[Purpose.TOP_UP]), ""),
        _told("sweeps", Decimal(moved[Purpose.SWEEP]), ""),
        _told("hedges made smaller", Decimal(sum(part.shrunk for part in parts)), ""),
        _told("rebalancing costs a year", costs / capital * YEAR_MS / span * 100, "%"),
    ]


def _told(name: str, value: Decimal, unit: str) -> Figure:
    return Figure(name, float(value), unit, NO_TARGET, True)


def main(argv: Sequence[str]) -> int:
    folders = [Path(one) for one in argv if not one.startswith("--")]
    if not folders:
        print("a folder is needed that `main.py backtest --out` has left", file=sys.stderr)
        return 2
    try:
        figures = measure([read(folder) for folder in folders])
    except (OSError, EngineError) as error:
        print(error, file=sys.stderr)
        return 2
    return report(figures, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
