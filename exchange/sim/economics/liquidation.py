"""Forced exits: order cancellation, partial and full liquidation, ADL. api-v5.md 7.3, 7.4.

A liquidated position passes to the house at its bankruptcy price, where nothing of what backed it is
left. When the price has jumped past it, the house bears the rest: that is the insurance fund.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics.accounts import Deal, leverage_of
from exchange.sim.economics.margin import Exposure, Standing, standing
from exchange.sim.economics.matching import BY_ADL, BY_RISK, cancel, drop_reduce_only, fill
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.instruments import position_tiers
from exchange.sim.model import AccountState, Order

LIQUIDATION_RATIO = Decimal(1)
TIERS_PER_CUT = 2


def watch(world: World, account: AccountState) -> None:
    """Liquidate as far as the account's ratio calls for at this instant: orders first, then positions."""
    now = standing(world, account)
    if now.ratio is None or now.ratio > LIQUIDATION_RATIO:
        return
    for order in list(account.open_orders.values()):
        if order.frozen:
            cancel(world, account, order, BY_RISK)
    now = standing(world, account)
    while now.ratio is not None and now.ratio <= LIQUIDATION_RATIO:
        _cut(world, account, now)
        now = standing(world, account)


def _cut(world: World, account: AccountState, now: Standing) -> None:
    """Take over the position with the largest requirement: two tiers of a big one, else all of it."""
    each = max(now.exposures, key=lambda one: one.mmr)
    size, category = abs(each.row.size), "full_liquidation"
    tiers = position_tiers(each.market.coin)
    tier = next((n for n, one in enumerate(tiers) if size <= one[1]), len(tiers) - 1)
    if tier >= TIERS_PER_CUT and now.backing > 0:
        size, category = size - tiers[tier - TIERS_PER_CUT][1], "partial_liquidation"
    price = _bankruptcy_price(now, each)
    forced(world, account, each.row.inst_id, size, price, category, "liquidation")


def _bankruptcy_price(now: Standing, each: Exposure) -> Decimal:
    """Where the position's share of what backs the account is used up, in whole ticks."""
    share = now.backing * each.mmr / now.mmr
    coins = each.row.size * each.market.instrument.ct_val
    tick = each.market.instrument.tick
    return max(tick, (each.market.mark_px - share / coins) // tick * tick)


def force_adl(world: World, account: AccountState, inst_id: str, fraction: Decimal) -> None:
    """Close a share of a position at mark, off book and without fee, as ADL does."""
    market = world.market(inst_id)
    row = account.positions.get(inst_id)
    if row is None or not row.size or not 0 < fraction <= 1:
        raise ValueError(f"ADL needs a position in {inst_id} and a fraction in (0, 1], not {fraction}")
    for order in list(account.open_orders.values()):
        if order.inst_id == inst_id:
            cancel(world, account, order, BY_ADL)
    lot = market.instrument.lot
    size = max(lot, abs(row.size) * fraction // lot * lot)
    forced(world, account, inst_id, size, market.mark_px, "adl", "adl")


def forced(
    world: World,
    account: AccountState,
    inst_id: str,
    size: Decimal,
    price: Decimal,
    category: str,
    reason: str,
) -> Order:
    """Reduce a position against the owner's will: an order of the venue's own, filled by the house."""
    market = world.markets[inst_id]
    row = account.positions[inst_id]
    order = Order(
        ord_id=world.next_id(), cl_id="", tag="", inst_id=inst_id,
        side="sell" if row.size > 0 else "buy", pos_side="net", td_mode="cross", kind="market",
        size=min(size, abs(row.size)), price=None, reduce_only=True, target_ccy="", created_ms=world.now_ms,
        updated_ms=world.now_ms, category=category, leverage=leverage_of(account, market),
    )  # fmt: skip
    account.orders[order.ord_id] = order
    account.open_orders[order.ord_id] = order
    world.owners[order.ord_id] = account
    deal = Deal(price, order.size, world.negative_trade_id(), maker=False, fee_free=True)
    fill(world, account, order, deal)
    world.tell_account(account, reason, (QUOTE,), (inst_id,), ((inst_id, str(deal.trade_id)),))
    drop_reduce_only(world, account, inst_id)
    return order
