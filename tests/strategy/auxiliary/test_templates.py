"""Likeness to drawn curves: warping against its definition, its bound, and what is taken for a pattern."""

from __future__ import annotations

from itertools import product
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Side
from strategy.auxiliary.indicators.templates import (
    BAND,
    LIMIT,
    POINTS,
    TEMPLATES,
    Template,
    bound,
    dtw,
    standardised,
    template,
    template_match,
)
from tests.strategy.auxiliary.scenes import bars_along
from tests.strategy.auxiliary.series import column

NAMES = [drawn.name for drawn in TEMPLATES]
heights = st.integers(-300, 300).map(lambda n: n / 100)


def all_ways(one: list[float], other: list[float], band: int) -> float:
    """The definition: every way from corner to corner, walked."""
    last = len(one) - 1

    def least(a: int, b: int) -> float:
        if a < 0 or b < 0 or abs(a - b) > band:
            return inf
        here = (one[a] - other[b]) ** 2
        if a == b == 0:
            return here
        return here + min(least(a - 1, b), least(a, b - 1), least(a - 1, b - 1))

    return (least(last, last) / len(one)) ** 0.5


@given(data=st.data(), points=st.integers(1, 6), band=st.integers(0, 6))
def test_warping_finds_the_least_of_all_ways_within_the_band(
    data: st.DataObject, points: int, band: int
) -> None:
    one, other = (data.draw(st.lists(heights, min_size=points, max_size=points)) for _ in "12")
    expected = all_ways(one, other, band)
    assert dtw(one, other, band) == pytest.approx(expected, abs=1e-12)
    assert expected == 0 or dtw(one, other, band, expected * 0.99) == inf
    assert dtw(one, other, band, expected + 1e-9) == pytest.approx(expected, abs=1e-12)


def test_warping_by_hand() -> None:
    """0 1 1 0 against 0 0 1 0: with one step of stretch nothing differs; without it one point does."""
    assert dtw([0, 1, 1, 0], [0, 0, 1, 0], 1) == 0.0
    assert dtw([0, 1, 1, 0], [0, 0, 1, 0], 0) == 0.5  # the root of 1 / 4


@pytest.mark.parametrize(("one", "other"), [([1.0], [1.0, 2.0]), ([], [])])
def test_curves_of_different_length_or_none_are_refused(one: list[float], other: list[float]) -> None:
    with pytest.raises(ValueError, match="allowed: one length above 0"):
        dtw(one, other, 1)


@settings(max_examples=50)
@given(values=st.lists(heights, min_size=POINTS, max_size=POINTS), drawn=st.sampled_from(TEMPLATES))
def test_the_bound_is_never_above_what_it_bounds(values: list[float], drawn: Template) -> None:
    curve = column(values)
    assert bound(curve, drawn) <= dtw(values, drawn.curve.tolist(), BAND) + 1e-12


@pytest.mark.parametrize("drawn", TEMPLATES, ids=NAMES)
def test_a_template_is_standard_and_cannot_be_written_into(drawn: Template) -> None:
    assert len(drawn.curve) == POINTS
    assert drawn.curve.mean() == pytest.approx(0, abs=1e-12)
    assert drawn.curve.std() == pytest.approx(1)
    assert (drawn.lower <= drawn.curve).all() and (drawn.curve <= drawn.upper).all()


def test_templates_come_in_pairs_of_opposite_sides() -> None:
    for one, other in zip(TEMPLATES[::2], TEMPLATES[1::2], strict=True):
        assert one.side is other.side.opposite
        np.testing.assert_array_equal(one.curve, -other.curve)
        np.testing.assert_array_equal(one.upper, -other.lower)


def test_no_template_is_within_the_limit_of_another() -> None:
    for one, other in product(TEMPLATES, TEMPLATES):
        if one is not other:
            assert dtw(one.curve.tolist(), other.curve.tolist(), BAND) > 2 * LIMIT


@pytest.mark.parametrize("over", [32, 48, 96])
@pytest.mark.parametrize("drawn", TEMPLATES, ids=NAMES)
def test_closes_that_follow_a_template_are_that_template(drawn: Template, over: int) -> None:
    closes = 60_000 + 150 * np.interp(np.linspace(0, POINTS - 1, over), np.arange(POINTS), drawn.curve)
    found = template_match(bars_along([*[1.0] * 10, *closes]), over)
    assert found is not None
    assert (found.name, found.side, found.bars) == (drawn.name, drawn.side, over)
    assert found.distance_sd < 0.1


@pytest.mark.parametrize("drawn", TEMPLATES, ids=NAMES)
def test_closes_a_little_late_and_a_little_rough_still_match(drawn: Template) -> None:
    late = np.linspace(0, 1, POINTS) ** 1.1 * (POINTS - 1)
    rough = np.random.default_rng(4).normal(0, 0.1, POINTS)
    closes = 100 + np.interp(late, np.arange(POINTS), drawn.curve) + rough
    found = template_match(bars_along(closes), POINTS)
    assert found is not None and found.name == drawn.name and 0.05 < found.distance_sd < LIMIT
    assert template_match(bars_along(closes), POINTS, found.distance_sd - 0.001) is None


def test_the_nearest_of_several_is_the_one_that_is_named() -> None:
    closes = bars_along(100 + TEMPLATES[0].curve)
    far = template_match(closes, POINTS, 10.0, TEMPLATES[1:])
    assert template_match(closes, POINTS, 10.0) is not None
    assert far is not None and far.name == "head_and_shoulders"  # 0.77 off, the next one 0.82


def test_the_shortcut_finds_what_comparing_with_every_template_finds() -> None:
    for walk in np.random.default_rng(8).normal(0, 1, (60, POINTS)).cumsum(axis=1) + 1_000:
        curve = standardised(walk)
        assert curve is not None
        distances = {drawn.name: dtw(curve.tolist(), drawn.curve.tolist(), BAND) for drawn in TEMPLATES}
        found = template_match(bars_along(walk), POINTS, 10.0)
        assert found is not None and found.name == min(distances, key=lambda name: distances[name])
        assert found.distance_sd == pytest.approx(min(distances.values()))


def test_random_walks_are_seldom_taken_for_a_pattern() -> None:
    walks = np.random.default_rng(9).normal(0, 1, (600, 60)).cumsum(axis=1) + 1_000
    found = [template_match(bars_along(walk)) for walk in walks]
    assert 0 < sum(match is not None for match in found) / len(walks) < 0.03


def test_a_still_market_and_too_few_bars_match_nothing() -> None:
    assert template_match(bars_along([100.1] * 60)) is None
    assert template_match(bars_along(100 + TEMPLATES[0].curve), 48) is None
    assert standardised(column([0.1] * 7)) is None


@pytest.mark.parametrize(
    ("words", "knots"),
    [
        ("allowed: from 0 to 1", ((0, 0), (0.9, 1))),
        ("each after the last", ((0, 0), (0.5, 1), (0.5, 2), (1, 0))),
        ("a level line", ((0, 1), (1, 1))),
    ],
)
def test_a_template_that_is_no_curve_is_refused(words: str, knots: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match=words):
        template("odd", Side.BUY, knots)


def test_fewer_closes_than_points_are_refused() -> None:
    with pytest.raises(ValueError, match="template_match: over 31 bars, allowed: 32 to 100000"):
        template_match(bars_along([1.0] * 40), 31)
