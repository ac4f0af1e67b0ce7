"""What the benchmarks on recorded funding share: their coins and costs, the record, and the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Figure, report
from config.loader import load
from config.schema import Settings
from core.types import SettledFunding
from scripts.options import instant_ms
from scripts.sweep.record import funding_files

SWITCH_COST = Decimal("0.0016")  # of notional: both legs' taker fees, and their spreads
TARGETS = {"BTC": 0.92, "ETH": 0.92, "LTC": 0.92, "ADA": 0.92, "BNB": 0.80, "DOGE": 0.80}  # of the capture


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line says: a folder with funding records, a period, and the benchmark's own options."""

    tape: Path
    from_ms: int
    to_ms: int
    options: Mapping[str, str]


def settled_of(tape: Path, from_ms: int, to_ms: int) -> dict[str, list[SettledFunding]]:
    """Per coin of TARGETS that the folder has, the settlements from `from_ms` to before `to_ms`."""
    found = {}
    for coin, file in funding_files(tape, TARGETS).items():
        read = file.settlements()
        rows = (SettledFunding(*one) for one in zip(read.ts, read.rate, strict=True))
        found[coin] = [one for one in rows if from_ms <= one.ts_ms < to_ms]
    return found


def run(measure: Callable[[Asked, Settings], Sequence[Figure]], argv: Sequence[str]) -> int:
    """Measure what the command line asks for with the settings of `config/`, and report it."""
    options = dict(pairwise(argv))
    if "--tape" not in options:
        print("--tape DIR is needed: a folder with funding records", file=sys.stderr)
        return 2
    asked = Asked(
        Path(options["--tape"]),
        instant_ms(options.get("--from", "2020-01-01"), "--from"),
        instant_ms(options.get("--to", "2026-01-01"), "--to"),
        options,
    )
    return report(measure(asked, load(Path("config"))), argv)
