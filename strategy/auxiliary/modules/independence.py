"""Whether named series say different things: their correlations, and the pairs that say the same twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from strategy.auxiliary.bars import Column

THRESHOLD: Final = 0.8
ROUNDING: Final = 1e-12  # of the largest value: what a series that stands still moves by in floats


@dataclass(frozen=True, slots=True)
class Independence:
    """What was found over a tape.

    matrix     correlations (Pearson) in the order of `names`; 1 on the diagonal.
    bars       of which every series was known: the others were left out.
    dependent  (name, name, correlation) of the pairs at or beyond the threshold, in either direction.
    constant   what never moved: it is correlated with nothing, and tells nothing either.
    """

    names: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    bars: int
    dependent: tuple[tuple[str, str, float], ...]
    constant: tuple[str, ...]

    def of(self, one: str, other: str) -> float:
        return self.matrix[self.names.index(one)][self.names.index(other)]


def independence(series: Mapping[str, Column], threshold: float = THRESHOLD) -> Independence:
    """Return how far the series depend on each other, over the bars at which all of them are known.

    Raises ValueError for a threshold that is not above 0 to 1, fewer than two series, series of different
    lengths, or fewer than three bars at which all are known.
    """
    names = tuple(series)
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}, allowed: above 0 to 1")
    if len(names) < 2:
        raise ValueError(f"series of {', '.join(names) or 'nothing'}, allowed: two or more")
    if len(lengths := {len(column) for column in series.values()}) > 1:
        raise ValueError(f"series of {', '.join(map(str, sorted(lengths)))} bars, allowed: one length")
    rows = np.array([series[name] for name in names])
    rows = rows[:, ~np.isnan(rows).any(axis=0)]
    if rows.shape[1] < 3:
        raise ValueError(
            f"{rows.shape[1]} bars at which all of {', '.join(names)} are known, allowed: 3 or more"
        )
    around = rows - rows.mean(axis=1, keepdims=True)
    sizes = np.sqrt((around**2).sum(axis=1))
    still = sizes <= ROUNDING * np.abs(rows).max(axis=1)
    around[still] = 0.0
    unit = around / np.where(still, 1.0, sizes)[:, None]
    matrix = np.clip(unit @ unit.T, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return Independence(
        names,
        tuple(tuple(float(value) for value in row) for row in matrix),
        rows.shape[1],
        tuple(
            (names[one], names[other], float(matrix[one, other]))
            for one, other in combinations(range(len(names)), 2)
            if abs(matrix[one, other]) >= threshold
        ),
        tuple(name for name, constant in zip(names, still, strict=True) if constant),
    )
