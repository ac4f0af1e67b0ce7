"""A small storm: the real daemon killed six times amid a story's faults, everything compared at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.rig import main

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine


@pytest.mark.fault("CR1", "CR2", "CR3", "CR7")
def test_a_daemon_killed_six_times_amid_faults_sends_nothing_twice_and_leaves_nothing_naked(
    tmp_path: Path,
) -> None:
    done = main("storm", "--kills", "6", "--seed", "1", "--keep", str(tmp_path / "storm"), "--json")
    assert done.code == 0, done.out
    said = done.summary
    assert said["findings"] == [] and said["unexplained"] == ["0"]
    assert said["kills"] == sum(said["kills_by_state"].values()) == 6
    assert said["orders"] > 0 and said["virtual_hours"] > 3
    assert (tmp_path / "storm" / "0001" / "faults.yaml").stat().st_size > 0
