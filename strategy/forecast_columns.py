"""The forecast of strategy/funding_forecast.py for many settings at once, after one settlement after another.

Numbers are floats here, and every formula is that of the original; what rounding can have changed is kept
small enough to be told (`ForecastColumns.doubt_bps`), so that nobody has to rely on the last digits.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from config.schema import Forecast as Settings
from core.types import HOUR_MS, ZERO, FundingQuote, SettledFunding
from strategy.funding_forecast import LONGEST_MS, MINUTE_MS

Floats = NDArray[np.float64]

BPS: Final = 1e4
ROUNDING: Final = 1e-10  # of the largest term; the sums of 300 settlements stay a thousandfold below it


@dataclass(frozen=True, slots=True)
class Step:
    """What one settlement changes in a history of the last `keep`, whatever the half-life.

    gap_ms     since the settlement before; None when it is the first, or the same told twice.
    aged       (age_ms, rate, hours): what is taken from the weighted sums, weighted by its age.
    count      settlements known then.   total_paid, total_hours  their plain sums.
    quote      the rate as it stands for the interval to come.
    """

    gap_ms: int | None
    rate: float
    hours: float
    aged: tuple[tuple[int, float, float], ...]
    count: int
    total_paid: Decimal
    total_hours: Decimal
    quote: FundingQuote

    @property
    def mean_hourly(self) -> float:
        """The plain mean with the quote, per hour: what the rate returns to."""
        hours = self.total_hours + hours_of(self.quote.interval_ms)
        return float((self.total_paid + self.quote.rate) / hours)


def steps_of(settled: Sequence[SettledFunding], keep: int) -> Iterator[Step]:
    """Walk a RollingHistory of `keep` along; one step for each settlement but the last."""
    known: deque[tuple[int, Decimal, Decimal]] = deque()  # ts_ms, rate, hours
    last_ms, total_paid, total_hours = 0, ZERO, ZERO
    for one, coming in pairwise(settled):
        gap_ms = one.ts_ms - last_ms if known else LONGEST_MS
        hours = hours_of(min(gap_ms, LONGEST_MS))
        aged: list[tuple[int, float, float]] = []
        if told_anew := hours > 0:
            last_ms = one.ts_ms
            known.append((one.ts_ms, one.rate, hours))
            total_paid, total_hours = total_paid + one.rate, total_hours + hours
            if len(known) == 2 or len(known) > keep:
                for at_ms, rate, less in _given_up(known, keep):
                    aged.append((last_ms - at_ms, float(rate), float(less)))
                    total_paid, total_hours = total_paid - rate, total_hours - less
        begins = len(known) == 1
        due_ms = one.ts_ms + min(coming.ts_ms - one.ts_ms, LONGEST_MS)
        yield Step(
            gap_ms=gap_ms if told_anew and not begins else None,
            rate=float(one.rate) if told_anew else 0.0,
            hours=float(hours) if told_anew else 0.0,
            aged=tuple(aged),
            count=len(known),
            total_paid=total_paid,
            total_hours=total_hours,
            quote=FundingQuote("", one.rate, due_ms, 2 * due_ms - one.ts_ms, one.ts_ms),
        )


def _given_up(
    known: deque[tuple[int, Decimal, Decimal]], keep: int
) -> Iterator[tuple[int, Decimal, Decimal]]:
    """What is too old, and by how much the first interval that is left was too long."""
    while len(known) > keep:
        yield known.popleft()
    (ts_ms, rate, hours), (next_ms, _, _) = known[0], known[1]
    true_hours = hours_of(min(next_ms - ts_ms, LONGEST_MS))
    if true_hours != hours:
        known[0] = (ts_ms, rate, true_hours)
        yield ts_ms, ZERO, hours - true_hours


def hours_of(interval_ms: int) -> Decimal:
    return Decimal((interval_ms + MINUTE_MS // 2) // MINUTE_MS) / 60


class ForecastColumns:
    """One column a setting. `add` steps in order, then ask for `expected_bps`.

    worst_hourly  the largest rate of the series by amount, per hour: what rounding errors are measured by.
    """

    def __init__(self, settings: Sequence[Settings], worst_hourly: float) -> None:
        self._settings, self._worst_hourly = settings, worst_hourly
        halves = [float(one.half_life_hours) * HOUR_MS for one in settings]
        self._paid: Floats = np.zeros(len(settings))
        self._hours: Floats = np.zeros(len(settings))
        self._faded = _each_once(halves, lambda half_ms, span_ms: 2.0 ** (-span_ms / half_ms))
        self._ahead = cache(self._ahead_of)

    def add(self, step: Step) -> None:
        """Take in the next settlement."""
        if step.gap_ms is not None:
            weight = self._faded(step.gap_ms)
            self._paid *= weight
            self._hours *= weight
        self._paid += step.rate
        self._hours += step.hours
        for age_ms, rate, hours in step.aged:
            weight = self._faded(age_ms)
            self._paid -= weight * rate
            self._hours -= weight * hours

    def expected_bps(self, step: Step, last_ms: int) -> Floats:
        """Funding expected over each horizon, bps. `last_ms`: of the last settlement not told twice."""
        quote, mean = step.quote, step.mean_hourly
        hours, rate = float(hours_of(quote.interval_ms)), float(quote.rate)
        weight = self._faded(max(0, quote.funding_time_ms - last_ms))
        now = (self._paid * weight + rate) / (self._hours * weight + hours)
        counts, later, reverting, _ = self._ahead(quote.interval_ms)
        return counts * (rate + hours * (later * mean + (now - mean) * reverting)) * BPS

    def doubt_bps(self, interval_ms: int) -> Floats:
        """Two figures nearer to each other than this may stand the other way round in exact arithmetic."""
        return self._ahead(interval_ms)[3]

    def _ahead_of(self, interval_ms: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Of each setting: whether (1 or 0) a settlement lies ahead, how many after it, what is left of
        today's deviation at all those together, and the doubt."""
        rows = [self._ahead_in(one, interval_ms) for one in self._settings]
        counts, later, reverting = (np.array(column) for column in zip(*rows, strict=True))
        doubt = ROUNDING * BPS * self._worst_hourly * float(hours_of(interval_ms)) * (later + 2.0)
        return counts, later, reverting, doubt

    @staticmethod
    def _ahead_in(one: Settings, interval_ms: int) -> tuple[float, float, float]:
        left_ms = int(one.horizon_hours * HOUR_MS) - interval_ms  # until the first settlement is a whole one
        if left_ms < 0:
            return 0.0, 0.0, 0.0
        later = left_ms // interval_ms
        shrinks = math.log(2.0) * interval_ms / (float(one.reversion_half_life_hours) * HOUR_MS)
        left = math.expm1(-shrinks * later) / math.expm1(-shrinks) if later else 0.0
        return 1.0, float(later), math.exp(-shrinks) * left


def _each_once(values: Sequence[float], of: Callable[[float, int], float]) -> Callable[[int], Floats]:
    """`of` each value and a span, worked out once per span and distinct value.

    Through the scalar functions: those of arrays may round differently in columns of other lengths.
    """
    distinct, places = np.unique(np.array(values), return_inverse=True)

    @cache
    def at(span_ms: int) -> Floats:
        return np.array([of(float(one), span_ms) for one in distinct])[places]

    return at
