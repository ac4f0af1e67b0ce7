"""How unusual a crowd is, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import HOUR_MS, FundingQuote, SettledFunding
from strategy.auxiliary.indicators.sentiment import (
    FundingChange,
    Mood,
    Standing,
    funding_change,
    long_short_standing,
    rates_bps_8h,
    standing,
)
from tests.strategy.auxiliary.series import column

D = Decimal
T0 = 1_704_067_200_000


def settlements(*rates: str, hours: int = 8) -> list[SettledFunding]:
    return [SettledFunding(T0 + n * hours * HOUR_MS, D(rate)) for n, rate in enumerate(rates)]


def quoted(rate: str, hours: int = 8) -> FundingQuote:
    return FundingQuote("BTC-USDT-SWAP", D(rate), T0, T0 + hours * HOUR_MS, T0)


def test_a_value_is_held_against_those_before_it() -> None:
    """Others 2, 4, 4, 4, 5, 5, 7, 9: mean 5, deviation 2. Two of them equal 5, four are below."""
    others = [2, 4, 4, 4, 5, 5, 7, 9]
    assert standing(column([*others, 9]), 8) == Standing(9, 5, 2, 7.5 / 8, 8)
    assert standing(column([*others, 5]), 8) == Standing(5, 5, 0, 5 / 8, 8)
    assert standing(column([*others, 1]), 8) == Standing(1, 5, -2, 0, 8)


def test_the_newest_does_not_pull_what_it_is_held_against() -> None:
    near, far = (standing(column([1, 2, 3, newest]), 3) for newest in (10.0, 1000.0))
    assert near is not None and far is not None and near.mean == far.mean == 2


def test_among_equals_only_what_differs_is_extreme() -> None:
    for newest, z, percentile in ((0.1, 0, 0.5), (0.2, inf, 1), (0.0, -inf, 0)):
        found = standing(column([0.1] * 40 + [newest]))
        assert found is not None and (found.z, found.percentile) == (z, percentile)


def test_too_few_or_unknown_values_are_no_standing() -> None:
    assert standing(column([1.0] * 30)) is None  # 29 others
    assert standing(column([1.0] * 31)) is not None
    assert standing(column([])) is None
    assert standing(column([np.nan, *[1.0] * 40])) is None
    assert standing(column([1.0] * 40 + [np.inf])) is None


@given(
    values=st.lists(st.integers(-1_000, 1_000), min_size=31, max_size=60), scale=st.sampled_from((0.5, 4.0))
)
def test_standing_keeps_its_measures_in_any_unit(values: list[int], scale: float) -> None:
    found, again = standing(column(values)), standing(column([v * scale + 8 for v in values]))
    assert found is not None and again is not None
    assert 0 <= found.percentile <= 1 and found.percentile == again.percentile
    assert found.z == pytest.approx(again.z, abs=1e-9)
    assert np.sign(found.z) == np.sign(values[-1] - np.mean(values[:-1])) or abs(found.z) < 1e-9


@pytest.mark.parametrize(
    ("z", "percentile", "mood"),
    [
        (2.0, 0.95, Mood.CROWDED_LONG),
        (1.9, 0.99, None),
        (3.0, 0.9, None),
        (-2.0, 0.05, Mood.CROWDED_SHORT),
        (-3.0, 0.06, None),
        (-1.9, 0.0, None),
        (0.0, 0.5, None),
    ],
)
def test_a_crowd_is_called_one_when_both_measures_say_so(
    z: float, percentile: float, mood: Mood | None
) -> None:
    assert Standing(1.0, 0.0, z, percentile, 30).mood() is mood


def test_the_long_short_ratio_is_measured_from_balance_both_ways() -> None:
    """1/2 and 2 are equally far from 1, so their logarithms have mean 0 and deviation log 2."""
    ratios = [D("0.5"), D(2)] * 15
    for newest, z in ((D(4), 2), (D("0.25"), -2)):
        found = long_short_standing([(T0 + n, ratio) for n, ratio in enumerate([*ratios, newest])])
        assert found is not None and found.mean == pytest.approx(0, abs=1e-12)
        assert found.z == pytest.approx(z) and found.newest == pytest.approx(log(float(newest)))
        assert found.mood() is (Mood.CROWDED_LONG if z > 0 else Mood.CROWDED_SHORT)


def test_a_ratio_nobody_can_take_the_logarithm_of_is_not_known() -> None:
    assert long_short_standing([(T0 + n, D(1)) for n in range(40)] + [(T0 + 40, D(0))]) is None
    assert long_short_standing([]) is None


def test_rates_are_brought_to_eight_hours() -> None:
    """1 bp in four hours is 2 bps in eight."""
    assert rates_bps_8h(settlements("0.0009", "0.0001", "-0.0002")).tolist() == [1.0, -2.0]
    assert rates_bps_8h(settlements("0.0009", "0.0001", hours=4)).tolist() == [2.0]
    assert rates_bps_8h(settlements("0.0001", "0.0003", hours=24)).tolist() == [3.0]  # two are missing
    assert len(rates_bps_8h(settlements("0.0001"))) == 0 and len(rates_bps_8h([])) == 0


def test_funding_change_by_hand() -> None:
    """Settled 1, 2 and 6 bps; expected 4: 2 below the last, 1 above their mean of 3."""
    found = funding_change(quoted("0.0004"), settlements("0.01", "0.0001", "0.0002", "0.0006"))
    assert found is not None
    assert (found.expected_bps_8h, found.settlements) == (pytest.approx(4), 3)
    assert found.change_bps_8h == pytest.approx(-2) and found.drift_bps_8h == pytest.approx(1)


def test_funding_change_compares_rates_of_different_intervals_per_eight_hours() -> None:
    found = funding_change(quoted("0.0004", hours=4), settlements("0", "0.0006", "0.0006", "0.0006"))
    assert isinstance(found, FundingChange)
    assert found.expected_bps_8h == pytest.approx(8) and found.change_bps_8h == pytest.approx(2)


def test_funding_change_is_not_known_without_enough_settlements_or_an_interval() -> None:
    three = settlements("0.0001", "0.0001", "0.0001")
    assert funding_change(quoted("0.0001"), three) is None
    assert funding_change(quoted("0.0001"), three, 2) is not None
    assert funding_change(quoted("0.0001", hours=0), three, 2) is None


BAD: tuple[tuple[str, Callable[[], object]], ...] = (
    ("standing: among 1 others, allowed: 2 or more", lambda: standing(column([1.0]), 1)),
    ("funding_change: over 0 settlements, allowed: 1 or more", lambda: funding_change(quoted("0"), [], 0)),
    ("standing: column 1 is int64", lambda: standing(np.array([1, 2]))),
    (
        f"rates_bps_8h: a settlement of {T0} after {T0}, allowed: oldest first",
        lambda: rates_bps_8h(settlements("0", "0", hours=0)),
    ),
)


@pytest.mark.parametrize(("words", "call"), BAD, ids=[row[0] for row in BAD])
def test_bad_input_is_named_with_what_is_allowed(words: str, call: Callable[[], object]) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(words)
