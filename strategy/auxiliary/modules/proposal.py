"""What every module does: declare its numbers, make Decimal of figures, ask its plan whether it protects."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from core.types import Side
from strategy.auxiliary.exit_plan import ExitPlan, Measures
from strategy.auxiliary.language import Look, Parameter

DIGITS = 10  # of a computed figure: what is beyond them is the rounding of floats, not the market


def number(name: str, meaning: str, unit: str, default: str, least: str, most: str) -> Parameter:
    return Parameter(name, meaning, unit, Decimal(default), Decimal(least), Decimal(most))


def count(name: str, meaning: str, default: int, least: int, most: int, unit: str = "bars") -> Parameter:
    return Parameter(name, meaning, unit, Decimal(default), Decimal(least), Decimal(most), whole=True)


def exact(value: float) -> Decimal:
    """Return a figure that was taken in, digit by digit: a price of a candle comes out as it went in."""
    return Decimal(repr(float(value)))


def rounded(value: float, digits: int = DIGITS) -> Decimal:
    """Return a computed figure to so many significant digits; 0 is never -0.

    Raises ValueError for NaN and infinity.
    """
    figure = Decimal(f"{value + 0.0:.{digits}g}")
    if not figure.is_finite():
        raise ValueError(f"a figure is {value}, allowed: finite numbers")
    return figure


def points(share: float, most: float) -> Decimal:
    """Return what a term adds to a strength: `share`, cut to 0-1, of `most`.

    In hundredths of a point, rounded down: terms that may add up to a hundred never add up to more.
    """
    return Decimal(most * min(max(share, 0.0), 1.0)).quantize(Decimal("0.01"), ROUND_DOWN)


def protects(plan: ExitPlan, side: Side, px: Decimal, measures: Measures, leverage: Decimal) -> bool:
    """Return whether the plan has a stop on the losing side of this price, and targets a price can reach.

    Two average ranges below a price may lie below zero, where no stop can be: then there is no proposal.
    """
    try:
        plan.levels(side, px, measures, leverage)
    except ValueError:
        return False
    return True


def holds(look: Look, side: Side) -> bool:
    """Return whether the module already stands on this side: an idea that is held is not bought again.

    What others hold, and what is held on the other side, is a conflict, and for the gate to write down.
    """
    return look.holding is not None and look.holding.side is side
