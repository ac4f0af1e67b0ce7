"""Forced exits: orders first, then positions, by partial or full takeover. Source: api-v5.md 7.3.

A liquidated position passes to the venue at its bankruptcy price, where what backed it is used up, the
liquidation fee included. What the venue gains or loses by it against the mark price goes through the
insurance fund. While the fund calls for it, the contracts taken over are closed against other clients.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from exchange.sim.economics import deleveraging, fees, freeze, insurance, loans
from exchange.sim.economics.accounts import CLAWBACK, credit, family_of, new_bill
from exchange.sim.economics.forced import forced
from exchange.sim.economics.margin import Exposure, Standing, standing
from exchange.sim.economics.matching import BY_RISK, cancel
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.events import Liquidated
from exchange.sim.markets.instruments import position_tiers
from exchange.sim.model import ZERO, AccountState, PositionKey

LIQUIDATION_RATIO = Decimal(1)
TIERS_PER_CUT = 2
PARTIAL, FULL = "partial_liquidation", "full_liquidation"


def watch(world: World, account: AccountState) -> Standing:
    """Liquidate as far as the ratios call for at this instant; return how the account stands then."""
    now = standing(world, account)
    acted = bool(now.loans)  # orders may be cancelled for them
    for each in now.isolated:
        if each.own_ratio <= LIQUIDATION_RATIO:
            _liquidate_isolated(world, account, each)
            acted = True
    if now.loans and loans.repay_excess(world, account, now):
        now = standing(world, account)
    if _is_due(now):
        _liquidate_cross(world, account)
        acted = True
    if any(cash < 0 for cash in account.trading.values()):
        _absorb(world, account)
        acted = True
    return standing(world, account) if acted else now


def _is_due(now: Standing) -> bool:
    return now.ratio is not None and now.ratio <= LIQUIDATION_RATIO


def _liquidate_cross(world: World, account: AccountState) -> None:
    """Orders, loans, contracts that offset each other, then the riskiest position: re-checked each time."""
    now = standing(world, account)
    for order in list(account.open_orders.values()):
        uses_margin = now.multi or order.hold_ccy in (
            "",
            QUOTE,
        )  # coins for sale back nothing in Futures mode
        if order.frozen and order.td_mode != "isolated" and uses_margin:
            cancel(world, account, order, BY_RISK)
    now = standing(world, account)
    if _is_due(now) and loans.repay_all(world, account, now):
        now = standing(world, account)
    while now.exposures and _is_due(now):
        if not _offset(world, account, now):
            each = max(now.exposures, key=lambda one: one.mmr)
            _take_over(world, account, each, now.backing * each.mmr / (now.mmr + now.loan_mmr))
        now = standing(world, account)


def _offset(world: World, account: AccountState, now: Standing) -> bool:
    """Close a long and a short of one underlying against each other at mark, as far as they match."""
    for long in now.exposures:
        for short in now.exposures:
            if long.market is short.market and long.row.size > 0 > short.row.size:
                size = min(long.row.size, -short.row.size)
                for each in (long, short):
                    category = FULL if size == abs(each.row.size) else PARTIAL
                    _close(world, account, each, size, each.market.mark_px, category)
                return True
    return False


def _liquidate_isolated(world: World, account: AccountState, each: Exposure) -> None:
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
    """Pass a position, or the upper two tiers of a big one, to the venue at its bankruptcy price.

    A big one goes whole as well when `backing` is less than it would need in the first tier.
    """
    size, category = abs(each.row.size), FULL
    tiers = position_tiers(each.market.coin)
    tier = next((n for n, one in enumerate(tiers) if size <= one[1]), len(tiers) - 1)
    least = each.notional * tiers[0][2] + each.close_fee
    if tier >= TIERS_PER_CUT and backing > least:
        size, category = size - tiers[tier - TIERS_PER_CUT][1], PARTIAL
    _close(world, account, each, size, bankruptcy_price(each, backing, account), category)


def bankruptcy_price(each: Exposure, backing: Decimal, account: AccountState) -> Decimal:
    """Where `backing` is used up by the loss to there and the fee of closing there, in whole ticks.

    coins x (p - mark) - fee x |coins| x p = -backing, rounded in the owner's favour: the fund, not the
    account, bears what a tick is worth.
    """
    coins = each.row.size * each.market.instrument.ct_val
    tick, taker = each.market.instrument.tick, fees.rates(account.fee_level, "SWAP")[1]
    price = (coins * each.market.mark_px - backing) / (coins - taker * abs(coins))
    rounding = ROUND_CEILING if coins > 0 else ROUND_FLOOR
    return max(tick, (price / tick).to_integral_value(rounding) * tick)


def _close(
    world: World, account: AccountState, each: Exposure, size: Decimal, price: Decimal, category: str
) -> None:
    market, key, short = each.market, each.row.key, each.row.size < 0
    order = forced(world, account, key, size, price, category, "liquidation")
    coins = size * market.instrument.ct_val
    gain = coins * (price - market.mark_px) if short else coins * (market.mark_px - price)
    missing = insurance.settle(world, family_of(market), gain, -order.fee)
    freeze.begin(world, account, key.inst_id, adl=False)
    loss = max(ZERO, -gain)
    world.outbox.append(Liquidated(key.inst_id, order.side, key.side, price, size, loss, world.now_ms))
    if missing or (loss and insurance.deleverages(world, family_of(market))):
        deleveraging.against(world, key.inst_id, short, size)


def liquidate(world: World, account: AccountState, key: PositionKey) -> None:
    """Take a position over at once, whatever its ratio: at its bankruptcy price, or at mark if that is
    better for the owner than an imagined bankruptcy. Raises ValueError without such a position."""
    now = standing(world, account)
    each = next((one for one in now.exposures + now.isolated if one.row.key == key), None)
    if each is None:
        raise ValueError(f"a liquidation needs a position in {key.inst_id}")
    need = each.mmr + each.close_fee
    backing = min(need, each.margin + each.upl if each.margin else now.backing)
    _close(world, account, each, abs(each.row.size), bankruptcy_price(each, backing, account), FULL)


def _absorb(world: World, account: AccountState) -> None:
    """Let the venue bear what a bankrupt account owes when nothing is left to take (bill type 10)."""
    short = [ccy for ccy, cash in account.trading.items() if cash < 0]
    now = standing(world, account)
    if now.exposures or now.backing > 0 or any(cash > 0 for cash in account.trading.values()):
        return
    for ccy in short:
        deficit = -account.trading[ccy]
        credit(world, account, ccy, deficit, new_bill(CLAWBACK, "108"), (world.house.cash, ccy, -deficit))
        world.tell_account(account, "claw_back", (ccy,))
