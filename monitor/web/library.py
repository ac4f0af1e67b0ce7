"""The journal, followed row by row into books of the web's own: answers cost what is new since the last one.

The engine's books are not looked at: they change while they are read. These are the same fold over the rows
that are on disk, so a page shows nothing that a crash could take back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Final

from core.errors import JournalFailed
from core.facts import Kind, Row, encoded
from core.hedges import Hedge
from core.journal_reader import JournalReader
from core.projections import Books, day_of
from core.tally import Terms
from core.types import ZERO
from monitor.pnl_tracker import DayTerms, EquityCurve, max_drawdown, net_apr
from monitor.web.answers import Closed, Funding, Ordered, Paid, Performance, Point

NEWEST: Final = 500  # of rounds and payments in one answer; the export has them all
_FOUND_BY: Final = ("cl_id", "ord_id", "instrument", "inst_id", "side", "purpose")


class Library:
    """Questions to one journal file. May be called from several threads; they take turns."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = Lock()
        self._seq = 0
        self._books = Books()
        self._curve = EquityCurve()
        self._days = DayTerms()
        self._orders: dict[str, dict[str, Any]] = {}
        self._told: dict[str, bytes] = {}  # answers in JSON, as long as the books say the same
        self._told_of = -1, ""

    def performance_json(self) -> bytes:
        """As `performance`, in JSON."""
        return self._kept("performance", self._earned)

    def funding_json(self) -> bytes:
        """As `funding`, in JSON."""
        return self._kept("funding", self._paid)

    def _kept(self, name: str, make: Callable[[], Performance | Funding]) -> bytes:
        """An answer, made anew when a row came in that may have changed a figure, or a day began."""
        with self._lock:
            self._follow()
            now = self._books.changes, day_of(self._books.last_row_ms)
            if now != self._told_of:
                self._told, self._told_of = {}, now
            if name not in self._told:
                self._told[name] = encoded(make())
            return self._told[name]

    def performance(self) -> Performance:
        """Where the money came from, in all, by instrument and by day; every round; the equity curve."""
        with self._lock:
            self._follow()
            return self._earned()

    def _earned(self) -> Performance:
        ledger, points = self._books.ledger, self._curve.points
        rounds = self._books.rounds
        wins = sum(not hedge.is_loss for hedge in rounds)
        start, net = (points[0][1], points[-1][1] - points[0][1]) if points else (ZERO, ZERO)
        from_ms, to_ms = (points[0][0], points[-1][0]) if points else (0, 0)
        by_instrument = {name: ledger.terms({}, name) for name in sorted(ledger.instruments)}
        account = ledger.terms({}, "")
        return Performance(
            from_ms=from_ms,
            to_ms=to_ms,
            net=net,
            net_apr=net_apr(start, net, to_ms - from_ms),
            max_drawdown=max_drawdown(points),
            win_rate=Decimal(wins) / len(rounds) if rounds else None,
            terms=ledger.terms({}),
            by_instrument=by_instrument | ({"account": account} if account != Terms() else {}),
            by_day=self._days.differences(self._books) if points else {},
            rounds=tuple(_closed(hedge) for hedge in reversed(rounds[-NEWEST:])),
            equity=tuple(Point(ts_ms, equity) for ts_ms, equity in points),
        )

    def funding(self) -> Funding:
        """What shorts were paid, and when."""
        with self._lock:
            self._follow()
            return self._paid()

    def _paid(self) -> Funding:
        settlements = self._books.ledger.settlements
        by_instrument: dict[str, Decimal] = {}
        by_day: dict[str, Decimal] = {}
        for one in settlements:
            day = day_of(one.ts_ms)
            by_instrument[one.instrument] = by_instrument.get(one.instrument, ZERO) + one.amount
            by_day[day] = by_day.get(day, ZERO) + one.amount
        newest = [Paid(s.ts_ms, s.instrument, s.rate, s.amount) for s in reversed(settlements[-NEWEST:])]
        total = sum((s.amount for s in settlements), ZERO)
        return Funding(total, by_instrument, by_day, tuple(newest))

    def orders(
        self, most: int, instrument: str | None = None, status: str | None = None, find: str | None = None
    ) -> tuple[Ordered, ...]:
        """The newest orders, youngest first.

        find  only those with this text in an id, a name, the side or the purpose, upper and lower case alike.
        """

        def is_asked_for(order: Mapping[str, Any]) -> bool:
            return (
                instrument in (None, order["instrument"])
                and status in (None, order["status"])
                and (find is None or any(find.lower() in str(order[name]).lower() for name in _FOUND_BY))
            )

        with self._lock:
            self._follow()
            chosen = filter(is_asked_for, reversed(self._orders.values()))
            return tuple(Ordered(**told) for told in islice(chosen, most))

    def _follow(self) -> None:
        """Take in what has been written since the last question."""
        try:
            reader = JournalReader(self._journal)
        except JournalFailed:
            if self._seq == 0 and not self._journal.exists():
                return  # the engine has not yet begun to write
            raise
        with reader:
            for row in reader.outlines(self._seq):
                self._books.apply(row)
                self._days.see(row, self._books)
                self._see(row)
                self._seq = row.seq

    def _see(self, row: Row) -> None:
        body = row.body
        match row.kind:
            case Kind.EQUITY:
                self._curve.add(row.at_ms, Decimal(body["equity"]) - self._books.ledger.transfers)
            case Kind.INTENT:
                self._orders[body["order"]["cl_id"]] = _intended(row)
            case Kind.ACK if (order := self._orders.get(body["cl_id"])) is not None:
                order.update(status=body["outcome"], ord_id=body["ord_id"])
            case Kind.ORDER if (order := self._orders.get(body["cl_id"])) is not None:
                order.update(status=body["status"], ord_id=body["ord_id"] or order["ord_id"])
                order.update(filled=Decimal(body["filled"]), avg_px=_price(body["avg_px"]))


def _closed(hedge: Hedge) -> Closed:
    terms = hedge.closing_terms
    return Closed(
        hedge.instrument,
        hedge.hedge_id,
        hedge.opened_ms,
        hedge.closed_ms,
        hedge.entry_notional,
        terms.net,
        terms,
        hedge.reason,
        hedge.forced,
    )


def _intended(row: Row) -> dict[str, Any]:
    order = row.body["order"]
    return {
        "seq": row.seq,
        "at_ms": row.at_ms,
        "cl_id": order["cl_id"],
        "ord_id": "",
        "instrument": order["instrument"],
        "inst_id": order["inst_id"],
        "side": order["side"],
        "size": Decimal(order["size"]),
        "limit_px": Decimal(order["limit_px"]),
        "reduce_only": bool(order["reduce_only"]),
        "purpose": row.body["purpose"],
        "status": "intent",
        "filled": ZERO,
        "avg_px": None,
    }


def _price(told: str | None) -> Decimal | None:
    return Decimal(told) if told and Decimal(told) else None
