"""Copies of the journal and the way back: verified, never half, never over a living or a newer journal."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from config.monitor import BackupPlan
from core.errors import JournalBroken, JournalFailed, SelfCheckRefused, UsageError
from core.facts import Kind
from core.fallback import fallback_of
from core.journal import FILE_NAME, SqliteJournal
from core.journal_reader import verify
from core.lock import FolderLock
from main import main
from scripts.auto_backup import AutoBackup
from scripts.backup import EXPORT, MANIFEST, UNFINISHED, Backup, make_backup, read_backup, restore
from tests.core.story import StillClock
from tests.fakes import FakeClock

HOUR_MS = 3_600_000


async def write(folder: Path, count: int = 30) -> None:
    os.makedirs(folder, exist_ok=True)
    journal = await SqliteJournal.open(folder / FILE_NAME, StillClock())
    for n in range(count):
        kind = Kind.DECISION if n % 2 else Kind.NOTE
        journal.append(kind, n, {"n": n, "filler": "x" * (2_000 if n % 2 else 10)})
    await journal.close()


def flip(path: Path, offset: int = 4096) -> None:
    data = bytearray(path.read_bytes())
    data[offset : offset + 4000] = bytes(255 - byte for byte in data[offset : offset + 4000])
    path.write_bytes(data)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_backup_holds_the_whole_journal_the_export_and_a_manifest(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    made = make_backup(tmp_path / "data", tmp_path / "to", 1_767_571_200_000)
    assert names(made.folder) == {FILE_NAME, EXPORT, MANIFEST}
    assert made.folder.name == "20260105T000000.000000Z"
    whole = verify(tmp_path / "data" / FILE_NAME)
    assert (made.manifest.rows, made.manifest.head, made.manifest.decision_head) == (
        30, whole.head, whole.decision_head,
    )  # fmt: skip
    assert made.manifest.last_row_ms == 29
    assert read_backup(made.folder) == made.manifest
    with gzip.open(made.folder / EXPORT, "rt") as lines:
        assert [json.loads(line)["body"]["n"] for line in lines] == list(range(30))


async def test_a_backup_is_made_while_the_daemon_writes(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    copies = []
    for n in range(5):
        journal.append(Kind.DECISION, n, {"filler": "x" * 3_000})
        await journal.durable()
        journal.append(Kind.NOTE, n, {})  # queued, not on the disk yet
        made = await asyncio.to_thread(make_backup, tmp_path, tmp_path / "to", n)
        copies.append(made.manifest.rows)
        await journal.durable()  # and the copy held nobody up
    await journal.close()
    assert copies == [1, 3, 5, 7, 9]
    assert verify(tmp_path / FILE_NAME).rows == 10


async def test_only_so_many_of_the_youngest_stay(tmp_path: Path) -> None:
    await write(tmp_path / "data", 3)
    (tmp_path / "to" / f"20200101T000000.000000Z{UNFINISHED}").mkdir(parents=True)
    made = [make_backup(tmp_path / "data", tmp_path / "to", n * HOUR_MS, keep=2) for n in range(4)]
    assert names(tmp_path / "to") == {made[2].folder.name, made[3].folder.name}
    assert made[3].removed == (made[1].folder.name,)


async def test_a_journal_that_does_not_hold_is_not_called_a_backup(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / FILE_NAME)) as db:
        db.execute("DROP TRIGGER events_hold")
        db.execute("UPDATE events SET at_ms = 77 WHERE seq = 5")
        db.commit()
    with pytest.raises(JournalBroken, match="row 5"):
        make_backup(tmp_path / "data", tmp_path / "to", 0)
    assert names(tmp_path / "to") == set()


def test_without_a_journal_there_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed, match="there is no journal"):
        make_backup(tmp_path, tmp_path / "to", 0)
    assert not (tmp_path / "to").exists()


async def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    await write(tmp_path / "data", 3)
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalFailed, match="cannot back up"):
        make_backup(tmp_path / "data", tmp_path / "file" / "to", 0)


# --- restoring ------------------------------------------------------------------------------------


async def test_a_lost_journal_comes_back_row_for_row(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await write(data)
    before = verify(data / FILE_NAME)
    made = make_backup(data, tmp_path / "to", 0)
    shutil.rmtree(data)
    done = restore(made.folder, data, 0)
    assert (done.rows_before, done.set_aside) == (None, "")
    assert verify(data / FILE_NAME) == before
    assert not (data / f"{FILE_NAME}.restoring").exists()
    journal = await SqliteJournal.open(data / FILE_NAME, StillClock())  # and it can be gone on with
    journal.append(Kind.NOTE, 99, {})
    await journal.close()
    assert verify(data / FILE_NAME).rows == 31


@pytest.mark.fault("DB4")
async def test_a_damaged_journal_is_replaced_and_kept_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await write(data, 200)
    made = make_backup(data, tmp_path / "to", 0)
    flip(data / FILE_NAME)
    (data / f"{FILE_NAME}-wal").write_bytes(b"a log of the damaged file")
    fallback_of(data / FILE_NAME).write_text("rows of the damaged file\n")
    kept = {name: (data / name).read_bytes() for name in names(data) if name.startswith(FILE_NAME)}
    done = restore(made.folder, data, 0)
    assert done.rows_before is None
    assert {path.name: path.read_bytes() for path in (data / done.set_aside).iterdir()} == kept
    assert verify(data / FILE_NAME).head == made.manifest.head
    assert not fallback_of(data / FILE_NAME).exists()


async def test_a_living_daemons_journal_is_never_replaced(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await write(data)
    made = make_backup(data, tmp_path / "to", 0)
    with FolderLock(data), pytest.raises(SelfCheckRefused, match="another engine"):
        restore(made.folder, data, 0, over_newer=True)


async def test_a_newer_journal_is_replaced_only_when_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await write(data)
    made = make_backup(data, tmp_path / "to", 0)
    await write(data, 5)
    with pytest.raises(UsageError, match="newer than the backup: 35 rows against 30"):
        restore(made.folder, data, 0)
    assert verify(data / FILE_NAME).rows == 35
    done = restore(made.folder, data, 0, over_newer=True)
    assert done.rows_before == 35
    assert verify(data / FILE_NAME).rows == 30
    assert verify(data / done.set_aside / FILE_NAME).rows == 35


async def test_rows_that_wait_in_the_fallback_make_a_journal_newer(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    made = make_backup(tmp_path / "data", tmp_path / "to", 0)
    fallback_of(tmp_path / "data" / FILE_NAME).write_text("{}\n")
    with pytest.raises(UsageError, match=r"and more in journal\.db\.fallback"):
        restore(made.folder, tmp_path / "data", 0)


async def test_other_books_are_replaced_only_when_told(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    await write(tmp_path / "other", 7)
    made = make_backup(tmp_path / "data", tmp_path / "to", 0)
    with pytest.raises(UsageError, match="other books"):
        restore(made.folder, tmp_path / "other", 0)
    restore(made.folder, tmp_path / "other", 0, over_newer=True)
    assert verify(tmp_path / "other" / FILE_NAME).rows == 30


async def test_restoring_the_same_twice_changes_nothing(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    made = make_backup(tmp_path / "data", tmp_path / "to", 0)
    for n in range(2):
        restore(made.folder, tmp_path / "data", n * 1000)
        assert verify(tmp_path / "data" / FILE_NAME).head == made.manifest.head


@pytest.mark.parametrize("harm", ["file", "manifest", "absent"])
async def test_a_backup_that_was_changed_restores_nothing(tmp_path: Path, harm: str) -> None:
    data = tmp_path / "data"
    await write(data)
    made = make_backup(data, tmp_path / "to", 0)
    if harm == "file":
        flip(made.folder / FILE_NAME, 5000)
    elif harm == "manifest":
        text = (made.folder / MANIFEST).read_text()
        (made.folder / MANIFEST).write_text(text.replace('"rows": 30', '"rows": 29'))
    else:
        (made.folder / MANIFEST).unlink()
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    with pytest.raises((JournalBroken, UsageError)):
        restore(made.folder, data, 0)
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


async def test_the_commands_say_what_they_did_and_use_the_exit_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    await write(data)

    def run(*arguments: str) -> tuple[int, str]:
        code = main([*arguments, "--data", str(data)])
        out, err = capsys.readouterr()
        return code, out + err

    code, said = run("backup", "--json")
    assert code == 0
    folder = json.loads(said)["folder"]
    assert Path(folder).parent == data / "backups"
    await write(data, 3)
    code, said = run("restore", folder)
    assert code == 2 and "--over-newer" in said
    code, said = run("restore", folder, "--over-newer")
    assert code == 0 and "of 33 rows is kept in" in said
    with FolderLock(data):
        code, said = run("restore", folder, "--over-newer")
    assert code == 3 and "another engine" in said
    code, said = run("restore", str(tmp_path))
    assert code == 2 and "a folder made by" in said


# --- the daemon's own -----------------------------------------------------------------------------


class Ear:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def tell(self, topic: str, level: str, fields: object) -> None:
        self.told.append((topic, level))


async def test_the_daemon_backs_up_on_time_and_tells_a_failure_and_its_end(tmp_path: Path) -> None:
    clock, ear = FakeClock(), Ear()
    start_ms, made = clock.now_ms(), []
    enough = asyncio.Event()

    def make(data: Path, to: Path, now_ms: int, keep: int | None) -> Backup:
        made.append(((now_ms - start_ms) / HOUR_MS, to.name, keep))
        if len(made) >= 5:
            asyncio.run_coroutine_threadsafe(finish(), loop)
        if len(made) == 2:
            raise JournalFailed("no room")
        return Backup(to, None)  # type: ignore[arg-type]

    async def finish() -> None:
        enough.set()

    loop = asyncio.get_running_loop()
    plan = BackupPlan(every_hours=Decimal(6), keep=3)
    task = asyncio.create_task(AutoBackup(tmp_path, plan, clock, ear, make).run())
    await enough.wait()
    task.cancel()
    assert made[:5] == [(at, "backups", 3) for at in (6, 12, 12.25, 18.25, 24.25)]
    assert ear.told[:3] == [("recovered", "info"), ("trouble", "warning"), ("recovered", "info")]


async def test_a_restart_goes_on_counting_from_the_last_backup(tmp_path: Path) -> None:
    await write(tmp_path)
    made = make_backup(tmp_path, tmp_path / "backups", 0)
    last_ms = int((made.folder / MANIFEST).stat().st_mtime * 1000)
    auto = AutoBackup(tmp_path, BackupPlan(), StillClock(last_ms + HOUR_MS), Ear())
    assert auto._last_ms() == last_ms


async def test_a_plan_of_zero_hours_makes_none(tmp_path: Path) -> None:
    plan = BackupPlan(every_hours=Decimal(0))
    await AutoBackup(tmp_path, plan, FakeClock(), Ear()).run()
    assert names(tmp_path) == set()
