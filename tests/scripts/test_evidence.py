"""What a data folder tells before the start."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.journal import FILE_NAME, SqliteJournal
from core.lock import FolderLock
from scripts.evidence import host_facts, journal_facts
from tests.core.story import D, StillClock, Story


async def write(folder: Path, story: Story) -> None:
    journal = await SqliteJournal.open(folder / FILE_NAME, StillClock())
    for row in story.rows:
        journal.append(row.kind, row.at_ms, row.body)
    await journal.durable()
    await journal.close()


def a_hedge() -> Story:
    story = Story()
    story.boot({"USDT": "1000"})
    story.hedge("opened")
    story.intent("ours1")
    story.fill("spot", "buy", "1", "100", cl_id="ours1")
    story.order("ours1")
    story.fill("swap", "sell", "99", "100")
    return story


def test_a_fresh_folder_is_a_first_start(tmp_path: Path) -> None:
    facts = journal_facts(tmp_path)
    assert facts.intact and facts.clean_stop is None and not facts.contracts


async def test_the_books_say_what_is_held_and_which_orders_are_ours(tmp_path: Path) -> None:
    await write(tmp_path, a_hedge())
    facts = journal_facts(tmp_path)
    assert facts.contracts == {"BTC-USDT-SWAP": D(99)}
    assert facts.coins == {"BTC": D(1)}
    assert "ours1" in facts.known_orders and "stranger" not in facts.known_orders
    assert facts.unresolved == 0 and "6 rows" in facts.detail


async def test_an_order_without_an_end_is_unresolved(tmp_path: Path) -> None:
    story = a_hedge()
    story.intent("ours2")
    await write(tmp_path, story)
    assert journal_facts(tmp_path).unresolved == 1


async def test_only_a_recorded_stop_was_on_purpose(tmp_path: Path) -> None:
    story = a_hedge()
    await write(tmp_path, story)
    assert journal_facts(tmp_path).clean_stop is False
    goodbye = Story()
    goodbye.stop()
    await write(tmp_path, goodbye)
    assert journal_facts(tmp_path).clean_stop is True


async def test_a_changed_row_is_found(tmp_path: Path) -> None:
    await write(tmp_path, a_hedge())
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute("UPDATE events SET body = replace(body, '99', '98') WHERE seq = 6")
        db.commit()
    facts = journal_facts(tmp_path)
    assert not facts.intact and "row 6" in facts.detail


def test_a_file_that_is_no_journal_is_not_intact(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database, but long enough to be looked at" * 100)
    assert not journal_facts(tmp_path).intact


def test_the_holder_of_the_folder_is_named(tmp_path: Path) -> None:
    assert host_facts(tmp_path).lock_holder == ""
    with FolderLock(tmp_path):
        assert host_facts(tmp_path).lock_holder.startswith("process ")
    assert host_facts(tmp_path).free_bytes > 0
