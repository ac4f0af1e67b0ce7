"""From an indicator's float to a signal's Decimal."""

from __future__ import annotations

from decimal import Decimal


def price_of(value: float) -> Decimal:
    """Return the price a column shows, with the digits the venue gave it."""
    return Decimal(repr(float(value)))


def figure_of(value: float, digits: int = 4) -> Decimal:
    """Return a computed figure rounded to so many digits after the point; 0 is never -0."""
    return Decimal(repr(round(float(value), digits) + 0.0))
