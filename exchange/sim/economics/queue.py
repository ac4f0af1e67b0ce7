"""Where in the queue at its price a client's order stands.

An order stands behind the depth the market shows at its price when it comes. Prints at that price trade
with those ahead of it first, and then with the order; what joins later stands behind it. Nobody ahead is
left once the market shows less than that. Switched off, an order fills only when the market trades through
its price, and takers meet all of the market's depth first.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from exchange.sim.economics.world import World
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, Order


def join(world: World, market: Market, order: Order) -> None:
    """Note who stands ahead of an order that comes to rest."""
    if world.profile.queues:
        order.ahead = _shown(market, order)


def leave(market: Market, side: str, price: Decimal, size: Decimal) -> None:
    """`size` of the market's depth at `price` has traded: those behind it move up."""
    for order in market.book.resting[side].at(price):
        order.ahead = max(ZERO, order.ahead - size)


def printed(market: Market) -> Iterator[tuple[Order, Decimal]]:
    """Which resting orders the market's last print reaches, and how much of it is theirs.

    Whoever takes what is theirs has to fill them before asking for the next.
    """
    price, left = market.last, market.last_size
    for side in ("buy", "sell"):
        for order in list(market.book.resting[side].at(price)):
            order.ahead = min(order.ahead, _shown(market, order) or order.ahead)
        orders = list(market.book.resting[side].at(price))
        if not orders:
            continue
        ahead = min(order.ahead for order in orders)
        leave(market, side, price, left)
        left = max(ZERO, left - ahead)
        for order in orders:
            if left <= 0 or order.ahead > 0:
                break
            if not order.is_open:  # cancelled by what the one before it did to a position
                continue
            size = min(left, order.left)
            left -= size
            yield order, size


def _shown(market: Market, order: Order) -> Decimal:
    return market.book.size_at(order.side, order.limit)
