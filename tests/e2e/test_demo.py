"""The first command of the README, as a new user runs it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.rig import Ended, main

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

D = Decimal


def demo(folder: Path, *more: str) -> Ended:
    return main("run", "--seed", "7", "--json", "--data", str(folder), *more)


def test_a_demo_opens_collects_funding_explains_itself_and_ends_clean(tmp_path: Path) -> None:
    done = demo(tmp_path, "--for", "26h", "--speed", "max")
    assert done.code == 0, done.err
    said = done.summary
    assert said["state"] in ("RUNNING", "IDLE")
    assert said["opens"] >= 2
    assert D(said["funding"]) != 0
    assert said["violations"] == []
    assert said["unexplained"] == "0"
    terms = (
        D(said["funding"]) + D(said["basis"]) - D(said["fees"]) - D(said["slippage"]) - D(said["interest"])
    )
    assert abs(terms + D(said["other"]) - D(said["net_pnl"])) < D("1e-8")
    assert D(said["max_leverage"]) < 3
    assert "bill missing" not in done.err  # every bill came, whoever read it first

    why = main("why", "BTC-USDT", "--data", str(tmp_path))
    assert why.code == 0
    assert "refusals" in why.out
    assert "margin_ok" in why.out
    status = main("status", "--data", str(tmp_path))
    assert "ETH-USDT" in status.out
    assert main("journal", "verify", "--data", str(tmp_path)).code == 0
    replayed = main("journal", "replay", "--data", str(tmp_path), "--json")
    assert replayed.code == 0
    assert replayed.summary["illegal"] == [] and replayed.summary["checkpoints"] >= 3
    assert replayed.summary["decision_head"] == said["journal_head"]
    pnl = main("pnl", "--by", "instrument", "--data", str(tmp_path))
    assert pnl.code == 0


def test_the_same_seed_decides_the_same_at_any_pace_and_another_seed_does_not(tmp_path: Path) -> None:
    """Nine hours: over a settlement."""
    fast = demo(tmp_path / "fast", "--for", "9h", "--speed", "max").summary
    paced = demo(tmp_path / "paced", "--for", "9h", "--speed", "3600").summary
    other = demo(tmp_path / "other", "--for", "9h", "--speed", "max", "--seed", "8").summary
    assert paced["wall_s"] > 9
    assert paced["journal_head"] == fast["journal_head"]
    assert paced["net_pnl"] == fast["net_pnl"]
    assert other["journal_head"] != fast["journal_head"]
