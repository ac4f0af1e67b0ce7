"""The demo and the venue it brings: they end together, and the demo says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.rig import PATIENCE_S, ROOT

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine


def demo(folder: Path, *more: str) -> subprocess.Popen[str]:
    """A demo as a terminal starts it: in a session of its own, which Ctrl-C rings as a whole."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "run", "--data", str(folder), *more],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )


def venue_of(demo: subprocess.Popen[str]) -> int:
    """The process id of its only child."""
    [child] = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split()
    return int(child)


def read_until(demo: subprocess.Popen[str], word: str) -> str:
    assert demo.stdout is not None
    for line in demo.stdout:
        if word in line:
            return line
    raise AssertionError(f"it ended before it said {word!r}")


@pytest.mark.parametrize(
    ("moment", "killer", "how"),
    [
        ("API: ", signal.SIGKILL, "signal SIGKILL"),  # before the engine is connected
        ("Opened ", signal.SIGKILL, "signal SIGKILL"),
        ("Opened ", signal.SIGTERM, "exit code 0"),
    ],
)
def test_a_demo_whose_venue_is_gone_says_so_in_one_sentence_and_fails(
    moment: str, killer: signal.Signals, how: str, tmp_path: Path
) -> None:
    with demo(tmp_path, "--speed", "max", "--web") as running:
        read_until(running, moment)
        os.kill(venue_of(running), killer)
        _, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 1
    assert err.strip().splitlines() == [
        f"the simulated venue is gone ({how}), and with it the account it kept;"
        " the next start begins with a new venue and new books"
    ]


def test_ctrl_c_in_a_terminal_leaves_a_demo_its_venue_until_it_has_ended_well(tmp_path: Path) -> None:
    with demo(tmp_path, "--no-web") as running:
        read_until(running, "Opened ")
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, err
    assert "signal SIGINT" in out and "stream lost" not in out
