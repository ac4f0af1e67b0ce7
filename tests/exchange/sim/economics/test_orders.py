import pytest

from exchange.sim.model import PositionKey, Reject
from exchange.sim.seam import OrderChange, OrderParams
from tests.exchange.sim.worlds import HELD, SPOT, SWAP, D, Desk

REFUSALS = [
    ("DOGE-USDT", "buy", "1", "1", {}, "51001"),
    (SPOT, "buy", "0.000001", "60000", {}, "51020"),
    (SPOT, "buy", "0.000010001", "60000", {}, "51121"),
    (SWAP, "sell", "0.015", "60000", {}, "51121"),
    (SWAP, "sell", "1", "60000.05", {}, "51000"),
    (SWAP, "buy", "1", "70000", {}, "51137"),
    (SWAP, "sell", "1", "50000", {}, "51138"),
    (SPOT, "buy", "0.1", "70000", {}, "51006"),
    (SPOT, "buy", "3", "60000", {}, "51008"),
    (SPOT, "sell", "0.1", "60000", {}, "51008"),
    (SWAP, "sell", "60", "60000", {"reduce_only": True}, "51169"),
    (SPOT, "buy", "0.1", "60000", {"kind": "optimal_limit_ioc"}, "51000"),
    (SPOT, "buy", "0.1", "60000", {"kind": "stop"}, "51000"),
    (SWAP, "buy", "1", "60000", {"pos_side": "long"}, "51000"),
    (SWAP, "buy", "1", "60000", {"kind": "fok", "stp": "cancel_both"}, "54036"),
    (SWAP, "sell", "200000000", "60000", {}, "51101"),
    (SWAP, "sell", "13000", None, {}, "51101"),
    (SPOT, "buy", "-1", "60000", {}, "51000"),
]


@pytest.mark.parametrize(("inst_id", "side", "size", "price", "more", "code"), REFUSALS)
def test_a_refused_order_says_why_and_changes_nothing(
    inst_id: str, side: str, size: str, price: str | None, more: dict[str, object], code: str
) -> None:
    desk = Desk()
    before = desk.venue.snapshot_hash()
    with pytest.raises(Reject) as refusal:
        desk.order(inst_id, side, size, price, **more)
    assert refusal.value.code == code
    assert desk.venue.snapshot_hash() == before and not desk.me.orders


def test_spot_is_traded_in_cash_and_a_swap_across_the_account() -> None:
    desk = Desk()
    for inst_id, mode in ((SPOT, "cross"), (SPOT, "isolated"), (SWAP, "cash")):
        with pytest.raises(Reject, match="tdMode"):
            desk.venue.place(desk.me, OrderParams(inst_id, mode, "buy", "ioc", D(1), D("60000")))


def test_multi_currency_mode_trades_spot_across_the_account() -> None:
    desk = Desk(level="3")
    with pytest.raises(Reject, match="tdMode"):
        desk.venue.place(desk.me, OrderParams(SPOT, "cash", "buy", "ioc", D(1), D("60000")))
    assert desk.order(SPOT, "buy", "0.1", "60100").state == "filled"


def test_spot_mode_has_no_swaps() -> None:
    desk = Desk(level="1")
    with pytest.raises(Reject, match="51010"):
        desk.order(SWAP, "sell", "1", "60000")


def test_a_suspended_instrument_is_checked_before_anything_else() -> None:
    desk = Desk()
    desk.venue.instruments[SWAP].state = "suspend"
    with pytest.raises(Reject, match="51022"):
        desk.order(SWAP, "sell", "0.015", "1.05")


def test_an_open_orders_client_id_cannot_be_used_again_but_a_finished_ones_can() -> None:
    desk = Desk()
    first = desk.order(SPOT, "buy", "0.1", "59900", kind="limit", cl_id="a1")
    with pytest.raises(Reject, match="51016"):
        desk.order(SPOT, "buy", "0.1", "59900", kind="limit", cl_id="a1")
    desk.venue.cancel(desk.me, first)
    again = desk.order(SPOT, "buy", "0.1", "59900", kind="limit", cl_id="a1")
    assert desk.me.by_client["a1"] == again.ord_id


def test_a_reduce_only_order_is_trimmed_to_the_position() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10")
    order = desk.order(SWAP, "buy", "25", "60100", reduce_only=True)
    assert (order.size, order.amend_source, order.state) == (D(10), "3", "filled")
    assert desk.contracts() == 0


def test_margin_counts_what_resting_orders_already_hold() -> None:
    desk = Desk(usdt="10000")
    desk.venue.set_leverage(desk.me, HELD, D(1))
    desk.order(SWAP, "sell", "10", "60500", kind="limit")  # 6,050 and the fee
    with pytest.raises(Reject, match="51008"):
        desk.order(SWAP, "sell", "10", "60500", kind="limit")
    desk.order(SWAP, "sell", "6", "60500", kind="limit")


def test_a_position_may_not_outgrow_the_tier_its_leverage_allows() -> None:
    desk = Desk(usdt="100000000")
    desk.venue.set_leverage(desk.me, HELD, D(100))
    with pytest.raises(Reject, match="51004"):
        desk.order(SWAP, "sell", "1001", "59900")
    desk.venue.set_leverage(desk.me, HELD, D(50))
    assert desk.order(SWAP, "sell", "1001", "59500").filled > 0


def test_open_orders_count_towards_the_tier() -> None:
    desk = Desk(usdt="100000000")
    desk.venue.set_leverage(desk.me, HELD, D(100))
    desk.order(SWAP, "sell", "600", "60500", kind="limit")
    with pytest.raises(Reject, match="51004"):
        desk.order(SWAP, "sell", "600", "60500", kind="limit")


def test_a_position_and_the_orders_of_its_side_count_together_and_those_against_it_do_not() -> None:
    desk = Desk(usdt="100000000")
    desk.venue.set_leverage(desk.me, HELD, D(100))
    desk.order(SWAP, "buy", "500", "60500")
    desk.order(SWAP, "buy", "400", "59500", kind="limit")
    with pytest.raises(Reject, match="51004"):
        desk.order(SWAP, "buy", "101", "59500", kind="limit")
    assert desk.order(SWAP, "buy", "100", "59500", kind="limit").is_open
    assert desk.order(SWAP, "sell", "1500", "60500", kind="limit").is_open  # ends 1,000 short at the most
    with pytest.raises(Reject, match="51004"):
        desk.order(SWAP, "sell", "1", "60500", kind="limit")


def test_across_the_account_both_directions_of_long_short_mode_count_together() -> None:
    desk = Desk(usdt="100000000")
    desk.venue.set_position_mode(desk.me, "long_short_mode")
    desk.venue.set_leverage(desk.me, HELD, D(100))
    desk.order(SWAP, "buy", "400", "60500", pos_side="long")
    desk.order(SWAP, "sell", "300", "59500", pos_side="short")
    desk.order(SWAP, "sell", "200", "60500", kind="limit", pos_side="short")
    for side, pos_side, price in (("buy", "long", "59500"), ("sell", "short", "60500")):
        with pytest.raises(Reject, match="51004"):
            desk.order(SWAP, side, "101", price, kind="limit", pos_side=pos_side)
    desk.order(SWAP, "buy", "100", "59500", kind="limit", pos_side="long")
    desk.order(SWAP, "sell", "400", "60500", kind="limit", pos_side="long")  # closing asks for nothing
    alone = PositionKey(SWAP, "isolated", "long"), PositionKey(SWAP, "isolated", "short")
    for key, side, price in zip(alone, ("buy", "sell"), ("59500", "60500"), strict=True):
        desk.venue.set_leverage(desk.me, key, D(100))
        order = desk.order(SWAP, side, "1000", price, kind="limit", mode="isolated", pos_side=key.side)
        assert order.is_open  # each direction has tiers of its own there


def test_an_amended_order_counts_once_towards_the_tier() -> None:
    desk = Desk(usdt="100000000")
    desk.venue.set_leverage(desk.me, HELD, D(100))
    desk.order(SWAP, "buy", "500", "60500")
    order = desk.order(SWAP, "buy", "400", "59500", kind="limit")
    with pytest.raises(Reject, match="51004"):
        desk.venue.amend(desk.me, order, OrderChange(size=D(501)))
    desk.venue.amend(desk.me, order, OrderChange(size=D(500)))
    assert order.size == 500


def test_a_leverage_must_allow_what_is_held_and_asked_for_together() -> None:
    desk = Desk(usdt="100000000")
    desk.venue.set_leverage(desk.me, HELD, D(50))
    desk.order(SWAP, "buy", "500", "60500")
    order = desk.order(SWAP, "buy", "501", "59500", kind="limit")
    with pytest.raises(Reject, match="51004"):
        desk.venue.set_leverage(desk.me, HELD, D(100))
    desk.venue.cancel(desk.me, order)
    desk.venue.set_leverage(desk.me, HELD, D(100))
    assert desk.venue.leverage_of(desk.me, HELD) == 100


def test_only_what_an_order_opens_needs_margin() -> None:
    desk = Desk(usdt="2100")
    desk.order(SWAP, "sell", "10", "59900")  # at 3x: 2,000 of 2,100 are in use
    desk.order(SWAP, "buy", "10.1", "60100")
    assert desk.contracts() == D("0.1")


def test_orders_of_one_symbol_are_limited() -> None:
    desk = Desk()
    for _ in range(500):
        desk.order(SPOT, "buy", "0.0001", "59000", kind="limit")
    with pytest.raises(Reject, match="51102"):
        desk.order(SPOT, "buy", "0.0001", "59000", kind="limit")


def test_a_buy_sized_in_money_must_reach_the_minimum() -> None:
    desk = Desk()
    with pytest.raises(Reject, match="51020"):
        desk.order(SPOT, "buy", "0.5", target_ccy="quote_ccy")


def test_max_size_is_what_can_be_placed_and_not_a_lot_more() -> None:
    desk = Desk(usdt="10000")
    buy, sell = desk.venue.max_size(desk.me, SWAP, D("60000"))
    assert buy == sell
    with pytest.raises(Reject, match="51008"):
        desk.order(SWAP, "buy", str(buy + D("0.01")), "60000", kind="limit")
    desk.order(SWAP, "buy", str(buy), "59999", kind="limit")


@pytest.mark.parametrize("inst_id", [SWAP, SPOT])
def test_max_size_takes_a_price_below_a_tick_for_a_tick(inst_id: str) -> None:
    desk = Desk()
    tick = desk.venue.instruments[inst_id].tick
    assert desk.venue.max_size(desk.me, inst_id, D("1e-20")) == desk.venue.max_size(desk.me, inst_id, tick)


def test_max_size_of_spot_follows_the_money_and_the_coins() -> None:
    desk = Desk(usdt="6000")
    assert desk.venue.max_size(desk.me, SPOT, D("60000")) == (D("0.1"), D(0))


@pytest.mark.parametrize("kind", ["market", "optimal_limit_ioc"])
def test_a_market_order_is_bounded_by_its_worth_as_well_as_by_its_size(kind: str) -> None:
    desk = Desk(usdt="10000000")
    swap = desk.venue.instruments[SWAP]
    assert swap.max_market_usd is None  # as recorded
    assert desk.order(SWAP, "buy", "100", kind=kind).is_open is False
    swap.max_market_usd = D(59_000)  # 100 contracts of 0.01 coin at 60,000 are worth 60,000
    with pytest.raises(Reject, match="51201"):
        desk.order(SWAP, "buy", "100", kind=kind)
    assert desk.order(SWAP, "buy", "98", kind=kind).size == 98
    assert desk.order(SWAP, "buy", "100", "60000").size == 100  # one with a price has a bound of its own


@pytest.mark.parametrize(
    ("side", "unit", "most", "too_much"),
    [
        ("buy", "quote_ccy", "300300", "300301"),
        ("sell", "quote_ccy", "300300", "300301"),
        ("buy", "base_ccy", "4.99", "5.02"),
        ("sell", "base_ccy", "4.99", "5.02"),
    ],
)
def test_the_worth_of_a_spot_market_order_is_bounded_in_whatever_unit_it_is_sized(
    side: str, unit: str, most: str, too_much: str
) -> None:
    desk = Desk(usdt="2000000")
    desk.venue.world.deposit(desk.me, "BTC", D(20))
    desk.venue.instruments[SPOT].max_market_usd = D(300_300)
    with pytest.raises(Reject, match="51201"):
        desk.order(SPOT, side, too_much, target_ccy=unit)
    assert desk.order(SPOT, side, most, target_ccy=unit).filled > 0
    desk.venue.instruments[SPOT].max_market_usd = None  # then the bound in USDT remains
    code = "51201" if unit == "quote_ccy" else "51202"
    with pytest.raises(Reject, match=code):
        desk.order(SPOT, side, "1000001" if unit == "quote_ccy" else "16.7", target_ccy=unit)
