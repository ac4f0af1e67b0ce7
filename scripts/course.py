"""What was held through which settlements, by the fills, and what that is worth beside perfect foresight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.tally import Trade
from core.types import ZERO, Leg, SettledFunding
from strategy.foresight import course_of, perfect_foresight

LIST_COST: Final = Decimal("0.0015")  # OKX's taker fees of both legs; for a run without a trade to measure


@dataclass(frozen=True, slots=True)
class Capture:
    """Decisions beside perfect foresight over the same settlements: fractions of the notional, costs off."""

    settlements: int
    held: int
    kept: Decimal
    possible: Decimal

    @property
    def ratio(self) -> Decimal | None:
        """What was kept of what was possible; None where nothing was."""
        return self.kept / self.possible if self.possible > 0 else None


def capture_of(trades: Sequence[Trade], settled: Sequence[SettledFunding]) -> Capture:
    """Judge one instrument's own trades by the rates that were settled meanwhile, oldest first.

    A switch costs what this account's trades cost, list fees before the first. A hedge still open counts as
    closed at the end.
    """
    rates, cost = [one.rate for one in settled], switch_cost_of(trades)
    held = held_through(trades, [one.ts_ms for one in settled])
    course, best = course_of(rates, held, cost), perfect_foresight(rates, cost)
    return Capture(len(rates), course.settlements_held, course.net, best.net)


def switch_cost_of(trades: Sequence[Trade]) -> Decimal:
    """What opening or closing cost in this run: fees and slippage of both legs over the swap's notional."""
    notional = sum((one.base * one.fill.px for one in trades if one.leg is Leg.SWAP), ZERO)
    if not notional:
        return LIST_COST
    return sum((one.fee_usdt + one.slippage for one in trades), ZERO) / notional


def held_through(trades: Sequence[Trade], times_ms: Sequence[int]) -> list[bool]:
    """Whether a short stood at each of these settlements, by the fills before it."""
    swaps = [(one.fill.ts_ms, one.signed_base) for one in trades if one.leg is Leg.SWAP]
    swaps.sort(key=lambda one: one[0])
    held, base, at = [], ZERO, 0
    for ts_ms in times_ms:
        while at < len(swaps) and swaps[at][0] < ts_ms:
            base += swaps[at][1]
            at += 1
        held.append(base < 0)
    return held
