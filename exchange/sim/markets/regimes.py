"""The moods a generated market passes through, and how one follows the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mood:
    """How the market behaves for a while.

    drift     fraction per day
    volatility, spread, depth   multiples of a calm day's
    crowding  which side crowds into the swap, in standard deviations of what is usual: its premium
              follows from it (calibration.PREMIUMS), and from the premium the funding
    blow_out  swap / spot - 1 beyond that, fraction; `basis_noise` of a bar, a multiple of a calm one's
    hours     mean stay
    exits     next moods and their weights
    usd       what a USDT is worth in dollars while it lasts
    """

    name: str
    drift: float
    volatility: float
    crowding: float
    blow_out: float
    basis_noise: float
    spread: float
    depth: float
    hours: float
    exits: tuple[tuple[str, float], ...]
    usd: float = 1.0


CALM: Final = "calm"
DELISTING: Final = "delisting"  # not a mood: a calm market whose instruments go one after the other
MOODS: Final = {
    mood.name: mood
    for mood in (
        Mood(CALM, 0.001, 0.74, 0.70, 0.0, 1.0, 1.0, 1.0, 96,
             (("rally", 0.40), ("slide", 0.30), ("negative", 0.11), ("crash", 0.06), ("thin", 0.06),
              ("squeeze", 0.05), ("depeg", 0.02))),
        Mood("rally", 0.024, 1.10, 1.60, 0.0, 1.5, 1.2, 0.9, 72,
             ((CALM, 0.68), ("slide", 0.18), ("crash", 0.10), ("squeeze", 0.04))),
        Mood("slide", -0.020, 1.20, -0.35, 0.0, 1.5, 1.5, 0.8, 60,
             ((CALM, 0.55), ("negative", 0.22), ("rally", 0.17), ("squeeze", 0.06))),
        Mood("negative", -0.004, 1.05, -1.75, 0.0, 1.5, 1.5, 0.8, 40,
             ((CALM, 0.75), ("rally", 0.20), ("squeeze", 0.05))),
        Mood("crash", -0.40, 3.30, -2.20, -0.0025, 12.0, 10.0, 0.15, 5,
             (("negative", 0.50), (CALM, 0.30), ("rally", 0.20))),
        Mood("squeeze", 0.35, 2.60, 2.10, 0.0015, 10.0, 6.0, 0.3, 6,
             (("rally", 0.50), (CALM, 0.40), ("slide", 0.10))),
        Mood("depeg", -0.020, 1.80, -0.80, -0.0010, 6.0, 4.0, 0.4, 18,
             ((CALM, 0.70), ("negative", 0.30)), usd=0.96),
        Mood("thin", 0.0, 0.80, -0.15, 0.0, 2.0, 6.0, 0.1, 24, ((CALM, 1.0),)),
    )
}  # fmt: skip
REGIMES: Final = (*MOODS, DELISTING)


def regime_named(name: str) -> Mood:
    """The mood a regime is made of. Raises ValueError naming what is allowed."""
    if name not in REGIMES:
        raise ValueError(f"regime is {name}, allowed: {', '.join(REGIMES)}")
    return MOODS.get(name, MOODS[CALM])
