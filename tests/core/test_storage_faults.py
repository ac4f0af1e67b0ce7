"""The journal while its disk fails: what waits is kept, in memory and in the fallback file."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from core.errors import JournalBroken, JournalFailed
from core.facts import Kind
from core.fallback import Fallback, fallback_of, read_fallback, rejoin
from core.journal import FILE_NAME, SqliteJournal
from core.journal_reader import JournalReader, verify
from core.reserve import Reserve
from tests.core.story import StillClock


@asynccontextmanager
async def journal_in(folder: Path, reserve: Reserve | None = None) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal.open(folder / FILE_NAME, StillClock(), reserve=reserve)
    try:
        yield journal
    finally:
        await journal.close()


def numbers(folder: Path) -> list[int]:
    with JournalReader(folder / FILE_NAME) as reader:
        return [row.body["n"] for row in reader.rows()]


async def fill(journal: SqliteJournal, count: int = 60) -> None:
    for n in range(count):
        journal.append(Kind.DECISION if n % 3 == 0 else Kind.NOTE, n, {"n": n, "filler": "x" * 900})


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """The system refuses to let files of this process grow past `size`: SQLite sees an I/O error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.fault("DB1")
async def test_on_a_full_disk_rows_go_to_the_fallback_before_anybody_is_told(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        journal.append(Kind.NOTE, 0, {"n": -1})
        await journal.durable()
        await journal._db.execute("PRAGMA max_page_count = 8")
        await fill(journal)
        with pytest.raises(JournalFailed, match="full"):
            await journal.durable()
        held = read_fallback(fallback_of(tmp_path / FILE_NAME))
        assert [record[0] for record in held] == list(range(2, 62))
        assert journal.in_fallback == journal.lag == 60
        journal.append(Kind.FILL, 99, {"n": 60})  # one more while it lasts: it is added, not written again
        with pytest.raises(JournalFailed):
            await journal.durable()
        assert len(read_fallback(fallback_of(tmp_path / FILE_NAME))) == 61
        assert [row.body["n"] async for row in journal.rows()] == list(range(-1, 61))
        assert [row.body["n"] async for row in journal.rows(Kind.FILL)] == [60]
        await journal._db.execute("PRAGMA max_page_count = 100000")
        await journal.durable()
        assert (journal.failed, journal.lag) == (None, 0)
        assert not fallback_of(tmp_path / FILE_NAME).exists()
    assert verify(tmp_path / FILE_NAME).ok
    assert numbers(tmp_path) == list(range(-1, 61))


@pytest.mark.fault("DB1")
async def test_what_a_process_could_only_leave_in_the_fallback_the_next_one_takes_over(
    tmp_path: Path,
) -> None:
    async with journal_in(tmp_path) as journal:
        await journal._db.execute("PRAGMA max_page_count = 8")
        await fill(journal)
        with pytest.raises(JournalFailed):
            await journal.durable()
        end = (journal.seq, journal.head, journal.decision_head)
    assert fallback_of(tmp_path / FILE_NAME).exists()  # closing kept it, and was no error
    assert verify(tmp_path / FILE_NAME).rows == 0
    async with journal_in(tmp_path) as journal:
        assert (journal.seq, journal.head, journal.decision_head) == end
        assert not fallback_of(tmp_path / FILE_NAME).exists()
    result = verify(tmp_path / FILE_NAME)
    assert (result.ok, result.rows, result.head, result.decision_head) == (True, *end)


@pytest.mark.fault("DB1")
async def test_a_full_disk_gets_the_reserve_first_and_the_reserve_is_taken_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, size=1_000_000)
    heard: list[tuple[bool, bool]] = []
    async with journal_in(tmp_path, reserve) as journal:
        journal.on_health = lambda: heard.append((journal.failed is None, journal.on_reserve))
        assert reserve.is_held
        await journal._db.execute("PRAGMA max_page_count = 8")
        await fill(journal)
        with pytest.raises(JournalFailed):
            await journal.durable()
        assert not reserve.is_held  # given up; this limit is not one of the disk, so it did not help
        await journal._db.execute("PRAGMA max_page_count = 100000")
        await journal.durable()
        assert reserve.is_held
    assert heard == [(False, True), (True, False)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, really full when it is full."""
    options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here: that needs root")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.fault("DB1")
async def test_on_a_full_file_system_the_reserve_carries_what_the_disk_cannot(small_disk: Path) -> None:
    reserve = Reserve(small_disk, size=500_000)
    async with journal_in(small_disk, reserve) as journal:
        assert reserve.is_held
        (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 20_000))
        await fill(journal)
        await journal.durable()  # nobody waiting had to hear of it
        assert journal.failed is None and journal.on_reserve and not reserve.is_held
        (small_disk / "more").write_bytes(bytes(shutil.disk_usage(small_disk).free))
        await fill(journal)
        with pytest.raises(JournalFailed, match="full"):
            await journal.durable()
        assert journal.in_fallback == 0  # there is no room for anything: memory is all that is left
        assert journal.lag == 60
        (small_disk / "more").unlink()
        (small_disk / "filler").unlink()
        await journal.durable()
        assert (journal.failed, journal.lag, journal.on_reserve) == (None, 0, False)
    assert verify(small_disk / FILE_NAME).rows == 120


@pytest.mark.fault("DB2")
async def test_an_input_output_error_is_outlived(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        for _ in range(6):
            await fill(journal)
            await journal.durable()
        log = (tmp_path / (FILE_NAME + "-wal")).stat().st_size
        await fill(journal, 20)
        with files_no_longer_than(log), pytest.raises(JournalFailed, match="I/O error"):
            await journal.durable()
        assert journal.in_fallback == 20
        await journal.durable()
    assert verify(tmp_path / FILE_NAME).rows == 380


@pytest.mark.fault("DB2")
async def test_a_file_that_became_read_only_is_outlived(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        await journal._db.execute("PRAGMA query_only = 1")
        await fill(journal, 3)
        with pytest.raises(JournalFailed, match="readonly"):
            await journal.durable()
        assert journal.in_fallback == 3
        await journal._db.execute("PRAGMA query_only = 0")
        await journal.durable()
    assert numbers(tmp_path) == [0, 1, 2]


@pytest.mark.fault("DB3")
async def test_a_database_held_by_another_process_for_seconds_is_waited_for(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await fill(journal, 3)
            waiting = asyncio.create_task(journal.durable())
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_later(0.2, other.execute, "ROLLBACK")
            await waiting  # busy_timeout outlasted it
        assert journal.failed is None
    assert numbers(tmp_path) == [0, 1, 2]


@pytest.mark.fault("DB3")
async def test_a_database_held_for_longer_than_the_patience_falls_back(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        await journal._db.execute("PRAGMA busy_timeout = 1")
        with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await fill(journal, 3)
            with pytest.raises(JournalFailed, match="locked"):
                await journal.durable()
            assert journal.in_fallback == 3
        await journal.durable()
    assert numbers(tmp_path) == [0, 1, 2]


@pytest.mark.fault("DB4")
async def test_flipped_bytes_are_a_verdict_never_another_book(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        await fill(journal, 200)
    path, whole = tmp_path / FILE_NAME, verify(tmp_path / FILE_NAME)
    sound, found = path.read_bytes(), 0
    for offset in range(100, len(sound), 4096 * 3 + 1000):
        data = bytearray(sound)
        data[offset : offset + 64] = bytes(255 - byte for byte in data[offset : offset + 64])
        path.write_bytes(data)
        try:
            result = verify(path)
        except JournalBroken:
            found += 1
            continue
        assert result == whole or (not result.ok and result.first_bad_seq is not None)
        found += not result.ok
    assert found >= 5  # the others hit an index or room that holds nothing


# --- the fallback file itself ---------------------------------------------------------------------


async def fallen(folder: Path, count: int = 5) -> Path:
    """A journal of one row whose next rows are in the fallback file; the process is gone."""
    async with journal_in(folder) as journal:
        journal.append(Kind.NOTE, 0, {"n": -1})
        await journal.durable()
        await journal._db.execute("PRAGMA query_only = 1")
        await fill(journal, count)
    return fallback_of(folder / FILE_NAME)


async def test_a_line_cut_off_by_a_crash_was_never_promised_and_is_left_out(tmp_path: Path) -> None:
    path = await fallen(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    assert rejoin(tmp_path / FILE_NAME) == 4
    assert numbers(tmp_path) == [-1, 0, 1, 2, 3]
    assert verify(tmp_path / FILE_NAME).ok


async def test_a_crash_between_commit_and_removal_repeats_nothing(tmp_path: Path) -> None:
    path = await fallen(tmp_path)
    text = path.read_bytes()
    assert rejoin(tmp_path / FILE_NAME) == 5
    path.write_bytes(text)
    assert rejoin(tmp_path / FILE_NAME) == 0
    assert not path.exists()
    assert numbers(tmp_path) == [-1, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace(b'\\"n\\":2', b'\\"n\\":7'), "line 3 does not follow"),
        (lambda text: text.replace(b'"seq"', b'"sec"', 1), "line 1 cannot be read"),
        (lambda text: text.split(b"\n", 1)[1], "row 3 does not continue the journal, which ends at 1"),
    ],
)
async def test_a_fallback_file_that_was_changed_is_refused_and_kept(
    tmp_path: Path, change: Callable[[bytes], bytes], why: str
) -> None:
    path = await fallen(tmp_path)
    text = path.read_bytes()
    assert change(text) != text
    path.write_bytes(change(text))
    with pytest.raises(JournalBroken, match=why):
        await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    assert path.exists()
    assert numbers(tmp_path) == [-1]


async def test_rows_of_other_books_are_never_taken_over(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    foreign = await fallen(tmp_path / "other")
    async with journal_in(tmp_path) as journal:
        await fill(journal, 10)
    shutil.copy(foreign, fallback_of(tmp_path / FILE_NAME))
    with pytest.raises(JournalBroken, match="row 2 is another one than the journal's"):
        await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())


def test_half_a_batch_on_a_full_disk_is_cut_off_before_the_next_one(tmp_path: Path) -> None:
    fallback = Fallback(tmp_path / "rows.jsonl")
    records = [(n, "note", n, f'{{"n":{n}}}', bytes([n] * 32), None) for n in range(1, 4)]
    fallback.append(records[:1])
    with files_no_longer_than(fallback.path.stat().st_size + 30), pytest.raises(OSError, match="large"):
        fallback.append(records)
    assert fallback.last_seq == 1
    fallback.append(records)
    assert fallback.path.read_bytes().count(b"\n") == 3
    assert fallback.last_seq == 3


def test_a_reserve_is_not_taken_where_room_is_short(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, size=shutil.disk_usage(tmp_path).free)
    assert not reserve.hold()
    assert list(tmp_path.iterdir()) == []
