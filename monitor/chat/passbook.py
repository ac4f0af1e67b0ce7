"""The journal, followed row by row for the chat: what was earned in a stretch of time, and by what.

Not the engine's books, which change while they are read: the same fold over the rows that are on disk. A
question costs what is new since the last one, in the thread of whoever asks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Final

from core.facts import Kind, Row
from core.hedges import Hedge
from core.journal_reader import JournalReader
from core.projections import Books
from core.tally import Terms
from core.types import ZERO
from core.verdict import Verdict
from monitor.pnl_tracker import Point

HOUR_MS: Final = 3_600_000
TERMS_HOURS: Final = 45 * 24  # so far back a stretch may begin
CURVE_HOURS: Final = 400 * 24
ROWS_READ: Final = 5_000  # decisions looked through for one answer


@dataclass(frozen=True, slots=True)
class Stretch:
    """What happened from `from_ms` to `to_ms`, to the hour. Amounts in USDT.

    terms    where the money came from; their net is the change of equity, net of money moved in or out.
    equity   (ts_ms, equity) oldest first: at the beginning, an hour apart, and now, net of money moved in
             or out. Last less first is the net of the terms.
    hours    of those points stand for a full hour.
    funding  received, by instrument.   payments  (ts_ms, amount) oldest first.
    """

    from_ms: int
    to_ms: int
    terms: Terms
    equity: tuple[Point, ...]
    funding: Mapping[str, Decimal]
    payments: tuple[Point, ...]
    rounds: int
    hours: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """One round that is over."""

    instrument: str
    opened_ms: int
    closed_ms: int
    net: Decimal
    funding: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What was last said about an instrument, and when and why it last got a target; 0: never."""

    at_ms: int = 0
    verdicts: tuple[Verdict, ...] = ()
    moved_ms: int = 0
    moved_why: str = ""


class Passbook:
    """Questions to one journal file. May be asked from several threads; they take turns."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = Lock()
        self._seq = 0
        self._books = Books()
        self._terms: deque[tuple[int, Terms]] = deque(maxlen=TERMS_HOURS)  # the last row of each hour
        self._curve: deque[Point] = deque(maxlen=CURVE_HOURS)

    def stretch(self, from_ms: int | None, to_ms: int) -> Stretch:
        """What happened since `from_ms`; None takes everything. Raises JournalFailed."""
        with self._lock:
            self._follow()
            ledger = self._books.ledger
            since_ms = -1 if from_ms is None else from_ms
            before = next((t for at_ms, t in reversed(self._terms) if at_ms <= since_ms), Terms())
            hourly = tuple(point for point in self._curve if since_ms < point[0] <= to_ms)
            paid = [one for one in ledger.settlements if since_ms < one.ts_ms <= to_ms]
            funding: dict[str, Decimal] = {}
            for one in paid:
                funding[one.instrument] = funding.get(one.instrument, ZERO) + one.amount
            return Stretch(
                (ledger.opened_ms or to_ms) if from_ms is None else from_ms,
                to_ms,
                ledger.terms({}) - before,
                self._with_ends(hourly, since_ms, to_ms),
                dict(sorted(funding.items())),
                tuple((one.ts_ms, one.amount) for one in paid),
                sum(hedge.closed_ms > since_ms for hedge in self._books.rounds),
                len(hourly),
            )

    def _with_ends(self, hourly: tuple[Point, ...], since_ms: int, to_ms: int) -> tuple[Point, ...]:
        """The curve with what there was at its beginning, and what there is now at the prices last noted:
        the hourly points alone say nothing of an engine's first hour."""
        ledger = self._books.ledger
        if ledger.opened_ms is None or ledger.opened_ms > to_ms:
            return hourly
        opening = ledger.opened_ms, ledger.opening_equity
        _, begun = next((point for point in reversed(self._curve) if point[0] <= since_ms), opening)
        points = ((max(since_ms, ledger.opened_ms), begun), *hourly)
        now = ledger.equity({}) - ledger.transfers
        return (*(point for point in points if point[0] < to_ms), (to_ms, now))

    def rounds(self, most: int) -> tuple[Closed, ...]:
        """The latest closed rounds, youngest first."""
        with self._lock:
            self._follow()
            return tuple(_closed(hedge) for hedge in reversed(self._books.rounds[-most:]))

    def cash(self) -> dict[str, Decimal]:
        """By currency, what the trading account holds by these books."""
        with self._lock:
            self._follow()
            return {ccy: amount for ccy, amount in sorted(self._books.ledger.cash.items()) if amount}

    def moved_out(self) -> Decimal:
        """USDT moved out of the trading account since the first start, net: swept, or withdrawn."""
        with self._lock:
            self._follow()
            return -self._books.ledger.transfers

    def judged(self, instrument: str) -> Judged:
        """The newest verdicts about an instrument, and the newest decision that gave it a target."""
        spoken: Mapping[str, Any] | None = None
        if self._journal.exists():
            with JournalReader(self._journal) as reader:
                for row in islice(reader.backwards(Kind.DECISION), ROWS_READ):
                    body = {**row.body, "at_ms": row.at_ms}
                    if spoken is None and any(v["instrument"] == instrument for v in body["verdicts"]):
                        spoken = body
                    if body["moved"] and (target := _target(body, instrument)) is not None:
                        why = body["reason"] or target.get("reason", "")
                        return Judged(*_verdicts(spoken, instrument), row.at_ms, str(why))
        return Judged(*_verdicts(spoken, instrument))

    def _follow(self) -> None:
        if not self._journal.exists():
            return  # the engine has not yet begun to write
        with JournalReader(self._journal) as reader:
            for row in reader.outlines(self._seq):
                self._books.apply(row)
                if row.kind is Kind.EQUITY:
                    self._note(row)
                self._seq = row.seq

    def _note(self, row: Row) -> None:
        ledger, hour = self._books.ledger, row.at_ms // HOUR_MS
        if self._terms and self._terms[-1][0] // HOUR_MS == hour:
            self._terms.pop()
            self._curve.pop()
        self._terms.append((row.at_ms, ledger.terms({})))
        self._curve.append((row.at_ms, Decimal(row.body["equity"]) - ledger.transfers))


def _target(body: Mapping[str, Any], instrument: str) -> Mapping[str, Any] | None:
    return next((one for one in body["targets"] if one.get("instrument") == instrument), None)


def _verdicts(body: Mapping[str, Any] | None, instrument: str) -> tuple[int, tuple[Verdict, ...]]:
    if body is None:
        return 0, ()
    return body["at_ms"], tuple(
        Verdict(v["ok"], v["guard"], v["reason"], tuple((n, f) for n, f in v["figures"]), instrument)
        for v in body["verdicts"]
        if v["instrument"] == instrument
    )


def _closed(hedge: Hedge) -> Closed:
    terms = hedge.closing_terms
    return Closed(hedge.instrument, hedge.opened_ms, hedge.closed_ms, terms.net, terms.funding, hedge.reason)
