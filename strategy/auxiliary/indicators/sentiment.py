"""How unusual the crowd is: a figure held against its own past, and how funding has changed.

Two measures, because each errs where the other does not: a deviation is large for one wild outlier and small
among many, a rank is the same however far out it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np

from core.types import BPS, HOUR_MS, FundingQuote, SettledFunding
from strategy.auxiliary.indicators.columns import Column, checked

FEWEST: Final = 30  # figures to be held against
EIGHT_HOURS_MS: Final = 8 * HOUR_MS


class Mood(StrEnum):
    """What an extreme long/short ratio, or funding rate, says of the crowd."""

    CROWDED_LONG = "crowded_long"
    CROWDED_SHORT = "crowded_short"


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest figure of a series among those before it.

    z           (newest - their mean) / their standard deviation, of the population; 0 where all are equal
                and the newest is too, infinite where only the newest differs.
    percentile  share of them below it, plus half of those equal to it; 0.5 is the middle.
    others      how many it was held against.
    """

    newest: float
    mean: float
    z: float
    percentile: float
    others: int

    def mood(self, least_z: float = 2.0, least_percentile: float = 0.95) -> Mood | None:
        """Return what it says when both measures call it extreme, None otherwise."""
        if self.z >= least_z and self.percentile >= least_percentile:
            return Mood.CROWDED_LONG
        if self.z <= -least_z and self.percentile <= 1 - least_percentile:
            return Mood.CROWDED_SHORT
        return None


@dataclass(frozen=True, slots=True)
class FundingChange:
    """What the next settlement is expected to pay, beside the ones before it; all per eight hours.

    change_bps_8h  expected - last settled.
    drift_bps_8h   expected - mean of the settlements looked at.
    """

    expected_bps_8h: float
    change_bps_8h: float
    drift_bps_8h: float
    settlements: int


def standing(values: Column, fewest: int = FEWEST) -> Standing | None:
    """Return where the last value stands among those before it, oldest first.

    None with fewer than `fewest` others, or where a value is not a number: what is not known is nothing.
    """
    checked("standing", values)
    if fewest < 2:
        raise ValueError(f"standing: among {fewest} others, allowed: 2 or more")
    others, newest = values[:-1], float(values[-1]) if len(values) else np.nan
    if len(others) < fewest or not np.isfinite(values).all():
        return None
    mean = float(others.mean())
    spread = float(others.std()) if others.min() < others.max() else 0.0
    off = newest - (mean if spread else float(others[0]))
    z = off / spread if spread else float(np.copysign(np.inf, off)) if off else 0.0
    below, equal = np.count_nonzero(others < newest), np.count_nonzero(others == newest)
    return Standing(newest, mean, z, float(below + equal / 2) / len(others), len(others))


def long_short_standing(samples: Sequence[tuple[int, Decimal]], fewest: int = FEWEST) -> Standing | None:
    """Return where the newest (UTC ms, accounts long / accounts short) stands, by its logarithm.

    The logarithm, because twice as many longs and twice as many shorts are equally far from balance; the
    ratios themselves are 1 and 0.5 away. `newest` and `mean` are logarithms too. None with too few, or with
    a ratio that is not above zero.
    """
    ratios = np.array([float(ratio) for _, ratio in samples], dtype=np.float64)
    if not (ratios > 0).all():
        return None
    return standing(np.log(ratios), fewest)


def rates_bps_8h(settled: Sequence[SettledFunding]) -> Column:
    """Return the settled rates in bps per eight hours; one fewer than given, because the first only begins.

    A rate's interval is the time since the settlement before it, and at most eight hours: what is longer
    is a settlement that is missing. Raises ValueError for settlements that are not oldest first.
    """
    made = []
    for before, each in pairwise(settled):
        if each.ts_ms <= before.ts_ms:
            raise ValueError(
                f"rates_bps_8h: a settlement of {each.ts_ms} after {before.ts_ms}, allowed: oldest first"
            )
        interval_ms = min(each.ts_ms - before.ts_ms, EIGHT_HOURS_MS)
        made.append(float(each.rate * BPS * EIGHT_HOURS_MS / interval_ms))
    return np.array(made, dtype=np.float64)


def funding_change(
    quote: FundingQuote, settled: Sequence[SettledFunding], over: int = 3
) -> FundingChange | None:
    """Return how the expected rate differs from the last `over` settlements.

    None where one more than that is not there, or the quote names no interval.
    """
    if over < 1:
        raise ValueError(f"funding_change: over {over} settlements, allowed: 1 or more")
    if len(settled) <= over or quote.interval_ms <= 0:
        return None
    rates, expected = rates_bps_8h(settled[-over - 1 :]), float(quote.rate_8h * BPS)
    return FundingChange(expected, expected - float(rates[-1]), expected - float(rates.mean()), over)
