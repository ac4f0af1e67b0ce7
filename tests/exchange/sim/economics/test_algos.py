from decimal import Decimal

import pytest

from exchange.sim.algo_model import AlgoOrder, Attached, Trailing, Trigger
from exchange.sim.events import AlgoChanged
from exchange.sim.model import Order, Reject
from exchange.sim.seam import AlgoChange, AlgoParams
from tests.exchange.sim.worlds import MINUTE_MS, SPOT, SWAP, D, Desk


def at(price: str, order_px: str | None = None, watches: str = "last") -> Trigger:
    return Trigger(D(price), watches, None if order_px is None else D(order_px))


def algo(
    desk: Desk, side: str, kind: str, size: str | None = "1", inst_id: str = SWAP, **more: object
) -> AlgoOrder:
    mode = "cross" if inst_id.endswith("SWAP") else "cash"
    params = AlgoParams(inst_id, mode, side, kind, None if size is None else D(size), **more)  # type: ignore[arg-type]
    return desk.venue.place_algo(desk.me, params)


def placed(desk: Desk, one: AlgoOrder) -> Order:
    return desk.me.orders[one.ord_id]


def states(desk: Desk) -> list[str]:
    return [event.algo.state for event in desk.venue.outbox if isinstance(event, AlgoChanged)]


@pytest.mark.parametrize(
    ("side", "arm", "near", "beyond"),
    [
        ("sell", "stop_loss", 59_501, 59_499),
        ("sell", "take_profit", 60_499, 60_501),
        ("buy", "stop_loss", 60_499, 60_501),
        ("buy", "take_profit", 59_501, 59_499),
    ],
)
def test_a_stop_waits_until_its_price_is_reached_and_then_trades_at_the_market(
    side: str, arm: str, near: float, beyond: float
) -> None:
    desk = Desk()
    price = "59500" if beyond < 60_000 else "60500"
    one = algo(desk, side, "conditional", **{arm: at(price)})
    desk.move(near)
    assert one.state == "live" and not desk.me.orders
    desk.move(beyond)
    order = placed(desk, one)
    assert (one.state, one.actual_side, one.triggered_ms) == (
        "effective",
        "sl" if arm == "stop_loss" else "tp",
        desk.venue.now_ms,
    )
    assert (order.state, order.kind, order.side, order.filled) == ("filled", "market", side, 1)
    assert (order.algo_id, order.source) == (one.algo_id, "7")
    assert (one.actual_size, one.actual_px) == (1, order.avg_px)
    assert not desk.me.open_algos and not desk.venue.world.waiting


def test_a_stop_with_a_price_of_its_own_leaves_a_limit_order() -> None:
    desk = Desk()
    one = algo(desk, "buy", "conditional", take_profit=at("59500", "59000"))
    desk.move(59_400)
    order = placed(desk, one)
    assert (order.kind, order.price, order.state, one.actual_px) == ("limit", 59_000, "live", 59_000)


@pytest.mark.parametrize("watches", ["mark", "index"])
def test_a_trigger_may_watch_the_mark_or_the_index_instead_of_the_last_trade(watches: str) -> None:
    desk = Desk()
    one = algo(desk, "sell", "conditional", stop_loss=at("59500", watches=watches))
    desk.market.mark["BTC"] = 60_000.0
    desk.move(60_000, basis=-1 / 60)  # the last trade at 59,000
    assert one.state == "live"
    desk.market.mark["BTC"] = 59_000.0 if watches == "mark" else 60_000.0
    desk.move(60_000 if watches == "mark" else 59_000, basis=0)
    assert one.state == "effective"


def test_of_two_arms_the_first_reached_cancels_the_other() -> None:
    desk = Desk()
    one = algo(desk, "sell", "oco", take_profit=at("60500"), stop_loss=at("59500"))
    desk.move(60_600)
    desk.move(59_400)
    assert (one.actual_side, len(desk.me.orders)) == ("tp", 1)


def test_a_one_way_stop_with_both_arms_carries_out_the_stop_loss_only() -> None:
    desk = Desk()
    one = algo(desk, "sell", "conditional", take_profit=at("60500"), stop_loss=at("59500"))
    desk.move(60_600)
    assert one.state == "live"
    desk.move(59_400)
    assert one.actual_side == "sl"


@pytest.mark.parametrize(("price", "before", "after"), [("60500", 60_499, 60_500), ("59500", 59_501, 59_500)])
def test_a_plain_trigger_goes_off_when_the_price_comes_to_it_from_either_side(
    price: str, before: float, after: float
) -> None:
    desk = Desk()
    one = algo(desk, "buy", "trigger", trigger=at(price))
    desk.move(before)
    assert one.state == "live"
    desk.move(after)
    assert one.state == "effective" and placed(desk, one).source == "6"


def test_a_trigger_may_place_an_order_that_takes_or_goes() -> None:
    desk = Desk()
    one = algo(desk, "buy", "trigger", trigger=at("60500", "60000"), then="ioc")
    desk.move(60_600)
    assert (placed(desk, one).kind, placed(desk, one).cancel_source, one.state) == ("ioc", "14", "effective")


def test_a_trailing_sale_follows_the_price_up_and_sells_when_it_comes_back() -> None:
    desk = Desk()
    one = algo(desk, "sell", "move_order_stop", trailing=Trailing(D("0.01"), None, None))
    assert one.trigger_px == 60_000 * D("0.99")
    desk.move(61_000)
    assert one.trigger_px == 61_000 * D("0.99")
    desk.move(60_391)
    assert one.state == "live" and one.trigger_px == 61_000 * D("0.99")
    desk.move(60_389)
    assert one.state == "effective" and placed(desk, one).source == "25"


def test_a_trailing_purchase_starts_at_its_activation_price_and_keeps_its_distance() -> None:
    desk = Desk()
    one = algo(desk, "buy", "move_order_stop", trailing=Trailing(None, D("100"), D("59900")))
    desk.move(59_950)
    desk.move(60_200)
    assert one.state == "live" and one.trigger_px is None
    desk.move(59_880)
    desk.move(59_800)
    assert one.trigger_px == 59_900
    desk.move(59_901)
    assert one.state == "effective"


def test_a_close_of_the_whole_position_takes_what_there_is_when_it_goes_off() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10")
    one = algo(desk, "buy", "conditional", None, reduce_only=True, stop_loss=at("60500"))
    desk.order(SWAP, "sell", "5")
    desk.move(60_600)
    assert desk.contracts() == 0 and placed(desk, one).size == 15


@pytest.mark.parametrize("size", [None, "10"])
def test_a_stop_tied_to_a_position_goes_when_the_position_does(size: str | None) -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10")
    tied = algo(desk, "buy", "conditional", size, reduce_only=True, with_position=True, stop_loss=at("60500"))
    loose = algo(desk, "buy", "conditional", "10", reduce_only=True, stop_loss=at("60500"))
    desk.order(SWAP, "buy", "10")
    assert (tied.state, loose.state) == ("canceled", "live")


def test_what_the_venue_refuses_at_the_trigger_fails_with_its_code() -> None:
    desk = Desk(usdt="10")
    one = algo(desk, "buy", "conditional", "5", stop_loss=at("60500"))
    desk.move(60_600)
    assert (one.state, one.fail_code, one.ord_id) == ("order_failed", "51008", "")
    assert desk.me.trading == {"USDT": 10} and not desk.venue.world.waiting


def test_one_stop_may_set_off_another_at_the_same_instant() -> None:
    desk = Desk(usdt="100000000")
    best, next_one, deep = desk.venue.markets[SWAP].bids(3)
    size = sum(level.size for level in desk.venue.markets[SWAP].bids(3))
    second = algo(desk, "sell", "conditional", "1", stop_loss=at(str(deep.price)))
    first = algo(desk, "sell", "conditional", str(size), stop_loss=at(str(next_one.price)))
    sale = desk.order(SWAP, "sell", str(best.size + D("0.01")), str(next_one.price))
    assert sale.state == "filled"
    assert (first.state, second.state) == ("effective", "effective")


def test_a_cancelled_stop_never_goes_off_and_a_triggered_one_cannot_be_cancelled() -> None:
    desk = Desk()
    one = algo(desk, "sell", "conditional", stop_loss=at("59500"))
    two = algo(desk, "sell", "conditional", stop_loss=at("59400"))
    desk.venue.cancel_algo(desk.me, one)
    desk.move(59_300)
    assert (one.state, two.state) == ("canceled", "effective")
    with pytest.raises(Reject, match="51400"):
        desk.venue.cancel_algo(desk.me, one)
    with pytest.raises(Reject, match="51416"):
        desk.venue.cancel_algo(desk.me, two)


def test_an_amended_stop_waits_for_its_new_price_and_a_refused_amendment_changes_nothing() -> None:
    desk = Desk()
    one = algo(desk, "sell", "oco", take_profit=at("60500"), stop_loss=at("59500"))
    desk.venue.amend_algo(desk.me, one, AlgoChange(D(2), None, at("59000"), None, "r1"))
    event = desk.venue.outbox[-1]
    assert isinstance(event, AlgoChanged) and (event.req_id, event.amend_result) == ("r1", "0")
    with pytest.raises(Reject, match="51280"):
        desk.venue.amend_algo(desk.me, one, AlgoChange(stop_loss=at("60100"), req_id="r2"))
    event = desk.venue.outbox[-1]
    assert isinstance(event, AlgoChanged) and (event.req_id, event.amend_result) == ("r2", "-1")
    assert (one.size, one.stop_loss) == (2, at("59000"))
    desk.venue.amend_algo(desk.me, one, AlgoChange(take_profit=at("0")))
    assert one.take_profit is None
    with pytest.raises(Reject, match="51531"):
        desk.venue.amend_algo(desk.me, one, AlgoChange(stop_loss=at("0")))
    with pytest.raises(Reject, match="51526"):
        desk.venue.amend_algo(desk.me, one, AlgoChange(take_profit=at("60500")))
    desk.move(59_400)
    assert one.state == "live"
    desk.move(58_900)
    assert placed(desk, one).filled == 2


@pytest.mark.parametrize(
    ("side", "kind", "size", "more", "code"),
    [
        ("sell", "twap", "1", {}, "51056"),
        ("sell", "conditional", "1", {}, "50015"),
        ("sell", "oco", "1", {"stop_loss": at("59500")}, "51000"),
        ("sell", "conditional", "1", {"take_profit": at("59500")}, "51279"),
        ("sell", "conditional", "1", {"stop_loss": at("60500")}, "51280"),
        ("buy", "conditional", "1", {"take_profit": at("60500")}, "51277"),
        ("buy", "conditional", "1", {"stop_loss": at("59500")}, "51278"),
        ("buy", "conditional", "1", {"stop_loss": at("59500", watches="mark")}, "51302"),
        ("sell", "conditional", "1", {"take_profit": at("59500", watches="index")}, "51307"),
        ("sell", "conditional", "1", {"stop_loss": at("59500.05")}, "51000"),
        ("sell", "conditional", "0.015", {"stop_loss": at("59500")}, "51121"),
        ("sell", "conditional", "13000", {"stop_loss": at("59500")}, "51275"),
        ("sell", "conditional", "1", {"stop_loss": at("59500"), "td_mode": "cash"}, "51000"),
        ("sell", "move_order_stop", "1", {}, "50015"),
        ("sell", "move_order_stop", "1", {"trailing": Trailing(D("0.0001"), None, None)}, "51311"),
        ("sell", "move_order_stop", "1", {"trailing": Trailing(D("0.01"), None, D("59900"))}, "51258"),
        ("buy", "move_order_stop", "1", {"trailing": Trailing(D("0.01"), None, D("60100"))}, "51259"),
        ("buy", "conditional", None, {"stop_loss": at("60500"), "reduce_only": True}, "51058"),
        ("buy", "conditional", None, {"stop_loss": at("60500")}, "51328"),
        ("buy", "conditional", None, {"stop_loss": at("60500", "60600"), "reduce_only": True}, "51330"),
        ("buy", "conditional", "1", {"stop_loss": at("60500"), "with_position": True}, "51000"),
        ("buy", "trigger", "1", {"trigger": at("60500"), "then": "fok"}, "51000"),
    ],
)  # fmt: skip
def test_an_algo_order_that_cannot_stand_is_refused_with_the_venues_code(
    side: str, kind: str, size: str | None, more: dict[str, object], code: str
) -> None:
    desk = Desk()
    mode = str(more.pop("td_mode", "cross")) if "td_mode" in more else "cross"
    params = AlgoParams(SWAP, mode, side, kind, None if size is None else D(size), **more)  # type: ignore[arg-type]
    with pytest.raises(Reject) as refusal:
        desk.venue.place_algo(desk.me, params)
    assert refusal.value.code == code and not desk.me.algos and not desk.venue.outbox


def test_spot_triggers_watch_the_last_trade_only() -> None:
    desk = Desk()
    with pytest.raises(Reject, match="51415"):
        algo(desk, "buy", "trigger", "0.1", SPOT, trigger=at("60500", watches="mark"))
    one = algo(desk, "buy", "trigger", "600", SPOT, trigger=at("60500"), target_ccy="quote_ccy")
    desk.move(60_600)
    assert placed(desk, one).filled == pytest.approx(D("0.0099"), rel=D("0.001"))


def test_pending_algo_orders_of_a_symbol_are_limited_by_kind() -> None:
    desk = Desk()
    for _ in range(50):
        algo(desk, "sell", "move_order_stop", trailing=Trailing(D("0.01"), None, None))
    with pytest.raises(Reject, match="51260"):
        algo(desk, "sell", "move_order_stop", trailing=Trailing(D("0.01"), None, None))
    for _ in range(100):
        algo(desk, "sell", "conditional", stop_loss=at("59500"))
    with pytest.raises(Reject, match="51261"):
        algo(desk, "sell", "oco", stop_loss=at("59500"), take_profit=at("60500"))


def test_only_one_stop_may_close_a_whole_position_and_ids_are_not_used_twice() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10")
    algo(desk, "buy", "conditional", None, reduce_only=True, stop_loss=at("60500"), cl_id="a")
    with pytest.raises(Reject, match="51088"):
        algo(desk, "buy", "conditional", None, reduce_only=True, stop_loss=at("60600"))
    with pytest.raises(Reject, match="51065"):
        algo(desk, "buy", "conditional", "1", stop_loss=at("60600"), cl_id="a")


# --- attached to a normal order -----------------------------------------------------------------

BOTH = Attached("", "guard", at("60500"), at("59500"), None)


def test_what_is_attached_comes_alive_when_the_order_has_filled_and_closes_its_position() -> None:
    desk = Desk()
    order = desk.order(SWAP, "buy", "10", "59900", kind="limit", attached=(BOTH,))
    assert order.attached[0].algo_id and not desk.me.algos
    desk.move(59_800)
    (guard,) = desk.me.algos.values()
    assert (guard.kind, guard.side, guard.size, guard.cl_id) == ("oco", "sell", 10, "guard")
    assert guard.reduce_only and guard.algo_id == order.attached[0].algo_id
    desk.move(59_400)
    assert desk.contracts() == 0 and guard.actual_side == "sl"


def test_nothing_comes_alive_of_an_order_cancelled_before_it_was_full() -> None:
    desk = Desk()
    order = desk.order(SWAP, "buy", "10", "59900", kind="limit", attached=(BOTH,))
    desk.venue.cancel(desk.me, order)
    assert not desk.me.algos


def test_a_stop_on_spot_sells_what_the_fee_has_left_of_the_coins() -> None:
    desk = Desk()
    desk.order(SPOT, "buy", "0.1", "60100", attached=(BOTH,))
    (guard,) = desk.me.algos.values()
    assert guard.size == D("0.0999") and not guard.reduce_only
    desk.move(59_400)
    assert guard.state == "effective" and desk.cash("BTC") == 0


def test_take_profits_may_share_an_order_between_them() -> None:
    desk = Desk()
    near = Attached("", "", at("60500"), None, D(4))
    far = Attached("", "", at("60900"), None, D(6))
    stop = Attached("", "", None, at("59500"), None)
    desk.order(SWAP, "buy", "10", "60100", attached=(near, far, stop))
    assert [one.size for one in desk.me.algos.values()] == [4, 6, 10]
    desk.move(60_600)
    assert desk.contracts() == 6
    desk.move(59_400)
    assert desk.contracts() == 0


@pytest.mark.parametrize(
    ("attached", "more", "code"),
    [
        ((Attached("", "", at("59500"), None, None),), {}, "51046"),
        ((Attached("", "", None, at("60500"), None),), {}, "51047"),
        ((Attached("", "x", None, None, None),), {}, "51178"),
        ((BOTH, BOTH), {}, "51068"),
        ((BOTH, Attached("", "", at("60600"), None, D(10))), {}, "51076"),
        ((Attached("", "", at("60500"), None, D(4)), Attached("", "", at("60500"), None, D(6))), {}, "51081"),
        ((Attached("", "", at("60500"), None, D(4)), Attached("", "", at("60600"), None, D(7))), {}, "51083"),
        ((Attached("", "", at("60500"), None, D(4)), Attached("", "", at("60600"), None, None)), {}, "51089"),
        ((BOTH,), {"reduce_only": True}, "51100"),
    ],
)  # fmt: skip
def test_attachments_that_cannot_stand_refuse_the_order(
    attached: tuple[Attached, ...], more: dict[str, object], code: str
) -> None:
    desk = Desk()
    with pytest.raises(Reject) as refusal:
        desk.order(SWAP, "buy", "10", "60000", kind="limit", attached=attached, **more)
    assert refusal.value.code == code and not desk.me.orders


def test_an_order_without_a_price_measures_its_attachments_against_the_book() -> None:
    desk = Desk()
    with pytest.raises(Reject, match="51050"):
        desk.order(SWAP, "buy", "10", attached=(Attached("", "", at("60000"), None, None),))
    with pytest.raises(Reject, match="51044"):
        desk.order(SPOT, "buy", "0.1", attached=(BOTH,))


def test_waiting_orders_make_the_market_stop_at_every_turn() -> None:
    desk = Desk()
    asked: list[bool] = []
    plain = desk.market.next_ms

    def next_ms(after_ms: int, every_turn: bool = False) -> int | None:
        asked.append(every_turn)
        return plain(after_ms, every_turn)

    desk.market.next_ms = next_ms  # type: ignore[method-assign]
    desk.venue.next_ms()
    algo(desk, "sell", "conditional", stop_loss=at("59500"))
    desk.venue.next_ms()
    assert asked == [False, True]


def test_nothing_goes_off_while_the_venue_is_closed() -> None:
    desk = Desk()
    one = algo(desk, "sell", "conditional", stop_loss=at("59500"))
    desk.venue.world.closed = True
    desk.market.spot["BTC"] = 59_000.0
    desk.venue.advance(desk.venue.now_ms + 1)
    desk.venue.world.closed = False
    desk.wait(MINUTE_MS)
    assert one.state == "effective" and states(desk) == ["live", "effective"]
    assert isinstance(one.actual_px, Decimal)
