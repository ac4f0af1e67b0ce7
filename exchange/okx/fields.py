"""Reading one text field of a payload: a number, a time, a word from a closed list; and writing a number.

Each reader raises BadPayload with the field and the whole payload in the message. "" and null are absent:
that is None where absence makes sense and an error where it does not, never zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NoReturn, TypeVar

from core.errors import BadPayload
from exchange.okx.wire import Text

T = TypeVar("T")

# Decimal() itself would also take NaN, underscores, other scripts' digits and absurd exponents
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?", re.ASCII)
_MILLIS: Final = re.compile(r"\d{1,14}", re.ASCII)
_RAW_LENGTH: Final = 600


def unreadable(field: str, value: object, payload: object) -> NoReturn:
    raise BadPayload(f"{field} is {value!r} in {payload!r:.{_RAW_LENGTH}}")


def number(field: str, text: Text, payload: object) -> Decimal:
    if text is None or not _NUMBER.fullmatch(text):
        unreadable(field, text, payload)
    return Decimal(text)


def positive(field: str, text: Text, payload: object) -> Decimal:
    value = number(field, text, payload)
    if value <= 0:
        unreadable(field, text, payload)
    return value


def maybe(field: str, text: Text, payload: object) -> Decimal | None:
    return number(field, text, payload) if text else None


def or_zero(field: str, text: Text, payload: object) -> Decimal:
    """For sums where the venue leaves out what did not occur: a fee not charged, a debt not made."""
    return number(field, text, payload) if text else Decimal(0)


def millis(field: str, text: Text, payload: object) -> int:
    if text is None or not _MILLIS.fullmatch(text):
        unreadable(field, text, payload)
    return int(text)


def maybe_millis(field: str, text: Text, payload: object) -> int | None:
    return millis(field, text, payload) if text else None


def word(field: str, text: Text, payload: object) -> str:
    if not text:
        unreadable(field, text, payload)
    return text


def one_of(field: str, text: Text, meanings: Mapping[str, T], payload: object) -> T:
    if text is None or text not in meanings:
        unreadable(field, text, payload)
    return meanings[text]


def plain(value: Decimal) -> str:
    """Write a number as the venue wants it: no exponent."""
    return format(value, "f")
