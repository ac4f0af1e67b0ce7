import gzip
from dataclasses import fields
from pathlib import Path

import pytest

from exchange.sim.markets.calibration import CALM_SPREAD_BPS, SPOT_DEPTH
from exchange.sim.markets.fit import fit_of
from exchange.sim.markets.measure import BarFigures, FundingFigures, of_bars, of_generated, of_rates, of_tape
from exchange.sim.markets.measure_books import looks_of_feed
from tests.exchange.tapes import CANDLES, FUNDING, START_MS, bars, settlements, write

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data (../shared/data) is not here")


def test_figures_of_a_hand_made_market() -> None:
    spot = [(100.0, 99.0, 103.0, 102.0), (102.0, 104.0, 101.0, 101.0), (101.0, 101.0, 101.0, 102.01)]
    swap = [(p[0], p[1], p[2], p[3] * 1.001) for p in spot]
    found = of_bars(spot, swap)
    assert found.range_bps == pytest.approx((4 / 100 + 3 / 102 + 1.01 / 101) / 3 * 10_000)
    assert found.basis_bps == pytest.approx(10) and found.basis_sd_bps == pytest.approx(0, abs=1e-6)
    rates = of_rates([0.0001, -0.0001, 0.0001, 0.0004])
    assert (rates.negative_share, rates.plateau_share) == (0.25, 0.5)
    assert rates.funding_bps == pytest.approx(1.25)


def test_a_window_has_all_its_bars_and_all_its_settlements(tmp_path: Path) -> None:
    rates = settlements("BTCUSDT", 19)
    write(tmp_path, "binance_funding_BTCUSDT.csv.gz", FUNDING, rates[:7] + rates[8:])  # not one on day 3
    for kind, first in (("spot", 1_000.0), ("perp", 1_000.5)):
        rows = [row for n, row in enumerate(bars("BTCUSDT", range(1_700), first, 300_000)) if n != 600]
        write(tmp_path, f"binance_{kind}_5m_BTCUSDT.csv.gz", CANDLES, rows)
    found = of_tape(tmp_path, "BTC", 1)
    days = [START_MS + hours * 3_600_000 for hours in range(0, 24 * 7, 24)]
    after_hole = START_MS + 601 * 300_000
    assert found.bars_from_ms == (
        days[0],
        days[1],
        after_hole,
        after_hole + 86_400_000,
        after_hole + 2 * 86_400_000,
    )
    assert found.funding_from_ms == (days[0], days[1], days[3], days[4], days[5])


def test_a_depth_feed_is_replayed_from_its_snapshot(tmp_path: Path) -> None:
    rows = [
        "ts,ts_local_us,symbol,ev,side,px,qty,id_first,id_last,id_prev",
        "1000,1,X,depth,b,99.992,500,1,5,0",  # older than the snapshot: skipped
        "2000,1,X,snapshot,b,99.992,1,,9,",
        "2000,1,X,snapshot,a,100.008,2,,9,",
        "2000,1,X,snapshot,a,100.02,9,,9,",
        "3000,1,X,depth,a,100.02,0,9,10,9",
        "3001,1,X,trade,b,100.008,1,3,,",
        "9000,1,X,depth,b,99.95,4,11,11,10",
    ]
    path = tmp_path / "feed.csv.gz"
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    found = looks_of_feed(path, every_ms=1_000)
    spread, depths = found.profile
    assert spread == pytest.approx(1.6)
    assert found.spread_ticks == (8, 8)  # all prices are multiples of 0.002
    assert found.looks[0].depth_usdt == pytest.approx((99.992 + 2 * 100.008) / 2)
    assert depths[1] == pytest.approx((99.992 + 2 * 100.008) / 2)  # both best prices lie 0.8 bps away
    assert depths[4] == pytest.approx(99.95 * 4 / 2 / 2)  # 5 bps away, in one of two looks


@needs_data
def test_the_generated_market_resembles_the_recorded_one() -> None:
    recorded = of_tape(DATA, "BTC", 20)
    made = [of_generated("BTC", seed, 20) for seed in range(1, 13)]
    bars, funding = zip(*made, strict=True)
    figures = [
        (name, [getattr(one, name) for one in windows], [getattr(one, name) for one in seeds])
        for kind, windows, seeds in (
            (BarFigures, recorded.bars, bars), (FundingFigures, recorded.funding, funding),
        )
        for name in (each.name for each in fields(kind))
    ]  # fmt: skip
    off = {name for name, windows, seeds in figures if not fit_of(name, windows, seeds).fits}
    assert not off


@needs_data
def test_the_invented_depth_is_the_recorded_one() -> None:
    spread, depths = looks_of_feed(DATA / "binance_spot_l2_BTCUSDT_20240808.csv.gz").profile
    assert spread < CALM_SPREAD_BPS
    invented = [SPOT_DEPTH[0][1] + SPOT_DEPTH[1][1], *(usdt for _, usdt in SPOT_DEPTH[2:])]
    assert invented == pytest.approx(depths, rel=0.02)
