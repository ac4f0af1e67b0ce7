"""Margin that isolated positions have of their own: put in, taken out, following the leverage.

Codes 59300 to 59303 of api-v5.md 6.3.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics.accounts import MARGIN_FOLLOWS, MARGIN_TAKEN, move_margin
from exchange.sim.economics.margin import Exposure, Standing, standing
from exchange.sim.economics.world import QUOTE, World, booked
from exchange.sim.model import AccountState, PositionKey, Reject


def _isolated(now: Standing, key: PositionKey) -> Exposure:
    """The open isolated position `key`. Raises 59300 when there is none."""
    for each in now.isolated:
        if each.row.key == key:
            return each
    raise Reject("59300", "Margin call failed. Position does not exist.")


def add_margin(world: World, account: AccountState, key: PositionKey, change: Decimal, sub_type: str) -> None:
    """Give an isolated position more margin out of the account's cash. Raises 59300, 59303."""
    now = standing(world, account)
    each = _isolated(now, key)
    if change > now.own(account, QUOTE):
        raise Reject("59303", "Insufficient available margin, add margin or reduce the borrowing amount.")
    move_margin(world, account, key, change, sub_type, each.market)


def take_margin(world: World, account: AccountState, key: PositionKey, change: Decimal) -> None:
    """Take margin out of an isolated position. Raises 59300; 59302 while an order would close it; 59301
    for more than its initial margin and its loss leave over."""
    each = _isolated(standing(world, account), key)
    closing = "sell" if each.row.size > 0 else "buy"
    if any(order.side == closing and order.position == key for order in account.open_orders.values()):
        raise Reject("59302", "Margin adjustment failed due to pending close order.")
    if change > each.spare:
        raise Reject("59301", "Margin adjustment failed for exceeding the max limit.")
    move_margin(world, account, key, -change, MARGIN_TAKEN, each.market)


def follow_leverage(world: World, account: AccountState, key: PositionKey, factor: Decimal) -> None:
    """Bring an isolated position's margin to `factor` times what it is, after its leverage changed.

    Raises 59303 when there is not enough cash for more; gives back no more than can be spared.
    """
    each = _isolated(standing(world, account), key)
    change = -booked(-max(each.margin * (factor - 1), -each.spare))
    if change > 0:
        add_margin(world, account, key, change, MARGIN_FOLLOWS)
    elif change:
        move_margin(world, account, key, change, MARGIN_TAKEN, each.market)
