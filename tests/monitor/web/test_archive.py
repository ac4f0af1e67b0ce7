from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import JournalFailed
from core.facts import Kind, encoded
from core.journal import FILE_NAME
from core.projections import Books
from monitor.web.archive import Archive
from tests.core.story import Story
from tests.monitor.web.shelf import Shelf
from tests.scripts.test_questions import running_story


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


async def test_decisions_come_youngest_first_and_page_back(shelf: Shelf) -> None:
    await shelf.write(running_story())
    archive = Archive(shelf.path)
    every = archive.decisions(500, None, None, False)
    assert [one.seq for one in every] == sorted((one.seq for one in every), reverse=True) and len(every) > 2
    assert archive.decisions(500, every[1].seq, None, False) == every[2:]
    assert archive.decisions(1, None, None, False) == every[:1]
    assert all(one.moved for one in archive.decisions(500, None, None, True))


async def test_a_question_about_one_coin_leaves_the_others_verdicts_out(shelf: Shelf) -> None:
    await shelf.write(running_story())
    told = Archive(shelf.path).decisions(500, None, "ETH-USDT", False)
    assert told
    assert {v.instrument for one in told for v in one.verdicts} <= {"ETH-USDT", None}


@pytest.mark.parametrize("instrument", [None, "ETH-USDT", "SOL-USDT"])
@pytest.mark.parametrize("moved_only", [False, True])
async def test_what_is_kept_says_the_same_as_what_is_read_anew(
    shelf: Shelf, instrument: str | None, moved_only: bool
) -> None:
    story = running_story()
    await shelf.write(story)
    archive = Archive(shelf.path)
    for most, before in ((500, None), (500, None), (2, None), (3, 9), (500, 9)):
        told = archive.decisions_json(most, before, instrument, moved_only)
        assert told == encoded(Archive(shelf.path).decisions(most, before, instrument, moved_only))
        assert len(json.loads(told)) <= most
    story.decision("scan", "RUNNING")
    await shelf.write(story)
    newest = json.loads(archive.decisions_json(1, None, None, False))
    assert newest[0]["seq"] == len(story.rows)


async def test_only_so_many_decisions_are_kept_and_what_is_not_is_read_again(shelf: Shelf) -> None:
    await shelf.write(running_story())
    archive = Archive(shelf.path, most_kept=2)
    every = archive.decisions_json(500, None, None, False)
    assert len(json.loads(every)) > 2 == archive.kept
    assert archive.decisions_json(500, None, None, False) == every


async def test_the_export_is_every_row_in_order(shelf: Shelf) -> None:
    story = running_story()
    await shelf.write(story)
    rows = [json.loads(line) for line in Archive(shelf.path).export()]
    assert [row["seq"] for row in rows] == list(range(1, len(story.rows) + 1))
    assert rows[0]["kind"] == Kind.BOOT.value and all(row["hash"] for row in rows)


async def test_rows_are_found_by_kind_by_coin_and_by_what_they_say(shelf: Shelf) -> None:
    story = Story()
    story.boot({"USDT": "1000"})
    story.intent("aaa")
    story.intent("bbb", instrument="ETH-USDT")
    story.ack("bbb", "rejected")
    await shelf.write(story)
    archive = Archive(shelf.path)
    every = archive.entries(500, None, None, None, None)
    assert [one.seq for one in every] == list(range(len(story.rows), 0, -1))
    assert archive.entries(500, every[1].seq, None, None, None) == every[2:]
    assert [one.kind for one in archive.entries(500, None, Kind.ACK, None, None)] == ["ack"]
    assert [one.body["order"]["cl_id"] for one in archive.entries(5, None, None, "ETH-USDT", None)] == ["bbb"]
    assert [one.kind for one in archive.entries(500, None, None, None, "REJECTED")] == ["ack"]
    assert archive.entries(500, None, None, "ETH-USDT", "aaa") == ()


async def test_any_moment_is_told_as_the_books_were_then(shelf: Shelf) -> None:
    story = running_story()
    await shelf.write(story)
    archive = Archive(shelf.path)
    instants = sorted({row.at_ms for row in story.rows})
    for at_ms in (*instants, *reversed(instants)):  # forwards, and back again
        books = Books()
        for row in story.rows:
            if row.at_ms <= at_ms:
                books.apply(row)
        told = archive.moment(at_ms)
        assert told is not None
        assert (told.state, told.permission) == (books.state.value, books.permission.level.name)
        assert told.equity == books.last_equity - books.ledger.transfers
        views = books.hedge_views({})
        assert {one.instrument: (one.contracts, one.pnl) for one in told.hedges} == {
            name: (view.contracts, view.pnl) for name, view in views.items()
        }


async def test_before_the_first_row_there_was_no_moment(shelf: Shelf) -> None:
    story = running_story()
    await shelf.write(story)
    assert Archive(shelf.path).moment(story.rows[0].at_ms - 1) is None


def test_without_a_journal_the_question_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed, match="no journal"):
        Archive(tmp_path / FILE_NAME).moment(0)
