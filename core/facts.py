"""The journal's vocabulary: what kinds of rows there are, what is in them, how they are encoded.

Bodies (every value as `plain` leaves it: Decimal as text):

    boot        mode, version, fingerprint, epoch, account_uid, opening_cash {ccy: amount} (first boot)
    decision    the Decision, field by field
    intent      order (the OrderRequest), hedge_id, purpose
    ack         cl_id, outcome (accepted | rejected | unknown), ord_id, code, message
    order       cl_id, ord_id, inst_id, status (filled | canceled | absent), filled, avg_px, fee, fee_ccy,
                cancel_source, category
    fill        hedge_id, instrument, leg, ref_mid, ct_val (coins per contract; 1 for spot), fill (the Fill),
                split (when the venue's fill was larger: the rest is somebody else's)
    bill        bill (the Bill), instrument, hedge_id (of the hedge that stood then; empty without one)
    transfer    client_id, transfer_id, ccy, amount, source, dest, status, purpose, reason
    hedge       hedge_id, instrument, event (opened | target | closed | adopted), target_base, purpose, reason
    ownership   event (seen | adopted | refused), coins {ccy: amount}, contracts {swap: signed}; when
                refused also written_off {ccy: amount}; when adopted instrument, hedge_id, coins, px
    report      on, report (the Report)
    permission  cause, level (name; FULL lifts the cause), reason, holds (the level in force),
                until_operator (only the operator ends it)
    breaker     event (tripped | reset), reason
    equity      equity, terms {name: amount}, prices {instrument: [spot_px, mark_px]}
    note        what, and whatever belongs to it
    signal      signal_id, module, instrument, side, strength, px, evidence, fate, reason, verdicts,
                leverage_wished, leverage_granted
    position    position_id, instrument, event (entering | begun | progress | closing | closed), reason;
                entering also module, signal_id, side, record; begun entry, record; progress record;
                closed net
    protection  event (intent | placed | unknown | gone), stop (the StopRequest), position_id, reason
    stop        reason, clean
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Struct

from core.verdict import Verdict


class Kind(StrEnum):
    BOOT = "boot"  # a process start: version, config fingerprint, venue, epoch
    DECISION = "decision"  # what the machine decided, refusals included
    INTENT = "intent"  # an order about to be sent (durable before it leaves)
    ACK = "ack"  # the venue accepted, refused, or gave no answer
    ORDER = "order"  # an order's final state
    FILL = "fill"
    BILL = "bill"
    TRANSFER = "transfer"
    HEDGE = "hedge"  # a hedge's life: opened, target changed, closed, adopted
    OWNERSHIP = "ownership"  # what of the account is not ours, and what the operator made of it
    REPORT = "report"  # what execution did
    PERMISSION = "permission"
    BREAKER = "breaker"
    EQUITY = "equity"  # hourly: equity and its terms
    SIGNAL = "signal"  # of the sleeve: a module's proposal, and what became of it
    POSITION = "position"  # of the sleeve: a position's life under its exit plan
    PROTECTION = "protection"  # of the sleeve: the venue's own stop under a position
    NOTE = "note"  # dropped tick, stream change, notice, operator command
    STOP = "stop"  # a process end: reason, clean or not


class Row(Struct, frozen=True, gc=False):
    """One journal row. `hash` covers the previous hash, seq, kind, time and body."""

    seq: int
    kind: Kind
    at_ms: int
    body: Mapping[str, Any]
    hash: str


def plain(value: object) -> Any:
    """Turn domain objects into what JSON can hold: Decimal to text, dataclass and struct to mapping.

    Raises TypeError for a value that has no place in the journal.
    """
    kind = type(value)
    return value if kind in _AS_IT_IS else _WAYS[kind](value)


_AS_IT_IS = frozenset({str, int, bool, type(None)})


def _decimal(value: Decimal) -> str:
    """All digits and no exponent. `str` is quicker and says the same wherever it needs no exponent."""
    text = str(value)
    return format(value, "f") if "E" in text else text


# As `plain` of each part, without a call for every one of them.
def _sequence(values: Iterable[object]) -> list[Any]:
    return [v if type(v) in _AS_IT_IS else _WAYS[type(v)](v) for v in values]


def _mapping(values: Mapping[object, object]) -> dict[str, Any]:
    return {str(k): v if type(v) in _AS_IT_IS else _WAYS[type(v)](v) for k, v in values.items()}


def _set(values: Iterable[object]) -> list[Any]:
    return sorted(plain(v) for v in values)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """As any dataclass. Its figures are most of what is ever written, hence this way of their own."""
    return {
        "ok": verdict.ok,
        "guard": verdict.guard,
        "reason": verdict.reason,
        "figures": [[name, v if type(v) in _AS_IT_IS else _WAYS[type(v)](v)] for name, v in verdict.figures],
        "instrument": verdict.instrument,
    }


def _refused(value: object) -> Any:
    raise TypeError(f"{type(value).__name__} has no place in the journal: {value!r}")


def _way_of(kind: type) -> Callable[[Any], Any]:
    if issubclass(kind, Enum):
        return attrgetter("_value_")
    if issubclass(kind, Struct):
        return _way_of_fields(kind.__struct_fields__)
    if is_dataclass(kind):
        return _way_of_fields(tuple(f.name for f in fields(kind)))
    if issubclass(kind, Mapping):
        return _mapping
    return _set if issubclass(kind, (frozenset, set)) else _refused


def _way_of_fields(names: tuple[str, ...]) -> Callable[[Any], Any]:
    get = attrgetter(*names)
    if len(names) == 1:
        return lambda value: {names[0]: plain(get(value))}

    def way(value: Any) -> dict[str, Any]:
        return {
            name: v if type(v) in _AS_IT_IS else _WAYS[type(v)](v)
            for name, v in zip(names, get(value), strict=True)
        }

    return way


class _Ways(dict[type, Callable[[Any], Any]]):
    """How a value of each type is made plain. A type nobody has seen is looked at once."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        way = self[kind] = _way_of(kind)
        return way


_WAYS = _Ways({Decimal: _decimal, tuple: _sequence, list: _sequence, dict: _mapping, Verdict: _verdict})


# Where the words of others end up: error texts, reasons an operator gave. Amounts and ids are never touched.
_FREE_TEXT = ("message", "reason", "detail", "errors")


def clean(body: Any, redact: Callable[[str], str]) -> Any:
    """Take secrets out of the free text of what `plain` made of a row's body."""
    for name in _FREE_TEXT:
        said = body.get(name)
        if isinstance(said, str) and said:
            body[name] = redact(said)
        elif isinstance(said, list):
            body[name] = [redact(one) if isinstance(one, str) else one for one in said]
    if isinstance(report := body.get("report"), dict):
        body["report"] = clean(report, redact)
    return body


_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(body: Any) -> str:
    """Encode what `plain` made of a row's body so that equal bodies give equal text."""
    return _encode(body).decode()


_encode_in_order = msgspec.json.Encoder().encode


def encoded(value: object) -> bytes:
    """What `plain` makes of a value, as JSON, each mapping in its own order. Raises TypeError as `plain`."""
    return _encode_in_order(plain(value))


class Told(Mapping[str, Any]):
    """A row's body as it will be read back. Its verdicts are most of it and seldom looked at when the row
    is new: they are read out of the text when somebody asks for them.
    """

    __slots__ = ("_text", "_verdicts", "_words")

    def __init__(self, words: dict[str, Any], text: str) -> None:
        self._words, self._text = words, text
        self._verdicts: list[Any] | None = None

    def __getitem__(self, name: str) -> Any:
        if name != "verdicts":
            return self._words[name]
        if self._verdicts is None:
            self._verdicts = msgspec.json.decode(self._text)[name]
        return self._verdicts

    def __iter__(self) -> Iterator[str]:
        yield from self._words
        yield "verdicts"

    def __len__(self) -> int:
        return len(self._words) + 1

    def __repr__(self) -> str:
        return repr(dict(self))


# What the encoder writes as `plain` would have it, but for an exponent in a Decimal.
_ENCODED_ALIKE = frozenset({Decimal, *_AS_IT_IS})
_EXPONENT = re.compile(r"E[+-]\d")


def told(body: Mapping[str, object], redact: Callable[[str], str]) -> tuple[Mapping[str, Any], str]:
    """A row's body as it will be read back, with its free text redacted, and its canonical text.

    The same as `plain`, `clean` and `canonical` one after the other; verdicts go to the encoder as they
    are where that makes no difference. Raises TypeError for a value that has no place in the journal.
    """
    verdicts = body.get("verdicts")
    if type(verdicts) is tuple and _are_encoded_alike(verdicts):
        words = clean({name: plain(v) for name, v in body.items() if name != "verdicts"}, redact)
        text = canonical({**words, "verdicts": verdicts})
        if not _EXPONENT.search(text):
            return Told(words, text), text
    held = clean(plain(body), redact)
    return held, canonical(held)


def _are_encoded_alike(verdicts: tuple[object, ...]) -> bool:
    if {type(verdict) for verdict in verdicts} - {Verdict}:
        return False
    return _ENCODED_ALIKE.issuperset({type(v) for verdict in verdicts for _, v in verdict.figures})  # type: ignore[attr-defined]
