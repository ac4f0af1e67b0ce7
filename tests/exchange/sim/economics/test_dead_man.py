import pytest

from exchange.sim.model import Reject
from tests.exchange.sim.worlds import SPOT, D, Desk


def test_a_tags_timer_takes_its_own_orders_only() -> None:
    desk = Desk()
    mine = desk.order(SPOT, "buy", "0.1", "59000", kind="limit", tag="a")
    other = desk.order(SPOT, "buy", "0.1", "59000", kind="limit", tag="b")
    desk.venue.cancel_all_after(desk.me, 10, "a")
    desk.venue.cancel_all_after(desk.me, 20)
    desk.wait(10_000)
    assert (mine.state, mine.cancel_source, other.state) == ("canceled", "20", "live")
    desk.wait(10_000)
    assert other.state == "canceled" and not desk.me.dead_man


def test_stopping_a_tags_timer_leaves_the_others() -> None:
    desk = Desk()
    desk.venue.cancel_all_after(desk.me, 10, "a")
    desk.venue.cancel_all_after(desk.me, 10, "b")
    assert desk.venue.cancel_all_after(desk.me, 0, "a") == 0
    assert list(desk.me.dead_man) == ["b"]


def test_twenty_tags_have_timers_and_the_one_for_all_does_not_count() -> None:
    desk = Desk()
    for n in range(20):
        desk.venue.cancel_all_after(desk.me, 10, f"t{n}")
    desk.venue.cancel_all_after(desk.me, 10)
    desk.venue.cancel_all_after(desk.me, 30, "t7")
    with pytest.raises(Reject, match="51071"):
        desk.venue.cancel_all_after(desk.me, 10, "t20")


def test_the_venue_stops_at_the_instant_a_timer_fires() -> None:
    desk = Desk()
    at_ms = desk.venue.cancel_all_after(desk.me, 11)
    assert desk.venue.next_ms() == at_ms == desk.venue.now_ms + 11_000
    assert D(at_ms)
