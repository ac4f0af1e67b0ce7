"""The process beside the engine, and close_all without it: real processes, real sockets, five hedges."""

from __future__ import annotations

import json
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.heartbeat import read
from scripts.questions import read_books
from scripts.storm.inquiry import Books, books_of
from tests.e2e.rig import PATIENCE_S, ROOT, main, run, start, venue

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

D = Decimal
COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE")
NAMES = ",".join(f"{coin}-USDT" for coin in COINS)
CLOSE_ALL = str(ROOT / "scripts" / "close_all.py")
MAIN = str(ROOT / "main.py")
AFTER_S = 3


@contextmanager
def daemon(url: str, folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """An engine at ten minutes a second, killed in the end if nobody ended it."""
    process = start(
        MAIN, "run", "--venue", url, "--data", str(folder), "--instruments", NAMES, "--speed", "600", *more
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(timeout=30)


def wait_for_hedges(folder: Path, process: subprocess.Popen[str], count: int = len(COINS)) -> None:
    while (beat := read(folder)) is None or len(beat.hedges) < count or beat.state != "RUNNING":
        assert process.poll() is None
        time.sleep(0.05)


def close_all(url: str, folder: Path, *more: str) -> Any:
    return run(CLOSE_ALL, "--mode", "demo", "--venue", url, "--data", str(folder), *more)


def is_flat(held: Books) -> bool:
    """By the venue's word: no contract, and of no coin more than the engine could not sell."""
    return not any(held.contracts.values()) and all(left < D("0.001") for left in held.coins.values())


def ids(held: Books) -> set[str]:
    return {order["ordId"] for order in held.orders}


def check_reductions(before: Books, after: Books) -> None:
    """INV-8: what came since then only sold spot or bought swaps back, reduce-only."""
    fresh = [order for order in after.orders if order["ordId"] not in ids(before)]
    assert fresh
    for order in fresh:
        if order["instId"].endswith("-SWAP"):
            assert (order["side"], order["reduceOnly"]) == ("buy", "true"), order
        else:
            assert order["side"] == "sell", order


@contextmanager
def watchdog(url: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(
        MAIN, "watchdog", "--mode", "demo", "--venue", url, "--data", str(folder),
        "--after", f"{AFTER_S}s", "--json", talks=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def events(process: subprocess.Popen[str], until: str) -> list[dict[str, Any]]:
    """What the watchdog says, up to an event of this name."""
    assert process.stdout is not None
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["event"] != until:
        heard.append(json.loads(process.stdout.readline()))
    return heard


@pytest.mark.fault("CR10", "CR12", "OL14")
def test_a_stopped_daemons_five_hedges_are_flat_within_ten_seconds_and_it_goes_on_without_an_order(
    tmp_path: Path,
) -> None:
    with venue("--seed", "7", "--instruments", NAMES) as url, daemon(url, tmp_path) as engine:
        with watchdog(url, tmp_path) as dog:
            events(dog, "watches")
            wait_for_hedges(tmp_path, engine)
            before = books_of(url)
            assert all(before.contracts[f"{coin}-USDT-SWAP"] < 0 for coin in COINS)
            engine.send_signal(signal.SIGSTOP)
            stopped_s = time.monotonic()
            heard = events(dog, "flat")
            took_s = time.monotonic() - stopped_s
            closed = books_of(url)
            assert is_flat(closed)
            check_reductions(before, closed)
            assert [one["event"] for one in heard if one["event"] not in ("suspects", "calm")] == [
                "strikes",
                "flat",
            ]
            assert heard[-1]["proof"]["flat"] is True and len(heard[-1]["proof"]["pairs"]) == len(COINS)
            assert took_s < 10, took_s
            engine.send_signal(signal.SIGCONT)
            while (beat := read(tmp_path)) is None or beat.state != "STOPPED":
                assert engine.poll() is None
                time.sleep(0.05)
            time.sleep(2)  # twenty minutes of the venue: four scans
            later = books_of(url)
            assert ids(later) == ids(closed) and is_flat(later)
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(timeout=60) == 0
        assert read_books(tmp_path).permission.level.name == "HALTED"

        # Under the marker a new start sends nothing either; `resume` ends it, after the self-check.
        again = main(
            "run", "--venue", url, "--data", str(tmp_path), "--instruments", NAMES,
            "--for", "30m", "--speed", "max", "--json",
        )  # fmt: skip
        assert again.summary["state"] == "STOPPED" and again.summary["permission"] == "HALTED"
        assert ids(books_of(url)) == ids(closed)
        assert main("resume", "--data", str(tmp_path)).code == 0
        resumed = main(
            "run", "--venue", url, "--data", str(tmp_path), "--instruments", NAMES,
            "--for", "30m", "--speed", "max", "--json",
        )  # fmt: skip
        assert resumed.summary["permission"] == "FULL" and resumed.summary["state"] in ("IDLE", "RUNNING")
        assert resumed.summary["unexplained"] == "0"
        assert not (tmp_path / "HALT").exists()


@pytest.mark.fault("CR12")
def test_close_all_does_it_itself_when_the_daemon_does_not_answer(tmp_path: Path) -> None:
    with venue("--seed", "7", "--instruments", NAMES) as url, daemon(url, tmp_path) as engine:
        wait_for_hedges(tmp_path, engine)
        before = books_of(url)
        engine.send_signal(signal.SIGSTOP)
        began_s = time.monotonic()
        closed = close_all(url, tmp_path)
        assert closed.code == 0, closed.err
        assert time.monotonic() - began_s < 60
        assert "does not answer" in closed.err and closed.out.startswith("flat, by the venue's own figures")
        once = books_of(url)
        assert is_flat(once)
        check_reductions(before, once)
        assert close_all(url, tmp_path).code == 0
        assert ids(books_of(url)) == ids(once)
        assert not list((tmp_path / "commands").glob("*.json"))
        engine.send_signal(signal.SIGCONT)
        time.sleep(2)
        assert engine.poll() is None
        later = books_of(url)
        assert ids(later) == ids(once) and is_flat(later)


@pytest.mark.fault("CR12", "DB3")
def test_close_all_needs_no_database_when_somebody_has_locked_it(tmp_path: Path) -> None:
    with venue("--seed", "7", "--instruments", NAMES) as url, daemon(url, tmp_path) as engine:
        wait_for_hedges(tmp_path, engine)
        before = books_of(url)
        engine.kill()
        engine.wait(timeout=30)
        locked = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        try:
            locked.execute("PRAGMA locking_mode = EXCLUSIVE")
            locked.execute("BEGIN EXCLUSIVE")
            closed = close_all(url, tmp_path, "--json")
        finally:
            locked.close()
        assert closed.code == 0, closed.err
        assert closed.summary["flat"] is True and closed.summary["books"] == "heartbeat"
        after = books_of(url)
        assert is_flat(after)
        check_reductions(before, after)


@pytest.mark.fault("CR12", "DB1")
def test_close_all_writes_nothing_it_needs_when_the_disk_is_full(tmp_path: Path) -> None:
    with venue("--seed", "7", "--instruments", NAMES) as url, daemon(url, tmp_path) as engine:
        wait_for_hedges(tmp_path, engine)
        engine.kill()
        engine.wait(timeout=30)
        before = books_of(url)
        closed = subprocess.run(
            [sys.executable, CLOSE_ALL, "--mode", "demo", "--venue", url, "--data", str(tmp_path), "--json"],
            capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE_S,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        )  # fmt: skip
        assert closed.returncode == 0, closed.stderr
        assert json.loads(closed.stdout.splitlines()[-1])["flat"] is True
        after = books_of(url)
        assert is_flat(after)
        check_reductions(before, after)
        assert (tmp_path / "HALT").exists()


def test_a_watchdog_with_nothing_to_guard_says_nothing_and_a_dry_run_has_none(tmp_path: Path) -> None:
    refused = main("watchdog", "--mode", "demo", "--data", str(tmp_path))
    assert refused.code == 2 and "--venue" in refused.err
    assert main("watchdog", "--mode", "dry-run").code == 2
    wrong = main("watchdog", "--after", "soon")
    assert wrong.code == 2 and "--after" in wrong.err
