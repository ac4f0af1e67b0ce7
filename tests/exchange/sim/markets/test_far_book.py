"""The depth behind the calibrated levels: there when somebody looks so deep, and the same whoever looked."""

from __future__ import annotations

import json
from decimal import Decimal as D
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.exchange import Exchange
from exchange.sim.markets.book import Book
from exchange.sim.markets.calibration import SWAP_DEPTH
from exchange.sim.markets.far_book import DRAWN_MS, FarSide
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.markets.instruments import coin_spec, listing
from exchange.sim.model import BookLevel
from exchange.sim.profile import VenueProfile
from exchange.sim.surface.streams.book_feed import BookView, book_frame
from exchange.sim.surface.streams.channels import Topic
from tests.exchange.sim.worlds import MINUTE_MS, SPOT, SWAP, Desk

TICK, LOT = D("0.1"), D("0.01")
DEEP = 400
NEAR = len(SWAP_DEPTH)


def invented(seed: int = 7) -> Book:
    return Book(listing(coin_spec("BTC"), 0)[1], SWAP_DEPTH, 1.0, seed, VenueProfile())


def checked(side: str, levels: list[BookLevel]) -> None:
    prices = [level.price for level in levels]
    assert prices == sorted(set(prices), reverse=side == "buy")
    for level in levels:
        assert level.price > 0 and not level.price % TICK
        assert level.size > 0 and not level.size % LOT and level.orders > 0


@settings(deadline=None, max_examples=60)
@given(
    mid=st.floats(5_000, 200_000),
    spread=st.floats(0.5, 20),
    depth=st.floats(0.05, 2),
    at_ms=st.integers(0, 10**13),
    meals=st.lists(st.floats(0.1, 1), max_size=30),
)
def test_a_deep_book_is_sorted_never_crossed_and_whole_ticks_and_lots(
    mid: float, spread: float, depth: float, at_ms: int, meals: list[float]
) -> None:
    book = invented()
    book.refresh(mid, spread, depth, at_ms)
    for share in meals:  # more of them than there are calibrated levels
        best = book.levels("buy")[0][1]
        book.eat("buy", max(LOT, best * D(str(share)) // LOT * LOT))
    bids, asks = book.view("buy", DEEP), book.view("sell", DEEP)
    assert len(bids) == len(asks) == DEEP and bids[0].price < asks[0].price
    checked("buy", bids)
    checked("sell", asks)
    book.refresh(mid, spread, depth, at_ms + 1)  # what was eaten is missing in a book built anew, too
    checked("buy", book.view("buy", DEEP))


def test_who_looked_before_and_how_deep_changes_nothing() -> None:
    asked, fresh = invented(), invented()
    for mid, depth in ((61_000.0, 5_000), (59_000.0, 30), (60_500.0, 900)):
        asked.refresh(mid, 1.0, 1.0, 1_000)
        asked.view("buy", depth)
        asked.view("sell", depth)
    for book in (asked, fresh):
        book.refresh(60_000.0, 1.0, 1.0, 2_000)
    for side in ("buy", "sell"):
        assert asked.view(side, 1_000) == fresh.view(side, 1_000)
    other = invented(seed=8)
    other.refresh(60_000.0, 1.0, 1.0, 2_000)
    assert other.view("buy", DEEP)[NEAR:] != fresh.view("buy", DEEP)[NEAR:]


def test_a_moving_market_changes_few_of_the_far_levels_until_they_are_drawn_anew() -> None:
    book = invented()
    begin_ms = 5 * DRAWN_MS
    book.refresh(60_000.0, 1.0, 1.0, begin_ms)
    before = {level.price: level.size for level in book.view("sell", DEEP)}
    book.refresh(60_060.0, 1.0, 1.0, begin_ms + DRAWN_MS - 1)
    moved = {level.price: level.size for level in book.view("sell", DEEP)}
    assert sum(before.get(price) == size for price, size in moved.items()) > DEEP - 2 * NEAR
    book.refresh(60_060.0, 1.0, 1.0, begin_ms + DRAWN_MS)
    later = {level.price: level.size for level in book.view("sell", DEEP)}
    assert list(later)[NEAR:] == list(moved)[NEAR:]
    assert sum(moved[price] == later[price] for price in list(later)[NEAR:]) < NEAR


def test_the_far_levels_go_on_as_thick_as_the_last_calibrated_step() -> None:
    book = invented()
    book.refresh(60_000.0, 1.0, 1.0, 0)
    far = book.view("sell", DEEP)[NEAR:]
    usdt = sum(float(level.price * level.size * D("0.01")) for level in far)
    bps = sum(float((b.price - a.price) / a.price * 10_000) for a, b in pairwise(far))
    (before, _), (last, notional) = SWAP_DEPTH[-2:]
    assert 0.9 < usdt / bps / (notional / (last - before)) < 1.1


def test_bids_end_above_zero() -> None:
    side = FarSide(listing(coin_spec("BTC"), 0)[1], SWAP_DEPTH, 1.0, 7, "buy")
    assert len(side.levels(40, 100, 40.0, 1.0, 0)) == 39
    assert side.levels(1, 5, 40.0, 1.0, 0) == []


def test_a_taker_goes_on_into_the_far_levels_as_they_were_shown() -> None:
    desk = Desk(usdt="100000000000")
    book = desk.venue.world.markets[SPOT].book
    shown = desk.venue.markets[SPOT].asks(NEAR + 3)
    for _ in range(NEAR + 1):
        book.eat("sell", book.levels("sell")[0][1])
    assert desk.venue.markets[SPOT].asks(2) == shown[NEAR + 1 :]
    assert book.best("sell") == shown[NEAR + 1].price
    assert [tuple(offer) for offer, _ in zip(book.walk("sell"), range(2), strict=False)] == [
        (level.price, level.size) for level in shown[NEAR + 1 :]
    ]


def test_an_order_far_behind_stands_behind_the_depth_shown_there() -> None:
    desk = Desk(usdt="100000000", queues=True)
    market = desk.venue.markets[SPOT]
    deep = market.bids(NEAR + 5)[-1]
    order = desk.order(SPOT, "buy", "1", str(deep.price), kind="limit")
    assert order.ahead == deep.size
    shown = next(level for level in market.bids(NEAR + 5) if level.price == deep.price)
    assert (shown.size, shown.orders) == (deep.size + 1, deep.orders + 1)
    assert desk.venue.world.markets[SPOT].book.size_at("buy", deep.price - D("0.1")) == 0


def test_updates_of_a_deep_book_lead_to_the_book_that_is_shown() -> None:
    venue = Exchange(GeneratedMarket(7, ("BTC",)), 7)
    venue.watch(SWAP)
    topic, old = Topic("books", SWAP), BookView(venue.markets[SWAP], DEEP)
    held = {side: {one.price: one.size for one in getattr(old, side)} for side in ("bids", "asks")}
    sizes = []
    for _ in range(600):
        venue.advance(venue.now_ms + MINUTE_MS)
        new = BookView(venue.markets[SWAP], DEEP)
        (row,) = json.loads(book_frame(topic, old, new))["data"]
        sizes.append(len(row["bids"]) + len(row["asks"]))
        for side in ("bids", "asks"):
            for price, size, *_ in row[side]:
                held[side][D(price)] = D(size)
                if size == "0":
                    del held[side][D(price)]
            assert held[side] == {one.price: one.size for one in getattr(new, side)}
        old = new
    assert sorted(sizes)[len(sizes) // 2] < 100  # most of the 800 levels are not sent again
