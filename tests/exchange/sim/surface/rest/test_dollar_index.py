"""USDT-USD: what a USDT is worth in dollars, as the index it is on the venue."""

from decimal import Decimal as D
from itertools import pairwise

from exchange.sim.exchange import Exchange
from exchange.sim.markets.dollar import DollarBars
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.surface.entry.order_entry import OrderEntry
from exchange.sim.surface.entry.rate_limits import RateLimits
from exchange.sim.surface.rest.api import RestApi
from exchange.sim.surface.streams.hub import StreamHub
from tests.exchange.sim.surface.client import Rest, Stream

HOUR_MS, BAR_MS = 3_600_000, 300_000
NAME = "USDT-USD"


class Market(Rest):
    """The surface of a venue in whose market the USDT loses its peg."""

    def __init__(self) -> None:
        super().__init__()
        real = Exchange(GeneratedMarket(7, ("BTC",), regime="depeg", hold=True), 7)
        self.venue = real  # type: ignore[assignment]
        limits = RateLimits(False)
        self.entry = OrderEntry(real, limits)
        self.api, self.hub = RestApi(real, limits, self.entry), StreamHub(real, limits, self.entry)

    def wait(self, ms: int) -> None:
        until_ms = self.venue.now_ms + ms
        while self.venue.now_ms < until_ms:
            self.venue.advance(until_ms)


def test_its_ticker_and_candles_follow_what_a_usdt_is_worth() -> None:
    rest = Market()
    rest.wait(30 * HOUR_MS)
    worth = rest.venue.usdt_usd
    assert worth < D("0.999")
    [row] = rest.rows("/market/index-tickers", instId=NAME)
    assert (row["instId"], row["idxPx"], row["ts"]) == (NAME, str(worth.normalize()), str(rest.venue.now_ms))
    assert D(row["low24h"]) <= worth <= D(row["high24h"]) and D(row["high24h"]) >= D(row["open24h"])
    assert [one["instId"] for one in rest.rows("/market/index-tickers", quoteCcy="USD")] == [NAME]
    assert rest.get("/market/index-tickers", instId=NAME, quoteCcy="USDT")[1]["code"] == "51001"
    candles = rest.rows("/market/index-candles", instId=NAME, bar="1H", limit=40)
    assert D(candles[0][4]) == worth and len(candles) == 40
    for newer, older in pairwise(candles):
        assert int(newer[0]) - int(older[0]) == HOUR_MS
        assert D(older[3]) <= min(D(older[1]), D(older[4])) <= max(D(older[1]), D(older[4])) <= D(older[2])
    assert candles[-1][1:5] == ["1"] * 4  # before the start all was well


def test_its_channels_speak_when_it_moves() -> None:
    rest = Market()
    tickers, candles = Stream(rest, "public"), Stream(rest, "business")
    ack, first = tickers.subscribe(channel="index-tickers", instId=NAME)
    assert ack["event"] == "subscribe" and first["data"][0]["instId"] == NAME
    assert candles.subscribe(channel="index-candle1H", instId=NAME)[1]["arg"]["instId"] == NAME
    refused = tickers.subscribe(channel="tickers", instId=NAME)
    assert [message["code"] for message in refused] == ["60018"]
    rest.wait(2 * HOUR_MS)
    news = dict(rest.hub.drain())
    assert f'"idxPx":"{rest.venue.usdt_usd.normalize()}"'.encode() in news[tickers.session][-1]
    assert b"index-candle1H" in news[candles.session][-1]


def test_a_candle_holds_every_value_of_its_time_and_none_is_older_than_asked() -> None:
    values = {0: 1.0, 1: 0.98, 2: 0.9, 3: 0.95, 4: 0.7}
    bars = DollarBars(lambda at_ms: values[at_ms // BAR_MS], 0).newest(4 * BAR_MS - 1, 2 * BAR_MS, None, 9)
    assert [(bar.ts_ms, bar.open, bar.high, bar.low, bar.close, bar.closed) for bar in bars] == [
        (2 * BAR_MS, D("0.9"), D("0.95"), D("0.9"), D("0.95"), False),
        (0, D(1), D(1), D("0.98"), D("0.98"), True),
    ]
    assert len(DollarBars(lambda _: 1.0, 0).newest(10**9, 60_000, None, 5)) == 5
    assert DollarBars(lambda _: 1.0, 0).newest(10**9, 60_000, 60_000, 5)[0].ts_ms == 0
