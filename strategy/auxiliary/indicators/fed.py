"""TA-Lib's own streams behind one typed door: opened once enough has come in, unknown before."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, nan
from typing import Any

import numpy as np


class Fed:
    """One stream, fed one row at a time.

    opens     begins the stream with a column for each value of a row, and the settings.
    needs     how many rows it takes until the first figure.
    gives     how many figures come out; all of them are NaN before that.

    Its figures are those of the batch function to the last bit, because it is the same arithmetic: the
    compiled library multiplies and adds in one rounding, which Python cannot, and where a close stands
    exactly on a line the difference would decide the direction.
    """

    def __init__(
        self, name: str, opens: Callable[..., Any], *settings: float, needs: int, gives: int = 1
    ) -> None:
        self._name, self._opens, self._settings, self._needs = name, opens, settings, needs
        self._unknown = (nan,) * gives
        self._rows: list[tuple[float, ...]] = []
        self._stream: Any = None

    def take(self, *row: float) -> tuple[float, ...]:
        """Return the figures with this row taken in. Raises ValueError for one that is not finite."""
        if not all(map(isfinite, row)):
            raise ValueError(f"{self._name}: {', '.join(map(str, row))} came in, allowed: finite numbers")
        if self._stream is not None:
            return _figures(self._stream.update(*row))
        self._rows.append(row)
        if len(self._rows) < self._needs:
            return self._unknown
        columns = np.array(self._rows, dtype=np.float64).T.copy()
        self._stream = self._opens(*columns, *self._settings)
        self._rows.clear()
        return _figures(self._stream.value)


def _figures(value: Any) -> tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, tuple) else (float(value),)


class Quiet:
    """Counts for how many rows in a row nothing has happened."""

    def __init__(self) -> None:
        self.rows = 0

    def take(self, happened: bool) -> int:
        self.rows = 0 if happened else self.rows + 1
        return self.rows
