"""What a session answers, and what the public channels push."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.events import InstrumentChanged, StatusChanged, TradePrinted
from exchange.sim.model import PublicTrade
from tests.exchange.sim.surface.client import Rest, Stream, channels, decoded, public, step
from tests.exchange.sim.surface.stub_venue import START_MS, STEP_MS, D

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


def test_ping_is_answered_by_pong() -> None:
    assert public().session.receive("ping") == [b"pong"]


def test_every_argument_gets_an_acknowledgement_of_its_own() -> None:
    answers = public().say(
        id="1512",
        op="subscribe",
        args=[{"channel": "trades", "instId": SPOT}, {"channel": "trades", "instId": SWAP}],
    )
    assert [answer["arg"]["instId"] for answer in answers] == [SPOT, SWAP]
    assert all(answer["event"] == "subscribe" and answer["id"] == "1512" for answer in answers)
    assert all(answer["connId"] for answer in answers)


@pytest.mark.parametrize(
    "arg",
    [
        {"channel": "ticker", "instId": SPOT},
        {"channel": "tickers", "instId": "XYZ-USDT"},
        {"channel": "tickers"},
        {"channel": "orders", "instType": "ANY"},
        {"channel": "candle1m", "instId": SPOT},
        {"channel": "funding-rate", "instId": SPOT},
        {"channel": "index-tickers", "instId": SWAP},
        {"channel": "instruments", "instType": "STOCK"},
        {"instId": SPOT},
    ],
)
def test_a_wrong_channel_or_argument_is_60018(arg: dict[str, Any]) -> None:
    stream = public()
    [answer] = stream.say(id="7", op="subscribe", args=[arg])
    assert (answer["event"], answer["code"], answer["id"]) == ("error", "60018", "7")
    assert step(stream) == []


def test_a_wrong_argument_does_not_spoil_its_neighbours() -> None:
    answers = public().say(
        op="subscribe", args=[{"channel": "x", "instId": SPOT}, {"channel": "trades", "instId": SPOT}]
    )
    assert [answer["event"] for answer in answers] == ["error", "subscribe"]


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"op":"dance","args":[{}]}', "{}", '{"op":["x"]}'])
def test_nonsense_is_60012(text: str) -> None:
    [answer] = public().session.receive(text)
    error = json.loads(answer)
    assert (error["code"], error["msg"]) == ("60012", f"Illegal request: {text}")  # ccxt reads the text back


@pytest.mark.parametrize(
    "args", [None, [], "x", ["x"], {}, [{"channel": ["tickers"]}], [{"channel": "tickers", "instId": ["x"]}]]
)
def test_arguments_that_are_no_list_of_objects_are_60013(args: object) -> None:
    [answer] = public().say(op="subscribe", args=args)
    assert answer["code"] == "60013"


def test_too_many_operations_in_an_hour_are_60014() -> None:
    stream = public(Rest(rate_limits=True))
    arg = {"channel": "trades", "instId": SPOT}
    codes = {stream.say(op="subscribe", args=[arg])[0].get("code") for _ in range(480)}
    assert codes == {None}
    assert stream.say(op="unsubscribe", args=[arg])[0]["code"] == "60014"
    assert stream.session.receive("ping") == [b"pong"]


def test_what_is_unsubscribed_stays_silent() -> None:
    stream = public()
    stream.subscribe(channel="tickers", instId=SPOT)
    stream.subscribe(channel="books", instId=SPOT)
    assert channels(step(stream)) == ["books", "tickers"]
    [answer] = stream.say(op="unsubscribe", args=[{"channel": "books", "instId": SPOT}])
    assert answer["event"] == "unsubscribe"
    assert channels(step(stream)) == ["tickers"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
OPS = ("login", "subscribe", "unsubscribe", "order", "batch-orders", "cancel-order", "amend-order")
NAMES = ("channel", "instId", "instType", "ccy", "extraParams", "apiKey", "sign", "instIdCode", "sz", "ordId")


@settings(max_examples=300)
@given(
    op=st.sampled_from(OPS) | anything,
    args=st.lists(st.dictionaries(st.sampled_from(NAMES), anything, max_size=5), max_size=3) | anything,
    ident=anything,
)
def test_whatever_a_client_says_it_gets_an_answer(op: Any, args: Any, ident: Any) -> None:
    stream = Stream(Rest(), "private")
    stream.login()
    answers = stream.say(op=op, args=args, id=ident)
    assert answers and all("event" in answer or "op" in answer for answer in answers)


# --- the other channels -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "inst_id", "path", "asked"),
    [
        ("tickers", SPOT, "/market/ticker", {"instId": SPOT}),
        ("mark-price", SWAP, "/public/mark-price", {"instType": "SWAP"}),
        ("index-tickers", SPOT, "/market/index-tickers", {"instId": SPOT}),
        ("price-limit", SWAP, "/public/price-limit", {"instId": SWAP}),
        ("price-limit", SPOT, "/public/price-limit", {"instId": SPOT}),
        ("funding-rate", SWAP, "/public/funding-rate", {"instId": SWAP}),
        ("open-interest", SWAP, "/public/open-interest", {"instType": "SWAP"}),
    ],
)
def test_a_channel_greets_with_and_then_pushes_the_rest_object(
    channel: str, inst_id: str, path: str, asked: dict[str, str]
) -> None:
    stream = public()
    _, first = stream.subscribe(channel=channel, instId=inst_id)
    assert first == {"arg": {"channel": channel, "instId": inst_id}, "data": stream.rest.rows(path, **asked)}
    [pushed] = step(stream, 75_000)
    assert pushed["data"] == stream.rest.rows(path, **asked)
    assert pushed["data"] != first["data"]
    assert stream.news() == []


def test_a_change_that_came_too_soon_is_told_as_soon_as_it_may() -> None:
    stream = public()
    stream.subscribe(channel="tickers", instId=SPOT)
    assert len(step(stream, 100)) == 1
    assert step(stream, 50) == []
    stream.rest.venue.now_ms += 50  # nothing new has happened
    [message] = stream.news()
    assert message["data"][0]["ts"] == str(START_MS + 150)
    stream.rest.venue.now_ms += 500
    assert stream.news() == []


def test_one_message_tells_all_prints_of_a_round() -> None:
    stream = public()
    assert len(stream.subscribe(channel="trades", instId=SPOT)) == 1  # no greeting
    venue = stream.rest.venue
    venue.advance(START_MS + 1000)
    venue.advance(START_MS + 2000)
    [message] = stream.news()
    assert len(message["data"]) == 2
    assert message["data"][0]["count"] == "1" and message["data"][0]["tradeId"] == "1007"


def test_prints_of_one_taker_at_one_price_are_one_row() -> None:
    stream = public()
    business = public(stream.rest, "business")
    stream.subscribe(channel="trades", instId=SPOT)
    business.subscribe(channel="trades-all", instId=SPOT)
    prints = [(1, "60000", "0.1"), (2, "60000", "0.3"), (3, "60000.1", "0.5")]
    stream.rest.venue.outbox += [
        TradePrinted(PublicTrade(SPOT, n, D(price), D(size), "buy", START_MS)) for n, price, size in prints
    ]
    news = dict(stream.rest.hub.drain())
    [message] = [decoded(frame) for frame in news[stream.session]]
    rows = [(row["tradeId"], row["sz"], row["count"]) for row in message["data"]]
    assert rows == [("2", "0.4", "2"), ("3", "0.5", "1")]
    single = [decoded(frame)["data"] for frame in news[business.session]]
    assert [(len(data), data[0]["count"]) for data in single] == [(1, "1")] * 3


def test_all_trades_come_one_by_one() -> None:
    stream = public(kind="business")
    stream.subscribe(channel="trades-all", instId=SPOT)
    venue = stream.rest.venue
    venue.advance(START_MS + 1000)
    venue.advance(START_MS + 2000)
    assert [len(message["data"]) for message in stream.news()] == [1, 1]


def test_the_funding_rate_speaks_every_half_minute_at_most() -> None:
    stream = public()
    stream.subscribe(channel="funding-rate", instId=SWAP)
    assert step(stream, 29_000) == []
    assert channels(step(stream, 1_000)) == ["funding-rate"]
    assert step(stream, 29_999) == []
    assert channels(step(stream, 1)) == ["funding-rate"]


def test_open_interest_comes_every_three_seconds_without_a_change() -> None:
    stream = public()
    stream.subscribe(channel="open-interest", instId=SWAP)
    assert step(stream, 2_999) == []
    assert channels(step(stream, 1)) == ["open-interest"]
    assert step(stream, 2_999) == []


def test_the_mark_price_comes_every_ten_seconds_without_a_change() -> None:
    stream = public()
    stream.subscribe(channel="mark-price", instId=SWAP)
    stream.rest.venue.now_ms += 9_999
    assert stream.news() == []
    stream.rest.venue.now_ms += 1
    assert channels(stream.news()) == ["mark-price"]


def test_instruments_tell_only_what_changed() -> None:
    stream = public()
    assert len(stream.subscribe(channel="instruments", instType="SWAP")) == 1
    assert step(stream) == []
    stream.rest.venue.instruments[SWAP].state = "suspend"
    stream.rest.venue.outbox += [InstrumentChanged(SWAP), InstrumentChanged(SPOT)]
    [message] = stream.news()
    assert message["arg"] == {"channel": "instruments", "instType": "SWAP"}
    assert [(row["instId"], row["state"]) for row in message["data"]] == [(SWAP, "suspend")]


def test_maintenance_is_announced() -> None:
    stream = public()
    assert len(stream.subscribe(channel="status")) == 1
    stream.rest.venue.maintenance = [{"title": "gap", "begin": "1", "end": "2"}]
    stream.rest.venue.outbox.append(StatusChanged())
    [message] = stream.news()
    assert message["arg"] == {"channel": "status"}
    assert (message["data"][0]["title"], message["data"][0]["state"]) == ("gap", "scheduled")


def test_a_candle_gets_its_final_word_before_the_next_one_begins() -> None:
    stream = public(kind="business")
    _, greeting = stream.subscribe(channel="candle1m", instId=SWAP)
    assert [row[0] for row in greeting["data"]] == [str(START_MS)]
    assert [message["data"][0][8] for message in step(stream, 30_000)] == ["0"]
    messages = step(stream, STEP_MS)  # lands in the next minute
    assert [(int(message["data"][0][0]) - START_MS, message["data"][0][8]) for message in messages] == [
        (0, "1"),
        (60_000, "0"),
    ]


@pytest.mark.parametrize(
    ("channel", "inst_id", "columns"),
    [("mark-price-candle1H", SWAP, 6), ("index-candle1Dutc", SPOT, 6), ("candle3M", SWAP, 9)],
)
def test_candles_of_marks_indices_and_months_are_pushed(channel: str, inst_id: str, columns: int) -> None:
    stream = public(kind="business")
    _, greeting = stream.subscribe(channel=channel, instId=inst_id)
    assert greeting["arg"] == {"channel": channel, "instId": inst_id}
    for message in (greeting, *step(stream, 1000)):
        assert [len(row) for row in message["data"]] == [columns]
        assert message["data"][0][-1] == "0"


def test_a_newcomers_greeting_does_not_take_the_final_word_from_the_others() -> None:
    stream = public(kind="business")
    stream.subscribe(channel="candle1m", instId=SWAP)
    step(stream, 59_500)
    assert step(stream, 500) == []  # the bar has closed, but the last push was too recently
    public(stream.rest, "business").subscribe(channel="candle1m", instId=SWAP)
    assert [message["data"][0][8] for message in step(stream, 500)] == ["1", "0"]


def test_a_session_without_a_frame_for_30_seconds_is_idle() -> None:
    stream, chatty = public(), None
    chatty = public(stream.rest)
    chatty.subscribe(channel="tickers", instId=SPOT)
    venue = stream.rest.venue
    venue.now_ms += 30_000
    assert stream.rest.hub.idle() == []
    venue.now_ms += 1
    assert set(stream.rest.hub.idle()) == {stream.session, chatty.session}
    stream.session.receive("ping")
    step(chatty)
    assert stream.rest.hub.idle() == []


def test_a_dropped_session_is_pushed_nothing() -> None:
    stream = public()
    stream.subscribe(channel="tickers", instId=SPOT)
    stream.rest.hub.drop(stream.session)
    assert step(stream) == []
