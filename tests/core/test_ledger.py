from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.ledger import Ledger, NetPosition
from core.tally import Terms
from core.types import AccountMode, AccountSnapshot, Balance, BillKind
from tests.core.story import START_MS, D, Story

TOLERANCE = D("1e-8")
PRICES = {"BTC-USDT": (D(130), D(131)), "ETH-USDT": (D(9), D("9.1"))}


def fold(story: Story) -> Ledger:
    ledger = Ledger()
    for row in story.rows:
        ledger.apply(row)
    return ledger


def snapshot(**cash: str) -> AccountSnapshot:
    balances = {ccy: Balance(ccy, D(c), D(c), D(c)) for ccy, c in cash.items()}
    return AccountSnapshot(AccountMode.FUTURES, balances, {}, D(0), START_MS, START_MS)


def started(**cash: str) -> Story:
    story = Story()
    story.boot(cash or {"USDT": "1000"})
    return story


# --- cash ---------------------------------------------------------------------------------------


def test_a_spot_purchase_moves_both_currencies_and_its_fee() -> None:
    story = started()
    story.fill("spot", "buy", "2", "100", fee="-0.002", fee_ccy="BTC")
    assert fold(story).cash == {"USDT": D(800), "BTC": D("1.998")}


def test_a_swap_moves_cash_only_by_its_fee_until_it_is_reduced() -> None:
    story = started()
    story.fill("swap", "sell", "200", "100", fee="-0.1")
    assert fold(story).cash["USDT"] == D("999.9")
    story.fill("swap", "buy", "50", "90")  # half a coin closed, ten lower
    assert fold(story).cash["USDT"] == D("1004.9")


def test_the_average_price_stays_when_a_position_shrinks_and_blends_when_it_grows() -> None:
    position = NetPosition()
    position.trade(D(-1), D(100))
    position.trade(D(-3), D(120))
    assert position.avg_px == D(115)
    assert position.trade(D(2), D(110)) == D(10)
    assert (position.base, position.avg_px) == (D(-2), D(115))


def test_crossing_zero_closes_at_the_old_average_and_opens_at_the_new_price() -> None:
    position = NetPosition()
    position.trade(D(-1), D(100))
    assert position.trade(D(3), D(90)) == D(10)
    assert (position.base, position.avg_px) == (D(2), D(90))


# --- terms --------------------------------------------------------------------------------------


def test_a_hedge_that_rode_a_rally_earned_its_funding_less_its_costs() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100.1", fee="-0.1", ref_mid="100")
    story.fill("swap", "sell", "100", "100.9", fee="-0.05", ref_mid="101")
    story.funding("0.5", px="120", size="-100")
    terms = fold(story).terms({"BTC-USDT": (D(150), D("150.5"))})
    assert terms == Terms(
        funding=D("0.5"),
        basis=D("0.5"),  # bought at 0, sold at +1, now at +0.5
        fees=D("0.15"),
        slippage=D("0.2"),
    )


def test_a_fee_taken_in_the_coin_is_a_fee_and_not_a_price_loss() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100", fee="-0.001", fee_ccy="BTC")
    assert fold(story).terms({"BTC-USDT": (D(100), D(100))}) == Terms(fees=D("0.1"))


def test_a_rebate_is_a_negative_fee() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100", fee="0.02")
    assert fold(story).terms(PRICES).fees == D("-0.02")


def test_a_fee_in_a_third_currency_leaves_cash_and_is_valued_once_it_is_traded_here() -> None:
    story = started(USDT="1000", OKB="5")
    story.fill("spot", "buy", "1", "100", fee="-0.5", fee_ccy="OKB")
    assert fold(story).cash["OKB"] == D("4.5")
    assert fold(story).terms(PRICES).fees == 0
    story.fill("spot", "buy", "2", "20", instrument="OKB-USDT")
    story.fill("spot", "buy", "1", "100", fee="-0.5", fee_ccy="OKB")
    ledger = fold(story)
    assert ledger.terms(PRICES).fees == D(10)
    assert ledger.equity(PRICES) - 1000 == ledger.terms(PRICES).net


def test_terms_of_one_instrument_leave_the_others_out() -> None:
    story = started()
    story.funding("1")
    story.funding("2", instrument="ETH-USDT")
    ledger = fold(story)
    assert ledger.terms(PRICES, "ETH-USDT").funding == 2
    assert ledger.terms(PRICES).funding == 3
    assert ledger.instruments == ("BTC-USDT", "ETH-USDT")


def test_coins_found_on_the_account_are_not_our_money() -> None:
    ledger = fold(started(USDT="1000", BTC="3"))
    assert ledger.equity(PRICES) == 1000
    assert ledger.cash["BTC"] == 3


def test_an_unpriced_instrument_takes_the_last_price_seen() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100")
    assert fold(story).equity({}) == 1000
    story.equity("0", BTC_USDT=("110", "111"))
    assert fold(story).equity({}) == 1010


# --- what counts where --------------------------------------------------------------------------


def test_a_fill_and_a_bill_told_twice_count_once() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100", trade_id="7")
    story.fill("spot", "buy", "1", "100", trade_id="7")
    story.funding("0.5", bill_id="x")
    story.funding("0.5", bill_id="x")
    ledger = fold(story)
    assert ledger.cash == {"USDT": D("900.5"), "BTC": D(1)}
    assert len(ledger.trades) == len(ledger.settlements) == 1


def test_the_same_trade_number_on_another_instrument_is_another_trade() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100", trade_id="7")
    story.fill("swap", "sell", "100", "100", trade_id="7")
    assert len(fold(story).trades) == 2


def test_trade_bills_move_nothing_because_the_fill_did() -> None:
    story = started()
    story.bill(BillKind.TRADE, "-100.1", fee="-0.1")
    ledger = fold(story)
    assert ledger.cash["USDT"] == 1000
    assert ledger.terms(PRICES) == Terms()


def test_a_forced_reduction_counts_once_whichever_of_bill_and_fill_comes_first() -> None:
    def told(bill_first: bool) -> Ledger:
        story = started()
        story.fill("swap", "sell", "100", "100")
        if bill_first:
            story.bill(BillKind.ADL, "19.5", pnl="20", fee="-0.5")
        story.fill("swap", "buy", "100", "80", fee="-0.5", trade_id="-9")
        if not bill_first:
            story.bill(BillKind.ADL, "19.5", pnl="20", fee="-0.5")
        return fold(story)

    for bill_first in (True, False):
        ledger = told(bill_first)
        assert ledger.cash["USDT"] == D("1019.5")
        assert ledger.terms(PRICES) == Terms(basis=D(20), fees=D("0.5"))


def test_a_liquidation_penalty_beyond_the_trade_is_other() -> None:
    story = started()
    story.fill("swap", "sell", "100", "100")
    story.fill("swap", "buy", "100", "150", trade_id="-9")
    story.bill(BillKind.LIQUIDATION, "-53", pnl="-50")
    ledger = fold(story)
    assert ledger.cash["USDT"] == 947
    assert ledger.terms(PRICES) == Terms(basis=D(-50), other=D(-3))


def test_interest_is_a_cost() -> None:
    story = started()
    story.bill(BillKind.INTEREST, "-0.25", instrument="", hedge_id="")
    assert fold(story).terms(PRICES) == Terms(interest=D("0.25"))


def test_transfers_move_cash_and_are_no_profit() -> None:
    story = started()
    story.bill(BillKind.TRANSFER, "-300", instrument="", hedge_id="")
    ledger = fold(story)
    assert ledger.equity(PRICES) == 700
    assert ledger.transfers == -300
    assert ledger.terms(PRICES) == Terms()


def test_a_bill_from_before_the_first_start_is_in_the_opening_cash_already() -> None:
    story = started()
    story.bill(BillKind.FUNDING, "5", ts_ms=START_MS - 1)
    ledger = fold(story)
    assert ledger.cash["USDT"] == 1000
    assert "b1" in ledger.bills_seen
    assert ledger.settlements == []


def test_a_later_start_does_not_open_the_ledger_again() -> None:
    story = started()
    story.funding("1")
    story.boot({"USDT": "5"}, epoch=2)
    assert fold(story).cash["USDT"] == 1001


def test_a_settlement_tells_quantity_mark_and_rate() -> None:
    story = started()
    story.fill("swap", "sell", "1599", "60000")
    story.funding("0.9594", px="60000", size="-1599", hedge_id="FE1H1")
    story.funding("0.1")
    first, second = fold(story).settlements
    assert (first.base_qty, first.mark_px, first.amount) == (D("15.99"), D(60000), D("0.9594"))
    assert first.rate == D("0.000001")
    assert (second.base_qty, second.rate) == (None, None)


# --- against the venue --------------------------------------------------------------------------


def test_books_that_equal_the_venue_leave_nothing_unexplained() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100", fee="-0.1")
    ledger = fold(story)
    assert ledger.unexplained(snapshot(USDT="899.9", BTC="1"), PRICES) == 0
    assert ledger.differences(snapshot(USDT="899.9", BTC="1")) == {}


def test_a_coin_bought_by_hand_does_not_cancel_against_the_usdt_it_cost() -> None:
    ledger = fold(started())
    seen = snapshot(USDT="870", BTC="1")
    assert ledger.differences(seen) == {"BTC": D(1), "USDT": D(-130)}
    assert ledger.unexplained(seen, PRICES) == 260


# --- the sum ------------------------------------------------------------------------------------

amounts = st.decimals("0.0001", "500", places=4)
changes = st.decimals("-50", "50", places=6)
instruments = st.sampled_from(["BTC-USDT", "ETH-USDT"])
fills = st.tuples(
    st.just("fill"),
    instruments,
    st.sampled_from(["spot", "swap"]),
    st.sampled_from(["buy", "sell"]),
    amounts,  # size
    amounts,  # price
    changes,  # fee
    st.sampled_from(["USDT", "coin", "OKB"]),
    amounts,  # mid at decision
)
bills = st.tuples(
    st.just("bill"),
    st.sampled_from(["BTC-USDT", "ETH-USDT", ""]),
    st.sampled_from(list(BillKind)),
    changes,
    changes,
    st.sampled_from(["USDT", "USDT", "BTC", "OKB"]),
)


def tell(step: tuple[Any, ...], story: Story) -> None:
    if step[0] == "fill":
        _, name, leg, side, size, px, fee, fee_ccy, mid = step
        ccy = name[:3] if fee_ccy == "coin" else fee_ccy
        story.fill(leg, side, size, px, fee=fee, fee_ccy=ccy, ref_mid=mid, instrument=name)
    else:
        _, name, kind, change, pnl, ccy = step
        story.bill(kind, change, instrument=name, pnl=str(pnl), ccy=ccy)


@given(st.lists(st.one_of(fills, bills), max_size=40))
def test_the_terms_always_add_up_to_the_change_of_equity(steps: list[tuple[Any, ...]]) -> None:
    story = started(USDT="1000", OKB="3")
    for step in steps:
        tell(step, story)
    ledger = fold(story)
    change = ledger.equity(PRICES) - ledger.opening_equity - ledger.transfers
    assert abs(change - ledger.terms(PRICES).net) < TOLERANCE
    parts = sum((ledger.terms(PRICES, name).net for name in ("", *ledger.instruments)), D(0))
    assert abs(change - parts) < TOLERANCE


@given(st.lists(st.one_of(fills, bills), max_size=20))
def test_hearing_everything_twice_changes_nothing(steps: list[tuple[Any, ...]]) -> None:
    story = started()
    for step in steps:
        tell(step, story)
    once, twice = fold(story), Ledger()
    for row in story.rows:
        twice.apply(row)
        twice.apply(row)
    assert once == twice


@given(
    st.lists(st.tuples(st.sampled_from([1, -1]), amounts, amounts), min_size=1, max_size=30),
    amounts,
)
def test_realised_and_unrealised_add_up_to_what_the_trades_were_worth(
    trades: list[tuple[int, Decimal, Decimal]], mark: Decimal
) -> None:
    position, realised, worth = NetPosition(), D(0), D(0)
    for sign, size, px in trades:
        realised += position.trade(sign * size, px)
        worth += sign * size * (mark - px)
    assert abs(realised + position.unrealised(mark) - worth) < TOLERANCE
