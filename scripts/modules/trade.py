"""One finished position in money: its fills, its funding, and what is left of both after costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from core.types import ONE, ZERO, Base, Side
from scripts.modules.ride import Exit
from scripts.modules.tape import Coin
from strategy.auxiliary.exit_progress import Entry
from strategy.auxiliary.modules.proposal import exact

ENTRY: Final = "entry"


@dataclass(frozen=True, slots=True)
class Costs:
    """taker  fee of every fill, a fraction of its notional.
    slippage  half the spread and what an order moves the price, a fraction of the price, against the order.

    Raises ValueError for a fraction that is below zero or not below one.
    """

    taker: Decimal = Decimal("0.0005")
    slippage: Decimal = Decimal("0.0003")

    def __post_init__(self) -> None:
        for name, value in (("taker", self.taker), ("slippage", self.slippage)):
            if not (value.is_finite() and ZERO <= value < ONE):
                raise ValueError(f"{name} is {value}, allowed: 0 to below 1")

    def paid_px(self, side: Side, px: Decimal) -> Decimal:
        """Return what a market order of this side gets for a price that was shown."""
        return px * (ONE + side.sign * self.slippage)


@dataclass(frozen=True, slots=True)
class Fill:
    """`side` is the order's. `shown_px` the tape's price, `px` what was paid or got for it. `fee` in USDT."""

    at_ms: int
    side: Side
    base: Base
    shown_px: Decimal
    px: Decimal
    fee: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Funding of one settlement: `amount` USDT received, below zero paid, on `base` coins held."""

    at_ms: int
    base: Base
    mark_px: Decimal
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Trade:
    """One position from flat to flat. All money in USDT."""

    module: str
    plan: str
    instrument: str
    side: Side
    signal_ms: int
    strength: Decimal
    stop_px: Decimal
    leverage: Decimal
    fills: tuple[Fill, ...]  # the entry first
    charges: tuple[Charge, ...]
    label: str = ""  # which of a module's ways it was, where it has several

    @property
    def opened_ms(self) -> int:
        return self.fills[0].at_ms

    @property
    def closed_ms(self) -> int:
        return self.fills[-1].at_ms

    @cached_property
    def notional(self) -> Decimal:
        return self.fills[0].base * self.fills[0].px

    @cached_property
    def risk(self) -> Decimal:
        """What the first stop would lose, without costs."""
        return self.fills[0].base * abs(self.fills[0].px - self.stop_px)

    @cached_property
    def gross(self) -> Decimal:
        """What the tape's own prices give: before slippage, fees and funding."""
        return sum((-each.side.sign * each.base * each.shown_px for each in self.fills), ZERO)

    @cached_property
    def slippage(self) -> Decimal:
        return sum((each.side.sign * each.base * (each.px - each.shown_px) for each in self.fills), ZERO)

    @cached_property
    def fees(self) -> Decimal:
        return sum((each.fee for each in self.fills), ZERO)

    @cached_property
    def funding(self) -> Decimal:
        return sum((each.amount for each in self.charges), ZERO)

    @cached_property
    def net(self) -> Decimal:
        return self.gross - self.slippage - self.fees + self.funding

    @cached_property
    def r(self) -> float:
        """The net in units of what was risked: -1 is a stop at its price without costs."""
        return float(self.net / self.risk)


def fills_of(entry: Entry, shown_px: Decimal, exits: Sequence[Exit], costs: Costs) -> tuple[Fill, ...]:
    """Return the entry and every exit as fills. `shown_px`: the open the entry was made at."""
    fills = [_fill(entry.opened_ms, entry.side, entry.base, shown_px, ENTRY, costs)]
    side = entry.side.opposite
    fills += [_fill(each.at_ms, side, each.base, each.px, each.reason, costs) for each in exits]
    return tuple(fills)


def _fill(at_ms: int, side: Side, base: Base, shown_px: Decimal, reason: str, costs: Costs) -> Fill:
    px = costs.paid_px(side, shown_px)
    return Fill(at_ms, side, base, shown_px, px, base * px * costs.taker, reason)


def charges_of(coin: Coin, frame: str, fills: Sequence[Fill]) -> tuple[Charge, ...]:
    """Return what was paid and received at every settlement a position was held at.

    Held are the coins that were there just before: who enters at the instant of a settlement is not charged,
    who leaves then is. The price is the file's mark, else the open of the bar that begins then; where neither
    is known nothing is charged.
    """
    begin, end = coin.settled_ms.searchsorted((fills[0].at_ms, fills[-1].at_ms), side="right")
    series, found = coin.series[frame], []
    for each in coin.settled[begin:end]:
        at = series.at(each.ts_ms)
        mark = coin.marks.get(each.ts_ms) or (None if at is None else exact(series.open[at]))
        off = sum((fill.base for fill in fills[1:] if fill.at_ms < each.ts_ms), ZERO)
        held = Base(fills[0].base - off)
        if mark is not None and held > 0:
            amount = -fills[0].side.sign * held * mark * each.rate
            found.append(Charge(each.ts_ms, held, mark, each.rate, amount))
    return tuple(found)
