"""Quotes, books, trades and candles by REST."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from exchange.sim.exchange import Exchange
from exchange.sim.markets.bars import BARS
from tests.exchange.sim.surface.client import Rest
from tests.exchange.sim.surface.stub_venue import HOUR_MS, START_MS, D
from tests.exchange.sim.worlds import StillMarket

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


def test_ticker_volumes_are_contracts_for_swaps_and_coins_for_spot() -> None:
    rest = Rest()
    [swap] = rest.rows("/market/ticker", instId="BTC-USDT-SWAP")
    assert (swap["vol24h"], swap["volCcy24h"]) == ("123450", "1234.5")
    [spot] = rest.rows("/market/ticker", instId="BTC-USDT")
    assert (spot["vol24h"], spot["volCcy24h"]) == ("1234.5", "74070000")
    assert (spot["bidPx"], spot["askPx"], spot["askSz"]) == ("59999.9", "60000.1", "2.5")


def test_an_empty_side_of_the_book_is_no_quote() -> None:
    rest = Rest()
    rest.venue.markets["BTC-USDT"].depth = 0
    [row] = rest.rows("/market/ticker", instId="BTC-USDT")
    assert (row["bidPx"], row["bidSz"], row["askPx"], row["askSz"]) == ("", "", "", "")


def test_day_opens_are_asked_of_the_market_once_a_day() -> None:
    rest = Rest()
    market = rest.venue.markets["BTC-USDT"]
    for _ in range(3):
        rest.rows("/market/ticker", instId="BTC-USDT")
    day = 24 * HOUR_MS
    assert market.asked_bars == [(day, None, 1, 0), (day, None, 1, 8 * HOUR_MS)]
    rest.venue.now_ms = market.now_ms = START_MS + 16 * HOUR_MS  # the UTC+8 day has turned
    rest.rows("/market/ticker", instId="BTC-USDT")
    assert market.asked_bars[2:] == [(day, None, 1, 8 * HOUR_MS)]


def test_tickers_lists_one_type() -> None:
    assert [row["instId"] for row in Rest().rows("/market/tickers", instType="SWAP")] == ["BTC-USDT-SWAP"]


def test_books_default_to_one_level_and_sequence_numbers_are_integers() -> None:
    rest = Rest()
    [book] = rest.rows("/market/books", instId="BTC-USDT")
    assert book["asks"] == [["60000.1", "2.5", "0", "1"]]
    assert book["bids"] == [["59999.9", "1.5", "0", "1"]]
    assert book["seqId"] == 1000
    [deep] = rest.rows("/market/books", instId="BTC-USDT", sz=400)
    asks = [D(level[0]) for level in deep["asks"]]
    bids = [D(level[0]) for level in deep["bids"]]
    assert len(asks) == 10 and asks == sorted(asks) and bids == sorted(bids, reverse=True)
    assert rest.get("/market/books", instId="BTC-USDT", sz=401)[1]["code"] == "51000"


def test_candles_come_newest_first_and_the_forming_one_is_not_confirmed() -> None:
    rows = Rest().rows("/market/candles", instId="BTC-USDT-SWAP", bar="15m", limit=3)
    assert [row[0] for row in rows] == [str(START_MS - n * 900_000) for n in range(3)]
    assert [row[8] for row in rows] == ["0", "1", "1"]
    assert rows[0][5:8] == ["200", "2", "120100"]  # contracts, coins, quote


def test_spot_candle_volumes_are_coins_and_quote() -> None:
    [row] = Rest().rows("/market/candles", instId="BTC-USDT", limit=1)
    assert row[5:8] == ["2", "120100", "120100"]


def test_day_candles_align_to_utc_plus_8_unless_named_utc() -> None:
    rest = Rest()
    [asian] = rest.rows("/market/candles", instId="BTC-USDT", bar="1D", limit=1)
    [utc] = rest.rows("/market/candles", instId="BTC-USDT", bar="1Dutc", limit=1)
    assert int(asian[0]) == START_MS - 8 * HOUR_MS
    assert int(utc[0]) == START_MS


def test_weeks_begin_on_monday() -> None:
    spec = BARS["1Wutc"]
    assert (START_MS + spec.offset_ms) % spec.length_ms == 0  # 5 January 2026 was a Monday


def test_candles_page_backwards_with_after_and_stop_with_before() -> None:
    rest = Rest()
    minute = 60_000
    older = rest.rows("/market/candles", instId="BTC-USDT", after=START_MS - 5 * minute, limit=2)
    assert [int(row[0]) for row in older] == [START_MS - 6 * minute, START_MS - 7 * minute]
    newer = rest.rows("/market/candles", instId="BTC-USDT", before=START_MS - 2 * minute)
    assert [int(row[0]) for row in newer] == [START_MS, START_MS - minute]


def test_candles_reach_back_1440_bars_and_history_further() -> None:
    rest = Rest()
    after = START_MS - 1440 * 60_000
    assert rest.rows("/market/candles", instId="BTC-USDT", after=after) == []
    assert len(rest.rows("/market/history-candles", instId="BTC-USDT", after=after)) == 100
    assert len(rest.rows("/market/history-candles", instId="BTC-USDT", limit=999)) == 300


def test_mark_candles_have_six_fields() -> None:
    [row] = Rest().rows("/market/mark-price-candles", instId="BTC-USDT-SWAP", bar="1H", limit=1)
    assert row == [str(START_MS), "60000", "60100.5", "59900", "60050", "0"]


def test_trades_come_newest_first() -> None:
    rows = Rest().rows("/market/trades", instId="BTC-USDT", limit=2)
    assert [row["tradeId"] for row in rows] == ["7", "6"]


CANDLES = [
    ("/market/candles", SWAP, 9),
    ("/market/history-candles", SWAP, 9),
    ("/market/mark-price-candles", SWAP, 6),
    ("/market/history-mark-price-candles", SWAP, 6),
    ("/market/index-candles", SPOT, 6),
    ("/market/history-index-candles", SPOT, 6),
]


@pytest.mark.parametrize(("path", "inst_id", "columns"), CANDLES)
def test_every_bar_name_is_served_by_every_candle_endpoint(path: str, inst_id: str, columns: int) -> None:
    rest = Rest()
    for name in BARS:
        if name == "1s":
            continue
        rows = rest.rows(path, instId=inst_id, bar=name, limit=3)
        assert len(rows) == 3 and {len(row) for row in rows} == {columns}, name
        opens = [int(row[0]) for row in rows]
        assert opens == sorted(opens, reverse=True)
        assert [row[-1] for row in rows] == ["0", "1", "1"]


@pytest.mark.parametrize(("path", "inst_id", "columns"), CANDLES)
def test_seconds_are_history_of_traded_prices_only(path: str, inst_id: str, columns: int) -> None:
    code = Rest().get(path, instId=inst_id, bar="1s")[1]["code"]
    assert code == ("0" if path == "/market/history-candles" else "51000")


def opens_of(bar: str, limit: int = 4, **more: object) -> list[str]:
    rows = Rest().rows("/market/history-candles", instId=SWAP, bar=bar, limit=limit, **more)
    return [f"{datetime.fromtimestamp(int(row[0]) / 1000, UTC):%Y-%m-%d %H}" for row in rows]


def test_months_are_those_of_the_calendar() -> None:
    assert opens_of("1Mutc") == ["2026-01-01 00", "2025-12-01 00", "2025-11-01 00", "2025-10-01 00"]
    assert opens_of("1M", 2) == ["2025-12-31 16", "2025-11-30 16"]
    assert opens_of("3Mutc", 3) == ["2026-01-01 00", "2025-10-01 00", "2025-07-01 00"]


def test_months_page_backwards_whole() -> None:
    december = int(datetime(2025, 12, 1, tzinfo=UTC).timestamp() * 1000)
    assert opens_of("1Mutc", 2, after=december) == ["2025-11-01 00", "2025-10-01 00"]
    assert opens_of("1Mutc", 2, after=december + 1) == ["2025-12-01 00", "2025-11-01 00"]
    assert opens_of("1Mutc", 1, after=9_999_999_999_999_999_999) == ["2026-01-01 00"]
    [whole] = Rest().rows("/market/history-candles", instId=SWAP, bar="1Mutc", after=december + 1, limit=1)
    assert whole[5] == str(31 * 200)  # contracts of 31 days of 2 coins


def test_the_full_book_is_a_second_old_at_most_and_has_no_deprecated_column() -> None:
    rest = Rest()
    market = rest.venue.markets[SPOT]
    [row] = rest.rows("/market/books-full", instId=SPOT, sz=2)
    assert row["asks"] == [["60000.1", "2.5", "1"], ["60000.2", "5", "2"]]
    market.mid += 1
    rest.venue.now_ms += 999
    assert rest.rows("/market/books-full", instId=SPOT, sz=1)[0]["asks"] == row["asks"][:1]
    rest.venue.now_ms += 1
    assert rest.rows("/market/books-full", instId=SPOT)[0]["asks"] == [["60001.1", "2.5", "1"]]
    assert rest.get("/market/books-full", instId=SPOT, sz=5001)[1]["code"] == "51000"


def test_history_trades_page_by_trade_id_or_by_time() -> None:
    rest = Rest()
    ids: Callable[..., list[str]] = lambda **asked: [  # noqa: E731
        row["tradeId"] for row in rest.rows("/market/history-trades", instId=SPOT, **asked)
    ]
    assert ids() == ["7", "6", "5", "4", "3", "2", "1"]
    assert ids(after=3) == ["2", "1"]
    assert ids(before=5) == ["7", "6"]
    assert ids(type=2, after=START_MS - 10 + 3) == ["2", "1"]
    assert rest.get("/market/history-trades", instId=SPOT, type=3)[1]["code"] == "51000"
    rest.venue.now_ms += 91 * 24 * HOUR_MS
    assert ids() == []


def test_volumes_of_a_swap_are_whole_lots_of_contracts_and_the_coins_they_stand_for() -> None:
    """A bar of 0.0123 coins is 123 of the hundredths of a contract, and not nothing."""
    venue = Exchange(StillMarket(volume=0.01234), seed=1)
    rest = Rest(venue)  # type: ignore[arg-type]
    row = rest.rows("/market/history-candles", instId=SWAP, bar="1H", limit=2)[1]
    assert row[5:8] == ["1.23", "0.0123", str(D("0.0123") * D(row[4]))]
    [ticker] = rest.rows("/market/ticker", instId=SWAP)
    assert (ticker["vol24h"], ticker["volCcy24h"]) == ("28.38", "0.2838")  # 23 closed bars
