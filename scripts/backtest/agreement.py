"""What a fast backtest must have in common with the full one: every fact, told as the journals tell it.

Of the full journal the fast one has

- every row of what was intended, ordered, filled, charged, moved between wallets, tripped, allowed and
  forbidden, with its time and all its figures, but for the numbers the venue counts its public prints by, and
  for how often a warning that was answered has been seen since;
- every decision that led to another state or to something to do, with all verdicts and figures;
- of the others, and of the hourly rows of equity, those of the instants at which it ran or which it wrote.

Rows that only the fast one has there must not be. Pure: journals in, differences out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Any, Final

from core.facts import Kind, Row

NEWS: Final = frozenset(
    {
        Kind.INTENT, Kind.ACK, Kind.ORDER, Kind.FILL, Kind.BILL, Kind.HEDGE, Kind.TRANSFER, Kind.BREAKER,
        Kind.OWNERSHIP, Kind.PERMISSION, Kind.REPORT,
    }
)  # fmt: skip
COUNTED: Final = frozenset({"trade_id", "seq_id"})  # by the venue, beat by beat of its market
LOOKS: Final = (
    "samples"  # a figure: how often a warning of the venue's queue was seen; once enough, no matter
)
SHOWN: Final = 3


def differences(full: Iterable[Row], fast: Iterable[Row]) -> list[str]:
    """In words, the first few of each kind; empty where both tell the same."""
    whole, quick = _told(full), _told(fast)
    found = []
    for kind in sorted(NEWS | {Kind.DECISION, Kind.NOTE}):
        pairs = zip_longest(whole.get(kind, ()), quick.get(kind, ()))
        unlike = [(a, b) for a, b in pairs if a != b]
        found += [f"{kind.value}: full {a}, fast {b}" for a, b in unlike[:SHOWN]]
    known = set(map(_frozen, whole.get(Kind.EQUITY, ())))
    alone = [one for one in quick.get(Kind.EQUITY, ()) if _frozen(one) not in known]
    found += [f"equity: only fast {one}" for one in alone[:SHOWN]]
    return found


def _told(rows: Iterable[Row]) -> Mapping[Kind, Sequence[tuple[int, Any]]]:
    """(time, body) of the rows that count, by kind."""
    told: dict[Kind, list[tuple[int, Any]]] = {}
    for row in rows:
        if row.kind in NEWS or row.kind is Kind.EQUITY or _counts(row):
            told.setdefault(row.kind, []).append((row.at_ms, _comparable(row.body)))
    return told


def _counts(row: Row) -> bool:
    """A decision that moved or asked for something, and the operator's commands."""
    body = row.body
    if row.kind is Kind.NOTE:
        return bool(body["what"] == "operator")
    return row.kind is Kind.DECISION and (body["src"] != body["dst"] or bool(body["targets"]))


def _comparable(value: Any) -> Any:
    """A body without what is counted; numbers by their value."""
    if isinstance(value, Mapping):
        return {name: _comparable(part) for name, part in value.items() if name not in COUNTED}
    if isinstance(value, list | tuple):
        return [_comparable(part) for part in value if not _is_count(part)]
    return _by_value(value) if isinstance(value, str) else value


def _is_count(part: Any) -> bool:
    """A figure that counts looks, in a list of [name, value]."""
    return isinstance(part, list | tuple) and len(part) == 2 and part[0] == LOOKS


def _by_value(text: str) -> str:
    """A number without what its digits say besides, like 1.50 and 1.5; any other text as it is."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return f"{number.normalize():f}" if number.is_finite() else text


def _frozen(one: tuple[int, Any]) -> str:
    return repr(one)
