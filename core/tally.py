"""Quantities and money of one instrument or one hedge, kept as sums that never divide.

A tally holds what was traded as plain cash flow and what is held as coins. Its terms therefore add up
to flow plus holdings whatever happened in between: partial closes, flips, fees in the coin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from msgspec import Struct

from core.types import ZERO, Bill, BillKind, Fill, Leg


@dataclass(frozen=True, slots=True)
class Terms:
    """Where money came from and went, USDT. Fees, slippage and interest are costs, >= 0 as a rule.

    basis  price result of both legs, measured at the mid prices the decisions saw.
    other  what the venue booked beside trades: penalties, clawbacks, adjustments.
    """

    funding: Decimal = ZERO
    basis: Decimal = ZERO
    fees: Decimal = ZERO
    slippage: Decimal = ZERO
    interest: Decimal = ZERO
    other: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.funding + self.basis - self.fees - self.slippage - self.interest + self.other

    def __add__(self, more: Terms) -> Terms:
        return Terms(
            self.funding + more.funding,
            self.basis + more.basis,
            self.fees + more.fees,
            self.slippage + more.slippage,
            self.interest + more.interest,
            self.other + more.other,
        )

    def __sub__(self, less: Terms) -> Terms:
        return Terms(
            self.funding - less.funding,
            self.basis - less.basis,
            self.fees - less.fees,
            self.slippage - less.slippage,
            self.interest - less.interest,
            self.other - less.other,
        )


def total_of(many: Sequence[Terms]) -> Terms:
    """The sum of many, without a sum of every two of them."""
    return Terms(
        sum([one.funding for one in many], ZERO),
        sum([one.basis for one in many], ZERO),
        sum([one.fees for one in many], ZERO),
        sum([one.slippage for one in many], ZERO),
        sum([one.interest for one in many], ZERO),
        sum([one.other for one in many], ZERO),
    )


@dataclass(frozen=True, slots=True)
class Trade:
    """A fill with what the books make of it.

    base       coins traded, >= 0 (contracts x coins per contract for the swap).
    fee_usdt   cost in USDT; negative for a rebate.
    fee_base   change of the pair's own coin by a fee taken in it; 0 when the fee was taken elsewhere.
    slippage   cost in USDT against the mid price the decision saw; 0 when nobody decided.
    """

    fill: Fill
    instrument: str
    hedge_id: str
    leg: Leg
    base: Decimal
    fee_usdt: Decimal
    fee_base: Decimal
    slippage: Decimal

    @property
    def signed_base(self) -> Decimal:
        return self.fill.side.sign * self.base


class Booking(Struct, frozen=True, gc=False):
    """A bill with what it means for profit: `amount` is the signed USDT value, 0 for no profit at all."""

    bill: Bill
    instrument: str
    hedge_id: str
    amount: Decimal


@dataclass(slots=True)
class Tally:
    """Sums over trades and bookings.

    spot_base  coins held, net of fees taken in the coin.   swap_base  coins, negative when short.
    contracts  held short.   flow  USDT paid and received for trades, swap notional included.
    revalued   USDT value at booking of coins that came or went without a trade (fees in the coin).
    """

    spot_base: Decimal = ZERO
    swap_base: Decimal = ZERO
    contracts: Decimal = ZERO
    flow: Decimal = ZERO
    revalued: Decimal = ZERO
    funding: Decimal = ZERO
    fees: Decimal = ZERO
    slippage: Decimal = ZERO
    interest: Decimal = ZERO
    other: Decimal = ZERO
    settlements: int = 0
    trades: int = 0

    def trade(self, trade: Trade) -> None:
        """Count a trade, except for `fee_base`: see `coins_changed`."""
        self.trades += 1
        self.flow -= trade.signed_base * trade.fill.px
        self.fees += trade.fee_usdt
        self.slippage += trade.slippage
        if trade.leg is Leg.SPOT:
            self.spot_base += trade.signed_base
        else:
            self.swap_base += trade.signed_base
            self.contracts -= trade.fill.side.sign * trade.fill.size

    def coins_changed(self, change: Decimal, value_usdt: Decimal) -> None:
        """Coins came or went without a trade; their value is booked as a fee or another term elsewhere."""
        self.spot_base += change
        self.revalued += value_usdt

    def moved_in(self, coins: Decimal, px: Decimal) -> None:
        """Take coins over from elsewhere in our books (give them away when negative) at `px`."""
        self.spot_base += coins
        self.flow -= coins * px

    def book(self, booking: Booking) -> None:
        match booking.bill.kind:
            case BillKind.FUNDING:
                self.funding += booking.amount
                self.settlements += 1
            case BillKind.INTEREST:
                self.interest -= booking.amount
            case _:
                self.other += booking.amount

    def terms(self, spot_px: Decimal, mark_px: Decimal) -> Terms:
        """The terms with what is held valued at these prices, USDT per coin.

        basis = flow + holdings - revalued + slippage: the coin fees and the slippage inside flow and
        holdings are told by their own terms, so basis gives them back.
        """
        holdings = self.spot_base * spot_px + self.swap_base * mark_px
        return Terms(
            funding=self.funding,
            basis=self.flow + holdings - self.revalued + self.slippage,
            fees=self.fees,
            slippage=self.slippage,
            interest=self.interest,
            other=self.other,
        )


NOTHING: Final = Tally()  # what an instrument without a booking has; nobody writes into it
