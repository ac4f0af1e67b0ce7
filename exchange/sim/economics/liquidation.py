"""Forced exits: order cancellation, partial and full liquidation, ADL. api-v5.md 7.3, 7.4.

A liquidated position passes to the house at its bankruptcy price, where nothing of what backed it is
left. When the price has jumped past it, the house bears the rest: that is the insurance fund.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics import loans
from exchange.sim.economics.accounts import Deal, leverage_of
from exchange.sim.economics.margin import Exposure, Standing, standing
from exchange.sim.economics.matching import BY_ADL, BY_RISK, REDUCE_ONLY, cancel, fill, hold_to_position
from exchange.sim.economics.open_orders import open_order
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.instruments import position_tiers
from exchange.sim.model import AccountState, Order, PositionKey

LIQUIDATION_RATIO = Decimal(1)
TIERS_PER_CUT = 2


def watch(world: World, account: AccountState) -> None:
    """Liquidate as far as the ratios call for at this instant: orders first, then positions."""
    now = standing(world, account)
    for each in now.isolated:
        if each.own_ratio <= LIQUIDATION_RATIO:
            _cut_isolated(world, account, each)
    if now.loans and loans.repay_excess(world, account, now):
        now = standing(world, account)
    if now.ratio is None or now.ratio > LIQUIDATION_RATIO:
        return
    for order in list(account.open_orders.values()):
        if order.frozen:
            cancel(world, account, order, BY_RISK)
    now = standing(world, account)
    if now.ratio is not None and now.ratio <= LIQUIDATION_RATIO and loans.repay_all(world, account, now):
        now = standing(world, account)
    while now.exposures and now.ratio is not None and now.ratio <= LIQUIDATION_RATIO:
        _cut(world, account, now)
        now = standing(world, account)


def _cut(world: World, account: AccountState, now: Standing) -> None:
    """Take over the cross position with the largest requirement: two tiers of a big one, else all of it."""
    each = max(now.exposures, key=lambda one: one.mmr)
    _take_over(world, account, each, now.backing * each.mmr / now.mmr)


def _cut_isolated(world: World, account: AccountState, each: Exposure) -> None:
    """Liquidate a position that stands alone: its own orders first, then itself until it is sound."""
    key = each.row.key
    for order in list(account.open_orders.values()):
        if order.position == key and order.frozen:
            cancel(world, account, order, BY_RISK)
    left: Exposure | None = each
    while left is not None and left.own_ratio <= LIQUIDATION_RATIO:
        _take_over(world, account, left, left.margin + left.upl)
        left = next((one for one in standing(world, account).isolated if one.row.key == key), None)


def _take_over(world: World, account: AccountState, each: Exposure, backing: Decimal) -> None:
    """Pass a position, or the upper two tiers of a big one, to the house at its bankruptcy price."""
    size, category = abs(each.row.size), "full_liquidation"
    tiers = position_tiers(each.market.coin)
    tier = next((n for n, one in enumerate(tiers) if size <= one[1]), len(tiers) - 1)
    if tier >= TIERS_PER_CUT and backing > 0:
        size, category = size - tiers[tier - TIERS_PER_CUT][1], "partial_liquidation"
    price = _bankruptcy_price(each, backing)
    forced(world, account, each.row.key, size, price, category, "liquidation")


def _bankruptcy_price(each: Exposure, backing: Decimal) -> Decimal:
    """Where what backs the position is used up, in whole ticks."""
    coins = each.row.size * each.market.instrument.ct_val
    tick = each.market.instrument.tick
    return max(tick, (each.market.mark_px - backing / coins) // tick * tick)


def force_adl(world: World, account: AccountState, inst_id: str, fraction: Decimal) -> None:
    """Close a share of every position in a swap at mark, off book and without fee, as ADL does."""
    market = world.market(inst_id)
    rows = [row for row in account.positions.values() if row.inst_id == inst_id and row.size]
    if not rows or not 0 < fraction <= 1:
        raise ValueError(f"ADL needs a position in {inst_id} and a fraction in (0, 1], not {fraction}")
    for order in list(account.open_orders.values()):
        if order.inst_id == inst_id:
            cancel(world, account, order, BY_ADL)
    lot = market.instrument.lot
    for row in rows:
        size = max(lot, abs(row.size) * fraction // lot * lot)
        forced(world, account, row.key, size, market.mark_px, "adl", "adl")


def forced(
    world: World,
    account: AccountState,
    key: PositionKey,
    size: Decimal,
    price: Decimal,
    category: str,
    reason: str,
) -> Order:
    """Reduce a position against the owner's will: an order of the venue's own, filled by the house."""
    row = account.positions[key]
    order = Order(
        ord_id=world.next_id(), cl_id="", tag="", inst_id=key.inst_id,
        side="sell" if row.size > 0 else "buy", pos_side=key.side, td_mode=key.mode, kind="market",
        size=min(size, abs(row.size)), price=None, reduce_only=True, target_ccy="", created_ms=world.now_ms,
        updated_ms=world.now_ms, category=category, leverage=leverage_of(account, key),
    )  # fmt: skip
    open_order(world, account, order)
    deal = Deal(price, order.size, world.negative_trade_id(), maker=False, fee_free=True)
    fill(world, account, order, deal)
    world.tell_account(account, reason, (QUOTE,), (key,), ((key.inst_id, str(deal.trade_id)),))
    hold_to_position(world, account, key, REDUCE_ONLY)
    return order
