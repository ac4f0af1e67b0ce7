"""Orders of the venue's own that reduce a client's position against his will."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics.accounts import LIQUIDATIONS, Deal, leverage_of
from exchange.sim.economics.matching import fill, follow_position
from exchange.sim.economics.open_orders import open_order
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.model import AccountState, Order, PositionKey


def forced(
    world: World,
    account: AccountState,
    key: PositionKey,
    size: Decimal,
    price: Decimal,
    category: str,
    reason: str,
) -> Order:
    """Reduce a position at `price`, filled by the house; only liquidations cost a fee."""
    row = account.positions[key]
    order = Order(
        ord_id=world.next_id(), cl_id="", tag="", inst_id=key.inst_id,
        side="sell" if row.size > 0 else "buy", pos_side=key.side, td_mode=key.mode, kind="market",
        size=min(size, abs(row.size)), price=None, reduce_only=True, target_ccy="", created_ms=world.now_ms,
        updated_ms=world.now_ms, category=category, leverage=leverage_of(account, key),
    )  # fmt: skip
    open_order(world, account, order)
    free = category not in LIQUIDATIONS
    deal = Deal(price, order.size, world.negative_trade_id(), maker=False, fee_free=free)
    fill(world, account, order, deal)
    world.tell_account(account, reason, (QUOTE,), (key,), ((key.inst_id, str(deal.trade_id)),))
    follow_position(world, account, key)
    return order
