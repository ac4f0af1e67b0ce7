from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import DAY_MS
from strategy.auxiliary.feed import (
    KINDS,
    LONGEST_MESSAGE,
    MOST_KEPT,
    by_instrument,
    event_of,
    parse_event,
    read_lines,
    taken_in,
)
from strategy.auxiliary.language import FeedEvent

NOW = 1_767_571_200_000
GOOD: dict[str, Any] = {"type": 113, "id": "8f2c", "symbol": "BTC", "timestamp": NOW}


def message(**changed: object) -> str:
    return json.dumps(GOOD | changed)


def event(
    event_id: str = "a", at_ms: int = NOW, source: str = "feed", instrument: str = "BTC-USDT"
) -> FeedEvent:
    return FeedEvent(event_id, "113", instrument, at_ms, source)


def test_a_message_becomes_an_event() -> None:
    assert parse_event(message(), "vs", "webhook") == FeedEvent("8f2c", "113", "BTC-USDT", NOW, "vs")


def test_numbers_may_come_as_words_and_the_other_way_round_and_more_keys_are_let_through() -> None:
    read = parse_event(message(type="112", id=77, price="1.5"), "vs", "webhook")
    assert (read.kind, read.event_id) == ("112", "77")


@pytest.mark.parametrize("symbol", ["BTC", "$BTC", "btc", " BTC ", "BTCUSDT", "BTC-USDT", "BTC/USDT"])
def test_every_way_to_write_a_symbol_names_one_instrument(symbol: str) -> None:
    assert parse_event(message(symbol=symbol), "vs", "webhook").instrument == "BTC-USDT"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"type": 99}, "webhook: type is 99, allowed: one of 110, 112, 113"),
        ({"type": True}, "webhook: type is True, allowed: one of"),
        ({"type": 113.0}, "webhook: type is 113.0, allowed: one of"),
        ({"id": ""}, "webhook: id is '', allowed: a number, or 1 to 128 printable"),
        ({"id": "a\n"}, r"webhook: id is 'a\\n', allowed"),
        ({"id": "x" * 129}, r"webhook: id is 'x+\.\.\., allowed"),
        ({"symbol": "USDT"}, r"webhook: symbol is 'USDT', allowed: a coin \(BTC\) or its USDT pair"),
        ({"symbol": "BTC-USD-SWAP"}, "webhook: symbol is 'BTC-USD-SWAP', allowed"),
        ({"symbol": 7}, "webhook: symbol is 7, allowed"),
        ({"timestamp": NOW // 1000}, "webhook: timestamp is 1767571200, allowed: whole UTC milliseconds"),
        ({"timestamp": NOW * 1000}, "webhook: timestamp is 1767571200000000, allowed"),
        ({"timestamp": str(NOW)}, "webhook: timestamp is '1767571200000', allowed"),
        ({"timestamp": True}, "webhook: timestamp is True, allowed"),
        ({"timestamp": None}, "webhook: timestamp is missing, allowed"),
    ],
)
def test_a_bad_value_is_named_with_its_place_and_what_is_allowed(
    changed: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_event(message(**changed), "vs", "webhook")


@pytest.mark.parametrize("key", list(GOOD))
def test_a_missing_key_is_named(key: str) -> None:
    rest = {name: value for name, value in GOOD.items() if name != key}
    with pytest.raises(ValueError, match=f"webhook: {key} is missing, allowed: to be there"):
        parse_event(json.dumps(rest), "vs", "webhook")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '"113"', "null", "[" * 4_000, "1" * 4_000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"webhook: the message is .*, allowed: one JSON object"):
        parse_event(text, "vs", "webhook")


def test_a_message_without_end_is_refused_unread() -> None:
    with pytest.raises(ValueError, match="length is 4097, allowed: up to 4096 characters"):
        parse_event("x" * (LONGEST_MESSAGE + 1), "vs", "webhook")


@given(
    st.text(max_size=200)
    | st.dictionaries(st.sampled_from(list(GOOD)), st.none() | st.integers() | st.text()).map(json.dumps)
)
def test_any_text_is_an_event_or_one_clear_error(text: str) -> None:
    try:
        read = parse_event(text, "vs", "webhook")
    except ValueError as error:
        assert str(error).startswith("webhook: ") and ", allowed: " in str(error)
    else:
        assert read.kind in KINDS and read.instrument.endswith("-USDT")


def test_the_hook_without_json_takes_the_same_values() -> None:
    assert event_of(113, "8f2c", "BTC", NOW, "vs", "hook") == parse_event(message(), "vs", "webhook")
    with pytest.raises(ValueError, match="hook: type is 1, allowed"):
        event_of(1, "8f2c", "BTC", NOW, "vs", "hook")


def test_a_bad_line_of_a_file_costs_itself_and_no_other() -> None:
    lines = [message(id="1"), "", "nonsense\n", message(id="2") + "\n", message(type=5)]
    read = read_lines(lines, "feed.jsonl", first_line=10)
    assert [each.event_id for each in read.events] == ["1", "2"]
    assert [complaint.split(":")[0] for complaint in read.complaints] == [
        "feed.jsonl line 12",
        "feed.jsonl line 14",
    ]


def test_an_id_that_comes_again_changes_nothing() -> None:
    kept = taken_in((), event(), NOW)
    assert taken_in(kept, event(at_ms=NOW + 5), NOW + 10) is kept


def test_another_feed_may_use_the_same_id() -> None:
    kept = taken_in((), event(), NOW)
    assert len(taken_in(kept, event(source="other"), NOW)) == 2


def test_what_is_too_old_is_let_go_and_not_taken_in() -> None:
    kept = taken_in((), event("old"), NOW)
    later = taken_in(kept, event("new", NOW + DAY_MS), NOW + DAY_MS)
    assert [each.event_id for each in later] == ["new"]
    assert taken_in(later, event("older", NOW), NOW + DAY_MS) is later


def test_events_are_kept_oldest_first_in_whatever_order_they_come() -> None:
    kept: tuple[FeedEvent, ...] = ()
    for name, at_ms in (("b", NOW), ("c", NOW + 1), ("a", NOW - 1)):
        kept = taken_in(kept, event(name, at_ms), NOW + 1)
    assert [each.event_id for each in kept] == ["a", "b", "c"]


def test_a_feed_gone_wild_pushes_the_oldest_out() -> None:
    full = tuple(event(str(n), NOW - MOST_KEPT + n) for n in range(MOST_KEPT))
    kept = taken_in(full, event("last", NOW), NOW)
    assert len(kept) == MOST_KEPT and kept[0].event_id == "1" and kept[-1].event_id == "last"


def test_every_instrument_gets_its_own_events_in_order() -> None:
    kept = (event("a"), event("b", instrument="ETH-USDT"), event("c"))
    assert {name: [e.event_id for e in events] for name, events in by_instrument(kept).items()} == {
        "BTC-USDT": ["a", "c"],
        "ETH-USDT": ["b"],
    }
