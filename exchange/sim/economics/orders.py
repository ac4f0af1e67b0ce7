"""What the venue refuses, in its own order of checks and with its own codes. Source: api-v5.md 6.2, 7.9."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, structs

from exchange.sim.algo_model import AlgoOrder, Attached
from exchange.sim.economics import freeze
from exchange.sim.economics.accounts import CROSS, ISOLATED, NET, held
from exchange.sim.economics.margin import MULTI
from exchange.sim.economics.order_funds import NOTHING, Hold, check_funds
from exchange.sim.economics.order_words import KINDS, PRICED, STP_MODES, best_price, closes, in_quote
from exchange.sim.economics.trigger_rules import check_attached
from exchange.sim.economics.world import World
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, Order, PositionKey, Reject
from exchange.sim.seam import AlgoParams, OrderChange, OrderParams

SPOT_ONLY = "1"
LONG_SHORT = "long_short_mode"
MAX_OPEN, MAX_OPEN_PER_SYMBOL = 4_000, 500
_STATES = {"suspend": "51022", "preopen": "51021", "expired": "51027", "post_only": "54012"}


class Terms(Struct, frozen=True, gc=False):
    """What the checks settled: size and price the venue accepts, and what it holds back for them."""

    size: Decimal
    limit: Decimal  # the order's price, or the worst the venue takes for one without
    amend_source: str
    reduces: bool  # it may only close
    hold: Hold


def check(world: World, account: AccountState, params: OrderParams) -> Terms:
    """Raise Reject, or return the terms on which the order stands."""
    if world.closed:
        raise Reject("50001", "Service temporarily unavailable. Try again later")
    market = world.market(params.inst_id)
    check_tradable(world, market, params.kind)
    freeze.check_position(world, account, params.inst_id)
    check_params(world, account, market, params)
    check_size(market, params)
    limit = limit_of(market, params)
    reduces = params.reduce_only or closes(params)
    if params.attached:
        check_attached(account, market, params, reduces)
    _check_count(account, params.inst_id)
    if reduces:
        size = trimmed(account, params, limit)
        return Terms(size, limit, "3" if size < params.size else "", True, NOTHING)
    hold = check_funds(world, account, market, params, params.size, limit)
    return Terms(params.size, limit, "", False, hold)


def check_tradable(world: World, market: Market, kind: str = "") -> None:
    """Orders without a `kind` wait for a price; in a market that is post_only they may do so too."""
    state = market.instrument.state
    if state == "post_only" and kind in ("", "post_only"):
        state = "live"
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
        _check_market_worth(market, size)
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
    if params.kind in ("market", "optimal_limit_ioc"):
        _check_market_worth(market, size * instrument.ct_val * market.last)
    elif params.price is not None and size * instrument.ct_val * params.price > instrument.max_limit_usd:
        raise Reject("51185", f"The maximum value allowed per order is {instrument.max_limit_usd} USD.")


def _check_market_worth(market: Market, worth: Decimal) -> None:
    """maxMktAmt beside maxMktSz, api-v5.md 2.1; a USDT counts as a dollar, as everywhere."""
    most = market.instrument.max_market_usd
    if most is not None and worth > most:
        raise Reject("51201", f"The value of a market order can't exceed {most} USD.")


def limit_of(market: Market, params: OrderParams) -> Decimal:
    """The worst price at which the order may trade: tick, then band.

    The order's own price, moved into the band where it allows that; without one the edge of the band, or
    as far from the best price as `slippage` lets a spot market order go.
    """
    edge = market.buy_limit if params.side == "buy" else market.sell_limit
    if params.kind in PRICED:
        assert params.price is not None
        check_tick(market, params.price)
        return in_band(market, params.side, params.price, edge, params.move_price)
    if not params.slippage:
        return edge
    best = best_price(market, params.side)
    if params.side == "buy":
        return min(edge, best * (1 + params.slippage))
    return max(edge, best * (1 - params.slippage))


def check_tick(market: Market, price: Decimal) -> None:
    tick = market.instrument.tick
    if price % tick:
        raise Reject("51000", f"Parameter px error: not a multiple of the tick size {tick}")


def in_band(market: Market, side: str, price: Decimal, edge: Decimal, move: bool) -> Decimal:
    """The price when it lies inside the band, its edge when the order lets the venue `move` it."""
    if price <= edge if side == "buy" else price >= edge:
        return price
    if move:
        return edge
    if not market.instrument.is_swap:
        raise Reject(
            "51006",
            f"Order price is not within the price limit (max buy price: {market.buy_limit}, "
            f"min sell price: {market.sell_limit}).",
        )
    if side == "buy":
        raise Reject("51137", f"The highest price limit for buy orders is {edge}.")
    raise Reject("51138", f"The lowest price limit for sell orders is {edge}.")


def _check_count(account: AccountState, inst_id: str) -> None:
    if len(account.open_orders) >= MAX_OPEN:
        raise Reject("51103", f"Number of pending orders has reached the limit of {MAX_OPEN}.")
    if account.sums.counts.get(inst_id, 0) >= MAX_OPEN_PER_SYMBOL:
        raise Reject("51102", f"Number of pending orders of this symbol has reached {MAX_OPEN_PER_SYMBOL}.")


def reducible(account: AccountState, order: Order | OrderParams | AlgoParams | AlgoOrder) -> Decimal:
    """How many contracts an order of this side could close; 0 without a position it reduces."""
    size = held(account, PositionKey(order.inst_id, order.td_mode, order.pos_side))
    return abs(size) if size and (size > 0) == (order.side == "sell") else ZERO


def trimmed(account: AccountState, params: OrderParams, limit: Decimal, own: Order | None = None) -> Decimal:
    """How much of a reduce-only order may stand; the venue cuts the rest away.

    The order and those reduce-only ones that come before it, by price and then by time, may not exceed
    the position. Raises 51169 without a position to reduce, 51148 when others take all of it.
    `own` is the resting order that is being amended: it does not stand in its own way.
    """
    size = reducible(account, params)
    if not size:
        raise Reject(
            "51169",
            "Order failed because you don't have any positions in this direction for this contract to "
            "reduce or close.",
        )
    for other in account.sums.reducing.get(params.position, {}).values():
        before = other.limit >= limit if params.side == "buy" else other.limit <= limit
        if before and other.side == params.side and other is not own:
            size -= other.left
    if size <= 0:
        raise Reject(
            "51148",
            "Failed to place order. The new order may execute an opposite trading direction of your existing "
            "reduce-only positions. Cancel or edit pending orders to continue order",
        )
    return min(params.size, size)


class Amended(Struct, frozen=True, gc=False):
    """What the checks settled about an amendment."""

    size: Decimal
    limit: Decimal
    source: str
    hold: Decimal


def amended(world: World, account: AccountState, order: Order, change: OrderChange) -> Amended:
    """Check an amended order anew; its own hold is free for it. Raises Reject and changes nothing."""
    market = world.market(order.inst_id)
    check_tradable(world, market, order.kind)
    new_price = order.limit if change.price is None else change.price
    params = OrderParams(
        order.inst_id, order.td_mode, order.side, order.kind, change.size or order.size, new_price,
        pos_side=order.pos_side, reduce_only=order.reduce_only, move_price=change.move_price,
    )  # fmt: skip
    check_size(market, params)
    limit = limit_of(market, params) if change.price is not None else order.limit
    wanted = params.size
    if order.reduce_only:
        wanted = order.filled + trimmed(
            account, structs.replace(params, size=wanted - order.filled), limit, order
        )
        return Amended(wanted, limit, "2" if wanted < params.size else "1", ZERO)
    try:
        hold = check_funds(world, account, market, params, wanted - order.filled, limit, order)
    except Reject as no:
        raise (Reject("51502", f"Unable to edit order. {no.msg}") if no.code == "51008" else no) from None
    return Amended(wanted, limit, "1", hold.amount)


def check_reattached(
    account: AccountState, market: Market, order: Order, attached: tuple[Attached, ...]
) -> None:
    """Check what is to hang on an open order from now on."""
    params = OrderParams(
        order.inst_id, order.td_mode, order.side, order.kind, order.size, order.price,
        pos_side=order.pos_side, attached=attached,
    )  # fmt: skip
    check_attached(account, market, params, order.reduce_only)
