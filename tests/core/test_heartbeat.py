from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.heartbeat import FILE_NAME, PLACE_BYTES, Beat, BeatHedge, HeartbeatFile, Phase, read

D = Decimal
HEDGE = BeatHedge("BTC-USDT", "FE1H1", D("0.100000003"), D(10))
BEAT = Beat(7, 3, 1, 1_767_571_200_000, False, Phase.RUNNING, "RUNNING", (HEDGE,), 5, ("BTC-USDT/9",))


def test_a_reader_finds_the_last_beat(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    file = HeartbeatFile(tmp_path)
    assert read(tmp_path) is None
    for counter in range(1, 6):
        file.write(replace(BEAT, counter=counter))
        assert read(tmp_path) == replace(BEAT, counter=counter)
    file.write(replace(BEAT, epoch=4))  # a new process counts from one again
    assert read(tmp_path) == replace(BEAT, epoch=4)
    file.close()


@given(torn=st.integers(0, 400), place=st.integers(0, 1))
def test_a_beat_torn_while_it_is_written_leaves_the_one_before(
    tmp_path_factory: pytest.TempPathFactory, torn: int, place: int
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    file = HeartbeatFile(folder)
    for counter in range(1, 3 + place):
        file.write(replace(BEAT, counter=counter))
    file.close()
    last = read(folder)
    assert last is not None and last.counter == 2 + place
    with (folder / FILE_NAME).open("r+b") as damaged:
        damaged.seek((last.counter - 1) % 2 * PLACE_BYTES + torn)
        byte = damaged.read(1)
        damaged.seek(-1, os.SEEK_CUR)
        damaged.write(bytes([byte[0] ^ 0xFF]))
    found = read(folder)
    assert found is not None and found.counter in (last.counter, last.counter - 1)
    assert replace(found, counter=1) == BEAT


@pytest.mark.fault("DB1")
def test_beats_need_no_room_on_the_disk_after_the_first(tmp_path: Path) -> None:
    file = HeartbeatFile(tmp_path)
    blocks = (tmp_path / FILE_NAME).stat().st_blocks
    for counter in range(1, 50):
        file.write(replace(BEAT, counter=counter, hedges=(HEDGE,) * 100))
    assert (tmp_path / FILE_NAME).stat().st_blocks == blocks
    file.close()


def test_a_beat_too_large_for_its_place_is_refused(tmp_path: Path) -> None:
    file = HeartbeatFile(tmp_path)
    with pytest.raises(ValueError, match="allowed"):
        file.write(replace(BEAT, hedges=(HEDGE,) * 5_000))
    file.close()


@pytest.mark.parametrize(
    ("state", "hedges", "holds"),
    [("IDLE", (), False), ("RUNNING", (HEDGE,), True), ("OPENING", (), True), ("STOPPED", (HEDGE,), True)],
)
def test_something_is_at_stake_while_a_hedge_is_held_or_being_made(
    state: str, hedges: tuple[BeatHedge, ...], holds: bool
) -> None:
    assert replace(BEAT, state=state, hedges=hedges).has_something is holds
