"""Measuring markets: the same figures of a recorded tape, of a generated market, and of a depth feed.

This is where the constants of calibration.py come from, and how to see whether they still fit.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, pstdev

from exchange.sim.markets.book import Book
from exchange.sim.markets.calibration import SPOT_DEPTH, SWAP_DEPTH
from exchange.sim.markets.depth import Depth
from exchange.sim.markets.funding import DEFAULT_INTERVAL_MS, funding_rate
from exchange.sim.markets.generated import BAR_MS, DAY_MS, GeneratedMarket
from exchange.sim.markets.instruments import listing
from exchange.sim.markets.premium import PremiumIndex
from exchange.sim.markets.timeline import Points
from exchange.sim.profile import VenueProfile
from exchange.tape import read_tape

BPS = 10_000
HOUR_BARS = 12
SIDES = ("buy", "sell")
DEPTH_BPS = 10.0
HALF_STEP = 0.25  # an invented level stands for the depth up to its place behind the best price
DEPTH_EDGES_BPS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, DEPTH_BPS, 15.0, 20.0)
DEPTH_STEPS = DEPTH_EDGES_BPS.index(DEPTH_BPS) + 1


@dataclass(frozen=True, slots=True)
class Figures:
    """What a market looks like in 5-minute bars and in its settlements."""

    sigma_bps: float  # standard deviation of a bar's return
    kurtosis: float  # of returns, 3 is normal
    range_bps: float  # mean of (high - low) / open
    swing_memory: float  # autocorrelation of |returns| from one bar to the next
    swing_memory_1h: float  # and over an hour
    basis_bps: float  # mean of swap / spot - 1 at the close
    basis_sd_bps: float
    basis_memory: float  # autocorrelation over an hour
    funding_bps: float  # mean rate per settlement
    funding_sd_bps: float
    funding_memory: float  # autocorrelation from one settlement to the next
    negative_share: float
    sign_changes: float  # settlements with another sign than the one before
    plateau_share: float  # settlements at exactly 0.01 %


@dataclass(frozen=True, slots=True)
class Books:
    """Median spread in bps, and median USDT within DEPTH_BPS of the mid on one side."""

    spot_spread_bps: float
    spot_depth_usdt: float
    perp_spread_bps: float
    perp_depth_usdt: float


@dataclass(frozen=True, slots=True)
class Fit:
    name: str
    recorded: float
    generated: float

    @property
    def error(self) -> float:
        """generated / recorded - 1; what is recorded as 0 has no such error and gives 0."""
        return self.generated / self.recorded - 1 if self.recorded else 0.0


def of_bars(spot: Sequence[Points], swap: Sequence[Points], rates: Sequence[float]) -> Figures:
    """Measure aligned bars, points as in a Track, and settled rates."""
    closes = [points[3] for points in spot]
    returns = [after / before - 1 for before, after in pairwise(closes)]
    sigma = pstdev(returns)
    basis = [s[3] / p[3] - 1 for p, s in zip(spot, swap, strict=True)]
    return Figures(
        sigma_bps=sigma * BPS,
        kurtosis=fmean((one / sigma) ** 4 for one in returns),
        swing_memory=_memory([abs(one) for one in returns], 1),
        swing_memory_1h=_memory([abs(one) for one in returns], HOUR_BARS),
        range_bps=fmean((max(points) - min(points)) / points[0] for points in spot) * BPS,
        basis_bps=fmean(basis) * BPS,
        basis_sd_bps=pstdev(basis) * BPS,
        basis_memory=_memory(basis, HOUR_BARS),
        funding_bps=fmean(rates) * BPS,
        funding_sd_bps=pstdev(rates) * BPS,
        funding_memory=_memory(rates, 1),
        negative_share=sum(rate < 0 for rate in rates) / len(rates),
        sign_changes=sum((a < 0) != (b < 0) for a, b in pairwise(rates)) / max(1, len(rates) - 1),
        plateau_share=sum(abs(rate - 0.0001) < 1e-9 for rate in rates) / len(rates),
    )


def of_tape(folder: Path, coin: str, from_ms: int | None = None, to_ms: int | None = None) -> Figures:
    """Measure the longest stretch without a hole of recorded bars, and all settlements of the file.

    Raises UsageError for a folder that is no tape.
    """
    tape = read_tape(folder, [coin], from_ms, to_ms)
    begin_ms, end_ms = max(tape.segments, key=lambda each: each[1] - each[0])
    (one,) = tape.coins
    spot, swap = (
        {
            ts: (candles.open[i], candles.high[i], candles.low[i], candles.close[i])
            for i, ts in enumerate(candles.ts)
            if begin_ms <= ts < end_ms
        }
        for candles in (one.spot, one.perp)
    )
    rates = [float(rate) for rate in one.funding.rate]
    return of_bars(list(spot.values()), [swap[ts] for ts in spot], rates)


def of_generated(coin: str, seeds: Sequence[int], days: int) -> Figures:
    """Measure generated markets, the figures averaged over seeds."""
    found = []
    for seed in seeds:
        market = GeneratedMarket(seed, (coin,))
        end_ms = market.start_ms + days * DAY_MS
        market.quote(coin, end_ms)
        spot, swap, _ = market.tracks(coin)
        first, count = spot.index(market.start_ms), days * DAY_MS // BAR_MS
        rates = [float(rate) for rate in settled_rates(market, coin, seed, end_ms, 3 * days)]
        bars = range(first, first + count)
        found.append(of_bars([spot.points(i) for i in bars], [swap.points(i) for i in bars], rates))
    return Figures(*(fmean(getattr(one, each.name) for one in found) for each in fields(Figures)))


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


def compare(recorded: Figures | Books, generated: Figures | Books) -> list[Fit]:
    """Return the figures side by side, for a report."""
    return [
        Fit(each.name, getattr(recorded, each.name), getattr(generated, each.name))
        for each in fields(recorded)
    ]


def books_of_tape(folder: Path, coin: str) -> Books | None:
    """Measure the depth feeds of a folder; None when it has none of both markets."""
    feeds = {kind: sorted(folder.glob(f"*_{kind}_l2_{coin}*.csv.gz")) for kind in ("spot", "perp")}
    if not all(feeds.values()):
        return None
    spot, perp = (depth_profile(files[0]) for files in feeds.values())
    return Books(spot[0], sum(spot[1][:DEPTH_STEPS]), perp[0], sum(perp[1][:DEPTH_STEPS]))


def books_of_generated(coin: str, seed: int, days: int, every_ms: int = 3_600_000) -> Books:
    """Measure the invented books once an hour."""
    market = GeneratedMarket(seed, (coin,))
    (spec,) = market.coins
    found: list[float] = []
    for instrument, profile in zip(listing(spec, 0), (SPOT_DEPTH, SWAP_DEPTH), strict=True):
        book = Book(instrument, profile, spec.liquidity, seed, VenueProfile(regrow_ms=1))
        spreads, depths = [], []
        for at_ms in range(market.start_ms, market.start_ms + days * DAY_MS, every_ms):
            quote = market.quote(coin, at_ms)
            book.refresh(quote.swap if instrument.is_swap else quote.spot, quote.spread, quote.depth, at_ms)
            sides = [[(float(p), float(s * instrument.ct_val)) for p, s in book.levels(w)] for w in SIDES]
            mid = (sides[0][0][0] + sides[1][0][0]) / 2
            spreads.append((sides[1][0][0] - sides[0][0][0]) / mid * BPS)
            near = [
                p * size
                for side in sides
                for p, size in side
                if abs(p / mid - 1) * BPS <= DEPTH_BPS + HALF_STEP
            ]
            depths.append(sum(near) / 2)
        found += [median(spreads), median(depths)]
    return Books(*found)


def depth_profile(path: Path, every_ms: int = 5_000) -> tuple[float, list[float]]:
    """Replay a recorded depth feed; return the median spread (bps) and depth of one side.

    Depth is the USDT between two edges of DEPTH_EDGES_BPS around the mid, the first from 0. The feed is a
    snapshot and then changed levels, quantity 0 removes one; updates the snapshot holds are skipped.
    """
    spreads: list[float] = []
    depths: list[list[float]] = []
    for bids, asks in _books(path, every_ms):
        bid, ask = max(bids), min(asks)
        mid = (bid + ask) / 2
        spreads.append((ask - bid) / mid * BPS)
        both = [*bids.items(), *asks.items()]
        within = [
            sum(price * size for price, size in both if abs(price / mid - 1) * BPS <= edge) / 2
            for edge in DEPTH_EDGES_BPS
        ]
        depths.append([after - before for before, after in pairwise([0.0, *within])])
    return median(spreads), [median(column) for column in zip(*depths, strict=True)]


def _books(path: Path, every_ms: int) -> Iterator[tuple[dict[float, float], dict[float, float]]]:
    sides: dict[str, dict[float, float]] = {"b": {}, "a": {}}
    snapshot_id, shown_ms = -1, 0
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["ev"] == "trade":
                continue
            if row["ev"] == "snapshot":
                snapshot_id = int(row["id_last"])
            elif snapshot_id < 0 or int(row["id_last"]) <= snapshot_id:
                continue
            price, size = float(row["px"]), float(row["qty"])
            if size:
                sides[row["side"]][price] = size
            else:
                sides[row["side"]].pop(price, None)
            at_ms = int(row["ts"])
            if row["ev"] == "depth" and at_ms - shown_ms >= every_ms:
                shown_ms = at_ms
                if max(sides["b"]) < min(sides["a"]):
                    yield sides["b"], sides["a"]


def _memory(values: Sequence[float], lag: int) -> float:
    mean = fmean(values)
    spread = fmean((value - mean) ** 2 for value in values)
    if not spread or len(values) <= lag:
        return 0.0
    return fmean((a - mean) * (b - mean) for a, b in zip(values, values[lag:], strict=False)) / spread
