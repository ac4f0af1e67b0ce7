"""The door for optional signal modules: what they must say, and what they can never leave out.

A module proposes; guards, red lines and sizing stay where they are. It gets its own sleeve of 20-30 % of
the capital, sees the same frozen context as everything else, and explains itself in figures. There is
no field for a score without evidence and no way to state a position without a stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from config.schema import Account
from core.context import Context
from core.types import ONE, ZERO, Side, Usdt
from core.verdict import Figures

SLEEVE_RANGE: Final = (Decimal("0.2"), Decimal("0.3"))  # of the capital, when there is a sleeve at all
STRENGTH_RANGE: Final = (Decimal(0), Decimal(100))


@dataclass(frozen=True, slots=True)
class Target:
    """Take `fraction` of the position off at `px`; then move the stop to `stop_px` unless it is None."""

    px: Decimal
    fraction: Decimal
    stop_px: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ExitPlan:
    """How a position ends, decided before it begins.

    stop_px      USDT per coin; there is no plan without one.    targets  in the order they are met.
    max_hold_ms  after it the rest is closed whatever the price.

    Raises ValueError for a stop or price not above zero, fractions that are not, or that exceed one.
    """

    stop_px: Decimal
    targets: tuple[Target, ...]
    max_hold_ms: int

    def __post_init__(self) -> None:
        if self.stop_px <= 0 or self.max_hold_ms <= 0 or any(t.px <= 0 for t in self.targets):
            raise ValueError("an exit plan needs a stop, prices and a holding time above zero")
        if any(t.fraction <= 0 for t in self.targets) or sum((t.fraction for t in self.targets), ZERO) > ONE:
            raise ValueError("fractions of the targets must be above zero and at most one together")


@dataclass(frozen=True, slots=True)
class Signal:
    """One proposal.

    strength        0-100, the same scale for every module.
    evidence        the figures the strength was computed from, units in their names; never empty.
    valid_until_ms  UTC ms; later it is ignored.

    Raises ValueError for a strength out of range, no evidence, or a stop on the winning side of entry.
    """

    instrument: str
    side: Side
    strength: Decimal
    entry_px: Decimal
    evidence: Figures
    valid_until_ms: int
    exit_plan: ExitPlan

    def __post_init__(self) -> None:
        low, high = STRENGTH_RANGE
        if not low <= self.strength <= high:
            raise ValueError(f"strength {self.strength} is not within {low}-{high}")
        if not self.evidence:
            raise ValueError("a signal without evidence is not a signal")
        if (self.entry_px - self.exit_plan.stop_px) * self.side.sign <= 0:
            raise ValueError(f"stop {self.exit_plan.stop_px} protects nothing at {self.entry_px}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may be tuned in a module, declared so that configuration can check and document it."""

    name: str
    meaning: str
    unit: str
    default: Decimal
    least: Decimal
    most: Decimal

    def __post_init__(self) -> None:
        if not self.least <= self.default <= self.most:
            raise ValueError(f"{self.name}: need least <= default <= most")


class Module(Protocol):
    """A signal module: pure over the context, like every decision."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...

    def signals(self, ctx: Context) -> tuple[Signal, ...]:
        """Return what it proposes now, possibly nothing."""
        ...


def sleeve(account: Account) -> Usdt:
    """Return the USDT that all modules together may use; zero when the account has no such sleeve.

    Raises ValueError for a share of the capital that is neither zero nor within 20-30 %.
    """
    low, high = SLEEVE_RANGE
    if account.auxiliary_ratio and not low <= account.auxiliary_ratio <= high:
        raise ValueError(f"auxiliary_ratio {account.auxiliary_ratio} is neither 0 nor within {low}-{high}")
    return Usdt(account.total_capital * account.auxiliary_ratio)
