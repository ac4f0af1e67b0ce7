"""Books by stream: snapshots, chained updates, keep-alives, and who may have the fast ones."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.model import BookLevel
from tests.exchange.sim.surface.client import Rest, channels, decoded, public, step
from tests.exchange.sim.surface.stub_venue import START_MS, D, StubMarket

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


def apply(book: dict[str, dict[str, list[str]]], message: dict[str, Any]) -> None:
    """A client's book: quantities are absolute, "0" removes the level."""
    [data] = message["data"]
    for side in ("bids", "asks"):
        for level in data[side]:
            if level[1] == "0":
                del book[side][level[0]]
            else:
                book[side][level[0]] = level


def shown(market: StubMarket) -> dict[str, dict[str, list[str]]]:
    rest = Rest()
    rest.venue.markets[SPOT] = market
    [row] = rest.rows("/market/books", instId=SPOT, sz=400)
    return {side: {level[0]: level for level in row[side]} for side in ("bids", "asks")}


def test_books_begin_with_a_snapshot_and_go_on_with_chained_updates() -> None:
    stream = public()
    ack, snapshot = stream.subscribe(channel="books", instId=SPOT)
    assert ack["event"] == "subscribe"
    assert (snapshot["action"], snapshot["data"][0]["prevSeqId"]) == ("snapshot", -1)
    seq = snapshot["data"][0]["seqId"]
    for _ in range(3):
        [update] = step(stream)
        [data] = update["data"]
        assert update["action"] == "update"
        assert data["prevSeqId"] == seq and data["seqId"] > seq
        assert data["checksum"] == 0
        seq = data["seqId"]


sizes = st.integers(min_value=1, max_value=3)
ladders = st.dictionaries(st.integers(min_value=1, max_value=12), sizes, max_size=12)


@settings(max_examples=60)
@given(st.lists(st.tuples(ladders, ladders), min_size=1, max_size=6))
def test_a_client_that_applies_every_update_holds_the_venues_book(
    worlds: list[tuple[dict[int, int], dict[int, int]]],
) -> None:
    stream = public()
    market = stream.rest.venue.markets[SPOT] = LadderMarket(stream.rest.venue.instruments[SPOT], START_MS)
    [_, snapshot] = stream.subscribe(channel="books", instId=SPOT)
    book: dict[str, dict[str, list[str]]] = {"bids": {}, "asks": {}}
    apply(book, snapshot)
    for bids, asks in worlds:
        market.ladder = (bids, asks)
        for message in step(stream):
            apply(book, message)
        assert book == shown(market)


class LadderMarket(StubMarket):
    """A book given level by level: ticks from the mid -> size."""

    ladder: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def bids(self, depth: int) -> list[BookLevel]:
        return [BookLevel(60_000 - D(n) / 10, D(size), 1) for n, size in sorted(self.ladder[0].items())]

    def asks(self, depth: int) -> list[BookLevel]:
        return [BookLevel(60_000 + D(n) / 10, D(size), 1) for n, size in sorted(self.ladder[1].items())]


def test_sessions_that_came_at_different_times_hold_the_same_book() -> None:
    early = public()
    late = public(early.rest)
    books: dict[str, dict[str, dict[str, list[str]]]] = {
        name: {"bids": {}, "asks": {}} for name in ("early", "late")
    }
    apply(books["early"], early.subscribe(channel="books", instId=SPOT)[1])
    venue = early.rest.venue
    venue.advance(venue.now_ms + 1000)  # the late one comes between the change and its push
    apply(books["late"], late.subscribe(channel="books", instId=SPOT)[1])
    for _ in range(2):
        news = dict(early.rest.hub.drain())
        for name, stream in (("early", early), ("late", late)):
            for frame in news.get(stream.session, []):
                apply(books[name], decoded(frame))
        assert books["early"] == books["late"] == shown(venue.markets[SPOT])
        venue.advance(venue.now_ms + 1000)


def test_sessions_that_were_sent_different_books_get_different_updates() -> None:
    early = public()
    venue = early.rest.venue
    apply(one := {"bids": {}, "asks": {}}, early.subscribe(channel="books", instId=SPOT)[1])
    venue.advance(START_MS + 50)
    assert early.news() == []  # too soon for the early one
    late = public(early.rest)
    apply(two := {"bids": {}, "asks": {}}, late.subscribe(channel="books", instId=SPOT)[1])
    venue.advance(START_MS + 160)
    news = dict(early.rest.hub.drain())
    for book, stream in ((one, early), (two, late)):
        [frame] = news[stream.session]
        apply(book, decoded(frame))
        assert book == shown(venue.markets[SPOT])


def test_equal_sessions_share_the_very_same_bytes() -> None:
    one = public()
    two = public(one.rest)
    for stream in (one, two):
        for channel in ("books", "tickers", "books5"):
            stream.subscribe(channel=channel, instId=SPOT)
    one.rest.venue.advance(START_MS + 1000)
    news = dict(one.rest.hub.drain())
    assert all(a is b for a, b in zip(news[one.session], news[two.session], strict=True))
    assert len(news[one.session]) == 3


def test_books_speak_every_100_ms_at_most_and_lose_nothing() -> None:
    stream = public()
    stream.subscribe(channel="books", instId=SPOT)
    [first] = step(stream, 100)
    assert step(stream, 40) == []
    [second] = step(stream, 60)
    assert second["data"][0]["prevSeqId"] == first["data"][0]["seqId"]
    assert second["data"][0]["seqId"] == stream.rest.venue.markets[SPOT].seq_id


def test_an_unchanged_book_is_kept_alive_every_minute() -> None:
    stream = public()
    stream.subscribe(channel="books", instId=SPOT)
    stream.rest.venue.now_ms += 59_999
    assert stream.news() == []
    stream.rest.venue.now_ms += 1
    [message] = stream.news()
    [data] = message["data"]
    assert data["seqId"] == data["prevSeqId"] and data["asks"] == data["bids"] == []


def test_a_restarted_sequence_is_chained_to_the_last_number() -> None:
    stream = public()
    [_, snapshot] = stream.subscribe(channel="books", instId=SPOT)
    stream.rest.venue.markets[SPOT].seq_id = 1
    [update] = step(stream)
    assert update["data"][0]["prevSeqId"] == snapshot["data"][0]["seqId"]
    assert update["data"][0]["seqId"] < update["data"][0]["prevSeqId"]


@pytest.mark.parametrize(("channel", "levels"), [("books5", 5), ("bbo-tbt", 1)])
def test_shallow_books_are_whole_every_time(channel: str, levels: int) -> None:
    stream = public()
    [_, first] = stream.subscribe(channel=channel, instId=SPOT)
    [second] = step(stream)
    for message in (first, second):
        [data] = message["data"]
        assert "action" not in message and "prevSeqId" not in data and "checksum" not in data
        assert len(data["asks"]) == len(data["bids"]) == levels
        assert data["instId"] == SPOT
    assert second["data"][0]["seqId"] == stream.rest.venue.markets[SPOT].seq_id


def test_the_channels_of_one_instrument_come_in_the_documented_order() -> None:
    stream = public()
    stream.rest.venue.demo.fee_level = "VIP5"
    stream.login()
    for channel in ("tickers", "books5", "books", "books-l2-tbt", "bbo-tbt"):
        stream.subscribe(channel=channel, instId=SPOT)
    assert channels(step(stream)) == ["bbo-tbt", "books-l2-tbt", "books", "books5", "tickers"]


@pytest.mark.parametrize(
    ("channel", "level", "code"),
    [
        ("books-l2-tbt", None, "60011"),
        ("books-l2-tbt", "Lv1", "64003"),
        ("books-l2-tbt", "VIP4", "64003"),
        ("books-l2-tbt", "VIP5", None),
        ("books50-l2-tbt", "VIP3", "64003"),
        ("books50-l2-tbt", "VIP4", None),
    ],
)
def test_fast_books_are_for_customers_of_a_level(channel: str, level: str | None, code: str | None) -> None:
    stream = public()
    if level is not None:
        stream.rest.venue.demo.fee_level = level
        stream.login()
    answer, *more = stream.subscribe(channel=channel, instId=SPOT)
    assert answer.get("code") == code
    assert [message["action"] for message in more] == ([] if code else ["snapshot"])


def test_the_two_fast_books_of_an_instrument_exclude_each_other() -> None:
    stream = public()
    stream.rest.venue.demo.fee_level = "VIP5"
    stream.login()
    stream.subscribe(channel="books-l2-tbt", instId=SPOT)
    [answer] = stream.subscribe(channel="books50-l2-tbt", instId=SPOT)
    assert answer["code"] == "64004"
    assert stream.subscribe(channel="books50-l2-tbt", instId=SWAP)[0]["event"] == "subscribe"


def test_fast_books_speak_every_10_ms_and_as_deep_as_they_are_named() -> None:
    stream = public()
    stream.rest.venue.demo.fee_level = "VIP5"
    stream.rest.venue.markets[SPOT].depth = 100
    stream.login()
    [_, snapshot] = stream.subscribe(channel="books50-l2-tbt", instId=SPOT)
    assert len(snapshot["data"][0]["asks"]) == len(snapshot["data"][0]["bids"]) == 50
    stream.subscribe(channel="books", instId=SPOT)
    assert channels(step(stream, 10)) == ["books50-l2-tbt"]
    assert step(stream, 9) == []
    assert channels(step(stream, 1)) == ["books50-l2-tbt"]
    assert channels(step(stream, 80)) == ["books50-l2-tbt", "books"]
