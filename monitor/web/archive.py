"""The journal as it was: its rows, its decisions, and the engine at any moment of its life."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final

from core.facts import Kind, Row, encoded
from core.journal_reader import LAST_SEQ, PAGE_ROWS, JournalReader, Sealed, as_json
from core.projections import Books
from monitor.web.answers import Decided, Entry, HedgeThen, Moment, Said

# A decision is most of a journal and says nothing of the books but the state, which is read from the last.
_BOOKED: Final = tuple(kind for kind in Kind if kind is not Kind.DECISION)
# Decisions kept as they are answered: rows never change, and every page asks for the newest again and again.
# A scan over ten instruments takes 15 kB.
MOST_KEPT: Final = 500


class Archive:
    """Questions to one journal file. May be called from several threads.

    most_kept  decisions that lie ready as they are answered.
    """

    def __init__(self, journal: Path, most_kept: int = MOST_KEPT) -> None:
        self._journal, self._most_kept = journal, most_kept
        self._lock = Lock()
        self._then, self._then_seq = Books(), 0  # as of the last moment that was asked for
        self._keeping = Lock()  # of its own: a moment long ago takes its time
        self._kept: dict[int, bytes] = {}  # decisions about every instrument, by their row

    @property
    def kept(self) -> int:
        """How many decisions lie ready."""
        return len(self._kept)

    def decisions(
        self, most: int, before_seq: int | None, instrument: str | None, moved_only: bool
    ) -> tuple[Decided, ...]:
        """The newest decisions before a row of the journal, youngest first; about one instrument, or all.

        A decision is about an instrument when it was made for it, spoke about it, or moved it.
        """
        with JournalReader(self._journal) as reader:
            chosen = self._chosen(reader, most, before_seq, instrument, moved_only)
            return tuple(_decided(sealed.open(), instrument) for sealed in chosen)

    def decisions_json(
        self, most: int, before_seq: int | None, instrument: str | None, moved_only: bool
    ) -> bytes:
        """As `decisions`, in JSON; a decision that was asked for before is not read again."""
        with JournalReader(self._journal) as reader:
            chosen = self._chosen(reader, most, before_seq, instrument, moved_only)
            return b"[" + b",".join(self._told(sealed, instrument) for sealed in chosen) + b"]"

    def _chosen(
        self,
        reader: JournalReader,
        most: int,
        before_seq: int | None,
        instrument: str | None,
        moved_only: bool,
    ) -> Iterator[Sealed]:
        page_rows = PAGE_ROWS if instrument or moved_only else most
        rows = reader.sealed(Kind.DECISION, up_to=_up_to(before_seq), page_rows=page_rows)
        asked_for = (
            sealed
            for sealed in rows
            if (not moved_only or sealed.outline().body["moved"]) and _decides_about(sealed, instrument)
        )
        return islice(asked_for, most)

    def _told(self, sealed: Sealed, instrument: str | None) -> bytes:
        if instrument is not None:
            return encoded(_decided(sealed.open(), instrument))
        told = self._kept.get(sealed.seq)
        if told is None:
            told = encoded(_decided(sealed.open(), None))
            with self._keeping:
                self._kept[sealed.seq] = told
                while len(self._kept) > self._most_kept:
                    del self._kept[next(iter(self._kept))]  # the one that was read first
        return told

    def entries(
        self,
        most: int,
        before_seq: int | None,
        kind: Kind | None,
        instrument: str | None,
        find: str | None,
    ) -> tuple[Entry, ...]:
        """The newest rows before one, youngest first.

        instrument  only rows that name it, wherever in them.
        find        only rows whose JSON holds this text, upper and lower case alike.
        """
        needles = [text.lower() for text in (f'"{instrument}"' if instrument else None, find) if text]
        with JournalReader(self._journal) as reader:
            rows = reader.sealed(
                *((kind,) if kind else ()),
                up_to=_up_to(before_seq),
                page_rows=PAGE_ROWS if needles else most,
            )
            found = (row for row in rows if not needles or _says(row, needles))
            return tuple(_entry(row.open()) for row in islice(found, most))

    def moment(self, at_ms: int) -> Moment | None:
        """The engine as it was at an instant, by what was on disk then; None before its first row.

        Prices are those of the last equity row before.
        """
        with self._lock, JournalReader(self._journal) as reader:
            seq = reader.last_at(at_ms)
            if not seq:
                return None
            if seq < self._then_seq:
                self._then, self._then_seq = Books(), 0
            for row in reader.rows(*_BOOKED, after_seq=self._then_seq, up_to=seq):
                self._then.apply(row)
            self._then_seq = seq
            last = next(reader.backwards(Kind.DECISION, up_to=seq), None)
            books, permission = self._then, self._then.permission
            return Moment(
                at_ms=at_ms,
                seq=seq,
                state=last.body["dst"] if last else books.state.value,
                permission=permission.level.name,
                permission_reason=permission.reason,
                equity=books.last_equity - books.ledger.transfers,
                hedges=tuple(
                    HedgeThen(
                        hedge.instrument,
                        hedge.spot_base,
                        hedge.contracts,
                        hedge.entry_notional,
                        hedge.opened_ms,
                        hedge.funding,
                        hedge.pnl,
                        hedge.settlements,
                    )
                    for hedge in books.hedge_views({}).values()
                ),
                decision=_decided(last, None) if last else None,
            )

    def export(self) -> Iterator[str]:
        """Every row as one line of JSON, oldest first. Raises JournalFailed before the first."""
        with JournalReader(self._journal) as reader:
            for row in reader.rows():
                yield as_json(row) + "\n"


def _says(row: Sealed, needles: Sequence[str]) -> bool:
    text = row.text().lower()
    return all(needle in text for needle in needles)


def _entry(row: Row) -> Entry:
    return Entry(row.seq, row.at_ms, row.kind.value, dict(row.body))


def _up_to(before_seq: int | None) -> int:
    return LAST_SEQ if before_seq is None else before_seq - 1


def _decides_about(sealed: Sealed, instrument: str | None) -> bool:
    if instrument is None:
        return True
    if f'"{instrument}"' not in sealed.text():
        return False
    body = sealed.open().body
    return any(one.get("instrument") == instrument for one in (body, *body["verdicts"], *body["targets"]))


def _decided(row: Row, instrument: str | None) -> Decided:
    body = row.body
    verdicts = (v for v in body["verdicts"] if instrument is None or v["instrument"] in (None, instrument))
    return Decided(
        seq=row.seq,
        at_ms=row.at_ms,
        on=body["on"],
        instrument=body["instrument"],
        src=body["src"],
        dst=body["dst"],
        moved=body["moved"],
        reason=body["reason"],
        verdicts=tuple(
            Said(v["guard"], v["ok"], v["instrument"], v["reason"], dict(v["figures"])) for v in verdicts
        ),
        targets=tuple(body["targets"]),
    )
