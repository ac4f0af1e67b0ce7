"""A story's troubles as the venue's own fault plan: for a venue in the same process, or for one of its own.

    python -m scripts.simulation.faults 17 > faults.yaml
    python main.py venue --port 8080 --faults faults.yaml

What is not the venue's doing (disk, crashes, operator, hands) is left out: whoever plays the story does it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from scripts.simulation.story import Story
from scripts.simulation.swarm import story_of


def faults_of(story: Story, start_ms: int = 0) -> dict[str, Any]:
    """{seed, rules, schedule} of a story's rules and venue troubles, as exchange.sim.faults.reading has them.

    start_ms  the instant the story's times count from; 0 leaves them as spans from when the plan is read.

    A rule ends with the story's chaos at the latest. Each is named after its family and place in it.
    """
    heal_ms = story.warm_ms + story.chaos_ms
    rules: list[dict[str, Any]] = []
    schedule: list[dict[str, Any]] = []
    for n, trouble in enumerate(story.troubles):
        name = f"{trouble.family}-{n}"
        if trouble.kind == "rule":
            rule = trouble.what["rule"]
            span = {"from": start_ms + trouble.at_ms, "until": start_ms + min(trouble.until_ms, heal_ms)}
            rules.append({**rule, "id": name, "when": {**rule.get("when", {}), **span}})
        elif trouble.kind == "venue":
            schedule.append({"id": name, "at": start_ms + trouble.at_ms, "what": trouble.what["what"]})
    return {"seed": story.seed, "rules": rules, "schedule": schedule}


def as_yaml(plan: dict[str, Any]) -> str:
    """A plan as `main.py venue --faults` reads it: JSON, which is YAML, one rule a line."""
    lines = [f'"seed": {plan["seed"]}']
    for name in ("rules", "schedule"):
        entries = ",\n".join(f"  {json.dumps(entry)}" for entry in plan[name])
        lines.append(f'"{name}": [\n{entries}\n]' if entries else f'"{name}": []')
    return "{" + ",\n".join(lines) + "}\n"


def main(arguments: Sequence[str]) -> int:
    """Print the fault file of one seed's story."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        print("usage: python -m scripts.simulation.faults SEED; one whole number is allowed", file=sys.stderr)
        return 2
    print(as_yaml(faults_of(story_of(int(arguments[0])))), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
