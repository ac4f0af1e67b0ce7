"""What the journal costs: a durable intent, many writers at once, and the event loop beside them.

`python -m benchmarks.journal [--folder DIR] [--rows N] [--json]`

- A durable intent is one row appended and on the disk (synchronous=FULL), which an order waits for. It is
  measured against the least a disk can do for that: the same bytes appended to a file, and fdatasync. Both
  are timed in turns, so that what else the machine does falls on both; medians are compared.
- Group commit: 32 writers who each wait for their own rows, against one aiosqlite commit a row.
- Meanwhile a task wakes every millisecond; how late it ever was is the loop's lag.

The folder must be on a real disk: a file system in memory makes fdatasync free.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import aiosqlite

from benchmarks.figures import Figure, report
from core.clock import SystemClock
from core.facts import Kind, canonical
from core.journal import SqliteJournal

ROWS = 400
WRITERS = 32
MOST_RATIO = 1.5
LEAST_TIMES = 20.0
MOST_LAG_MS = 50.0
INTENT = {
    "order": {
        "cl_id": "FE1H1s0", "instrument": "BTC-USDT", "inst_id": "BTC-USDT", "leg": "spot",
        "side": "buy", "kind": "ioc", "size": "0.21731100", "limit_px": "94210.5",
        "reduce_only": False, "ref_mid": "94163.4",
    },
    "hedge_id": "FE1H1",
    "purpose": "open",
}  # fmt: skip
_GUARDS = [{"guard": f"guard{n}", "ok": True, "figures": [["ratio", str(n)]]} for n in range(60)]
VERDICTS = {"verdicts": _GUARDS}


async def durable_intents(folder: Path, rows: int) -> tuple[float, float]:
    """Median seconds of (an appended and synced line, a durable intent), timed in turns."""
    journal = await SqliteJournal.open(folder / "intents.db", SystemClock())
    line = (canonical(INTENT) + "\n").encode()
    file = os.open(folder / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    plain, ours = [], []
    for n in range(rows):
        began = perf_counter()
        os.write(file, line)
        os.fdatasync(file)
        plain.append(perf_counter() - began)
        began = perf_counter()
        journal.append(Kind.INTENT, n, INTENT)
        await journal.durable()
        ours.append(perf_counter() - began)
    os.close(file)
    await journal.close()
    return median(plain), median(ours)


async def single_commits(folder: Path, rows: int) -> float:
    """Rows per second when each is committed alone."""
    async with aiosqlite.connect(folder / "single.db", isolation_level=None) as db:
        await db.execute("PRAGMA journal_mode = WAL")
        await db.execute("PRAGMA synchronous = FULL")
        await db.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, body TEXT)")
        text = canonical(INTENT)
        began = perf_counter()
        for n in range(rows):
            await db.execute("INSERT INTO rows VALUES (?, ?)", (n, text))
        return rows / (perf_counter() - began)


async def group_commits(folder: Path, rows: int) -> tuple[float, float]:
    """(rows per second of 32 writers who each wait for theirs, the loop's worst lag in ms)."""
    journal = await SqliteJournal.open(folder / "group.db", SystemClock())
    lag = Lag()
    watching = asyncio.create_task(lag.watch())

    async def write(count: int) -> None:
        for n in range(count):
            journal.append(Kind.INTENT, n, INTENT)
            await journal.durable()

    began = perf_counter()
    await asyncio.gather(*(write(rows // WRITERS) for _ in range(WRITERS)))
    rate = rows // WRITERS * WRITERS / (perf_counter() - began)
    for n in range(rows):  # and rows nobody waits for, long ones, which are packed on their way
        journal.append(Kind.DECISION, n, VERDICTS)
        await asyncio.sleep(0)
    await journal.durable()
    watching.cancel()
    await journal.close()
    return rate, lag.worst_s * 1000


class Lag:
    """How late a task wakes that asks for a millisecond of sleep."""

    def __init__(self, now: Callable[[], float] = perf_counter) -> None:
        self._now = now
        self.worst_s = 0.0

    async def watch(self) -> None:
        while True:
            asked = self._now()
            await asyncio.sleep(0.001)
            self.worst_s = max(self.worst_s, self._now() - asked - 0.001)


async def measure(folder: Path, rows: int) -> list[Figure]:
    plain_s, ours_s = await durable_intents(folder, rows)
    alone = await single_commits(folder, rows)
    together, lag_ms = await group_commits(folder, rows * 10)
    return [
        Figure("append and fdatasync, median", plain_s * 1e6, "us", float("inf"), False),
        Figure("durable intent, median", ours_s * 1e6, "us", float("inf"), False),
        Figure("durable intent / append and fdatasync", ours_s / plain_s, "", MOST_RATIO, False),
        Figure("single commits", alone, "rows/s", 0, True),
        Figure(f"{WRITERS} writers, group commit", together, "rows/s", 0, True),
        Figure("group commit / single commits", together / alone, "", LEAST_TIMES, True),
        Figure("worst lag of the event loop", lag_ms, "ms", MOST_LAG_MS, False),
    ]


def main(argv: Sequence[str]) -> int:
    rows = int(argv[argv.index("--rows") + 1]) if "--rows" in argv else ROWS
    parent = argv[argv.index("--folder") + 1] if "--folder" in argv else None
    folder = Path(tempfile.mkdtemp(prefix="journal-", dir=parent))
    try:
        return report(asyncio.run(measure(folder, rows)), argv)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
