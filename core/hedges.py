"""One hedge as the books keep it, from its opening to its closing."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from core.context import HedgeView
from core.tally import Booking, Tally, Terms, Trade
from core.types import ZERO, Base, BillKind, Contracts, Leg, Side

NOTHING = Base(ZERO)


class _Shown(NamedTuple):
    """The last view, and the prices it is at."""

    spot_px: Decimal
    mark_px: Decimal
    view: HedgeView


@dataclass(slots=True)
class Hedge:
    """What this engine bought and sold for one round on one instrument; nothing else.

    closed_ms   0 while open.   forced  a liquidation, or unwound because of a breach: counts as a loss.
    spot_cost   USDT, average cost of the coins held.   entry_notional  the most it ever was.
    """

    instrument: str
    hedge_id: str
    opened_ms: int
    target_base: Base = NOTHING
    purpose: str = ""
    reason: str = ""
    tally: Tally = field(default_factory=Tally)
    spot_cost: Decimal = ZERO
    entry_notional: Decimal = ZERO
    closed_ms: int = 0
    forced: bool = False
    liquidations: int = 0  # the venue's own bookings of it
    deleveragings: int = 0
    _shown: _Shown | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def spot_base(self) -> Base:
        return Base(self.tally.spot_base)

    @property
    def contracts(self) -> Contracts:
        return Contracts(self.tally.contracts)

    @property
    def short_base(self) -> Base:
        return Base(-self.tally.swap_base)

    @property
    def closing_terms(self) -> Terms:
        """The terms of a closed round: no coin and no contract left, so no price is needed."""
        return self.tally.terms(ZERO, ZERO)

    @property
    def is_loss(self) -> bool:
        """A closed round that cost money, or an unwind that was forced."""
        return self.forced or self.closing_terms.net < 0

    def aim(self, target_base: Base, purpose: str, reason: str) -> None:
        """What it is meant to hold from now on, and why."""
        self._shown = None
        self.target_base, self.purpose, self.reason = target_base, purpose, reason

    def take(self, trade: Trade) -> None:
        """Count a fill. A buy adds its cost; a sale takes its share of the average cost with it."""
        self._shown = None
        if trade.leg is Leg.SPOT:
            if trade.fill.side is Side.BUY:
                self._add_cost(trade.base * trade.fill.px)
            else:
                self._sell_cost(trade.base)
        self.tally.trade(trade)
        if trade.fee_base:
            self.tally.coins_changed(trade.fee_base, trade.fee_base * trade.fill.px)

    def book(self, booking: Booking) -> None:
        self._shown = None
        self.tally.book(booking)
        self.liquidations += booking.bill.kind is BillKind.LIQUIDATION
        self.deleveragings += booking.bill.kind is BillKind.ADL
        self.forced = self.forced or bool(self.liquidations)

    def take_over(self, dust: Decimal, px: Decimal) -> None:
        """Start with what earlier rounds left of the coin."""
        self._shown = None
        self.tally.moved_in(dust, px)
        self._add_cost(dust * px)

    def close(self, at_ms: int, spot_px: Decimal) -> Decimal:
        """End the round; return the coins it leaves behind, credited to it at `spot_px`."""
        self._shown = None
        rest = self.tally.spot_base
        self.tally.moved_in(-rest, spot_px)
        self.spot_cost = ZERO
        self.closed_ms = at_ms
        return rest

    def view(self, spot_px: Decimal, mark_px: Decimal, margin_per_spot: Decimal) -> HedgeView:
        """As it is at these prices; the same object for the same ones, until something is booked."""
        shown = self._shown
        # Equal prices may be written with other digits, and so would be what is worked out of them.
        if shown is None or shown.spot_px is not spot_px or shown.mark_px is not mark_px:
            view = self._view(spot_px, mark_px, margin_per_spot)
            self._shown = shown = _Shown(spot_px, mark_px, view)
        return shown.view

    def _view(self, spot_px: Decimal, mark_px: Decimal, margin_per_spot: Decimal) -> HedgeView:
        terms = self.tally.terms(spot_px, mark_px)
        return HedgeView(
            instrument=self.instrument,
            hedge_id=self.hedge_id,
            target_base=self.target_base,
            spot_base=self.spot_base,
            contracts=self.contracts,
            short_base=self.short_base,
            opened_ms=self.opened_ms,
            entry_notional=self.entry_notional,
            capital=self.entry_notional * (1 + margin_per_spot),
            funding=terms.funding,
            basis=terms.basis + terms.other,  # the view has no other; pnl must still be whole
            fees=terms.fees,
            slippage=terms.slippage,
            interest=terms.interest,
            settlements=self.tally.settlements,
            liquidations=self.liquidations,
            deleveragings=self.deleveragings,
            reason=self.reason,
        )

    def _add_cost(self, cost: Decimal) -> None:
        self.spot_cost += cost
        self.entry_notional = max(self.entry_notional, self.spot_cost)

    def _sell_cost(self, coins: Decimal) -> None:
        held = self.tally.spot_base
        self.spot_cost *= max(ZERO, 1 - coins / held) if held > 0 else ZERO
