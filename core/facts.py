"""The journal's vocabulary: what kinds of rows there are and how they are encoded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any


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


def plain(value: object) -> Any:
    """Turn domain objects into what JSON can hold: Decimal to text, dataclass to mapping."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (frozenset, set)):
        return sorted(plain(v) for v in value)
    if value is None or isinstance(value, (str, int, bool)):
        return value
    raise TypeError(f"{type(value).__name__} has no place in the journal: {value!r}")


def canonical(body: Mapping[str, object]) -> str:
    """Encode a row's body so that equal bodies give equal text: sorted keys, no spaces."""
    return json.dumps(plain(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
