"""What the reference systems say of themselves, to be printed beside what was measured.

Only what speaks of winning is here: win rate and payoff. Where a system states neither, it is said so.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

D = Decimal


@dataclass(frozen=True, slots=True)
class Claim:
    """`win_rate` a fraction, above which it claims to be; `payoff` mean win / mean loss.

    row  in the list of promised features.    subject, label  what is measured beside it here.
    """

    row: str
    system: str
    text: tuple[str, str]  # English, Chinese
    subject: str
    label: str = ""
    win_rate: Decimal | None = None
    payoff: Decimal | None = None


SMART_A: Final = Claim(
    "SMART-36",
    "SMART",
    ("strategy A, oscillation: win rate above 65 %, payoff 1.2", "策略 A（震荡）：胜率高于 65 %，盈亏比 1.2"),
    "ensemble",
    "A oscillation",
    D("0.65"),
    D("1.2"),
)
SMART_B: Final = Claim(
    "SMART-37",
    "SMART",
    ("strategy B, breakout: win rate above 60 %, payoff 2", "策略 B（突破）：胜率高于 60 %，盈亏比 2"),
    "ensemble",
    "B breakout",
    D("0.60"),
    D(2),
)
SMART_C: Final = Claim(
    "SMART-38",
    "SMART",
    ("strategy C, pullback: win rate above 55 %, payoff 3", "策略 C（回调）：胜率高于 55 %，盈亏比 3"),
    "ensemble",
    "C pullback",
    D("0.55"),
    D(3),
)
CLAIMS: Final = (SMART_A, SMART_B, SMART_C)
ALONE: Final = {
    "ensemble_oscillation_alone": SMART_A,
    "ensemble_breakout_alone": SMART_B,
    "ensemble_pullback_alone": SMART_C,
}

ATS_ROW: Final = (
    "ATS-41"  # relative to a baseline it does not name; the fixed stops of ATS-11 are taken for it
)
ATS_WIN, ATS_PAYOFF, ATS_FALL = D("0.15"), D("0.38"), D("-0.25")

SYSTEM_OF: Final = {
    "trend_breakout": "DTRS",
    "factor_score": "ATS",
    "ensemble": "SMART",
    "confluence": "VS",
    "counter_sentiment": "LAICAI",
    "neutral_grid": "LAICAI",
}
