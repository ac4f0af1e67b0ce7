"""What the gate may know of the sleeve: a frozen picture of what it holds, did and lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from core.types import ZERO, Base, Side, Usdt
from strategy.auxiliary.exit_plan import is_above_zero

NOTHING: Final = Usdt(ZERO)


@dataclass(frozen=True, slots=True)
class Held:
    """One position of the sleeve, or what is on its way to be one. `base` > 0 coins; `margin` USDT.

    Raises ValueError for an amount or a price that is not above zero.
    """

    module: str
    instrument: str
    side: Side
    base: Base
    entry_px: Decimal
    mark_px: Decimal
    margin: Usdt

    def __post_init__(self) -> None:
        for name in ("base", "entry_px", "mark_px", "margin"):
            if not is_above_zero(value := getattr(self, name)):
                raise ValueError(f"{name} of a position is {value}, allowed: above 0")

    @property
    def notional(self) -> Usdt:
        """USDT at mark."""
        return Usdt(self.base * self.mark_px)

    def wins_at(self, px: Decimal) -> bool:
        """Whether it would be in profit at this price; at its entry it is not."""
        return (px - self.entry_px) * self.side.sign > 0


@dataclass(frozen=True, slots=True)
class Entered:
    """One entry, whatever became of it. UTC ms of its order."""

    module: str
    instrument: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Streak:
    """Positions of one coin that ended with a loss, in a row, and when the last of them did."""

    losses: int
    ended_ms: int


@dataclass(frozen=True, slots=True)
class SleeveView:
    """The sleeve at one instant.

    capital     USDT it may use: sleeve.py, less what it has lost.
    held        every position, and every entry whose order has no outcome yet.
    entries     of the last 24 hours at least, of all modules.
    lost_today  realised since 00:00 UTC, net of costs: a loss is above 0, a gain below.
    seen        ids of signals that have been judged before.
    closed      why nothing may be entered now (permission, breaker, emergency of the hedges); None: it may.
    returns     by instrument, of the same bars, oldest first: what correlations are computed from.
    streaks     by instrument.

    Raises ValueError for figures that are no numbers.
    """

    capital: Usdt
    held: tuple[Held, ...] = ()
    entries: tuple[Entered, ...] = ()
    lost_today: Usdt = NOTHING
    seen: frozenset[str] = frozenset()
    closed: str | None = None
    returns: Mapping[str, Sequence[float]] = field(default_factory=dict)
    streaks: Mapping[str, Streak] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.capital.is_finite() and self.capital >= 0 and self.lost_today.is_finite()):
            raise ValueError(f"a sleeve of {self.capital} USDT that lost {self.lost_today}, allowed: numbers")

    def in_coin(self, instrument: str) -> tuple[Held, ...]:
        return tuple(each for each in self.held if each.instrument == instrument)
