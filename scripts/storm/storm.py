"""`main.py storm`: SIGKILLs of the real daemon during opens, rebalances and closes, and what is left then.

Each round has a venue in a process of its own, with the faults, the coins and the market of one story of the
simulation (scripts/simulation), and one data folder. Its daemon is killed again and again, at random instants
and at random journal rows. Then the venue is healed, a daemon may live in peace, and books are compared.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from config.loader import load
from core.clock import VirtualLoop
from core.errors import JournalFailed
from exchange.lockstep import LockstepKeeper
from scripts.child_venue import MAIN, venue_process
from scripts.commands import Command, Verb, send
from scripts.options import RunOptions
from scripts.questions import Answer, read_books
from scripts.simulation.faults import as_yaml, faults_of
from scripts.simulation.story import Story
from scripts.simulation.swarm import story_of
from scripts.storm.hurry import HURRY, write_config
from scripts.storm.inquiry import findings, sent_twice
from scripts.storm.lives import Death, Plan, live, plan_of

KILLS_A_ROUND: Final = 25
PEACE: Final = "3h"  # longer than the longest trouble that begins before the venue is healed
AFTER_ERROR_S: Final = 10.0  # of venue time, as a service manager waits before it starts one again
MOST_ENDINGS: Final = 200  # of a round that were no kill: the engine does not come up any more
MOST_PATIENCE: Final = 6  # times the usual length that a life is given more when starts take long


@dataclass(slots=True)
class Round:
    """What one venue and one data folder came to."""

    story: int
    kills: int = 0
    states: Counter[str] = field(
        default_factory=Counter
    )  # in which it was killed; CLOSING: a hedge was given up
    mid_order: int = 0  # kills with an order of unknown outcome in the journal
    by_row: int = 0
    fresh: int = 0
    stopped: int = 0
    in_vain: int = 0  # lives in a row that ended before they had booted
    boots: int = 0
    endings: list[str] = field(default_factory=list)  # last words of lives that ended otherwise
    findings: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    orders: int = 0
    virtual_h: float = 0.0


def storm(kills: int, seed: int, config: Path, keep: Path | None = None) -> Answer:
    """Kill so often, compare, report. Exit code 1 when anything was found.

    keep  a folder for venue logs, fault files and journals of all rounds; None: only while it runs.
    """
    began_s = time.monotonic()
    folder = keep or Path(tempfile.mkdtemp(prefix="storm-"))
    rounds: list[Round] = []
    try:
        left = kills
        while left > 0:
            rounds.append(_round(min(left, KILLS_A_ROUND), seed + len(rounds), config, folder))
            left -= rounds[-1].kills or left
            _say(rounds, kills, time.monotonic() - began_s)
    finally:
        if keep is None:
            shutil.rmtree(folder)
    return _answer(rounds, seed, time.monotonic() - began_s)


def _round(kills: int, seed: int, config: Path, folder: Path) -> Round:
    story, rng = story_of(seed), Random(f"storm {seed}")
    done = Round(seed)
    place = folder / f"{seed:04d}"
    place.mkdir(parents=True)
    data, faults, log = place / "data", place / "faults.yaml", place / "venue.log"
    write_config(config, place / "config", {**HURRY, **_of_story(story)}.items())
    load(place / "config")  # a mistake is one message, not one per life
    faults.write_text(as_yaml(faults_of(story)))
    names = tuple(f"{coin}-USDT" for coin in story.coins)
    arguments = ["--seed", str(seed), "--instruments", ",".join(names), "--faults", str(faults)]
    arguments += ["--log", str(log), "--regime", story.regime, "--from-regime"]
    with venue_process(*arguments) as url:
        options = RunOptions(speed=None, venue=url, data=data, config=place / "config", instruments=names)
        began_ms = _now_ms(url)
        while done.kills < kills and len(done.endings) < MOST_ENDINGS:
            plan = plan_of(rng, 1 + min(done.in_vain, MOST_PATIENCE))
            death = live(plan, options, place / "daemon.log", lambda verb: _tell(data, verb))
            _count(done, plan, death, data)
            if not death.killed:
                _let_pass(url, AFTER_ERROR_S)
        if done.kills < kills:
            done.findings.append(f"the engine does not come up any more: {done.endings[-1]}")
        _heal(url)
        _tell(data, Verb.RESUME)
        _peace(done, options, place)
        done.virtual_h = (_now_ms(url) - began_ms) / 3_600_000
        try:
            done.findings += findings(url, data, story.coins)
            done.orders = len(read_books(data).orders)
        except JournalFailed as error:
            done.findings.append(str(error))
    done.findings += [f"the venue was asked to place {cl_id} twice" for cl_id in sent_twice(log)]
    return done


def _of_story(story: Story) -> dict[str, Any]:
    """Its settings, but for when a hedge is given up: here as soon as funding turns."""
    return {name: value for name, value in story.changes if name != "strategy.exit.mode"}


def _tell(data: Path, verb: Verb) -> None:
    send(data, Command(verb, "storm"))


def _count(done: Round, plan: Plan, death: Death, data: Path) -> None:
    if not death.killed:
        done.endings.append(f"exit code {death.code}: {death.said.strip()[-300:]}")
        return
    done.kills += 1
    done.by_row += plan.row is not None
    done.fresh += plan.fresh
    done.stopped += death.stopped
    try:
        books = read_books(data)
    except JournalFailed:  # not made yet, or just being made
        done.states["before its journal"] += 1
        return
    done.in_vain = 0 if len(books.boots_ms) > done.boots else done.in_vain + 1
    done.boots = len(books.boots_ms)
    closing = books.unwinding or any(not hedge.target_base for hedge in books.hedge_views({}).values())
    done.states["CLOSING" if closing else books.state.value] += 1
    done.mid_order += bool(books.unresolved_orders())


def _now_ms(url: str) -> int:
    return int(httpx.get(f"{url}/sim/state", trust_env=False, timeout=30.0).json()["now_ms"])


def _heal(url: str) -> None:
    """Forget every rule; what already happens to the venue ends by itself."""
    httpx.delete(f"{url}/sim/faults", trust_env=False, timeout=30.0).raise_for_status()


def _let_pass(url: str, seconds: float) -> None:
    """Let the venue's time go on without an engine."""
    keeper = LockstepKeeper(url.replace("http", "ws", 1) + "/sim/clock", None)
    try:
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(keeper)) as runner:
            runner.run(asyncio.sleep(seconds))
    finally:
        keeper.close()


def _peace(done: Round, options: RunOptions, place: Path) -> None:
    """One last daemon, that nobody kills: it must come up, and end with nothing unexplained."""
    command = [sys.executable, str(MAIN), "run", "--venue", str(options.venue), "--data", str(options.data)]
    command += ["--config", str(options.config), "--instruments", ",".join(options.instruments)]
    command += ["--for", PEACE, "--speed", "max", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    (place / "peace.log").write_text(ended.stderr)
    if ended.returncode:
        done.findings.append(f"the last start ended with {ended.returncode}: {ended.stderr.strip()[-500:]}")
        return
    done.summary = json.loads(ended.stdout.strip().splitlines()[-1])
    if Decimal(done.summary["unexplained"]) != 0:
        done.findings.append(f"unexplained is {done.summary['unexplained']}")
    if done.summary["state"] not in ("RUNNING", "IDLE", "STOPPED"):
        done.findings.append(f"after {PEACE} of peace the engine is still {done.summary['state']}")


def _say(rounds: list[Round], kills: int, wall_s: float) -> None:
    last = rounds[-1]
    total = sum(one.kills for one in rounds)
    print(
        f"{total} of {kills} kills, {wall_s:.0f} s; story {last.story}: {dict(last.states)}", file=sys.stderr
    )
    for finding in last.findings:
        print(f"  {finding}", file=sys.stderr)


def _answer(rounds: list[Round], seed: int, wall_s: float) -> Answer:
    states: Counter[str] = sum((one.states for one in rounds), Counter())
    found = [{"story": one.story, "finding": text} for one in rounds for text in one.findings]
    data = {
        "ok": not found,
        "seed": seed,
        "kills": sum(one.kills for one in rounds),
        "kills_by_state": dict(sorted(states.items())),
        "kills_at_a_row": sum(one.by_row for one in rounds),
        "kills_mid_order": sum(one.mid_order for one in rounds),
        "kills_of_main_py": sum(one.fresh for one in rounds),
        "boots": sum(one.boots for one in rounds),
        "lives_stopped_meanwhile": sum(one.stopped for one in rounds),
        "other_endings": sorted(Counter(text for one in rounds for text in one.endings).items()),
        "orders": sum(one.orders for one in rounds),
        "virtual_hours": round(sum(one.virtual_h for one in rounds), 1),
        "max_naked_s": max((float(one.summary.get("max_naked_s", 0)) for one in rounds), default=0.0),
        "end_states": dict(Counter(one.summary.get("state", "never up") for one in rounds)),
        "unexplained": [one.summary.get("unexplained", "unknown") for one in rounds],
        "findings": found,
        "wall_s": round(wall_s, 1),
    }
    lines = [f"{name:24} {json.dumps(value)}" for name, value in data.items() if name != "findings"]
    lines += [f"story {one['story']}: {one['finding']}" for one in found]
    return Answer(1 if found else 0, "\n".join(lines), json.loads(json.dumps(data)))
