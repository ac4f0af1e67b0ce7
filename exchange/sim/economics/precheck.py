"""What an order would do to its account if it filled at once, without placing it. api-v5.md 4.2."""

from __future__ import annotations

from copy import copy
from decimal import Decimal

from msgspec import structs

from exchange.sim.economics import fees, orders
from exchange.sim.economics.accounts import leverage_of
from exchange.sim.economics.figures import figures
from exchange.sim.economics.margin import MULTI
from exchange.sim.economics.order_words import PRICED, best_price, in_quote
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, PositionKey, PositionRow, Reject
from exchange.sim.seam import OrderEffect, OrderParams


def effect(world: World, account: AccountState, params: OrderParams) -> OrderEffect:
    """Raises Reject for what could not be placed, 51010 outside of multi-currency mode."""
    if account.level != MULTI:
        raise Reject("51010", "You can't complete this request under your current account mode.")
    terms = orders.check(world, account, params)
    market = world.markets[params.inst_id]
    price = terms.limit if params.kind in PRICED else best_price(market, params.side)
    size = terms.size / price if in_quote(params, market) else terms.size
    trial = copy(account)
    trial.trading, trial.positions = dict(account.trading), dict(account.positions)
    if market.instrument.is_swap:
        _trade_swap(world, trial, market, params, size, price)
    else:
        _trade_spot(trial, market, params, size, price)
    return OrderEffect(figures(world, account), figures(world, trial), market.mark_px)


def _trade_spot(
    trial: AccountState, market: Market, params: OrderParams, size: Decimal, price: Decimal
) -> None:
    base, quote = market.instrument.base, market.instrument.quote
    taker = fees.rates(trial.fee_level, "SPOT")[1]
    buys = params.side == "buy"
    if buys and trial.fee_type == "1":
        coins, money = size, -size * price * (1 + taker)
    elif buys:
        coins, money = size * (1 - taker), -size * price
    else:
        coins, money = -size, size * price * (1 - taker)
    for ccy, change in ((base, coins), (quote, money)):
        trial.trading[ccy] = trial.trading.get(ccy, ZERO) + change


def _trade_swap(
    world: World, trial: AccountState, market: Market, params: OrderParams, size: Decimal, price: Decimal
) -> None:
    ct_val, key = market.instrument.ct_val, params.position
    row = trial.positions.get(key) or _flat(world, trial, key)
    signed = size if params.side == "buy" else -size
    kept, after = _kept(row, signed), row.size + signed
    closed = row.size - kept
    added = after - kept
    avg_px = (kept * row.avg_px + added * price) / after if after else row.avg_px
    taker = fees.rates(trial.fee_level, "SWAP")[1]
    gain = closed * ct_val * (price - row.avg_px) - size * ct_val * price * taker
    trial.positions[key] = structs.replace(row, size=after, avg_px=avg_px)
    trial.trading[QUOTE] = trial.trading.get(QUOTE, ZERO) + gain


def _flat(world: World, trial: AccountState, key: PositionKey) -> PositionRow:
    return PositionRow(key, "", ZERO, ZERO, leverage_of(trial, key), world.now_ms, world.now_ms)


def _kept(row: PositionRow, signed: Decimal) -> Decimal:
    """What is left of a position after a trade of `signed`, before anything opens the other way."""
    if row.size * signed >= 0:
        return row.size
    return ZERO if abs(signed) >= abs(row.size) else row.size + signed
