"""The venue's candle names. Day bars and longer align to UTC+8 unless their name ends in utc.

A bar opens at instants where (ts + offset) is a multiple of its length. Months and quarters are those of
the calendar: `length_ms` is then a day, of which `months` of the calendar are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_UTC8 = 8 * _HOUR
_MONDAY = 3 * _DAY  # 1 January 1970 was a Thursday


@dataclass(frozen=True, slots=True)
class BarSpec:
    length_ms: int
    offset_ms: int = 0
    months: int = 0


BARS: Final[dict[str, BarSpec]] = {
    "1s": BarSpec(_SECOND),
    **{f"{n}m": BarSpec(n * _MINUTE) for n in (1, 3, 5, 15, 30)},
    **{f"{n}H": BarSpec(n * _HOUR) for n in (1, 2, 4)},
    **{f"{n}H": BarSpec(n * _HOUR, _UTC8) for n in (6, 12)},
    **{f"{n}Hutc": BarSpec(n * _HOUR) for n in (6, 12)},
    **{f"{n}D": BarSpec(n * _DAY, _UTC8) for n in (1, 2, 3)},
    **{f"{n}Dutc": BarSpec(n * _DAY) for n in (1, 2, 3)},
    "1W": BarSpec(7 * _DAY, _MONDAY + _UTC8),
    "1Wutc": BarSpec(7 * _DAY, _MONDAY),
    **{f"{n}M": BarSpec(_DAY, _UTC8, n) for n in (1, 3)},
    **{f"{n}Mutc": BarSpec(_DAY, 0, n) for n in (1, 3)},
}
