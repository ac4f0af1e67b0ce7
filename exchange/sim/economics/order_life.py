"""The life of an order: accepted, matched, resting or ended as its kind says; amended in between."""

from __future__ import annotations

from dataclasses import replace

from exchange.sim.economics import freeze, orders, queue
from exchange.sim.economics.accounts import held, leverage_of
from exchange.sim.economics.matching import (
    BETTER_REDUCES,
    BY_USER,
    FOK_UNFILLED,
    IOC_REST,
    REDUCE_ONLY,
    WOULD_TAKE,
    cancel,
    finish,
    hold_to_position,
    take,
    takeable,
    would_take,
)
from exchange.sim.economics.open_orders import note_reducing, open_order, resize
from exchange.sim.economics.order_words import PRICED
from exchange.sim.economics.world import World
from exchange.sim.events import Amendment
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, Order, PositionKey, Reject
from exchange.sim.seam import OrderChange, OrderParams

RESTING = ("limit", "post_only")


def accept(world: World, account: AccountState, params: OrderParams) -> Order:
    """Check an order and keep back what it needs. Raises Reject."""
    terms = orders.check(world, account, params)
    hold, price = terms.hold, terms.limit if params.kind in PRICED else None
    # The first ones by place: with so many names the call alone would cost six times as much.
    order = Order(
        world.next_id(), params.cl_id, params.tag, params.inst_id, params.side, params.pos_side,
        params.td_mode, params.kind, terms.size, price, terms.reduces, params.target_ccy, world.now_ms,
        world.now_ms,
        amend_source=terms.amend_source, leverage=leverage_of(account, params.position), stp=params.stp,
        limit=terms.limit, hold_ccy=hold.ccy, budget=hold.budget, coins=hold.coins,
    )  # fmt: skip
    if params.source:
        order.source, order.algo_id, order.algo_cl_id = params.source, params.algo_id, params.algo_cl_id
    if params.attached:
        order.attached = tuple(replace(one, algo_id=world.next_id()) for one in params.attached)
    open_order(world, account, order, hold.amount)
    return order


def enter(world: World, account: AccountState, order: Order) -> None:
    """An accepted order reaches the matching: it trades, rests or ends as its kind says."""
    market = world.markets[order.inst_id]
    if order.reduce_only and world.profile.match_ms and not _fits_position(world, account, order):
        return
    if order.kind == "post_only" and would_take(market, order.side, order.limit):
        cancel(world, account, order, WOULD_TAKE)
        return
    if order.kind == "post_only" or not world.profile.match_ms:  # else told when it was accepted
        world.tell_order(account, order)
    if order.kind == "fok" and takeable(world, account, order) < order.size:
        cancel(world, account, order, FOK_UNFILLED)
        return
    if order.kind != "post_only":
        take(world, account, order)
    if not order.is_open:
        return
    if order.kind in RESTING:
        _rest(world, account, market, order)
    elif order.coins is not None and order.filled:  # what is left of the money buys no whole lot
        finish(world, account, order)
        world.tell_order(account, order)
    else:
        cancel(world, account, order, IOC_REST)


def _fits_position(world: World, account: AccountState, order: Order) -> bool:
    """Cut a reduce-only order to what the position has become on its way; False when nothing is left."""
    size = orders.reducible(account, order)
    if not size:
        cancel(world, account, order, REDUCE_ONLY)
    elif order.size > size:
        resize(account, order, size, order.frozen)
        order.amend_source = "3"
    return bool(size)


def _rest(world: World, account: AccountState, market: Market, order: Order) -> None:
    queue.join(world, market, order)
    market.book.resting[order.side].add(order)
    market.touched(world.outbox)
    if order.reduce_only:
        note_reducing(account, order)
        hold_to_position(world, account, order.position, BETTER_REDUCES)


def amend(world: World, account: AccountState, order: Order, change: OrderChange) -> None:
    """Change size (the filled part included), price or attachments of a resting order.

    It keeps its place in time only when nothing but its size shrinks. A size not above what has filled
    completes the order. Raises Reject when the order stays as it is, or goes for it (`cancel_on_fail`);
    that is pushed as well.
    """
    if not order.is_open:
        raise Reject("51503", "Your order has already been filled or canceled.")
    try:
        _amend(world, account, order, change)
    except Reject as no:
        if change.cancel_on_fail:
            cancel(world, account, order, BY_USER, Amendment(change.req_id, "1", no.code, no.msg))
        else:
            amendment = Amendment(change.req_id, "-1", no.code, no.msg)
            world.tell_order(account, order, amendment=amendment)
        raise


def _amend(world: World, account: AccountState, order: Order, change: OrderChange) -> None:
    market, done = world.markets[order.inst_id], Amendment(change.req_id, "0")
    if change.attached is not None:
        orders.check_reattached(account, market, order, change.attached)
    if change.size is not None and order.filled and change.size <= order.filled:
        resize(account, order, order.filled, ZERO)
        order.amend_source = "1"
        finish(world, account, order)
        world.tell_order(account, order, amendment=done)
        return
    new = orders.amended(world, account, order, change)
    if order.kind == "post_only" and would_take(market, order.side, new.limit):
        raise Reject(
            "51511", "Modification failed as the order price did not meet the requirement for Post Only."
        )
    stays = new.limit == order.limit and new.size <= order.size
    if not stays:
        market.book.resting[order.side].remove(order)
    resize(account, order, new.size, new.hold)
    order.price = order.limit = new.limit
    order.amend_source = new.source
    if change.attached is not None:
        order.attached = change.attached
    world.tell_order(account, order, amendment=done)
    market.touched(world.outbox)
    if stays:
        return
    take(world, account, order)
    if order.is_open:
        _rest(world, account, market, order)


def closing_order(
    world: World, account: AccountState, key: PositionKey, cl_id: str, auto_cancel: bool, tag: str
) -> OrderParams:
    """The market order that closes a whole position; orders that would close it are cancelled.

    Raises 51023 without a position, 51115 while close orders wait that may not be cancelled, 51108 when
    it is larger than a market order may be, and what keeps every order out, before any is cancelled.
    """
    size, market = held(account, key), world.markets[key.inst_id]
    if not size:
        raise Reject("51023", "Position doesn't exist.")
    orders.check_tradable(world, market)
    freeze.check_position(world, account, key.inst_id)
    if abs(size) > market.instrument.max_market_size:
        raise Reject("51108", "Positions exceed the limit for closing out with the market price.")
    side = "sell" if size > 0 else "buy"
    closing = [each for each in account.open_orders.values() if each.position == key and each.side == side]
    if closing and not auto_cancel:
        raise Reject("51115", "Cancel all pending close-orders before liquidation.")
    for order in closing:
        cancel(world, account, order, BY_USER)
    return OrderParams(
        key.inst_id, key.mode, side, "market", abs(size), cl_id=cl_id, tag=tag, pos_side=key.side,
        reduce_only=True,
    )  # fmt: skip
