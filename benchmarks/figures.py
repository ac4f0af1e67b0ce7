"""How a benchmark reports: one line a figure, with the target it is held against, or one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `at_least` says on which side of the target it should lie."""

    name: str
    value: float
    unit: str
    target: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target


def report(figures: Sequence[Figure], argv: Sequence[str] = ()) -> int:
    """Print the figures, as JSON with --json; return 0 when all targets are met, else 1."""
    if "--json" in argv:
        print(json.dumps([asdict(one) | {"met": one.met} for one in figures]))
    else:
        for one in figures:
            side, word = ">=" if one.at_least else "<=", "met" if one.met else "MISSED"
            print(f"{one.name:<48} {one.value:>14,.2f} {one.unit:<12} {side} {one.target:,g}  {word}")
    sys.stdout.flush()
    return 0 if all(one.met for one in figures) else 1
