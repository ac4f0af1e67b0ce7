"""Every kind of fault: where it may strike, which fields it has, and what it fits.

The one list that reading, listing and the manual's table are made from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from exchange.sim.faults.rules import Occasion, Place

REST, CONNECT, MESSAGE, PUSH, VENUE = Place.REST, Place.CONNECT, Place.MESSAGE, Place.PUSH, Place.VENUE

_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION: Final = re.compile(r"(\d{1,9})(ms|s|m|h|d)")
_CODE: Final = re.compile(r"\d{1,6}")
_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
MOST_MS: Final = 400 * 86_400_000
LONGEST_TEXT: Final = 100_000


class Unfit(ValueError):
    """A value a field cannot take; the text says what it can."""


# --- reading one value: return it, or raise Unfit with what is allowed --------------------------


def span_ms(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_MS:
        return value
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found and (ms := int(found[1]) * _UNITS_MS[found[2]]) <= MOST_MS:
        return ms
    raise Unfit("whole milliseconds at or above 0, or text like 500ms, 30s, 5m, 2h, 1d; at most 400d")


def skew_ms(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_MS:
        return value
    raise Unfit("whole milliseconds, negative for a clock that is behind")


def count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1_000_000_000:
        return value
    raise Unfit("a whole number from 1")


def number(value: object) -> Decimal:
    if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool):
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            found = Decimal("NaN")
        if found.is_finite():
            return found
    raise Unfit("a number")


def share(value: object) -> Decimal:
    found = number(value)
    if not 0 <= found <= 1:
        raise Unfit("a number from 0 to 1")
    return found


def change(value: object) -> Decimal:
    found = number(value)
    if not -1 < found <= 10:
        raise Unfit("a number above -1, at most 10: 0.2 is 20 % up")
    return found


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unfit("true or false")
    return value


def text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise Unfit("text")
    return value


def word(value: object) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise Unfit("1 to 64 letters, digits and _ . : -")
    return value


def code(value: object) -> str:
    found = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(found, str) or not _CODE.fullmatch(found):
        raise Unfit("one of the venue's codes, like 51008")
    return found


def whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise Unfit(f"a whole number from {least} to {most}")

    return read


def one_of(*names: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in names:
            raise Unfit(" or ".join(names))
        return str(value)

    return read


def table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not value or not all(isinstance(name, str) for name in value):
        raise Unfit("names with their values, as the control interface takes them")
    return value


# --- the kinds ----------------------------------------------------------------------------------

REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    read: Callable[[object], Any]
    default: Any = REQUIRED


def anything(occasion: Occasion) -> bool:
    return True


def _book_update(occasion: Occasion) -> bool:
    return occasion.channel.startswith("books") and occasion.op == "update"


def places_orders(occasion: Occasion) -> bool:
    """Whether it is an attempt to place orders, by REST or on a stream."""
    by_rest = occasion.method == "POST" and occasion.path.endswith(("/trade/order", "/trade/batch-orders"))
    return by_rest or occasion.op in ("order", "batch-orders")


def _order_query(occasion: Occasion) -> bool:
    return occasion.method == "GET" and occasion.path.startswith(
        ("/api/v5/trade/order", "/api/v5/trade/fills")
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """`says` is its line of the manual. `fits` narrows what its rules match."""

    places: tuple[Place, ...]
    says: str
    fields: Mapping[str, Field] = field(default_factory=dict)
    fits: Callable[[Occasion], bool] = anything


_PART = Field(one_of("request", "answer"), "request")
_LASTS = Field(span_ms, None)
_INST = Field(word)
_ACCOUNT = Field(word)

KINDS: Final[dict[str, Kind]] = {
    # --- on the way
    "drop": Kind(
        (REST, CONNECT, MESSAGE, PUSH),
        "lost on the way: the request never arrives, its answer never comes, a push is not sent",
        {"part": _PART},
    ),
    "delay": Kind(
        (REST, MESSAGE, PUSH),
        "late by `ms` of venue time: the request is carried out later, or its answer comes later; pushes "
        "of one channel stay in order",
        {"ms": Field(span_ms), "part": Field(one_of("request", "answer"), "answer")},
    ),
    "duplicate": Kind(
        (REST, MESSAGE, PUSH),
        "carried out or pushed `times` more than once; of a request the last answer comes back",
        {"times": Field(whole(1, 100), 1)},
    ),
    "reorder": Kind(
        (PUSH,),
        "pushed after the next frame of its connection, at the latest `ms` later",
        {"ms": Field(span_ms, 1_000)},
    ),
    "reset": Kind(
        (REST, CONNECT, MESSAGE, PUSH),
        "the connection is reset (TCP RST): before the request counts, or instead of its answer",
        {"part": _PART},
    ),
    "half_open": Kind(
        (REST, CONNECT, MESSAGE, PUSH),
        "the connection stays open and says nothing more, no pong and no close; at `connect` it is accepted "
        "and the handshake never answered",
    ),
    "close": Kind(
        (MESSAGE, PUSH),
        "the stream is closed with a closing frame",
        {"code": Field(whole(1000, 4999), 1000), "reason": Field(text, "")},
    ),
    "notice": Kind(
        (MESSAGE, PUSH),
        "the stream is told (64008) that it will end for a service upgrade, and is closed `after` later",
        {"after": Field(span_ms, 60_000)},
    ),
    # --- wrong answers
    "http": Kind(
        (REST, CONNECT),
        "another HTTP answer, as a gateway would give; `executed` true: after the request was carried out",
        {
            "status": Field(whole(200, 599)),
            "body": Field(text, "<html><body><h1>Bad Gateway</h1></body></html>"),
            "content_type": Field(text, "text/html"),
            "executed": Field(flag, False),
        },
    ),
    "reject": Kind(
        (REST, MESSAGE),
        "refused with a code of the venue's. Order operations: codes from 51000 on refuse the orders, or "
        "only the `item`-th of a batch; others refuse the request. `login` (60009), `subscribe` (60018) too",
        {"code": Field(code), "msg": Field(text, "Refused"), "item": Field(whole(1, 20), None)},
    ),
    "rate_limit": Kind((REST, MESSAGE), "50011 with HTTP 429; 60014 on streams"),
    "ack_lost": Kind(
        (REST, MESSAGE),
        "carried out, but the answer is lost (`none`), a 50004 whose result is unknown (`timeout`), or a "
        "reset",
        {"answer": Field(one_of("none", "timeout", "reset"), "none")},
    ),
    "fill": Kind(
        (REST, MESSAGE),
        "orders find only this share of their size to take: an IOC cancels the rest",
        {"fraction": Field(share)},
        places_orders,
    ),
    "visibility": Kind(
        (REST,),
        "orders and fills younger than `ms` are not found by queries",
        {"ms": Field(span_ms)},
        _order_query,
    ),
    # --- data streams
    "gap": Kind((PUSH,), "an update of a books channel is lost: the next does not join", {}, _book_update),
    "stale": Kind(
        (PUSH,),
        "nothing new is pushed while pings are answered; `repeat` true: the last frame again instead",
        {"repeat": Field(flag, False)},
    ),
    # --- the venue itself
    "seq_reset": Kind((VENUE,), "sequence numbers of an instrument begin anew", {"inst_id": _INST}),
    "book": Kind(
        (VENUE,),
        "the public book of an instrument is crossed, empty or one-sided; trading goes on behind it",
        {
            "inst_id": _INST,
            "shape": Field(one_of("crossed", "empty", "no_bids", "no_asks")),
            "lasts": Field(span_ms, 60_000),
        },
    ),
    "spike": Kind(
        (VENUE,),
        "a wick: public prices (all, last, mark, index or book) stand off by `change` for one tick, or for "
        "as long as it `lasts`",
        {
            "inst_id": _INST,
            "change": Field(change),
            "of": Field(one_of("all", "last", "mark", "index", "book"), "all"),
            "lasts": Field(span_ms, 0),
        },
    ),
    "clock": Kind(
        (VENUE,),
        "the venue's stated time and the window of its signatures are off by `ms`",
        {"ms": Field(skew_ms), "lasts": _LASTS},
    ),
    "suspend": Kind((VENUE,), "an instrument is suspended", {"inst_id": _INST, "lasts": _LASTS}),
    "delist": Kind(
        (VENUE,),
        "an instrument is announced to expire `after` so long",
        {"inst_id": _INST, "after": Field(span_ms)},
    ),
    "maintenance": Kind(
        (VENUE,),
        "the venue closes `after` so long, for as long as it `lasts`; announced at once",
        {
            "lasts": Field(span_ms),
            "after": Field(span_ms, 0),
            "title": Field(text, "Trading system upgrade"),
        },
    ),
    "revoke": Kind(
        (VENUE,),
        "an account's key is deleted; its private streams are closed with 4007",
        {"account": _ACCOUNT},
    ),
    "account": Kind(
        (VENUE,),
        "an account is edited behind its client's back, as by POST /sim/account/NAME: cash, positions, "
        "ADL, liquidation, permissions, fee level",
        {"account": _ACCOUNT, "set": Field(table)},
    ),
    "instrument": Kind(
        (VENUE,),
        "an instrument is edited, as by POST /sim/instrument/INST_ID",
        {"inst_id": _INST, "set": Field(table)},
    ),
    "adl": Kind(
        (VENUE,),
        "a share of a position is closed by forced deleveraging",
        {"account": _ACCOUNT, "inst_id": _INST, "fraction": Field(share, Decimal(1))},
    ),
}
