"""Replaying a journal: the same fold as live, checked row by row.

`digest` is one hash over everything the books hold, to the last digit. The live engine writes it down now
and then; a replay that reaches the same row must have the same one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, Final

from msgspec import Struct

from core.chain import GENESIS, next_chain, next_hash
from core.events import On, State
from core.facts import Kind, Row, canonical
from core.projections import Books
from core.table import TABLE

CHECKPOINT: Final = "books"  # `what` of the note that carries a digest
SETTINGS: Final = frozenset({"margin_per_spot"})  # comes from the configuration, not from rows


def digest(books: Books) -> str:
    """SHA-256 over the whole state of the books, hex."""
    parts: list[str] = []
    _WAYS[type(books)](books, parts)
    return hashlib.sha256("\n".join([*parts, ""]).encode()).hexdigest()


def checkpoint(books: Books) -> dict[str, object]:
    """The body of a note that lets a later replay prove itself."""
    return {"what": CHECKPOINT, "digest": digest(books)}


# Exact to the representation: Decimal("1.0") is another state than Decimal("1").
_Way = Callable[[Any, list[str]], None]


class _Ways(dict[type, _Way]):
    """How a value of each type is told, part by part. A type nobody has seen is looked at once."""

    def __missing__(self, kind: type) -> _Way:
        way = self[kind] = _way_of(kind)
        return way


def _way_of(kind: type) -> _Way:
    name = kind.__name__
    if issubclass(kind, Enum):
        return lambda value, parts: parts.append(f"{name}.{value.name}")
    if issubclass(kind, str | int | Decimal | NoneType):
        return lambda value, parts: parts.append(f"{name} {value}")
    if issubclass(kind, Mapping):
        return _tell_mapping
    if issubclass(kind, set | frozenset):
        return _tell_set
    if issubclass(kind, list | tuple):
        return _tell_sequence
    if issubclass(kind, Struct):
        return _way_of_fields(name, list(kind.__struct_fields__))
    return _way_of_fields(name, [f.name for f in fields(kind) if f.compare] if is_dataclass(kind) else None)


def _tell_mapping(value: Mapping[Any, Any], parts: list[str]) -> None:
    parts.append(f"mapping {len(value)}")
    for key, held in value.items():  # the order of rows is part of the state
        _WAYS[type(key)](key, parts)
        _WAYS[type(held)](held, parts)


def _tell_set(value: Collection[Any], parts: list[str]) -> None:
    parts.append(f"set {len(value)}")
    parts += sorted(repr(held) for held in value)


def _tell_sequence(value: Collection[Any], parts: list[str]) -> None:
    parts.append(f"sequence {len(value)}")
    for held in value:
        _WAYS[type(held)](held, parts)


def _way_of_fields(name: str, declared: list[str] | None) -> _Way:
    """Of a struct its fields; of a dataclass those that make a difference between two of them, so not what is
    kept only to be quick; of any other object what it has."""

    def tell(value: Any, parts: list[str]) -> None:
        names = sorted(vars(value)) if declared is None else declared
        parts.append(f"{name} {len(names)}")
        for one in names:
            if one not in SETTINGS:
                parts.append(one)
                held = getattr(value, one)
                _WAYS[type(held)](held, parts)

    return tell


_WAYS: Final = _Ways()


@dataclass
class Replay:
    """Feed it every row, from the first: it folds them, follows both chains and says what is not legal.

    checkpoints  how many digests of the live engine were met, all equal unless `illegal` says so.
    """

    books: Books = field(default_factory=Books)
    rows: int = 0
    head: bytes = GENESIS
    decision_head: bytes = GENESIS
    checkpoints: int = 0
    illegal: list[str] = field(default_factory=list)
    _intents: set[str] = field(default_factory=set)

    def apply(self, row: Row) -> None:
        """Fold one row; every prefix of a journal has to be a legal state, so each is looked at."""
        body = canonical(row.body)
        self.rows += 1
        self.head = next_hash(self.head, row.seq, row.kind.value, row.at_ms, body)
        if row.kind is Kind.DECISION:
            self.decision_head = next_chain(self.decision_head, row.at_ms, body)
        found = [*self._before(row)]
        self.books.apply(row)
        found += self._after()
        self.illegal += [f"row {row.seq} ({row.kind.value}): {what}" for what in found]

    def run(self, rows: Iterable[Row]) -> Replay:
        for row in rows:
            self.apply(row)
        return self

    def _before(self, row: Row) -> Iterator[str]:
        if row.seq != self.rows:
            yield f"its number should be {self.rows}"
        if self.head.hex() != row.hash:
            yield "its hash does not follow from the one before"
        match row.kind:
            case Kind.DECISION:
                yield from self._transition(row.body)
            case Kind.INTENT:
                cl_id = str(row.body["order"]["cl_id"])
                if cl_id in self._intents:
                    yield f"order {cl_id} was meant twice"
                self._intents.add(cl_id)
            case Kind.NOTE if row.body.get("what") == CHECKPOINT:
                self.checkpoints += 1
                if row.body["digest"] != digest(self.books):
                    yield "the live engine's books were others than the replayed ones"

    def _transition(self, body: Mapping[str, Any]) -> Iterator[str]:
        src, dst, on = State(body["src"]), State(body["dst"]), On(body["on"])
        if src is not self.books.state:
            yield f"decided in {src.value}, the books are in {self.books.state.value}"
        if not body["moved"]:
            if dst is not src:
                yield f"{src.value} -> {dst.value} without a row of the table"
            return
        said_yes = {verdict["guard"] for verdict in body["verdicts"] if verdict["ok"]}
        ways = [r for r in TABLE if r.on is on and src in r.sources and (r.dest or src) is dst]
        if not ways:
            yield f"the table has no way {src.value} -> {dst.value} for {on.value}"
        elif not any(said_yes.issuperset(way.guards) for way in ways):
            yield f"{src.value} -> {dst.value} for {on.value}, but its guards had not all said yes"

    def _after(self) -> Iterator[str]:
        books = self.books
        for view in books.hedge_views({}).values():
            if view.contracts < 0:
                yield f"{view.instrument} is long {-view.contracts} contracts"
        strange = [cl_id for cl_id in books.unresolved_orders() if not books.knows_order(cl_id)]
        if strange:
            yield f"orders {', '.join(strange)} are open but were never meant"
