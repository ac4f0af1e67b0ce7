"""The append-only truth, in SQLite.

`append` is synchronous: it numbers the row, links it into the hash chain, tells the listeners and
queues it. One writer task commits whatever is queued (group commit, WAL, synchronous=FULL). Who must
know that a row has reached the disk awaits `durable`; rows nobody waits for are committed within a
second of loop time. Disk work happens in aiosqlite's thread, under `clock.holding()`, so that virtual
time stands still for it.

A failed commit loses nothing: its rows stay queued and go to the fallback file (core/fallback.py),
everyone waiting then gets JournalFailed, and the next attempt begins by asking the file how much of the
failed one it holds. A full disk gets the reserve (core/reserve.py) first.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import aiosqlite

from core.chain import GENESIS, INSERT, MIGRATIONS, next_chain, next_hash, select, to_row
from core.errors import JournalBroken, JournalFailed
from core.facts import Kind, Row, told
from core.fallback import Fallback, fallback_of, rejoin
from core.meters import WORK_BOUNDS_S, Histogram
from core.packing import Packer, Record
from core.ports import Clock
from core.reserve import Reserve

FILE_NAME = "journal.db"
LINGER_S = 1.0  # rows nobody waits for are committed this much later at the latest
RETRY_S = 60.0  # a failed commit is tried again after the linger, or this where that is longer
BATCH_ROWS = 256  # or when so many are queued
PAGE_ROWS = 500
BUSY_TIMEOUT_MS = 5_000
NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})  # primary codes of a disk without room


class Database(Protocol):
    """An open SQLite file, as far as the journal needs it. Every method may raise sqlite3.Error."""

    @property
    def in_transaction(self) -> bool: ...

    async def execute(self, sql: str, parameters: Iterable[Any] = ...) -> object: ...

    async def transact(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute the statement with each of the rows, all in one transaction. After an error it may still
        be open."""
        ...

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] = ...) -> Iterable[Any]: ...

    async def close(self) -> None: ...


class InThread(aiosqlite.Connection):
    """Works in a thread of its own; a whole transaction is one errand, because each way there costs."""

    async def transact(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        def work() -> None:
            self._conn.execute("BEGIN IMMEDIATE")
            self._conn.executemany(sql, rows)
            self._conn.execute("COMMIT")

        await self._execute(work)  # type: ignore[no-untyped-call]  # the library's own way into its thread


async def open_in_thread(path: Path) -> Database:
    """Open a file whose work is done in a thread of its own. Raises sqlite3.Error."""
    db = InThread(lambda: sqlite3.connect(path, isolation_level=None), iter_chunk_size=64)
    db._thread.daemon = True  # a process that fails before `close` must still be able to end
    try:
        await db
    except sqlite3.Error:
        db._thread.join()  # it is ending, and still has a word for this loop
        raise
    return db


class SqliteJournal:
    """Implements core.ports.Journal. Make one with `open`, end it with `close`."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        linger_s: float,
        end: tuple[int, bytes, bytes],
        fallback: Fallback,
        reserve: Reserve | None,
    ) -> None:
        seq, head, chain = end
        self.listeners: list[Callable[[Row], None]] = []  # called in order; they do not append
        self.redact: Callable[[str], str] = str  # takes secrets out of free text before it is a row
        self.on_health: Callable[[], None] = lambda: None  # called when `failed` or `on_reserve` changed
        self.now_s: Callable[[], float] = time.perf_counter
        self.commits_s = Histogram(WORK_BOUNDS_S)  # how long each transaction took, by `now_s`
        self._fallback, self._reserve, self._packer = fallback, reserve, Packer()
        self._on_reserve = False
        self._db, self._clock, self._linger_s = db, clock, linger_s
        self._seq, self._head, self._chain = seq, head, chain
        self._committed, self._committed_head = seq, head
        self._queue: deque[Record] = deque()
        self._waiters: list[asyncio.Future[None]] = []
        self._failed: JournalFailed | None = None
        self._closing = False
        self._kick = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._writer = self._loop.create_task(self._write(), name="journal")

    @classmethod
    async def open(
        cls,
        path: Path,
        clock: Clock,
        linger_s: float = LINGER_S,
        connect: Callable[[Path], Awaitable[Database]] = open_in_thread,
        reserve: Reserve | None = None,
    ) -> Self:
        """Open the file, making it when absent, check it and bring its schema up to date; rows that an
        earlier process could only leave in the fallback file are taken over.

        Raises JournalBroken when the file is damaged, JournalFailed when it cannot be opened or was
        written by a newer version.
        """
        with clock.holding():
            try:
                db = await connect(path)
            except sqlite3.Error as error:
                raise JournalFailed(f"cannot open the journal {path}: {error}") from error
            try:
                await _prepare(db)
                rejoin(path)
                end = await _tail(db)
            except sqlite3.Error as error:
                await db.close()
                # SQLite says "malformed" or "not a database" with the base class itself.
                kind = JournalBroken if type(error) is sqlite3.DatabaseError else JournalFailed
                raise kind(f"cannot read the journal {path}: {error}") from error
            except JournalFailed:
                await db.close()
                raise
        if reserve is not None:
            reserve.hold()
        return cls(db, clock, linger_s, end, Fallback(fallback_of(path)), reserve)

    # --- writing --------------------------------------------------------------------------------

    def append(self, kind: Kind, at_ms: int, body: Mapping[str, object]) -> int:
        """Queue one row and return its number. Listeners get the row exactly as it will be read back.

        Raises TypeError for a value that has no place in a journal; then nothing was appended.
        """
        if self._closing:
            raise JournalFailed("the journal is closed")
        held, text = told(body, self.redact)
        self._seq += 1
        self._head = next_hash(self._head, self._seq, kind.value, at_ms, text)
        chain = None
        if kind is Kind.DECISION:
            chain = self._chain = next_chain(self._chain, at_ms, text)
        record = (self._seq, kind.value, at_ms, text, self._head, chain)
        self._queue.append(record)
        if len(self._queue) >= BATCH_ROWS:
            self._kick.set()
        elif self._timer is None:
            self._timer = self._loop.call_later(self._linger_s, self._kick.set)
        row = Row(self._seq, kind, at_ms, held, self._head.hex())
        for listener in self.listeners:
            listener(row)
        return row.seq

    async def durable(self) -> None:
        """Return once everything appended so far is on the disk. Raises JournalFailed.

        Cancelling the caller does not stop the write.
        """
        if not self._queue and self._failed is None:
            return
        if self._closing or self._writer.done():
            raise JournalFailed("the journal is closed")
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        self._kick.set()
        with self._clock.holding():
            await waiter

    async def close(self) -> None:
        """Commit what is queued and close the file. Rows that only reached the fallback file are safe
        there (`in_fallback`). Raises JournalFailed when rows remain unwritten anywhere."""
        if self._closing:
            return
        self._closing = True
        self._kick.set()
        try:
            await asyncio.wait([self._writer])  # it may have been cancelled with all of the loop's tasks
            if self._queue:
                await self._commit()
        finally:
            with self._clock.holding():
                await self._db.close()
        if lost := self.lag - self.in_fallback:
            raise JournalFailed(f"{lost} rows were not written: {self._failed}")

    # --- reading --------------------------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The number of the last row appended; 0 for an empty journal."""
        return self._seq

    @property
    def head(self) -> str:
        """The hash of the last row appended."""
        return self._head.hex()

    @property
    def decision_head(self) -> str:
        """The hash over all decisions: equal for two runs that decided the same at the same times."""
        return self._chain.hex()

    @property
    def failed(self) -> JournalFailed | None:
        """Why the last commit failed; None as soon as one has succeeded again."""
        return self._failed

    @property
    def lag(self) -> int:
        """How many rows are not on the disk yet."""
        return len(self._queue)

    @property
    def oldest_ms(self) -> int | None:
        """The time of the oldest row that is not on the disk yet, None without any. From any thread."""
        try:
            return self._queue[0][2]
        except IndexError:
            return None

    def overdue_ms(self, now_ms: int) -> int:
        """How much longer than rows may linger the oldest one has been waiting for the disk."""
        oldest_ms = self.oldest_ms
        return 0 if oldest_ms is None else max(0, now_ms - oldest_ms - int(self._linger_s * 1000))

    @property
    def in_fallback(self) -> int:
        """How many rows are on the disk in the fallback file only."""
        return sum(record[0] <= self._fallback.last_seq for record in self._queue)

    @property
    def on_reserve(self) -> bool:
        """The disk was full, and what is written now stands in the room that was kept for this."""
        return self._on_reserve

    async def rows(self, *kinds: Kind, after_seq: int = 0) -> AsyncIterator[Row]:
        """Yield the rows of these kinds (none: all) appended until now, in order, once durable.

        While the file cannot be written, what waits is yielded from memory. Raises JournalFailed when
        it cannot be read either.
        """
        try:
            await self.durable()
        except JournalFailed:
            if self._closing:
                raise
        waiting, end = tuple(self._queue), self._committed
        async for row in self._stored(kinds, after_seq, end):
            yield row
        for seq, kind, at_ms, body, digest, _ in waiting:
            if seq > after_seq and (not kinds or Kind(kind) in kinds):
                yield to_row((seq, kind, at_ms, digest, body, None, None))

    async def _stored(self, kinds: tuple[Kind, ...], after_seq: int, end: int) -> AsyncIterator[Row]:
        while True:
            parameters = (after_seq, end, *(k.value for k in kinds), PAGE_ROWS)
            with self._clock.holding():
                try:
                    page = list(await self._db.execute_fetchall(select(kinds), parameters))
                except sqlite3.Error as error:
                    raise JournalFailed(f"cannot read the journal: {error}") from error
            for record in page:
                yield to_row(record)
            if len(page) < PAGE_ROWS:
                return
            after_seq = page[-1][0]

    # --- the writer -----------------------------------------------------------------------------

    async def _write(self) -> None:
        try:
            while not self._closing:
                await self._kick.wait()
                self._kick.clear()
                await self._commit()
        finally:
            self._answer(self._waiters, JournalFailed("the journal is closed"))

    async def _commit(self) -> None:
        """Write everything queued in one transaction, and answer those who were waiting for it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiters, self._waiters = self._waiters, []
        before = (self._failed is None, self._on_reserve)
        failure: JournalFailed | None = JournalFailed("the writer was stopped while it wrote")
        try:
            with self._clock.holding():
                failure = await self._attempt()
                if failure is not None and self._make_room(failure):
                    failure = await self._attempt()
                if failure is not None:
                    await self._fall_back(failure)
                else:
                    await self._tidy_up()
        finally:
            self._failed = failure
            self._answer(waiters, failure)
        if failure is not None and not self._closing:
            self._timer = self._loop.call_later(min(self._linger_s, RETRY_S), self._kick.set)
        if before != (failure is None, self._on_reserve) and not self._closing:
            self.on_health()

    async def _attempt(self) -> JournalFailed | None:
        try:
            if self._failed is not None:
                await self._recover()
            await self._insert(tuple(self._queue))
        except (sqlite3.Error, ValueError) as error:  # ValueError: the connection is closed
            self._failed = JournalFailed(f"cannot write the journal: {error}")
            self._failed.__cause__ = error
            return self._failed
        except JournalFailed as error:
            self._failed = error
            return error
        return None

    def _make_room(self, failure: JournalFailed) -> bool:
        """Give the reserve up when the disk is full; True when that is worth another attempt."""
        code = getattr(failure.__cause__, "sqlite_errorcode", 0) & 0xFF
        if code not in NO_ROOM or self._reserve is None or not self._reserve.release():
            return False
        self._on_reserve = True
        return True

    async def _fall_back(self, failure: JournalFailed) -> None:
        """Put what waits into the fallback file before anybody hears that the journal failed.

        Not when the journal holds rows of somebody else: then ours do not continue it.
        """
        if isinstance(failure, JournalBroken) or isinstance(failure.__cause__, sqlite3.IntegrityError):
            return
        try:
            await self._loop.run_in_executor(None, self._fallback.append, tuple(self._queue))
        except OSError as error:
            self._failed = JournalFailed(f"{self._failed}; and {self._fallback.path.name}: {error}")

    async def _tidy_up(self) -> None:
        """After a commit: what was in the fallback file is in the journal, and room may be kept again."""
        if self._fallback.last_seq:
            await self._loop.run_in_executor(None, self._fallback.clear)
        if self._on_reserve and self._reserve is not None:
            self._on_reserve = not await self._loop.run_in_executor(None, self._reserve.hold)

    def _answer(self, waiters: list[asyncio.Future[None]], failure: JournalFailed | None) -> None:
        for waiter in waiters:
            if waiter.done():  # its caller was cancelled
                continue
            if failure is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(failure)

    async def _insert(self, batch: tuple[Record, ...]) -> None:
        if not batch:
            return
        began_s = self.now_s()
        await self._db.transact(INSERT, self._packer.pack(batch))  # packed where it is written
        self.commits_s.add(self.now_s() - began_s)
        self._forget(len(batch))

    async def _recover(self) -> None:
        """After a failure nobody knows how far it came: roll back, and see what the file ends with."""
        self._packer.restart()
        if self._db.in_transaction:
            await self._db.execute("ROLLBACK")
        seq, head, _ = await _tail(self._db)
        written = seq - self._committed
        known = self._committed_head if written == 0 else None
        if 0 < written <= len(self._queue):
            known = self._queue[written - 1][4]
        if known != head:
            raise JournalBroken("somebody else has written to the journal")
        self._forget(written)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._committed, *_, self._committed_head, _chain = self._queue.popleft()


async def _prepare(db: Database) -> None:
    await db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    await db.execute("PRAGMA journal_mode = WAL")
    await db.execute("PRAGMA synchronous = FULL")
    [(verdict,)] = await db.execute_fetchall("PRAGMA quick_check(1)")
    if verdict != "ok":
        raise JournalBroken(f"the journal is damaged: {verdict}")
    [(version,)] = await db.execute_fetchall("PRAGMA user_version")
    if version > len(MIGRATIONS):
        raise JournalFailed(f"the journal has schema {version}; this version knows {len(MIGRATIONS)}")
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        await db.execute("BEGIN IMMEDIATE")
        for statement in statements:
            await db.execute(statement)
        await db.execute(f"PRAGMA user_version = {number}")
        await db.execute("COMMIT")


async def _tail(db: Database) -> tuple[int, bytes, bytes]:
    """(seq, hash) of the last row, and the chain of the last decision."""
    last = list(await db.execute_fetchall("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"))
    decided = list(
        await db.execute_fetchall(
            "SELECT chain FROM events WHERE kind = ? ORDER BY seq DESC LIMIT 1", (Kind.DECISION.value,)
        )
    )
    seq, head = last[0] if last else (0, GENESIS)
    return seq, head, decided[0][0] if decided else GENESIS
