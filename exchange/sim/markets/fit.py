"""Whether a generated figure fits a recorded one: the tolerance is how much the record itself varies.

A market is another one every month, so one window of a tape is no target. Its windows are dealt out in
turn: constants are fitted to the even ones, and reported against the odd ones, the holdout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

LEAST_WINDOWS = 3  # with fewer a range says nothing


@dataclass(frozen=True, slots=True)
class Fit:
    """One figure: medians of what was fitted to and of what is reported on, the tolerance, the generated one.

    least, most  what fits, normally the 10-90 % range of the windows reported on
    generated    median over seeds
    inside       share of the seeds in the tolerance; 0.8 is a twin, less means that months differ too much
    judged       False when the record has too few windows for a range
    """

    name: str
    fitted: float
    recorded: float
    least: float
    most: float
    generated: float
    inside: float
    judged: bool

    @property
    def error(self) -> float | None:
        """generated / recorded - 1; a figure recorded as 0 has no such error."""
        return self.generated / self.recorded - 1 if self.recorded else None

    @property
    def fits(self) -> bool:
        return self.judged and self.least <= self.generated <= self.most


def fit_of(name: str, recorded: Sequence[float], generated: Sequence[float]) -> Fit:
    """Compare one figure of consecutive windows of a record with those of several seeds.

    A single window is both what is fitted to and what is reported on, and not judged.
    """
    fitted, holdout = recorded[::2], recorded[1::2] or recorded
    least, most = _range(holdout)
    inside = sum(least <= one <= most for one in generated) / len(generated)
    judged = len(recorded[1::2]) >= LEAST_WINDOWS
    return Fit(name, median(fitted), median(holdout), least, most, median(generated), inside, judged)


def fit_within(name: str, recorded: Sequence[float], generated: Sequence[float], share: float) -> Fit:
    """Compare with a stated relative tolerance: for a record too short to show how much it varies."""
    middle = median(recorded)
    least, most = middle * (1 - share), middle * (1 + share)
    inside = sum(least <= one <= most for one in generated) / len(generated)
    return Fit(name, middle, middle, least, most, median(generated), inside, True)


def _range(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    tenths = quantiles(values, n=10, method="inclusive")
    return tenths[0], tenths[-1]
