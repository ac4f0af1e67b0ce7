"""A change of the configuration begins another engine of the process, not another run."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.facts import Kind, Row
from core.journal_reader import JournalReader
from core.types import ZERO
from tests.e2e.change_driver import FOR_MS
from tests.e2e.rig import ROOT, run, venue

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

DRIVER = str(ROOT / "tests" / "e2e" / "change_driver.py")
D = Decimal
COSTS = ("fees", "slippage", "interest")


def test_the_summary_covers_the_whole_run_across_a_change_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    for file in (ROOT / "config").glob("*.yaml"):
        shutil.copy(file, tmp_path / "config")
    with venue("--seed", "7") as url:
        done = run(DRIVER, "1", url, str(tmp_path), "strategy.exit.cooldown_hours=12")
    assert done.code == 0, done.err
    with JournalReader(tmp_path / "journal.db") as reader:
        rows = list(reader.rows())
    boots = [row for row in rows if row.kind is Kind.BOOT]
    decided = [row.body["on"] for row in rows if row.kind is Kind.DECISION]
    intents = [row for row in rows if row.kind is Kind.INTENT]
    paid = sum((D(b["change"]) for b in bills(rows) if b["kind"] == "funding"), ZERO)
    assert len(boots) == 2 and rows[-1].body["reason"] == "time is up"

    said = done.summary
    assert said["from_ms"] == boots[0].at_ms
    assert said["to_ms"] - said["from_ms"] == FOR_MS
    assert said["equity_start"] == "100000"
    assert said["opens"] == decided.count("opened") == 2
    assert said["scans"] == decided.count("scan")
    assert said["orders"] == len(intents)
    assert D(said["funding"]) == paid != 0
    assert D(said["fees"]) > 50  # of openings before the change
    terms = D(said["funding"]) + D(said["basis"]) + D(said["other"]) - sum(D(said[name]) for name in COSTS)
    assert abs(terms - D(said["net_pnl"])) < D("1e-8")
    each = [sum(D(one[name]) for one in said["per_instrument"].values()) for name in ("funding", "fees")]
    assert each == [D(said["funding"]), D(said["fees"])]

    [note] = [row.body for row in rows if row.body.get("what") == "configuration"]
    assert [(one["key"], one["after"], one["asked"]) for one in note["diff"]] == [
        ("strategy.forecast.horizon_hours", "700", False),  # edited in its file, and named with the change
        ("strategy.exit.cooldown_hours", "12", True),
    ]


def bills(rows: list[Row]) -> list[Any]:
    return [row.body["bill"] for row in rows if row.kind is Kind.BILL]
