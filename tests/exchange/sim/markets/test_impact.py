from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.markets.impact import Impact
from tests.exchange.sim.economics.test_matching import best
from tests.exchange.sim.worlds import SPOT, D, Desk


def test_a_walk_fades_in_a_straight_line() -> None:
    impact = Impact(0.5, 10_000)
    impact.note(1_000, 8.0)
    assert [impact.shift(at_ms) for at_ms in (1_000, 3_500, 6_000, 11_000, 50_000)] == [4, 3, 2, 0, 0]


def test_walks_add_up_in_both_directions() -> None:
    impact = Impact(1.0, 10_000)
    impact.note(0, 8.0)
    impact.note(5_000, -2.0)
    assert impact.shift(5_000) == 2.0


@given(looks=st.lists(st.integers(0, 20_000), max_size=10), at_ms=st.integers(0, 20_000))
def test_looking_in_between_changes_nothing(looks: list[int], at_ms: int) -> None:
    watched, alone = Impact(0.3, 9_000), Impact(0.3, 9_000)
    for one in (watched, alone):
        one.note(0, 5.0)
    for look in sorted(look for look in looks if look <= at_ms):
        watched.shift(look)
    assert watched.shift(at_ms) == alone.shift(at_ms)


def test_a_large_purchase_leaves_the_book_higher_for_a_while() -> None:
    desk = Desk(usdt="100000000", impact_share=0.5, impact_ms=60_000)
    before = best(desk, SPOT, "buy")
    desk.order(SPOT, "buy", str(sum(level.size for level in desk.venue.markets[SPOT].asks(4))), "60500")
    desk.wait(6_000)  # eaten depth is back
    after = best(desk, SPOT, "buy")
    assert after.price > before.price and desk.venue.markets[SPOT].last > 60_000
    desk.wait(60_000)
    assert best(desk, SPOT, "buy").price == before.price


def test_by_default_nothing_of_a_walk_stays() -> None:
    desk = Desk(usdt="100000000")
    before = best(desk, SPOT, "buy").price
    desk.order(SPOT, "buy", "8", "60500")
    desk.wait(6_000)
    assert best(desk, SPOT, "buy").price == before and D(before)
