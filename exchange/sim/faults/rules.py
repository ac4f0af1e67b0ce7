"""What a fault rule is: where it looks, what it does there, and when.

Rules and occasions are plain data. Nothing here knows how a fault is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class Place(StrEnum):
    """Where a fault can strike."""

    REST = "rest"  # a request and its answer
    CONNECT = "connect"  # a stream being opened
    MESSAGE = "message"  # a client's stream message and its answer
    PUSH = "push"  # one pushed frame
    VENUE = "venue"  # the venue itself, at an instant


@dataclass(frozen=True, slots=True)
class Occasion:
    """One thing a rule may strike. `inst_ids` has every instrument a request or message names.

    op  of a message its operation, of a push its action ("update", "snapshot") or ""
    """

    place: Place
    at_ms: int
    method: str = ""
    path: str = ""
    stream: str = ""
    op: str = ""
    channel: str = ""
    account: str = ""
    inst_ids: tuple[str, ...] = ()

    def described(self) -> dict[str, object]:
        """What is known of it, for the record."""
        named = {
            "method": self.method, "path": self.path, "stream": self.stream, "op": self.op,
            "channel": self.channel, "account": self.account, "inst_ids": list(self.inst_ids),
        }  # fmt: skip
        return {"place": self.place.value} | {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Where:
    """Patterns with * and ?, all of which must match; "*" matches anything, nothing included."""

    place: Place
    method: str = "*"
    path: str = "*"
    stream: str = "*"
    op: str = "*"
    channel: str = "*"
    account: str = "*"
    inst_id: str = "*"

    def covers(self, occasion: Occasion) -> bool:
        return (
            self.place is occasion.place
            and fnmatchcase(occasion.method, self.method)
            and fnmatchcase(occasion.path, self.path)
            and fnmatchcase(occasion.stream, self.stream)
            and fnmatchcase(occasion.op, self.op)
            and fnmatchcase(occasion.channel, self.channel)
            and fnmatchcase(occasion.account, self.account)
            and (self.inst_id == "*" or any(fnmatchcase(one, self.inst_id) for one in occasion.inst_ids))
        )


@dataclass(frozen=True, slots=True)
class When:
    """Which of the occasions that match are struck: those all conditions agree on.

    from_ms, until_ms  only occasions in [from, until) count as matches at all
    first, every, nth  the first n matches; every n-th; exactly the n-th
    chance             of each match, drawn from the rule's own stream
    at_ms              once, at this instant, whatever happens then
    """

    from_ms: int | None = None
    until_ms: int | None = None
    first: int | None = None
    every: int | None = None
    nth: int | None = None
    chance: Decimal | None = None
    at_ms: int | None = None

    def open_at(self, now_ms: int) -> bool:
        return (self.from_ms is None or now_ms >= self.from_ms) and (
            self.until_ms is None or now_ms < self.until_ms
        )

    def picks(self, match: int) -> bool:
        """Whether the `match`-th match (from 1) is picked by its number."""
        return (
            (self.first is None or match <= self.first)
            and (self.every is None or match % self.every == 0)
            and (self.nth is None or match == self.nth)
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """A fault decided on: what to do, and which rule says so. The kinds' fields are in kinds.py."""

    rule_id: str
    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


@dataclass(frozen=True, slots=True)
class Rule:
    """`source` is the rule as it was written, for whoever asks which rules there are."""

    rule_id: str
    where: Where
    effect: Effect
    when: When
    source: Mapping[str, Any]
