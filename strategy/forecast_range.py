"""Between what bounds the forecast of strategy/funding_forecast.py lies, for many stretches of time at once.

For whoever must know where a decision could fall without making the forecast everywhere. All weights of the
forecast are positive, so it rises with the quoted rate: the ends of the range of one are those of the other.
The sums of the settled rates are folded by the forecast's own code; the rest is its closed form in floats,
with room for what rounding can have changed.

Needs numpy, which the engine does not: nothing that runs the engine imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from config.schema import Forecast as Settings
from core.types import HOUR_MS, SettledFunding
from strategy.funding_forecast import MINUTE_MS, RollingHistory

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BPS: Final = 1e4
ROOM_BPS: Final = 1e-6  # far more than rounding, far less than anything anybody decides by


@dataclass(frozen=True, slots=True)
class Sums:
    """What is known after each settlement, and first before any; the fields are those of `History`."""

    count: Ints
    last_ms: Ints
    paid: Floats
    hours: Floats
    total_paid: Floats
    total_hours: Floats


def sums_of(settled: Sequence[SettledFunding], settings: Settings, keep: int, first: int = 0) -> Sums:
    """Fold the last `keep` settlements, one after the other; row n is what n of them leave.

    first  rows before it are not asked for, and empty.
    """
    rolling, rows = RollingHistory(settings.half_life_hours, keep), []
    begin = max(0, first - keep)
    for n in range(len(settled) + 1):
        if n > begin:
            rolling.add(settled[n - 1])
        known = rolling.history
        if n < first:
            rows.append((0, 0, 0.0, 0.0, 0.0, 0.0))
            continue
        rows.append(
            (
                known.count, known.last_ms, float(known.paid), float(known.hours),
                float(known.total_paid), float(known.total_hours),
            )
        )  # fmt: skip
    columns = list(zip(*rows, strict=True))
    count, last_ms = (np.array(column, dtype=np.int64) for column in columns[:2])
    return Sums(count, last_ms, *(np.array(column, dtype=np.float64) for column in columns[2:]))


@dataclass(frozen=True, slots=True)
class Quotes:
    """What is quoted in each stretch: the next settlement, its interval, and the range of its rate.

    known  how many settlements are known then: the row of `Sums`.
    """

    known: Ints
    due_ms: Ints
    interval_ms: Ints
    low: Floats
    high: Floats


def expected_range(
    sums: Sums, quotes: Quotes, begin_ms: Ints, end_ms: Ints, settings: Settings
) -> tuple[Floats, Floats]:
    """Return the least and the most the forecast sum can be within each stretch [begin, end], bps.

    A stretch may not be longer than the interval: then the number of settlements ahead changes once at most.
    """
    at = quotes.known
    hours = (quotes.interval_ms + MINUTE_MS // 2) // MINUTE_MS / 60
    fade_ms = float(settings.half_life_hours) * HOUR_MS
    weight = np.exp2(-np.maximum(0, quotes.due_ms - sums.last_ms[at]) / fade_ms)
    q = np.exp2(-quotes.interval_ms / (float(settings.reversion_half_life_hours) * HOUR_MS))
    found = []
    for rate in (quotes.low, quotes.high):
        now = (sums.paid[at] * weight + rate) / (sums.hours[at] * weight + hours)
        mean = (sums.total_paid[at] + rate) / (sums.total_hours[at] + hours)
        for seen_ms in (begin_ms, end_ms):
            ahead = _ahead(quotes, seen_ms, int(settings.horizon_hours * HOUR_MS))
            reverting = q * (1 - q ** (ahead - 1)) / (1 - q)
            later = (ahead - 1) * mean + (now - mean) * reverting
            found.append(np.where(ahead > 0, rate + hours * later, 0.0) * BPS)
    return np.minimum.reduce(found) - ROOM_BPS, np.maximum.reduce(found) + ROOM_BPS


def _ahead(quotes: Quotes, seen_ms: Ints, horizon_ms: int) -> Ints:
    """How many settlements lie within the horizon."""
    left_ms = horizon_ms - np.maximum(0, quotes.due_ms - seen_ms)
    ahead: Ints = np.where(left_ms >= 0, left_ms // quotes.interval_ms + 1, 0)
    return ahead
