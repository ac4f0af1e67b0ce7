"""What this machine knows before the engine starts: its journal, its disk, and who holds the folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from core.errors import JournalFailed
from core.fallback import rejoin
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.lock import holder
from core.projections import Books
from scripts.orphans import pairs_held
from scripts.self_check import Check, HostFacts, JournalFacts, Parts, self_check


def journal_facts(folder: Path, take_over: bool = False) -> JournalFacts:
    """Verify and fold the journal of a data folder. To be asked before this start writes its own row.

    take_over  whether rows that wait in the fallback file are taken into the journal first: only for
               whoever holds the folder.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return JournalFacts(intact=True, detail="none yet")
    books = Books()
    try:
        if take_over:
            rejoin(path)
        with JournalReader(path) as reader:
            verified = reader.verify()
            if not verified.ok:
                return JournalFacts(intact=False, detail=verified.message)
            for row in reader.rows():
                books.apply(row)
    except JournalFailed as error:
        return JournalFacts(intact=False, detail=str(error))
    return _facts(books, f"{verified.rows} rows follow from one another")


def _facts(books: Books, detail: str) -> JournalFacts:
    hedges = books.hedge_views({}).values()
    return JournalFacts(
        intact=True,
        detail=detail,
        clean_stop=books.stopped_clean if books.boots_ms else None,
        contracts={f"{hedge.instrument}-SWAP": hedge.contracts for hedge in hedges},
        coins={hedge.instrument.partition("-")[0]: hedge.spot_base for hedge in hedges},
        held=pairs_held(books),
        known_orders=books.orders,
        unresolved=len(books.unresolved_orders()),
    )


async def again(parts: Parts, books: Books, folder: Path) -> tuple[Check, ...]:
    """The self-check of a running engine: against its live books, in the folder it holds itself."""
    journal = _facts(books, "as the running engine keeps it")
    host = HostFacts(shutil.disk_usage(folder).free)
    return await self_check(replace(parts, journal=journal, host=host))


def host_facts(folder: Path) -> HostFacts:
    """Look at the disk of a data folder, and at its lock. To be asked before this start takes the lock."""
    pid = holder(folder)
    return HostFacts(shutil.disk_usage(folder).free, "" if pid is None else f"process {pid}")
