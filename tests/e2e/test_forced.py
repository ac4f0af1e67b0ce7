"""What the venue does to us by force: the other leg follows at once, and the books know why."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from core.events import State
from core.facts import Kind
from core.journal_reader import JournalReader
from scripts.questions import read_books
from scripts.storm.inquiry import books_of
from tests.e2e.rig import ROOT, start, venue
from tests.e2e.test_crashes import LOT, check, holds_something

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine


def runs_two(folder: Path) -> bool:
    if not holds_something(folder):
        return False
    books = read_books(folder)
    shorts = [hedge.contracts for hedge in books.hedge_views({}).values()]
    return books.state is State.RUNNING and len(shorts) == 2 and all(shorts)


def test_after_an_adl_of_half_the_short_the_legs_are_equal_again_and_the_books_know_why(
    tmp_path: Path,
) -> None:
    with venue("--seed", "7") as url:
        run = ("run", "--venue", url, "--data", str(tmp_path), "--for", "3h", "--speed", "600")
        daemon = start(str(ROOT / "main.py"), *run)
        while not runs_two(tmp_path):
            assert daemon.poll() is None
        answer = httpx.post(
            f"{url}/sim/account/demo", json={"adl": {"BTC-USDT-SWAP": "0.5"}}, trust_env=False
        )
        assert answer.status_code == 200, answer.text
        assert daemon.wait(timeout=120) == 0
        held = books_of(url)
        assert all(abs(held.naked(coin)) < lot for coin, lot in LOT.items()), held
        books = read_books(tmp_path)
        assert books.state is State.RUNNING
        with JournalReader(tmp_path / "journal.db") as reader:
            forced = [row for row in reader.rows(Kind.FILL) if not row.body["fill"]["cl_id"]]
        assert [row.body["fill"]["inst_id"] for row in forced] == ["BTC-USDT-SWAP"]
        check(url, tmp_path)
