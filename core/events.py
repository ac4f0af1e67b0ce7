"""What can happen to the engine, and what it may want: events, decisions, targets."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Generic

from typing_extensions import TypeVar

from core.types import Base, Wallet
from core.verdict import Figures, Verdict


class State(StrEnum):
    IDLE = "IDLE"  # nothing held
    OPENING = "OPENING"  # bringing a hedge to its target
    RUNNING = "RUNNING"  # hedges held, collecting funding
    REBALANCING = "REBALANCING"  # changing what is held
    STOPPED = "STOPPED"  # nothing until the operator says so


class On(StrEnum):
    """The events the table knows."""

    BOOT = "boot"
    SCAN = "scan"  # every 5 minutes
    REVIEW = "review"  # every hour
    ACCOUNT = "account"  # an account push that may need an answer at once
    SETTLE = "settle"  # an instrument's funding time
    OPENED = "opened"
    OPEN_FAILED = "open_failed"
    REBALANCED = "rebalanced"
    DEADLINE = "deadline"  # OPENING or REBALANCING took too long
    BREACH = "breach"
    HALT = "halt"
    RESUME = "resume"


E = TypeVar("E", bound=StrEnum, default=On)  # the events of one table


@dataclass(frozen=True, slots=True)
class Event(Generic[E]):
    """One thing that happened. `at_ms` is when it was posted, by the engine's clock."""

    on: E
    at_ms: int
    reason: str = ""
    instrument: str | None = None
    report: Report | None = None
    flatten: bool = False  # HALT: unwind first


class Purpose(StrEnum):
    OPEN = "open"
    EXIT = "exit"
    SHRINK = "shrink"  # both legs smaller: margin
    GROW = "grow"
    REPAIR = "repair"  # legs unequal
    FLATTEN = "flatten"  # breach, halt, close_all
    TOP_UP = "top_up"
    SWEEP = "sweep"

    @property
    def adds_risk(self) -> bool:
        return self in (Purpose.OPEN, Purpose.GROW)


@dataclass(frozen=True, slots=True)
class HedgeTarget:
    """ "Hold `base` coins of hedge": long spot and short the same quantity of the swap.

    Zero closes it. Execution computes target minus holdings, so saying it twice is harmless.
    """

    instrument: str
    base: Base
    purpose: Purpose
    reason: str
    figures: Figures = ()


@dataclass(frozen=True, slots=True)
class TransferTarget:
    """Move `amount` of `ccy` between the venue's wallets."""

    ccy: str
    amount: Decimal
    source: Wallet
    dest: Wallet
    purpose: Purpose
    reason: str
    figures: Figures = ()


Target = HedgeTarget | TransferTarget
T = TypeVar("T", default=Target)  # what the rows of one table hand to execution


@dataclass(frozen=True, slots=True)
class Plan:
    """What strategy, fund guard and rebalancer would like, before the guards have spoken.

    opening    targets that add exposure: best first; a scan acts on the first only.
    adjusting  targets that keep, move or reduce exposure.
    verdicts   every instrument's conditions, also of those not chosen: the "why not".
    """

    opening: tuple[HedgeTarget, ...] = ()
    adjusting: tuple[Target, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision(Generic[T, E]):
    """The machine's answer to one event; durable before anything is done about it."""

    on: E
    at_ms: int
    src: State
    dst: State
    moved: bool
    verdicts: tuple[Verdict, ...]
    targets: tuple[T, ...]
    reason: str = ""
    instrument: str | None = None


class Outcome(StrEnum):
    """How a piece of execution ended, as far as both legs are concerned."""

    BALANCED = "balanced"  # legs equal to one lot, something held
    FLAT = "flat"  # nothing held
    BROKEN = "broken"  # legs unequal, or an order's outcome still unknown


@dataclass(frozen=True, slots=True)
class Report:
    """What execution did about a decision's targets, posted back as an event."""

    outcome: Outcome
    detail: str
    orders: int = 0
    rejects: int = 0
    naked_ms: int = 0  # longest time a leg stood unhedged beyond one lot
    errors: tuple[str, ...] = ()
    stalled: bool = False  # nobody could trade, and no order was refused for good: BROKEN, or taken back
