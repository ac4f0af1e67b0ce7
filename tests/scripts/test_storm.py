"""A storm's parts: the hurried configuration, the fault files, and that what is wrong is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import load
from core.facts import Kind
from core.journal import FILE_NAME, SqliteJournal
from exchange.sim.exchange import Exchange
from exchange.sim.faults.reading import Known, plan_of, read_file
from exchange.sim.markets.generated import GeneratedMarket
from scripts.simulation.faults import as_yaml, faults_of
from scripts.simulation.swarm import story_of
from scripts.storm.hurry import HURRY, write_config
from scripts.storm.inquiry import _in_journal, sent_twice
from scripts.storm.lives import LONGEST_S, PATIENCE_S
from scripts.storm.lives import plan_of as plan_of_life
from tests.core.story import StillClock

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"


def test_the_hurried_configuration_is_the_configured_one_but_for_what_was_changed(tmp_path: Path) -> None:
    write_config(CONFIG, tmp_path / "config", HURRY.items())
    hurried, plain = load(tmp_path / "config"), load(CONFIG)
    for name, value in HURRY.items():
        *sections, key = name.split(".")
        there = hurried
        for section in sections:
            there = getattr(there, section)
        assert getattr(there, key) == value, name
    assert hurried.account == plain.account and hurried.monitor == plain.monitor
    assert hurried.risk.liquidity == plain.risk.liquidity


def test_a_setting_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"risk\.margin\.hope"):
        write_config(CONFIG, tmp_path / "config", [("risk.margin.hope", Decimal(1))])


@pytest.mark.parametrize("seed", range(12))
def test_a_storys_fault_file_is_the_plan_that_its_simulation_plays(seed: int, tmp_path: Path) -> None:
    story = story_of(seed)
    venue = Exchange(GeneratedMarket(seed, story.coins, history_days=1), seed)
    known = Known(venue.now_ms, venue.accounts, venue.instruments)
    path = tmp_path / "faults.yaml"
    path.write_text(as_yaml(faults_of(story)))
    from_file = read_file(path, known)
    in_process = plan_of(faults_of(story, venue.now_ms), known)
    assert [(r.rule_id, r.where, r.effect, r.when) for r in from_file.rules] == [
        (r.rule_id, r.where, r.effect, r.when) for r in in_process.rules
    ]


def test_a_fault_file_can_be_printed_for_one_seed() -> None:
    def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts.simulation.faults", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ)

    assert json.loads(ask("5").stdout) == faults_of(story_of(5))
    wrong = ask("five")
    assert wrong.returncode == 2 and "whole number" in wrong.stderr


@given(st.integers(0, 10_000))
def test_a_life_ends_in_bounded_time_and_every_stop_is_taken_back_or_ended_by_the_kill(seed: int) -> None:
    plan = plan_of_life(Random(seed))
    assert 0 < plan.after_s <= max(PATIENCE_S, 2 * LONGEST_S)
    assert plan == plan_of_life(Random(seed))
    assert plan.row is None or not plan.fresh


def test_an_order_that_the_venue_was_asked_for_twice_is_found(tmp_path: Path) -> None:
    log = tmp_path / "venue.log"
    place = {"kind": "command", "name": "place", "args": ["demo", {"cl_id": "FE1H1S1N1"}]}
    other = {"kind": "command", "name": "place", "args": ["demo", {"cl_id": "FE1H1S1N2"}]}
    lines = [place, other, {"kind": "command", "name": "cancel", "args": ["demo", "FE1H1S1N2"]}]
    log.write_text("".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines))
    assert sent_twice(log) == []
    log.write_text(log.read_text() + json.dumps({**place, "refused": "51016"}, separators=(",", ":")) + "\n")
    assert sent_twice(log) == ["FE1H1S1N1"]


async def test_a_second_hedge_of_an_instrument_and_a_second_intent_are_found(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())

    def hedge(hedge_id: str, event: str) -> None:
        journal.append(Kind.HEDGE, 1, {"hedge_id": hedge_id, "instrument": "BTC-USDT", "event": event})

    for hedge_id, event in (("FE1H1", "opened"), ("FE1H1", "closed"), ("FE1H2", "opened")):
        hedge(hedge_id, event)
    journal.append(Kind.INTENT, 1, {"order": {"cl_id": "FE1H2S1N1"}})
    await journal.durable()
    assert _in_journal(tmp_path, {"FE1H2S1N1"}) == []
    assert _in_journal(tmp_path, {"FE1H2S1N1", "FE9"}) == ["FE9 is at the venue, not in the journal"]
    hedge("FE1H3", "opened")
    journal.append(Kind.INTENT, 1, {"order": {"cl_id": "FE1H2S1N1"}})
    await journal.close()
    assert _in_journal(tmp_path, set()) == [
        "BTC-USDT: FE1H3 was opened beside FE1H2",
        "FE1H2S1N1 was meant 2 times",
    ]
