"""Asked at every order of the sleeve, immediately before it leaves: the red lines, whatever the gate said.

Exits are never held up: an order that only makes a position smaller is always let through. One that makes it
larger, or opens it, needs a stop, at most three times its margin, and a position that does not lose.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from config.schema import MAX_LEVERAGE
from core.types import ONE, ZERO, Base, Side, Usdt
from core.verdict import Figures, Verdict

GUARD: Final = "sleeve_red_lines"
UNKNOWN: Final = "none"


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the sleeve holds of one instrument, or would hold once an order has filled.

    net       coins, above 0 long, below 0 short: its net delta.
    entry_px  paid on average, USDT per coin; anything while nothing is held.
    margin    isolated, USDT.
    stop_px   at which it will be closed, USDT per coin; None without a stop.
    """

    instrument: str
    net: Base
    entry_px: Decimal = ZERO
    margin: Usdt = Usdt(ZERO)  # noqa: RUF009  a NewType of a number
    stop_px: Decimal | None = None

    def profit_at(self, px: Decimal) -> Decimal:
        return (px - self.entry_px) * self.net

    def with_order(
        self, side: Side, base: Base, px: Decimal, margin: Usdt, stop_px: Decimal | None
    ) -> Exposure:
        """Return what would be held once an order of so many coins has filled at this price.

        What comes to the same side is averaged in, with its margin, under the stop given. What comes from the
        other takes off: the average and the stop stay, the margin shrinks with the coins.
        """
        net = Base(self.net + side.sign * base)
        if self.net * side.sign < 0:
            left = min(ONE, max(ZERO, net / self.net))
            return replace(self, net=net, margin=Usdt(self.margin * left))
        entry_px = (self.entry_px * abs(self.net) + px * base) / abs(net)
        return Exposure(self.instrument, net, entry_px, Usdt(self.margin + margin), stop_px)


def order_allowed(before: Exposure, after: Exposure, mark_px: Decimal | None) -> Verdict:
    """Return whether the order between the two may leave.

    after    as if all of it had filled at its limit, with the stop that then protects all that is held.
    mark_px  of the instrument now; None is not known, and lets nothing become larger.
    """
    grows = abs(after.net) > abs(before.net)
    turns = before.net * after.net < 0
    known = mark_px is not None and mark_px > 0
    profit = before.profit_at(mark_px) if mark_px is not None else ZERO
    value = abs(after.net) * max(after.entry_px, ZERO)
    leverage = value / after.margin if after.margin > 0 else None
    figures: Figures = (
        ("net_before_base", Decimal(before.net)),
        ("net_after_base", Decimal(after.net)),
        ("entry_before_px", before.entry_px),
        ("mark_px", UNKNOWN if mark_px is None else mark_px),
        ("profit_before_usdt", profit),
        ("leverage_after", UNKNOWN if leverage is None else leverage),
        ("stop_px", UNKNOWN if after.stop_px is None else after.stop_px),
    )

    def said(ok: bool, reason: str) -> Verdict:
        return Verdict(ok, GUARD, reason, figures, after.instrument)

    if before.instrument != after.instrument:
        return said(False, "the order is for another instrument")
    if turns:
        return said(False, "an order turns a position over: it is closed first")
    if not grows:
        return said(True, "nothing becomes larger")
    if mark_px is None or not known:
        return said(False, "the mark price is not known")
    if before.net and profit <= 0:
        return said(False, "the net delta of a position that does not win would become larger")
    if after.stop_px is None or (mark_px - after.stop_px) * after.net <= 0 or after.stop_px <= 0:
        return said(False, "no stop protects what would be held")
    if leverage is None or leverage > MAX_LEVERAGE:
        return said(False, "leverage would pass the red line")
    return said(True, "within the red lines")
