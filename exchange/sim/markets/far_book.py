"""The invented depth behind the calibrated levels of a book, out to any distance.

Nobody measured so far out: the density of the last calibrated step goes on. Levels stand on a fixed grid of
prices and keep their sizes for a day, so that a moving market changes a few of them at both ends and not
hundreds. A size is a function of seed, instrument, price and day; it is drawn when somebody looks
so deep.
"""

from __future__ import annotations

from exchange.sim.markets.calibration import DepthProfile
from exchange.sim.model import BookLevel, Instrument

DRAWN_MS = 24 * 3_600_000  # how long sizes stand: each time hundreds of levels change at once
STEP_BPS = 8  # the grid's step is at most this, and more than half of it
_MASK = (1 << 64) - 1


class FarSide:
    """One side ("buy" are the bids); `scale` is the coin's liquidity."""

    def __init__(
        self, instrument: Instrument, profile: DepthProfile, scale: float, seed: int, side: str
    ) -> None:
        (before_bps, _), (last_bps, notional) = profile[-2:]
        self._instrument = instrument
        self._direction = -1 if side == "buy" else 1
        self._usdt_per_bps = notional / (last_bps - before_bps) * scale
        self._seed = seed ^ (side == "buy")
        self._drawn_for: tuple[int, int, float] = (0, 0, 0.0)
        self._drawn: list[BookLevel] = []  # without gaps, outwards
        self._first = 0  # rank of the first of them: its number on the grid, negative for bids

    def levels(self, behind: int, count: int, mid_ticks: float, depth: float, at_ms: int) -> list[BookLevel]:
        """The `count` levels behind a price in ticks, best first; fewer where prices end.

        `depth` is a multiple of a calm day's. The levels are shared: nobody may change one.
        """
        step = 1 << max(0, int(mid_ticks * STEP_BPS / 10_000).bit_length() - 1)
        first = behind * self._direction // step + 1
        last = first + count if self._direction > 0 else min(0, first + count)
        drawn_for = (at_ms // DRAWN_MS, step, depth)
        if drawn_for != self._drawn_for:
            self._drawn_for, self._drawn, self._first = drawn_for, [], first
        if first < self._first:
            self._drawn[:0] = [self._draw(rank) for rank in range(first, self._first)]
            self._first = first
        end = self._first + len(self._drawn)
        if last > end:
            self._drawn += [self._draw(rank) for rank in range(end, last)]
        return self._drawn[first - self._first : max(first, last) - self._first]

    def _draw(self, rank: int) -> BookLevel:
        place = abs(rank)
        period, step, depth = self._drawn_for
        instrument = self._instrument
        noise = (self._seed ^ (period * 0x94D049BB133111EB + place * 0xD6E8FEB86659FD93)) & _MASK
        for _ in range(2):
            noise = (noise ^ noise >> 32) * 6364136223846793005 + 1442695040888963407 & _MASK
        # bps of the step x USDT per bps, over the USDT of one lot at this price
        coins = self._usdt_per_bps * depth * 10_000 / place / (place * step * float(instrument.tick))
        lots = coins / (float(instrument.ct_val) * float(instrument.lot))
        size = (int(lots * (0.6 + 0.8 * (noise >> 40) / 16_777_216)) or 1) * instrument.lot
        return BookLevel(place * step * instrument.tick, size, 1 + int(size) % 7)
