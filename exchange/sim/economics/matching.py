"""Matching: takers walk the book, resting orders fill when the market reaches them.

Price first, then time: at one price the invented depth was there before any client. Every match is
booked at the price of the order that was resting.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from exchange.sim.economics import orders
from exchange.sim.economics.accounts import Deal, book_deal, held, leverage_of
from exchange.sim.economics.margin import standing
from exchange.sim.economics.orders import Terms
from exchange.sim.economics.world import World
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, Order, PositionKey, Reject
from exchange.sim.seam import OrderParams

# cancelSource, api-v5.md 4.4
BY_SYSTEM, BY_USER, REDUCE_ONLY, BY_RISK, BY_ADL, NO_FUNDS = "0", "1", "2", "3", "6", "9"
FOK_UNFILLED, IOC_REST, DEAD_MAN, WOULD_TAKE, SELF_TRADE = "13", "14", "20", "31", "32"
MAX_COINS = Decimal(10) ** 18


def opposite(side: str) -> str:
    return "sell" if side == "buy" else "buy"


def reaches(side: str, limit: Decimal, price: Decimal) -> bool:
    """Whether an order of `side` with `limit` may trade at `price`."""
    return price <= limit if side == "buy" else price >= limit


def limit_of(market: Market, order: Order) -> Decimal:
    """An order's own price, or the edge of the band for orders without one."""
    if order.price is not None:
        return order.price
    return market.buy_limit if order.side == "buy" else market.sell_limit


def would_take(market: Market, order: Order) -> bool:
    """Whether the order would trade at once."""
    best = [level.price for level in market.book.view(opposite(order.side), 1)]
    return bool(best) and reaches(order.side, limit_of(market, order), best[0])


def takeable(world: World, account: AccountState, order: Order) -> Decimal:
    """How much the order could fill at once, own resting orders left out."""
    market = world.markets[order.inst_id]
    side, limit = opposite(order.side), limit_of(market, order)
    invented = sum(
        (size for price, size in market.book.levels(side) if reaches(order.side, limit, price)), ZERO
    )
    others = sum(
        (
            each.size - each.filled
            for each in market.book.resting[side]
            if world.owners[each.ord_id] is not account and reaches(order.side, limit, limit_of(market, each))
        ),
        ZERO,
    )
    return min(invented, market.room()) + others


def take(
    world: World,
    account: AccountState,
    order: Order,
    budget: Decimal | None = None,
    coins: Decimal | None = None,
) -> None:
    """Fill an order against the book as far as its price, its size and the market's volume reach.

    A spot market order may also be bounded by the USDT (`budget`) and the `coins` there are. With `coins`
    its size counts USDT and bounds nothing by itself.
    """
    market = world.markets[order.inst_id]
    lot = market.instrument.lot
    side, limit = opposite(order.side), limit_of(market, order)
    trades: list[tuple[str, str]] = []
    while order.is_open:
        offer = _best_offer(market, side)
        if offer is None or not reaches(order.side, limit, offer[0]):
            break
        price, size, maker = offer
        if maker is not None and world.owners[maker.ord_id] is account:
            if order.stp in ("cancel_maker", "cancel_both"):
                cancel(world, account, maker, SELF_TRADE)
            if order.stp in ("cancel_taker", "cancel_both"):
                cancel(world, account, order, SELF_TRADE)
            continue
        size = min(size, (order.size if coins is None else coins) - order.filled)
        if budget is not None:
            size = min(size, budget / price // lot * lot)
        if size <= 0:
            break
        trade_id = market.print_trade(size, price, order.side, world.outbox)
        if maker is None:
            market.book.eat(side, size)
            market.use_room(size)
        else:
            _fill_maker(world, maker, price, size, trade_id)
        fill(world, account, order, Deal(price, size, trade_id, maker=False), done=coins is None)
        trades.append((order.inst_id, str(trade_id)))
        if budget is not None:
            budget -= price * size
    if trades:
        market.touched(world.outbox)
        settle_account(world, account, order, tuple(trades))


def _best_offer(market: Market, side: str) -> tuple[Decimal, Decimal, Order | None] | None:
    """The best (price, size, resting order or None for invented depth) of one side."""
    book = market.book
    invented = book.levels(side)
    room = market.room() if invented else ZERO
    first = book.resting[side][0] if book.resting[side] else None
    if invented and room > 0:
        price, size = invented[0]
        if first is None or first.price is None or reaches(opposite(side), first.price, price):
            return price, min(size, room), None
    if first is not None and first.price is not None:
        return first.price, first.size - first.filled, first
    return None


def fill(world: World, account: AccountState, order: Order, deal: Deal, done: bool = True) -> None:
    """Book one deal and tell the order's new state. `done` lets a full size finish the order."""
    execution = book_deal(world, account, order, deal)
    order.state = "partially_filled"
    if done and order.filled >= order.size:
        order.state = "filled"
        retire(world, account, order)
        if order.attached:
            world.hatching.append((account, order))
    world.tell_order(account, order, execution)


def _fill_maker(world: World, maker: Order, price: Decimal, size: Decimal, trade_id: int) -> None:
    owner = world.owners[maker.ord_id]
    fill(world, owner, maker, Deal(price, size, trade_id, maker=True))
    settle_account(world, owner, maker, ((maker.inst_id, str(trade_id)),))


def settle_account(
    world: World, account: AccountState, order: Order, trades: tuple[tuple[str, str], ...]
) -> None:
    """After fills: tell balances and positions, and cancel reduce-only orders left without a position."""
    instrument = world.markets[order.inst_id].instrument
    if instrument.is_swap:
        world.tell_account(account, "filled", (instrument.quote,), (order.position,), trades)
        drop_reduce_only(world, account, order.position)
    else:
        world.tell_account(account, "filled", (instrument.base, instrument.quote), (), trades)


def drop_reduce_only(world: World, account: AccountState, key: PositionKey) -> None:
    size = held(account, key)
    for order in list(account.open_orders.values()):
        if order.reduce_only and order.position == key and order.is_open and order.price is not None:
            reduces = size < 0 if order.side == "buy" else size > 0
            if not reduces or order.size - order.filled > abs(size):
                cancel(world, account, order, REDUCE_ONLY)


def match_resting(world: World, market: Market) -> None:
    """Fill resting orders the moved market has reached, at their own prices, as makers."""
    book = market.book
    if not (book.resting["buy"] or book.resting["sell"]) or market.instrument.state != "live":
        return
    touched = False
    for side in ("buy", "sell"):
        while book.resting[side]:
            order = book.resting[side][0]
            offers = book.levels(opposite(side))
            assert order.price is not None
            if not offers or not reaches(side, order.price, offers[0][0]):
                break
            size = min(order.size - order.filled, offers[0][1], market.room())
            if size <= 0:
                break
            touched = True
            trade_id = market.print_trade(size, order.price, opposite(side), world.outbox)
            book.eat(opposite(side), size)
            market.use_room(size)
            _fill_maker(world, order, order.price, size, trade_id)
    if touched:
        market.touched(world.outbox)


def retire(world: World, account: AccountState, order: Order) -> None:
    """Take a finished order out of the book and the list of open orders."""
    account.open_orders.pop(order.ord_id, None)
    order.frozen = ZERO
    market = world.markets[order.inst_id]
    if any(each is order for each in market.book.resting[order.side]):
        market.book.remove(order)
        market.touched(world.outbox)
    world.owners.pop(order.ord_id, None)


def cancel(world: World, account: AccountState, order: Order, source: str) -> None:
    order.state, order.cancel_source = "canceled", source
    retire(world, account, order)
    world.tell_order(account, order)


def place(world: World, account: AccountState, params: OrderParams) -> Order:
    """Check and accept an order, then let it trade, rest or end as its kind says. Raises Reject."""
    terms = orders.check(world, account, params)
    market = world.markets[params.inst_id]
    budget, coins = _purse(world, account, market, params)
    order = _accept(world, account, params, terms)
    if params.kind == "post_only" and would_take(market, order):
        cancel(world, account, order, WOULD_TAKE)
        return order
    world.tell_order(account, order)
    if params.kind == "fok" and takeable(world, account, order) < order.size:
        cancel(world, account, order, FOK_UNFILLED)
        return order
    if params.kind != "post_only":
        take(world, account, order, budget, coins)
    if not order.is_open:
        return order
    if params.kind in ("limit", "post_only"):
        market.book.rest(order)
        market.touched(world.outbox)
    elif coins is not None and order.filled:  # what is left of the money buys no whole lot
        order.state = "filled"
        retire(world, account, order)
        if order.attached:
            world.hatching.append((account, order))
        world.tell_order(account, order)
    else:
        cancel(world, account, order, IOC_REST)
    return order


def _purse(
    world: World, account: AccountState, market: Market, params: OrderParams
) -> tuple[Decimal | None, Decimal | None]:
    """What bounds a spot market order beside its size: (USDT, coins); coins only when sized in USDT."""
    instrument = market.instrument
    if instrument.is_swap or params.kind != "market":
        return None, None
    now, by_quote = standing(world, account), orders.in_quote(params, market)
    if params.side == "sell":
        return (params.size, now.spendable(account, instrument.base)) if by_quote else (None, None)
    budget = now.spendable(account, instrument.quote)
    return (min(budget, params.size), MAX_COINS) if by_quote else (budget, None)


def _accept(world: World, account: AccountState, params: OrderParams, terms: Terms) -> Order:
    order = Order(
        ord_id=world.next_id(), cl_id=params.cl_id, tag=params.tag, inst_id=params.inst_id, side=params.side,
        pos_side=params.pos_side, td_mode=params.td_mode, kind=params.kind, size=terms.size,
        price=params.price if params.kind in orders.PRICED else None,
        reduce_only=params.reduce_only or orders.closes(params),
        target_ccy=params.target_ccy, created_ms=world.now_ms, updated_ms=world.now_ms,
        amend_source=terms.amend_source, leverage=leverage_of(account, params.position),
        stp=params.stp, frozen=ZERO if params.kind == "market" else terms.frozen, source=params.source,
        algo_id=params.algo_id, algo_cl_id=params.algo_cl_id,
        attached=tuple(replace(one, algo_id=world.next_id()) for one in params.attached),
    )  # fmt: skip
    account.orders[order.ord_id] = order
    account.open_orders[order.ord_id] = order
    if order.cl_id:
        account.by_client[order.cl_id] = order.ord_id
    world.owners[order.ord_id] = account
    return order


def amend(
    world: World, account: AccountState, order: Order, size: Decimal | None, price: Decimal | None
) -> None:
    """Change size (the filled part included) or price of a resting order; it loses its place in time.

    A size not above what has filled completes the order. Raises Reject and changes nothing otherwise.
    """
    if not order.is_open:
        raise Reject("51503", "Your order has already been filled or canceled.")
    new_size = order.size if size is None else size
    new_price = order.price if price is None else price
    market = world.markets[order.inst_id]
    if size is not None and order.filled and size <= order.filled:
        order.size, order.state, order.amend_source = order.filled, "filled", "1"
        retire(world, account, order)
        world.tell_order(account, order)
        return
    frozen = orders.amended(world, account, order, new_size, new_price)
    before, order.price = order.price, new_price
    if order.kind == "post_only" and would_take(market, order):
        order.price = before
        raise Reject("51511", "The amended price would make a post-only order take liquidity.")
    market.book.resting[order.side] = [each for each in market.book.resting[order.side] if each is not order]
    order.size, order.frozen, order.amend_source = new_size, frozen, "1"
    world.tell_order(account, order)
    take(world, account, order)
    if order.is_open:
        market.book.rest(order)
    market.touched(world.outbox)
