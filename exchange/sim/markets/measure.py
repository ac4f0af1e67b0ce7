"""Measuring markets: the same figures of windows of a recorded tape and of generated markets.

This is where the constants of calibration.py come from, and how to see whether they still fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev

from exchange.sim.markets.calibration import SWAP_DEPTH
from exchange.sim.markets.depth import Depth
from exchange.sim.markets.funding import DEFAULT_INTERVAL_MS, funding_rate
from exchange.sim.markets.generated import BAR_MS, DAY_MS, GeneratedMarket
from exchange.sim.markets.instruments import listing
from exchange.sim.markets.premium import PremiumIndex
from exchange.sim.markets.timeline import Points
from exchange.tape import read_tape, stretches
from exchange.tape_files import Candles, Settlements

BPS = 10_000
HOUR_BARS = 12
FRAME = "5m"  # of the generated market's bars


@dataclass(frozen=True, slots=True)
class BarFigures:
    """What a market looks like in 5-minute bars."""

    sigma_bps: float  # standard deviation of a bar's return
    kurtosis: float  # of returns, 3 is normal
    range_bps: float  # mean of (high - low) / open
    swing_memory: float  # autocorrelation of |returns| from one bar to the next
    swing_memory_1h: float  # and over an hour
    basis_bps: float  # mean of swap / spot - 1 at the close
    basis_sd_bps: float
    basis_memory: float  # autocorrelation over an hour


@dataclass(frozen=True, slots=True)
class FundingFigures:
    """What it looks like in its settlements."""

    funding_bps: float  # mean rate per settlement
    funding_sd_bps: float
    funding_memory: float  # autocorrelation from one settlement to the next
    negative_share: float
    sign_changes: float  # settlements with another sign than the one before
    plateau_share: float  # settlements at exactly 0.01 %


@dataclass(frozen=True, slots=True)
class Windows:
    """Figures of consecutive windows of one length, and when each began."""

    bars: tuple[BarFigures, ...]
    funding: tuple[FundingFigures, ...]
    bars_from_ms: tuple[int, ...]
    funding_from_ms: tuple[int, ...]


def of_bars(spot: Sequence[Points], swap: Sequence[Points]) -> BarFigures:
    """Measure aligned bars, points as in a Track."""
    closes = [points[3] for points in spot]
    returns = [after / before - 1 for before, after in pairwise(closes)]
    sigma = pstdev(returns)
    basis = [s[3] / p[3] - 1 for p, s in zip(spot, swap, strict=True)]
    return BarFigures(
        sigma_bps=sigma * BPS,
        kurtosis=fmean((one / sigma) ** 4 for one in returns),
        swing_memory=_memory([abs(one) for one in returns], 1),
        swing_memory_1h=_memory([abs(one) for one in returns], HOUR_BARS),
        range_bps=fmean((max(points) - min(points)) / points[0] for points in spot) * BPS,
        basis_bps=fmean(basis) * BPS,
        basis_sd_bps=pstdev(basis) * BPS,
        basis_memory=_memory(basis, HOUR_BARS),
    )


def of_rates(rates: Sequence[float]) -> FundingFigures:
    """Measure settled rates, fractions."""
    return FundingFigures(
        funding_bps=fmean(rates) * BPS,
        funding_sd_bps=pstdev(rates) * BPS,
        funding_memory=_memory(rates, 1),
        negative_share=sum(rate < 0 for rate in rates) / len(rates),
        sign_changes=sum((a < 0) != (b < 0) for a, b in pairwise(rates)) / max(1, len(rates) - 1),
        plateau_share=sum(abs(rate - 0.0001) < 1e-9 for rate in rates) / len(rates),
    )


def of_tape(folder: Path, coin: str, days: int) -> Windows:
    """Measure every window of `days` that has all its 5-minute bars, and every one with all its settlements.

    Settlements reach back further than bars do, so they have more windows. Raises UsageError for a folder
    that is no tape, or one without 5-minute bars of the coin.
    """
    span_ms = days * DAY_MS
    bars: dict[int, BarFigures] = {}
    funding: dict[int, FundingFigures] = {}
    for begin_ms, end_ms in stretches(folder, coin, FRAME):
        if end_ms - begin_ms < span_ms:
            continue
        tape = read_tape(folder, [coin], begin_ms, end_ms)
        (one,) = tape.coins
        if not funding:
            funding = _funding_windows(one.funding, span_ms)
        spot, swap = ({at: i for i, at in enumerate(candles.ts)} for candles in (one.spot, one.perp))
        for from_ms in range(begin_ms, end_ms - span_ms + 1, span_ms):
            times = range(from_ms, from_ms + span_ms, BAR_MS)
            bars[from_ms] = of_bars(
                [_points(one.spot, spot[at]) for at in times], [_points(one.perp, swap[at]) for at in times]
            )
    return Windows(tuple(bars.values()), tuple(funding.values()), tuple(bars), tuple(funding))


def _points(candles: Candles, i: int) -> Points:
    return candles.open[i], candles.high[i], candles.low[i], candles.close[i]


def _funding_windows(settled: Settlements, span_ms: int) -> dict[int, FundingFigures]:
    windows: dict[int, list[float]] = {}
    for at_ms, rate in zip(settled.ts, settled.rate, strict=True):
        windows.setdefault(settled.ts[0] + (at_ms - settled.ts[0]) // span_ms * span_ms, []).append(
            float(rate)
        )
    whole = span_ms // DEFAULT_INTERVAL_MS
    return {from_ms: of_rates(rates) for from_ms, rates in windows.items() if len(rates) >= whole}


def of_generated(coin: str, seed: int, days: int) -> tuple[BarFigures, FundingFigures]:
    """Measure `days` of a generated market, after as many more in which it forgets its calm start."""
    market = GeneratedMarket(seed, (coin,))
    begin_ms = market.start_ms + days * DAY_MS
    end_ms = begin_ms + days * DAY_MS
    market.quote(coin, end_ms)
    spot, swap, _ = market.tracks(coin)
    first, count = spot.index(begin_ms), days * DAY_MS // BAR_MS
    bars = range(first, first + count)
    rates = [float(rate) for rate in settled_rates(market, coin, seed, end_ms, 3 * days)]
    return of_bars([spot.points(i) for i in bars], [swap.points(i) for i in bars]), of_rates(rates)


def settled_rates(market: GeneratedMarket, coin: str, seed: int, end_ms: int, count: int) -> list[Decimal]:
    """The last `count` rates before an instant, as a venue of that seed settles them without clients."""
    spec = next(spec for spec in market.coins if spec.coin == coin)
    depth = Depth(listing(spec, 0)[1], SWAP_DEPTH, spec.liquidity, seed)
    premiums = PremiumIndex(market, spec, depth, market.start_ms)
    last = (end_ms - 1) // DEFAULT_INTERVAL_MS
    times = [n * DEFAULT_INTERVAL_MS for n in range(last - count + 1, last + 1)]
    cap = Decimal(spec.funding_cap)
    means = premiums.past(times, DEFAULT_INTERVAL_MS)
    return [funding_rate(mean, DEFAULT_INTERVAL_MS, cap) for mean in means]


def _memory(values: Sequence[float], lag: int) -> float:
    mean = fmean(values)
    spread = fmean((value - mean) ** 2 for value in values)
    if not spread or len(values) <= lag:
        return 0.0
    return fmean((a - mean) * (b - mean) for a, b in zip(values, values[lag:], strict=False)) / spread
