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
    bill        bill (the Bill), instrument, hedge_id (empty when it belongs to no hedge)
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
    stop        reason, clean
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

import msgspec


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
    NOTE = "note"  # dropped tick, stream change, notice, operator command
    STOP = "stop"  # a process end: reason, clean or not


@dataclass(frozen=True, slots=True)
class Row:
    """One journal row. `hash` covers the previous hash, seq, kind, time and body."""

    seq: int
    kind: Kind
    at_ms: int
    body: Mapping[str, Any]
    hash: str


_AS_IT_IS = frozenset({str, int, bool, type(None)})
_FIELDS: dict[type, tuple[str, ...]] = {}  # a dataclass's field names, looked up once


def plain(value: object) -> Any:
    """Turn domain objects into what JSON can hold: Decimal to text, dataclass to mapping.

    Called for every figure of every verdict, so the common types are told apart by one look-up.
    """
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is Decimal:
        return format(value, "f")
    if kind is tuple or kind is list:
        return [plain(v) for v in value]  # type: ignore[attr-defined]
    if kind is dict:
        return {str(k): plain(v) for k, v in value.items()}  # type: ignore[attr-defined]
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        names = _FIELDS.get(kind)
        if names is None:
            names = _FIELDS[kind] = tuple(f.name for f in fields(value))
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(plain(v) for v in value)
    raise TypeError(f"{kind.__name__} has no place in the journal: {value!r}")


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
