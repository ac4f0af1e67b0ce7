import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.edits import Edits
from exchange.sim.events import AccountChanged, AdlChanged, Liquidated
from exchange.sim.model import PositionKey, Reject
from tests.exchange.sim.worlds import HELD, SPOT, SWAP, D, Desk


def squeezed(contracts: str, usdt: str, **profile: object) -> Desk:
    desk = Desk(usdt=usdt, **profile)
    Edits(desk.venue).set_position(desk.me, SWAP, -D(contracts))
    return desk


def test_a_small_short_is_taken_over_whole_and_nothing_is_left() -> None:
    desk = squeezed("100", "3000")
    desk.move(62_800)
    assert desk.contracts() == 0
    order = next(iter(desk.me.orders.values()))
    assert (order.category, order.cl_id, order.state) == ("full_liquidation", "", "filled")
    bill = desk.me.bills[-1]
    assert (bill.kind, bill.sub_type) == ("5", "105")
    assert desk.me.executions[-1].trade_id < 0
    assert desk.me.closed_positions[-1]["type"] == "3"
    assert 0 <= desk.cash() < 1


def test_above_the_threshold_nobody_is_touched() -> None:
    desk = squeezed("100", "3000")
    desk.move(62_700)
    assert desk.contracts() == -100 and not desk.me.orders


def test_a_price_that_jumped_too_far_costs_the_house_not_the_client() -> None:
    desk = squeezed("100", "3000")
    desk.move(70_000)
    assert desk.contracts() == 0 and 0 <= desk.cash() < 1
    assert desk.venue.world.total("USDT") == pytest.approx(desk.venue.world.house.deposits["USDT"])


def test_a_long_is_liquidated_when_the_price_falls() -> None:
    desk = Desk(usdt="3000")
    Edits(desk.venue).set_position(desk.me, SWAP, D(100))
    desk.move(57_000)
    assert desk.contracts() == 0 and desk.me.bills[-1].sub_type == "104" and desk.cash() >= 0


def test_orders_that_hold_margin_go_first_and_may_be_enough() -> None:
    desk = squeezed("10", "26000")
    waiting = desk.order(SPOT, "buy", "0.4", "59000", kind="limit")
    desk.move(83_720)  # equity 23,628, of which the order holds 23,600
    assert (waiting.state, waiting.cancel_source) == ("canceled", "3")
    assert desk.contracts() == -10


def test_a_big_position_is_cut_two_tiers_at_a_time() -> None:
    desk = squeezed("6000", "100000")
    desk.move(61_270)
    cuts = [order for order in desk.me.orders.values() if order.category == "partial_liquidation"]
    assert cuts and cuts[0].filled == 5_000  # tier 3 of BTC begins above 5,000, tier 1 ends at 1,000
    assert desk.me.bills[0].sub_type == "101" and desk.me.closed_positions[0]["type"] == "4"


def test_coins_at_their_discount_save_a_short_in_multi_currency_mode() -> None:
    desk = Desk(level="3", usdt="3000")
    desk.me.trading["BTC"] = D(1)
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    desk.move(90_000)
    assert desk.contracts() == -100


def test_adl_closes_a_share_at_mark_without_a_fee() -> None:
    desk = squeezed("100", "50000")
    desk.move(50_000)
    waiting = desk.order(SWAP, "buy", "10", "49000", kind="limit")
    desk.venue.outbox.clear()
    Edits(desk.venue).force_adl(desk.me, SWAP, D("0.5"))
    assert desk.contracts() == -50 and desk.cash() == 55_000
    assert (waiting.state, waiting.cancel_source) == ("canceled", "6")
    order = list(desk.me.orders.values())[-1]
    assert (order.category, order.fee, order.avg_px) == ("adl", 0, 50_000)
    assert (desk.me.bills[-1].kind, desk.me.bills[-1].sub_type) == ("9", "126")
    reasons = [event.reason for event in desk.venue.outbox if isinstance(event, AccountChanged)]
    assert reasons == ["adl"] and desk.me.closed_positions[-1]["type"] == "5"


def test_adl_of_everything_leaves_the_coins_naked() -> None:
    desk = squeezed("100", "50000")
    Edits(desk.venue).force_adl(desk.me, SWAP, D(1))
    assert desk.contracts() == 0 and desk.me.closed_positions[-1]["type"] == "6"
    with pytest.raises(ValueError, match="needs a position"):
        Edits(desk.venue).force_adl(desk.me, SWAP, D(1))


def test_a_takeover_costs_a_penalty_and_the_fund_gets_what_is_left() -> None:
    desk = squeezed("100", "3000")
    fund = desk.venue.world.house.insurance
    before = fund["BTC-USDT"]
    desk.move(62_800)
    order, bill, row = next(iter(desk.me.orders.values())), desk.me.bills[-1], desk.me.positions[HELD]
    price = order.avg_px
    assert order.fee == bill.fee == row.liq_penalty == -price * D("0.0005") and row.fee == 0
    assert 3_000 - (price - 60_000) - price * D("0.0005") == desk.cash()
    assert fund["BTC-USDT"] == before + (price - 62_800) + price * D("0.0005")
    assert D(desk.me.closed_positions[-1]["liqPenalty"]) == row.liq_penalty
    assert desk.me.closed_positions[-1]["triggerPx"] == "62800.0"
    [told] = [event for event in desk.venue.outbox if isinstance(event, Liquidated)]
    assert (told.side, told.bankruptcy_px, told.size, told.loss) == ("buy", price, 100, 0)


def test_a_jump_past_the_bankruptcy_price_is_paid_by_the_fund() -> None:
    desk = squeezed("100", "3000")
    before = desk.venue.world.house.insurance["BTC-USDT"]
    desk.move(70_000)
    lost = before - desk.venue.world.house.insurance["BTC-USDT"]
    assert lost == 7_000 + desk.cash()
    entries = desk.venue.world.funds["BTC-USDT"].entries
    assert [entry.kind for entry in entries] == ["regular_update", "bankruptcy_loss"]
    assert entries[-1].amount == -lost and entries[-1].balance == before - lost


def test_contracts_that_offset_each_other_go_first_and_at_mark() -> None:
    desk = Desk(usdt="6000")
    desk.venue.set_position_mode(desk.me, "long_short_mode")
    for contracts in ("40", "-140"):
        Edits(desk.venue).set_position(desk.me, SWAP, D(contracts))
    desk.move(65_600)
    first, second, *rest = desk.me.orders.values()
    assert [(o.pos_side, o.filled, o.avg_px, o.category) for o in (first, second)] == [
        ("long", 40, 65_600, "full_liquidation"),
        ("short", 40, 65_600, "partial_liquidation"),
    ]
    assert not rest and desk.contracts(PositionKey(SWAP, "cross", "short")) == -100


def test_after_a_liquidation_the_account_is_frozen_for_a_moment() -> None:
    desk = squeezed("100", "3000")
    desk.me.funding["USDT"] = D(1)
    desk.move(62_800)
    refused = (
        ("50020", lambda: desk.order(SWAP, "sell", "1")),
        ("50020", lambda: desk.venue.set_leverage(desk.me, HELD, D(5))),
        ("50021", lambda: desk.venue.transfer(desk.me, "USDT", D(1), "6", "18", "")),
        ("50022", lambda: desk.venue.set_position_mode(desk.me, "long_short_mode")),
    )
    for code, act in refused:
        with pytest.raises(Reject, match=code):
            act()
    assert desk.venue.world.frozen["me"].until_ms - desk.venue.now_ms <= 3_000
    desk.wait(3_000)
    desk.venue.transfer(desk.me, "USDT", D(1), "6", "18", "")


def test_a_liquidation_may_be_ordered_by_hand() -> None:
    desk = squeezed("100", "50000")
    Edits(desk.venue).liquidate(desk.me, SWAP)
    assert desk.contracts() == 0 and desk.me.closed_positions[-1]["type"] == "3"
    need = 60_000 * D("0.0045")
    assert abs(50_000 - need - desk.cash()) < 1
    with pytest.raises(ValueError, match="inst_id is BTC-USDT-SWAP"):
        Edits(desk.venue).liquidate(desk.me, SWAP)


@given(
    short=st.booleans(),
    contracts=st.integers(1, 900),
    margin=st.integers(8, 300),
    move=st.floats(0.9, 1.11),
)
def test_a_liquidation_comes_exactly_when_the_ratio_says(
    short: bool, contracts: int, margin: int, move: float
) -> None:
    usdt = D(contracts) * margin  # thousandths of the value at entry, times 0.6
    desk = Desk(usdt=f"{usdt:f}")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-contracts if short else contracts))
    desk.move(60_000 * move)
    mark, coins = desk.venue.markets[SWAP].mark_px, D(contracts) / 100
    backing = usdt + coins * (mark - 60_000) * (-1 if short else 1)
    due = backing <= coins * mark * D("0.0045")
    assert (desk.contracts() == 0) == due and bool(desk.me.orders) == due
    assert desk.cash() >= 0


def test_a_fund_that_falls_by_three_tenths_calls_for_deleveraging_of_the_luckiest() -> None:
    desk = squeezed("100", "3000", insurance_usdt=D(20_000))
    lucky, calm, other = (desk.open(name, usdt="40000") for name in ("lucky", "calm", "other"))
    edits = Edits(desk.venue)
    edits.set_position(calm, SWAP, D(30))
    edits.set_position(lucky, SWAP, D(80))
    edits.set_position(other, SWAP, D(-80))
    calm.leverage[HELD] = D(1)
    desk.venue.outbox.clear()
    desk.move(70_000)
    world = desk.venue.world
    assert world.funds["BTC-USDT"].adl_type == "rate_adl_start"
    assert [event.family for event in desk.venue.outbox if isinstance(event, AdlChanged)] == ["BTC-USDT"]
    assert (lucky.positions[HELD].size, calm.positions[HELD].size) == (0, 10)
    assert other.positions[HELD].size == -80
    order = next(iter(lucky.orders.values()))
    assert (order.category, order.avg_px, order.fee) == ("adl", 70_000, 0)
    with pytest.raises(Reject, match="50017"):
        desk.order(SWAP, "buy", "1", account=lucky)
    with pytest.raises(Reject, match="50018"):
        desk.venue.transfer(lucky, "USDT", D(1), "18", "6", "")
    with pytest.raises(Reject, match="50019"):
        desk.venue.set_level(lucky, "3")
    desk.wait(8 * 3_600_000 + 60_000)
    assert world.funds["BTC-USDT"].adl_type == "adl_end"


def test_an_empty_fund_calls_for_deleveraging_too_and_never_owes() -> None:
    desk = squeezed("100", "3000", insurance_usdt=D(100))
    lucky = desk.open("lucky")
    Edits(desk.venue).set_position(lucky, SWAP, D(100))
    desk.move(70_000)
    world = desk.venue.world
    assert world.house.insurance["BTC-USDT"] == 0
    assert world.funds["BTC-USDT"].adl_type == "bal_adl_start" and lucky.positions[HELD].size == 0
    assert abs(world.total("USDT") - world.house.deposits["USDT"]) < D("1e-9")


def test_coins_for_sale_stay_for_sale_when_a_short_is_liquidated_in_futures_mode() -> None:
    desk = squeezed("100", "3000")
    desk.venue.world.deposit(desk.me, "BTC", D(1))
    sale = desk.order(SPOT, "sell", "0.5", "63000", kind="limit")
    desk.move(62_800)
    assert desk.contracts() == 0 and sale.is_open


def test_a_big_position_goes_whole_when_even_the_first_tier_needs_more() -> None:
    desk = squeezed("6000", "100000")
    desk.move(61_500)  # 10,000 USDT left for 3,690,000, of which the first tier and the fee take 16,605
    assert desk.contracts() == 0
    assert [order.category for order in desk.me.orders.values()] == ["full_liquidation"]


def test_deleveraging_by_hand_is_announced_and_ends_by_itself() -> None:
    desk = squeezed("10", "50000")
    desk.venue.outbox.clear()
    Edits(desk.venue).force_adl(desk.me, SWAP, D("0.5"))
    told = [type(event) for event in desk.venue.outbox if isinstance(event, (AdlChanged, AccountChanged))]
    assert told == [AdlChanged, AccountChanged]
    fund = desk.venue.insurance_funds()[0]
    assert (fund.adl_type, fund.deleverages) == ("pos_adl_start", True)
    desk.wait(60_000)
    fund = desk.venue.insurance_funds()[0]
    assert (fund.adl_type, fund.deleverages) == ("adl_end", False)
