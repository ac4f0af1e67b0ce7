"""A book as a backtest on closing prices imagines it: takers get the middle price, whatever their size.

The public sees one bottomless level a tick on either side of the middle, so that the middle of what is seen
is the price itself and no book is crossed. Whoever crosses it is filled at the middle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from exchange.sim.markets.book import Behind, Book
from exchange.sim.markets.day import round_to
from exchange.sim.model import ZERO, BookLevel

BOTTOMLESS: Final = Decimal(10) ** 12  # coins or contracts: more than any order


class FlatBook(Book):
    """Nothing is eaten of it, nothing grows back, and no trades are invented in it."""

    _middle = ZERO

    def covers(self, at_ms: int) -> bool:
        """No share of a bar's volume limits what can be had of it."""
        return True

    def refresh(self, mid: float, spread: float, depth: float, at_ms: int) -> None:
        self._middle = round_to(mid, self.instrument.tick)

    def altered_until(self, at_ms: int) -> int | None:
        return None if self.resting["buy"] or self.resting["sell"] else at_ms - 1

    def best(self, side: str) -> Decimal | None:
        return self._middle

    def levels(self, side: str) -> list[list[Decimal]]:
        """What a taker meets."""
        return [[self._middle, BOTTOMLESS]]

    def walk(self, side: str) -> Iterator[Sequence[Decimal]]:
        return iter(self.levels(side))

    def size_at(self, side: str, price: Decimal) -> Decimal:
        return BOTTOMLESS if price == self._seen(side) else ZERO

    def eat(self, side: str, size: Decimal) -> None:
        """As much as before is left."""

    def parts(self, side: str, depth: int) -> tuple[list[BookLevel], Behind | None]:
        levels = [BookLevel(self._seen(side), BOTTOMLESS, 1)]
        if self.resting[side]:
            levels += [BookLevel(order.limit, order.left, 1) for order in self.resting[side]]
            levels.sort(key=lambda level: level.price, reverse=side == "buy")
        return levels[:depth], None

    def _seen(self, side: str) -> Decimal:
        """The best price the public is shown."""
        tick = self.instrument.tick
        return self._middle - tick if side == "buy" else self._middle + tick
