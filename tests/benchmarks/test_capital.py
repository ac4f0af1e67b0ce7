"""The figures on capital: what a backtest's folder says, added up by year and over several folders."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.capital import main as told
from benchmarks.capital import measure, read
from main import main as command
from tests.scripts.backtest.odd_tapes import Oddity, odd_tape

D = Decimal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fall of two coins by a third in multi-currency mode, which fills the account with USDT."""
    place = tmp_path_factory.mktemp("capital")
    out = place / "out"
    falling = Oddity(hours=30, coins=("BTC", "ETH"), drift=-0.4, sigma=0.001)
    arguments = ("--instruments", "BTC-USDT,ETH-USDT", "--account", "multi", "--out", str(out))
    assert command(["backtest", "--tape", str(odd_tape(place, 5, falling)), *arguments]) == 0
    return out


def test_the_net_is_that_of_the_equity_rows_and_each_year_its_part(folder: Path) -> None:
    part = read(folder)
    with (folder / "equity.csv").open() as lines:
        rows = [D(row["equity"]) for row in csv.DictReader(lines)]
    assert sum(part.by_year.values()) == rows[-1] - rows[0]
    assert float(max(part.falls.values())) == pytest.approx(float(part.said["max_drawdown"]), abs=1e-9)
    assert abs(D(part.said["net_pnl"]) - (rows[-1] - rows[0])) < D("1e-8")
    assert part.said["account"] == "multi" and part.moved["sweep"] > 0


def test_two_folders_earn_the_same_a_year_as_one_of_them_twice(folder: Path) -> None:
    part = read(folder)
    once, twice = ({one.name: one for one in measure(parts)} for parts in ([part], [part, part]))
    for name in ("max drawdown", "hedged, mean", "rebalancing costs a year", "unexplained"):
        assert once[name].value == pytest.approx(twice[name].value)
    assert twice["top-ups"].value == 2 * once["top-ups"].value
    apr = [
        next(one.value for one in of.values() if one.name.startswith("net a year")) for of in (once, twice)
    ]
    assert apr[0] == pytest.approx(apr[1])
    assert all(one.met for one in once.values())


def test_what_is_no_folder_of_a_backtest_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told([str(tmp_path)]) == 2
    assert "summary.json" in capsys.readouterr().err
    assert told([]) == 2
    assert "a folder is needed" in capsys.readouterr().err
