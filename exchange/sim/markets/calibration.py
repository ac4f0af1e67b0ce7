"""Figures the generated market imitates, as measured on recorded Binance data.

The tape is Binance BTC and ETH, 5-minute bars of 2024-01..2025-02, settlements of 2019-09..2026-05, and
six minutes of full BTC order books on 2024-08-08. One venue's depth stands in for another's. How they
were measured, and how to measure them again: measure.py.
"""

from __future__ import annotations

from typing import Final

# Moves, from the even 20-day windows of BTC's 5-minute bars; heat is the variance of the hour.
BAR_SIGMA: Final = 0.0016  # a 5-minute return, before moods and heat
# |returns| remember the bar before by 0.31 and the hour before by 0.18: heat a move feeds, and forgets.
HEAT_BACK: Final = 0.05  # share of what heat is off its mean that a bar takes back
HEAT_FED: Final = 0.21  # of the heat, per unit a squared move exceeds its mean
HEAT_MOST: Final = 12.0
# One bar in a thousand moves by 7.1 deviations, the kurtosis of the median window is 20.
JUMP_CHANCE: Final = 0.004  # per bar
JUMP_SIZE: Final = 7.0  # times the usual move

# The basis: in quiet windows neighbouring bars differ by 1.0 bps, half of what they stray is gone a bar
# later, a quarter to a half stays for an hour.
BASIS_FLICKER: Final = 0.00007  # what is gone a bar later, fraction
BASIS_NOISE: Final = 0.00002  # of a bar, which stays until BASIS_PULL takes it back

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
# Both markets quote one tick most of the time, 0.0016 bps of spot and 0.016 of the swap: below what a tick
# of the venue is, so that a calm book is one wide whatever the price.
CALM_SPREAD_BPS: Final = 0.01
BAR_RANGE: Final = 0.0020  # mean (high - low) / open of a 5-minute bar of BTC

# What the premium (swap / spot - 1, bps) settles around when the crowding is so many standard deviations:
# the quantiles of 6,540 settled BTC rates turned back into premiums by the formula, and inside the plateau,
# where the rate says nothing, those of the 5-minute basis.
PREMIUMS: Final = (
    (-3.09, -12.0), (-2.33, -6.9), (-1.96, -6.0), (-1.64, -5.5), (-1.28, -5.1), (-1.04, -4.9), (-0.84, -4.76),
    (-0.67, -4.63), (-0.52, -4.5), (-0.25, -4.17), (-0.15, -4.0), (0.0, -3.3), (0.25, -1.0), (0.52, 2.5),
    (0.98, 6.0), (1.28, 7.8), (1.64, 10.1), (1.96, 12.7), (2.33, 15.8), (3.09, 25.0),
)  # fmt: skip
