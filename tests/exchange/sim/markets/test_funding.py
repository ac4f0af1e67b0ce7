from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.markets.funding import (
    DEFAULT_INTERVAL_MS,
    HOUR_MS,
    funding_rate,
    next_interval,
    payment,
)
from exchange.sim.profile import NO_RATE, REGIMES, WITH_RATE, VenueProfile

D = Decimal
CAP = D("0.00375")
EIGHT_MS = DEFAULT_INTERVAL_MS


@pytest.mark.parametrize("premium", ["-0.0004", "0", "0.00007", "0.0001", "0.0006"])
def test_the_plateau_is_exactly_one_basis_point(premium: str) -> None:
    assert funding_rate(D(premium), EIGHT_MS, CAP) == D("0.0001")


def test_outside_the_plateau_the_premium_shows_through() -> None:
    assert funding_rate(D("0.0010"), EIGHT_MS, CAP) == D("0.0005")
    assert funding_rate(D("-0.0010"), EIGHT_MS, CAP) == D("-0.0005")


def test_a_shorter_interval_charges_its_share() -> None:
    assert funding_rate(D(0), 2 * HOUR_MS, CAP) == D("0.000025")


def test_the_older_regimes_know_no_share_or_no_interest() -> None:
    assert funding_rate(D(0), 4 * HOUR_MS, CAP, WITH_RATE) == D("0.00005")  # 0.03 % a day
    assert funding_rate(D("0.0010"), 4 * HOUR_MS, CAP, WITH_RATE) == D("0.0005")
    assert funding_rate(D("0.0010"), 4 * HOUR_MS, CAP, NO_RATE) == D("0.0010")
    assert funding_rate(D(0), EIGHT_MS, CAP, NO_RATE) == 0


@given(
    premium=st.decimals(-1, 1, places=8), hours=st.sampled_from([1, 2, 4, 8]), regime=st.sampled_from(REGIMES)
)
def test_no_rate_leaves_its_limits(premium: Decimal, hours: int, regime: str) -> None:
    assert abs(funding_rate(premium, hours * HOUR_MS, CAP, regime)) <= CAP


def test_the_worked_example_pays_its_amount() -> None:
    assert payment(D("-15.99"), D("0.01"), D(60_000), D("0.0001")) == D("0.9594")


def test_a_rate_at_its_limit_shortens_the_interval_step_by_step_and_calm_restores_it() -> None:
    steps = [EIGHT_MS]
    for _ in range(4):
        steps.append(next_interval(steps[-1], at_limit=True))
    assert [step // HOUR_MS for step in steps] == [8, 4, 2, 1, 1]
    assert next_interval(HOUR_MS, at_limit=False) == EIGHT_MS


@pytest.mark.parametrize(
    ("field", "value"),
    [("funding_regime", "next"), ("settlement_s", (9, 3)), ("settlement_block", 1.5)],
)
def test_a_profile_names_what_it_cannot_take(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field} is .*allowed"):
        VenueProfile(**{field: value})  # type: ignore[arg-type]
