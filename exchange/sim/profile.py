"""How the simulated venue behaves where the real one leaves a choice, or differs from day to day.

One frozen object, given to the venue at its start. The defaults are neutral: what they switch on is
documented of the real venue, what they switch off only makes some question harder.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

CURRENT, WITH_RATE, NO_RATE = "current", "with_rate", "no_rate"  # funding formulas, markets/funding.py
REGIMES = (CURRENT, WITH_RATE, NO_RATE)


@dataclass(frozen=True, slots=True)
class VenueProfile:
    """
    regrow_ms         what takers ate of the book is back after this long
    volume_share      of a bar's volume that clients may have between them, a fraction
    match_ms          an accepted order, amendment or cancellation takes effect this much later
    queues            resting orders stand in line behind the depth shown at their price, economics/queue.py
    impact_share      part of the distance a taker moves the price that stays in it, markets/impact.py
    impact_ms         and is gone after this long
    funding_regime    which formula makes the rate of a generated market: current, with_rate, no_rate
    settlement_s      shortest and longest time a settlement takes, in seconds; drawn per settlement
    settlement_block  share of settlements in which orders on the swap (51030) and changes to a charged
                      position (50023) are refused meanwhile; transfers (58111) always are
    insurance_usdt    what the insurance fund of each contract family starts with
    freeze_s          shortest and longest time an account's position, currency and settings are frozen
                      after ADL (50017-50019) or a liquidation (50020-50022), in seconds
    pulse_ms          the market moves at most this often, besides at the turns of its path and after trades
                      of clients; 0: at every instant anybody waits for
    book_levels       how deep the public sees a book, at most
    flat_books        takers get the middle price whatever their size, as a backtest on closing prices
                      assumes, markets/flat_book.py

    Raises ValueError naming the field, its value and what is allowed.
    """

    regrow_ms: int = 5_000
    volume_share: Decimal = Decimal("0.25")
    match_ms: int = 0
    queues: bool = False
    impact_share: float = 0.0
    impact_ms: int = 60_000
    funding_regime: str = CURRENT
    settlement_s: tuple[int, int] = (5, 20)
    settlement_block: float = 0.25
    insurance_usdt: Decimal = Decimal(1_000_000)
    freeze_s: tuple[int, int] = (1, 3)
    pulse_ms: int = 0
    book_levels: int = 5_000
    flat_books: bool = False

    def __post_init__(self) -> None:
        _require("regrow_ms", self.regrow_ms, self.regrow_ms > 0, "more than 0")
        _require("volume_share", self.volume_share, 0 < self.volume_share <= 1, "above 0, at most 1")
        _require("match_ms", self.match_ms, 0 <= self.match_ms <= 10_000, "0 to 10000")
        _require("impact_share", self.impact_share, 0 <= self.impact_share <= 1, "0 to 1")
        _require("impact_ms", self.impact_ms, self.impact_ms > 0, "more than 0")
        _require("funding_regime", self.funding_regime, self.funding_regime in REGIMES, ", ".join(REGIMES))
        shortest, longest = self.settlement_s
        _require("settlement_s", self.settlement_s, 0 <= shortest <= longest, "two ascending numbers")
        shortest, longest = self.freeze_s
        _require("freeze_s", self.freeze_s, 0 <= shortest <= longest, "two ascending numbers")
        _require("insurance_usdt", self.insurance_usdt, self.insurance_usdt >= 0, "0 or more")
        _require("pulse_ms", self.pulse_ms, self.pulse_ms >= 0, "0 or more")
        _require("book_levels", self.book_levels, self.book_levels > 0, "more than 0")
        _require("settlement_block", self.settlement_block, 0 <= self.settlement_block <= 1, "0 to 1")


def _require(name: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {value}, allowed: {allowed}")
