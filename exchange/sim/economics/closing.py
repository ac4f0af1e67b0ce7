"""Resting swap orders that come to close a position, and what they hold back once they open instead.

Of the orders of one side, those that came first close the position that is there; what they are too large
for opens, and holds margin (api-v5.md 4.1, 7.2). The share of each is kept in step with the position: an
order whose position has gone another way needs margin from then on, or it goes too.

`sums.lines` holds these orders by position and side, in order of time; an order with a share to close
stands before every one without, so a look ends at the first without.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics.accounts import held
from exchange.sim.economics.margin import standing
from exchange.sim.economics.open_orders import share_out
from exchange.sim.economics.order_funds import contract_margin
from exchange.sim.economics.world import World
from exchange.sim.model import ZERO, AccountState, Order, PositionKey


def work_out(world: World, account: AccountState, key: PositionKey) -> list[Order]:
    """Share a changed position out anew among the orders that close it, with what they hold back.

    Returns those of them that hold more than before and cannot be paid for, newest first.
    """
    lines, size = account.sums.lines, held(account, key)

    def fresh(order: Order) -> Decimal:
        return contract_margin(account, world.markets[key.inst_id], order)

    grown: list[Order] = []
    for side, closable in (("sell", size), ("buy", -size)):
        line = lines.get((key, side))
        if line is not None and line.orders:
            grown += share_out(account, line, max(ZERO, closable), fresh)
    if not grown:
        return grown
    free, lost = standing(world, account).free, []
    while free < 0 and grown:
        order = grown.pop()
        free += order.frozen
        lost.append(order)
    return lost
