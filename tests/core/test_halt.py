from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.halt import FILE_NAME, Halt, HaltMarker

WHY = Halt("watchdog", "heartbeat lost for 10.0 s", 1_767_571_200_000)


@pytest.mark.parametrize("prepared", [True, False])
def test_a_marker_says_who_set_it_and_goes_only_when_cleared(tmp_path: Path, prepared: bool) -> None:
    marker = HaltMarker(tmp_path)
    if prepared:
        marker.prepare()
    assert not marker.is_set() and marker.read() is None
    marker.set(WHY)
    marker.set(Halt("close_all", "another reason", 2))  # the first one stands
    assert HaltMarker(tmp_path).read() == WHY
    marker.clear()
    assert not marker.is_set()
    marker.clear()


@pytest.mark.fault("DB1")
def test_the_marker_takes_the_room_that_was_kept_for_it(tmp_path: Path) -> None:
    marker = HaltMarker(tmp_path)
    marker.prepare()
    kept = {path.stat().st_ino for path in tmp_path.iterdir()}
    marker.set(WHY)
    assert {path.stat().st_ino for path in tmp_path.iterdir()} == kept  # no new file, no new block


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_marker_without_readable_words_is_a_marker_all_the_same(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert HaltMarker(tmp_path).is_set()
    assert HaltMarker(tmp_path).read() == Halt()


def test_a_folder_that_cannot_be_looked_into_counts_as_halted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert HaltMarker(tmp_path / "file").is_set()  # not a folder: no answer, so no order


def test_only_one_process_reduces_at_a_time(tmp_path: Path) -> None:
    marker = HaltMarker(tmp_path)
    marker.set(WHY)
    with marker.held() as first:
        with HaltMarker(tmp_path).held() as second:
            assert (first, second) == (True, False)
        child = os.fork()
        if not child:
            with HaltMarker(tmp_path).held() as third:
                os._exit(int(third))
        assert os.waitpid(child, 0)[1] == 0
    with marker.held() as again:
        assert again
