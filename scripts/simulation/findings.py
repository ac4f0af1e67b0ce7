"""What the oracles found: violations, and how long legs stood alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from scripts.simulation.world import CREDENTIALS

SECRETS: Final = (CREDENTIALS.secret, CREDENTIALS.passphrase)  # must be in nothing that is told or written


@dataclass(frozen=True, slots=True)
class Violation:
    invariant: str
    at_ms: int
    event: str


@dataclass(slots=True)
class Findings:
    violations: list[Violation] = field(default_factory=list)
    naked_ms: list[int] = field(default_factory=list)  # of every episode: undisturbed time
