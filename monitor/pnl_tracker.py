"""What the equity curve says: drawdown, return, days. Pure functions over (ts_ms, equity) points.

The engine has no view on price, so its result is the change of account equity net of money that came in
or went out, and nothing is attributed to direction. Points are oldest first, equity in USDT.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from core.facts import Kind, Row
from core.projections import Books, day_of
from core.tally import Terms
from core.types import DAY_MS, ZERO
from monitor.formats import utc_day

YEAR_MS = 365 * DAY_MS

Point = tuple[int, Decimal]


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day: equity at its first and last point, the result since the day before ended."""

    date: str
    equity_start: Decimal
    equity_end: Decimal
    pnl: Decimal


class EquityCurve:
    """Collects points as they come; a listener of the journal or fed by snapshots."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self._points: list[Point] = []
        for ts_ms, equity in points:
            self.add(ts_ms, equity)

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(self._points)

    def add(self, ts_ms: int, equity: Decimal) -> None:
        """Append a point; one with the time of the last replaces it. Raises ValueError for an older one."""
        if self._points and ts_ms < self._points[-1][0]:
            raise ValueError(f"equity point at {ts_ms} is older than the last at {self._points[-1][0]}")
        if self._points and ts_ms == self._points[-1][0]:
            self._points.pop()
        self._points.append((ts_ms, equity))

    def on_row(self, row: Row) -> None:
        """Take an EQUITY row of the journal; other kinds pass by."""
        if row.kind is Kind.EQUITY:
            self.add(row.at_ms, Decimal(row.body["equity"]))


class DayTerms:
    """Where each UTC day's money came from: cumulative terms at the last equity row of every day."""

    def __init__(self) -> None:
        self._ends: dict[str, Terms] = {}

    def see(self, row: Row, books: Books) -> None:
        """Look at a row that `books` have just taken in."""
        if row.kind is Kind.EQUITY:
            self._ends[day_of(row.at_ms)] = books.ledger.terms({})

    def differences(self, books: Books) -> dict[str, Terms]:
        """Each day's own terms; the last day goes up to the last row."""
        ends = self._ends | {day_of(books.last_row_ms): books.ledger.terms({})}
        days, before = {}, Terms()
        for day, terms in ends.items():
            days[day], before = terms - before, terms
        return days


def without_flows(points: Sequence[Point], flows: Sequence[Point]) -> tuple[Point, ...]:
    """Return the curve as if no money had come in or gone out after its first point.

    flows  (ts_ms, amount) oldest first, deposits positive, withdrawals negative, USDT. A flow counts
           from the first point at or after its time.
    """
    if not points:
        return ()
    pending = [flow for flow in flows if flow[0] > points[0][0]]
    result, moved, used = [], ZERO, 0
    for ts_ms, equity in points:
        while used < len(pending) and pending[used][0] <= ts_ms:
            moved += pending[used][1]
            used += 1
        result.append((ts_ms, equity - moved))
    return tuple(result)


def max_drawdown(points: Iterable[Point]) -> Decimal:
    """Return the deepest fall from an earlier peak, as a fraction of that peak; 0 when it never fell.

    100, 120, 90, 130 gives 0.25. A peak that is not positive has no fraction and is passed over.
    """
    peak = deepest = ZERO
    for _, equity in points:
        peak = max(peak, equity)
        if peak > 0:
            deepest = max(deepest, (peak - equity) / peak)
    return deepest


def net_apr(start: Decimal, pnl: Decimal, duration_ms: int) -> Decimal:
    """Return the yearly rate of `pnl` on `start`, simple (not compounded): pnl / start x 365 d / duration.

    0 for an empty period or a start that is not positive. 820 USDT on 100,000 in 30 d: 0.0998 (9.98 %).
    """
    if duration_ms <= 0 or start <= 0:
        return ZERO
    return pnl / start * YEAR_MS / duration_ms


def per_day(points: Sequence[Point]) -> tuple[Day, ...]:
    """Split the curve into UTC days. The days' results add up to last equity minus first equity."""
    days: list[Day] = []
    for date, group in groupby(points, key=lambda point: utc_day(point[0])):
        inside = tuple(group)
        start, end = inside[0][1], inside[-1][1]
        before = days[-1].equity_end if days else start
        days.append(Day(date, start, end, end - before))
    return tuple(days)
