from dataclasses import replace

import pytest

from exchange.sim.profile import VenueProfile
from tests.exchange.sim.worlds import D


@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({"regrow_ms": 0}, "regrow_ms is 0, allowed: more than 0"),
        ({"match_ms": -1}, "match_ms is -1, allowed: 0 to 10000"),
        ({"impact_share": 1.5}, "impact_share is 1.5, allowed: 0 to 1"),
        ({"impact_ms": 0}, "impact_ms is 0, allowed: more than 0"),
        ({"pulse_ms": -1}, "pulse_ms is -1, allowed: 0 or more"),
        ({"book_levels": 0}, "book_levels is 0, allowed: more than 0"),
        ({"volume_share": D("1.1")}, "volume_share is 1.1, allowed: above 0, at most 1"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused_by_field(changed: dict[str, object], allowed: str) -> None:
    with pytest.raises(ValueError, match=allowed):
        replace(VenueProfile(), **changed)  # type: ignore[arg-type]
