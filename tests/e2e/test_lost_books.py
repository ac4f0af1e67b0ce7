"""Books that are gone, old, or kept by two engines at once: real daemons, one venue, over sockets."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from core.facts import Kind
from core.journal_reader import JournalReader
from core.sentinel import CAUSE
from scripts.questions import read_books
from scripts.storm.inquiry import books_of
from tests.e2e.rig import ROOT, main, start, venue
from tests.e2e.test_crashes import DRIVER, LOT, run

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine


def started(url: str, folder: Path, *more: str) -> tuple[str, ...]:
    return ("run", "--venue", url, "--data", str(folder), "--speed", "max", "--json", *more)


def hedged(url: str) -> bool:
    held = books_of(url)
    return all(abs(held.naked(coin)) < lot for coin, lot in LOT.items())


@pytest.mark.fault("DB7", "IN1")
def test_an_engine_whose_folder_was_deleted_waits_then_finds_its_hedges_again(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    with venue("--seed", "7") as url:
        ended = main(*started(url, first, "--for", "20m"))
        assert ended.code == 0, ended.err
        before = books_of(url)
        assert any(before.contracts.values())
        shutil.rmtree(first)
        refused = main(*started(url, second, "--for", "1h"))
        if refused.code == 3:  # the last order is a few minutes old: another engine may be alive
            assert "another engine works on this account" in refused.err
            refused = main(*started(url, second, "--for", "1h", "--take-over"))
        assert refused.code == 0, refused.err
        assert refused.summary["unexplained"] == "0" and refused.summary["permission"] == "FULL"
        assert hedged(url)
        books, held = read_books(second), books_of(url)
        for coin in LOT:
            hedge = books.hedge(f"{coin}-USDT")
            if hedge is not None:
                assert hedge.contracts == -held.contracts[f"{coin}-USDT-SWAP"]
                assert hedge.spot_base + books.dust.get(coin, 0) <= held.coins[coin]
        ids = Counter(order["clOrdId"] for order in held.orders if order["clOrdId"])
        assert max(ids.values()) == 1


@pytest.mark.fault("DB6")
def test_an_engine_on_an_old_backup_takes_over_what_was_done_since(tmp_path: Path) -> None:
    folder, backup = tmp_path / "a", tmp_path / "backup"
    with venue("--seed", "7") as url:
        assert run(DRIVER, "intent", "1", "OPENING", url, str(folder)).code == -signal.SIGKILL
        shutil.copytree(folder, backup)
        ended = main(*started(url, folder, "--for", "40m"))
        assert ended.code == 0, ended.err
        again = main(*started(url, backup, "--for", "1h", "--take-over"))
        assert again.code == 0, again.err
        assert again.summary["unexplained"] == "0" and again.summary["state"] in ("RUNNING", "IDLE")
        assert hedged(url)
        books, held = read_books(backup), books_of(url)
        assert books.unresolved_orders() == ()
        ids = Counter(order["clOrdId"] for order in held.orders if order["clOrdId"])
        assert max(ids.values()) == 1
        for coin in LOT:
            hedge = books.hedge(f"{coin}-USDT")
            short = hedge.contracts if hedge else 0
            assert short == -held.contracts.get(f"{coin}-USDT-SWAP", 0)


@pytest.mark.fault("IN1", "IN2")
def test_of_two_daemons_on_one_account_the_older_one_halts_at_the_first_order_of_the_younger(
    tmp_path: Path,
) -> None:
    older, younger = tmp_path / "a", tmp_path / "b"
    pace = ("--speed", "10", "--for", "2h")  # the first scan comes after five minutes
    with venue("--seed", "7") as url:
        daemons = []
        try:
            for folder in (older, younger):
                command = ("run", "--venue", url, "--data", str(folder), "--take-over", *pace)
                daemons.append(start(str(ROOT / "main.py"), *command, talks=True))
                await_start(daemons[-1])
            until = time.monotonic() + 200
            while CAUSE not in read_causes(older) or CAUSE not in read_causes(younger):
                assert time.monotonic() < until and all(d.poll() is None for d in daemons)
                time.sleep(0.5)
            with JournalReader(older / "journal.db") as reader:
                lowered = next(r for r in reader.rows(Kind.PERMISSION) if r.body["cause"] == CAUSE)
            assert lowered.body["level"] == "HALTED"
            time.sleep(3)
            with JournalReader(older / "journal.db") as reader:
                assert [r.seq for r in reader.rows(Kind.INTENT) if r.seq > lowered.seq] == []
            assert daemons[0].poll() is None  # it stays up for the operator
            assert read_causes(younger)[CAUSE] == "NO_NEW_RISK"
            first = min(o["cTime"] for o in books_of(url).orders if o["clOrdId"] not in sent_by(older))
            assert lowered.at_ms - int(first) < 5_000
        finally:
            for daemon in daemons:
                daemon.send_signal(signal.SIGTERM)
            for daemon in daemons:
                daemon.communicate(timeout=60)


def await_start(daemon: subprocess.Popen[str]) -> None:
    """Until the daemon says that it has compared its books with the venue."""
    assert daemon.stdout is not None
    for line in daemon.stdout:
        if "Connected" in line:
            return
    raise AssertionError(f"the daemon ended with {daemon.wait()}")


def read_causes(folder: Path) -> dict[str, str]:
    """The causes that hold, with the level each asks for."""
    causes: dict[str, str] = {}
    with JournalReader(folder / "journal.db") as reader:
        for row in reader.rows(Kind.PERMISSION):
            causes[row.body["cause"]] = row.body["level"]
    return {cause: level for cause, level in causes.items() if level != "FULL"}


def sent_by(folder: Path) -> set[str]:
    with JournalReader(folder / "journal.db") as reader:
        return {row.body["order"]["cl_id"] for row in reader.rows(Kind.INTENT)}
