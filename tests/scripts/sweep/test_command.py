from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from main import main
from scripts.sweep import needs
from scripts.sweep.results import FILE
from tests.e2e.rig import ROOT
from tests.scripts.sweep.scenes import GRID, SPACE, space_file, tape

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine
SHORT = ("--folds", "2", "--purge-days", "5", "--embargo-days", "2", "--paths", "200")


def words_of(tmp_path: Path, *more: str, space: str = SPACE, days: int = 120) -> list[str]:
    folder = tape(tmp_path / "tape", days)
    return ["sweep", "--tape", str(folder), "--space", str(space_file(tmp_path, space)), *SHORT, *more]


def swept(*words: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own."""
    command = (sys.executable, *words)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def said(stdout: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stdout.splitlines()[-1])
    found.pop("wall_s")
    return found


def test_a_sweep_says_what_it_found_and_how_far_to_believe_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ("--trials", "24", "--sampler", "nsga2", "--workers", "1", "--out", str(out), "--json")
    assert main(words_of(tmp_path, *words)) == 0
    told = capsys.readouterr()
    report = said(told.out)
    assert report["instruments"] == ["BTC-USDT", "ETH-USDT"]
    assert 0 <= report["deflated_sharpe"] <= 1
    assert [one["fold"] for one in report["walk_forward"]] == ["fold 1", "fold 2"]
    assert report["monte_carlo"]["paths"] == 200
    assert [one["name"] for one in report["stress"]] == ["fees_x2", "negative_30_days", "basis_blow_out"]
    assert report["stress"][0]["effect"] <= 0
    assert report["front"]
    assert "whole: 24 of 24 sets" in told.err and " a year, fall " in told.err
    assert json.loads((out / "sweep.json").read_text())["best"] == report["best"]
    page = (out / "sweep.html").read_text()
    assert "Walk-forward" in page and "no promise" in page
    assert len((out / FILE).read_text().splitlines()) == 1 + 3 * 24


def test_a_killed_command_goes_on_where_it_was_and_comes_to_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*words_of(tmp_path, "--trials", "40", "--workers", "2", "--json", days=60), "--out"]
    assert main([*words, str(tmp_path / "whole")]) == 0
    whole, out = said(capsys.readouterr().out), tmp_path / "cut"
    process = subprocess.Popen(
        [sys.executable, "main.py", *words, str(out)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("whole: 8 of 40 sets")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    kept = (results := out / FILE).read_bytes()
    assert kept.count(b"\n") < 1 + 3 * 40, "it was killed too late"
    assert main([*words, str(out), "--resume"]) == 0
    assert said(capsys.readouterr().out) == whole
    assert results.read_bytes().startswith(kept[: kept.rfind(b"\n") + 1])


def test_a_grid_is_played_whole_and_told_as_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--sampler", "grid", "--workers", "1", "--folds", "0")
    assert main(words_of(tmp_path, *words, space=GRID)) == 0
    told = capsys.readouterr().out
    assert "BTC-USDT, ETH-USDT: 18 sets on 120 days" in told
    for title in ("Best sets", "Chance", "Monte-Carlo", "Stress"):
        assert f"\n{title}\n" in told
    assert "Walk-forward" not in told and "as configured" in told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--sampler", "bayes"), "--sampler bayes: allowed: grid, tpe, nsga2, cmaes"),
        (("--sampler", "grid"), "needs a step, or choices"),
        (("--objective", "best"), "--objective best: allowed: worst, mean"),
        (("--cost", "1e-3"), "--cost '1e-3': a fraction from 0 to 1 is allowed"),
        (("--resume",), "--resume: needs --out"),
        (("--instruments", "DOGE-USDT"), "has no funding record of DOGE"),
        (("--folds", "40"), "--folds: 2 days a part"),
        (("--cluster", "tcp://127.0.0.1:9", "--workers", "2"), "give one of them"),
        (("--from", "2024-01-02", "--to", "2024-01-01"), "--from must be before --to"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(
    tmp_path: Path, words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_of(tmp_path, *words)) == 2
    told = capsys.readouterr()
    assert why in told.err and told.out == ""


def test_a_missing_library_is_one_error_that_names_the_command_which_installs_it() -> None:
    with pytest.raises(UsageError, match="sweep needs no_such_module, not installed here: run `make search`"):
        needs.need(("json", "no_such_module"), "make search")


def test_nothing_of_a_sweep_is_loaded_by_the_engine() -> None:
    code = "import sys, main, scripts.daemon, scripts.backtest.command, strategy; print(*sorted(sys.modules))"
    loaded = swept("-c", code).stdout.split()
    assert "strategy.rehearsal" in loaded
    assert not {"numpy", "optuna", "cmaes", "dask", "distributed"} & set(loaded)
