"""Speed of a parameter sweep: sets in columns, and tasks spread over processes.

    python -m benchmarks.sweep [--tape DIR] [--json]

Columns: 1,000 random sets over three years of hourly tape of two instruments. Only settlements decide here,
so only they are walked through: a set and year cost some 1,100 steps, where a loop over bars of five minutes
takes 105,120. The figure per symbol-bar counts those bars, as such loops do, although none of them is read:
it says how long a sweep takes, not how quick a step is; that is the figure per settlement.

Without a tape the rates are generated. Of the rounds of columns the best counts.

Efficiency: benchmarks/spreading.py.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.figures import Figure, report
from benchmarks.spreading import spreading
from config.schema import Exit, Forecast, FundingBand, Opening, Strategy
from core.types import HOUR_MS, SettledFunding
from scripts.options import instant_ms
from scripts.sweep.record import Record, read_records, record_of
from scripts.sweep.scoring import Bench
from strategy.rehearsal import MODES

SETS: Final = 1_000
YEARS: Final = 3
BARS_A_YEAR: Final = 105_120  # of five minutes
ROUNDS: Final = 3
COST: Final = Decimal("0.0016")
BEGIN_MS: Final = instant_ms("2020-02-15", "")


def random_sets(count: int, seed: int = 7) -> list[Strategy]:
    """Sets all over the space, every mode as often."""
    random = np.random.default_rng(seed)

    def drawn(low: float, high: float) -> Decimal:
        return Decimal(f"{math.exp(random.uniform(math.log(low), math.log(high))):.6g}")

    return [
        Strategy(
            funding_rate_threshold=FundingBand(min=drawn(0.00001, 0.0003), max=Decimal("0.01")),
            forecast=Forecast(
                half_life_hours=drawn(8, 1000),
                horizon_hours=drawn(100, 4000),
                reversion_half_life_hours=drawn(100, 4000),
                min_settlements=int(random.integers(3, 60)),
            ),
            exit=Exit(
                mode=MODES[n % len(MODES)],
                negative_settlements=int(random.integers(1, 9)),
                min_hold_hours=drawn(1, 100),
                cooldown_hours=drawn(1, 100),
            ),
            opening=Opening(min_net_carry_bps=drawn(0.1, 50)),
        )
        for n in range(count)
    ]


def generated(name: str, seed: int) -> Record:
    """Three years of rates that wander around a basis point."""
    random = np.random.default_rng(seed)
    rate, settled = 0.0001, []
    for n in range(YEARS * 365 * 3):
        rate += 0.05 * (0.0001 - rate) + float(random.normal(0, 0.00004))
        settled.append(SettledFunding(BEGIN_MS + n * 8 * HOUR_MS, Decimal(f"{rate:.8f}")))
    return record_of(name, settled)


def columns(records: Sequence[Record]) -> list[Figure]:
    """Score the sets from nothing: what is worked out once is counted too."""
    sets, took_s = random_sets(SETS), math.inf
    for _ in range(ROUNDS):
        began = time.perf_counter()
        Bench(records, COST).scores(sets)
        took_s = min(took_s, time.perf_counter() - began)
    steps = SETS * sum(len(one.played) for record in records for one in record.stretches)
    bars = SETS * YEARS * len(records) * BARS_A_YEAR
    return [
        Figure(f"{SETS} sets, {YEARS} years, {len(records)} instruments", took_s, "s", 20.0, False),
        Figure("per settlement and set", took_s / steps * 1e9, "ns", 1_000.0, False),
        Figure("per symbol-bar of 5 minutes, none read", took_s / bars * 1e9, "ns", 10.0, False),
    ]


def main(argv: Sequence[str]) -> int:
    options = dict(pairwise(argv))
    if "--tape" in options:
        span = (BEGIN_MS, BEGIN_MS + YEARS * 365 * 24 * HOUR_MS)
        records = read_records(Path(options["--tape"]), ("BTC-USDT", "ETH-USDT"), span)
    else:
        records = (generated("BTC-USDT", 1), generated("ETH-USDT", 2))
    return report([*columns(records), *spreading()], argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
