"""What a scanner must not forget, as a body for the journal, and back.

    {"asked": {module: {instrument: ms}}, "said": {signal: ms}, "bans": [...], "health": {module: {...}}}

A part that is not there is empty; one that cannot be read is an error and not empty, because a scanner that
forgot asks twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from strategy.auxiliary.scanner import Memory, Scanner
from strategy.auxiliary.scanning.blacklist import Ban, Cause
from strategy.auxiliary.scanning.health import Health

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of a scanner. Empty: nothing was."""

    memory: Memory = field(default_factory=Memory)
    bans: tuple[Ban, ...] = ()
    health: Mapping[str, Health] = field(default_factory=dict)


def body_of(scanner: Scanner, now_ms: int) -> dict[str, object]:
    """Return the body: text, whole numbers, lists and mappings only. What the operator excludes is not in it:
    that stands in the configuration."""
    asked: dict[str, dict[str, int]] = {}
    for (module, instrument), at_ms in scanner.memory.asked.items():
        asked.setdefault(module, {})[instrument] = at_ms
    bans = (ban for ban in scanner.blacklist.bans(now_ms) if ban.cause is not Cause.EXCLUDED)
    return {
        "asked": asked,
        "said": dict(scanner.memory.said),
        "bans": [asdict(ban) | {"cause": ban.cause.value} for ban in bans],
        "health": {
            name: asdict(record) | {"failed_ms": list(record.failed_ms)}
            for name, record in scanner.ward.all().items()
        },
    }


def kept_in(body: Mapping[str, Any]) -> Kept:
    """Return what a body says; parts that are not in it are empty.

    Raises ValueError that names the part which cannot be read.
    """
    asked = _read("asked", lambda: _asked(body.get("asked", {})))
    said = _read("said", lambda: {str(name): int(until) for name, until in body.get("said", {}).items()})
    bans = _read("bans", lambda: tuple(_ban(row) for row in body.get("bans", ())))
    health = _read("health", lambda: {name: _health(row) for name, row in body.get("health", {}).items()})
    return Kept(Memory(asked, said), bans, health)


def _asked(rows: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], int]:
    return {(module, name): int(at) for module, of in rows.items() for name, at in of.items()}


def _ban(row: Mapping[str, Any]) -> Ban:
    until_ms = row["until_ms"]
    return Ban(
        row["instrument"],
        Cause(row["cause"]),
        row["reason"],
        int(row["since_ms"]),
        None if until_ms is None else int(until_ms),
    )


def _health(row: Mapping[str, Any]) -> Health:
    return Health(tuple(map(int, row["failed_ms"])), row["last"], row["off"], int(row["off_ms"]))


def _read(part: str, reads: Callable[[], T]) -> T:
    try:
        return reads()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"what a scanner kept: {part} cannot be read: {error!r}") from error
