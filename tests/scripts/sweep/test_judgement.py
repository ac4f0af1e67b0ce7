"""What a search may conclude: formulas against values derived by hand, and what is said of them."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.sheet import likelihood
from scripts.sweep.judgement import (
    block_paths,
    deflated_sharpe,
    expected_best_sharpe,
    outlook,
    spread_of,
)
from scripts.sweep.words import said_in


def test_the_best_of_a_hundred_without_merit_is_expected_where_the_paper_says() -> None:
    """By hand: sqrt(0.5 / 250) = 0.044721; Z(0.99) = 2.326348; Z(1 - 1 / 271.828) = 2.680200;
    0.422784 x 2.326348 + 0.577216 x 2.680200 = 2.530592."""
    assert expected_best_sharpe(0.5 / 250, 100) == pytest.approx(0.044721 * 2.530592, abs=2e-5)
    assert round(expected_best_sharpe(0.5 / 250, 100), 4) == 0.1132


def test_the_deflated_sharpe_ratio_is_that_of_the_paper() -> None:
    """By hand: (0.158114 - 0.113172) x sqrt(1249) = 1.588308; sqrt(1 + 3 x 0.158114 + 9 / 4 x 0.025) =
    1.237181; F(1.283812) = 0.9004."""
    found = deflated_sharpe(2.5 / math.sqrt(250), 1250, -3.0, 10.0, 0.5 / 250, 100)
    assert found == pytest.approx(0.9004, abs=1e-4)


def test_with_one_set_it_is_the_probability_of_a_sharpe_ratio_above_zero() -> None:
    """Normal returns: 0.1 x sqrt(99) / sqrt(1 + 0.5 x 0.01) = 0.992508."""
    expected = NormalDist().cdf(0.1 * math.sqrt(99) / math.sqrt(1.005))
    assert deflated_sharpe(0.1, 100, 0.0, 3.0, 0.25, 1) == pytest.approx(expected)
    assert spread_of([0.4]) == 0.0


@given(tried=st.integers(2, 10_000), variance=st.floats(0.0001, 1))
def test_the_more_sets_are_tried_the_more_the_best_must_show(tried: int, variance: float) -> None:
    assert expected_best_sharpe(variance, tried) < expected_best_sharpe(variance, tried + 1000)
    assert deflated_sharpe(0.2, 500, 0, 3, variance, tried) <= deflated_sharpe(0.2, 500, 0, 3, variance, 1)


@pytest.mark.parametrize("stationary", [True, False])
def test_blocks_keep_what_follows_one_another_together(stationary: bool) -> None:
    paths = block_paths(length=50, days=200, paths=400, block_days=10, seed=3, stationary=stationary)
    assert paths.shape == (400, 200)
    assert paths.min() >= 0 and paths.max() < 50
    goes_on = (np.diff(paths, axis=1) % 50 == 1).mean()
    # A new block begins every tenth day, and of fifty days one would have followed anyway.
    assert goes_on == pytest.approx(1 - 0.1 * 49 / 50, abs=0.01)
    counts = np.bincount(paths.ravel(), minlength=50)
    assert counts.min() > 0.8 * counts.mean()


def test_the_same_seed_gives_the_same_paths() -> None:
    one, same, other = (block_paths(30, 20, 10, 5, seed) for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any()


def test_a_year_of_always_the_same_has_no_spread() -> None:
    found = outlook(np.full(100, 0.001), 200, seed=1)
    assert found.mean == pytest.approx(0.365)
    assert found.var[0.95] == found.cvar[0.99] == pytest.approx(-0.365)
    assert found.losing == 0 and found.drawdown[0.99] == 0


def test_the_loss_beyond_is_never_smaller_than_the_loss_at_the_level() -> None:
    returns = np.random.default_rng(5).normal(0.0, 0.01, 500)
    found = outlook(returns, 2000, seed=1)
    spread = math.sqrt(365) * returns.std()
    assert found.var[0.95] == pytest.approx(1.645 * spread - 365 * returns.mean(), rel=0.3)
    assert found.cvar[0.95] >= found.var[0.95] and found.var[0.99] >= found.var[0.95]
    assert found.drawdown[0.5] <= found.drawdown[0.95] <= found.drawdown[0.99]


@pytest.mark.parametrize(
    ("share", "told"),
    [(1.0, "above 99.9 %"), (0.99995, "above 99.9 %"), (0.95, "95.00 %"), (0.0, "below 0.1 %")],
)
def test_no_probability_is_told_as_a_certainty(share: float, told: str) -> None:
    assert likelihood(share, said_in("en")) == told
