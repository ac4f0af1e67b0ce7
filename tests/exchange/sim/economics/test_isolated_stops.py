"""Stops under isolated positions: each knows its own position, and goes when that does, however it ends."""

import pytest

from exchange.sim.algo_model import AlgoOrder, Trigger
from exchange.sim.edits import Edits
from exchange.sim.model import PositionKey, Reject
from exchange.sim.seam import AlgoParams
from tests.exchange.sim.worlds import SWAP, D, Desk

OWN = PositionKey(SWAP, "isolated")
both_ways = pytest.mark.parametrize(("opens", "closes", "sign"), [("buy", "sell", 1), ("sell", "buy", -1)])


def guard(desk: Desk, side: str, price: int, size: int = 10, cl_id: str = "", **more: object) -> AlgoOrder:
    params = AlgoParams(
        SWAP, "isolated", side, "conditional", D(size), cl_id=cl_id, reduce_only=True, with_position=True,
        stop_loss=Trigger(D(price), "mark", None), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return desk.venue.place_algo(desk.me, params)


def mark(desk: Desk, price: float) -> None:
    """Take the mark there alone; the last trade stays where it is."""
    desk.market.mark["BTC"] = price
    desk.wait(60_000)


@both_ways
def test_a_stop_closes_its_isolated_position_and_leaves_the_cross_one(
    opens: str, closes: str, sign: int
) -> None:
    desk = Desk()
    desk.order(SWAP, opens, "10", mode="isolated")
    desk.order(SWAP, opens, "3")
    one = guard(desk, closes, 60_000 - sign * 1_000)
    mark(desk, 60_000 - sign * 999)
    assert one.state == "live"
    mark(desk, 60_000 - sign * 1_000)
    order = desk.me.orders[one.ord_id]
    assert (one.state, order.td_mode, order.filled, order.reduce_only) == ("effective", "isolated", 10, True)
    assert (desk.contracts(OWN), desk.contracts()) == (0, 3 * sign)
    assert desk.me.margins[OWN] == 0


@both_ways
def test_a_cross_position_alone_is_nothing_an_isolated_stop_could_reduce(
    opens: str, closes: str, sign: int
) -> None:
    desk = Desk()
    desk.order(SWAP, opens, "10")
    with pytest.raises(Reject, match="51058"):
        guard(desk, closes, 60_000 - sign * 1_000)
    desk.order(SWAP, closes, "10", mode="isolated")
    with pytest.raises(Reject, match="51058"):  # of the same direction as what stands there
        guard(desk, closes, 60_000 - sign * 1_000)


@both_ways
def test_two_stops_may_stand_while_one_replaces_the_other(opens: str, closes: str, sign: int) -> None:
    desk = Desk()
    desk.order(SWAP, opens, "10", mode="isolated")
    old = guard(desk, closes, 60_000 - sign * 2_000, cl_id="old")
    new = guard(desk, closes, 60_000 - sign * 1_000, cl_id="new")
    desk.venue.cancel_algo(desk.me, old)
    mark(desk, 60_000 - sign * 3_000)
    assert (old.state, new.state) == ("canceled", "effective") and desk.contracts(OWN) == 0


@both_ways
def test_of_two_stops_reached_at_once_the_first_closes_and_the_other_goes_with_the_position(
    opens: str, closes: str, sign: int
) -> None:
    desk = Desk()
    desk.order(SWAP, opens, "10", mode="isolated")
    stops = [guard(desk, closes, 60_000 - sign * 1_000), guard(desk, closes, 60_000 - sign * 1_100)]
    mark(desk, 60_000 - sign * 3_000)
    assert [one.state for one in stops] == ["effective", "canceled"]
    assert desk.contracts(OWN) == 0 and len(desk.me.orders) == 2


@both_ways
def test_a_liquidation_takes_the_stop_of_its_position_along(opens: str, closes: str, sign: int) -> None:
    desk = Desk()
    desk.venue.set_leverage(desk.me, OWN, D(3))
    desk.order(SWAP, opens, "10", mode="isolated")
    cash = desk.cash()
    one = guard(desk, closes, 60_000 - sign * 1_000)
    one.stop_loss = Trigger(D(60_000 - sign * 30_000), "mark", None)  # beyond the liquidation
    mark(desk, 60_000 - sign * 21_000)
    assert one.state == "canceled" and desk.contracts(OWN) == 0
    assert abs(desk.cash() - cash) < 1 and desk.me.bills[-1].sub_type in ("104", "105")


@both_ways
def test_deleveraging_leaves_the_stop_for_what_is_left(opens: str, closes: str, sign: int) -> None:
    desk = Desk()
    desk.order(SWAP, opens, "10", mode="isolated")
    one = guard(desk, closes, 60_000 - sign * 1_000)
    Edits(desk.venue).force_adl(desk.me, SWAP, D("0.4"))
    left = desk.contracts(OWN)
    assert 0 < left * sign < 10 and one.state == "live"
    desk.wait(60_000)
    mark(desk, 60_000 - sign * 1_000)
    assert one.state == "effective" and desk.contracts(OWN) == 0
    assert desk.me.orders[one.ord_id].filled == left * sign
