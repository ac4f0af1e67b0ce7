"""Measuring books: spread and depth of a recorded feed and of the invented books."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from pathlib import Path
from statistics import median

from exchange.sim.markets.book import Book
from exchange.sim.markets.calibration import SPOT_DEPTH, SWAP_DEPTH
from exchange.sim.markets.generated import DAY_MS, GeneratedMarket
from exchange.sim.markets.instruments import listing
from exchange.sim.markets.regimes import CALM
from exchange.sim.profile import VenueProfile

BPS = 10_000
SIDES = ("buy", "sell")
MARKETS = ("spot", "perp")
UNIT = 100_000_000  # prices are whole numbers of one part of this
DEPTH_BPS = 10.0
HALF_STEP = 0.25  # an invented level stands for the depth up to its place behind the best price
DEPTH_EDGES_BPS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, DEPTH_BPS, 15.0, 20.0)
DEPTH_STEPS = DEPTH_EDGES_BPS.index(DEPTH_BPS) + 1


@dataclass(frozen=True, slots=True)
class BookLook:
    """One look at a book. Depth of one side: the USDT up to each of DEPTH_EDGES_BPS behind the last one."""

    spread_bps: float
    depths: tuple[float, ...]

    @property
    def depth_usdt(self) -> float:
        """USDT within DEPTH_BPS of the mid on one side."""
        return sum(self.depths[:DEPTH_STEPS])


@dataclass(frozen=True, slots=True)
class BookLooks:
    """Looks at one book, and each one's spread in ticks: in bps it would say more of price and tick."""

    looks: tuple[BookLook, ...]
    spread_ticks: tuple[int, ...]

    @property
    def profile(self) -> tuple[float, list[float]]:
        """The median spread in bps, and the medians of the depths."""
        columns = zip(*(look.depths for look in self.looks), strict=True)
        return median(look.spread_bps for look in self.looks), [median(column) for column in columns]


def books_of_tape(folder: Path, coin: str) -> dict[str, BookLooks] | None:
    """Measure the depth feeds of a folder, by market; None when it has none of both markets."""
    feeds = {kind: sorted(folder.glob(f"*_{kind}_l2_{coin}*.csv.gz")) for kind in MARKETS}
    if not all(feeds.values()):
        return None
    return {kind: looks_of_feed(files[0]) for kind, files in feeds.items()}


def books_of_generated(coin: str, seed: int, days: int, every_ms: int = 3_600_000) -> dict[str, BookLooks]:
    """Measure the invented books once an hour of a calm market: that is what their constants stand for."""
    market = GeneratedMarket(seed, (coin,), regime=CALM, hold=True)
    (spec,) = market.coins
    found = {}
    for kind, instrument, profile in zip(MARKETS, listing(spec, 0), (SPOT_DEPTH, SWAP_DEPTH), strict=True):
        book = Book(instrument, profile, spec.liquidity, seed, VenueProfile(regrow_ms=1))
        looks, ticks = [], []
        for at_ms in range(market.start_ms, market.start_ms + days * DAY_MS, every_ms):
            quote = market.quote(coin, at_ms)
            book.refresh(quote.swap if instrument.is_swap else quote.spot, quote.spread, quote.depth, at_ms)
            bids, asks = (
                {float(p): float(s * instrument.ct_val) for p, s in book.levels(side)} for side in SIDES
            )
            looks.append(_look(bids, asks, HALF_STEP))
            ticks.append(round((min(asks) - max(bids)) / float(instrument.tick)))
        found[kind] = BookLooks(tuple(looks), tuple(ticks))
    return found


def looks_of_feed(path: Path, every_ms: int = 5_000) -> BookLooks:
    """Replay a recorded depth feed and look at it every so often.

    The feed is a snapshot and then changed levels, quantity 0 removes one; updates the snapshot holds are
    skipped. Its tick is the greatest step all prices seen are multiples of.
    """
    looks, spreads, tick = [], [], 0
    for bids, asks in _books(path, every_ms):
        looks.append(_look(bids, asks))
        spreads.append(min(asks) - max(bids))
        tick = gcd(tick, *(round(price * UNIT) for price in (*bids, *asks)))
    return BookLooks(tuple(looks), tuple(round(spread * UNIT / tick) for spread in spreads))


def _look(bids: dict[float, float], asks: dict[float, float], beyond_bps: float = 0.0) -> BookLook:
    bid, ask = max(bids), min(asks)
    mid = (bid + ask) / 2
    both = [*bids.items(), *asks.items()]
    within = [
        sum(price * size for price, size in both if abs(price / mid - 1) * BPS <= edge + beyond_bps) / 2
        for edge in DEPTH_EDGES_BPS
    ]
    steps = (after - before for before, after in pairwise([0.0, *within]))
    return BookLook((ask - bid) / mid * BPS, tuple(steps))


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
