"""Where a crowd stands, and what it pays for it: funding, open interest and the long/short ratio.

Each figure is placed among the others of the same days: the share of them it is above, or below. Nothing is
looked at that was not known at the instant asked about. A series that does not reach back far enough, has too
few figures or has ended is not known, and where one of the three is not known there is no crowd.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

import numpy as np

from core.types import HOUR_MS, SettledFunding, Side
from strategy.auxiliary.bars import Column

T = TypeVar("T")
Samples = Sequence[tuple[int, Decimal]]  # (UTC ms at which it was known, figure), oldest first

LONGEST_MS: Final = 8 * HOUR_MS  # between two settlements; a newest figure older than this is none
FEWEST: Final = 30  # figures to be placed among
REACHES_BACK: Final = 0.9  # of the lookback, at least
DAY_OF_SETTLEMENTS: Final = 3


@dataclass(frozen=True, slots=True)
class Extremes:
    """From where on a crowd is one.

    share           of the others that funding and the ratio are beyond, on the same side.
    interest_share  of the others that open interest is above.
    floor_8h        least rate the crowd pays per 8 h.
    """

    lookback_ms: int
    share: float
    interest_share: float
    floor_8h: float


@dataclass(frozen=True, slots=True)
class Crowd:
    """A crowd as it was seen. `side` is where it stands, rates are per 8 h, shares of the others, 0-1."""

    side: Side
    rate_8h: float
    rate_before_8h: float  # mean of the day of settlements before the last
    rate_share: float
    interest_base: float  # coins
    interest_share: float
    ratio: float  # accounts long / accounts short
    ratio_share: float

    @property
    def turn(self) -> float:
        """How much of the rate has come off since the day before, 0-1; 0 while it still grows."""
        back = self.side.sign * (self.rate_before_8h - self.rate_8h)
        return min(max(back / abs(self.rate_8h), 0.0), 1.0)


def crowd_at(
    at_ms: int, settled: Sequence[SettledFunding], interest: Samples, ratio: Samples, extremes: Extremes
) -> Crowd | None:
    """Return the crowd as it was known at an instant, or None where there is none or it is not known."""
    rates = rates_8h(settled, at_ms, extremes.lookback_ms)
    if rates is None or abs(rates[-1]) <= extremes.floor_8h:
        return None
    side = Side.BUY if rates[-1] > 0 else Side.SELL
    rate_share = beyond(rates, side)
    if rate_share < extremes.share:
        return None
    ratios = _column(_known(ratio, _at, at_ms, extremes.lookback_ms))
    if ratios is None or (ratio_share := beyond(ratios, side)) < extremes.share:
        return None
    coins = _column(_known(interest, _at, at_ms, extremes.lookback_ms))
    if coins is None or (interest_share := beyond(coins, Side.BUY)) < extremes.interest_share:
        return None
    return Crowd(
        side,
        float(rates[-1]),
        float(rates[-1 - DAY_OF_SETTLEMENTS : -1].mean()),
        rate_share,
        float(coins[-1]),
        interest_share,
        float(ratios[-1]),
        ratio_share,
    )


def beyond(values: Column, side: Side) -> float:
    """Return the share of the others the last one is above; below, for a SELL. Equal ones are neither."""
    others, last = values[:-1], values[-1]
    return float(np.count_nonzero(others < last if side is Side.BUY else others > last)) / len(others)


def rates_8h(settled: Sequence[SettledFunding], before_ms: int, lookback_ms: int) -> Column | None:
    """Return what settled within the lookback, per 8 hours; None while it is not known.

    A rate's interval is the time since the settlement before, at most 8 h: a longer gap is a hole.
    """
    known = _known(settled, _settled_at, before_ms, lookback_ms)
    if known is None:
        return None
    at_ms = np.array([each.ts_ms for each in known], dtype=np.int64)
    rates = np.array([float(each.rate) for each in known])
    gaps = np.minimum(np.diff(at_ms), LONGEST_MS)
    return rates[1:] * (LONGEST_MS / np.maximum(gaps, 1))


def _known(
    series: Sequence[T], at: Callable[[T], int], before_ms: int, lookback_ms: int
) -> Sequence[T] | None:
    end = bisect_left(series, before_ms, key=at)
    kept = series[bisect_left(series, before_ms - lookback_ms, key=at) : end]
    if len(kept) <= FEWEST or at(kept[-1]) < before_ms - LONGEST_MS:
        return None
    return kept if at(kept[0]) <= before_ms - REACHES_BACK * lookback_ms else None


def _column(samples: Samples | None) -> Column | None:
    return None if samples is None else np.array([float(figure) for _, figure in samples])


def _at(sample: tuple[int, Decimal]) -> int:
    return sample[0]


def _settled_at(each: SettledFunding) -> int:
    return each.ts_ms
