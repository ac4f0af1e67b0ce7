"""How much capital a unit of swap notional takes, and what is left of it when every price rises at once.

Per unit of notional at the opening: one unit of spot, and u USDT beside it that backs the short. All coins
are taken to move together (a correlation of one), by a factor 1 + s, before anybody can act. Then the short
has lost s, paid in USDT; the spot has gained s, which backs the swaps in multi-currency mode only, at its
discount d. Fees, funding and basis are left out: they are small beside s.

    futures mode          ratio = (u - s) / (1 + s)
    multi-currency mode   ratio = (u - s + d (1 + s)) / (1 + s)        USDT equity = u - s

Capital is 1 + u. In futures mode the venue liquidates at a ratio of the maintenance rate m (0.004 for a small
position in a large coin), at s = (u - m) / (1 + m). In multi-currency mode the ratio stays far above the
red line; but the engine does not borrow, so USDT equity may not fall below zero: u = s is needed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

STRESS_RISE: Final = Decimal("0.5")  # of every price at once, between two looks
DISCOUNT: Final = Decimal("0.98")  # the venue's on a small holding of a large coin; smaller coins get less


def futures_need(margin: Decimal) -> Decimal:
    """Capital per unit of notional with so much USDT beside each unit of spot; 1 of it, 50/50, makes 2."""
    return 1 + margin


def futures_ratio(margin: Decimal, rise: Decimal) -> Decimal:
    """Margin ratio after the rise in futures mode; 1 of USDT and +50 % give 0.333, which is 3x."""
    return (margin - rise) / (1 + rise)


def multi_need(rise: Decimal) -> Decimal:
    """Capital per unit of notional in multi-currency mode so that the rise leaves no debt; +50 %: 1.5."""
    return 1 + rise


def multi_ratio(margin: Decimal, rise: Decimal, discount: Decimal) -> Decimal:
    """Margin ratio after the rise in multi-currency mode; 0.5 of USDT, +50 % and 0.98 give 0.98."""
    return (margin - rise + discount * (1 + rise)) / (1 + rise)
