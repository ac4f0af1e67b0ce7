"""What the stores in one process keep from look to look is what a new look would have found."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Book, Leg, OrderKind, OrderRequest, Side
from exchange.candle_series import BAR_MS, KEEP
from exchange.direct import words
from exchange.direct.desk import DirectTrading
from exchange.direct.line import DirectStreams
from exchange.direct.stores import DirectAccount, DirectMarkets
from exchange.direct.window import DirectMarket
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.seam import OrderParams

D = Decimal
SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
MINUTE_MS = 60_000


class Desk:
    """Two coins on a venue in this process."""

    def __init__(self) -> None:
        self.venue = Exchange(GeneratedMarket(7, ("BTC", "ETH")), 7)
        self.account = self.venue.accounts["demo"]
        store = DirectAccount(self.venue, self.account)
        self.trading = DirectTrading(
            self.venue, self.account, store, DirectStreams(self.venue, self.account, store).deliver
        )
        self.market = DirectMarket(self.venue)
        pairs = asyncio.run(self.market.pairs([SPOT, "ETH-USDT"]))
        self.markets = DirectMarkets(self.venue, pairs)

    def pass_ms(self, span_ms: int) -> None:
        until_ms = self.venue.now_ms + span_ms
        while self.venue.now_ms < until_ms:
            self.venue.advance(until_ms)

    def buy(self, size: str) -> None:
        px = self.venue.markets[SPOT].buy_limit
        order = OrderRequest("FE1", SPOT, SPOT, Leg.SPOT, Side.BUY, OrderKind.IOC, D(size), px, False, px)
        asyncio.run(self.trading.place(order))


def test_views_stay_until_time_moves_somebody_trades_or_a_sample_is_kept() -> None:
    desk = Desk()
    seen = desk.markets.views()
    assert desk.markets.views() is seen
    desk.pass_ms(1_000)
    later = desk.markets.views()
    assert later is not seen and later[SPOT] is not seen[SPOT]
    desk.buy("0.5")
    traded = desk.markets.views()
    assert traded[SPOT] is not later[SPOT] and traded["ETH-USDT"] is later["ETH-USDT"]
    desk.markets.on_open_interest("ETH-USDT", D(5))
    assert desk.markets.views()["ETH-USDT"].open_interest[-1] == (desk.venue.now_ms, 5)


def test_far_levels_drawn_later_are_those_of_the_looks_instant() -> None:
    desk, twin = Desk(), Desk()
    kept = desk.markets.view(SPOT)
    whole = words_of(twin)
    desk.pass_ms(2 * 86_400_000)
    desk.buy("0.5")
    assert kept.spot == whole and len(kept.spot.bids) == 50
    assert words_of(desk) != whole


def words_of(desk: Desk) -> Book:
    """The spot book as the public sees it now, drawn at once."""
    side = desk.venue.markets[SPOT]
    bids, asks = ([(one.price, one.size) for one in levels] for levels in (side.bids(50), side.asks(50)))
    return Book(SPOT, tuple(bids), tuple(asks), side.ts_ms, desk.venue.now_ms, side.seq_id)


def test_an_order_that_rests_shows_in_the_book() -> None:
    desk = Desk()
    side = desk.venue.markets[SPOT]
    px = side.bids(3)[1].price
    desk.venue.place(desk.account, OrderParams(SPOT, "cash", "buy", "limit", D("0.25"), px))
    assert words.book(side, 50, desk.venue.now_ms) == words_of(desk)


STEPS = st.lists(
    st.tuples(st.integers(1, 3_000), st.sampled_from((3, 22, KEEP["3m"]))), min_size=1, max_size=8
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_the_newest_bars_are_those_of_a_whole_cut_whoever_asked_before(steps: list[tuple[int, int]]) -> None:
    """Minutes that pass, and how many bars are asked for then; all of them by the name of the bar."""
    desk = Desk()
    for minutes, count in steps:
        desk.pass_ms(minutes * MINUTE_MS + 1_234)
        view = desk.markets.view(SPOT)
        found = view.candles["3m"] if count == KEEP["3m"] else view.newest("3m", count)
        wanted = desk.venue.markets[SPOT].bars(BAR_MS["3m"], None, count)
        assert found == tuple(words.candle(bar) for bar in reversed(wanted))
