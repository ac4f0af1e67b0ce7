"""The engine on real tape: what it collects is what the files say, and gaps are never bridged."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import Kind
from core.journal_reader import JournalReader
from tests.e2e.rig import TAPE, main, needs_tape
from tests.exchange.tapes import CANDLES, FUNDING, HOUR_MS, START_MS, bars, settlements, write

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

D = Decimal


@needs_tape
def test_half_a_day_of_tape_decides_the_same_at_any_speed(tmp_path: Path) -> None:
    half = ("--tape", str(TAPE), "--from", "2024-01-02", "--to", "2024-01-02T12:00", "--json")
    fast = main("run", *half, "--speed", "max", "--data", str(tmp_path / "fast")).summary
    paced = main("run", *half, "--speed", "3600", "--data", str(tmp_path / "paced")).summary
    assert fast["opens"] >= 1
    assert paced["journal_head"] == fast["journal_head"]
    assert paced["wall_s"] > 11


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
        "backtest", "--tape", str(tape), "--instruments", "BTC-USDT", "--from", "2024-01-04T18:00",
        "--json", "--out", str(tmp_path / "data"),
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
