"""Killed with SIGKILL at every step of a hedge and started again: no order twice, no naked leg."""

from __future__ import annotations

import signal
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import JournalFailed
from scripts.questions import read_books
from scripts.storm.inquiry import books_of, findings
from tests.e2e.rig import ROOT, main, run, start, venue

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

D = Decimal
DRIVER = str(ROOT / "tests" / "e2e" / "crash_driver.py")
CLOSE_ALL = str(ROOT / "scripts" / "close_all.py")
LOT = {"BTC": D("0.0001"), "ETH": D("0.001")}  # one swap lot in coins

POINTS = [
    ("hedge", 1, "OPENING"),  # the target is known, nothing sent
    ("intent", 1, "OPENING"),  # meant to buy spot
    ("ack", 1, "OPENING"),  # the venue has the spot order
    ("fill", 1, "OPENING"),  # spot bought, no short yet
    ("intent", 2, "OPENING"),  # meant to sell the swap
    ("ack", 2, "OPENING"),
    ("fill", 2, "OPENING"),
    ("report", 1, "any"),
    ("transfer", 1, "REBALANCING"),  # meant to move money
    ("transfer", 2, "REBALANCING"),  # moved, not confirmed
    ("bill", 3, "any"),
    ("equity", 3, "RUNNING"),
]


def check(url: str, folder: Path) -> None:
    """The venue's own word: every client id once, legs equal, and our books the same as its."""
    assert findings(url, folder, tuple(LOT)) == []


def holds_something(folder: Path) -> bool:
    try:
        return bool(read_books(folder).hedge_views({}))
    except JournalFailed:  # not made yet, or just being made
        return False


@pytest.mark.fault("CR1", "CR2", "CR3", "CR7")
@pytest.mark.parametrize(("kind", "count", "state"), POINTS)
def test_a_killed_engine_starts_again_with_the_venues_books(
    kind: str, count: int, state: str, tmp_path: Path
) -> None:
    with venue("--seed", "7") as url:
        killed = run(DRIVER, kind, str(count), state, url, str(tmp_path))
        assert killed.code == -signal.SIGKILL, killed.err
        again = main(
            "run", "--venue", url, "--data", str(tmp_path), "--for", "40m", "--speed", "max", "--json"
        )
        assert again.code == 0, again.err
        assert again.summary["unexplained"] == "0"
        assert again.summary["state"] in ("RUNNING", "IDLE")
        check(url, tmp_path)


@pytest.mark.fault("CR12")
def test_close_all_flattens_a_dead_daemons_hedges_and_does_nothing_the_second_time(tmp_path: Path) -> None:
    with venue("--seed", "7") as url:
        assert run(DRIVER, "equity", "3", "RUNNING", url, str(tmp_path)).code == -signal.SIGKILL
        assert any(books_of(url).contracts.values())
        arguments = ("--mode", "demo", "--venue", url, "--data", str(tmp_path))
        for _ in range(2):
            closed = run(CLOSE_ALL, *arguments)
            assert closed.code == 0, closed.err
            held = books_of(url)
            assert not any(held.contracts.values())
            assert all(abs(held.naked(coin)) < lot for coin, lot in LOT.items())
        check(url, tmp_path)


@pytest.mark.fault("CR12")
def test_close_all_flattens_under_changes_of_the_configuration_that_nobody_can_read(tmp_path: Path) -> None:
    with venue("--seed", "7") as url:
        assert run(DRIVER, "equity", "3", "RUNNING", url, str(tmp_path)).code == -signal.SIGKILL
        (tmp_path / "overlay.json").write_text('{"version": 1, "changes": {"account.leverage": "50"}}')
        closed = run(CLOSE_ALL, "--mode", "demo", "--venue", url, "--data", str(tmp_path))
        assert closed.code == 0, closed.err
        assert "changes over the configuration cannot be used" in closed.err
        assert not any(books_of(url).contracts.values())


@pytest.mark.fault("CR12")
def test_close_all_asks_a_living_daemon_and_it_stays_stopped(tmp_path: Path) -> None:
    with venue("--seed", "7") as url:
        daemon = start(
            str(ROOT / "main.py"), "run", "--venue", url, "--data", str(tmp_path), "--speed", "2000"
        )
        try:
            while not holds_something(tmp_path):
                assert daemon.poll() is None
            closed = run(CLOSE_ALL, "--mode", "demo", "--venue", url, "--data", str(tmp_path))
            assert closed.code == 0, closed.err
            assert daemon.poll() is None
        finally:
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(timeout=60) == 0
        assert read_books(tmp_path).state.value == "STOPPED"
        assert not any(books_of(url).contracts.values())
        restarted = main(
            "run", "--venue", url, "--data", str(tmp_path), "--for", "1h", "--speed", "max", "--json"
        )
        assert restarted.summary["state"] == "STOPPED"
        check(url, tmp_path)
