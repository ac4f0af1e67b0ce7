"""What goes into every indicator is looked at here once, so that an error names the place and the value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


def checked(name: str, *columns: Column) -> None:
    """Raise ValueError unless all columns are float64, of one dimension and of one length."""
    for place, column in enumerate(columns, 1):
        if column.dtype != np.float64 or column.ndim != 1:
            raise ValueError(
                f"{name}: column {place} is {column.dtype} {column.shape}, allowed: one row of float64"
            )
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"{name}: columns of {', '.join(map(str, lengths))} bars, allowed: one length")


def checked_length(name: str, n: int, least: int = 1) -> int:
    """Return how many bars an indicator looks at. Raises ValueError below the least that has a meaning."""
    if n < least:
        raise ValueError(f"{name}: over {n} bars, allowed: {least} or more")
    return n


def unknown(length: int) -> Column:
    """Return a column of which nothing is known yet."""
    return np.full(length, np.nan)
