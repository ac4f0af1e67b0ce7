"""The one language of the signal modules: what a module sees, what it may say, what it declares.

    scanner -> Look (one instrument, one instant, closed bars) -> Module.signal -> Signal or None

A Signal carries its reasons as named figures and the plan by which its position ends. There is no field
for a score without evidence, and no way to propose a position without a stop. What becomes of a signal is
the gate's to decide, and is written down with it (`Fate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from core.context import MarketView
from core.types import Base, Side
from core.verdict import Figures
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.exit_plan import ExitPlan, Measures

WEAKEST: Final = Decimal(0)
STRONGEST: Final = Decimal(100)


class Fate(StrEnum):
    """What became of a signal."""

    EXECUTED = "executed"
    FILTERED = "filtered"  # a limit, a guard, a price that had run away, an order that failed
    CONFLICT = "conflict"  # something is held there, or another module was first
    CIRCUIT_BREAK = "circuit_break"  # the sleeve may open nothing now, whatever it is


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may be tuned in a module, declared so that configuration, search and docs know it.

    unit   of the value, in the house's suffixes: "bars", "ratio", "atr", "ms", "" for a plain number.
    whole  only whole numbers mean anything.

    Raises ValueError when the default lies out of bounds, or is not whole where it must be.
    """

    name: str
    meaning: str
    unit: str
    default: Decimal
    least: Decimal
    most: Decimal
    whole: bool = False

    def __post_init__(self) -> None:
        self.checked(self.default)

    def checked(self, value: Decimal) -> Decimal:
        """Return the value. Raises ValueError, naming what is allowed, when it is not."""
        if not self.least <= value <= self.most:
            raise ValueError(f"{self.name} is {value}, allowed: {self.least} to {self.most}")
        if self.whole and value != value.to_integral_value():
            raise ValueError(f"{self.name} is {value}, allowed: whole numbers")
        return value


def settings_of(
    parameters: tuple[Parameter, ...], given: Mapping[str, Decimal] | None = None
) -> Mapping[str, Decimal]:
    """Return a value for every declared parameter: the given one, or its default.

    Raises ValueError for a name nobody declared, and for a value out of bounds.
    """
    given = given or {}
    names = [parameter.name for parameter in parameters]
    if unknown := sorted(given.keys() - set(names)):
        raise ValueError(f"{', '.join(unknown)}: no such parameter, allowed: {', '.join(names)}")
    return {p.name: p.checked(given.get(p.name, p.default)) for p in parameters}


@dataclass(frozen=True, slots=True)
class Needs:
    """What a module has to be shown; it is not asked before all of it is there.

    bars     frame -> how many closed bars at least.
    on       the frame whose closing bar brings the question; must be one of `bars`. Empty: asked when
             something is fed (events), or once a minute.
    The rest: whether the live book, the funding, open interest, the long/short ratio, fed events.
    """

    bars: Mapping[str, int]
    on: str = ""
    book: bool = False
    funding: bool = False
    open_interest: bool = False
    long_short: bool = False
    events: bool = False

    def __post_init__(self) -> None:
        if unknown := sorted(self.bars.keys() - FRAME_MS.keys()):
            raise ValueError(f"bars of {', '.join(unknown)}, allowed: {', '.join(FRAME_MS)}")
        if self.on and self.on not in self.bars:
            raise ValueError(f"asked on {self.on}, allowed: {', '.join(self.bars)}")


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One message of an outside feed, as it was taken in. `kind` is the feed's own number or word."""

    event_id: str
    kind: str
    instrument: str
    at_ms: int
    source: str  # the feed it came from


@dataclass(frozen=True, slots=True)
class Holding:
    """What a module holds in the instrument it is asked about. `base` > 0; `side` is its direction."""

    side: Side
    base: Base
    entry_px: Decimal
    opened_ms: int


@dataclass(frozen=True, slots=True)
class Look:
    """Everything a module may see of one instrument at one instant.

    bars        by frame, closed bars only: the bar that is forming is nowhere in here.
    long_short  (UTC ms, accounts long / accounts short), oldest first.
    events      of this instrument, oldest first.
    holding     the module's own; what others hold it does not see.
    """

    now_ms: int
    instrument: str
    bars: Mapping[str, Bars]
    market: MarketView | None = None
    long_short: tuple[tuple[int, Decimal], ...] = ()
    events: tuple[FeedEvent, ...] = ()
    holding: Holding | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One proposal of one module.

    strength        0-100, the same scale for every module.
    px              USDT per coin the proposal speaks of: the close of its bar, or the mid at that time.
    at_ms           when it became known: the close of its bar, or the event behind it. UTC ms.
    valid_until_ms  later it is refused as stale.
    evidence        the figures the strength was computed from, units in their names; never empty.
    plan            how the position would end.
    measures        what the plan's distances are measured in (ATR, support) at this instant.
    wished_leverage what the preset would like; the gate grants at most the red line and records both.
    most_base       coins it asks for at most; None leaves the size to the gate, which may grant less always.

    Raises ValueError for a strength out of range, no evidence, a time of validity that ended before it
    began, a size that is nothing, or a plan whose stop does not lie on the losing side of `px`.
    """

    module: str
    instrument: str
    side: Side
    strength: Decimal
    px: Decimal
    at_ms: int
    valid_until_ms: int
    evidence: Figures
    plan: ExitPlan
    measures: Measures = field(default_factory=Measures)
    wished_leverage: Decimal = Decimal(1)
    most_base: Base | None = None

    def __post_init__(self) -> None:
        if not WEAKEST <= self.strength <= STRONGEST:
            raise ValueError(f"strength is {self.strength}, allowed: {WEAKEST} to {STRONGEST}")
        if not self.evidence:
            raise ValueError("a signal without evidence is not a signal")
        if self.px <= 0 or self.wished_leverage <= 0:
            raise ValueError(f"price {self.px} and leverage {self.wished_leverage} must be above zero")
        if self.most_base is not None and self.most_base <= 0:
            raise ValueError(f"asks for at most {self.most_base} coins, allowed: above zero")
        if self.valid_until_ms <= self.at_ms:
            raise ValueError(f"valid until {self.valid_until_ms}, which is not after {self.at_ms}")
        self.plan.levels(self.side, self.px, self.measures, self.wished_leverage)

    @property
    def signal_id(self) -> str:
        """The same proposal has the same name in every life of the engine."""
        return f"{self.module}:{self.instrument}:{self.side.value}:{self.at_ms}"


class Module(Protocol):
    """A signal module: pure over its Look, like every decision. It remembers nothing between two Looks."""

    @property
    def name(self) -> str: ...

    @property
    def about(self) -> str:
        """One sentence: what it believes in."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...

    @property
    def needs(self) -> Needs: ...

    def signal(self, look: Look) -> Signal | None:
        """Return its proposal for this instrument now, or None. A Look that has all it needs never raises."""
        ...
