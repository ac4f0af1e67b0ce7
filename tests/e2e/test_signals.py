"""A signal at any moment: the hedge under way ends with both legs accounted for, and the process with 0."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.facts import Kind
from core.journal_reader import JournalReader
from core.lock import holder
from scripts.commands import Command, Verb, send
from scripts.questions import read_books
from scripts.storm.inquiry import books_of
from tests.e2e.rig import ROOT, main, run, start, venue
from tests.e2e.test_crashes import LOT, check

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

DRIVER = str(ROOT / "tests" / "e2e" / "signal_driver.py")
CLOSING_MS = 20_000


def goodbye(folder: Path) -> tuple[bool, str, int]:
    """Whether the last row is a clean stop, its reason, and ms from the signal's decision state to it."""
    with JournalReader(folder / "journal.db") as reader:
        rows = list(reader.rows())
    stop = rows[-1]
    assert stop.kind is Kind.STOP
    first_fill = next((row.at_ms for row in rows if row.kind is Kind.INTENT), stop.at_ms)
    return stop.body["clean"], stop.body["reason"], stop.at_ms - first_fill


@pytest.mark.fault("CR6", "CR8", "OL5")
@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("SIGTERM", "hedge", 1),  # the target is known, nothing sent
        ("SIGHUP", "intent", 1),  # meant to buy spot
        ("SIGINT", "fill", 1),  # spot bought, no short yet
        ("SIGTERM", "intent", 2),  # meant to sell the swap
    ],
)
def test_a_signal_in_the_middle_of_an_opening_leaves_no_leg_alone(
    name: str, kind: str, count: int, tmp_path: Path
) -> None:
    with venue("--seed", "7") as url:
        done = run(DRIVER, name, "1", kind, str(count), "OPENING", url, str(tmp_path))
        assert done.code == 0, done.err
        assert done.summary["unexplained"] == "0"
        clean, reason, took_ms = goodbye(tmp_path)
        assert clean and reason == f"signal {name}"
        assert took_ms <= CLOSING_MS
        check(url, tmp_path)


@pytest.mark.fault("CR8")
def test_a_signal_before_anything_has_begun_ends_at_once_and_clean(tmp_path: Path) -> None:
    with venue("--seed", "7") as url:
        done = run(DRIVER, "SIGTERM", "1", "start", "1", "any", url, str(tmp_path))
        assert done.code == 0, done.err
        assert books_of(url).orders == []
    assert goodbye(tmp_path)[:2] == (True, "signal SIGTERM")


@pytest.mark.fault("CR6")
def test_a_second_signal_ends_at_once_and_the_journal_is_whole(tmp_path: Path) -> None:
    with venue("--seed", "7") as url:
        done = run(DRIVER, "SIGTERM", "2", "fill", "1", "OPENING", url, str(tmp_path))
        assert done.code == -signal.SIGTERM
        with JournalReader(tmp_path / "journal.db") as reader:
            assert reader.verify().ok
        again = main(
            "run", "--venue", url, "--data", str(tmp_path), "--for", "40m", "--speed", "max", "--json"
        )
        assert again.code == 0, again.err
        assert again.summary["unexplained"] == "0"
        check(url, tmp_path)
        held = books_of(url)
        assert all(abs(held.naked(coin)) < lot for coin, lot in LOT.items())


def test_a_service_manager_hears_when_it_is_ready_well_and_stopping(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, venue("--seed", "7") as url:
        ear.bind(address)
        ear.settimeout(120)
        command = [
            sys.executable,
            str(ROOT / "main.py"),
            "run",
            "--venue",
            url,
            "--speed",
            "600",
            "--for",
            "1d",
        ]
        child = subprocess.Popen(
            [*command, "--data", str(tmp_path / "data")],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000", "PATH": ""},
        )
        heard: list[str] = []
        while heard.count("WATCHDOG=1") < 3 or not any("FULL, equity" in said for said in heard):
            heard.append(ear.recv(4096).decode())
        assert heard[0].startswith("READY=1\nSTATUS=")
        child.send_signal(signal.SIGTERM)
        while not heard[-1].startswith("STOPPING=1\nSTATUS=signal SIGTERM"):
            heard.append(ear.recv(4096).decode())
        assert child.wait(timeout=120) == 0


@pytest.mark.fault("CR12")
def test_the_operators_doorbell_ends_no_daemon_that_is_only_just_starting(tmp_path: Path) -> None:
    with venue("--seed", "7") as url:
        arguments = ("--venue", url, "--data", str(tmp_path), "--for", "10m", "--speed", "max")
        daemon = start(str(ROOT / "main.py"), "run", *arguments)
        while not holder(tmp_path):
            assert daemon.poll() is None
        send(tmp_path, Command(Verb.PAUSE, "while it starts"))
        assert daemon.wait(timeout=120) == 0
        assert read_books(tmp_path).permission.level.name == "NO_NEW_RISK"  # the word was kept, and obeyed
