"""What must hold of the journal as it lies on the disk, whatever became of those who wrote it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.context import Permission
from core.errors import JournalFailed
from core.events import On, State
from core.facts import Kind, Row
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.projections import Books
from core.table import TABLE
from scripts.simulation.findings import SECRETS

Fail = Callable[[str, str], None]  # invariant, what was seen


def read_journal(folder: Path, live: Books | None, fail: Fail) -> str:
    """INV-5, 6, 7, 10, 12, 13, 14 over the whole file; returns its head.

    live  the books of the process that wrote last, to compare replay with; None when it was killed.
    """
    try:
        with JournalReader(folder / FILE_NAME) as reader:
            verified = reader.verify()
            if not verified.ok:
                fail("INV-7", verified.message)
                return verified.head
            books, twice = Books(), Books()
            if live is not None:
                books.margin_per_spot = twice.margin_per_spot = live.margin_per_spot
            last_ms, epoch = 0, 0
            for row in reader.rows():
                _row(row, books, fail)
                if row.kind is Kind.BOOT:
                    last_ms = 0  # a new process believes its host, whose clock may have been set back
                if row.at_ms < last_ms and row.kind is not Kind.DECISION:  # it has its event's time
                    fail("INV-10", f"row {row.seq} ({row.kind.value}) is older than the one before")
                last_ms = max(last_ms, row.at_ms)
                if row.kind is Kind.BOOT:
                    if int(row.body["epoch"]) <= epoch:
                        fail("INV-5", f"epoch {row.body['epoch']} comes after {epoch}")
                    epoch = int(row.body["epoch"])
                books.apply(row)
                twice.apply(row)
                if row.kind in (Kind.FILL, Kind.BILL, Kind.ACK, Kind.ORDER):
                    twice.apply(row)
    except JournalFailed as error:
        fail("INV-7", str(error))
        return ""
    if _gist(books) != _gist(twice):
        fail("INV-6", "rows applied twice change the books")
    if live is not None and _gist(books) != _gist(live):
        fail("INV-7", "replay does not give the books the process had")
    return verified.head


def _row(row: Row, books: Books, fail: Fail) -> None:
    text = str(row.body)
    if any(secret in text for secret in SECRETS):
        fail("INV-12", f"a secret in row {row.seq}")
    if row.kind is not Kind.DECISION:
        return
    body = row.body
    on, src, dst = On(body["on"]), State(body["src"]), State(body["dst"])
    if body["moved"]:
        said_yes = {verdict["guard"] for verdict in body["verdicts"] if verdict["ok"]}
        rows = (r for r in TABLE if r.on is on and src in r.sources and (r.dest or src) is dst)
        if not any(said_yes.issuperset(r.guards) for r in rows):
            fail("INV-13", f"row {row.seq}: {on.value} from {src.value} to {dst.value}")
    elif src is not dst:
        fail("INV-13", f"row {row.seq}: from {src.value} to {dst.value} without a row")
    if dst is State.OPENING and on is On.SCAN:
        if books.breaker(row.at_ms).tripped:
            fail("INV-14", f"row {row.seq}: an opening while the breaker is tripped")
        if books.permission.level is not Permission.FULL:
            fail("INV-14", f"row {row.seq}: an opening at {books.permission.level.name}")


def _gist(books: Books) -> tuple[object, ...]:
    """What of the books must come out the same."""
    views = books.hedge_views({})
    return (
        books.state,
        books.permission.level,
        {name: (v.spot_base, v.contracts, v.target_base) for name, v in views.items()},
        {name: (v.funding, v.fees, v.interest) for name, v in views.items()},
        dict(books.dust),
        {cl_id: order.status for cl_id, order in books.orders.items()},
        dict(books.transfers),
        len(books.rounds),
        books.breaker(books.last_row_ms),
        books.ledger.transfers,
    )
