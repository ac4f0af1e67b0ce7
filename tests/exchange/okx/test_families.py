from __future__ import annotations

from exchange.okx.families import FAMILY_OF, MEMBERS
from exchange.okx.limits import LIMITS


def test_every_endpoint_belongs_to_exactly_one_family() -> None:
    assert set(FAMILY_OF) == set(LIMITS)
    assert sum(len(calls) for calls in MEMBERS.values()) == len(FAMILY_OF)
