"""How the venue writes values: numbers and times as text, "" for what does not apply.

A few objects carry a field no document mentions, because clients must live with new fields.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any

Row = dict[str, Any]

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
UTC8_MS = 8 * 3_600_000
DECIMALS = 16
LONG = DECIMALS + 2  # characters that may hide more decimals
STEP = Decimal(1).scaleb(-DECIMALS)
UNDOCUMENTED = {"newFieldOfTomorrow": ""}


def num(value: Decimal | None) -> str:
    """Return plain digits without exponent and trailing zeros, at most sixteen decimals as recorded
    payloads have, rounded down; "" for None."""
    if value is None:
        return ""
    text = str(value)
    if "E" in text or len(text) > LONG:
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -DECIMALS:
            value = value.quantize(STEP, ROUND_FLOOR)
        text = format(value, "f")
    if text[-1] != "0":
        return text
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def ms(value: int | None) -> str:
    return "" if value is None else str(value)


def blank(names: str) -> Row:
    """Fields that exist and never apply here."""
    return dict.fromkeys(names.split(), "")
