import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.edits import Edits
from exchange.sim.exchange import Exchange
from exchange.sim.markets.funding import HOUR_MS, funding_rate, next_interval, payment
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.model import AccountChanged, FundingChanged
from tests.exchange.sim.worlds import HELD, MINUTE_MS, START_MS, SWAP, D, Desk

EIGHT_MS = 8 * HOUR_MS


def test_the_plateau_is_one_basis_point() -> None:
    for premium in (-0.0004, 0.0, 0.0001, 0.0006):
        assert funding_rate(premium, EIGHT_MS, 0.00375) == pytest.approx(0.0001)


def test_outside_the_plateau_the_premium_shows_through() -> None:
    assert funding_rate(0.0010, EIGHT_MS, 0.00375) == pytest.approx(0.0005)
    assert funding_rate(-0.0010, EIGHT_MS, 0.00375) == pytest.approx(-0.0005)


def test_a_shorter_interval_charges_its_share() -> None:
    assert funding_rate(0.0, 2 * HOUR_MS, 0.00375) == pytest.approx(0.000025)


@given(premium=st.floats(-1, 1), hours=st.sampled_from([1, 2, 4, 8]))
def test_no_rate_leaves_its_limits(premium: float, hours: int) -> None:
    assert abs(funding_rate(premium, hours * HOUR_MS, 0.00375)) <= 0.00375


def test_the_worked_example_pays_its_amount() -> None:
    assert payment(D("-15.99"), D("0.01"), D(60_000), D("0.0001")) == D("0.9594")


def test_a_rate_at_its_limit_shortens_the_interval_step_by_step_and_calm_restores_it() -> None:
    steps = [EIGHT_MS]
    for _ in range(4):
        steps.append(next_interval(steps[-1], at_limit=True))
    assert [step // HOUR_MS for step in steps] == [8, 4, 2, 1, 1]
    assert next_interval(HOUR_MS, at_limit=False) == EIGHT_MS


def test_the_short_receives_at_the_instant_on_the_mark_of_the_instant() -> None:
    desk = Desk()
    Edits(desk.venue).set_position(desk.me, SWAP, D("-15.99"))
    desk.market.mark_at[START_MS + EIGHT_MS] = D("60123.456789")
    desk.wait(EIGHT_MS - 1)
    assert desk.cash() == D("100000")
    desk.venue.outbox.clear()
    desk.wait(1)
    amount = D("15.99") * D("0.01") * D("60123.456789") * D("0.0001")
    bill = desk.me.bills[-1]
    assert desk.cash() == D("100000") + amount
    assert (bill.kind, bill.sub_type, bill.price, bill.size) == ("8", "174", D("60123.456789"), D("15.99"))
    assert (bill.change, bill.pnl, bill.ts_ms) == (amount, amount, START_MS + EIGHT_MS)
    assert desk.me.positions[HELD].funding_fee == amount
    assert desk.venue.markets[SWAP].mark_px == D("60123.456789")
    told = [event for event in desk.venue.outbox if isinstance(event, AccountChanged)]
    assert [(event.reason, event.positions) for event in told] == [("funding_fee", (HELD,))]


def test_a_settlement_due_when_the_venue_starts_is_the_newest_of_its_history() -> None:
    market = Exchange(GeneratedMarket(7, ("BTC",), START_MS), seed=7).markets[SWAP]
    assert market.settled[-1].ts_ms == START_MS
    assert market.funding is not None and market.funding.funding_ms == START_MS + EIGHT_MS


def test_a_negative_rate_makes_the_short_pay() -> None:
    desk = Desk()
    desk.market.rate = D("-0.0002")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-10))
    desk.wait(EIGHT_MS)
    assert desk.me.bills[-1].sub_type == "173" and desk.me.bills[-1].change == D("-1.2")


def test_who_leaves_before_the_instant_pays_nothing() -> None:
    desk = Desk()
    Edits(desk.venue).set_position(desk.me, SWAP, D(-10))
    desk.wait(EIGHT_MS - 1)
    Edits(desk.venue).set_position(desk.me, SWAP, D(0))
    desk.wait(MINUTE_MS)
    assert not desk.me.bills


def test_after_a_settlement_the_next_one_is_announced_and_the_last_one_kept() -> None:
    desk = Desk()
    market = desk.venue.markets[SWAP]
    desk.wait(EIGHT_MS)
    assert market.funding is not None
    assert market.funding.funding_ms == START_MS + 2 * EIGHT_MS
    assert market.funding.next_funding_ms - market.funding.funding_ms == EIGHT_MS
    assert market.settled[-1].ts_ms == START_MS + EIGHT_MS and market.funding.settled_rate == D("0.0001")


def test_the_forecast_floats_and_every_change_is_told() -> None:
    desk = Desk()
    desk.wait(MINUTE_MS)
    desk.venue.outbox.clear()
    desk.wait(MINUTE_MS)
    assert FundingChanged(SWAP) not in desk.venue.outbox
    desk.market.rate = D("0.00013")
    desk.wait(MINUTE_MS)
    assert FundingChanged(SWAP) in desk.venue.outbox
    funding = desk.venue.markets[SWAP].funding
    assert funding is not None and funding.rate == D("0.00013")


def test_at_the_cap_the_next_interval_is_half_as_long() -> None:
    desk = Desk()
    desk.market.rate = D("0.00375")
    desk.wait(EIGHT_MS)
    funding = desk.venue.markets[SWAP].funding
    assert funding is not None and funding.funding_ms == START_MS + 12 * HOUR_MS
    desk.market.rate = D("0.0001")
    desk.wait(4 * HOUR_MS)
    funding = desk.venue.markets[SWAP].funding
    assert funding is not None and funding.funding_ms == START_MS + 16 * HOUR_MS


def test_an_interval_set_by_hand_stays() -> None:
    desk = Desk()
    Edits(desk.venue).set_funding_interval(SWAP, 2)
    funding = desk.venue.markets[SWAP].funding
    assert funding is not None and funding.funding_ms == START_MS + 2 * HOUR_MS
    desk.wait(2 * HOUR_MS)
    funding = desk.venue.markets[SWAP].funding
    assert funding is not None and funding.funding_ms == START_MS + 4 * HOUR_MS
    with pytest.raises(ValueError, match="hours is 3"):
        Edits(desk.venue).set_funding_interval(SWAP, 3)


def test_a_payment_that_eats_the_margin_cancels_orders_that_need_some() -> None:
    desk = Desk(usdt="20300")
    desk.market.rate = D("-0.0030")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    waiting = desk.order(SWAP, "sell", "1", "60500", kind="limit")
    desk.wait(EIGHT_MS)
    assert (waiting.state, waiting.cancel_source) == ("canceled", "9")
