"""The engine on real tape: what it collects is what the files say, and gaps are never bridged."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import Kind
from core.journal_reader import JournalReader
from tests.e2e.rig import TAPE, main, needs_tape
from tests.exchange.tapes import CANDLES, FUNDING, HOUR_MS, START_MS, bars, settlements, write

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

D = Decimal
WEEK = ("--instruments", "BTC-USDT,ETH-USDT", "--from", "2024-01-01", "--to", "2024-01-08")
CT_VAL = {"BTC-USDT-SWAP": D("0.01"), "ETH-USDT-SWAP": D("0.1")}


def rows(name: str) -> list[dict[str, str]]:
    with gzip.open(TAPE / name, "rt") as file:
        return list(csv.DictReader(file))


def independent_funding(folder: Path) -> D:
    """Sum quantity x mark x rate over the settlements held, from fills and the CSV files alone.

    The mark at a settlement is the hourly mark candle's open, as exchange/sim/markets/tape.py documents.
    """
    fills: list[tuple[int, str, D]] = []
    with JournalReader(folder / "journal.db") as reader:
        for row in reader.rows(Kind.FILL):
            fill = row.body["fill"]
            if row.body["leg"] == "swap":
                sign = 1 if fill["side"] == "sell" else -1
                fills.append((fill["ts_ms"], fill["inst_id"], sign * D(fill["size"])))
    total = D(0)
    for coin in ("BTC", "ETH"):
        swap = f"{coin}-USDT-SWAP"
        marks = {int(r["ts"]): D(r["open"]) for r in rows(f"binance_mark_1h_{coin}USDT.csv.gz")}
        for r in rows(f"binance_funding_{coin}USDT.csv.gz"):
            at_ms = round(int(r["ts"]) / 1000) * 1000
            if not 1_704_067_200_000 < at_ms <= 1_704_672_000_000:
                continue
            short = sum((q for ts, inst, q in fills if inst == swap and ts < at_ms), D(0))
            total += short * CT_VAL[swap] * marks[at_ms] * D(r["rate"])
    return total


@needs_tape
def test_a_week_of_tape_collects_what_the_files_say_and_decides_the_same_again(tmp_path: Path) -> None:
    first = main("run", "--tape", str(TAPE), *WEEK, "--speed", "max", "--json", "--data", str(tmp_path / "a"))
    assert first.code == 0, first.err
    said = first.summary
    assert said["opens"] >= 2
    assert said["unexplained"] == "0"
    assert abs(D(said["funding"]) - independent_funding(tmp_path / "a")) < D("1e-6")
    again = main("run", "--tape", str(TAPE), *WEEK, "--speed", "max", "--json", "--data", str(tmp_path / "b"))
    assert again.summary["journal_head"] == said["journal_head"]


@needs_tape
def test_a_day_of_tape_decides_the_same_at_any_speed(tmp_path: Path) -> None:
    day = ("--tape", str(TAPE), "--from", "2024-01-02", "--to", "2024-01-03", "--json")
    fast = main("run", *day, "--speed", "max", "--data", str(tmp_path / "fast")).summary
    paced = main("run", *day, "--speed", "3600", "--data", str(tmp_path / "paced")).summary
    assert fast["opens"] >= 1
    assert paced["journal_head"] == fast["journal_head"]
    assert paced["wall_s"] > 23


def test_a_gap_in_the_tape_is_never_bridged(tmp_path: Path) -> None:
    """Hours 120 to 150 are missing: whoever holds a hedge is told before, and is flat when they come."""
    tape = tmp_path / "tape"
    tape.mkdir()
    known = [n for n in range(200) if not 120 <= n < 150]
    for name, first, volume in (("spot", 30_000.0, ",1000"), ("perp", 30_010.0, ",1000")):
        rows_ = [row for n in known for row in bars("BTCUSDT", range(n, n + 1), first, volume=volume)]
        write(tape, f"binance_{name}_1h_BTCUSDT.csv.gz", CANDLES, rows_)
    paid = [s for s in settlements("BTCUSDT", 25, "0.0005") if not 120 <= hour_of(s) < 150]
    write(tape, "binance_funding_BTCUSDT.csv.gz", FUNDING, paid)
    out = main(
        "run", "--tape", str(tape), "--instruments", "BTC-USDT", "--from", "2024-01-04T18:00",
        "--speed", "max", "--json", "--data", str(tmp_path / "data"),
    )  # fmt: skip
    assert out.code == 0, out.err
    said = out.summary
    assert (said["opens"], said["closes"]) == (2, 1)
    assert said["unexplained"] == "0"
    with JournalReader(tmp_path / "data" / "journal.db") as reader:
        fills = [row.body["fill"] for row in reader.rows(Kind.FILL)]
    before = [f for f in fills if f["ts_ms"] < START_MS + 120 * HOUR_MS]
    inside = [f for f in fills if START_MS + 120 * HOUR_MS <= f["ts_ms"] < START_MS + 150 * HOUR_MS]
    held = sum(
        (D(f["size"]) * (1 if f["side"] == "sell" else -1) for f in before if f["inst_id"].endswith("SWAP")),
        D(0),
    )
    assert before
    assert held == 0
    assert not inside


def hour_of(settlement: str) -> int:
    return (int(settlement.split(",")[0]) - START_MS) // HOUR_MS
