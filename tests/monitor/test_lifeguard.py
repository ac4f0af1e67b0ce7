"""The event loop watched from outside, and a service manager told over a real socket."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.lifeguard import Lifeguard
from monitor.systemd import Systemd


@contextmanager
def manager(folder: Path, name: str = "notify") -> Iterator[tuple[str, socket.socket]]:
    """A service manager's end of the socket."""
    address = str(folder / name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address)
        ear.settimeout(30)
        yield address, ear


def test_the_messages_are_those_sd_notify_defines(tmp_path: Path) -> None:
    with manager(tmp_path) as (address, ear):
        systemd = Systemd.of({"NOTIFY_SOCKET": address})
        systemd.ready("RUNNING,\n demo")
        systemd.status("IDLE")
        systemd.alive()
        systemd.stopping("signal SIGTERM")
        heard = [ear.recv(4096).decode() for _ in range(4)]
    assert heard == [
        "READY=1\nSTATUS=RUNNING, demo",
        "STATUS=IDLE",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=signal SIGTERM",
    ]


def test_an_abstract_socket_is_found(tmp_path: Path) -> None:
    name = f"funding-engine-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0{name}")
        ear.settimeout(30)
        Systemd.of({"NOTIFY_SOCKET": f"@{name}"}).alive()
        assert ear.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),  # meant for another process
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdogs_time_is_read_from_the_environment(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert Systemd.of(environment).watchdog_s == seconds


def test_without_a_manager_nothing_happens_and_a_deaf_one_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Systemd.of({}).ready("nobody listens")
    deaf = Systemd(str(tmp_path / "nobody"))
    with caplog.at_level(logging.WARNING):
        deaf.alive()
        deaf.alive()
    assert len(caplog.records) == 1


async def heard_from(ear: socket.socket) -> bytes:
    return await asyncio.to_thread(ear.recv, 100)


@pytest.mark.fault("CR10")
async def test_the_watchdog_is_fed_while_the_loop_answers_and_all_is_well(tmp_path: Path) -> None:
    with manager(tmp_path) as (address, ear):
        well = True
        with Lifeguard(lambda: well, Systemd(address, watchdog_s=0.06)) as lifeguard:
            assert [await heard_from(ear) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            well = False  # a task is stuck
            ear.settimeout(0.3)
            with pytest.raises(TimeoutError):
                while True:  # what was under way may still come
                    await heard_from(ear)
            well = True
            ear.settimeout(30)
            assert await heard_from(ear) == b"WATCHDOG=1"
        assert lifeguard.stalls == 0


@pytest.mark.fault("CR10")
async def test_a_loop_that_does_not_answer_is_noticed_located_and_not_fed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with manager(tmp_path) as (address, ear), caplog.at_level(logging.ERROR):
        release = threading.Event()
        lifeguard = Lifeguard(lambda: True, Systemd(address), period_s=0.01, stall_s=0.1)

        def held_up_here() -> None:
            caplog_seen.wait(30)  # the loop stands still until the stall is in the log
            release.wait(0.05)

        caplog_seen = threading.Event()

        class Seen(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                caplog_seen.set()

        handler = Seen()
        logging.getLogger("monitor.lifeguard").addHandler(handler)
        with lifeguard:
            await heard_from(ear)
            held_up_here()
            await heard_from(ear)
            while lifeguard.max_lag_s < 0.1:
                await heard_from(ear)
        logging.getLogger("monitor.lifeguard").removeHandler(handler)
    assert lifeguard.stalls == 1
    assert lifeguard.worst_lag_s() >= 0.1
    assert lifeguard.worst_lag_s() == 0
    (record,) = caplog.records
    assert "has not answered" in record.getMessage() and "held_up_here" in record.getMessage()


async def test_a_look_that_fails_does_not_silence_the_guard() -> None:
    asked = 0
    again = asyncio.Event()

    def look() -> bool:
        nonlocal asked
        asked += 1
        if asked == 3:
            again.set()
        raise RuntimeError("cannot judge")

    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failed.append(context))
    with Lifeguard(look, Systemd(), period_s=0.01):
        await again.wait()
    assert failed
