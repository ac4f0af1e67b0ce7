"""What trades came to, and how far chance alone would explain it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, pstdev
from typing import Final

import numpy as np

from core.types import DAY_MS, ZERO
from scripts.modules.trade import Trade
from scripts.sweep.judgement import block_paths, deflated_sharpe

PATHS: Final = 2_000
BLOCK: Final = 10  # trades that stay together: what one market did to several of them
LEVEL: Final = 0.95
FEWEST: Final = 20  # trades; of fewer no interval and no probability is told
YEAR_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Moments:
    """Of the trades' results in units of risk. `sharpe` is mean over deviation of one trade."""

    count: int
    mean: float
    sharpe: float
    skew: float
    kurtosis: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a list of trades came to. Money in USDT, of one capital; None: there is nothing to say it of.

    win_rate  share of the trades that were left with something after all costs.
    payoff    mean win / mean loss, of the nets.
    mean_r    mean net in units of what was risked, with its interval (95 %, resampled in blocks).
    even_win  win rate at which that payoff would have earned nothing.
    fall      largest fall of the running net, counted where positions close.
    merit     probability that the true mean is above 0 (deflated Sharpe ratio), for so many sets tried.
    """

    trades: int
    gross: Decimal
    slippage: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal
    fall: Decimal
    win_rate: float | None = None
    payoff: float | None = None
    mean_r: float | None = None
    low_r: float | None = None
    high_r: float | None = None
    held_h: float | None = None
    merit: float | None = None

    @property
    def even_win(self) -> float | None:
        return None if self.payoff is None else 1 / (1 + self.payoff)


def figures_of(trades: Sequence[Trade], seed: int = 7, tried: int = 1, variance: float = 0.0) -> Figures:
    """Return the figures of these trades. `variance`: of the Sharpe ratios of the sets tried."""
    nets = [trade.net for trade in trades]
    wins, losses = [net for net in nets if net > 0], [-net for net in nets if net <= 0]
    results = [trade.r for trade in trades]
    low = high = merit = None
    if len(trades) >= FEWEST:
        low, high = interval(results, seed)
        found = moments(results)
        merit = deflated_sharpe(
            found.sharpe, found.count, found.skew, found.kurtosis, variance, max(1, tried)
        )
    return Figures(
        trades=len(trades),
        gross=_sum(trade.gross for trade in trades),
        slippage=_sum(trade.slippage for trade in trades),
        fees=_sum(trade.fees for trade in trades),
        funding=_sum(trade.funding for trade in trades),
        net=_sum(nets),
        fall=largest_fall(trades),
        win_rate=len(wins) / len(trades) if trades else None,
        payoff=float(_sum(wins) / len(wins) / (_sum(losses) / len(losses))) if wins and any(losses) else None,
        mean_r=fmean(results) if results else None,
        low_r=low,
        high_r=high,
        held_h=fmean((trade.closed_ms - trade.opened_ms) / 3_600_000 for trade in trades) if trades else None,
        merit=merit,
    )


def interval(results: Sequence[float], seed: int) -> tuple[float, float]:
    """Return where the mean lies in 95 % of resamplings, blocks of trades in order staying together.

    Stationary bootstrap, Politis & Romano (1994): `scripts.sweep.judgement.block_paths`.
    """
    column = np.array(results)
    paths = block_paths(len(column), len(column), PATHS, min(BLOCK, len(column)), seed)
    means = column[paths].mean(axis=1)
    edge = (1 - LEVEL) / 2
    return float(np.quantile(means, edge)), float(np.quantile(means, 1 - edge))


def moments(results: Sequence[float]) -> Moments:
    mean, deviation = fmean(results), pstdev(results)
    if deviation == 0:
        return Moments(len(results), mean, 0.0, 0.0, 3.0)
    third = fmean(((each - mean) / deviation) ** 3 for each in results)
    fourth = fmean(((each - mean) / deviation) ** 4 for each in results)
    return Moments(len(results), mean, mean / deviation, third, fourth)


def t_value(results: Sequence[float]) -> float:
    """Return mean / its standard error; what sets are ranked by. With too few trades the worst there is."""
    if len(results) < FEWEST:
        return -math.inf
    return moments(results).sharpe * math.sqrt(len(results))


def largest_fall(trades: Sequence[Trade]) -> Decimal:
    running = peak = fall = ZERO
    for trade in sorted(trades, key=lambda one: one.closed_ms):
        running += trade.net
        peak = max(peak, running)
        fall = max(fall, peak - running)
    return fall


def running_net(trades: Sequence[Trade], times_ms: Sequence[int]) -> list[float]:
    """Return what had been earned by each of these instants, counted where positions close."""
    closed = sorted(trades, key=lambda one: one.closed_ms)
    at = np.searchsorted(
        np.array([trade.closed_ms for trade in closed], dtype=np.int64), times_ms, side="right"
    )
    sums = np.concatenate(([0.0], np.cumsum([float(trade.net) for trade in closed])))
    return [float(sums[n]) for n in at]


def days_of(closes_ms: Iterable[int]) -> int:
    """Return on how many UTC days there was a close to be asked at."""
    return len({int(at_ms) // DAY_MS for at_ms in closes_ms})


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)
