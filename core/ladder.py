"""From what is found to what is allowed: causes that begin when they are sure and end when they stay well.

A judge (risk/degradation.py) says of every cause how it is now. The ladder lowers and lifts the permission
after it, with patience on both sides, so that nothing flaps and nothing acts on a single bad sample.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from core.context import Permission
from core.permission import Permissions
from core.verdict import Figures

SAMPLE_GAP_MS: Final = 1_000  # looks closer together see the same sample


class Finding(Struct, frozen=True, gc=False):
    """How one cause is now.

    level           what it allows at most; FULL when it is well.
    reason          one plain sentence without figures.
    samples         looks in a row, a second apart at least, that must agree before it is believed.
    recover_ms      how long it must have been well before it ends; None: as long as is configured.
    until_operator  once it has begun, only the operator ends it.
    critical        a human should look at once.
    """

    cause: str
    level: Permission
    reason: str
    figures: Figures = ()
    samples: int = 1
    recover_ms: int | None = None
    until_operator: bool = False
    critical: bool = False


@dataclass(slots=True)
class _Track:
    """What is remembered of one cause between two looks."""

    agreed: int = 0  # looks in a row that found it worse than what holds
    counted_ms: int = 0
    eased_ms: int | None = None  # since when it has been better than what holds
    eased_level: Permission = Permission.FULL  # the worst since then


class Ladder:
    """Holds every cause where its findings put it. What holds is in `permissions`, and survives restarts."""

    def __init__(self, permissions: Permissions, recover_ms: int) -> None:
        self._permissions, self._recover_ms = permissions, recover_ms
        self._tracks: dict[str, _Track] = {}

    def look(self, findings: Iterable[Finding], now_ms: int) -> None:
        """Take one look's findings, at most one of each cause."""
        causes = self._permissions.causes
        for finding in findings:
            held = causes.get(finding.cause)
            level = held.level if held else Permission.FULL
            track = self._tracks.get(finding.cause)
            if track is None:
                track = self._tracks[finding.cause] = _Track()
            if finding.level < level:
                self._worse(finding, track, now_ms)
                continue
            track.agreed = 0
            if held is None or held.until_operator or finding.level == level:
                track.eased_ms = None
            else:
                self._better(finding, track, now_ms)

    def _worse(self, finding: Finding, track: _Track, now_ms: int) -> None:
        track.eased_ms = None
        if track.agreed and now_ms - track.counted_ms < SAMPLE_GAP_MS:
            return
        track.agreed, track.counted_ms = track.agreed + 1, now_ms
        if track.agreed >= finding.samples:
            track.agreed = 0
            self._lower(finding, finding.level)

    def _better(self, finding: Finding, track: _Track, now_ms: int) -> None:
        if track.eased_ms is None:
            track.eased_ms, track.eased_level = now_ms, finding.level
        track.eased_level = min(track.eased_level, finding.level)
        patience_ms = self._recover_ms if finding.recover_ms is None else finding.recover_ms
        if now_ms - track.eased_ms < patience_ms:
            return
        track.eased_ms = None
        if track.eased_level is Permission.FULL:
            self._permissions.lift(finding.cause)
        else:
            self._lower(finding, track.eased_level)

    def _lower(self, finding: Finding, level: Permission) -> None:
        self._permissions.lower(
            finding.cause,
            level,
            finding.reason,
            until_operator=finding.until_operator,
            critical=finding.critical,
        )
