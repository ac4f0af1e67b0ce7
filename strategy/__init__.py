"""Should we: which hedge is worth opening, and which is no longer worth holding."""

from __future__ import annotations

from config.schema import Settings
from core.ports import Guard, Planner
from strategy.cash_and_carry import CarryGuard, CashAndCarry
from strategy.universe import Listing, rank

__all__ = ["Listing", "build_guards", "build_planner", "rank"]


def build_planner(settings: Settings, may_we: tuple[Guard, ...] = ()) -> Planner:
    """Return the main strategy.

    may_we  the guards an opening has to pass; they are asked before a hedge gives up its place.
    """
    return CashAndCarry(settings, may_we)


def build_guards(settings: Settings) -> tuple[Guard, ...]:
    """Return the guards core/table.py names for the strategy's part of an opening."""
    return (CarryGuard(),)
