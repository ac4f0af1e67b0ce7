"""The report's numbers, reckoned again from the files beside it: plain arithmetic, none of the report's code.

The tape is made so that rounds win, lose and are still held at the end.
"""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from statistics import mean, stdev

import pytest

from tests.e2e.rig import main
from tests.exchange.tapes import CANDLES, FUNDING, HOUR_MS, MARKS, START_MS, write
from tests.scripts.recomputed import ZERO, Files, Shown, agrees, best_way

pytestmark = pytest.mark.timeout(600)  # a process of its own on a busy machine

D = Decimal
DAYS = 5
COINS = {"BTC-USDT": (60_000, 0), "ETH-USDT": (3_000, 1)}  # price, and settlements later in the same plan
KNOWN = 9  # settlements before the first candle
PLAN = [*["0.0005"] * KNOWN, *["0.003"] * 4, "-0.0005", *["0.0004"] * 4, "-0.0005", *["0.0012"] * 40]
TERMS = ("funding", "basis", "fees", "slippage", "interest", "other")
COSTS = ("fees", "slippage", "interest")


def settled(name: str) -> list[tuple[int, Decimal]]:
    """Every settlement of the tape: time and rate. None at its very end, where no candle tells the mark."""
    later = COINS[name][1]
    numbers = range(KNOWN + DAYS * 3)
    return [(START_MS + 8 * (n - KNOWN) * HOUR_MS, D(PLAN[max(0, n - later)])) for n in numbers]


def write_tape(folder: Path) -> None:
    """Hourly candles that breathe by some tenths of a per cent, and a basis that comes and goes."""
    for name, (px, _) in COINS.items():
        symbol = name.replace("-", "")

        def bars(shift: float, volume: str, px: int = px, symbol: str = symbol) -> list[str]:
            def at(n: int) -> float:
                return px * (1 + 0.004 * math.sin(n / 7)) * (1 + shift * (1 + math.sin(n / 11)))

            return [
                f"{START_MS + n * HOUR_MS},{symbol},{at(n):.2f},{max(at(n), at(n + 1)) * 1.0005:.2f},"
                f"{min(at(n), at(n + 1)) * 0.9995:.2f},{at(n + 1):.2f}{volume}"
                for n in range(24 * DAYS)
            ]

        write(folder, f"binance_spot_1h_{symbol}.csv.gz", CANDLES, bars(0, ",1000"))
        write(folder, f"binance_perp_1h_{symbol}.csv.gz", CANDLES, bars(0.0002, ",1000"))
        write(folder, f"binance_mark_1h_{symbol}.csv.gz", MARKS, bars(0.0001, ""))
        rows = [f"{ts_ms},{symbol},{rate}" for ts_ms, rate in settled(name)]
        write(folder, f"binance_funding_{symbol}.csv.gz", FUNDING, rows)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("backtest")
    write_tape(folder)
    ended = main(
        "backtest", "--tape", str(folder), "--instruments", ",".join(COINS), "--exit", "sign",
        "--out", str(folder / "out"), "--language", "en", timeout=500,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return Files(folder / "out")


@pytest.fixture(scope="module")
def shown(files: Files) -> Shown:
    return Shown((files.folder / "report.html").read_text(encoding="utf-8"))


def played(files: Files, name: str) -> list[tuple[int, Decimal]]:
    return [
        (ts_ms, rate) for ts_ms, rate in settled(name) if files.said["from_ms"] < ts_ms <= files.said["to_ms"]
    ]


def near(said: str, value: Decimal) -> bool:
    return abs(D(said) - value) <= D("1e-8")


def test_the_story_has_winners_losers_and_something_held(files: Files) -> None:
    nets, held = files.nets(), [closed for closed, _, _ in files.rounds().values()]
    assert sum(net > 0 for net in nets) >= 2 and sum(net < 0 for net in nets) >= 2
    assert held.count(False) == 2 and files.names == sorted(COINS)


def test_fees_funding_and_slippage_are_those_of_the_rows(files: Files) -> None:
    of = files.said["per_instrument"]
    for said, name in ((files.said, None), *((of[name], name) for name in files.names)):
        assert near(said["fees"], files.fees(name))
        assert near(said["funding"], files.paid(name))
        assert near(said["slippage"], files.slippage(name))
        assert D(said["interest"]) == D(said["other"]) == 0
    assert near(files.said["metrics"]["traded_usdt"], files.traded())


def test_every_settlement_is_what_was_short_times_mark_times_the_tapes_rate(files: Files) -> None:
    for name in COINS:
        rows = {int(r["ts"]): r for r in files.funding if r["instrument"] == name}
        for ts_ms, rate in played(files, name):
            short = files.short_at(name, ts_ms)
            assert (ts_ms in rows) == (short > 0)
            if short:
                row = rows[ts_ms]
                assert D(row["base_qty"]) == short and near(row["rate"], rate)
                assert near(row["amount"], short * D(row["mark_px"]) * rate)


def test_funding_by_month_is_the_sum_of_its_rows(files: Files, shown: Shown) -> None:
    assert list(files.said["funding_by_month"]) == ["2024-01"]
    for name in files.names:
        assert near(files.said["funding_by_month"]["2024-01"][name], files.paid(name))
    cells = shown.row("months", "2024-01")
    assert all(
        agrees(c, v) for c, v in zip(cells, [*map(files.paid, files.names), files.paid()], strict=True)
    )


def test_the_terms_add_up_to_the_change_of_equity(files: Files) -> None:
    said, of = files.said, files.said["per_instrument"]
    assert D(said["equity_start"]) == files.curve[0][1]
    assert near(said["equity_end"], files.curve[-1][1]) and near(said["net_pnl"], files.net())
    assert near(said["net_apr"], files.net_apr())
    assert near(said["basis"], files.net() - files.paid() + files.fees() + files.slippage())
    for term in TERMS:
        assert near(said[term], sum((D(of[name][term]) for name in of), ZERO))


def test_closed_rounds_earned_what_their_trades_and_settlements_say(files: Files) -> None:
    told = {one["hedge_id"]: one for one in files.said["rounds_table"]}
    assert list(told) == list(files.rounds())
    for hedge_id, (closed, net, wrong_by) in files.rounds().items():
        one = told[hedge_id]
        assert (one["closed_ms"] is not None) == closed
        assert one["settlements"] == sum(r["hedge_id"] == hedge_id for r in files.funding)
        assert near(one["net"], sum((D(one[term]) * (-1 if term in COSTS else 1) for term in TERMS), ZERO))
        if closed:
            assert abs(D(one["net"]) - net) <= wrong_by < D("0.01")


def test_rounds_are_counted_and_averaged_as_they_stand_there(files: Files) -> None:
    nets, said = files.nets(), files.said["metrics"]
    gains, losses = [n for n in nets if n > 0], [-n for n in nets if n < 0]
    assert said["rounds_closed"] == files.said["rounds"] == files.said["closes"] == len(nets)
    assert files.said["opens"] == len(files.rounds())
    assert said["win_rate"] == len(gains) / len(nets)
    assert said["payoff"] == pytest.approx(float(mean(gains) / mean(losses)), rel=1e-5)
    assert float(said["expectancy"]) == pytest.approx(float(mean(nets)), abs=1e-3)


def test_the_deepest_fall_is_that_of_the_curve(files: Files) -> None:
    depth, peak_ms, trough_ms, back_ms = files.fall()
    said = files.said["metrics"]
    assert depth > 0 and near(files.said["max_drawdown"], depth)
    assert (said["drawdown_peak_ms"], said["drawdown_trough_ms"]) == (peak_ms, trough_ms)
    assert said["drawdown_recovered_ms"] == back_ms
    assert said["recovery_ms"] == (None if back_ms is None else back_ms - trough_ms)
    assert said["under_water_ms"] == files.under_water_ms()


def test_ratios_follow_from_the_daily_returns(files: Files) -> None:
    r, said = files.returns(), files.said["metrics"]
    year = math.sqrt(365)
    assert said["days"] == len(r) >= DAYS - 1
    assert said["sharpe"] == pytest.approx(mean(r) / stdev(r) * year, rel=1e-9)
    below = math.sqrt(sum(x * x for x in r if x < 0) / len(r))
    assert said["sortino"] == pytest.approx(mean(r) / below * year, rel=1e-9)
    lost = -sum(x for x in r if x < 0)
    assert said["omega"] == pytest.approx(sum(x for x in r if x > 0) / lost, rel=1e-9)
    assert said["calmar"] == pytest.approx(float(files.net_apr() / files.fall()[0]), rel=1e-9)
    assert said["turnover_a_year"] == pytest.approx(yearly_turnover(files), rel=1e-9)


def yearly_turnover(files: Files) -> float:
    lasting = files.curve[-1][0] - files.curve[0][0]
    return float(files.traded() / files.mean_equity()) * 365 * 86_400_000 / lasting


def test_captured_is_this_runs_way_over_the_best_one(files: Files) -> None:
    own = best = ZERO
    for name in COINS:
        rates, said = [rate for _, rate in played(files, name)], files.said["benchmarks"][name]
        mine, most = files.own_way(name, played(files, name)), best_way(rates, files.switch_cost(name))
        assert said["settlements"] == len(rates)
        assert near(said["run"]["net"], mine) and near(said["foresight"]["net"], most)
        assert said["capture_ratio"] == pytest.approx(float(mine / most), rel=1e-7)
        for mode, way in said["modes"].items():
            assert near(said["regret"][mode], D(way["net"]) - D(said["run"]["net"]))
            assert D(way["net"]) <= most + D("1e-9")
        own, best = own + mine, best + most
    assert files.said["metrics"]["capture_ratio"] == pytest.approx(float(own / best), rel=1e-7)
    for mode, regret in files.said["metrics"]["regret"].items():
        parts = (D(one["regret"][mode]) for one in files.said["benchmarks"].values())
        assert near(regret, sum(parts, ZERO))


# --- the page -------------------------------------------------------------------------------------


def test_the_page_shows_these_figures(files: Files, shown: Shown) -> None:
    nets, r = files.nets(), files.returns()
    gains, losses = [n for n in nets if n > 0], [-n for n in nets if n < 0]
    below = math.sqrt(sum(x * x for x in r if x < 0) / len(r))
    told: dict[str, tuple[Decimal | float, int]] = {
        "net result": (files.net(), 1),
        "net APR": (files.net_apr(), 100),
        "Sharpe": (mean(r) / stdev(r) * math.sqrt(365), 1),
        "Sortino": (mean(r) / below * math.sqrt(365), 1),
        "Calmar": (files.net_apr() / files.fall()[0], 1),
        "Omega": (sum(x for x in r if x > 0) / -sum(x for x in r if x < 0), 1),
        "max drawdown": (files.fall()[0], 100),
        "win rate": (len(gains) / len(nets), 100),
        "payoff": (float(mean(gains) / mean(losses)), 1),
        "expectancy": (mean(nets), 1),
        "turnover": (yearly_turnover(files), 1),
        "traded": (files.traded(), 1),
    }
    for name, (value, scale) in told.items():
        [cell] = shown.row("figures", name)
        assert agrees(cell, value, scale=scale), (name, cell, value)
    captured = files.said["metrics"]["capture_ratio"]
    assert agrees(shown.row("figures", "capture ratio")[0], captured, scale=100)
    if files.fall()[3] is None:
        assert shown.row("figures", "recovery time") == ["not recovered"]


def test_the_page_shows_the_money_of_each_instrument(files: Files, shown: Shown) -> None:
    of = files.said["per_instrument"]
    for title, name in (("total", None), *((name, name) for name in files.names)):
        said = files.said if name is None else of[name]
        cells = shown.row("instruments", title)
        parts = [D(said[term]) * (-1 if term in COSTS else 1) for term in TERMS]
        settlements = sum(name in (None, r["instrument"]) for r in files.funding)
        values = [*parts, sum(parts, ZERO), files.traded(name), D(settlements)]
        assert all(agrees(c, v) for c, v in zip(cells, values, strict=False)), (title, cells, values)
    assert agrees(shown.row("instruments", "total")[6], files.net())
    shares = [shown.row("waterfall", name)[-1] for name in ("funding", "fees", "net")]
    assert all(agrees(c, v) for c, v in zip(shares, (files.paid(), -files.fees(), files.net()), strict=True))


def test_the_page_shows_every_round(files: Files, shown: Shown) -> None:
    rows = [row for row in shown.rows["rounds"] if row[0] in COINS]
    assert len(rows) == len(files.rounds())
    for row, (closed, net, _) in zip(rows, files.rounds().values(), strict=True):
        assert (shown.cell("rounds", row, "closed") == "held at the end") == (not closed)
        if closed:
            assert agrees(shown.cell("rounds", row, "net"), net), row
            assert shown.cell("rounds", row, "reason") == "funding settled below zero"
