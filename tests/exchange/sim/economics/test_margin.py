from itertools import pairwise

import pytest

from exchange.sim.economics.figures import liquidation_price
from exchange.sim.economics.margin import discounted, standing
from exchange.sim.edits import Edits
from exchange.sim.markets.instruments import discount_tiers, position_tiers
from exchange.sim.model import Reject
from tests.exchange.sim.worlds import HELD, SPOT, SWAP, D, Desk, StillMarket


def short(level: str, usdt: str, contracts: str, btc: str = "0") -> Desk:
    """A short of `contracts` at 60,000 with so much cash and coins beside it."""
    desk = Desk(level=level, usdt=usdt)
    desk.me.trading["BTC"] = D(btc)
    Edits(desk.venue).set_position(desk.me, SWAP, -D(contracts))
    return desk


def test_in_futures_mode_only_usdt_backs_the_short() -> None:
    desk = short("2", "30000", "100", btc="1")
    figures = desk.venue.figures(desk.me)
    usdt = figures.coins["USDT"]
    assert usdt.equity == 30_000 and usdt.imr == 20_000 and usdt.mmr == D("240.000")
    assert usdt.mgn_ratio == D(30_000) / (60_000 * D("0.0045"))
    assert figures.adjusted_equity is None and figures.mgn_ratio is None
    assert figures.total_equity == 90_000


def test_the_ratio_falls_as_the_price_rises_whatever_the_coins_gain() -> None:
    desk = short("2", "30000", "100", btc="1")
    desk.move(66_000)
    usdt = desk.venue.figures(desk.me).coins["USDT"]
    assert usdt.upl == -6_000 and usdt.equity == 24_000
    assert usdt.mgn_ratio == D(24_000) / (66_000 * D("0.0045"))


def test_half_backed_the_short_is_liquidated_at_half_again_the_price() -> None:
    desk = short("2", "30000", "100")
    liquidation = desk.venue.figures(desk.me).positions[HELD].liq_px
    assert liquidation is not None
    assert liquidation / 60_000 == pytest.approx(D("1.493"), abs=D("0.0005"))


def test_at_the_liquidation_price_the_ratio_is_one() -> None:
    for level, btc in (("2", "0"), ("3", "0.2")):
        desk = short(level, "30000", "100", btc)
        price = desk.venue.figures(desk.me).positions[HELD].liq_px
        assert price is not None
        desk.market.spot["BTC"] = float(price)
        desk.venue._refresh()  # look at the instant itself, before anybody is liquidated
        ratio = standing(desk.venue.world, desk.me).ratio
        assert ratio == pytest.approx(D(1), rel=D("0.01"))


def test_a_long_is_liquidated_below_its_entry() -> None:
    desk = Desk(usdt="30000")
    Edits(desk.venue).set_position(desk.me, SWAP, D(100))
    price = desk.venue.figures(desk.me).positions[HELD].liq_px
    assert price is not None and 30_000 < price < 30_300


def test_in_multi_currency_mode_a_hedged_short_has_no_liquidation_price() -> None:
    desk = short("3", "1000", "100", btc="1.1")
    figures = desk.venue.figures(desk.me)
    assert figures.positions[HELD].liq_px is None
    assert figures.adjusted_equity == 1_000 + D("1.1") * 60_000 * D("0.98")
    assert figures.mgn_ratio == figures.adjusted_equity / (60_000 * D("0.0045"))


def test_the_discount_falls_tier_by_tier_and_debts_count_in_full() -> None:
    assert discounted("BTC", D(24), D(1)) == 20 * D("0.98") + 4 * D("0.9775")
    assert discounted("BTC", D(-2), D(10)) == -20
    assert discounted("USDT", D(500), D(1)) == 500


@pytest.mark.parametrize("coin", ["BTC", "ETH", "DOGE", "UNHEARDOF"])
def test_tiers_rise_without_a_hole(coin: str) -> None:
    tiers = position_tiers(coin)
    for below, above in pairwise(tiers):
        assert above[0] == below[1] + D("0.01") and above[2] > below[2] and above[4] < below[4]
    rates = [rate for _, _, rate in discount_tiers(coin)]
    assert rates == sorted(rates, reverse=True)


def test_a_bigger_position_needs_more_maintenance_margin() -> None:
    desk = short("2", "100000000", "6000")
    assert desk.venue.figures(desk.me).coins["USDT"].mmr == 6_000 * 600 * D("0.0075")


def test_open_orders_hold_back_money_and_margin() -> None:
    desk = Desk(usdt="10000")
    desk.order(SPOT, "buy", "0.1", "59000", kind="limit")
    desk.order(SWAP, "sell", "1", "60100", kind="limit")
    usdt = desk.venue.figures(desk.me).coins["USDT"]
    margin = D("601") / 3 + D("601") * D("0.0005")
    assert usdt.order_frozen == pytest.approx(5_900 + margin)
    assert usdt.available == usdt.available_equity == 10_000 - usdt.order_frozen


def test_a_partial_fill_releases_its_share_of_what_was_held_back() -> None:
    desk = Desk(StillMarket(volume=0.4))
    order = desk.order(SPOT, "buy", "0.4", "60010", kind="limit")
    assert order.filled == D("0.1") and order.frozen == D("0.3") * 60_010


def test_unrealised_losses_are_not_spendable_and_gains_neither() -> None:
    desk = short("2", "60000", "100")
    desk.move(61_000)
    losing = desk.venue.figures(desk.me).coins["USDT"]
    assert losing.available == losing.equity - losing.imr
    desk.move(30_000)
    winning = desk.venue.figures(desk.me).coins["USDT"]
    assert winning.equity == 90_000 and winning.available == 60_000


def test_leverage_is_bounded_and_may_not_be_lowered_beyond_the_margin() -> None:
    desk = short("2", "30000", "100")
    with pytest.raises(Reject, match="59102"):
        desk.venue.set_leverage(desk.me, HELD, D(101))
    with pytest.raises(Reject, match="59108"):
        desk.venue.set_leverage(desk.me, HELD, D(1))
    desk.venue.set_leverage(desk.me, HELD, D(2))
    assert desk.me.positions[HELD].leverage == 2
    assert desk.venue.figures(desk.me).coins["USDT"].imr == 30_000


def test_account_settings_wait_for_an_idle_account() -> None:
    desk = short("2", "30000", "100")
    with pytest.raises(Reject, match="59000"):
        desk.venue.set_level(desk.me, "3")
    with pytest.raises(Reject, match="59000"):
        desk.venue.set_position_mode(desk.me, "net_mode")
    Edits(desk.venue).set_position(desk.me, SWAP, D(0))
    desk.venue.set_level(desk.me, "3")
    assert desk.me.level == "3"


def test_a_profitable_leveraged_short_is_first_in_the_adl_queue() -> None:
    desk = short("2", "20000", "100")
    ranks = [desk.venue.figures(desk.me).positions[HELD].adl_rank]
    for price in (59_000, 54_000, 40_000):
        desk.move(price)
        ranks.append(desk.venue.figures(desk.me).positions[HELD].adl_rank)
    assert ranks[0] == 1 and ranks == sorted(ranks) and ranks[-1] >= 4


def test_the_recorded_example_of_the_venue_comes_out() -> None:
    """api-v5.md 3.2: short 16 contracts at mark 62,871.9 and 5x: imr 2011.9, mmr 40.24, ratio 222."""
    desk = Desk(usdt="10050.1")
    desk.venue.set_leverage(desk.me, HELD, D(5))
    desk.move(62_871.9)
    Edits(desk.venue).set_position(desk.me, SWAP, D(-16))
    usdt = desk.venue.figures(desk.me).coins["USDT"]
    assert (round(usdt.imr, 1), round(usdt.mmr, 2)) == (D("2011.9"), D("40.24"))
    assert usdt.available == usdt.equity - usdt.imr and round(usdt.mgn_ratio or D(0)) == 222


def test_a_position_without_risk_has_no_liquidation_price() -> None:
    desk = short("2", "10000000", "1")
    now = standing(desk.venue.world, desk.me)
    price = liquidation_price(desk.venue.world, now, now.exposures[0])
    assert price is not None and price > 60_000 * 1_000
    long = Desk(usdt="10000000")
    Edits(long.venue).set_position(long.me, SWAP, D(1))
    assert long.venue.figures(long.me).positions[HELD].liq_px is None


def test_a_fee_paid_in_usdt_is_kept_back_so_that_the_last_usdt_can_be_spent() -> None:
    desk = Desk(usdt="6000")
    desk.venue.set_fee_type(desk.me, "1")
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "buy", "0.1", "60000", kind="limit")
    most = desk.venue.max_size(desk.me, SPOT, D(60_000))[0]
    desk.order(SPOT, "buy", str(most), "60000", kind="limit")
    desk.move(59_000)
    assert desk.cash("BTC") == most and desk.cash() >= 0


@pytest.mark.parametrize(("size", "unit"), [("6000", "quote_ccy"), ("0.1", "base_ccy")])
def test_a_market_order_for_everything_leaves_the_fee_in_usdt(size: str, unit: str) -> None:
    desk = Desk(usdt="6000")
    desk.venue.set_fee_type(desk.me, "1")
    desk.order(SPOT, "buy", size, target_ccy=unit)
    assert desk.cash("BTC") > D("0.0995") and 0 <= desk.cash() < 1


def test_orders_that_together_turn_a_position_need_margin() -> None:
    desk = Desk(usdt="2000")
    desk.order(SWAP, "buy", "5", "60100")
    first = desk.order(SWAP, "sell", "5", "61000", kind="limit")
    second = desk.order(SWAP, "sell", "3", "61000", kind="limit")
    assert first.frozen == 0
    assert second.frozen == D("610.915")  # 1,830 USDT at a third, and the fee
    with pytest.raises(Reject, match="51008"):
        desk.order(SWAP, "sell", "5", "61000", kind="limit")


def test_in_multi_currency_mode_a_waiting_spot_order_takes_nothing_from_the_ratio() -> None:
    desk = Desk(level="3")
    desk.order(SWAP, "sell", "10", "59900")
    before = desk.venue.figures(desk.me).mgn_ratio
    desk.order(SPOT, "buy", "1", "59000", kind="limit")
    assert desk.venue.figures(desk.me).mgn_ratio == before


def test_in_multi_currency_mode_coins_that_back_less_than_they_cost_may_be_too_many() -> None:
    desk = Desk(level="3", usdt="61000")
    desk.order(SWAP, "sell", "300", "59900", kind="limit")
    assert desk.venue.figures(desk.me).coins["USDT"].available > 60_000
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "buy", "1", "60000", kind="limit")


def test_in_multi_currency_mode_a_coin_has_no_more_equity_free_than_there_is_of_it() -> None:
    desk = Desk(level="3")
    desk.order(SPOT, "buy", "0.5", "60100")
    coins = desk.venue.figures(desk.me).coins
    assert coins["BTC"].available_equity == desk.cash("BTC")
    assert coins["USDT"].available_equity == desk.cash()


def test_the_worth_of_a_position_follows_the_dollar() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10", "59900")
    desk.market.dollar = 0.99
    desk.wait(60_000)
    figures = desk.venue.figures(desk.me).positions[HELD]
    assert (figures.usd_px, figures.notional_usd) == (D("0.99"), 10 * D("0.01") * 60_000 * D("0.99"))


def test_open_orders_follow_the_leverage_or_keep_it_from_changing() -> None:
    desk = Desk(usdt="3100")
    order = desk.order(SWAP, "sell", "10", "60500", kind="limit")
    desk.venue.set_leverage(desk.me, HELD, D(2))
    assert (order.frozen, order.leverage) == (pytest.approx(D(6_050) / 2 + D("3.025")), 2)
    with pytest.raises(Reject, match="59108"):
        desk.venue.set_leverage(desk.me, HELD, D(1))
    assert (order.frozen, order.leverage) == (pytest.approx(D(6_050) / 2 + D("3.025")), 2)
    desk.venue.cancel(desk.me, order)
    assert desk.me.sums.margin == 0
