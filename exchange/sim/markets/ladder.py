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
        self._sign = 1 if side == "buy" else -1
        self._ranks: list[Decimal] = []  # price times sign, the best one last
        self._queues: dict[Decimal, OrderedDict[str, Order]] = {}

    def add(self, order: Order) -> None:
        """Queue an order behind its equals."""
        rank = order.limit * self._sign
        queue = self._queues.get(rank)
        if queue is None:
            queue = self._queues[rank] = OrderedDict()
            insort(self._ranks, rank)
        queue[order.ord_id] = order

    def remove(self, order: Order) -> bool:
        """Take an order out; False when it does not rest here."""
        rank = order.limit * self._sign
        queue = self._queues.get(rank)
        if queue is None or queue.pop(order.ord_id, None) is None:
            return False
        if not queue:
            del self._queues[rank]
            del self._ranks[bisect_left(self._ranks, rank)]
        return True

    @property
    def first(self) -> Order | None:
        if not self._ranks:
            return None
        return next(iter(self._queues[self._ranks[-1]].values()))

    def at(self, price: Decimal) -> Iterable[Order]:
        """Who rests at one price, in order of arrival."""
        queue = self._queues.get(price * self._sign)
        return queue.values() if queue else ()

    def __bool__(self) -> bool:
        return bool(self._ranks)

    def __contains__(self, order: Order) -> bool:
        return order.ord_id in self._queues.get(order.limit * self._sign, ())

    def __iter__(self) -> Iterator[Order]:
        for rank in reversed(self._ranks):
            yield from self._queues[rank].values()
