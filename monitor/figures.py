"""Everything that is measured of a running engine, taken together for one scrape.

Frozen pictures (the status, the newest context) and readings of counters that other threads go on writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from core.context import Context
from core.meters import Meters, Reading
from core.tally import Terms
from monitor.status import Status


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the engine holds itself to, from its configuration."""

    rebalance_below: Decimal
    emergency_below: Decimal
    repair_deadline_s: float
    max_latency_s: float
    max_data_age_s: float


@dataclass(frozen=True, slots=True)
class Naked:
    """Legs apart: `standing` instrument -> since when (UTC ms), and every spell that has ended."""

    standing: Mapping[str, int]
    lasted_s: Reading
    repairs_s: Reading


@dataclass(frozen=True, slots=True)
class JournalFigures:
    """rows  in all.    waiting  of them not on the disk yet, the oldest for `lag_s`."""

    rows: int
    waiting: int
    lag_s: float
    commits_s: Reading
    failed: bool
    on_reserve: bool


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """One channel of messages to people."""

    name: str
    waiting: int
    delivered: int
    undelivered: int
    down: bool


@dataclass(frozen=True, slots=True)
class LoopFigures:
    """The event loop: `lag_s` its last answer, `lags_s` all of them, `stalls` when none came for 5 s."""

    lag_s: float
    lags_s: Reading
    stalls: int
    dead: tuple[str, ...]
    stuck: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Safekeeping:
    """Where the books lie. `backup_age_s` of the youngest copy, None while there is none."""

    free_bytes: int
    size_bytes: int
    backup_age_s: float | None


@dataclass(frozen=True, slots=True)
class Done:
    """Counts of this process."""

    scans: int
    opens: int
    closes: int
    rebalances: int
    dropped: int
    breaches: int
    frames: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One engine at `now_ms` of its clock. None and empty: not known yet.

    ctx      the newest look at everything, at most `degradation.look_every_s` old.
    money    where it came from since the first start, by instrument; "" is the account as a whole.
    capture  what the decisions kept of what perfect foresight would have, by instrument, costs off.
    """

    now_ms: int
    version: str
    mode: str
    thresholds: Thresholds
    meters: Meters
    naked: Naked
    journal: JournalFigures
    done: Done
    status: Status | None = None
    ctx: Context | None = None
    loop: LoopFigures | None = None
    safe: Safekeeping | None = None
    money: Mapping[str, Terms] = field(default_factory=dict)
    capture: Mapping[str, Decimal] = field(default_factory=dict)
    queues: Mapping[str, int] = field(default_factory=dict)
    channels: tuple[ChannelFigures, ...] = ()
