import pytest

from exchange.sim.markets.bars import BARS
from tests.exchange.sim.surface.client import Rest
from tests.exchange.sim.surface.stub_venue import HOUR_MS, START_MS, D


def test_instruments_tell_contract_fields_for_swaps_and_coins_for_spot() -> None:
    rest = Rest()
    [swap] = rest.rows("/public/instruments", instType="SWAP")
    assert (swap["ctVal"], swap["ctMult"], swap["ctValCcy"], swap["ctType"]) == ("0.01", "1", "BTC", "linear")
    assert (swap["baseCcy"], swap["quoteCcy"], swap["settleCcy"]) == ("", "", "USDT")
    assert (swap["uly"], swap["instFamily"], swap["instIdCode"]) == ("BTC-USDT", "BTC-USDT", 10459)
    [spot] = rest.rows("/public/instruments", instType="SPOT", instId="BTC-USDT")
    assert (spot["baseCcy"], spot["quoteCcy"], spot["ctVal"], spot["settleCcy"]) == ("BTC", "USDT", "", "")
    assert (spot["lotSz"], spot["minSz"], spot["tickSz"]) == ("0.00000001", "0.00001", "0.1")


def test_an_announced_delisting_shows_as_an_expiry_time() -> None:
    rest = Rest()
    assert rest.rows("/public/instruments", instType="SWAP")[0]["expTime"] == ""
    rest.venue.instruments["BTC-USDT-SWAP"].expires_ms = START_MS + 1
    assert rest.rows("/public/instruments", instType="SWAP")[0]["expTime"] == str(START_MS + 1)


def test_the_private_twin_of_instruments_needs_a_key() -> None:
    rest = Rest()
    assert rest.rows("/account/instruments", instType="SWAP")[0]["instId"] == "BTC-USDT-SWAP"
    assert rest.raw("GET", "/api/v5/account/instruments", "instType=SWAP", {})[0] == 401


def test_an_unknown_instrument_is_refused_everywhere() -> None:
    rest = Rest()
    for path in ("/market/ticker", "/market/books", "/market/candles", "/public/price-limit"):
        assert rest.get(path, instId="XYZ-USDT")[1]["code"] == "51001"


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


def test_the_funding_rate_names_both_coming_settlements() -> None:
    rest = Rest()
    [row] = rest.rows("/public/funding-rate", instId="BTC-USDT-SWAP")
    assert int(row["nextFundingTime"]) - int(row["fundingTime"]) == 8 * HOUR_MS
    assert (row["fundingRate"], row["nextFundingRate"], row["settState"]) == ("0.0001", "", "settled")
    assert rest.rows("/public/funding-rate", instId="ANY") == [row]
    assert rest.get("/public/funding-rate", instId="BTC-USDT")[1]["code"] == "51000"


def test_funding_history_is_newest_first_with_what_was_really_charged() -> None:
    rest = Rest()
    rows = rest.rows("/public/funding-rate-history", instId="BTC-USDT-SWAP", limit=2)
    times = [int(row["fundingTime"]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert (rows[0]["fundingRate"], rows[0]["realizedRate"]) == ("0.0001", "0.00009")
    older = rest.rows("/public/funding-rate-history", instId="BTC-USDT-SWAP", after=times[1])
    assert len(older) == 8 and int(older[0]["fundingTime"]) < times[1]


def test_funding_history_forgets_after_three_months() -> None:
    rest = Rest()
    rest.venue.now_ms += 90 * 24 * HOUR_MS
    assert len(rest.rows("/public/funding-rate-history", instId="BTC-USDT-SWAP")) == 1


def test_mark_price_band_open_interest_and_index() -> None:
    rest = Rest()
    [mark] = rest.rows("/public/mark-price", instType="SWAP", instId="BTC-USDT-SWAP")
    assert mark["markPx"] == "60005"
    [band] = rest.rows("/public/price-limit", instId="BTC-USDT-SWAP")
    assert (band["buyLmt"], band["sellLmt"], band["enabled"]) == ("61200", "58800", True)
    [oi] = rest.rows("/public/open-interest", instType="SWAP")
    assert (oi["oi"], oi["oiCcy"], oi["oiUsd"]) == ("5000", "50", "3000250")
    [index] = rest.rows("/market/index-tickers", instId="BTC-USDT")
    assert index["idxPx"] == "60000"


def test_position_tiers_are_in_contracts_and_in_no_order() -> None:
    rest = Rest()
    rows = rest.rows("/public/position-tiers", instType="SWAP", tdMode="cross", instFamily="BTC-USDT")
    assert [row["tier"] for row in rows] == ["2", "1"]
    assert (rows[1]["maxSz"], rows[1]["mmr"], rows[1]["maxLever"]) == ("1000", "0.004", "100")
    [one] = rest.rows("/public/position-tiers", instType="SWAP", tdMode="cross", uly="BTC-USDT", tier=1)
    assert one["tier"] == "1"
    assert rest.get("/public/position-tiers", instType="SWAP", tdMode="cross")[1]["code"] == "50014"


def test_discounts_by_currency() -> None:
    rest = Rest()
    [row] = rest.rows("/public/discount-rate-interest-free-quota", ccy="BTC")
    assert [(t["minAmt"], t["maxAmt"], t["discountRate"]) for t in row["details"]] == [
        ("0", "20", "0.98"),
        ("20", "", "0.9775"),
    ]
    everything = rest.rows("/public/discount-rate-interest-free-quota")
    assert [row["ccy"] for row in everything] == ["BTC", "USDT"]


@pytest.mark.parametrize(("asked", "titles"), [({}, ["soon"]), ({"state": "completed"}, ["past"])])
def test_status_shows_what_is_ahead_unless_asked_for_the_past(
    asked: dict[str, str], titles: list[str]
) -> None:
    rest = Rest()
    rest.venue.maintenance = [
        {"title": "soon", "state": "scheduled", "begin": "1", "end": "2"},
        {"title": "past", "state": "completed", "begin": "0", "end": "1"},
    ]
    assert [row["title"] for row in rest.rows("/system/status", **asked)] == titles


def test_undocumented_fields_come_along() -> None:
    assert "newFieldOfTomorrow" in Rest().rows("/market/ticker", instId="BTC-USDT")[0]
