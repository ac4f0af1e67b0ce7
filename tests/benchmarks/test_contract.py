"""The reference contract: the engine's books are the oracle's to the last digit, and the venue's as well."""

from __future__ import annotations

import random
from array import array
from pathlib import Path

import pytest

from benchmarks.contract.market import SETTLE_MS, Bars
from benchmarks.contract.oracle import expected
from benchmarks.contract.play import run
from benchmarks.contract.reference import REFERENCE, generated
from benchmarks.contract.rules import BAR_MS
from scripts.backtest.command import FAST, PATHS

MONDAY_MS = 1_767_571_200_000
DAY = 288  # bars
BUSY = 50  # the day of the reference year from which BTC and ETH change most often

needs_reference = pytest.mark.skipif(
    not (REFERENCE / "gen_data.py").is_file(), reason=f"the reference's generator is not at {REFERENCE}"
)


def invented(coin: str, seed: int, days: int, drift: float) -> Bars:
    """A coin that climbs by `drift` a bar with noise around it, and funding of either sign."""
    noise, price = random.Random(seed), 400.0
    ts = array("q", range(MONDAY_MS + BAR_MS, MONDAY_MS + (days * DAY + 1) * BAR_MS, BAR_MS))
    spot, swap, mark = array("d"), array("d"), array("d")
    for _ in ts:
        price *= 1 + drift + noise.gauss(0, 0.0005)
        spot.append(round(price, 2))
        swap.append(round(price * (1 + noise.gauss(0.0002, 0.0003)), 2))
        mark.append(round(price * (1 + noise.gauss(0.0001, 0.0002)), 2))
    settled = array("q", (at for at in ts if at % SETTLE_MS == 0))
    rate = array("d", (round(noise.uniform(-0.0002, 0.0006), 8) for _ in settled))
    return Bars(coin, ts, spot, swap, mark, array("d", [1000.0] * len(ts)), settled, rate)


@needs_reference
def test_the_engine_does_what_the_contract_asks_for_to_the_last_digit(tmp_path: Path) -> None:
    coins = [generated(n).cut(BUSY * DAY, (BUSY + 3) * DAY) for n in (0, 1)]
    played, wanted = run(coins, tmp_path), expected(coins)
    assert played.result == wanted
    assert wanted.fills >= 8
    assert not played.complaints


@needs_reference
def test_a_month_of_the_contract_comes_to_the_same_where_only_deciding_bars_are_looked_at(
    tmp_path: Path,
) -> None:
    coins = [generated(n).cut(BUSY * DAY, (BUSY + 30) * DAY) for n in (0, 1)]
    played = run(coins, tmp_path, FAST)
    assert played.result == expected(coins)
    assert not played.complaints


@needs_reference
def test_the_oracle_comes_to_what_the_reference_gives_for_its_first_year() -> None:
    assert expected([generated(0)]).told == (98, 0, 1568.6014, 723.6906, 20854.2859)


@pytest.mark.parametrize("path", PATHS)
def test_a_hedge_whose_margin_is_used_up_is_closed_at_that_bar(tmp_path: Path, path: str) -> None:
    coins = [invented("UP", 3, 2, 0.0011), invented("FLAT", 4, 2, 0.0)]
    played, wanted = run(coins, tmp_path, path), expected(coins)
    assert wanted.margin_exits
    assert played.result == wanted
    assert not played.complaints
