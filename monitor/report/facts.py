"""Everything a report is made of: what a run recorded, and nothing that was reckoned from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from core.events import State
from core.ledger import Settlement
from core.naked import Spell
from core.tally import Terms, Trade
from monitor.summary import RunFacts

TERMS: Final = ("funding", "basis", "fees", "slippage", "interest", "other")
COSTS: Final = frozenset({"fees", "slippage", "interest"})  # counted off; the other terms are added


@dataclass(frozen=True, slots=True)
class Sample:
    """The account at one review.

    margin_ratio  backing equity / swap notional; None while no swap is held.
    basis_bps     swap mid over spot mid, by instrument, where both are quoted.
    hedged_usdt   notional of all shorts at mark.
    """

    ts_ms: int
    state: State
    margin_ratio: Decimal | None
    basis_bps: Mapping[str, Decimal]
    hedged_usdt: Decimal


@dataclass(frozen=True, slots=True)
class Stay:
    """A time spent in one state, UTC ms."""

    state: State
    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Round:
    """One hedge from its opening to its closing; `closed_ms` None: held at the end, valued at its prices.

    notional  USDT, the most the coins held ever cost.   reason  why it was closed.
    """

    instrument: str
    hedge_id: str
    opened_ms: int
    closed_ms: int | None
    notional: Decimal
    terms: Terms
    settlements: int
    reason: str = ""
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """What one set of decisions comes to over an instrument's settlements, at constant swap notional.

    net   fraction of the notional, costs deducted.   switches  openings and closings together.
    held  settlements held through.
    """

    net: Decimal
    switches: int
    held: int


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One instrument's decisions beside others on the same settlements and with the same costs.

    switch_cost  of one opening or one closing, a fraction of the notional.
    modes        each exit mode's way, by its name.
    """

    instrument: str
    settlements: int
    switch_cost: Decimal
    run: Way
    foresight: Way
    modes: Mapping[str, Way]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the charts draw as thresholds. Ratios as in risk.yaml: 1 = unlevered."""

    rebalance_below: Decimal
    emergency_below: Decimal
    red_line: Decimal
    repair_deadline_s: float


@dataclass(frozen=True, slots=True)
class Source:
    """What one coin's market was played from.

    bar_ms, mark_ms  length of the candles of both legs and of the mark price; None: there were none.
    feeds            the markets (spot, perp) whose order book was recorded, for a part of the time at least.
    """

    coin: str
    venue: str
    bar_ms: int
    mark_ms: int | None
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """A run with what was recorded meanwhile. All sequences are oldest first.

    sources  what was played, by coin.   holes  stretches (begin, end) without data, UTC ms.
    changes  what the run changed of the configuration, each as key=value.
    """

    run: RunFacts
    exit_mode: str
    limits: Limits
    trades: tuple[Trade, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    samples: tuple[Sample, ...] = ()
    stays: tuple[Stay, ...] = ()
    spells: tuple[Spell, ...] = ()
    rounds: tuple[Round, ...] = ()
    benchmarks: tuple[Benchmark, ...] = field(default=())
    sources: tuple[Source, ...] = ()
    holes: tuple[tuple[int, int], ...] = ()
    changes: tuple[str, ...] = ()
