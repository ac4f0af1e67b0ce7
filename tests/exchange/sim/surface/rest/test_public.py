import pytest

from tests.exchange.sim.surface.client import Rest
from tests.exchange.sim.surface.stub_venue import HOUR_MS, START_MS


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
    assert rest.rows("/public/mark-price", instId="BTC-USDT-SWAP") == [mark]  # as ccxt asks
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


def test_tiers_begin_anywhere_as_time_goes_by() -> None:
    rest, orders = Rest(), set()
    for _ in range(20):
        rows = rest.rows("/public/position-tiers", instType="SWAP", tdMode="cross", instFamily="BTC-USDT")
        orders.add(tuple(row["tier"] for row in rows))
        rest.venue.now_ms += 1_000
    assert orders == {("1", "2"), ("2", "1")}


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("/public/instruments", {}, 400, "50014"),
        ("/public/instruments", {"instType": "STOCK"}, 400, "51000"),
        ("/public/instruments", {"instType": "OPTION"}, 400, "50015"),
        ("/public/instruments", {"instType": "OPTION", "instFamily": "BTC-USD"}, 200, "0"),
        ("/public/instruments", {"instType": "FUTURES"}, 200, "0"),
        ("/public/instruments", {"instType": "SWAP", "instId": "BTC-USDT"}, 200, "51015"),
        ("/public/instruments", {"instType": "SPOT", "instId": "NO-USDT"}, 200, "51001"),
        ("/public/open-interest", {"instType": "SPOT"}, 400, "51000"),
        ("/public/mark-price", {"instType": "MARGIN"}, 200, "0"),
        ("/public/position-tiers", {"instType": "MARGIN", "tdMode": "cross"}, 400, "50015"),
        ("/public/position-tiers", {"instType": "SPOT", "tdMode": "cross"}, 400, "51000"),
        (
            "/public/position-tiers",
            {"instType": "SWAP", "tdMode": "cross", "instFamily": "A,B,C,D,E,F"},
            400,
            "50025",
        ),
        ("/system/status", {"state": "sometime"}, 400, "51000"),
        ("/market/tickers", {"instType": "MARGIN"}, 400, "51000"),
    ],
)
def test_a_parameter_that_does_not_fit_has_the_venues_code(
    path: str, params: dict[str, str], status: int, code: str
) -> None:
    got, answer = Rest().get(path, **params)
    assert (got, answer["code"]) == (status, code)


def test_underlyings_are_one_list_of_names() -> None:
    assert Rest().rows("/public/underlying", instType="SWAP") == [["BTC-USDT"]]


def test_undocumented_fields_come_along() -> None:
    assert "newFieldOfTomorrow" in Rest().rows("/market/ticker", instId="BTC-USDT")[0]
