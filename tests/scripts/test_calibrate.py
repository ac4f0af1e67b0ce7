import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UsageError
from scripts.calibrate import calibrate
from tests.exchange.tapes import CANDLES, FUNDING, bars, settlements, whole_tape, write

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
    found = calibrate(five_minute_tape(tmp_path, 900), "BTC", 1, 7)
    assert found.days == 1 and found.seeds == (7, 26)
    assert "bars: 3 windows of the tape, the first from 2024-01-01" in found.notes[0]
    assert any("no order-book feed" in note for note in found.notes)
    basis = next(fit for fit in found.fits if fit.name == "basis_bps")
    assert basis.recorded == pytest.approx(10_000 * 0.5 / 1_443, rel=0.05)


def test_a_record_too_short_to_vary_is_shown_and_not_judged(tmp_path: Path) -> None:
    found = calibrate(five_minute_tape(tmp_path, 900), "BTC", 2, 7)
    assert found.count == "0 of 0 figures fit"
    assert {row["verdict"] for row in found.data["figures"]} == {"too few windows"}


def test_less_than_a_window_is_nothing_to_measure(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BTC has no 4 days without a hole"):
        calibrate(five_minute_tape(tmp_path, 900), "BTC", 4, 7)


def test_a_tape_of_other_bars_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BTC has no 5m candles"):
        calibrate(whole_tape(tmp_path), "BTC", 1, 7)


@needs_data
def test_the_command_measures_the_recorded_tape_beside_the_generated_market() -> None:
    run = subprocess.run(
        [sys.executable, "main.py", "calibrate", "--tape", str(DATA), "--days", "5", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = json.loads(run.stdout)
    figures = {row["name"]: row for row in said["figures"]}
    assert (said["coin"], said["days"], said["seeds"]) == ("BTC", 5, [7, 26])
    assert figures["spot_spread_ticks"]["recorded"] == figures["perp_spread_ticks"]["recorded"] == 1
    assert figures["spot_depth_usdt"]["verdict"] == figures["perp_depth_usdt"]["verdict"] == "fits"
    for row in figures.values():
        assert row["verdict"] == ("fits" if row["least"] <= row["generated"] <= row["most"] else "off")
    fitting = sum(row["verdict"] == "fits" for row in figures.values())
    assert said["count"].startswith(f"{fitting} of {len(figures)} figures fit")
