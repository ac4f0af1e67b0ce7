import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UsageError
from scripts.calibrate import calibrate
from tests.exchange.tapes import CANDLES, FUNDING, START_MS, bars, settlements, whole_tape, write

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data (../shared/data) is not here")


def five_minute_tape(folder: Path, bar_count: int) -> Path:
    write(folder, "binance_funding_BTCUSDT.csv.gz", FUNDING, settlements("BTCUSDT", 12))
    for kind, first in (("spot", 1_000.0), ("perp", 1_000.5)):
        rows = [row for n, row in enumerate(bars("BTCUSDT", range(bar_count), first, 300_000)) if n != 10]
        write(folder, f"binance_{kind}_5m_BTCUSDT.csv.gz", CANDLES, rows)
    return folder


def test_a_tape_without_books_is_measured_without_depth(tmp_path: Path) -> None:
    found = calibrate(five_minute_tape(tmp_path, 900), "BTC", 2, 7)
    assert found.days == 2 and f"from {START_MS + 11 * 300_000}" in found.notes[0]  # after the hole
    assert any("no order-book feed" in note for note in found.notes)
    basis = next(fit for fit in found.fits if fit.name == "basis_bps")
    assert basis.recorded == pytest.approx(10_000 * 0.5 / 1_300, rel=0.05) and basis.error != 0


def test_less_than_a_day_is_nothing_to_measure(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="under a day"):
        calibrate(five_minute_tape(tmp_path, 280), "BTC", None, 7)


def test_a_tape_of_other_bars_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BTC has no 5m candles"):
        calibrate(whole_tape(tmp_path), "BTC", None, 7)


@needs_data
def test_the_command_measures_the_recorded_tape_beside_the_generated_market() -> None:
    run = subprocess.run(
        [sys.executable, "main.py", "calibrate", "--tape", str(DATA), "--days", "5", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = json.loads(run.stdout)
    figures = {row["name"]: row for row in said["figures"]}
    assert said["days"] == 5
    assert figures["funding_bps"]["recorded"] == pytest.approx(1.19, abs=0.02)
    assert abs(figures["spot_depth_usdt"]["error"]) < 0.3 and abs(figures["perp_depth_usdt"]["error"]) < 0.3
    assert all(
        row["error"] == pytest.approx(row["generated"] / row["recorded"] - 1) for row in figures.values()
    )
