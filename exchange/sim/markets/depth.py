"""The invented depth of one book as plain arithmetic: where it stands, and how much lies where.

A function of seed, instrument, second, price and mood, in whole ticks and lots, without clients. The book
builds its levels from it, and the premium index looks into it without a book.
"""

from __future__ import annotations

from collections.abc import Iterator

from exchange.sim.markets.calibration import CALM_SPREAD_BPS, DepthProfile
from exchange.sim.model import Instrument

NOISE_MS = 1_000  # sizes are drawn anew every second
LEAST, RANGE = 0.6, 0.8  # a size is so much of its calibrated one, up to LEAST + RANGE
_MASK = (1 << 64) - 1


class Depth:
    """`profile` is the calibrated depth, `liquidity` its multiple for this coin."""

    def __init__(self, instrument: Instrument, profile: DepthProfile, liquidity: float, seed: int) -> None:
        self.seed = (seed * 0x9E3779B97F4A7C15 + instrument.code * 0xBF58476D1CE4E5B9) & _MASK
        self._profile = profile
        self._liquidity = liquidity
        self._tick = float(instrument.tick)
        self._unit_coins = float(instrument.ct_val) * float(instrument.lot)

    def best(self, mid: float, spread: float) -> tuple[int, int]:
        """The best bid and ask around a middle, in ticks; `spread` is a multiple of a calm day's."""
        ticks = mid / self._tick
        width = round(spread * CALM_SPREAD_BPS / 10_000 * ticks) or 1
        if spread > 1:
            width = max(width, round(spread))
        bid = round(ticks - width / 2) or 1
        return bid, bid + width

    def levels(self, side: str, best: int, mid: float, depth: float, at_ms: int) -> Iterator[tuple[int, int]]:
        """(price in ticks, size in lots) of one side ("buy" are the bids), best first, until prices end.

        `depth` is a multiple of a calm day's.
        """
        direction = -1 if side == "buy" else 1
        scale = self._liquidity * depth / (mid * self._unit_coins)
        bps_ticks = mid / self._tick / 10_000
        noise = (self.seed ^ ((at_ms // NOISE_MS * 2 + (side == "buy")) * 0x94D049BB133111EB)) & _MASK
        previous = best
        for n, (offset_bps, notional) in enumerate(self._profile):
            noise = (noise * 6364136223846793005 + 1442695040888963407) & _MASK
            place = best + direction * round(offset_bps * bps_ticks)
            if n and (place - previous) * direction < 1:
                place = previous + direction
            if place < 1:
                return
            previous = place
            yield place, int(notional * scale * (LEAST + RANGE * (noise >> 40) / 16_777_216)) or 1

    def surely(self, depth: float) -> float:
        """USDT that lie at the best price whatever the second; a lot less after rounding."""
        return LEAST * self._profile[0][1] * self._liquidity * depth
