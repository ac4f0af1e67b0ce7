"""How far to believe the best of many sets: what chance alone would have found, and what may yet come.

None of it is certainty. All of it rests on what the record holds, and a record does not hold everything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, pvariance
from typing import Final

import numpy as np
from numpy.typing import NDArray

from strategy.forecast_columns import Floats

EULER_GAMMA: Final = 0.5772156649015329
LEVELS: Final = (0.95, 0.99)
YEAR_DAYS: Final = 365

_NORMAL: Final = NormalDist()


def expected_best_sharpe(variance: float, tried: int) -> float:
    """The Sharpe ratio that the best of `tried` sets without any merit is expected to show.

    variance  of the Sharpe ratios of the sets tried, in the same period (not a year's).

        SR0 = sqrt(V) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e)))

    with g Euler's constant and Z the inverse of the normal distribution; 0 for a single set. Source: Bailey
    & Lopez de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014). Worked there:
    V = 0.5 / 250, N = 100: 0.1132.
    """
    if tried < 2:
        return 0.0
    ahead = _NORMAL.inv_cdf(1 - 1 / tried) * (1 - EULER_GAMMA)
    return math.sqrt(variance) * (ahead + EULER_GAMMA * _NORMAL.inv_cdf(1 - 1 / (tried * math.e)))


def deflated_sharpe(
    sharpe: float, observations: int, skew: float, kurtosis: float, variance: float, tried: int
) -> float:
    """The probability that the true Sharpe ratio is above 0, the number of sets tried taken into account.

    sharpe, skew, kurtosis  of the returns of the best set, each in their own period; kurtosis 3 is normal.

        DSR = F((SR - SR0) sqrt(T - 1) / sqrt(1 - skew SR + (kurtosis - 1) / 4 SR^2))

    with F the normal distribution and SR0 `expected_best_sharpe`. Returns are taken as independent of each
    other, which funding is not: the figure is too good where they follow one another. Source: the same;
    worked there: 2.5 a year over 1250 days of 250 a year, skew -3, kurtosis 10: 0.9004.
    """
    ahead = sharpe - expected_best_sharpe(variance, tried)
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe * sharpe
    if observations < 2 or spread <= 0:
        return 0.0
    return _NORMAL.cdf(ahead * math.sqrt(observations - 1) / math.sqrt(spread))


def spread_of(sharpes: Sequence[float]) -> float:
    """The variance of the Sharpe ratios of the sets tried."""
    return pvariance(sharpes) if len(sharpes) > 1 else 0.0


def block_paths(
    length: int, days: int, paths: int, block_days: int, seed: int, stationary: bool = True
) -> NDArray[np.int64]:
    """Which day of the record each day of each path repeats: whole stretches, so that what follows one
    another stays together.

    stationary  blocks of random lengths, geometric with mean `block_days` (Politis & Romano, The Stationary
                Bootstrap, Journal of the American Statistical Association 89, 1994); else all as long.
    The record goes on at its beginning after its end. A row a path, `days` columns.
    """
    random = np.random.default_rng(seed)
    at = np.empty((days, paths), dtype=np.int64)
    for day in range(days):
        if day == 0:
            fresh = np.ones(paths, dtype=np.bool_)
        elif stationary:
            fresh = random.random(paths) < 1 / block_days
        else:
            fresh = np.full(paths, day % block_days == 0)
        going_on = (at[day - 1] + 1) % length
        at[day] = np.where(fresh, random.integers(0, length, paths), going_on)
    return np.ascontiguousarray(at.T)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the paths of a year come to, fractions of the notional.

    var, cvar  by level: the loss that so many paths stay below, and the mean of those that do not; below 0
               means a gain. drawdown  by quantile: the largest fall of the running net within the year.
    """

    paths: int
    days: int
    mean: float
    losing: float
    var: dict[float, float]
    cvar: dict[float, float]
    drawdown: dict[float, float]


def outlook(
    returns: Floats,
    paths: int,
    seed: int,
    block_days: int = 20,
    stationary: bool = True,
    days: int = YEAR_DAYS,
) -> Outlook:
    """Resample a year of daily nets so many times."""
    running = np.cumsum(returns[block_paths(len(returns), days, paths, block_days, seed, stationary)], axis=1)
    nets = running[:, -1]
    falls = (np.maximum(np.maximum.accumulate(running, axis=1), 0.0) - running).max(axis=1)
    var = {level: -float(np.quantile(nets, 1 - level)) for level in LEVELS}
    return Outlook(
        paths=paths,
        days=days,
        mean=float(nets.mean()),
        losing=float((nets < 0).mean()),
        var=var,
        cvar={level: -float(nets[nets <= -loss].mean()) for level, loss in var.items()},
        drawdown={level: float(np.quantile(falls, level)) for level in (0.5, *LEVELS)},
    )
