"""Funding out of the venue's own books: minute samples, their averages, and who can move them."""

from decimal import Decimal

import pytest

from exchange.sim.exchange import Exchange
from exchange.sim.markets.funding import DEFAULT_INTERVAL_MS, funding_rate
from exchange.sim.markets.generated import DAY_MS, START_MS, GeneratedMarket
from exchange.sim.markets.instruments import CoinSpec, coin_spec
from exchange.sim.markets.premium import UNIT, impact_price, premium_sample
from exchange.sim.markets.source import FundingRecord, Quote
from exchange.sim.markets.timeline import Track
from exchange.sim.model import BookLevel, FundingState
from exchange.sim.seam import MarketSide
from tests.exchange.sim.worlds import HOUR_MS, MINUTE_MS, Desk, StillMarket

D = Decimal
SMALL = "TINY"


def test_an_impact_price_is_the_average_of_what_ten_thousand_dollars_take() -> None:
    levels = [BookLevel(D(100), D(50), 1), BookLevel(D(125), D(1_000), 1)]
    assert impact_price(levels, D(1)) == 10_000 / (D(50) + D(40))
    assert impact_price(levels[:1], D(1)) is None
    assert impact_price(levels, D("0.01")) is None


@pytest.mark.parametrize(
    ("bid", "ask", "size", "expected"),
    [
        ("100.1", "100.2", 10_000, 10),
        ("99.7", "99.8", 10_000, -20),
        ("99.9", "100.1", 10_000, 0),
        ("100.1", "100.2", 5, 0),  # a side too thin counts nothing
    ],
)
def test_a_sample_counts_what_lies_beyond_the_index(bid: str, ask: str, size: int, expected: int) -> None:
    prices = {"buy": D(bid), "sell": D(ask)}
    sample = premium_sample(lambda side, _: [BookLevel(prices[side], D(size), 1)], D(1), D(100))
    assert sample == expected * UNIT // 10_000


def sampled_by_hand(market: MarketSide) -> float:
    """The document's formula on what the public sees."""
    found = []
    for levels in (market.bids(400), market.asks(400)):
        left, coins = 10_000.0, 0.0
        for level in levels:
            price, size = float(level.price), float(level.size * market.instrument.ct_val)
            part = min(size, left / price)
            coins, left = coins + part, left - part * price
            if left < 1e-6:
                break
        assert left < 1e-6
        found.append(10_000.0 / coins)
    index = float(market.index_px)
    return (max(0.0, found[0] - index) - max(0.0, index - found[1])) / index


def at_every_minute(venue: Exchange, coins: list[str], until_ms: int) -> dict[str, list[float]]:
    """Samples of all minutes up to `until_ms`, taken from outside."""
    found: dict[str, list[float]] = {coin: [] for coin in coins}
    while venue.now_ms < until_ms:
        minute_ms = venue.now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
        while venue.now_ms < minute_ms:
            venue.advance(minute_ms)
        for coin in coins:
            found[coin].append(sampled_by_hand(venue.markets[f"{coin}-USDT-SWAP"]))
    return found


@pytest.mark.parametrize("regime", ["calm", "thin", "crash"])
def test_the_premium_is_the_mean_of_minute_samples_of_the_public_book(regime: str) -> None:
    coins = ["BTC", "DOGE", SMALL]
    venue = Exchange(GeneratedMarket(5, coins, regime=regime, hold=True), 11)
    start_ms = START_MS + DEFAULT_INTERVAL_MS
    while venue.now_ms < start_ms:
        venue.advance(start_ms)
    first = {coin: sampled_by_hand(venue.markets[f"{coin}-USDT-SWAP"]) for coin in coins}
    samples = at_every_minute(venue, coins, start_ms + DEFAULT_INTERVAL_MS)
    for coin in coins:
        mean = sum([first[coin], *samples[coin][:-1]]) / 480
        cap = D(coin_spec(coin).funding_cap)
        one = venue.markets[f"{coin}-USDT-SWAP"].settled[-1]
        assert one.ts_ms == start_ms + DEFAULT_INTERVAL_MS
        expected = funding_rate(D(mean), DEFAULT_INTERVAL_MS, cap)
        assert float(abs(one.rate - expected)) < 1.1e-8, f"{coin} in {regime}"


def test_a_forecast_counts_every_minute_that_has_passed_and_the_last_one_settles() -> None:
    venue = Exchange(GeneratedMarket(5, ("BTC",), regime="crash", hold=True), 5)
    market = venue.markets["BTC-USDT-SWAP"]
    settle_ms = START_MS + DEFAULT_INTERVAL_MS
    samples = [sampled_by_hand(market), *at_every_minute(venue, ["BTC"], settle_ms - MINUTE_MS)["BTC"]]
    venue.advance(settle_ms - MINUTE_MS + 1)
    state = state_of(venue, "BTC")
    assert float(state.premium) == pytest.approx(sum(samples[-480:]) / 480, abs=1.1e-8)
    last_word = state.rate
    while venue.now_ms < settle_ms:
        venue.advance(settle_ms)
    assert market.settled[-1].rate == last_word


def test_whoever_looks_changes_no_rate() -> None:
    alone, watched = (Exchange(GeneratedMarket(3, (SMALL,)), 3) for _ in range(2))
    watched.watch(f"{SMALL}-USDT-SWAP")
    at_every_minute(watched, [SMALL], START_MS + DAY_MS)
    while alone.now_ms < START_MS + DAY_MS:
        alone.advance(START_MS + DAY_MS)
    one, two = (list(venue.markets[f"{SMALL}-USDT-SWAP"].settled) for venue in (alone, watched))
    assert one == two and len(one) > 150


def test_the_past_is_told_as_if_the_venue_had_been_there() -> None:
    settled = Exchange(GeneratedMarket(3, ("BTC",)), 3).markets["BTC-USDT-SWAP"].settled
    later = Exchange(GeneratedMarket(3, ("BTC",)), 3, start_ms=START_MS + DAY_MS)
    assert [one.ts_ms for one in settled][-2:] == [START_MS - DEFAULT_INTERVAL_MS, START_MS]
    assert len(settled) == 60 * 3
    assert list(later.markets["BTC-USDT-SWAP"].settled)[-4] == settled[-1]


class Flat(StillMarket):
    """One small coin at 10 USDT in a thin market, its swap so much below; the venue samples its book."""

    def __init__(self, below: float = 0.001) -> None:
        super().__init__()
        self.coins: tuple[CoinSpec, ...] = (coin_spec(SMALL),)
        self._spot, self._swap = Track(HOUR_MS), Track(HOUR_MS)
        for hour in range(-24 * 61, 24 * 5):
            for track, price in ((self._spot, 10.0), (self._swap, 10.0 * (1 - below))):
                track.append(START_MS + hour * HOUR_MS, (price, price, price, price), 1e9)

    @property
    def record(self) -> FundingRecord | None:
        return None

    def next_ms(self, after_ms: int, every_turn: bool = False) -> int | None:
        return after_ms // HOUR_MS * HOUR_MS + HOUR_MS

    def thickness(self, coin: str, at_ms: int) -> tuple[float, float]:
        return 1.0, 0.1

    def quote(self, coin: str, at_ms: int) -> Quote:
        swap = self._swap.at(at_ms)
        return Quote(self._spot.at(at_ms), swap, swap, *self.thickness(coin, at_ms))

    def tracks(self, coin: str) -> tuple[Track, Track, Track]:
        return self._spot, self._swap, self._swap


FLAT_SWAP = f"{SMALL}-USDT-SWAP"


def state_of(venue: Exchange, coin: str) -> FundingState:
    state = venue.markets[f"{coin}-USDT-SWAP"].funding
    assert state is not None
    return state


def wait_until(desk: Desk, at_ms: int) -> int:
    """Return in how many steps the venue got there."""
    steps = 0
    while desk.venue.now_ms < at_ms:
        desk.venue.advance(at_ms)
        steps += 1
    return steps


def test_an_order_that_rests_in_the_book_moves_the_premium_and_the_rate() -> None:
    left_alone, desk = Desk(Flat()), Desk(Flat())
    ask = desk.venue.markets[FLAT_SWAP].asks(1)[0].price
    order = desk.order(FLAT_SWAP, "sell", "1100", str(ask), kind="post_only")  # 11,000 USDT at the best ask
    for one in (left_alone, desk):
        wait_until(one, START_MS + DEFAULT_INTERVAL_MS - 1)
    assert order.state == "live"
    alone, moved = (state_of(one.venue, SMALL) for one in (left_alone, desk))
    assert float(alone.premium) == pytest.approx(-0.0006, abs=1e-4)  # the ask side is thin: 4 bps further
    assert float(moved.premium) == pytest.approx(float(ask) / 10 - 1, abs=3e-6)
    for one in (left_alone, desk):
        wait_until(one, START_MS + DEFAULT_INTERVAL_MS)
    rates = [one.venue.markets[FLAT_SWAP].settled[-1].rate for one in (left_alone, desk)]
    assert rates[1] < rates[0] - D("0.0003")


def test_an_order_counts_in_the_minutes_it_rests_in_and_in_no_others() -> None:
    left_alone, desk = Desk(Flat()), Desk(Flat())
    usual = float(state_of(desk.venue, SMALL).premium)
    ask = desk.venue.markets[FLAT_SWAP].asks(1)[0].price
    wait_until(desk, START_MS + 30_000)
    order = desk.order(FLAT_SWAP, "sell", "1100", str(ask), kind="post_only")
    wait_until(desk, START_MS + 3 * MINUTE_MS + 30_000)
    desk.venue.cancel(desk.me, order)
    for one in (left_alone, desk):
        wait_until(one, START_MS + 10 * MINUTE_MS + 1)
    moved = float(state_of(desk.venue, SMALL).premium - state_of(left_alone.venue, SMALL).premium)
    assert moved * 480 == pytest.approx(3 * (float(ask) / 10 - 1 - usual), rel=0.1)


def test_an_order_between_two_samples_leaves_no_trace() -> None:
    left_alone, desk = Desk(Flat()), Desk(Flat())
    ask = desk.venue.markets[FLAT_SWAP].asks(1)[0].price
    wait_until(desk, START_MS + 20_000)
    order = desk.order(FLAT_SWAP, "sell", "1100", str(ask), kind="post_only")
    wait_until(desk, START_MS + 40_000)
    desk.venue.cancel(desk.me, order)
    for one in (left_alone, desk):
        wait_until(one, START_MS + HOUR_MS + 1)
    assert state_of(desk.venue, SMALL).premium == state_of(left_alone.venue, SMALL).premium


def test_what_takers_leave_behind_is_sampled_while_it_lasts() -> None:
    left_alone, desk = (Desk(Flat(), impact_share=1.0, impact_ms=10 * MINUTE_MS) for _ in range(2))
    desk.order(FLAT_SWAP, "buy", "300", kind="market")
    for one in (left_alone, desk):
        wait_until(one, START_MS + 20 * MINUTE_MS + 1)
    assert state_of(desk.venue, SMALL).premium > state_of(left_alone.venue, SMALL).premium


def test_the_venue_stops_at_minutes_only_while_clients_show_in_a_swap() -> None:
    desk = Desk(Flat(), regrow_ms=5_000)
    ask = desk.venue.markets[FLAT_SWAP].asks(1)[0].price
    assert wait_until(desk, START_MS + HOUR_MS) == 1
    desk.order(FLAT_SWAP, "buy", "1", kind="market")  # eaten depth is back before the minute is over
    assert wait_until(desk, START_MS + 2 * HOUR_MS) == 1
    order = desk.order(FLAT_SWAP, "sell", "1", str(ask * 2), kind="limit", move_price=True)
    assert wait_until(desk, START_MS + 2 * HOUR_MS + 10 * MINUTE_MS) == 10
    desk.venue.cancel(desk.me, order)
    assert wait_until(desk, START_MS + 3 * HOUR_MS) == 1


def test_the_rate_follows_the_formula_the_profile_names() -> None:
    desk = Desk(Flat(), funding_regime="no_rate")
    state = state_of(desk.venue, SMALL)
    assert state.rate == state.premium < 0


def test_a_minutes_price_is_the_paths() -> None:
    track = Track(300_000)
    track.append(0, (100.0, 97.0, 104.0, 101.3), 1.0)
    assert track.minutes(0) == [track.at(minute * MINUTE_MS) for minute in range(5)]
