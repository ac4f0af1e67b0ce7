"""Reading request parameters the venue's way: "" and null are absent, unknown names are ignored.

A missing parameter is 50014, one of two 50015, a bad one 51000, too many values 50025; all name it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from exchange.sim.model import Reject

T = TypeVar("T")

_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?")
_INTEGER = re.compile(r"\d{1,19}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_TAG = re.compile(r"[A-Za-z0-9]{1,16}")


def bad(name: str) -> Reject:
    return Reject("51000", f"Parameter {name} error")


def missing(name: str) -> Reject:
    return Reject("50014", f"Parameter {name} can not be empty.")


def one_of_missing(first: str, second: str) -> Reject:
    return Reject("50015", f"Either parameter {first} or {second} is required.")


class Params:
    """One request's parameters as text. Numbers and booleans of a JSON body are taken as written."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw

    def get(self, name: str, default: str = "") -> str:
        value = self._raw.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise bad(name)

    def need(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise missing(name)
        return value

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        """A value out of `allowed`; required when there is no default."""
        value = self.need(name) if default is None else self.get(name, default)
        if value not in allowed:
            raise bad(name)
        return value

    def flag(self, name: str) -> bool:
        return self.choice(name, ("true", "false", "True", "False"), "false").lower() == "true"

    def objects(self, name: str) -> list[Params]:
        """A list of objects; [] when absent."""
        value = self._raw.get(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise bad(name)
        return [Params(item) for item in value]

    def number(self, name: str) -> Decimal | None:
        value = self.get(name)
        if not value:
            return None
        if not _NUMBER.fullmatch(value):
            raise bad(name)
        return Decimal(value)

    def positive(self, name: str) -> Decimal:
        self.need(name)
        value = self.number(name)
        if value is None or value <= 0:
            raise bad(name)
        return value

    def integer(self, name: str) -> int | None:
        value = self.get(name)
        if not value:
            return None
        if not _INTEGER.fullmatch(value):
            raise bad(name)
        return int(value)

    def names(self, name: str, most: int) -> list[str]:
        """A comma separated list, at most `most` long; [] when absent."""
        values = [part for part in self.get(name).split(",") if part]
        if len(values) > most:
            raise Reject("50025", f"Parameter {name} count exceeds the limit {most}.")
        return values

    def client_id(self, name: str = "clOrdId") -> str:
        """Letters and digits only, at most 32; "" when absent."""
        value = self.get(name)
        if value and not _CLIENT_ID.fullmatch(value):
            raise bad(name)
        return value

    def tag(self) -> str:
        value = self.get("tag")
        if value and not _TAG.fullmatch(value):
            raise bad("tag")
        return value

    def limit(self, most: int, default: int) -> int:
        value = self.integer("limit")
        if value is None:
            return default
        if value < 1:
            raise bad("limit")
        return min(value, most)


def page(
    newest_first: Iterable[T],
    params: Params,
    key: Callable[[T], int],
    ts_ms: Callable[[T], int] | None = None,
    most: int = 100,
    default: int = 100,
) -> list[T]:
    """One page of a list: `after` keeps older keys, `before` newer ones, begin/end bound the time.

    With `before` alone the newest page comes back, not the one next to `before`.
    """
    after, before = params.integer("after"), params.integer("before")
    begin, end = params.integer("begin"), params.integer("end")
    rows = (
        row
        for row in newest_first
        if (after is None or key(row) < after)
        and (before is None or key(row) > before)
        and (ts_ms is None or begin is None or ts_ms(row) >= begin)
        and (ts_ms is None or end is None or ts_ms(row) <= end)
    )
    return list(islice(rows, params.limit(most, default)))
