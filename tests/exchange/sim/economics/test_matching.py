import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.events import OrderChanged, TradePrinted
from exchange.sim.model import BookLevel, Order, Reject
from exchange.sim.seam import OrderChange
from tests.exchange.sim.worlds import HELD, MINUTE_MS, SPOT, SWAP, D, Desk, StillMarket


def best(desk: Desk, inst_id: str, side: str) -> BookLevel:
    market = desk.venue.markets[inst_id]
    return (market.asks(1) if side == "buy" else market.bids(1))[0]


def eat_bids(desk: Desk, inst_id: str, down_to: D) -> None:
    """Take the invented bids away, so that clients stand alone."""
    book = desk.venue.world.markets[inst_id].book
    while book.levels("buy") and book.levels("buy")[0][0] >= down_to:
        book.eat("buy", book.levels("buy")[0][1])


def pushes(desk: Desk) -> list[Order]:
    return [event.order for event in desk.venue.outbox if isinstance(event, OrderChanged)]


def test_a_taker_pays_the_prices_of_the_levels_it_eats() -> None:
    desk = Desk(usdt="10000000")
    first, second = desk.venue.markets[SPOT].asks(2)
    order = desk.order(SPOT, "buy", str(first.size + D("0.5")), "60500")
    assert [fill.price for fill in desk.me.executions] == [first.price, second.price]
    assert [fill.size for fill in desk.me.executions] == [first.size, D("0.5")]
    assert order.avg_px == (first.size * first.price + D("0.5") * second.price) / order.filled


def test_eaten_depth_is_gone_and_grows_back() -> None:
    desk = Desk(usdt="10000000")
    first = best(desk, SPOT, "buy")
    desk.order(SPOT, "buy", str(first.size), "60500")
    assert best(desk, SPOT, "buy").price > first.price
    desk.wait(1)
    assert best(desk, SPOT, "buy").size < first.size / 1_000
    desk.wait(MINUTE_MS)
    assert best(desk, SPOT, "buy").price == first.price


def test_an_ioc_order_never_pays_beyond_its_limit_and_cancels_the_rest() -> None:
    desk = Desk(usdt="100000000")
    limit = best(desk, SPOT, "buy").price
    order = desk.order(SPOT, "buy", "50", str(limit))
    assert (order.state, order.cancel_source) == ("canceled", "14")
    assert 0 < order.filled < 50 and {fill.price for fill in desk.me.executions} == {limit}


def test_a_fok_order_fills_whole_or_not_at_all() -> None:
    desk = Desk(usdt="100000000")
    limit, size = best(desk, SPOT, "buy").price, best(desk, SPOT, "buy").size
    missed = desk.order(SPOT, "buy", str(size + 1), str(limit), kind="fok")
    assert (missed.state, missed.cancel_source, missed.filled) == ("canceled", "13", 0)
    assert desk.order(SPOT, "buy", str(size), str(limit), kind="fok").state == "filled"


def test_a_fok_order_does_not_count_what_its_price_does_not_reach() -> None:
    desk = Desk(usdt="100000000")
    other = desk.open("other")
    other.trading["BTC"] = D(1)
    desk.order(SPOT, "sell", "1", "60050", kind="limit", account=other)
    limit, size = best(desk, SPOT, "buy").price, best(desk, SPOT, "buy").size
    assert desk.order(SPOT, "buy", str(size + D("0.5")), str(limit), kind="fok").filled == 0


def test_a_fok_order_does_not_count_depth_the_market_has_no_volume_for() -> None:
    desk = Desk(StillMarket(volume=0.4))
    assert desk.order(SPOT, "buy", "0.2", "60500", kind="fok").filled == 0
    assert desk.order(SPOT, "buy", "0.1", "60500", kind="fok").filled == D("0.1")


def test_a_post_only_order_that_would_take_tells_only_its_end() -> None:
    desk = Desk()
    desk.venue.outbox.clear()
    order = desk.order(SPOT, "buy", "0.1", "60100", kind="post_only")
    assert (order.state, order.cancel_source, order.filled) == ("canceled", "31", 0)
    assert [push.state for push in pushes(desk)] == ["canceled"]


def test_a_post_only_order_below_the_market_rests_and_earns_the_makers_fee() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="post_only")
    assert order.state == "live"
    desk.move(59_800)
    assert order.state == "filled"
    (fill,) = desk.me.executions
    assert fill.maker and fill.price == D("59900") and fill.fee == D("-0.1") * D("0.0008")


def test_a_resting_order_does_not_fill_before_the_market_reaches_it() -> None:
    desk = Desk()
    order = desk.order(SWAP, "sell", "1", "60100", kind="limit")
    desk.move(60_099)
    assert order.state == "live"
    desk.move(60_101)
    assert order.state == "filled" and order.avg_px == D("60100")


def test_the_first_of_two_equal_orders_fills_first_and_the_better_price_before_both() -> None:
    desk = Desk()
    early, late, better = (
        desk.order(SPOT, "buy", "0.1", price, kind="limit") for price in ("59900", "59900", "59901")
    )
    taker = desk.open("taker")
    taker.trading["BTC"] = D(1)
    eat_bids(desk, SPOT, D("59900"))
    for filled in (better, early, late):
        desk.order(SPOT, "sell", "0.1", "59900", account=taker)
        assert filled.state == "filled"
        assert [order.state for order in (better, early, late)].count("filled") == len(taker.executions)


def test_a_clients_order_waits_behind_the_depth_shown_at_its_price() -> None:
    desk = Desk()
    shown = best(desk, SPOT, "sell")
    order = desk.order(SPOT, "buy", "0.1", str(shown.price), kind="limit")
    assert best(desk, SPOT, "sell").size == shown.size + D("0.1")
    taker = desk.open("taker")
    taker.trading["BTC"] = D(100)
    desk.order(SPOT, "sell", str(shown.size), str(shown.price), account=taker)
    assert order.state == "live"
    desk.order(SPOT, "sell", "0.1", str(shown.price), account=taker)
    assert order.state == "filled"


@pytest.mark.parametrize(
    ("mode", "resting", "taking"),
    [
        ("cancel_maker", "canceled", "filled"),
        ("cancel_taker", "live", "canceled"),
        ("cancel_both", "canceled", "canceled"),
    ],
)
def test_nobody_trades_with_himself(mode: str, resting: str, taking: str) -> None:
    desk = Desk()
    maker = desk.order(SWAP, "buy", "1", "60000", kind="limit")
    eat_bids(desk, SWAP, D("60000"))
    taker = desk.order(SWAP, "sell", "1", "59990", stp=mode)
    assert (maker.state, taker.state) == (resting, taking)
    assert {order.cancel_source for order in (maker, taker) if order.state == "canceled"} == {"32"}
    assert all(fill.ord_id != maker.ord_id for fill in desk.me.executions)


def test_a_market_buy_counts_money_by_default() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "600", target_ccy="")
    spent = D("100000") - desk.cash()
    assert order.state == "filled" and D("599.99") < spent <= 600
    assert order.filled == pytest.approx(D("0.01"), rel=D("0.001"))


def test_a_market_sale_may_count_money_too() -> None:
    desk = Desk()
    desk.me.trading["BTC"] = D("0.02")
    order = desk.order(SPOT, "sell", "600", target_ccy="quote_ccy")
    assert order.state == "filled" and order.filled == pytest.approx(D("0.01"), rel=D("0.001"))
    assert desk.cash("BTC") == D("0.02") - order.filled


def test_money_sizes_of_cheap_coins_work_like_any_other() -> None:
    market = StillMarket()
    market.spot["ETH"] = 0.5  # more coins than dollars
    desk = Desk(market)
    order = desk.order("ETH-USDT", "buy", "600", target_ccy="quote_ccy")
    assert order.state == "filled" and order.filled > 1_100


def test_a_market_buy_in_coins_stops_where_the_money_ends() -> None:
    desk = Desk(usdt="6100")
    order = desk.order(SPOT, "buy", "0.1016")
    assert desk.cash() >= 0 and order.filled <= D("0.1016")


def test_a_swap_market_order_stops_at_the_edge_of_the_band() -> None:
    desk = Desk(usdt="100000000")
    desk.venue.set_leverage(desk.me, HELD, D(3))
    order = desk.order(SWAP, "buy", "12000")
    limit = desk.venue.markets[SWAP].buy_limit
    assert all(fill.price <= limit for fill in desk.me.executions) and order.filled > 0


def test_clients_together_get_a_quarter_of_a_bars_volume() -> None:
    desk = Desk(StillMarket(volume=2.0))
    order = desk.order(SPOT, "buy", "1", "60500")
    assert order.filled == D("0.5") and order.cancel_source == "14"
    assert desk.order(SPOT, "buy", "0.1", "60500").filled == 0
    desk.wait(60 * MINUTE_MS)
    assert desk.order(SPOT, "buy", "1", "60500").filled == D("0.5")


def test_an_order_the_market_has_no_volume_for_does_not_cross_the_book() -> None:
    desk = Desk(StillMarket(volume=0.0))
    order = desk.order(SPOT, "buy", "1", "60000", kind="limit")
    desk.move(59_990)
    assert order.state == "live"
    assert best(desk, SPOT, "sell").price == 60_000 < best(desk, SPOT, "buy").price


def test_amending_counts_what_has_filled_already() -> None:
    desk = Desk(StillMarket(volume=0.8))
    order = desk.order(SPOT, "buy", "0.5", "60010", kind="limit")
    assert order.filled == D("0.2") and order.state == "partially_filled"
    desk.venue.amend(desk.me, order, OrderChange(D("0.1")))
    assert order.state == "filled" and order.size == order.filled == D("0.2")
    assert not desk.me.open_orders


def test_amending_the_price_into_the_market_trades() -> None:
    desk = Desk()
    order = desk.order(SWAP, "buy", "1", "59900", kind="limit")
    desk.venue.amend(desk.me, order, OrderChange(price=D("60010")))
    assert order.state == "filled" and order.amend_source == "1"


def test_an_amendment_the_money_does_not_cover_changes_nothing() -> None:
    desk = Desk(usdt="6000")
    order = desk.order(SPOT, "buy", "0.05", "59900", kind="limit")
    before = order.frozen
    with pytest.raises(Reject, match="51502"):
        desk.venue.amend(desk.me, order, OrderChange(D("5")))
    assert (order.size, order.frozen, order.state) == (D("0.05"), before, "live")
    assert order.ord_id in desk.me.open_orders


def test_a_finished_order_can_be_neither_cancelled_nor_amended() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1", "60100")
    with pytest.raises(Reject, match="51400"):
        desk.venue.cancel(desk.me, order)
    with pytest.raises(Reject, match="51503"):
        desk.venue.amend(desk.me, order, OrderChange(D(1)))


def test_closing_a_position_asks_for_its_close_orders_first() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10")
    waiting = desk.order(SWAP, "buy", "10", "59000", kind="limit")
    with pytest.raises(Reject, match="51115"):
        desk.venue.close_position(desk.me, HELD, "", auto_cancel=False)
    desk.venue.close_position(desk.me, HELD, "c1", auto_cancel=True)
    assert desk.contracts() == 0 and waiting.state == "canceled"
    with pytest.raises(Reject, match="51023"):
        desk.venue.close_position(desk.me, HELD, "", auto_cancel=True)


def test_a_reduce_only_order_goes_when_its_position_does() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10")
    waiting = desk.order(SWAP, "buy", "10", "59000", kind="limit", reduce_only=True)
    desk.order(SWAP, "buy", "10")
    assert (waiting.state, waiting.cancel_source) == ("canceled", "2")


def test_each_fill_is_told_with_its_order_as_it_was_then() -> None:
    desk = Desk(usdt="10000000")
    size = best(desk, SPOT, "buy").size
    desk.venue.outbox.clear()
    desk.order(SPOT, "buy", str(size + 1), "60500")
    told = [(push.state, push.filled) for push in pushes(desk)]
    assert told == [("live", 0), ("partially_filled", size), ("filled", size + 1)]
    prints = [event.trade for event in desk.venue.outbox if isinstance(event, TradePrinted)]
    assert [trade.size for trade in prints] == [size, 1] and prints[0].trade_id < prints[1].trade_id


def test_every_change_of_a_book_raises_its_sequence_number() -> None:
    desk = Desk()
    market = desk.venue.markets[SPOT]
    seen = [market.seq_id]
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    seen.append(market.seq_id)
    desk.venue.cancel(desk.me, order)
    seen.append(market.seq_id)
    desk.order(SPOT, "buy", "0.1", "60100")
    seen.append(market.seq_id)
    desk.wait(MINUTE_MS)
    seen.append(market.seq_id)
    assert seen == sorted(set(seen))


@settings(deadline=None, max_examples=60)
@given(
    mid=st.floats(5_000, 200_000),
    spread=st.floats(0.5, 20),
    depth=st.floats(0.05, 2),
    at_ms=st.integers(0, 10**13),
    eaten=st.floats(0, 50),
)
def test_an_invented_book_is_sorted_never_crossed_and_whole_ticks_and_lots(
    mid: float, spread: float, depth: float, at_ms: int, eaten: float
) -> None:
    market = Desk().venue.world.markets[SWAP]
    book = market.book
    book.refresh(mid, spread, depth, at_ms)
    if eaten >= 0.01:
        book.eat("buy", min(D(str(round(eaten, 2))), book.levels("buy")[0][1]))
    bids, asks = book.view("buy", 50), book.view("sell", 50)
    assert bids[0].price < asks[0].price
    assert [level.price for level in bids] == sorted({level.price for level in bids}, reverse=True)
    assert [level.price for level in asks] == sorted({level.price for level in asks})
    for level in bids + asks:
        assert level.size > 0 and not level.size % D("0.01") and not level.price % D("0.1")


def test_a_profile_says_how_fast_eaten_depth_is_back() -> None:
    for regrow_ms, share in ((60_000, 0), (120_000, 0.5)):
        desk = Desk(usdt="10000000", regrow_ms=regrow_ms)
        whole = desk.venue.world.markets[SPOT].book.levels("sell")[0][1]
        desk.order(SPOT, "buy", str(whole), "60500")
        desk.venue.world.markets[SPOT].book.refresh(60_000.0, 1.0, 1.0, desk.venue.now_ms + 60_000)
        assert float(desk.venue.world.markets[SPOT].book._eaten["sell"] / whole) == pytest.approx(share)


def test_looking_at_a_book_does_not_change_how_its_eaten_depth_grows_back() -> None:
    sizes = []
    for looks in (1, 40):
        desk = Desk(usdt="10000000", regrow_ms=100_000)
        book = desk.venue.world.markets[SPOT].book
        desk.order(SPOT, "buy", str(book.levels("sell")[0][1]), "60500")
        begin_ms = desk.venue.now_ms
        for look in range(1, looks + 1):
            book.refresh(60_000.0, 1.0, 1.0, begin_ms + 80_000 * look // looks)
        sizes.append(book.levels("sell")[0][1])
    assert sizes[0] == sizes[1]


def test_the_edges_of_the_price_band_are_ticks_inside_the_exact_band() -> None:
    desk = Desk()
    for spot in (60_000.0, 60_003.3, 59_999.7, 60_012.1):
        desk.market.spot["BTC"] = spot
        desk.wait(MINUTE_MS)
        market = desk.venue.world.markets[SPOT]
        assert not market.sell_limit % D("0.1") and not market.buy_limit % D("0.1")
        assert 0 <= market.sell_limit - market.index_px * D("0.98") < D("0.1")
        assert 0 <= market.index_px * D("1.02") - market.buy_limit < D("0.1")
