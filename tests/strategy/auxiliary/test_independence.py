"""Series that say the same twice are named; series that stand still are not mistaken for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.auxiliary.bars import Column
from strategy.auxiliary.modules.independence import independence


def noise(seed: int, count: int = 500) -> Column:
    return np.random.default_rng(seed).normal(size=count)


def test_two_that_say_the_same_are_named_in_either_direction() -> None:
    base = noise(1)
    found = independence({"a": base, "twin": 3 * base + 7, "against": -base, "other": noise(2)})
    assert [(one, other) for one, other, _ in found.dependent] == [
        ("a", "twin"),
        ("a", "against"),
        ("twin", "against"),
    ]
    assert [round(value, 9) for _, _, value in found.dependent] == [1.0, -1.0, -1.0]
    assert abs(found.of("a", "other")) < 0.2


def test_a_pair_at_the_threshold_is_named_and_one_below_it_is_not() -> None:
    base = noise(1)
    other = base + 0.75 * noise(2)  # a correlation of some 0.8
    value = abs(np.corrcoef(base, other)[0, 1])
    assert independence({"a": base, "b": other}, threshold=value - 1e-9).dependent
    assert not independence({"a": base, "b": other}, threshold=value + 1e-9).dependent


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(3, 60))
def test_the_matrix_is_the_one_numpy_computes(seed: int, names: int, count: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(names, count))
    found = independence({f"s{n}": row for n, row in enumerate(rows)})
    assert np.allclose(found.matrix, np.corrcoef(rows), atol=1e-9)
    assert found.bars == count and not found.constant


def test_only_bars_at_which_all_are_known_count() -> None:
    one, two = noise(1), noise(2)
    one[:100] = np.nan
    two[50:150] = np.nan
    found = independence({"a": one, "b": two})
    assert found.bars == 350
    assert found.of("a", "b") == pytest.approx(np.corrcoef(one[150:], two[150:])[0, 1])


@pytest.mark.parametrize("level", [0.0, 0.1, 1e9])
def test_what_never_moves_depends_on_nothing(level: float) -> None:
    found = independence({"a": noise(1), "still": np.full(500, level), "still too": np.full(500, level)})
    assert found.constant == ("still", "still too")
    assert found.dependent == () and found.of("still", "still too") == 0 and found.of("still", "still") == 1


def test_a_question_that_has_no_answer_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"threshold is 1\.2, allowed: above 0 to 1"):
        independence({"a": noise(1), "b": noise(2)}, threshold=1.2)
    with pytest.raises(ValueError, match="series of a, allowed: two or more"):
        independence({"a": noise(1)})
    with pytest.raises(ValueError, match="series of 20, 30 bars, allowed: one length"):
        independence({"a": noise(1, 30), "b": noise(2, 20)})
    with pytest.raises(ValueError, match="0 bars at which all of a, b are known, allowed: 3 or more"):
        independence({"a": noise(1), "b": np.full(500, np.nan)})
