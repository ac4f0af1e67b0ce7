from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from core.errors import JournalBroken, JournalFailed
from core.facts import Kind, Row
from core.journal import BATCH_ROWS, FILE_NAME, PAGE_ROWS, SqliteJournal
from core.journal_reader import JournalReader, verify
from tests.core.story import D, StillClock


class ReleasingClock(StillClock):
    """Tells when work that held it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Event()

    @contextmanager
    def holding(self) -> Iterator[None]:
        yield
        self.released.set()


@asynccontextmanager
async def journal_in(folder: Path) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal.open(folder / FILE_NAME, StillClock())
    try:
        yield journal
    finally:
        await journal.close()


def stored(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


def tamper(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        db.execute("DROP TRIGGER IF EXISTS events_hold")
        db.execute("DROP TRIGGER IF EXISTS events_stay")
        for statement in statements:
            db.execute(statement)
        db.commit()


async def write_some(folder: Path, count: int = 5) -> None:
    async with journal_in(folder) as journal:
        for n in range(count):
            journal.append(Kind.DECISION if n % 2 else Kind.NOTE, n, {"n": n})


# --- appending ----------------------------------------------------------------------------------


async def test_what_listeners_see_is_what_is_read_back(tmp_path: Path) -> None:
    heard: list[Row] = []
    body = {"amount": D("1.50"), "list": (1, D(2)), "none": None, "text": "价格", "deep": {1: True}}
    async with journal_in(tmp_path) as journal:
        journal.listeners.append(heard.append)
        assert journal.append(Kind.NOTE, 7, body) == 1
        assert journal.append(Kind.STOP, 8, {"reason": "x", "clean": True}) == 2
        assert heard == [row async for row in journal.rows()]
    assert heard[0].body == {
        "amount": "1.50",
        "list": [1, "2"],
        "none": None,
        "text": "价格",
        "deep": {"1": True},
    }
    with JournalReader(tmp_path / FILE_NAME) as reader:
        assert list(reader.rows()) == heard


async def test_a_durable_row_can_be_read_by_another_process_at_once(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        journal.append(Kind.INTENT, 1, {"order": "x"})
        await journal.durable()
        assert stored(tmp_path) == 1
        assert journal.lag == 0
        [(level,)] = await journal._db.execute_fetchall("PRAGMA synchronous")
        assert level == 2  # FULL: the commit waits for the disk, not only for the system's cache


async def test_rows_nobody_waits_for_are_written_once_enough_of_them_wait(tmp_path: Path) -> None:
    clock = ReleasingClock()
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, clock, linger_s=3600)
    clock.released.clear()
    for n in range(BATCH_ROWS - 1):
        journal.append(Kind.NOTE, n, {})
    await asyncio.sleep(0)
    assert stored(tmp_path) == 0
    journal.append(Kind.NOTE, BATCH_ROWS, {})
    await clock.released.wait()
    assert stored(tmp_path) == BATCH_ROWS
    await journal.close()


async def test_a_row_nobody_waits_for_is_written_once_the_linger_is_over(tmp_path: Path) -> None:
    clock = ReleasingClock()
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, clock, linger_s=0.001)
    clock.released.clear()
    journal.append(Kind.NOTE, 1, {})
    await clock.released.wait()
    assert stored(tmp_path) == 1
    await journal.close()


async def test_closing_writes_what_was_still_queued(tmp_path: Path) -> None:
    await write_some(tmp_path, 5)
    assert stored(tmp_path) == 5


async def test_many_waiters_share_commits_and_keep_the_order(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:

        async def write(n: int) -> int:
            seq = journal.append(Kind.NOTE, n, {"n": n})
            await journal.durable()
            assert stored(tmp_path) >= seq
            return seq

        assert await asyncio.gather(*map(write, range(50))) == list(range(1, 51))
    assert verify(tmp_path / FILE_NAME).rows == 50


@pytest.mark.fault("DB5")
async def test_a_cancelled_waiter_neither_stops_nor_loses_the_write(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        journal.append(Kind.NOTE, 1, {})
        waiting = asyncio.create_task(journal.durable())
        await asyncio.sleep(0)
        waiting.cancel()
        journal.append(Kind.NOTE, 2, {})
        await journal.durable()
    assert verify(tmp_path / FILE_NAME).rows == 2


async def test_a_value_that_has_no_place_in_a_journal_appends_nothing(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        with pytest.raises(TypeError):
            journal.append(Kind.NOTE, 1, {"rate": 0.1})
        assert journal.append(Kind.NOTE, 1, {}) == 1


async def test_virtual_time_is_held_while_the_disk_works(tmp_path: Path) -> None:
    clock = StillClock()
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, clock)
    held_at_open = clock.holds
    journal.append(Kind.NOTE, 1, {})
    await journal.durable()
    assert held_at_open >= 1
    assert clock.holds >= held_at_open + 2  # the one who waits, and the one who writes
    await journal.close()


async def test_rows_come_in_order_by_kind_after_a_number_and_over_pages(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        for n in range(PAGE_ROWS * 2 + 1):
            journal.append(Kind.FILL if n % 2 else Kind.NOTE, n, {})
        assert [r.seq async for r in journal.rows()] == list(range(1, PAGE_ROWS * 2 + 2))
        some = [r async for r in journal.rows(Kind.FILL, Kind.BILL, after_seq=PAGE_ROWS)]
        assert [r.seq for r in some] == list(range(PAGE_ROWS + 2, PAGE_ROWS * 2 + 1, 2))
        assert {r.kind for r in some} == {Kind.FILL}
    with JournalReader(tmp_path / FILE_NAME) as reader:
        assert [r.seq for r in reader.rows(after_seq=3)][:2] == [4, 5]
        assert [r.seq for r in reader.backwards()] == list(range(PAGE_ROWS * 2 + 1, 0, -1))
        assert next(reader.backwards(Kind.FILL)).seq == PAGE_ROWS * 2


@pytest.mark.fault("HO1")
async def test_a_reader_unpacks_one_row_at_a_time_however_many_there_are(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        for n in range(300):
            journal.append(
                Kind.NOTE, n, {"verdicts": [{"guard": f"guard {k}", "row": n} for k in range(200)]}
            )
    with JournalReader(tmp_path / FILE_NAME) as reader:
        tracemalloc.start()
        try:
            rows = sum(1 for _ in reader.rows())
            peak = tracemalloc.get_traced_memory()[1]
            one = next(reader.rows())
            in_use = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert rows == 300 and len(one.body["verdicts"]) == 200
        assert 40_000 < in_use < 100_000  # one row, unpacked
        assert peak < 2_000_000  # all of them are 15 million bytes


async def test_rows_appended_while_reading_are_not_part_of_the_answer(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        journal.append(Kind.NOTE, 1, {})
        async for _ in journal.rows():
            journal.append(Kind.NOTE, 2, {})
            await journal.durable()
        assert journal.seq == 2


# --- heads --------------------------------------------------------------------------------------


async def test_a_restart_goes_on_where_the_chain_ended(tmp_path: Path) -> None:
    await write_some(tmp_path, 3)
    async with journal_in(tmp_path) as journal:
        before = (journal.seq, journal.head, journal.decision_head)
        result = verify(tmp_path / FILE_NAME)
        assert before == (3, result.head, result.decision_head)
        journal.append(Kind.DECISION, 9, {})
        await journal.durable()
        after = verify(tmp_path / FILE_NAME)
        assert after.ok
        assert (journal.head, journal.decision_head) == (after.head, after.decision_head)
        assert after.head != before[1] and after.decision_head != before[2]


async def test_equal_decisions_give_one_decision_head_however_facts_interleave(tmp_path: Path) -> None:
    heads = []
    for name, order in (("a", "FDFD"), ("b", "DDFFF")):
        (tmp_path / name).mkdir()
        async with journal_in(tmp_path / name) as journal:
            decisions = 0
            for letter in order:
                if letter == "D":
                    decisions += 1
                    journal.append(Kind.DECISION, decisions, {"n": decisions})
                else:
                    journal.append(Kind.FILL, 5, {})
            heads.append((journal.decision_head, journal.head))
    assert heads[0][0] == heads[1][0]
    assert heads[0][1] != heads[1][1]


@pytest.mark.parametrize(("at_ms", "n"), [(2, 1), (1, 2)])
async def test_another_time_or_body_gives_another_decision_head(tmp_path: Path, at_ms: int, n: int) -> None:
    (tmp_path / "other").mkdir()
    async with journal_in(tmp_path) as one, journal_in(tmp_path / "other") as two:
        one.append(Kind.DECISION, 1, {"n": 1})
        two.append(Kind.DECISION, at_ms, {"n": n})
        assert one.decision_head != two.decision_head


# --- verification -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "bad_seq"),
    [
        ("UPDATE events SET body = '{\"n\":9}' WHERE seq = 3", 3),
        ("UPDATE events SET at_ms = 77 WHERE seq = 2", 2),
        ("UPDATE events SET kind = 'fill' WHERE seq = 1", 1),
        ("UPDATE events SET hash = zeroblob(32) WHERE seq = 4", 4),
        ("UPDATE events SET chain = zeroblob(32) WHERE seq = 4", 4),
        ("DELETE FROM events WHERE seq = 2", 2),
        ("UPDATE events SET seq = seq + 10 WHERE seq > 3", 4),
    ],
)
async def test_a_changed_past_is_found_at_its_first_row(tmp_path: Path, change: str, bad_seq: int) -> None:
    await write_some(tmp_path)
    assert verify(tmp_path / FILE_NAME).ok
    tamper(tmp_path, change)
    result = verify(tmp_path / FILE_NAME)
    assert not result.ok
    assert ("is missing" in result.message) == (change.startswith("DELETE") or "seq = seq" in change)
    assert (result.first_bad_seq, result.rows) == (bad_seq, bad_seq - 1)


@pytest.mark.parametrize("change", ["DELETE FROM events", "UPDATE events SET at_ms = 0"])
async def test_the_file_itself_refuses_to_forget(tmp_path: Path, change: str) -> None:
    await write_some(tmp_path)
    with (
        closing(sqlite3.connect(tmp_path / FILE_NAME)) as db,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        db.execute(change)


def test_a_question_to_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed, match="there is no journal"):
        verify(tmp_path / FILE_NAME)
    assert list(tmp_path.iterdir()) == []


# --- opening ------------------------------------------------------------------------------------


@pytest.mark.fault("CR11")
async def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    await write_some(tmp_path)
    tamper(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(JournalFailed, match="schema 99"):
        await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    with pytest.raises(JournalFailed, match="schema 99"):
        verify(tmp_path / FILE_NAME)
    assert stored(tmp_path) == 5


@pytest.mark.fault("DB4")
async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    await write_some(tmp_path, 500)
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    data[8192:12288] = b"\xff" * 4096
    path.write_bytes(data)
    with pytest.raises(JournalBroken):
        await SqliteJournal.open(path, StillClock())


async def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text("not a database, " * 100)
    with pytest.raises(JournalBroken):
        await SqliteJournal.open(path, StillClock())
    with pytest.raises(JournalBroken):
        verify(path)


async def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed):
        await SqliteJournal.open(tmp_path / "nowhere" / FILE_NAME, StillClock())


# --- failing ------------------------------------------------------------------------------------


@pytest.mark.fault("DB1")
async def test_a_full_disk_is_told_to_everyone_waiting_and_loses_nothing(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        journal.append(Kind.NOTE, 1, {})
        await journal.durable()
        await journal._db.execute("PRAGMA max_page_count = 8")
        for n in range(60):  # bodies below the length from which rows are packed
            journal.append(Kind.NOTE, n, {"filler": "x" * 900})
        outcomes = await asyncio.gather(journal.durable(), journal.durable(), return_exceptions=True)
        assert [type(o) for o in outcomes] == [JournalFailed, JournalFailed]
        assert "full" in str(journal.failed)
        assert journal.lag == 60 and journal.overdue_ms(3_600_000) > 3_500_000
        with pytest.raises(JournalFailed):
            await journal.durable()
        await journal._db.execute("PRAGMA max_page_count = 100000")
        await journal.durable()
        assert journal.failed is None
        assert journal.lag == journal.overdue_ms(3_600_000) == 0
    result = verify(tmp_path / FILE_NAME)
    assert (result.ok, result.rows) == (True, 61)


@pytest.mark.fault("DB3")
async def test_a_locked_file_fails_and_recovers(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        await journal._db.execute("PRAGMA busy_timeout = 1")
        with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            journal.append(Kind.NOTE, 1, {})
            with pytest.raises(JournalFailed, match="locked"):
                await journal.durable()
            other.execute("ROLLBACK")
        await journal.durable()
    assert verify(tmp_path / FILE_NAME).rows == 1


@pytest.mark.fault("DB5")
async def test_a_commit_that_succeeded_without_our_knowing_is_not_written_twice(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        for n in range(3):
            journal.append(Kind.NOTE, n, {})
        await journal._db.execute("BEGIN IMMEDIATE")  # as after a cancelled writer: two rows reached the file
        await journal._db.executemany(
            "INSERT INTO events (seq, kind, at_ms, body, hash, chain) VALUES (?, ?, ?, ?, ?, ?)",
            list(journal._queue)[:2],
        )
        await journal._db.execute("COMMIT")
        with pytest.raises(JournalFailed):
            await journal.durable()  # the insert collides
        await journal.durable()
        assert journal.lag == 0
    result = verify(tmp_path / FILE_NAME)
    assert (result.ok, result.rows) == (True, 3)


async def test_a_second_writer_is_noticed_and_never_overwritten(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as one:
        two = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
        one.append(Kind.NOTE, 1, {"from": "one"})
        await one.durable()
        two.append(Kind.NOTE, 1, {"from": "two"})
        with pytest.raises(JournalFailed):
            await two.durable()
        with pytest.raises(JournalBroken, match="somebody else"):
            await two.durable()
        with pytest.raises(JournalFailed, match="1 rows were not written"):
            await two.close()
        with pytest.raises(JournalFailed, match="closed"):
            await two.durable()
    with JournalReader(tmp_path / FILE_NAME) as reader:
        assert [row.body for row in reader.rows()] == [{"from": "one"}]


async def test_closing_after_the_writer_was_cancelled_still_writes(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    journal.append(Kind.NOTE, 1, {})
    journal._writer.cancel()
    await journal.close()
    assert stored(tmp_path) == 1


async def test_nothing_is_taken_after_the_end(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    await journal.close()
    with pytest.raises(JournalFailed, match="closed"):
        journal.append(Kind.NOTE, 1, {})
    await journal.close()


async def test_a_waiter_is_answered_when_the_writer_is_stopped(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    journal.append(Kind.NOTE, 1, {})
    waiting = asyncio.create_task(journal.durable())
    await asyncio.sleep(0)
    journal._writer.cancel()
    with pytest.raises(JournalFailed):
        await waiting
    await journal.close()


# --- crashing -----------------------------------------------------------------------------------

WRITER = """
import asyncio, sys
from pathlib import Path
from core.facts import Kind
from core.journal import SqliteJournal
from tests.core.story import StillClock

async def main():
    journal = await SqliteJournal.open(Path(sys.argv[1]), StillClock())
    print("open", flush=True)
    while True:
        for _ in range(journal.seq % 7 + 1):
            journal.append(Kind.INTENT, journal.seq, {"n": journal.seq + 1})
        await journal.durable()
        print(journal.seq, flush=True)

asyncio.run(main())
"""


def test_no_acknowledged_row_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    rng = random.Random(7)
    seen_in_file = 0
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        for _ in range(rng.randrange(60)):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        printed = writer.stdout.read().split()
        writer.stdout.close()
        writer.wait()
        acknowledged = int(printed[-1]) if printed else seen_in_file
        result = verify(path)
        assert result.ok, result.message
        assert result.rows >= acknowledged
        seen_in_file = result.rows
    with JournalReader(path) as reader:
        bodies = [json.loads(json.dumps(row.body)) for row in reader.rows()]
    assert bodies == [{"n": n} for n in range(1, seen_in_file + 1)]
