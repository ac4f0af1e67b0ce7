"""Hedges whose market the venue does not know any more: shown and supervised, never traded."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from core.projections import Books
from core.types import GONE, Pair, SpotSpec, SwapSpec

LEAST = Decimal("0.00000001")
NO_BOUND = Decimal(10) ** 12


def pairs_held(books: Books) -> Mapping[str, Pair]:
    """Every held pair with the rules our own fills imply; used where the venue has none to tell."""
    held = {}
    for name, hedge in books.hedge_views({}).items():
        position = books.ledger.positions.get(name)
        if position is not None and position.ct_val:
            held[name] = _orphan(name, position.ct_val, hedge.contracts)
    return held


def _orphan(name: str, ct_val: Decimal, contracts: Decimal) -> Pair:
    """The lot is the last digit of what is held: both legs were made equal to one lot of it."""
    coin, _, quote = name.partition("-")
    exponent = contracts.as_tuple().exponent
    lot = Decimal(1).scaleb(min(0, exponent)) if isinstance(exponent, int) else LEAST
    spot = SpotSpec(name, coin, quote, LEAST, LEAST, LEAST, NO_BOUND, GONE)
    return Pair(name, spot, SwapSpec(f"{name}-SWAP", ct_val, LEAST, lot, lot, NO_BOUND, Decimal(1), GONE))
