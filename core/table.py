"""The transition table: every way from one state to another, and what must say yes first.

For one event and state the rows are tried from top to bottom; the first whose guards all pass wins.
Every (state, event) pair stands here or in IGNORED: tests/core/test_table.py proves there is no third kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic

from typing_extensions import TypeVar

from core.events import E, On
from core.events import State as S


class Act(StrEnum):
    """What a row hands to execution."""

    OPEN = "open"  # the plan's best opening
    ADJUST = "adjust"  # everything the plan wants to move, resize or unwind
    REPAIR = "repair"  # make unequal legs equal again
    UNWIND = "unwind"  # every hedge to zero


SAME: Final = None  # a row without destination stays where it is
A = TypeVar("A", bound=StrEnum, default=Act)  # what the rows of one table may ask for


@dataclass(frozen=True, slots=True)
class Row(Generic[E, A]):
    """`act` None: nothing is handed to execution."""

    on: E
    sources: tuple[S, ...]
    dest: S | None
    guards: tuple[str, ...] = ()
    act: A | None = None


LIVE: Final = (S.IDLE, S.OPENING, S.RUNNING, S.REBALANCING)
EVERY: Final = tuple(S)

MAY_WE: Final = ("venue_up", "not_tripped", "margin_ok", "funds_ok", "liquid", "red_lines", "may_add_risk")

TABLE: Final = (
    # Start and recovery are one path: reconciliation has asked the venue, these rows read its finding.
    Row(On.BOOT, EVERY, S.STOPPED, ("was_stopped",)),
    Row(On.BOOT, EVERY, S.STOPPED, ("unexplained",)),
    Row(On.BOOT, EVERY, S.REBALANCING, ("stopping", "holding"), Act.UNWIND),
    Row(On.BOOT, EVERY, S.STOPPED, ("stopping",)),
    Row(On.BOOT, EVERY, S.REBALANCING, ("unbalanced",), Act.REPAIR),
    Row(On.BOOT, EVERY, S.RUNNING, ("balanced",)),
    Row(On.BOOT, EVERY, S.IDLE, ("flat",)),
    # Every five minutes: first what is held, then what could be held.
    Row(On.SCAN, (S.RUNNING,), S.REBALANCING, ("adjustment_due", "may_act"), Act.ADJUST),
    Row(On.SCAN, (S.IDLE, S.RUNNING), S.OPENING, ("carry_pays", *MAY_WE), Act.OPEN),
    # Every hour, at each funding time, and on an account push that may need an answer at once.
    Row(On.REVIEW, (S.RUNNING,), S.REBALANCING, ("adjustment_due", "may_act"), Act.ADJUST),
    Row(On.ACCOUNT, (S.RUNNING,), S.REBALANCING, ("adjustment_due", "may_act"), Act.ADJUST),
    Row(On.SETTLE, (S.RUNNING,), S.REBALANCING, ("adjustment_due", "may_act"), Act.ADJUST),
    Row(On.SETTLE, EVERY, SAME),
    # What execution reports back.
    Row(On.OPENED, (S.OPENING,), S.RUNNING, ("balanced",)),
    Row(On.OPENED, (S.OPENING,), S.REBALANCING, ("unbalanced",), Act.REPAIR),
    Row(On.OPEN_FAILED, (S.OPENING,), S.IDLE, ("flat",)),
    Row(On.OPEN_FAILED, (S.OPENING,), S.RUNNING, ("balanced",)),
    Row(On.OPEN_FAILED, (S.OPENING,), S.REBALANCING, ("repairable",), Act.REPAIR),
    Row(On.OPEN_FAILED, (S.OPENING,), S.STOPPED),
    Row(On.REBALANCED, (S.REBALANCING,), S.STOPPED, ("stopping", "settled")),
    Row(On.REBALANCED, (S.REBALANCING,), S.REBALANCING, ("stopping", "repairable"), Act.UNWIND),
    Row(On.REBALANCED, (S.REBALANCING,), S.RUNNING, ("balanced",)),
    Row(On.REBALANCED, (S.REBALANCING,), S.IDLE, ("flat",)),
    Row(On.REBALANCED, (S.REBALANCING,), S.REBALANCING, ("repairable",), Act.REPAIR),
    Row(On.REBALANCED, (S.REBALANCING,), S.STOPPED),
    # A halt that came while legs were being moved: what it interrupted is brought to equal legs, no further.
    Row(On.OPEN_FAILED, (S.STOPPED,), SAME, ("balanced",)),
    Row(On.OPEN_FAILED, (S.STOPPED,), SAME, ("flat",)),
    Row(On.OPEN_FAILED, (S.STOPPED,), SAME, ("repairable",), Act.REPAIR),
    Row(On.REBALANCED, (S.STOPPED,), SAME, ("balanced",)),
    Row(On.REBALANCED, (S.STOPPED,), SAME, ("flat",)),
    Row(On.REBALANCED, (S.STOPPED,), SAME, ("repairable",), Act.REPAIR),
    # Time is up: an opening becomes a repair; a repair that takes too long raises the alarm and goes on.
    Row(On.DEADLINE, (S.OPENING,), S.REBALANCING, (), Act.REPAIR),
    Row(On.DEADLINE, (S.REBALANCING,), SAME),
    # Emergencies and the operator.
    Row(On.BREACH, (S.IDLE,), S.STOPPED, ("flat",)),
    Row(On.BREACH, LIVE, S.REBALANCING, (), Act.UNWIND),
    Row(On.HALT, EVERY, S.REBALANCING, ("flatten_asked", "holding"), Act.UNWIND),
    Row(On.HALT, EVERY, S.STOPPED),
    Row(On.RESUME, (S.STOPPED,), S.REBALANCING, ("unbalanced",), Act.REPAIR),
    Row(On.RESUME, (S.STOPPED,), S.RUNNING, ("balanced",)),
    Row(On.RESUME, (S.STOPPED,), S.IDLE, ("flat",)),
)

# Ticks that find the machine busy are recorded and dropped, never queued up; reports that come after
# the machine has moved on (a breach, a deadline) are facts already and need no second answer.
IGNORED: Final = frozenset(
    {(s, On.SCAN) for s in (S.OPENING, S.REBALANCING, S.STOPPED)}
    | {(s, On.REVIEW) for s in EVERY if s is not S.RUNNING}
    | {(s, On.ACCOUNT) for s in EVERY if s is not S.RUNNING}
    | {(s, On.OPENED) for s in EVERY if s is not S.OPENING}
    | {(s, On.OPEN_FAILED) for s in (S.IDLE, S.RUNNING, S.REBALANCING)}
    | {(s, On.REBALANCED) for s in (S.IDLE, S.OPENING, S.RUNNING)}
    | {(s, On.DEADLINE) for s in (S.IDLE, S.RUNNING, S.STOPPED)}
    | {(S.STOPPED, On.BREACH)}
    | {(s, On.RESUME) for s in LIVE}
)
