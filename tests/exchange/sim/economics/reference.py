"""A matching engine of plain lists, to compare the venue's with: slow, short, and obviously right."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Plain:
    name: str
    owner: str
    side: str
    kind: str
    price: Decimal
    left: Decimal
    stp: str = "cancel_maker"


@dataclass
class Reference:
    """`fills` are (maker, taker, price, size) in the order in which they happen."""

    resting: list[Plain] = field(default_factory=list)  # in order of arrival
    fills: list[tuple[str, str, Decimal, Decimal]] = field(default_factory=list)

    def queue(self, side: str) -> list[Plain]:
        """Best price first, then first come."""
        mine = [order for order in self.resting if order.side == side]
        return sorted(mine, key=lambda order: order.price, reverse=side == "buy")

    def place(self, order: Plain) -> None:
        counter = "sell" if order.side == "buy" else "buy"
        reached = [other for other in self.queue(counter) if self._reaches(order, other)]
        if order.kind == "post_only" and reached:
            return
        if order.kind == "fok" and self._available(order, reached) < order.left:
            return
        for maker in reached:
            if not order.left:
                break
            if maker.owner == order.owner:
                if order.stp != "cancel_taker":
                    self.resting.remove(maker)
                if order.stp != "cancel_maker":
                    return
                continue
            size = min(maker.left, order.left)
            self.fills.append((maker.name, order.name, maker.price, size))
            maker.left -= size
            order.left -= size
            if not maker.left:
                self.resting.remove(maker)
        if order.left and order.kind in ("limit", "post_only"):
            self.resting.append(order)

    def _reaches(self, order: Plain, other: Plain) -> bool:
        return other.price <= order.price if order.side == "buy" else other.price >= order.price

    def _available(self, order: Plain, reached: list[Plain]) -> Decimal:
        total = Decimal(0)
        for maker in reached:
            if maker.owner != order.owner:
                total += maker.left
            elif order.stp != "cancel_maker":
                break
        return total

    def cancel(self, name: str) -> None:
        self.resting = [order for order in self.resting if order.name != name]

    def amend(self, name: str, price: Decimal, left: Decimal) -> None:
        """Only a smaller size keeps its place; everything else queues, and trades, anew."""
        (order,) = [order for order in self.resting if order.name == name]
        if price == order.price and left <= order.left:
            order.left = left
            return
        self.resting.remove(order)
        order.price, order.left = price, left
        self.place(order)
