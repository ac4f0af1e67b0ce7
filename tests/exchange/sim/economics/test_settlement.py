import pytest

from exchange.sim.edits import Edits
from exchange.sim.events import AccountChanged, FundingChanged
from exchange.sim.exchange import Exchange
from exchange.sim.markets.funding import HOUR_MS
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.model import PositionKey, Reject
from tests.exchange.sim.worlds import HELD, MINUTE_MS, SPOT, START_MS, SWAP, D, Desk, StillMarket

EIGHT_MS = 8 * HOUR_MS


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
    desk.venue.watch(SWAP)
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


STRICT = {"settlement_s": (7, 7), "settlement_block": 1}


def test_a_settlement_takes_its_seconds_and_says_so() -> None:
    desk = Desk(**STRICT)
    desk.wait(EIGHT_MS)
    funding = desk.venue.markets[SWAP].funding
    assert funding is not None and funding.processing and funding.settled_rate == D("0.0001")
    desk.wait(6_999)
    assert funding.processing
    desk.venue.outbox.clear()
    desk.wait(1)
    assert not funding.processing and FundingChanged(SWAP) in desk.venue.outbox


def test_meanwhile_transfers_orders_and_changes_to_charged_positions_are_refused() -> None:
    desk = Desk(**STRICT)
    Edits(desk.venue).set_position(desk.me, SWAP, D(-10))
    other = PositionKey("ETH-USDT-SWAP")
    desk.wait(EIGHT_MS)
    refused = (
        ("58111", lambda: desk.venue.transfer(desk.me, "USDT", D(1), "18", "6", "")),
        ("51030", lambda: desk.order(SWAP, "buy", "1")),
        ("50023", lambda: desk.venue.set_leverage(desk.me, HELD, D(5))),
        ("50023", lambda: desk.venue.adjust_margin(desk.me, HELD, D(5))),
    )
    for code, act in refused:
        with pytest.raises(Reject, match=code):
            act()
    assert desk.order(SPOT, "buy", "0.1").state == "filled"
    desk.venue.set_leverage(desk.me, other, D(5))  # nothing is charged there
    desk.wait(7_000)
    desk.venue.set_leverage(desk.me, HELD, D(5))
    desk.venue.transfer(desk.me, "USDT", D(1), "18", "6", "")
    assert desk.order(SWAP, "buy", "1").state == "filled"


def test_by_default_only_some_settlements_keep_orders_out_and_the_seed_says_which() -> None:
    def strict(seed: int) -> list[bool]:
        venue = Exchange(StillMarket(), seed=seed)
        found = []
        for n in range(1, 60):
            while venue.now_ms < START_MS + n * EIGHT_MS:
                venue.advance(START_MS + n * EIGHT_MS)
            assert 5_000 <= venue.world.settling[SWAP].until_ms - venue.now_ms <= 20_000
            found.append(venue.world.blocked(SWAP))
        return found

    assert strict(1) == strict(1) != strict(2)
    assert 5 <= sum(strict(1)) <= 25


def test_nobody_is_charged_into_liquidation() -> None:
    desk = Desk(usdt="1500")
    desk.market.rate = D("0.00375")
    Edits(desk.venue).set_position(desk.me, SWAP, D(500))
    desk.wait(EIGHT_MS)  # 1,125 USDT would be due; 1,350 must stay
    assert desk.me.bills[-1].sub_type == "173" and desk.cash() == D("1350.01")
    desk.wait(MINUTE_MS)
    assert desk.contracts() == 500


@pytest.mark.parametrize(
    ("regime", "rate"), [("current", "0.0005"), ("with_rate", "0.0005"), ("no_rate", "0.0010")]
)
def test_the_regime_decides_what_a_premium_costs(regime: str, rate: str) -> None:
    market = StillMarket()
    market.rate, market.premium = None, D("0.0010")
    desk = Desk(market, funding_regime=regime)
    desk.wait(EIGHT_MS)
    last = desk.venue.markets[SWAP].settled[-1]
    assert last.rate == last.forecast == D(rate)
