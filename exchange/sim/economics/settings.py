"""What a client may choose about its account: leverage, isolated margin, modes, fees, loans.

Each raises Reject with the venue's code and changes nothing when it does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from exchange.sim.economics import freeze, isolated, margin, order_funds
from exchange.sim.economics.accounts import ISOLATED, MARGIN_ADDED, NET, held, leverage_key, leverage_of
from exchange.sim.economics.open_orders import set_hold
from exchange.sim.economics.orders import LONG_SHORT
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.market import Market
from exchange.sim.model import AccountState, PositionKey, Reject

LEVELS: Final = ("1", "2", "3")
POSITION_MODES: Final = ("net_mode", LONG_SHORT)


def swap_of(world: World, inst_id: str) -> Market:
    """The market of a swap. Raises 51000 for anything else."""
    market = world.market(inst_id)
    if not market.instrument.is_swap:
        raise Reject("51000", "Parameter instId error")
    return market


def set_leverage(world: World, account: AccountState, key: PositionKey, leverage: Decimal) -> None:
    """A cross leverage holds for every position of the swap; an isolated one moves margin along."""
    market = swap_of(world, key.inst_id)
    _require_changeable(world, account, key)
    if not 1 <= leverage <= market.instrument.max_leverage:
        raise Reject("59102", f"Leverage exceeds the maximum of {market.instrument.max_leverage}.")
    setting = leverage_key(key)
    rows = [row for row in account.positions.values() if leverage_key(row.key) == setting]
    waiting = [o for o in account.open_orders.values() if leverage_key(o.position) == setting]
    for bound in dict.fromkeys((*(row.key for row in rows), *(order.position for order in waiting))):
        for side in ("buy", "sell"):
            order_funds.check_tier(market, order_funds.committed(account, bound, side), leverage)
    before = leverage_of(account, key)
    holds = [order.frozen for order in waiting]
    account.leverage[setting] = leverage
    order_funds.hold_anew(account, waiting, before, leverage)
    try:
        if leverage < before and margin.standing(world, account).free < 0:
            raise Reject("59108", "Low leverage and insufficient margin, please adjust the leverage.")
        if account.margins.get(key):
            isolated.follow_leverage(world, account, key, before / leverage)
    except Reject:
        account.leverage[setting] = before
        for order, hold in zip(waiting, holds, strict=True):
            set_hold(account, order, hold)
            order.leverage = before
        raise
    for row in rows:
        row.leverage = leverage
    world.tell_account(account, "set_leverage", (), [row.key for row in rows])


def adjust_margin(world: World, account: AccountState, key: PositionKey, change: Decimal) -> None:
    """Put USDT into an isolated position's margin, or take them out when `change` is negative."""
    _require_changeable(world, account, key)
    if change > 0:
        isolated.add_margin(world, account, key, change, MARGIN_ADDED)
    else:
        isolated.take_margin(world, account, key, -change)
    world.tell_account(account, "adjust_margin", (QUOTE,), (key,))


def set_position_mode(world: World, account: AccountState, mode: str) -> None:
    if mode not in POSITION_MODES:
        raise Reject("51000", "Parameter posMode error")
    _require_idle(world, account)
    account.pos_mode = mode


def set_auto_loan(account: AccountState, lends: bool) -> None:
    if account.level != margin.MULTI:
        raise Reject("51010", "You can't complete this request under your current account mode.")
    account.auto_loan = lends


def set_fee_type(account: AccountState, fee_type: str) -> None:
    """In which currency the fee of a spot trade is taken."""
    if any(order.hold_ccy == QUOTE for order in account.open_orders.values()):
        raise Reject("59000", "Setting failed. Cancel any open orders or close your positions first.")
    account.fee_type = fee_type


def set_level(world: World, account: AccountState, level: str) -> None:
    """The account mode, acctLv."""
    if level not in LEVELS:
        raise Reject("51000", "Parameter acctLv error")
    _require_idle(world, account)
    account.level = level


def _require_changeable(world: World, account: AccountState, key: PositionKey) -> None:
    freeze.check_position(world, account, key.inst_id)
    if world.blocked(key.inst_id) and held(account, key):
        raise Reject("50023", "Your account is frozen while funding fees are being charged.")
    if key.mode == ISOLATED and account.level == margin.MULTI:
        raise Reject("50072", "Isolated margin is not available in multi-currency margin mode.")
    hedged = account.pos_mode == LONG_SHORT and key.mode == ISOLATED
    if key.side not in (("long", "short") if hedged else (NET,)):
        raise Reject("51000", "Parameter posSide error")


def _require_idle(world: World, account: AccountState) -> None:
    freeze.check_account(world, account)
    if account.open_orders or any(row.size for row in account.positions.values()):
        raise Reject("59000", "Setting failed. Cancel any open orders or close your positions first.")
