"""What execution reads of the books, and the arithmetic of two legs."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from core.types import ZERO, AccountSnapshot, Base, Contracts, Pair


class Holding(Protocol):
    """One hedge as the books have it (core.context.HedgeView fits)."""

    @property
    def hedge_id(self) -> str: ...

    @property
    def spot_base(self) -> Base: ...

    @property
    def contracts(self) -> Contracts: ...

    @property
    def target_base(self) -> Base: ...


class Known(Protocol):
    """Books, kept current by their journal: a fill that was appended is already counted here."""

    def has_fill(self, key: tuple[str, str]) -> bool: ...


class Holdings(Known, Protocol):
    """The books of the hedges."""

    def hedge(self, instrument: str) -> Holding | None: ...

    def unresolved_orders(self) -> Collection[str]:
        """Client ids of orders whose outcome is not known yet."""
        ...


class Legs(Struct, frozen=True, gc=False):
    """Long spot against short swap: `spot` in coins, `contracts` held short, >= 0."""

    pair: Pair
    spot: Decimal = ZERO
    contracts: Decimal = ZERO

    @property
    def gap(self) -> Base:
        """Coins not hedged: positive is too much spot, negative is too much short."""
        return Base(self.spot - self.pair.swap.to_base(self.contracts))

    @property
    def tolerance(self) -> Base:
        """The gap below which no order can help: the smallest order of the swap, in coins."""
        swap = self.pair.swap
        return Base(max(swap.step, swap.to_base(swap.min_size)))

    @property
    def balanced(self) -> bool:
        return abs(self.gap) < self.tolerance

    @property
    def flat(self) -> bool:
        """No contract is held, and what spot remains is below what can be hedged or sold."""
        return self.contracts == 0 and self.spot < max(self.tolerance, self.pair.spot.min_size)


def held_of(booked: Legs, account: AccountSnapshot) -> Legs:
    """Return the part of the booked legs that the account really has.

    More than booked is not ours. A difference below one spot lot is none: balances may carry rests.
    """
    pair = booked.pair
    spot = min(booked.spot, max(ZERO, account.cash(pair.spot.base_ccy)))
    if booked.spot - spot < pair.spot.lot:
        spot = booked.spot
    short = max(ZERO, -account.contracts(pair.swap.inst_id))
    return Legs(pair, spot, min(booked.contracts, short))
