"""The statistics of a report: pure functions, each with its formula and where it comes from.

Returns are simple ones of whole days (24 h from the first point on), without a risk-free rate: the capital
is USDT, and what it would earn lying still is 0. Yearly figures take 365 days, because the market never
closes. Statistics are floats; None means that the figure does not exist, never that it is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import fsum, sqrt
from statistics import fmean, stdev
from typing import Final

from core.types import DAY_MS, ZERO
from monitor.pnl_tracker import YEAR_MS, Point

DAYS_A_YEAR: Final = 365
NO_SPREAD: Final = 1e-12  # a smaller deviation of returns is rounding


def daily_returns(points: Sequence[Point]) -> list[float]:
    """Return the simple return of each whole day since the first point: E(k) / E(k-1) - 1.

    E(k) is the last equity known at first time + k x 24 h. What is left over at the end is not a day.
    100 at 0 h, 101 at 20 h, 102 at 30 h, 99.99 at 48 h: +1 % and -1 %.
    """
    if not points:
        return []
    begin_ms, at, values = points[0][0], 0, [points[0][1]]
    for day in range(1, (points[-1][0] - begin_ms) // DAY_MS + 1):
        while at + 1 < len(points) and points[at + 1][0] <= begin_ms + day * DAY_MS:
            at += 1
        values.append(points[at][1])
    return [float(after / before - 1) for before, after in pairwise(values) if before > 0]


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean over standard deviation, a year: mean(r) / std(r) x sqrt(365), std with n - 1.

    None with fewer than two days or without any deviation. Source: W. F. Sharpe, The Sharpe Ratio, Journal
    of Portfolio Management 21 (1994). 0.01, 0.03: 0.02 / 0.0141421 x 19.1050 = 27.0185.
    """
    if len(returns) < 2:
        return None
    spread = stdev(returns)
    return fmean(returns) / spread * sqrt(DAYS_A_YEAR) if spread > NO_SPREAD else None


def sortino(returns: Sequence[float]) -> float | None:
    """Mean over downside deviation, a year: mean(r) / sqrt(mean(min(r, 0)^2)) x sqrt(365).

    The deviation is below 0 and counts all days. None without a day of loss. Source: F. Sortino, L. Price,
    Performance Measurement in a Downside Risk Framework, Journal of Investing 3 (1994). 0.03, -0.01: 0.01 /
    0.00707107 x 19.1050 = 27.0185.
    """
    if not returns:
        return None
    below = sqrt(fmean(min(r, 0.0) ** 2 for r in returns))
    return fmean(returns) / below * sqrt(DAYS_A_YEAR) if below > NO_SPREAD else None


def omega(returns: Sequence[float]) -> float | None:
    """What was gained over what was lost, by days: sum(max(r, 0)) / sum(max(-r, 0)).

    Threshold 0. None without a day of loss. Source: C. Keating, W. Shadwick, A Universal Performance Measure,
    Journal of Performance Measurement 6 (2002). 0.03, -0.01, 0.01: 4.
    """
    lost = fsum(max(-r, 0.0) for r in returns)
    return fsum(max(r, 0.0) for r in returns) / lost if lost > NO_SPREAD else None


def calmar(net_apr: Decimal, max_drawdown: Decimal) -> float | None:
    """Yearly net return over the deepest drawdown. None without a drawdown.

    Source: T. W. Young, Calmar Ratio: A Smoother Tool, Futures (1991), here over the whole run. 0.08 and
    0.01: 8.
    """
    return float(net_apr / max_drawdown) if max_drawdown > 0 else None


@dataclass(frozen=True, slots=True)
class Fall:
    """The deepest fall of a curve. UTC ms; `recovered_ms` None: the old peak was not seen again.

    depth  fraction of the peak; 0: the curve never fell, and all times are its first.
    """

    depth: Decimal
    peak_ms: int
    trough_ms: int
    recovered_ms: int | None

    @property
    def recovery_ms(self) -> int | None:
        """From the trough to the old peak."""
        return None if self.recovered_ms is None else self.recovered_ms - self.trough_ms


def drawdowns(points: Iterable[Point]) -> list[Point]:
    """How far below its peak so far the curve is at each point, a fraction >= 0."""
    peak, found = ZERO, list[Point]()
    for ts_ms, equity in points:
        peak = max(peak, equity)
        found.append((ts_ms, (peak - equity) / peak if peak > 0 else ZERO))
    return found


def deepest_fall(points: Sequence[Point]) -> Fall:
    """Return the deepest fall, the first of equals. Raises ValueError without points.

    100, 120, 90, 130 at 0, 1, 2, 3: 25 % from 1 to 2, recovered at 3.
    """
    if not points:
        raise ValueError("a fall needs a curve")
    depths = drawdowns(points)
    low = max(range(len(points)), key=lambda n: depths[n][1])
    if not depths[low][1]:
        return Fall(ZERO, points[0][0], points[0][0], points[0][0])
    high = max(range(low + 1), key=lambda n: points[n][1])
    back = next((ts_ms for ts_ms, equity in points[low:] if equity >= points[high][1]), None)
    return Fall(depths[low][1], points[high][0], points[low][0], back)


def longest_under_water_ms(points: Iterable[Point]) -> int:
    """The longest time from a peak until the curve was back there, or until its end; 0 if it never fell.

    100, 90, 95, 100, 101 at 0, 1, 2, 3, 4: 3.
    """
    longest, peak_ms, peak, below = 0, 0, ZERO, False
    for ts_ms, equity in points:
        if below or equity < peak:
            longest = max(longest, ts_ms - peak_ms)
        below = equity < peak
        if not below:
            peak_ms, peak = ts_ms, equity
    return longest


def win_rate(nets: Sequence[Decimal]) -> float | None:
    """Share of closed rounds with a net result above 0. None without any."""
    return sum(net > 0 for net in nets) / len(nets) if nets else None


def payoff(nets: Sequence[Decimal]) -> float | None:
    """Mean gain of the winning rounds over mean loss of the losing ones. None without both.

    30, 10, -5: 20 / 5 = 4.
    """
    gains, losses = [n for n in nets if n > 0], [-n for n in nets if n < 0]
    if not gains or not losses:
        return None
    return float(sum(gains, ZERO) / len(gains) / (sum(losses, ZERO) / len(losses)))


def expectancy(nets: Sequence[Decimal]) -> Decimal | None:
    """Mean net result of a closed round, USDT. None without any."""
    return sum(nets, ZERO) / len(nets) if nets else None


def turnover(traded_usdt: Decimal, points: Sequence[Point]) -> float | None:
    """Value of all fills of both legs over the mean equity, a year. None for an empty period.

    The mean is over time, each equity lasting until the next point. 200 traded on 100 in 73 days: 10 a year.
    """
    if not points or points[-1][0] <= points[0][0]:
        return None
    lasting = points[-1][0] - points[0][0]
    area = sum((equity * (after_ms - ts_ms) for (ts_ms, equity), (after_ms, _) in pairwise(points)), ZERO)
    return float(traded_usdt / (area / lasting) * YEAR_MS / lasting) if area > 0 else None


def capture(net: Decimal, foresight: Decimal) -> float | None:
    """Share of what perfect foresight earns on the same settlements with the same costs.

    None where foresight earns nothing: there was nothing to capture.
    """
    return float(net / foresight) if foresight > 0 else None
