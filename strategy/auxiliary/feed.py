"""Outside events: one JSON message in, one FeedEvent out; which of them are kept, and for how long.

    {"type": 113, "id": "8f2c", "symbol": "BTC", "timestamp": 1767571200000}

Whoever receives messages (a webhook, a file that is written to) hands the text in here and holds the
tuple that comes out: nothing in here waits, reads a clock or remembers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from core.types import DAY_MS
from strategy.auxiliary.language import FeedEvent

ALPHA: Final = "110"
INTENSIFIED: Final = "112"
FOMO: Final = "113"
KINDS: Final = (ALPHA, INTENSIFIED, FOMO)

KEPT_MS: Final = DAY_MS  # a message that comes a second time within it is known
MOST_KEPT: Final = 5_000  # of all instruments together: a feed gone wild fills no memory
LONGEST_MESSAGE: Final = 4_096  # characters

_QUOTE: Final = "USDT"
_SYMBOL: Final = re.compile(r"\$?([A-Z0-9]{1,20}?)(?:[-/]?USDT)?")
_EARLIEST_MS: Final = 1_262_304_000_000  # 2010-01-01: a time in seconds lies before it
_LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01: one in microseconds after it


def event_of(
    kind: object, event_id: object, symbol: object, at_ms: object, source: str, place: str
) -> FeedEvent:
    """Return the event these four values speak of: the hook for a caller that has no JSON.

    place  where the values come from, for the error: "feed.jsonl line 3".

    Raises ValueError that names the place, the value and what is allowed.
    """
    named = str(kind) if isinstance(kind, str | int) and not isinstance(kind, bool) else ""
    if named not in KINDS:
        raise _refused(place, "type", kind, f"one of {', '.join(KINDS)}")
    name = str(event_id) if isinstance(event_id, str | int) and not isinstance(event_id, bool) else ""
    if not 1 <= len(name) <= 128 or not name.isprintable():
        raise _refused(place, "id", event_id, "a number, or 1 to 128 printable characters")
    if not isinstance(at_ms, int) or isinstance(at_ms, bool) or not _EARLIEST_MS <= at_ms < _LATEST_MS:
        raise _refused(place, "timestamp", at_ms, "whole UTC milliseconds, from 2010 until 2100")
    return FeedEvent(name, named, _instrument(symbol, place), at_ms, source)


def parse_event(text: str, source: str, place: str) -> FeedEvent:
    """Return the event one JSON message speaks of; keys beside the four are let through unread.

    Raises ValueError that names the place, the value and what is allowed.
    """
    if len(text) > LONGEST_MESSAGE:
        raise _refused(place, "the message's length", len(text), f"up to {LONGEST_MESSAGE} characters")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):  # the second for brackets in brackets in brackets
        raise _refused(place, "the message", text, "one JSON object") from None
    if not isinstance(message, dict):
        raise _refused(place, "the message", text, "one JSON object")
    for key in ("type", "id", "symbol", "timestamp"):
        if key not in message:
            raise _refused(place, key, None, "to be there, with type, id, symbol and timestamp")
    return event_of(message["type"], message["id"], message["symbol"], message["timestamp"], source, place)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file of messages says: the events in the order of its lines, and a complaint per bad line."""

    events: tuple[FeedEvent, ...]
    complaints: tuple[str, ...]


def read_lines(lines: Iterable[str], source: str, first_line: int = 1) -> Reading:
    """Return what whole lines of a feed file say, one message a line; empty lines are passed over.

    A line that cannot be read costs itself and no other. `first_line` is the number of the first one, for
    a file that is read on from where it ended.
    """
    events, complaints = [], []
    for number, line in enumerate(lines, first_line):
        if not (text := line.strip()):
            continue
        try:
            events.append(parse_event(text, source, f"{source} line {number}"))
        except ValueError as error:
            complaints.append(str(error))
    return Reading(tuple(events), tuple(complaints))


def taken_in(
    kept: tuple[FeedEvent, ...], event: FeedEvent, now_ms: int, kept_ms: int = KEPT_MS
) -> tuple[FeedEvent, ...]:
    """Return what is kept once `event` has come, oldest first; the same tuple when it changes nothing.

    It changes nothing when its feed has sent that id before, or when it is older than what is kept.
    """
    if event.at_ms <= now_ms - kept_ms or any(_same(event, other) for other in kept):
        return kept
    young = [other for other in kept if other.at_ms > now_ms - kept_ms]
    return tuple(sorted([*young, event], key=lambda each: each.at_ms)[-MOST_KEPT:])


def by_instrument(kept: Iterable[FeedEvent]) -> Mapping[str, tuple[FeedEvent, ...]]:
    """Return the events of each instrument in the order given: what its Look is to show."""
    sorted_out: dict[str, list[FeedEvent]] = {}
    for event in kept:
        sorted_out.setdefault(event.instrument, []).append(event)
    return {instrument: tuple(events) for instrument, events in sorted_out.items()}


def _same(one: FeedEvent, other: FeedEvent) -> bool:
    return one.event_id == other.event_id and one.source == other.source


def _instrument(symbol: object, place: str) -> str:
    """BTC, $BTC, BTCUSDT, BTC/USDT and BTC-USDT are the engine's BTC-USDT."""
    found = _SYMBOL.fullmatch(symbol.strip().upper()) if isinstance(symbol, str) else None
    if found is None or found[1] == _QUOTE:
        raise _refused(place, "symbol", symbol, "a coin (BTC) or its USDT pair (BTCUSDT, BTC-USDT)")
    return f"{found[1]}-{_QUOTE}"


def _refused(place: str, what: str, value: object, allowed: str) -> ValueError:
    shown = "missing" if value is None else repr(value)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    return ValueError(f"{place}: {what} is {shown}, allowed: {allowed}")
