"""Matching: takers walk the book, resting orders fill when the market reaches them.

Price first, then time: at one price the invented depth was there before any client. Every match is
booked at the price of the order that was resting.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from exchange.sim.economics import queue
from exchange.sim.economics.accounts import Deal, book_deal, held
from exchange.sim.economics.closing import work_out
from exchange.sim.economics.open_orders import close_order, resize
from exchange.sim.economics.order_words import opposite
from exchange.sim.economics.world import World
from exchange.sim.events import Amendment
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, Order, PositionKey

# cancelSource, api-v5.md 4.4
BY_SYSTEM, BY_USER, REDUCE_ONLY, BY_RISK, BY_ADL, NO_FUNDS = "0", "1", "2", "3", "6", "9"
BORROW_CAP = "4"
FOK_UNFILLED, IOC_REST, DEAD_MAN, BETTER_REDUCES, WOULD_TAKE = "13", "14", "20", "22", "31"
POSITION_CLOSED = "17"
SELF_TRADE, TOO_MANY_MAKERS = "32", "33"
CUT_FOR_OTHERS = "4"  # amendSource: by the system, because of other pending orders
MOST_MAKERS = 1_000  # one taker matches at most so many orders

Offer = tuple[Decimal, Decimal, Order | None]  # price, size, resting order or None for invented depth


def reaches(side: str, limit: Decimal, price: Decimal) -> bool:
    """Whether an order of `side` with `limit` may trade at `price`."""
    return price <= limit if side == "buy" else price >= limit


def would_take(market: Market, side: str, limit: Decimal) -> bool:
    """Whether an order of `side` at `limit` would trade at once."""
    best = market.book.shown(opposite(side))
    return best is not None and reaches(side, limit, best)


def takeable(world: World, account: AccountState, order: Order) -> Decimal:
    """How much the order could fill at once with at most MOST_MAKERS others.

    Its owner's own resting orders do not count, and end it where the order would be cancelled by them.
    """
    market = world.markets[order.inst_id]
    room, total, makers = market.room(), ZERO, 0
    for price, size, maker in _offers(market, opposite(order.side)):
        if not reaches(order.side, order.limit, price) or makers >= MOST_MAKERS or total >= order.size:
            break
        if maker is not None and world.owners[maker.ord_id].family == account.family:
            if order.stp != "cancel_maker":
                break
            continue
        if maker is None:
            size = min(size, room)
            room -= size
        makers += 1
        total += size
    return total


def _offers(market: Market, side: str) -> Iterator[Offer]:
    """One side of the book in the order in which it trades."""
    resting = iter(market.book.resting[side])
    order = next(resting, None)
    for price, size in market.book.walk(side):
        while order is not None and not reaches(opposite(side), order.limit, price):
            yield order.limit, order.left, order
            order = next(resting, None)
        yield price, size, None
    while order is not None:
        yield order.limit, order.left, order
        order = next(resting, None)


def take(world: World, account: AccountState, order: Order) -> None:
    """Fill an order against the book as far as its price, its size and the market's volume reach.

    A spot market order is also bounded by its `budget` of USDT, and one sized in USDT by its `coins`.
    """
    market = world.markets[order.inst_id]
    lot = market.instrument.lot
    side, budget, coins = opposite(order.side), order.budget, order.coins
    queues = _queues(world, market)
    trades: list[tuple[str, str]] = []
    while order.is_open:
        offer = _best_offer(market, order, side, queues)
        if offer is None:
            break
        price, size, maker = offer
        if maker is not None and _same_family(world, account, maker):
            if order.stp != "cancel_taker":
                cancel(world, world.owners[maker.ord_id], maker, SELF_TRADE)
            if order.stp != "cancel_maker":
                cancel(world, account, order, SELF_TRADE)
            continue
        if len(trades) == MOST_MAKERS:
            cancel(world, account, order, TOO_MANY_MAKERS)
            break
        size = min(size, (order.size if coins is None else coins) - order.filled)
        if budget is not None:
            size = min(size, budget / price // lot * lot)
        if size <= 0:
            break
        trade_id = market.print_trade(size, price, order.side, world.outbox)
        if maker is None:
            market.book.eat(side, size)
            market.use_room(size)
            if world.profile.queues:
                queue.leave(market, side, price, size)
        else:
            _fill_maker(world, maker, price, size, trade_id)
        fill(world, account, order, Deal(price, size, trade_id, maker=False), done=coins is None)
        trades.append((order.inst_id, str(trade_id)))
        if budget is not None:
            budget -= price * size
    if trades:
        market.touched(world.outbox)
        settle_account(world, account, order, tuple(trades))


def _queues(world: World, market: Market) -> bool:
    """Whether clients queue as the profile says; in a recorded book they do so by its own trades."""
    return world.profile.queues and not market.book.covers(market.ts_ms)


def _same_family(world: World, account: AccountState, maker: Order) -> bool:
    owner = world.owners[maker.ord_id]
    return owner is account or owner.family == account.family


def _best_offer(market: Market, order: Order, side: str, queues: bool) -> Offer | None:
    """What an order meets first on the other `side`; None when that is out of its reach.

    `queues`: clients stand behind what was shown when they came, not behind all of it.
    """
    book, taker, limit = market.book, order.side, order.limit
    invented, first = book.levels(side), book.resting[side].first
    if invented:
        price, size = invented[0]
        if first is not None and first.limit == price and queues:
            size = min(size, first.ahead)
        if size and (first is None or reaches(taker, first.limit, price)):
            if not reaches(taker, limit, price):
                return None
            room = market.room()
            if room > 0:
                return price, min(size, room), None
    if first is None or not reaches(taker, limit, first.limit):
        return None
    return first.limit, first.left, first


def fill(world: World, account: AccountState, order: Order, deal: Deal, done: bool = True) -> None:
    """Book one deal and tell the order's new state. `done` lets a full size finish the order."""
    execution = book_deal(world, account, order, deal)
    order.state = "partially_filled"
    if done and order.filled >= order.size:
        finish(world, account, order)
    world.tell_order(account, order, execution)


def finish(world: World, account: AccountState, order: Order) -> None:
    """The order has filled whole; what hangs on it comes alive."""
    order.state = "filled"
    retire(world, account, order)
    if order.attached:
        world.hatching.append((account, order))


def _fill_maker(world: World, maker: Order, price: Decimal, size: Decimal, trade_id: int) -> None:
    owner = world.owners[maker.ord_id]
    fill(world, owner, maker, Deal(price, size, trade_id, maker=True))
    settle_account(world, owner, maker, ((maker.inst_id, str(trade_id)),))


def settle_account(
    world: World, account: AccountState, order: Order, trades: tuple[tuple[str, str], ...]
) -> None:
    """After fills: tell balances and positions, and hold reduce-only orders to what is left to reduce."""
    instrument = world.markets[order.inst_id].instrument
    if instrument.is_swap:
        key = order.position
        world.tell_account(account, "filled", (instrument.quote,), (key,), trades)
        follow_position(world, account, key)
    else:
        world.tell_account(account, "filled", (instrument.base, instrument.quote), (), trades)


def follow_position(world: World, account: AccountState, key: PositionKey) -> None:
    """After a position has changed: cut what only reduces it, and hold margin for what now opens.

    A resting order that came to close it and cannot pay for opening goes with it: api-v5.md 4.4, 17.
    """
    if account.sums.reducing:
        hold_to_position(world, account, key, REDUCE_ONLY)
    for order in work_out(world, account, key):
        cancel(world, account, order, POSITION_CLOSED)


def hold_to_position(world: World, account: AccountState, key: PositionKey, source: str) -> None:
    """Cut resting reduce-only orders to the position, best price first, then oldest first.

    What nothing is left for is cancelled: with `source`, and with REDUCE_ONLY when there is no position.
    """
    waiting = account.sums.reducing.get(key)
    if not waiting:
        return
    size = held(account, key)
    side = "sell" if size > 0 else "buy"
    left = abs(size)
    sign = -1 if side == "buy" else 1
    for order in sorted(waiting.values(), key=lambda each: sign * each.limit):
        if left <= 0 or order.side != side:
            cancel(world, account, order, source if size and order.side == side else REDUCE_ONLY)
        elif order.left > left:
            resize(account, order, order.filled + left, order.frozen)
            order.amend_source = CUT_FOR_OTHERS
            world.tell_order(account, order)
            left = ZERO
        else:
            left -= order.left


def match_resting(world: World, market: Market) -> None:
    """Fill resting orders the moved market has reached, at their own prices, as makers."""
    book = market.book
    if not (book.resting["buy"] or book.resting["sell"]) or market.instrument.state != "live":
        return
    touched = False
    for hit, size in book.take_hits():  # by trades of a recorded book
        if hit.is_open:
            touched, size = True, min(size, hit.left)
            trade_id = market.print_trade(size, hit.limit, opposite(hit.side), world.outbox)
            _fill_maker(world, hit, hit.limit, size, trade_id)
    if _queues(world, market):
        for maker, part in queue.printed(market):
            if (size := min(part, market.room())) > 0:
                market.use_room(size)
                touched = True
                trade_id = market.print_trade(size, maker.limit, opposite(maker.side), world.outbox)
                _fill_maker(world, maker, maker.limit, size, trade_id)
    for side in ("buy", "sell"):
        while (order := book.resting[side].first) is not None:
            offers = book.levels(opposite(side))
            if not offers or not reaches(side, order.limit, offers[0][0]):
                break
            size = min(order.left, offers[0][1], market.room())
            if size <= 0:
                break
            touched = True
            trade_id = market.print_trade(size, order.limit, opposite(side), world.outbox)
            book.eat(opposite(side), size)
            market.use_room(size)
            _fill_maker(world, order, order.limit, size, trade_id)
    if touched:
        market.touched(world.outbox)


def retire(world: World, account: AccountState, order: Order) -> None:
    """Take a finished order out of the book and the list of open orders."""
    close_order(world, account, order)
    market = world.markets[order.inst_id]
    if market.book.resting[order.side].remove(order):
        market.touched(world.outbox)


def cancel(
    world: World, account: AccountState, order: Order, source: str, amendment: Amendment | None = None
) -> None:
    order.state, order.cancel_source = "canceled", source
    retire(world, account, order)
    world.tell_order(account, order, amendment=amendment)
