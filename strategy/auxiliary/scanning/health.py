"""How the modules fare: one that goes on failing is switched off, with the reason, and costs no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from core.types import DAY_MS

MOST_FAILURES: Final = 5
WITHIN_MS: Final = DAY_MS
LONGEST_TROUBLE: Final = 300  # characters that are kept of what went wrong


@dataclass(frozen=True, slots=True)
class Health:
    """One module's record.

    failed_ms  when it failed, of late; UTC ms, oldest first.
    last       what went wrong the last time, "" if nothing did.
    off        why it is switched off, "" while it is on.    off_ms  since when.
    """

    failed_ms: tuple[int, ...] = ()
    last: str = ""
    off: str = ""
    off_ms: int = 0

    @property
    def is_on(self) -> bool:
        return not self.off


class Ward:
    """The records of all modules. A module is off after `most` failures `within_ms`, until somebody says
    otherwise: what failed over and over is a fault of its code, and waiting mends no code."""

    def __init__(
        self,
        modules: Iterable[str],
        most: int = MOST_FAILURES,
        within_ms: int = WITHIN_MS,
        known: Mapping[str, Health] | None = None,
    ) -> None:
        """`known` is what an earlier life of the engine left. Raises ValueError for a limit below 1."""
        if most < 1 or within_ms < 1:
            raise ValueError(f"off after {most} failures within {within_ms} ms, allowed: 1 or more of each")
        self._most, self._within_ms = most, within_ms
        self._of = {name: (known or {}).get(name, Health()) for name in modules}

    def of(self, module: str) -> Health:
        return self._of[module]

    def all(self) -> Mapping[str, Health]:
        return dict(self._of)

    def failed(self, module: str, trouble: str, now_ms: int) -> Health:
        """Note a failure; return the record with it."""
        record, trouble = self._of[module], trouble[:LONGEST_TROUBLE]
        recent = (*(at for at in record.failed_ms if at > now_ms - self._within_ms), now_ms)
        record = replace(record, failed_ms=recent, last=trouble)
        if len(recent) >= self._most and record.is_on:
            off = f"{len(recent)} failures within {self._within_ms // 60_000} minutes, the last: {trouble}"
            record = replace(record, off=off, off_ms=now_ms)
        self._of[module] = record
        return record

    def switch_on(self, module: str) -> None:
        """Give it another chance: the operator says so. Raises KeyError for a module nobody knows."""
        self._of[module] = replace(self._of[module], failed_ms=(), off="", off_ms=0)
