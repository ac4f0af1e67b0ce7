"""Figures of trades against sums done by hand, and chance that is not mistaken for merit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import DAY_MS, ZERO
from scripts.modules.measures import FEWEST, figures_of, interval, largest_fall, running_net, t_value
from scripts.modules.subjects import Subject, subjects
from scripts.modules.trade import Trade
from scripts.modules.walk import drawn, splits_of
from strategy.auxiliary.presets import PRESETS

D = Decimal
TEN = D(10)


@dataclass(frozen=True)
class Result:
    """As much of a trade as a figure looks at."""

    net: Decimal
    closed_ms: int
    opened_ms: int = 0
    risk: Decimal = TEN
    gross: Decimal = ZERO
    slippage: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO

    @property
    def r(self) -> float:
        return float(self.net / self.risk)


def trades(*nets: int) -> list[Trade]:
    return [cast(Trade, Result(D(net), n)) for n, net in enumerate(nets, 1)]


def test_win_rate_and_payoff_are_those_of_the_nets() -> None:
    figures = figures_of(trades(30, -10, -20, 15))
    assert (figures.trades, figures.net, figures.win_rate) == (4, D(15), 0.5)
    assert figures.payoff == pytest.approx(22.5 / 15)
    assert figures.even_win == pytest.approx(0.4)
    assert figures.mean_r == pytest.approx(0.375)
    assert figures.low_r is None and figures.merit is None  # too few to say


def test_a_net_of_nothing_is_no_win() -> None:
    assert figures_of(trades(0, 5)).win_rate == 0.5


def test_no_trades_are_no_figures() -> None:
    figures = figures_of(())
    assert (figures.trades, figures.net, figures.win_rate, figures.payoff) == (0, D(0), None, None)


def test_the_largest_fall_is_from_the_highest_point_before() -> None:
    assert largest_fall(trades(10, -4, -9, 20, -5)) == 13
    assert largest_fall(trades(-3, -2, 9)) == 5


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30))
def test_the_running_net_ends_at_the_net(nets: list[int]) -> None:
    found = running_net(trades(*nets), [0, len(nets)])
    assert found == [0.0, pytest.approx(sum(nets))]


@given(st.lists(st.floats(-3, 3), min_size=FEWEST, max_size=60), st.integers(0, 100))
def test_an_interval_lies_around_its_mean_and_is_the_same_again(results: list[float], seed: int) -> None:
    low, high = interval(results, seed)
    assert min(results) - 1e-9 <= low <= high <= max(results) + 1e-9
    assert (low, high) == interval(results, seed)


def test_the_interval_of_chance_mostly_holds_nothing_and_that_of_merit_does_not() -> None:
    dice = np.random.default_rng(3)
    chance = [interval(list(dice.normal(0, 1, 200)), 1) for _ in range(60)]
    assert sum(low <= 0 <= high for low, high in chance) >= 50
    low, _ = interval(list(dice.normal(0.5, 1, 200)), 1)
    assert low > 0


def test_many_tries_make_the_same_result_less_believable() -> None:
    dice = np.random.default_rng(5)
    found = trades(*(int(each) for each in dice.normal(3, 10, 100)))
    alone, tried = figures_of(found).merit, figures_of(found, tried=100, variance=0.02).merit
    assert alone is not None and tried is not None and 0.8 < alone <= 1 and tried < alone


def test_few_trades_are_never_ranked_first() -> None:
    assert t_value([1.0] * (FEWEST - 1)) == -np.inf
    assert t_value([0.1, -0.2] * FEWEST) > -np.inf


@pytest.mark.parametrize("subject", subjects(), ids=lambda one: one.name)
def test_drawn_sets_are_within_what_is_declared_and_the_first_is_the_default(subject: Subject) -> None:
    sets = drawn(subject, 6, 7)
    assert sets[0] == {} and len(sets) == 6 and sets == drawn(subject, 6, 7)
    for one in sets:
        subject.make(one)


@given(st.integers(200, 3_000), st.integers(1, 5))
def test_what_was_chosen_on_was_over_before_the_judged_part_begins(days: int, folds: int) -> None:
    longest_ms = max(preset.plan.max_hold_ms for preset in PRESETS.values())
    for split in splits_of((0, days * DAY_MS), folds):
        for begin_ms, end_ms in split.chosen_on:
            assert begin_ms < end_ms and end_ms + longest_ms <= split.judged_on[0]


def test_a_time_too_short_for_its_parts_is_not_walked_through() -> None:
    assert splits_of((0, 100 * DAY_MS), 4) == () and splits_of(None, 4) == ()
    assert splits_of((0, 1_000 * DAY_MS), 0) == ()
