"""A verdict's figures as people read them: the name's suffix carries the unit. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from core.types import DAY_MS
from core.verdict import Figure
from monitor import formats
from monitor.words import Language, word

YEARS_MS: Final = 365 * DAY_MS
SPOKEN: Final = {"yes": ("yes", "是"), "no": ("no", "否")}


def figure(name: str, value: Figure, language: Language) -> str:
    """The value with its unit: `net_carry_bps` 12.3456 is `12.3 bps`. Journal rows carry Decimals as text."""
    if isinstance(value, bool):
        return SPOKEN["yes" if value else "no"][language == "zh"]
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return word(value, language) or formats.ABSENT
    if not number.is_finite():
        return formats.ABSENT
    if name.endswith("_bps"):
        return f"{number:z.1f} bps"
    if name.endswith("_ratio"):
        return formats.percent(number)
    if name.endswith("_usdt"):
        return f"{formats.usdt(number)} USDT"
    if name.endswith("_ms"):
        return formats.clock_time(int(number)) if number > YEARS_MS else formats.span(int(number))
    if name.endswith("_8h") or name == "rate":
        return formats.rate(number)
    if name.endswith(("_hours", "_s")):
        return f"{number:z.1f} {'h' if name.endswith('_hours') else 's'}"
    return formats.coins(number) if abs(number) < 1000 else f"{number:z,.0f}"
