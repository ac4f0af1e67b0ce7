"""An account's open orders and what they add up to, kept in step with every change.

Every check of an order asks for these sums, so nobody adds them up anew: what orders hold back, how many
there are of an instrument, how many contracts may still come in, and which resting orders only reduce.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics.world import World
from exchange.sim.model import ZERO, AccountState, Order

STEP = Decimal("1e-10")  # what orders hold back is kept to this, so that sums come back to zero


def open_order(world: World, account: AccountState, order: Order, hold: Decimal = ZERO) -> None:
    """Enter a new order. `hold` of its currency, or of USDT as margin of a swap, is kept back for it."""
    account.orders[order.ord_id] = account.open_orders[order.ord_id] = order
    if order.cl_id:
        account.by_client[order.cl_id] = order.ord_id
    world.owners[order.ord_id] = account
    counts = account.sums.counts
    counts[order.inst_id] = counts.get(order.inst_id, 0) + 1
    _expect(account, order, order.size)
    set_hold(account, order, hold)


def close_order(world: World, account: AccountState, order: Order) -> None:
    """Drop a finished order: it holds nothing back any more."""
    if account.open_orders.pop(order.ord_id, None) is None:
        return
    del world.owners[order.ord_id]
    world.ended.append((world.now_ms, account, order.ord_id))
    account.sums.counts[order.inst_id] -= 1
    _expect(account, order, order.filled - order.size)
    set_hold(account, order, ZERO)
    if order.reduce_only:
        account.sums.reducing.get(order.position, {}).pop(order.ord_id, None)


def count_fill(account: AccountState, order: Order, size: Decimal) -> None:
    """Note that `size` more of an order has filled: what it holds back shrinks in proportion."""
    before = order.size - order.filled
    order.filled += size
    _expect(account, order, -size)
    if order.frozen:
        left = max(ZERO, order.frozen * (before - size) / before) if before else ZERO
        set_hold(account, order, left)


def resize(account: AccountState, order: Order, size: Decimal, hold: Decimal) -> None:
    """Give an open order another size and another hold."""
    _expect(account, order, size - order.size)
    order.size = size
    set_hold(account, order, hold)


def set_hold(account: AccountState, order: Order, hold: Decimal) -> None:
    hold = hold.quantize(STEP) if hold else ZERO
    change = hold - order.frozen
    if not change:
        return
    order.frozen = hold
    if order.hold_ccy:
        held = account.sums.held
        held[order.hold_ccy] = held.get(order.hold_ccy, ZERO) + change
    else:
        account.sums.margin += change


def note_reducing(account: AccountState, order: Order) -> None:
    """Enter a resting reduce-only order, behind those that rest already."""
    orders = account.sums.reducing.setdefault(order.position, {})
    orders.pop(order.ord_id, None)
    orders[order.ord_id] = order


def _expect(account: AccountState, order: Order, change: Decimal) -> None:
    """Contracts that orders of one side may still add to a position."""
    if not order.hold_ccy and not order.reduce_only:
        pending = account.sums.pending
        key = (order.position, order.side)
        pending[key] = pending.get(key, ZERO) + change
