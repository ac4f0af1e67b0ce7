"""Multi-currency mode: what counts as collateral, what may be borrowed, what it costs, how it ends."""

import pytest

from exchange.sim.economics.fees import LEVELS
from exchange.sim.edits import Edits
from exchange.sim.events import AccountChanged
from exchange.sim.markets.instruments import loan_quota
from exchange.sim.model import Reject
from tests.exchange.sim.worlds import HOUR_MS, MINUTE_MS, SPOT, SWAP, D, Desk, StillMarket


def lender(usdt: str = "10000", btc: str = "1", market: StillMarket | None = None) -> Desk:
    """An account of multi-currency mode that may borrow."""
    desk = Desk(market, level="3", usdt=usdt)
    Edits(desk.venue).set_cash(desk.me, "BTC", D(btc))
    desk.venue.set_auto_loan(desk.me, True)
    return desk


def test_without_auto_loan_nothing_is_spent_that_is_not_there() -> None:
    desk = lender()
    desk.venue.set_auto_loan(desk.me, False)
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "buy", "0.2", "60100")
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "sell", "1.1", "59900")
    assert desk.venue.max_loan(desk.me, "USDT") == 0


def test_without_auto_loan_a_swap_order_needs_the_usdt_for_its_fee() -> None:
    desk = lender(usdt="1")
    desk.venue.set_auto_loan(desk.me, False)
    with pytest.raises(Reject, match=r"51008.*borrowing"):
        desk.order(SWAP, "sell", "50")
    desk.venue.set_auto_loan(desk.me, True)
    desk.order(SWAP, "sell", "50")
    assert desk.contracts() == -50 and desk.cash() < 0


def test_auto_loan_pays_what_is_missing_and_shows_as_a_liability() -> None:
    desk = lender()
    desk.order(SPOT, "buy", "0.5", "60100")
    now = desk.venue.figures(desk.me)
    usdt = now.coins["USDT"]
    assert usdt.liability == -desk.cash() > 19_000 and usdt.discounted_usd == desk.cash()
    assert now.borrowed_usd == usdt.liability and now.borrow_frozen == usdt.liability / 10
    assert now.mmr == usdt.liability * D("0.03") and now.mgn_ratio == now.adjusted_equity / now.mmr
    coins = desk.cash("BTC")
    assert now.adjusted_equity == coins * 60_000 * D("0.98") + desk.cash()


def test_a_loan_ends_where_the_margin_or_the_quota_does() -> None:
    desk = lender()
    most = desk.venue.max_loan(desk.me, "USDT")
    free = 10_000 + 60_000 * D("0.98")
    assert most == free / D("0.15")
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "buy", "8", "60000", kind="limit")
    rich = lender(usdt="10000000")
    assert rich.venue.max_loan(rich.me, "USDT") == 500_000
    assert rich.venue.max_loan(rich.me, "BTC") == 10
    rich.me.fee_level = "VIP1"
    assert rich.venue.max_loan(rich.me, "USDT") == 3_000_000


def test_waiting_orders_use_the_room_for_loans_up() -> None:
    desk = lender()
    before = desk.venue.max_loan(desk.me, "USDT")
    desk.order(SPOT, "buy", "1", "50000", kind="limit")
    assert desk.venue.max_loan(desk.me, "USDT") == before - 40_000 * D("0.1") / D("0.15")


def test_borrowed_coins_can_be_sold_but_nothing_borrowed_can_leave() -> None:
    desk = lender(usdt="100000", btc="0")
    desk.order(SPOT, "sell", "0.5", "59900")
    assert desk.cash("BTC") == D("-0.5") and desk.venue.max_withdrawal(desk.me, "BTC") == 0
    assert desk.venue.figures(desk.me).coins["BTC"].liability == D("0.5")


def test_interest_is_deducted_every_hour_beyond_the_free_quota() -> None:
    desk = lender()
    desk.order(SPOT, "buy", "0.5", "60100")
    owed = -desk.cash()
    desk.wait(MINUTE_MS)
    assert desk.cash() == -owed and not desk.me.interest
    desk.venue.outbox.clear()
    desk.wait(HOUR_MS - MINUTE_MS)
    interest = (owed - 5_000) * D("0.00001822")
    assert desk.cash() == -owed - interest
    bill = desk.me.bills[-1]
    assert (bill.kind, bill.sub_type, bill.change, bill.interest) == ("7", "9", -interest, interest)
    [row] = desk.me.interest
    assert (row.ccy, row.interest, row.rate, row.liability) == ("USDT", interest, D("0.00001822"), owed)
    reasons = [e.reason for e in desk.venue.outbox if isinstance(e, AccountChanged)]
    assert reasons == ["interest_deduction"]
    desk.wait(2 * HOUR_MS)
    assert len(desk.me.interest) == 3


def test_a_short_that_loses_more_than_the_usdt_there_are_owes_the_rest() -> None:
    desk = lender(usdt="3000")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    desk.move(70_000)
    usdt = desk.venue.figures(desk.me).coins["USDT"]
    assert usdt.liability == 7_000 and usdt.upl_liability == 7_000
    desk.wait(HOUR_MS - MINUTE_MS)
    assert desk.me.interest[-1].liability == 7_000


def test_the_liquidation_price_knows_that_losses_become_loans() -> None:
    desk = lender(usdt="3000", btc="0.5")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    [figures] = desk.venue.figures(desk.me).positions.values()
    assert figures.liq_px is not None
    desk.move(float(figures.liq_px) - 20)
    assert desk.contracts() == -100 and desk.cash("BTC") == D("0.5")
    [again] = desk.venue.figures(desk.me).positions.values()
    assert again.liq_px is not None and abs(again.liq_px - figures.liq_px) < 1
    desk.move(float(figures.liq_px) + 20)
    assert desk.me.bills and desk.cash("BTC") < D("0.5")


def test_coins_are_sold_for_a_loan_the_account_can_no_longer_carry() -> None:
    desk = lender(usdt="0", btc="1")
    desk.order(SPOT, "buy", "3", "60100")
    owed = -desk.cash()
    desk.move(46_800)
    sold = [bill for bill in desk.me.bills if bill.kind == "4"]
    assert [(bill.sub_type, bill.ccy) for bill in sold] == [("115", "BTC"), ("114", "USDT")]
    assert sold[1].change == owed and desk.cash() == 0
    assert sold[0].change == pytest.approx(-owed / (46_800 * D("0.995")), abs=D("1e-15"))


def test_what_a_bankrupt_account_cannot_repay_the_venue_bears() -> None:
    desk = lender(usdt="0", btc="1")
    desk.order(SPOT, "buy", "3", "60100")
    desk.move(20_000)
    assert desk.cash("BTC") == desk.cash() == 0
    bill = desk.me.bills[-1]
    assert (bill.kind, bill.sub_type, bill.ccy) == ("10", "108", "USDT") and bill.change > 0
    world = desk.venue.world
    assert abs(world.total("USDT") - world.house.deposits["USDT"]) < D("1e-9")


def test_a_loan_beyond_its_quota_is_repaid_down_to_it() -> None:
    desk = lender(usdt="0", btc="100")
    desk.me.fee_level = "VIP1"
    desk.order(SPOT, "buy", "10", "60500")
    assert desk.cash() < -500_000
    desk.order(SWAP, "buy", "1")
    desk.me.fee_level = "Lv1"
    desk.order(SWAP, "sell", "1")  # the venue looks again when the account changes
    desk.wait(MINUTE_MS)
    assert abs(desk.cash() + 500_000) < 1


def test_collateral_that_loses_its_worth_counts_without_a_position_in_it() -> None:
    desk = Desk(level="3", usdt="10")
    Edits(desk.venue).set_cash(desk.me, "ETH", D(10))
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    desk.wait(MINUTE_MS)
    desk.move(20, coin="ETH")
    assert desk.contracts() == 0


def test_auto_loan_belongs_to_multi_currency_mode() -> None:
    desk = Desk()
    with pytest.raises(Reject, match="51010"):
        desk.venue.set_auto_loan(desk.me, True)


@pytest.mark.parametrize("level", LEVELS)
def test_every_fee_level_has_a_quota(level: str) -> None:
    assert loan_quota(level, "USDT") >= 500_000


def test_a_loss_that_outgrows_the_quota_is_repaid_and_orders_that_hold_coins_give_way() -> None:
    desk = lender(usdt="0", btc="30")
    sale = desk.order(SPOT, "sell", "30", "120000", kind="limit")
    Edits(desk.venue).set_position(desk.me, SWAP, -D(1_000))
    desk.move(100_000)
    assert sale.is_open and desk.cash("BTC") == 30  # 400,000 are owed
    desk.move(111_000)
    assert (sale.state, sale.cancel_source) == ("canceled", "4")
    assert 30 - desk.cash("BTC") == pytest.approx(10_000 / D(111_000) / D("0.995"))
