"""One scenario, one history: in process, over sockets, and whatever the seed of the hashes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.exchange.sim.faults.scenario import Scenario, play_in_process, play_over_sockets

FILE = Path(__file__).with_name("rough_day.yaml")
ROOT = Path(__file__).parents[4]


async def test_over_sockets_in_lock_step_a_scenario_writes_the_same_log_as_in_process() -> None:
    near, far = play_in_process(Scenario(FILE)), await play_over_sockets(Scenario(FILE))
    lines = near.log.after(0, 100_000)
    assert lines == far.log.after(0, 100_000)
    assert near.log.digest == far.log.digest
    kinds = {json.loads(line)["kind"] for line in lines}
    assert {"command", "edit", "fault", "OrderChanged", "AccountChanged"} <= kinds
    struck = {rule.rule_id for rule in near.plan.rules if near.plan.tally(rule.rule_id).hits}
    assert struck == {rule.rule_id for rule in near.plan.rules}


def test_the_digest_is_the_same_under_every_hash_seed() -> None:
    def digest(hash_seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "tests.exchange.sim.faults.scenario", str(FILE)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    digests = {digest(seed) for seed in ("0", "1", "42")}
    assert len(digests) == 1 and digests == {play_in_process(Scenario(FILE)).log.digest}
