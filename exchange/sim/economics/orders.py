"""What the venue refuses, in its own order of checks and with its own codes. Source: api-v5.md 6.2, 7.9."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchange.sim.algo_model import AlgoOrder
from exchange.sim.economics import fees
from exchange.sim.economics.accounts import CROSS, ISOLATED, NET, held, leverage_of
from exchange.sim.economics.margin import MULTI, Standing, standing
from exchange.sim.economics.trigger_rules import check_attached
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.instruments import position_tiers
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, Order, PositionKey, Reject
from exchange.sim.seam import AlgoParams, OrderParams

SPOT_ONLY = "1"
LONG_SHORT = "long_short_mode"
PRICED = ("limit", "post_only", "ioc", "fok")
KINDS = (*PRICED, "market", "optimal_limit_ioc")
STP_MODES = ("cancel_maker", "cancel_taker", "cancel_both")
MAX_OPEN, MAX_OPEN_PER_SYMBOL = 4_000, 500
_STATES = {"suspend": "51022", "preopen": "51021", "expired": "51027"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What the checks settled: the size the venue accepts and what it holds back for it."""

    size: Decimal
    frozen: Decimal
    amend_source: str


def check(world: World, account: AccountState, params: OrderParams) -> Terms:
    """Raise Reject, or return the terms on which the order stands."""
    if world.closed:
        raise Reject("50001", "Service temporarily unavailable. Try again later")
    market = world.market(params.inst_id)
    check_tradable(world, market)
    check_params(world, account, market, params)
    check_size(market, params)
    if params.kind in PRICED:
        assert params.price is not None
        check_price(market, params.side, params.price)
    if params.attached:
        check_attached(account, market, params, params.reduce_only or closes(params))
    _check_count(account, params.inst_id)
    size, amend_source = params.size, ""
    if params.reduce_only or closes(params):
        size = _trimmed(account, params)
        amend_source = "3" if size < params.size else ""
    frozen = check_funds(world, account, market, params, size)
    return Terms(size, frozen, amend_source)


def check_tradable(world: World, market: Market) -> None:
    state = market.instrument.state
    if state != "live":
        raise Reject(
            _STATES.get(state, "51022"), f"Contract suspended: {market.instrument.inst_id} is {state}."
        )
    if world.blocked(market.instrument.inst_id):
        raise Reject("51030", "The contract is settling its funding fee. Please try again later.")


def check_params(world: World, account: AccountState, market: Market, params: OrderParams) -> None:
    swap = market.instrument.is_swap
    if swap and account.level == SPOT_ONLY:
        raise Reject("51010", "You can't complete this request under your current account mode.")
    if swap and params.td_mode == ISOLATED and account.level == MULTI:
        raise Reject("50072", "Isolated margin is not available in multi-currency margin mode.")
    modes = (CROSS, ISOLATED) if swap else (CROSS,) if account.level == MULTI else ("cash",)
    if params.td_mode not in modes:
        raise Reject("51000", "Parameter tdMode error")
    if params.side not in ("buy", "sell"):
        raise Reject("51000", "Parameter side error")
    hedged = swap and account.pos_mode == LONG_SHORT
    if params.pos_side not in (("long", "short") if hedged else (NET,)):
        raise Reject("51000", "Parameter posSide error")
    if params.kind not in KINDS or (params.kind == "optimal_limit_ioc" and not swap):
        raise Reject("51000", "Parameter ordType error")
    if params.kind in PRICED and (params.price is None or params.price <= 0):
        raise Reject("51000", "Parameter px error")
    if params.target_ccy not in ("", "base_ccy", "quote_ccy"):
        raise Reject("51000", "Parameter tgtCcy error")
    if params.stp not in STP_MODES:
        raise Reject("51000", "Parameter stpMode error")
    if params.kind == "fok" and params.stp == "cancel_both":
        raise Reject("54036", "Self-trade prevention cancel_both is not supported with FOK orders.")
    if params.reduce_only and not swap:
        raise Reject("51000", "Parameter reduceOnly error")
    newest = account.by_client.get(params.cl_id) if params.cl_id else None
    if newest is not None and account.orders[newest].is_open:
        raise Reject("51016", "Client order ID already exists.")


def closes(params: OrderParams) -> bool:
    """Whether an order of long_short_mode closes: selling a long or buying back a short."""
    return (params.pos_side, params.side) in (("long", "sell"), ("short", "buy"))


def in_quote(params: OrderParams, market: Market) -> bool:
    """Whether the size counts USDT: only a spot market order, by default only a buy."""
    if market.instrument.is_swap or params.kind != "market":
        return False
    return params.target_ccy == "quote_ccy" or (not params.target_ccy and params.side == "buy")


def check_size(market: Market, params: OrderParams) -> None:
    instrument, size = market.instrument, params.size
    if size <= 0:
        raise Reject("51000", "Parameter sz error")
    if in_quote(params, market):
        best = market.book.best("sell" if params.side == "buy" else "buy") or market.last
        if size < instrument.min_size * best:
            raise Reject(
                "51020",
                f"Your order should meet or exceed the minimum order amount of {instrument.min_size}.",
            )
        if size > instrument.max_market_size:
            raise Reject(
                "51201", f"The value of a market order can't exceed {instrument.max_market_size} USDT."
            )
        return
    if size < instrument.min_size:
        raise Reject(
            "51020", f"Your order should meet or exceed the minimum order amount of {instrument.min_size}."
        )
    if size % instrument.lot:
        raise Reject("51121", f"Order quantity must be a multiple of the lot size {instrument.lot}.")
    limit = instrument.max_limit_size
    if params.kind in ("market", "optimal_limit_ioc"):
        limit = instrument.max_market_size if instrument.is_swap else instrument.max_market_size / market.last
    if size > limit:
        code = "51101" if instrument.is_swap else "51202"
        raise Reject(code, f"Order amount exceeds the maximum of {limit} per order.")


def check_price(market: Market, side: str, price: Decimal) -> None:
    """Tick, then band."""
    instrument = market.instrument
    if price % instrument.tick:
        raise Reject("51000", f"Parameter px error: not a multiple of the tick size {instrument.tick}")
    high, low = market.buy_limit, market.sell_limit
    if (side == "buy" and price > high) or (side == "sell" and price < low):
        if not instrument.is_swap:
            raise Reject(
                "51006",
                f"Order price is not within the price limit (max buy price: {high}, min sell price: {low}).",
            )
        if side == "buy":
            raise Reject("51137", f"The highest price limit for buy orders is {high}.")
        raise Reject("51138", f"The lowest price limit for sell orders is {low}.")


def _check_count(account: AccountState, inst_id: str) -> None:
    if len(account.open_orders) >= MAX_OPEN:
        raise Reject("51103", f"Number of pending orders has reached the limit of {MAX_OPEN}.")
    if sum(1 for order in account.open_orders.values() if order.inst_id == inst_id) >= MAX_OPEN_PER_SYMBOL:
        raise Reject("51102", f"Number of pending orders of this symbol has reached {MAX_OPEN_PER_SYMBOL}.")


def reducible(account: AccountState, order: OrderParams | AlgoParams | AlgoOrder) -> Decimal:
    """How many contracts an order of this side could close; 0 without a position it reduces."""
    size = held(account, PositionKey(order.inst_id, order.td_mode, order.pos_side))
    return abs(size) if size and (size > 0) == (order.side == "sell") else ZERO


def _trimmed(account: AccountState, params: OrderParams) -> Decimal:
    """How much of a reduce-only order the position allows; the venue trims the rest away."""
    size = reducible(account, params)
    if not size:
        raise Reject(
            "51169", "Order failed because you don't have any positions in this direction to reduce."
        )
    return min(params.size, size)


def check_funds(
    world: World, account: AccountState, market: Market, params: OrderParams, size: Decimal
) -> Decimal:
    """Return what the order holds back: coins or USDT for spot, margin and fee for swaps.

    Raises 51008 when that is not there, 51004 when the position would outgrow its tier.
    """
    now = standing(world, account)
    if market.instrument.is_swap:
        return _margin_needed(account, market, params, size, now)
    need, ccy = _spot_needed(market, params, size)
    if now.spendable(account, ccy) < need:
        raise Reject("51008", f"Order failed. Insufficient {ccy} balance in account.")
    return need


def _spot_needed(market: Market, params: OrderParams, size: Decimal) -> tuple[Decimal, str]:
    instrument = market.instrument
    if params.side == "sell":
        if in_quote(params, market):
            size = size / market.last
        return size, instrument.base
    if in_quote(params, market):
        return size, instrument.quote
    return size * _worst_price(market, params), instrument.quote


def _worst_price(market: Market, params: OrderParams) -> Decimal:
    """What the order may pay at most; a market buy by coins is estimated at the best ask."""
    if params.price is not None and params.kind in PRICED:
        return params.price
    return market.book.best("sell" if params.side == "buy" else "buy") or market.last


def _margin_needed(
    account: AccountState, market: Market, params: OrderParams, size: Decimal, now: Standing
) -> Decimal:
    key = params.position
    now_held = held(account, key)
    signed = size if params.side == "buy" else -size
    opening = size if now_held * signed >= 0 else max(ZERO, size - abs(now_held))
    if params.reduce_only or not opening:
        return ZERO
    leverage = leverage_of(account, key)
    pending = sum(
        (
            order.size - order.filled
            for order in account.open_orders.values()
            if order.position == key and order.side == params.side and not order.reduce_only
        ),
        ZERO,
    )
    check_tier(market, abs(now_held + signed) + pending, leverage)
    price = (
        max(_worst_price(market, params), market.mark_px)
        if params.side == "sell"
        else _worst_price(market, params)
    )
    taker = fees.rates(account.fee_level, "SWAP")[1]
    need = opening * market.instrument.ct_val * price * (1 / leverage + taker)
    if (
        now.multi
        and not account.auto_loan
        and now.equity[QUOTE] < opening * market.instrument.ct_val * price * taker
    ):
        raise Reject("51008", f"Order failed. Insufficient {QUOTE} balance, and borrowing is turned off.")
    if now.free < need:
        raise Reject("51008", f"Order failed. Insufficient {QUOTE} margin in account.")
    return need


def check_tier(market: Market, contracts: Decimal, leverage: Decimal) -> None:
    """Raise 51004 when `contracts` at `leverage` exceed what the position tiers allow."""
    allowed = max((tier[1] for tier in position_tiers(market.coin) if tier[4] >= leverage), default=ZERO)
    if contracts > allowed:
        raise Reject(
            "51004",
            f"Order failed. For {market.instrument.inst_id}, position and open orders may not exceed "
            f"{allowed} contracts at {leverage}x.",
        )


def amended(
    world: World, account: AccountState, order: Order, size: Decimal, price: Decimal | None
) -> Decimal:
    """Check an amended order anew and return what it holds back; its own hold is released first."""
    market = world.market(order.inst_id)
    params = OrderParams(
        order.inst_id, order.td_mode, order.side, order.kind, size, price, pos_side=order.pos_side,
        reduce_only=order.reduce_only, target_ccy=order.target_ccy, stp=order.stp,
    )  # fmt: skip
    check_tradable(world, market)
    check_size(market, params)
    if price is not None:
        check_price(market, order.side, price)
    held, order.frozen = order.frozen, ZERO
    account.open_orders.pop(order.ord_id)
    try:
        return check_funds(world, account, market, params, size - order.filled)
    finally:
        order.frozen = held
        account.open_orders[order.ord_id] = order


def max_size(
    world: World, account: AccountState, market: Market, price: Decimal | None, mode: str
) -> tuple[Decimal, Decimal]:
    """Return the largest (buy, sell) the account could place, in the instrument's own unit."""
    instrument, now = market.instrument, standing(world, account)
    lot = instrument.lot
    px = price or market.last
    if not instrument.is_swap:
        buy = now.spendable(account, instrument.quote) / px // lot * lot
        return buy, now.spendable(account, instrument.base) // lot * lot
    key = PositionKey(instrument.inst_id, mode)
    leverage = leverage_of(account, key)
    taker = fees.rates(account.fee_level, "SWAP")[1]
    opening = max(ZERO, now.free) / (instrument.ct_val * px * (1 / leverage + taker)) // lot * lot
    size = held(account, key)
    return opening + max(ZERO, -size), opening + max(ZERO, size)
