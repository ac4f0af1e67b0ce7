"""Looked at on every event: an alarm that says no makes the engine unwind.

An alarm fires on what is known, never on what is not: a stale snapshot is no reason to sell. It is a reason
to open nothing, which the guards see to, and it is said in the verdict.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.schema import Breaker, Margin, Risk
from core.context import Context
from core.ports import Guard
from core.verdict import Verdict
from risk.margin_guard import lowest_mgn_ratio
from risk.measures import account_gap, price_gap

LAST_CALL: Final = Decimal("1.5")  # of the venue's mgnRatio, which liquidates at 1


class MarginAlarm:
    """margin ratio (backing equity / swap notional at mark) below `emergency_below`.

    A price that has just jumped is waited out for a few looks: one bad print must not sell everything.
    """

    name = "margin_emergency"

    def __init__(self, limits: Margin) -> None:
        self._limits = limits

    def check(self, ctx: Context) -> Verdict:
        if gap := account_gap(ctx, self._limits) or price_gap(ctx):
            return Verdict(True, self.name, f"not judged: {gap}")
        ratio = ctx.margin_ratio
        if ratio is None:
            return Verdict(True, self.name, "no swap is held")
        figures = (
            ("margin_ratio", ratio),
            ("emergency_below_ratio", self._limits.emergency_below),
            ("backing_usdt", ctx.backing_equity),
            ("swap_notional_usdt", ctx.swap_notional),
        )
        if ratio < self._limits.emergency_below:
            return Verdict(False, self.name, "margin ratio is an emergency", figures)
        return Verdict(True, self.name, "margin ratio is above the emergency", figures)


class LiquidationAlarm:
    """The venue's own mgnRatio near liquidation: below half its warning level, and never later than 1.5.

    Independent of our formula on purpose: it sees haircuts, tiers and positions we do not.
    """

    name = "liquidation_near"

    def __init__(self, limits: Margin) -> None:
        self._limits = limits

    def check(self, ctx: Context) -> Verdict:
        if gap := account_gap(ctx, self._limits):
            return Verdict(True, self.name, f"not judged: {gap}")
        assert ctx.account is not None  # account_gap has looked
        ratio = lowest_mgn_ratio(ctx.account)
        if ratio is None:
            return Verdict(True, self.name, "the venue gives no margin ratio")
        floor = max(LAST_CALL, self._limits.venue_ratio_warning / 2)
        figures = (("venue_mgn_ratio", ratio), ("floor_ratio", floor))
        if ratio < floor:
            return Verdict(False, self.name, "the venue is about to liquidate", figures)
        return Verdict(True, self.name, "the venue's margin ratio is sound", figures)


class DrawdownAlarm:
    """Account equity fell from its peak by `max_drawdown_ratio` or more; both by our own books, USDT.

    A fall that exists only because swap and spot stand apart right now is none: it comes back when they meet,
    and is real only for who sells. So equity must be down both as it is and with the swap at the spot price.
    """

    name = "drawdown"

    def __init__(self, limits: Breaker) -> None:
        self._limits = limits

    def check(self, ctx: Context) -> Verdict:
        peak = ctx.breaker.peak_equity
        if peak <= 0 or not ctx.equity:
            return Verdict(True, self.name, "not judged: equity is not known yet")
        if gap := price_gap(ctx):
            return Verdict(True, self.name, f"not judged: {gap}")
        fall = 1 - max(ctx.equity, ctx.converged_equity) / peak
        figures = (
            ("drawdown_ratio", fall),
            ("max_drawdown_ratio", self._limits.max_drawdown_ratio),
            ("equity_usdt", ctx.equity),
            ("equity_without_basis_usdt", ctx.converged_equity),
            ("peak_equity_usdt", peak),
        )
        if fall >= self._limits.max_drawdown_ratio:
            return Verdict(False, self.name, "equity fell too far from its peak", figures)
        return Verdict(True, self.name, "drawdown is within its limit", figures)


def build_alarms(risk: Risk) -> tuple[Guard, ...]:
    """Return every alarm, in the order they are asked."""
    return (MarginAlarm(risk.margin), LiquidationAlarm(risk.margin), DrawdownAlarm(risk.circuit_breaker))
