"""Figures the generated market imitates, as measured on recorded Binance data.

The tape is Binance BTC and ETH, 5-minute bars of 2024-01..2025-02, settlements of 2019-09..2026-05, and
six minutes of full BTC order books on 2024-08-08. One venue's depth stands in for another's. How they
were measured, and how to measure them again: measure.py.
"""

from __future__ import annotations

from typing import Final

BAR_SIGMA: Final = 0.0016  # a 5-minute return of BTC, before moods; 0.0017 to 0.0018 over all days
VOLUME_USD_5M: Final = 60_000_000.0  # BTC perpetual, mean per 5 minutes
SPOT_VOLUME_SHARE: Final = 0.13  # spot volume over perpetual volume

# Distance behind the best price in bps, and the USDT resting there on one side, BTC on a calm day.
DepthProfile = tuple[tuple[float, float], ...]
SPOT_DEPTH: Final[DepthProfile] = (
    (0.0, 137_000.0),
    (0.5, 79_000.0),
    (1.0, 75_000.0),
    (2.0, 172_000.0),
    (3.0, 331_000.0),
    (5.0, 744_000.0),
    (8.0, 829_000.0),
    (10.0, 505_000.0),
    (15.0, 1_271_000.0),
    (20.0, 1_434_000.0),
)
SWAP_DEPTH: Final[DepthProfile] = (
    (0.0, 188_000.0),
    (0.5, 87_000.0),
    (1.0, 92_000.0),
    (2.0, 368_000.0),
    (3.0, 686_000.0),
    (5.0, 1_556_000.0),
    (8.0, 3_023_000.0),
    (10.0, 1_981_000.0),
    (15.0, 5_152_000.0),
    (20.0, 5_186_000.0),
)
CALM_SPREAD_BPS: Final = 0.02  # both markets quote one tick most of the time
BAR_RANGE: Final = 0.0020  # mean (high - low) / open of a 5-minute bar of BTC
