"""The journal's disk fails in the middle of a hedge: it is finished, nothing new begins, no row is lost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import JournalBroken
from core.facts import Kind
from core.fallback import fallback_of
from core.journal_reader import JournalReader
from scripts.storm.inquiry import books_of
from tests.e2e.rig import ROOT, main, run, venue
from tests.e2e.test_crashes import LOT, check

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

D = Decimal
DRIVER = str(ROOT / "tests" / "e2e" / "storage_driver.py")
FULL = "max_page_count = 1/max_page_count = 1000000"
READ_ONLY = "query_only = 1/query_only = 0"


def bodies(folder: Path, kind: Kind) -> list[tuple[int, dict[str, object]]]:
    with JournalReader(folder / "journal.db") as reader:
        return [(row.at_ms, dict(row.body)) for row in reader.rows(kind)]


@pytest.mark.fault("DB1", "DB2")
@pytest.mark.parametrize("how", [FULL, READ_ONLY], ids=["full", "read only"])
def test_a_hedge_that_was_half_open_when_the_disk_failed_is_finished_and_nothing_new_is_opened(
    how: str, tmp_path: Path
) -> None:
    with venue("--seed", "7") as url:
        # The first fill is the spot leg of the first of two hedges; the disk is well again an hour later.
        done = run(DRIVER, "fill", "1", "OPENING", "3600", url, str(tmp_path), how)
        assert done.code == 0, done.err
        assert done.summary["unexplained"] == "0" and done.summary["state"] == "RUNNING"
        assert D(str(done.summary["max_naked_s"])) < 5
        check(url, tmp_path)
    assert not fallback_of(tmp_path / "journal.db").exists()
    causes = [(at, b["level"]) for at, b in bodies(tmp_path, Kind.PERMISSION) if b["cause"] == "journal"]
    assert [level for _, level in causes] == ["REDUCE_ONLY", "FULL"]  # once each
    (began, _), (ended, _) = causes
    assert 3_000_000 < ended - began < 3_900_000
    opened = [at for at, body in bodies(tmp_path, Kind.HEDGE) if body["event"] == "opened"]
    assert len(opened) == 2
    assert opened[0] <= began and opened[1] > ended
    swap_fills = [at for at, body in bodies(tmp_path, Kind.FILL) if body["leg"] == "swap"]
    assert swap_fills[0] - began < 5_000  # the hedging order went out without a journal
    intents = bodies(tmp_path, Kind.INTENT)
    fills = bodies(tmp_path, Kind.FILL)
    assert len(intents) >= 4 and len(fills) >= 4


@pytest.mark.fault("DB1")
def test_a_process_that_ends_while_its_disk_is_full_loses_no_fact(tmp_path: Path) -> None:
    with venue("--seed", "7") as url:
        done = run(DRIVER, "fill", "1", "OPENING", "0", url, str(tmp_path), FULL)
        assert done.code == 0, done.err
        held = fallback_of(tmp_path / "journal.db")
        assert b'"kind":"fill"' in held.read_bytes() and b'"kind":"stop"' in held.read_bytes()
        said = main("status", "--data", str(tmp_path))
        assert "rows wait in journal.db.fallback.jsonl" in said.out
        arguments = ("--venue", url, "--data", str(tmp_path), "--for", "40m", "--speed", "max", "--json")
        again = main("run", *arguments)
        assert again.code == 0, again.err
        assert again.summary["unexplained"] == "0" and again.summary["state"] == "RUNNING"
        check(url, tmp_path)
    assert not held.exists()


@pytest.mark.fault("DB4", "DB6")
def test_a_damaged_journal_refuses_the_start_and_a_backup_and_the_venue_bring_the_books_back(
    tmp_path: Path,
) -> None:
    data, copies = tmp_path / "data", tmp_path / "copies"
    arguments = ("--data", str(data), "--speed", "max", "--json")
    with venue("--seed", "7") as url:
        assert main("run", "--venue", url, *arguments, "--for", "3h").code == 0
        made = main("backup", "--data", str(data), "--to", str(copies), "--json")
        assert made.code == 0, made.err
        # Life goes on after the backup: settlements, a review, perhaps trades.
        assert main("run", "--venue", url, *arguments, "--for", "7h").code == 0
        path = data / "journal.db"
        damaged = bytearray(path.read_bytes())
        for start in range(8192, len(damaged), 16_384):
            damaged[start : start + 512] = bytes(255 - byte for byte in damaged[start : start + 512])
        path.write_bytes(damaged)
        refused = main("run", "--venue", url, *arguments, "--for", "1h")
        assert refused.code == 3 and "journal" in refused.err and "restore" in refused.err
        restored = main("restore", made.summary["folder"], "--data", str(data), "--json")
        assert restored.code == 0, restored.err
        assert (data / restored.summary["set_aside"] / "journal.db").read_bytes() == damaged
        again = main("run", "--venue", url, *arguments, "--for", "1h")
        assert again.code == 0, again.err
        assert again.summary["unexplained"] == "0" and again.summary["state"] == "RUNNING"
        held = books_of(url)
        assert all(abs(held.naked(coin)) < lot for coin, lot in LOT.items())
        funding = [body for _, body in bodies(data, Kind.BILL) if body["bill"]["kind"] == "funding"]  # type: ignore[index]
        assert len(funding) >= 2  # those of the lost hours were asked for again


def test_the_rig_of_these_tests_can_tell_a_broken_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("no database")
    with pytest.raises(JournalBroken):
        bodies(tmp_path, Kind.NOTE)
