import gzip
from pathlib import Path

import pytest

from exchange.sim.markets.calibration import CALM_SPREAD_BPS, SPOT_DEPTH
from exchange.sim.markets.measure import compare, depth_profile, of_bars, of_generated, of_tape

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data (../shared/data) is not here")


def test_figures_of_a_hand_made_market() -> None:
    spot = [(100.0, 99.0, 103.0, 102.0), (102.0, 104.0, 101.0, 101.0), (101.0, 101.0, 101.0, 102.01)]
    swap = [(p[0], p[1], p[2], p[3] * 1.001) for p in spot]
    found = of_bars(spot, swap, [0.0001, -0.0001, 0.0001, 0.0004])
    assert found.range_bps == pytest.approx((4 / 100 + 3 / 102 + 1.01 / 101) / 3 * 10_000)
    assert found.basis_bps == pytest.approx(10) and found.basis_sd_bps == pytest.approx(0, abs=1e-6)
    assert (found.negative_share, found.plateau_share, found.funding_bps) == (0.25, 0.5, pytest.approx(1.25))


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
    spread, depths = depth_profile(path, every_ms=1_000)
    assert spread == pytest.approx(1.6)
    assert depths[1] == pytest.approx((99.992 + 2 * 100.008) / 2)  # both best prices lie 0.8 bps away
    assert depths[4] == pytest.approx(99.95 * 4 / 2 / 2)  # 5 bps away, in one of two looks


@needs_data
def test_the_generated_market_resembles_the_recorded_one() -> None:
    recorded = of_tape(DATA, "BTC", 1_704_067_200_000, 1_715_000_000_000)
    generated = of_generated("BTC", range(1, 6), 120)
    fit = {one.name: (one.recorded, one.generated) for one in compare(recorded, generated)}
    for name, factor in (
        ("sigma_bps", 1.2), ("range_bps", 1.2), ("basis_sd_bps", 1.3), ("funding_sd_bps", 1.4),
        ("kurtosis", 2.5),
    ):  # fmt: skip
        one, other = fit[name]
        assert 1 / factor < other / one < factor, f"{name}: {one} recorded, {other} generated"
    for name in ("basis_memory", "funding_memory", "swing_memory", "swing_memory_1h"):
        assert abs(fit[name][0] - fit[name][1]) < 0.15, f"{name}: {fit[name]}"
    for name in ("plateau_share", "negative_share", "sign_changes"):
        assert abs(fit[name][0] - fit[name][1]) < 0.06, f"{name}: {fit[name]}"
    assert abs(fit["funding_bps"][0] - fit["funding_bps"][1]) < 0.4


@needs_data
def test_the_invented_depth_is_the_recorded_one() -> None:
    spread, depths = depth_profile(DATA / "binance_spot_l2_BTCUSDT_20240808.csv.gz")
    assert spread < CALM_SPREAD_BPS
    invented = [SPOT_DEPTH[0][1] + SPOT_DEPTH[1][1], *(usdt for _, usdt in SPOT_DEPTH[2:])]
    assert invented == pytest.approx(depths, rel=0.02)
