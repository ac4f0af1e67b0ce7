"""What the venue forgets: memory stays bounded over months of venue time."""

from exchange.sim.algo_model import Trigger
from exchange.sim.economics import retention
from exchange.sim.seam import AlgoParams
from tests.exchange.sim.worlds import HOUR_MS, SPOT, SWAP, D, Desk

DAY_MS = 24 * HOUR_MS


def later(desk: Desk, ms: int) -> None:
    """Let the venue notice that time has passed, without walking through it."""
    desk.venue.world.now_ms += ms
    retention.sweep(desk.venue.world)


def test_a_cancelled_order_without_a_fill_is_forgotten_after_two_hours_and_its_name_with_it() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1", "59000", kind="limit", cl_id="a")
    desk.venue.cancel(desk.me, order)
    later(desk, 2 * HOUR_MS)
    assert order.ord_id in desk.me.orders
    later(desk, HOUR_MS)
    assert not desk.me.orders and not desk.me.by_client


def test_what_filled_in_part_or_whole_is_kept_for_three_months() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1", "60100", cl_id="a")
    later(desk, 3 * HOUR_MS)
    later(desk, 89 * DAY_MS)
    assert order.ord_id in desk.me.orders and desk.me.executions and desk.me.bills
    later(desk, DAY_MS)
    assert not desk.me.orders and not desk.me.executions and not desk.me.bills and not desk.me.by_client


def test_an_open_order_is_never_forgotten_nor_a_name_used_again() -> None:
    desk = Desk()
    old = desk.order(SPOT, "buy", "0.1", "59000", kind="limit", cl_id="a")
    desk.venue.cancel(desk.me, old)
    new = desk.order(SPOT, "buy", "0.1", "59000", kind="limit", cl_id="a")
    later(desk, 200 * DAY_MS)
    assert list(desk.me.orders) == [new.ord_id] and desk.me.by_client == {"a": new.ord_id}


def test_ended_algo_orders_are_kept_for_three_months_too() -> None:
    desk = Desk()
    stop = Trigger(D("59500"), "last", None)
    algo = desk.venue.place_algo(
        desk.me, AlgoParams(SWAP, "cross", "sell", "conditional", D(1), stop_loss=stop)
    )
    desk.venue.cancel_algo(desk.me, algo)
    later(desk, 89 * DAY_MS)
    assert desk.me.algos
    later(desk, 2 * DAY_MS)
    assert not desk.me.algos


def test_a_year_of_trading_every_day_leaves_three_months_of_it() -> None:
    desk = Desk()
    for _ in range(365):
        for _ in range(5):
            desk.venue.cancel(desk.me, desk.order(SPOT, "buy", "0.1", "59000", kind="limit"))
        desk.order(SPOT, "buy", "0.001", "60100")
        later(desk, DAY_MS)
    world = desk.venue.world
    assert len(desk.me.orders) <= 91 + 5 and len(desk.me.executions) <= 91
    assert len(world.ended) + len(world.archived) <= 91 + 5


def test_the_venue_forgets_by_itself_as_time_passes() -> None:
    desk = Desk()
    desk.venue.cancel(desk.me, desk.order(SPOT, "buy", "0.1", "59000", kind="limit"))
    desk.wait(4 * HOUR_MS)
    assert not desk.me.orders
