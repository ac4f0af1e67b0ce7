"""An account's open orders and what they add up to, kept in step with every change.

Every check of an order asks for these sums, so nobody adds them up anew: what orders hold back, how many
there are of an instrument, how many contracts may still come in, and which resting orders only reduce.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from exchange.sim.economics.world import World
from exchange.sim.model import ZERO, AccountState, Line, Order

STEP = Decimal("1e-10")  # what orders hold back is kept to this, so that sums come back to zero


def open_order(world: World, account: AccountState, order: Order, hold: Decimal = ZERO) -> None:
    """Enter a new order. `hold` of its currency, or of USDT as margin of a swap, is kept back for it."""
    account.orders[order.ord_id] = account.open_orders[order.ord_id] = order
    if order.cl_id:
        account.by_client[order.cl_id] = order.ord_id
    world.owners[order.ord_id] = account
    counts = account.sums.counts
    counts[order.inst_id] = counts.get(order.inst_id, 0) + 1
    set_hold(account, order, hold)
    if not order.hold_ccy and not order.reduce_only:
        _line_up(account, order)


def close_order(world: World, account: AccountState, order: Order) -> None:
    """Drop a finished order: it holds nothing back any more."""
    if account.open_orders.pop(order.ord_id, None) is None:
        return
    del world.owners[order.ord_id]
    world.ended.append((world.now_ms, account, order.ord_id))
    account.sums.counts[order.inst_id] -= 1
    set_hold(account, order, ZERO)
    if order.reduce_only:
        account.sums.reducing.get(order.position, {}).pop(order.ord_id, None)
    elif not order.hold_ccy:
        _step_out(account, order)


def count_fill(account: AccountState, order: Order, size: Decimal) -> None:
    """Note that `size` more of an order has filled: what it holds back shrinks in proportion."""
    before = order.size - order.filled
    order.filled += size
    if not order.hold_ccy and not order.reduce_only:
        line = account.sums.lines[order.position, order.side]
        line.pending -= size
        if order.closes:  # it closes first
            before -= order.closes
            closed = min(size, order.closes)
            order.closes -= closed
            line.closing -= closed
            size -= closed
    if order.frozen:
        left = max(ZERO, order.frozen * (before - size) / before) if before else ZERO
        set_hold(account, order, left)


def resize(account: AccountState, order: Order, size: Decimal, hold: Decimal) -> None:
    """Give an open order another size and another hold."""
    may_open = not order.hold_ccy and not order.reduce_only
    if may_open:
        _step_out(account, order)
    order.size = size
    set_hold(account, order, hold)
    if may_open:
        _line_up(account, order)


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


def share_out(
    account: AccountState, line: Line, closable: Decimal, fresh: Callable[[Order], Decimal] | None = None
) -> list[Order]:
    """Let the orders of a line close `closable` contracts, oldest first; the rest of them opens.

    What an order holds back follows: at the rate it holds already, or at `fresh` margin per contract where
    it holds nothing yet. Returns those that hold more than before.
    """
    shared = min(closable, line.pending)
    if shared == line.closing:
        return []  # oldest first, there is one way to share as much
    line.closing = shared
    grown = []
    for order in line.orders.values():
        if not closable and not order.closes:
            break  # nor do those behind it
        left = order.size - order.filled
        closes = left if left <= closable else closable
        closable -= closes
        if closes == order.closes:
            continue
        before, opens = left - order.closes, left - closes
        if opens > before:
            grown.append(order)
        if before:
            rate = order.frozen / before
        else:
            assert fresh is not None  # where a position is left, orders only come to close more
            rate = fresh(order)
        order.closes = closes
        set_hold(account, order, rate * opens)
    return grown


def _line_up(account: AccountState, order: Order) -> None:
    """Put a swap order behind those of its side; it closes what they leave of the position."""
    key, side, left = order.position, order.side, order.size - order.filled
    line = account.sums.lines.get((key, side))
    if line is None:
        line = account.sums.lines[key, side] = Line()
    row = account.positions.get(key)
    if row is not None and row.size and (row.size < 0) == (side == "buy"):
        order.closes = min(left, max(ZERO, abs(row.size) - line.pending))
        line.closing += order.closes
    line.orders[order.ord_id] = order
    line.pending += left


def _step_out(account: AccountState, order: Order) -> None:
    """Take a swap order out of its line; those behind it close what it would have."""
    key = order.position
    line = account.sums.lines[key, order.side]
    line.pending -= order.size - order.filled
    del line.orders[order.ord_id]
    if order.closes:  # of a position that is still there
        line.closing -= order.closes
        order.closes = ZERO
        share_out(account, line, abs(account.positions[key].size))


def note_reducing(account: AccountState, order: Order) -> None:
    """Enter a resting reduce-only order, behind those that rest already."""
    orders = account.sums.reducing.setdefault(order.position, {})
    orders.pop(order.ord_id, None)
    orders[order.ord_id] = order
