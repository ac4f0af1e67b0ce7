"""Whether an account can pay for an order, and what the venue keeps back for it. api-v5.md 4.1, 7.2."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from msgspec import Struct

from exchange.sim.economics import fees
from exchange.sim.economics.accounts import CROSS, NET, held, leverage_of
from exchange.sim.economics.margin import Standing, discounted, standing
from exchange.sim.economics.open_orders import set_hold
from exchange.sim.economics.order_words import PRICED, best_price, in_quote
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.instruments import position_tiers
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, Order, PositionKey, Reject, position_key
from exchange.sim.seam import OrderParams

RESERVE = Decimal("1.05")  # orders without a price need 5 % more than the best price says
MAX_COINS = Decimal(10) ** 18


class Hold(Struct, frozen=True, gc=False):
    """What is kept back for an order: an amount of a currency, or of margin in USDT when `ccy` is "".

    A spot market order may spend `budget` USDT; with `coins`, its size counts USDT and these bound it.
    """

    amount: Decimal
    ccy: str
    budget: Decimal | None = None
    coins: Decimal | None = None


NOTHING = Hold(ZERO, "")  # an order that only reduces needs none


def check_funds(
    world: World,
    account: AccountState,
    market: Market,
    params: OrderParams,
    size: Decimal,
    limit: Decimal,
    own: Order | None = None,
) -> Hold:
    """Return what an order of `size` at `limit` holds back: coins or USDT for spot, margin for swaps.

    Not for orders that only reduce: they hold nothing.

    `own` is the order being amended: what it holds and opens is free again. Raises 51008 when there is
    not enough, 51004 when the position would outgrow its tier.
    """
    instrument = market.instrument
    if instrument.is_swap:
        return Hold(_margin_needed(world, account, market, params, size, limit, own), "")
    now = standing(world, account)
    if params.kind == "market":
        hold = _market_funds(account, market, params, now)
        if hold.budget is not None:
            coins = hold.budget / best_price(market, params.side)
            _check_discount(
                world, market, now, min(size, coins) if hold.coins is None else coins, hold.amount
            )
        return hold
    if params.side == "sell":
        need, ccy = size, instrument.base
    else:
        need, ccy = size * limit * (1 + quote_fee(account)), instrument.quote
    if now.spendable(account, ccy, own.frozen if own else ZERO) < need:
        raise _insufficient(ccy)
    if params.side == "buy":
        _check_discount(world, market, now, size, need)
    return Hold(need, ccy)


def quote_fee(account: AccountState) -> Decimal:
    """What a spot buy costs on top of its price: its fee, where the account pays it in USDT."""
    return fees.rates(account.fee_level, "SPOT")[1] if account.fee_type == "1" else ZERO


def _market_funds(account: AccountState, market: Market, params: OrderParams, now: Standing) -> Hold:
    """A spot market order. Sized in what it is to receive, it is cut to what there is, unless that is
    banned; sized in what it gives, that must be there."""
    instrument, size, buys = market.instrument, params.size, params.side == "buy"
    ccy = instrument.quote if buys else instrument.base
    free, best = now.spendable(account, ccy), best_price(market, params.side)
    by_quote, fee = in_quote(params, market), 1 + quote_fee(account)
    if by_quote == buys:
        if free < size:
            raise _insufficient(ccy)
        return Hold(size, ccy, size / fee, MAX_COINS) if buys else Hold(size, ccy)
    need = (size * best * fee if buys else size / best) * RESERVE
    least = instrument.min_size * best if buys else instrument.min_size
    if free < need and (params.ban_amend or free < least):
        raise _insufficient(ccy)
    amount = min(need, free)
    return Hold(amount, ccy, amount / fee) if buys else Hold(amount, ccy, size, amount)


def _check_discount(world: World, market: Market, now: Standing, coins: Decimal, cost: Decimal) -> None:
    """Raise 51008 when `coins` back positions or loans by so much less than the USDT they cost that
    these would lack margin."""
    if not (now.multi and now.need):
        return
    base, quote = market.instrument.base, market.instrument.quote
    own, price = now.equity.get(base, ZERO), world.index(base)
    if cost - discounted(base, own + coins, price) + discounted(base, own, price) > now.free:
        raise _insufficient(quote)


def _insufficient(ccy: str) -> Reject:
    return Reject("51008", f"Order failed. Insufficient {ccy} balance in account.")


def _margin_needed(
    world: World,
    account: AccountState,
    market: Market,
    params: OrderParams,
    size: Decimal,
    limit: Decimal,
    own: Order | None,
) -> Decimal:
    """Initial margin and fee of what the order may open: nothing where it only comes to close."""
    key = params.position
    left, freed = (own.left, own.frozen) if own else (ZERO, ZERO)
    now_held = held(account, key)
    closable = abs(now_held) if (now_held < 0) == (params.side == "buy") else ZERO
    closing = closable - account.sums.pending(key, params.side) + left  # those waiting come first to close
    opening = size - closing if closing > 0 else size
    if opening <= 0:
        return ZERO
    leverage = leverage_of(account, key)
    check_tier(market, committed(account, key, params.side) + size - left, leverage)
    taker = fees.rates(account.fee_level, "SWAP")[1]
    notional = opening * market.instrument.ct_val * _dearest(market, params.side, params.kind, limit)
    need, now = notional * (1 / leverage + taker), standing(world, account)
    if now.multi and not account.auto_loan and now.equity[QUOTE] < notional * taker:
        raise Reject("51008", f"Order failed. Insufficient {QUOTE} balance, and borrowing is turned off.")
    if now.free + freed < need:
        raise Reject("51008", f"Order failed. Insufficient {QUOTE} margin in account.")
    return need


def contract_margin(account: AccountState, market: Market, order: Order) -> Decimal:
    """Initial margin and fee of a contract that an open order opens from now on, USDT."""
    price = _dearest(market, order.side, order.kind, order.limit)
    taker = fees.rates(account.fee_level, "SWAP")[1]
    return market.instrument.ct_val * price * (1 / leverage_of(account, order.position) + taker)


def _dearest(market: Market, side: str, kind: str, limit: Decimal) -> Decimal:
    """The price that an order's margin is reckoned with."""
    price = limit if kind in PRICED else best_price(market, side) * RESERVE
    return max(price, market.mark_px) if side == "sell" else price


def hold_anew(account: AccountState, waiting: list[Order], before: Decimal, leverage: Decimal) -> None:
    """Let open orders of a swap hold back what another leverage asks of them."""
    taker = fees.rates(account.fee_level, "SWAP")[1]
    for order in waiting:
        order.leverage = leverage
        set_hold(account, order, order.frozen * (1 / leverage + taker) / (1 / before + taker))


def committed(account: AccountState, key: PositionKey, side: str) -> Decimal:
    """Contracts an account holds or has asked for already, of those the tiers bound together.

    In net mode the position, with its sign, and the open orders of `side`; of an isolated position with a
    side of its own the same; in long_short_mode across the account those of both directions.
    Source: the code table of api-v5.md 6.2 and the text the venue gives with 51004.
    """
    pending = account.sums.pending
    if key.mode == CROSS and key.side != NET:
        long, short = (position_key(key.inst_id, CROSS, each) for each in ("long", "short"))
        asked = pending(long, "buy") + pending(short, "sell")
        return held(account, long) - held(account, short) + asked
    size = held(account, key)
    return (size if side == "buy" else -size) + pending(key, side)


@cache
def most_contracts(coin: str, leverage: Decimal) -> Decimal:
    """The largest position the tiers allow at `leverage`."""
    return max((tier[1] for tier in position_tiers(coin) if tier[4] >= leverage), default=ZERO)


def check_tier(market: Market, contracts: Decimal, leverage: Decimal) -> None:
    """Raise 51004 when `contracts` at `leverage` exceed what the position tiers allow."""
    allowed = most_contracts(market.coin, leverage)
    if contracts > allowed:
        raise Reject(
            "51004",
            f"Order failed. For {market.instrument.inst_id}, position and open orders may not exceed "
            f"{allowed} contracts at {leverage}x.",
        )


def max_size(
    world: World, account: AccountState, market: Market, price: Decimal | None, mode: str
) -> tuple[Decimal, Decimal]:
    """Return the largest (buy, sell) the account could place, in the instrument's own unit.

    A price below a tick counts as one: sizes would grow beyond what can be reckoned.
    """
    instrument, now = market.instrument, standing(world, account)
    lot = instrument.lot
    px = max(price or market.last, instrument.tick)
    if not instrument.is_swap:
        buy = now.spendable(account, instrument.quote) / (px * (1 + quote_fee(account))) // lot * lot
        return buy, now.spendable(account, instrument.base) // lot * lot
    key = PositionKey(instrument.inst_id, mode)
    leverage = leverage_of(account, key)
    taker = fees.rates(account.fee_level, "SWAP")[1]
    opening = max(ZERO, now.free) / (instrument.ct_val * px * (1 / leverage + taker)) // lot * lot
    size = held(account, key)
    return opening + max(ZERO, -size), opening + max(ZERO, size)
