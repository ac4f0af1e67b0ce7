"""What goes into every indicator is looked at here once, so that an error names the place and the value."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
Marks = NDArray[np.bool_]

LONGEST: Final = 100_000  # bars; TA-Lib's own limit


def checked(name: str, *columns: Column) -> None:
    """Raise ValueError unless all columns are float64, of one dimension and of one length."""
    for place, column in enumerate(columns, 1):
        if column.dtype != np.float64 or column.ndim != 1:
            raise ValueError(
                f"{name}: column {place} is {column.dtype} of shape {column.shape}, allowed: a row of float64"
            )
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"{name}: columns of {', '.join(map(str, lengths))} bars, allowed: one length")


def checked_length(name: str, n: int, least: int = 1) -> int:
    """Return how many bars an indicator looks at. Raises ValueError when that has no meaning."""
    if not least <= n <= LONGEST:
        raise ValueError(f"{name}: over {n} bars, allowed: {least} to {LONGEST}")
    return n


def checked_times(name: str, times: float) -> float:
    """Return a multiplier. Raises ValueError for one that is not above zero."""
    if not 0 < times < np.inf:
        raise ValueError(f"{name}: {times} times, allowed: above 0")
    return times


def unknown(length: int) -> Column:
    """Return a column of which nothing is known yet."""
    return np.full(length, np.nan)


def none_of_last(n: int, happened: Marks) -> Marks:
    """Return where nothing happened in this bar and the n - 1 before it; False before n bars are there."""
    count = np.concatenate(([0], np.cumsum(happened)))
    quiet = np.zeros(len(happened), dtype=np.bool_)
    quiet[n - 1 :] = count[n:] == count[: max(0, len(count) - n)]
    return quiet


def changed(column: Column) -> Marks:
    """Return where a value differs from the one before. The first has none before it: True."""
    marks = np.ones(len(column), dtype=np.bool_)
    marks[1:] = column[1:] != column[:-1]
    return marks
