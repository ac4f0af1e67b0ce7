"""The market store: frozen views, ages, and settlements noticed by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from core.types import (
    HOUR_MS,
    Book,
    Candle,
    FundingQuote,
    MaintenanceWindow,
    Pair,
    SettledFunding,
)
from exchange.candle_series import BAR_MS, KEEP
from exchange.local_book import BookChange
from exchange.market_data import KEEP_SETTLED, MarketData, mend_candles, seed
from tests.exchange.okx.support import NOW_MS, StillClock
from tests.fakes import btc

D = Decimal
PAIR = btc()
SPOT, SWAP = PAIR.spot.inst_id, PAIR.swap.inst_id
SNAPSHOT = BookChange(True, [(D(60000), D(1))], [(D(60001), D(1))], 5, 10, -1)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def data(clock: StillClock) -> MarketData:
    return MarketData([PAIR], clock)


def quote(funding_time_ms: int, rate: str = "0.0001", settled: str | None = None) -> FundingQuote:
    return FundingQuote(
        SWAP,
        D(rate),
        funding_time_ms,
        funding_time_ms + 8 * HOUR_MS,
        seen_ms=1,
        settled_rate=None if settled is None else D(settled),
    )


def candle(ts_ms: int, closed: bool = True) -> Candle:
    return Candle(ts_ms, D(1), D(1), D(1), D(1), D(1), closed)


def test_what_was_never_seen_is_none(data: MarketData) -> None:
    view = data.view(PAIR.name)
    assert view.pair is PAIR and not view.is_quoted
    assert view.spot is view.swap is view.mark_px is view.funding is view.volume_24h_usdt is None
    assert view.age_ms(NOW_MS) is None
    assert view.settled == () and view.open_interest == ()


def test_every_part_carries_the_time_of_its_arrival(data: MarketData, clock: StillClock) -> None:
    data.on_book(SPOT, SNAPSHOT)
    clock.now += 100
    data.on_book(SWAP, SNAPSHOT)
    clock.now += 100
    data.on_mark(SWAP, D(60000))
    view = data.view(PAIR.name)
    assert view.spot and view.swap
    assert (view.spot.seen_ms, view.swap.seen_ms, view.mark_seen_ms) == (NOW_MS, NOW_MS + 100, NOW_MS + 200)
    assert view.age_ms(clock.now) == 200


def test_a_view_is_the_same_object_until_something_changes(data: MarketData) -> None:
    data.on_book(SPOT, SNAPSHOT)
    view = data.view(PAIR.name)
    assert data.view(PAIR.name) is view
    data.on_mark(SWAP, D(1))
    assert data.view(PAIR.name) is not view
    assert view.mark_px is None


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.on_book(SPOT, SNAPSHOT),
        lambda d: d.on_mark(SWAP, D(1)),
        lambda d: d.on_funding(quote(NOW_MS)),
        lambda d: d.on_candle(SPOT, candle(0)),
        lambda d: d.on_open_interest(PAIR.name, D(1)),
        lambda d: d.on_volume(PAIR.name, D(1)),
        lambda d: d.seed_candles(PAIR.name, {}),
        lambda d: d.seed_settled(PAIR.name, [SettledFunding(1, D(1))]),
        lambda d: d.set_pair(replace(PAIR, spot=replace(PAIR.spot, state="suspend"))),
    ],
)
def test_every_kind_of_news_shows_in_the_next_view(data: MarketData, change: object) -> None:
    before = data.view(PAIR.name)
    assert callable(change)
    change(data)
    assert data.view(PAIR.name) is not before


def test_an_unreadable_book_is_none_and_says_so(data: MarketData) -> None:
    assert data.on_book(SPOT, SNAPSHOT)
    assert not data.on_book(SPOT, replace(SNAPSHOT, snapshot=False, seq_id=13, prev_seq_id=12))
    assert data.view(PAIR.name).spot is None


def test_the_two_markets_do_not_mix(data: MarketData) -> None:
    data.on_book(SPOT, SNAPSHOT)
    data.on_book(SWAP, replace(SNAPSHOT, bids=[(D(59000), D(9))]))
    view = data.view(PAIR.name)
    assert view.spot and view.swap
    assert (view.spot.inst_id, view.swap.inst_id) == (SPOT, SWAP)
    assert view.swap.bids == ((D(59000), D(9)),)


def test_a_settlement_is_noticed_when_the_quote_moves_on(data: MarketData) -> None:
    data.on_funding(quote(NOW_MS))
    data.on_funding(quote(NOW_MS + 8 * HOUR_MS, settled="0.00012"))
    assert data.view(PAIR.name).settled == (SettledFunding(NOW_MS, D("0.00012")),)


def test_a_settlement_in_progress_waits_for_its_rate(data: MarketData) -> None:
    data.on_funding(quote(NOW_MS, settled="0.5"))  # speaks of the one before
    data.on_funding(quote(NOW_MS + 8 * HOUR_MS))
    assert data.view(PAIR.name).settled == ()
    data.on_funding(quote(NOW_MS + 8 * HOUR_MS, settled="0.0002"))
    data.on_funding(quote(NOW_MS + 8 * HOUR_MS, settled="0.0002"))
    assert data.view(PAIR.name).settled == (SettledFunding(NOW_MS, D("0.0002")),)


def test_the_venues_history_wins_over_what_was_pushed(data: MarketData) -> None:
    data.on_funding(quote(NOW_MS))
    data.on_funding(quote(NOW_MS + 8 * HOUR_MS, settled="0.9"))
    data.seed_settled(
        PAIR.name, [SettledFunding(NOW_MS, D("0.1")), SettledFunding(NOW_MS - HOUR_MS, D("0.3"))]
    )
    assert [row.rate for row in data.view(PAIR.name).settled] == [D("0.3"), D("0.1")]
    data.seed_settled(PAIR.name, [SettledFunding(NOW_MS + 8 * HOUR_MS, D("0.2"))])
    data.on_funding(quote(NOW_MS + 16 * HOUR_MS, settled="0.9"))
    assert data.view(PAIR.name).settled[-1].rate == D("0.2")


def test_the_settled_history_is_bounded_and_keeps_the_newest(data: MarketData) -> None:
    data.seed_settled(PAIR.name, [SettledFunding(n, D(n)) for n in range(KEEP_SETTLED + 50)])
    settled = data.view(PAIR.name).settled
    assert len(settled) == KEEP_SETTLED and settled[-1].ts_ms == KEEP_SETTLED + 49


def test_open_interest_is_a_bounded_series(data: MarketData, clock: StillClock) -> None:
    for n in range(400):
        clock.now += 1
        data.on_open_interest(PAIR.name, D(n))
    series = data.view(PAIR.name).open_interest
    assert len(series) == 300 and series[-1] == (clock.now, D(399))


def test_new_rules_of_a_pair_keep_its_data(data: MarketData) -> None:
    data.on_mark(SWAP, D(7))
    changed = replace(PAIR, swap=replace(PAIR.swap, exp_time_ms=NOW_MS))
    data.set_pair(changed)
    assert data.view(PAIR.name).pair is changed and data.view(PAIR.name).mark_px == 7
    assert data.names == (PAIR.name,)


class RestMarket:
    """The Market port, answering from thin air."""

    def __init__(self) -> None:
        self.bars: list[tuple[str, str, int]] = []

    async def server_time_ms(self) -> int:
        return NOW_MS

    async def pairs(self, names: Iterable[str]) -> tuple[Pair, ...]:
        return (PAIR,)

    async def ranked_pairs(self, limit: int) -> tuple[Pair, ...]:
        return (PAIR,)

    async def book(self, inst_id: str, depth: int) -> Book:
        raise AssertionError("nobody asks for this here")

    async def candles(self, inst_id: str, bar: str, limit: int) -> tuple[Candle, ...]:
        self.bars.append((inst_id, bar, limit))
        start = NOW_MS - NOW_MS % BAR_MS[bar]
        return tuple(candle(start - BAR_MS[bar] * n) for n in (2, 1, 0))

    async def funding(self, inst_id: str) -> FundingQuote:
        return quote(NOW_MS)

    async def settled_funding(self, inst_id: str, limit: int) -> tuple[SettledFunding, ...]:
        return (SettledFunding(1, D(1)),)

    async def mark_px(self, inst_id: str) -> Decimal:
        return D(60000)

    async def open_interest(self, inst_id: str) -> Decimal:
        return D(5)

    async def maintenance(self) -> tuple[MaintenanceWindow, ...]:
        return ()


async def test_seeding_fills_everything_that_is_not_pushed(data: MarketData) -> None:
    market = RestMarket()
    await seed(data, market)
    view = data.view(PAIR.name)
    assert view.funding == quote(NOW_MS) and view.mark_px == 60000
    assert view.settled and view.open_interest == ((NOW_MS, D(5)),)
    assert {bar: len(bars) for bar, bars in view.candles.items()} == dict.fromkeys(BAR_MS, 3)
    assert market.bars == [(SPOT, bar, KEEP[bar]) for bar in BAR_MS]


async def test_only_candles_with_a_hole_are_asked_for_again(data: MarketData) -> None:
    market = RestMarket()
    await seed(data, market)
    market.bars.clear()
    await mend_candles(data, market)
    assert market.bars == []
    data.on_candle(SPOT, candle(NOW_MS + 10 * BAR_MS["3m"]))
    await mend_candles(data, market)
    assert len(market.bars) == 4 and data.candle_holes() == ()
