"""What a soak measures, and that it sees what grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.soak import Life, _judged, slope
from tests.e2e.rig import main


def lives(**growth: float) -> list[Life]:
    """Twenty lives of half a day; each growth is per day."""
    return [
        Life(
            days=n / 2,
            memory_mb=80 + growth.get("memory", 0.2) * n / 2,
            fds=8 + int(growth.get("fds", 0) * n / 2),
            db_mb=growth.get("db", 0.25) * (n / 2) ** growth.get("power", 1),
            lag_s=growth.get("lag", 0.01),
        )
        for n in range(1, 21)
    ]


def test_the_slope_is_that_of_the_line() -> None:
    assert slope([(n, 3 + 0.5 * n) for n in range(10)]) == pytest.approx(0.5)
    assert slope([(1, 7)]) == 0


@pytest.mark.fault("HO1")
@pytest.mark.parametrize(
    ("growth", "over"),
    [
        ({}, []),
        ({"memory": 1.2}, ["memory_mb_per_day"]),
        ({"fds": 2}, ["file_descriptors_more"]),
        ({"db": 1.5}, ["db_mb_per_day"]),
        ({"db": 0.02, "power": 2}, ["db_bend"]),
        ({"lag": 3}, ["max_loop_lag_s"]),
    ],
)
def test_each_kind_of_growth_is_seen(growth: dict[str, float], over: list[str], tmp_path: Path) -> None:
    found = _judged(lives(**growth), 1.0, tmp_path)
    assert found.data["over"] == over
    assert found.code == (1 if over else 0)


@pytest.mark.fault("HO1")
@pytest.mark.timeout(600)
def test_a_short_soak_lives_three_times_on_the_same_books_and_leaves_no_file_open(tmp_path: Path) -> None:
    done = main("soak", "--for", "3h", "--restarts-per-day", "24", "--data", str(tmp_path), "--json")
    said = done.summary
    assert said["lives"] == 3 and said["days"] == 0.125
    assert [life["fds"] for life in said["measured"]] == [said["measured"][0]["fds"]] * 3
    assert said["figures"]["max_loop_lag_s"]["value"] < 30
    assert main("journal", "replay", "--data", str(tmp_path), "--json").summary["illegal"] == []
