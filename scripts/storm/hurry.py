"""A configuration folder for an engine in a hurry: the configured one, with some values changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from scripts.simulation.swarm import EAGER

_KEY: Final = re.compile(r"( *)([a-z_]+):(.*)")
# Beside what opens and closes soon: margin kept so narrow that it is topped up and swept all the time, and a
# breaker that does not end the storm.
HURRY: Final[Mapping[str, Any]] = {
    **dict(EAGER),
    "strategy.exit.mode": "sign",
    "risk.margin.open_above": Decimal("0.95"),
    "risk.margin.rebalance_below": Decimal("0.95"),
    "risk.margin.target": Decimal("0.96"),
    "risk.margin.sweep_above": Decimal("0.97"),
    "risk.margin.min_transfer_usdt": Decimal(20),
    "risk.circuit_breaker.losing_rounds": 100,
    "risk.circuit_breaker.max_opens_per_day": 1000,
    "risk.circuit_breaker.daily_loss_limit": Decimal(5000),
    "risk.degradation.crashes": 100,
}


def write_config(source: Path, target: Path, changes: Iterable[tuple[str, Any]]) -> None:
    """Copy a configuration folder with `risk.margin.target` -> value and the like changed.

    Raises KeyError for a name that the folder does not have.
    """
    target.mkdir(parents=True)
    wanted = {name: _plain(value) for name, value in changes}
    for path in sorted(source.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        (target / path.name).write_text(_changed(text, path.stem, wanted), encoding="utf-8")
    if wanted:
        raise KeyError(f"no such setting in {source}: {', '.join(wanted)}")


def _changed(text: str, section: str, wanted: dict[str, str]) -> str:
    """Lines as they are, but for the values of wanted keys, which are taken out of `wanted`."""
    lines: list[str] = []
    way: list[tuple[int, str]] = []
    for line in text.splitlines():
        if found := _KEY.fullmatch(line):
            indent = len(found[1])
            way = [step for step in way if step[0] < indent]
            way.append((indent, found[2]))
            value = wanted.pop(".".join((section, *(key for _, key in way))), None)
            if value is not None:
                line = f"{found[1]}{found[2]}: {value}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
