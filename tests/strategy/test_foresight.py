from __future__ import annotations

from decimal import Decimal
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.foresight import course_of, perfect_foresight, segments_of

D = Decimal
COST = D("0.0015")
rates = st.lists(st.integers(-40, 40).map(lambda n: D(n) / 10_000), max_size=9)
costs = st.integers(0, 30).map(lambda n: D(n) / 10_000)


def test_a_hold_earns_its_rates_and_pays_two_switches() -> None:
    course = course_of([D("0.001")] * 5, [False, True, True, True, False], COST)
    assert (course.net, course.switches, course.settlements_held) == (D(0), 2, 3)


def test_a_hold_over_the_end_of_a_segment_closes_there_and_opens_again() -> None:
    course = course_of([D("0.002")] * 4, [True] * 4, COST, ((0, 2), (2, 4)))
    assert course.switches == 4
    assert course.net == D("0.008") - 4 * COST


def test_held_and_rates_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 settlements, and 1"):
        course_of([D(0), D(0)], [True], COST)


def test_foresight_sits_out_only_what_costs_more_than_leaving_and_returning() -> None:
    """-0.002 is cheaper to pay than a round trip of 0.003; -0.004 is not."""
    stays = perfect_foresight([D("0.01"), D("-0.002"), D("0.01")], COST)
    assert stays.held == (True, True, True)
    assert stays.net == D("0.018") - 2 * COST
    leaves = perfect_foresight([D("0.01"), D("-0.004"), D("0.01")], COST)
    assert leaves.held == (True, False, True)
    assert leaves.net == D("0.02") - 4 * COST


def test_foresight_does_nothing_where_nothing_pays() -> None:
    course = perfect_foresight([D("0.001"), D("0.001")], COST)
    assert (course.net, course.switches, course.held) == (D(0), 0, (False, False))


def test_foresight_of_nothing_is_nothing() -> None:
    assert perfect_foresight([], COST).held == ()


@given(rates, costs, st.integers(0, 9))
def test_no_other_way_earns_more_than_foresight_and_none_as_good_switches_less(
    known: list[Decimal], cost: Decimal, cut: int
) -> None:
    edges = sorted({0, min(cut, len(known)), len(known)})
    segments = tuple(pairwise(edges))
    best = perfect_foresight(known, cost, segments)
    others = [course_of(known, held, cost, segments) for held in product((False, True), repeat=len(known))]
    assert best.net == max(one.net for one in others)
    if cost:
        assert best.switches == min(one.switches for one in others if one.net == best.net)


def test_a_break_parts_the_settlements_on_either_side_of_it() -> None:
    assert segments_of([0, 8, 16, 24], [(9, 15)]) == ((0, 2), (2, 4))
    assert segments_of([0, 8, 16], [(16, 20)]) == ((0, 3),)
    assert segments_of([0, 8], []) == ((0, 2),)
    assert segments_of([], []) == ()
