"""How a demo's pace sets what runs by the venue's clock: for the person who watches, not for the venue."""

from __future__ import annotations

import pytest

from core.journal import LINGER_S
from scripts.daemon import DEMO_LINGER_S, demo_linger_s


@pytest.mark.parametrize("speed", [0.5, 1.0, 10.0, 3600.0])
def test_a_row_of_a_paced_demo_is_on_the_disk_within_a_second_of_the_wall_s_time(speed: float) -> None:
    at_a_slow_pace = LINGER_S  # the clock of a demo that is slower than life still has rows of a second
    assert demo_linger_s(speed) / speed <= max(1.0, at_a_slow_pace / speed)
    assert demo_linger_s(speed) >= LINGER_S


def test_a_demo_as_fast_as_possible_lets_its_rows_wait_for_minutes_of_the_venue_s_time() -> None:
    assert demo_linger_s(None) == DEMO_LINGER_S
    assert demo_linger_s(1e9) == DEMO_LINGER_S
