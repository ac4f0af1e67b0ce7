"""A client's place in the queue at its price."""

from exchange.sim.model import Order
from tests.exchange.sim.economics.test_matching import best
from tests.exchange.sim.worlds import MINUTE_MS, SPOT, D, Desk


def at_best_bid(desk: Desk, size: str = "0.1") -> tuple[Order, D]:
    """An order at the best bid, and what stood there before it."""
    shown = best(desk, SPOT, "sell")
    return desk.order(SPOT, "buy", size, str(shown.price), kind="limit"), shown.size


def test_an_order_stands_behind_what_was_shown_when_it_came_and_before_what_comes_later() -> None:
    desk = Desk(queues=True)
    order, ahead = at_best_bid(desk)
    assert order.ahead == ahead
    taker = desk.open("taker")
    taker.trading["BTC"] = D(100)
    desk.order(SPOT, "sell", str(ahead - 1), str(order.price), account=taker)
    assert (order.state, order.ahead) == ("live", 1)
    desk.venue.world.markets[SPOT].book.levels("buy")[0][1] += 50  # others join behind
    desk.order(SPOT, "sell", "1.05", str(order.price), account=taker)
    assert (order.state, order.filled) == ("partially_filled", D("0.05"))


def test_prints_at_its_price_move_an_order_up_and_then_fill_it() -> None:
    desk = Desk(queues=True)
    order, _ = at_best_bid(desk)
    market = desk.venue.world.markets[SPOT]
    order.ahead = market.last_size + D("0.5") if market.last == order.price else D("0.3")
    steps = 0
    while order.is_open and steps < 50:
        steps += 1
        desk.market.spot["BTC"] = float(order.price or 0)
        desk.wait(MINUTE_MS)
    assert order.state == "filled" and order.avg_px == order.price
    assert all(fill.maker for fill in desk.me.executions)


def test_prints_elsewhere_leave_the_queue_alone() -> None:
    desk = Desk(queues=True)
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    order.ahead = D(5)
    desk.wait(10 * MINUTE_MS)
    assert (order.state, order.ahead) == ("live", 5)


def test_a_market_that_trades_through_a_price_fills_everybody_there() -> None:
    desk = Desk(queues=True)
    order, _ = at_best_bid(desk)
    desk.move(59_900)
    assert order.state == "filled"


def test_without_queues_prints_at_its_price_do_not_fill_an_order() -> None:
    desk = Desk()
    order, _ = at_best_bid(desk)
    desk.market.spot["BTC"] = float(order.price or 0)
    for _ in range(20):
        desk.wait(MINUTE_MS)
    assert (order.state, order.ahead) == ("live", 0)
