"""How the venue ends a connection, or does not begin one."""

import pytest

from exchange.sim.model import Reject
from tests.exchange.sim.surface.client import Rest, Stream, public
from tests.exchange.sim.surface.stub_venue import START_MS

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


def test_an_upgrade_is_announced_a_minute_before_the_end() -> None:
    stream = public()
    hub, venue = stream.rest.hub, stream.rest.venue
    assert hub.retire() == 1
    [notice] = stream.news()
    assert (notice["event"], notice["code"], notice["connId"]) == ("notice", "64008", "00000001")
    venue.now_ms += 59_999
    assert hub.ending() == []
    venue.now_ms += 1
    assert hub.ending() == [stream.session]
    assert stream.session.closing == (1012, "Service upgrade")


def test_who_was_told_is_not_told_again_and_who_comes_later_is_not_ended() -> None:
    stream = public()
    hub = stream.rest.hub
    hub.retire(10_000)
    late = public(stream.rest)
    assert hub.retire(60_000, [stream.session]) == 0
    stream.rest.venue.now_ms += 10_000
    assert hub.ending() == [stream.session]
    assert late.news() == []


@pytest.mark.parametrize(("service", "told"), [("0", True), ("5", False)])
def test_a_maintenance_of_the_streams_is_announced_and_ends_them(service: str, told: bool) -> None:
    stream = public()
    venue = stream.rest.venue
    begin_ms = START_MS + 100_000
    venue.maintenance = [
        {"title": "m", "state": "scheduled", "begin": str(begin_ms), "end": "9", "serviceType": service}
    ]
    assert stream.news() == []
    venue.now_ms = begin_ms - 60_000
    assert [message["code"] for message in stream.news()] == (["64008"] if told else [])
    assert stream.news() == []
    venue.now_ms = begin_ms
    assert stream.rest.hub.ending() == ([stream.session] if told else [])


def test_a_login_whose_key_is_deleted_ends() -> None:
    stream = Stream(Rest(), "private")
    stream.login()
    assert stream.rest.hub.ending() == []
    stream.rest.venue.demo.key = "another"
    assert stream.rest.hub.ending() == [stream.session]
    assert stream.session.closing is not None and stream.session.closing[0] == 4007


def test_more_than_64_kilobytes_of_channels_end_the_connection() -> None:
    stream = public(kind="business")
    arg = {"channel": "candle1m", "instId": SPOT}
    bars = ("candle1m", "candle3m", "candle5m")
    room = 64 * 1024 - 3 * len('{"channel":"candle1m","instId":"BTC-USDT"}')
    for bar in bars:
        stream.subscribe(**{**arg, "channel": bar})
    for _ in range(3):  # the same ones again count once
        stream.subscribe(**arg)
    assert stream.session.closing is None
    filler = {"channel": "candle15m", "instId": SPOT, "extraParams": "x" * (room - 70)}
    assert stream.subscribe(**filler)[0]["event"] == "subscribe"
    stream.say(op="unsubscribe", args=[filler])
    assert stream.subscribe(**{**filler, "channel": "candle30m"})[0]["event"] == "subscribe"
    assert stream.subscribe(channel="candle1H", instId=SPOT) == []
    assert stream.session.closing is not None and stream.session.closing[0] == 4009


def test_a_request_of_more_than_64_kilobytes_of_channels_ends_the_connection() -> None:
    stream = public()
    args = [{"channel": "tickers", "instId": SPOT}] * 2000
    assert stream.say(op="subscribe", args=args) == []
    assert stream.session.closing is not None and stream.session.closing[0] == 4008


def test_an_address_may_open_three_connections_a_second() -> None:
    rest = Rest(rate_limits=True)
    for _ in range(3):
        rest.hub.admit("10.0.0.1")
    with pytest.raises(Reject, match="50011"):
        rest.hub.admit("10.0.0.1")
    rest.hub.admit("10.0.0.2")
    rest.venue.now_ms += 334
    rest.hub.admit("10.0.0.1")
