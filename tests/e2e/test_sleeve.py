"""The sleeve beside the engine of a demo: real processes, one venue, two accounts."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.facts import Kind
from core.journal_reader import JournalReader
from exchange.okx.endpoints import Endpoints
from exchange.okx.rest import OkxRest
from exchange.okx.trading import OkxTrading
from scripts.door import DEMO_SLEEVE
from scripts.sleeve.compose import FOLDER
from scripts.standing import still_of
from tests.e2e.rig import ROOT, main, run, venue

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine
PACE = ("--for", "5h", "--speed", "max", "--json")


def with_sleeve(folder: Path) -> Path:
    """The shipped configuration with two modules switched on."""
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "meanings"))
    account, strategy = folder / "account.yaml", folder / "strategy.yaml"
    account.write_text(account.read_text().replace("auxiliary_ratio: 0\n", "auxiliary_ratio: 0.2\n"))
    head, found, tail = strategy.read_text().partition("auxiliary:\n")
    assert found
    tail = tail.replace("enabled: false", "enabled: true", 1)
    tail = tail.replace("modules: []", "modules: [ensemble, trend_breakout]", 1)
    strategy.write_text(head + found + tail)
    return folder


def decisions(folder: Path) -> list[tuple[object, ...]]:
    """What was decided when and what it led to; how old a figure was may differ."""
    with JournalReader(folder / "journal.db") as reader:
        assert reader.verify().ok
        rows = list(reader.rows(Kind.DECISION))
    keys = ("on", "src", "dst", "moved", "targets", "reason", "instrument")
    return [(row.at_ms, *(str(row.body[key]) for key in keys)) for row in rows]


def test_the_sleeve_trades_on_its_own_account_and_changes_no_decision_of_the_hedges(tmp_path: Path) -> None:
    configured, alone, beside = with_sleeve(tmp_path / "config"), tmp_path / "alone", tmp_path / "beside"
    off = main("run", "--data", str(alone), "--seed", "3", *PACE)
    on = main("run", "--data", str(beside), "--seed", "3", "--config", str(configured), *PACE)
    assert off.code == on.code == 0, on.err
    assert decisions(alone) == decisions(beside)
    for key in ("equity_end", "net_pnl", "funding", "fees", "orders", "unexplained"):
        assert off.summary[key] == on.summary[key], key
    with JournalReader(beside / FOLDER / "journal.db") as reader:
        assert reader.verify().ok
        signals = [row.body for row in reader.rows(Kind.SIGNAL)]
        entered = [row.body for row in reader.rows(Kind.POSITION) if row.body["event"] == "begun"]
        placed = [row.body for row in reader.rows(Kind.PROTECTION) if row.body["event"] == "placed"]
    assert any(signal["fate"] == "executed" for signal in signals)
    assert entered and placed
    assert "the sleeve has ended" not in on.err


def test_close_all_empties_both_accounts_with_the_daemon_dead(tmp_path: Path) -> None:
    configured, folder = with_sleeve(tmp_path / "config"), tmp_path / "data"
    options = ("--venue", "", "--data", str(folder), "--config", str(configured))
    with venue("--seed", "3") as url:
        options = ("--venue", url, "--data", str(folder), "--config", str(configured))
        ran = main("run", *options, "--for", "90m", "--speed", "max", "--json")
        assert ran.code == 0, ran.err
        assert held_by_sleeve(url)  # entered at 00:15, and not left by its plan before 01:30
        done = run(str(ROOT / "scripts" / "close_all.py"), "--mode", "demo", *options)
        assert done.code == 0 and "flat" in done.out, done.out + done.err
        assert not held_by_sleeve(url)


def held_by_sleeve(url: str) -> list[str]:
    """Swaps the sleeve's account holds, asked of the venue with the sleeve's own key."""

    async def ask() -> list[str]:
        endpoints = Endpoints(url, url.replace("http", "ws", 1) + "/ws/v5", False)
        rest = OkxRest(endpoints, DEMO_SLEEVE, SystemClock())
        try:
            await rest.measure_offset()
            account = await OkxTrading(rest, SystemClock(), isolated=True).account()
        finally:
            await rest.close()
        return [one.inst_id for one in account.positions.values() if one.contracts]

    with still_of(url)():
        return asyncio.run(ask())
