"""Has the engine lost its grip? What an onlooker decides from three signs of life. Pure.

A sign is lost while its measure is beyond the limit, and for as long as that lasts. Only what has been
lost for the whole of its patience, and is lost now, is a reason to take over; a question that nobody
answered proves nothing, neither life nor death.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Sign(StrEnum):
    HEARTBEAT = "heartbeat"  # the counter of the engine's consumer
    CLOCK = "clock"  # what the engine takes for the venue's time
    HEDGES = "hedges"  # equal legs, by the venue's word


class Judgement(StrEnum):
    HEALTHY = "healthy"
    SUSPECT = "suspect"  # something is lost, not for long enough
    TAKE_OVER = "take over"


@dataclass(frozen=True, slots=True)
class Patience:
    """Milliseconds a sign may be lost. `after_exit_ms` when the process is gone: a supervisor may be
    starting it again. `clock_off_ms` is the difference of clocks that counts as lost."""

    after_ms: int
    after_exit_ms: int
    clock_off_ms: int


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen. None: not known now.

    quiet_ms      since the heartbeat's counter last moved.
    signed_off    the engine ended on purpose and left its hedges to stand.
    has_process   a process holds the data folder.
    holds         the engine's books hold something, or may.
    clock_off_ms  the engine's clock less the venue's, beyond what the beat's age explains.
    is_naked      legs unequal by more than can be left alone.
    """

    now_ms: int
    quiet_ms: int
    signed_off: bool
    has_process: bool
    holds: bool
    clock_off_ms: int | None = None
    is_naked: bool | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """The judgement, and since when each lost sign has been lost (by the onlooker's clock)."""

    judgement: Judgement = Judgement.HEALTHY
    lost_ms: Mapping[Sign, int] = field(default_factory=dict)
    why: str = ""


FINE: Final = Opinion()


def consider(before: Opinion, look: Look, patience: Patience) -> Opinion:
    """Return the opinion after this look. With nothing held there is nothing to lose: healthy."""
    if not look.holds:
        return FINE
    signs = {
        Sign.HEARTBEAT: _silent(look),
        Sign.CLOCK: _off(look, patience),
        Sign.HEDGES: look.is_naked,
    }
    lost_ms: dict[Sign, int] = {}
    for sign, is_lost in signs.items():
        known_ms = before.lost_ms.get(sign)
        if sign is Sign.HEARTBEAT and is_lost:
            lost_ms[sign] = look.now_ms - look.quiet_ms
        elif is_lost:
            lost_ms[sign] = look.now_ms if known_ms is None else known_ms
        elif is_lost is None and known_ms is not None:  # unknown keeps what was, and begins nothing
            lost_ms[sign] = known_ms
    has_hands = look.has_process or look.signed_off  # else a supervisor may be starting it again
    allowed_ms = patience.after_ms if has_hands else patience.after_exit_ms
    lasted_ms = {sign: look.now_ms - since_ms for sign, since_ms in lost_ms.items()}
    ripe = [
        f"{sign.value} lost for {ms / 1000:.1f} s"
        for sign, ms in lasted_ms.items()
        if signs[sign] and ms >= allowed_ms
    ]
    if ripe:
        return Opinion(Judgement.TAKE_OVER, lost_ms, ", ".join(ripe))
    # A heartbeat that is merely between two beats is no suspicion yet.
    doubts = [sign.value for sign, ms in lasted_ms.items() if ms >= allowed_ms // 2]
    judgement = Judgement.SUSPECT if doubts else Judgement.HEALTHY
    return Opinion(judgement, lost_ms, ", ".join(doubts))


def _silent(look: Look) -> bool:
    return look.quiet_ms > 0 and not look.signed_off


def _off(look: Look, patience: Patience) -> bool | None:
    if look.signed_off:
        return False
    return None if look.clock_off_ms is None else abs(look.clock_off_ms) > patience.clock_off_ms
