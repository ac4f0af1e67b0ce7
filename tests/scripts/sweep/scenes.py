"""Records and spaces for the tests of the sweep."""

from __future__ import annotations

import os
import random
import signal
from decimal import Decimal
from pathlib import Path

from core.types import HOUR_MS, SettledFunding
from scripts.sweep.record import Record, record_of
from tests.exchange import tapes

START_MS = 1_704_067_200_000  # 2024-01-01
COST = Decimal("0.0016")
SPACE = """\
strategy.exit.mode: {choices: [expected_cost, hysteresis, sign]}
strategy.forecast.half_life_hours: {low: 24, high: 720, log: true}
strategy.forecast.min_settlements: {low: 3, high: 30, step: 3}
strategy.opening.min_net_carry_bps: {low: 0, high: 20}
"""
GRID = """\
strategy.exit.mode: {choices: [expected_cost, sign]}
strategy.exit.negative_settlements: {low: 1, high: 3}
strategy.forecast.half_life_hours: {low: 24, high: 48, step: 12}
"""


def rates(days: int, seed: int = 1) -> list[Decimal]:
    """Three rates a day that wander around a basis point, with bad weeks between."""
    chance, rate, found = random.Random(seed), 0.0001, []
    for n in range(days * 3):
        mean = -0.0002 if (n // 60) % 5 == 4 else 0.00012
        rate += 0.1 * (mean - rate) + chance.gauss(0, 0.00005)
        found.append(Decimal(f"{rate:.8f}"))
    return found


def settled(days: int, seed: int = 1, begin_ms: int = START_MS) -> list[SettledFunding]:
    return [SettledFunding(begin_ms + n * 8 * HOUR_MS, rate) for n, rate in enumerate(rates(days, seed))]


def records(days: int = 200, *names: str) -> tuple[Record, ...]:
    return tuple(record_of(name, settled(days, seed)) for seed, name in enumerate(names or ("BTC-USDT",)))


def tape(folder: Path, days: int = 200, coins: tuple[str, ...] = ("BTC", "ETH")) -> Path:
    folder.mkdir(exist_ok=True)
    for seed, coin in enumerate(coins):
        rows = [f"{one.ts_ms},{coin}USDT,{one.rate}" for one in settled(days, seed)]
        tapes.write(folder, f"binance_funding_{coin}USDT.csv.gz", tapes.FUNDING, rows)
    return folder


def space_file(folder: Path, text: str = SPACE) -> Path:
    path = folder / "space.yaml"
    path.write_text(text)
    return path


def dies_once(task: tuple[Path, int]) -> int:
    """Work of a pool: task 3 is killed the first time it is in hand."""
    mark, number = task
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number
