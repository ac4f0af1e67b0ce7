"""Clients' resting orders of one side of a book: best price first, then first come, first served."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from exchange.sim.model import Order


class Ladder:
    """One queue per price; adding, removing and looking at the best do not walk other orders."""

    def __init__(self, side: str) -> None:
        self._prices: list[Decimal] = []  # ascending
        self._best = -1 if side == "buy" else 0  # where among them the best one is
        self._queues: dict[Decimal, OrderedDict[str, Order]] = {}

    def add(self, order: Order) -> None:
        """Queue an order behind its equals."""
        queue = self._queues.get(order.limit)
        if queue is None:
            queue = self._queues[order.limit] = OrderedDict()
            insort(self._prices, order.limit)
        queue[order.ord_id] = order

    def remove(self, order: Order) -> bool:
        """Take an order out; False when it does not rest here."""
        queue = self._queues.get(order.limit)
        if queue is None or queue.pop(order.ord_id, None) is None:
            return False
        if not queue:
            del self._queues[order.limit]
            del self._prices[bisect_left(self._prices, order.limit)]
        return True

    @property
    def first(self) -> Order | None:
        if not self._prices:
            return None
        return next(iter(self._queues[self._prices[self._best]].values()))

    def at(self, price: Decimal) -> Iterable[Order]:
        """Who rests at one price, in order of arrival."""
        queue = self._queues.get(price)
        return queue.values() if queue else ()

    def __bool__(self) -> bool:
        return bool(self._prices)

    def __contains__(self, order: Order) -> bool:
        return order.ord_id in self._queues.get(order.limit, ())

    def __iter__(self) -> Iterator[Order]:
        for price in self._prices if self._best == 0 else reversed(self._prices):
            yield from self._queues[price].values()
