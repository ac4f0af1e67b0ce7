from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import SelfCheckRefused
from core.lock import FILE_NAME, FolderLock, holder

HOLD = """
import sys
from pathlib import Path
from core.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.fault("IN1")
def test_a_second_engine_is_refused_and_told_who_works_here(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        assert holder(tmp_path) == os.getpid()
        with pytest.raises(SelfCheckRefused, match=f"process {os.getpid()}"):
            FolderLock(tmp_path)
    assert holder(tmp_path) is None


def test_a_released_folder_can_be_taken_again(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.release()
    lock.release()
    with FolderLock(tmp_path):
        assert holder(tmp_path) == os.getpid()


def test_nobody_works_in_a_fresh_folder(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_killed_engine_holds_nothing(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert other.stdout is not None and other.stdin is not None
    assert other.stdout.readline() == "held\n"
    assert holder(tmp_path) == other.pid
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    other.stdin.close()
    assert holder(tmp_path) is None
    FolderLock(tmp_path).release()


def test_whoever_looks_while_the_folder_changes_hands_finds_an_id(tmp_path: Path) -> None:
    FolderLock(tmp_path).release()
    (tmp_path / FILE_NAME).write_text("4194304\n")  # of an engine that was killed
    with FolderLock(tmp_path):
        assert holder(tmp_path) == os.getpid()
