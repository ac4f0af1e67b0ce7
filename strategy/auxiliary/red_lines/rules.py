"""The rules by number, their figures, and what a breach of one is told with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from config.auxiliary import MAX_ENTRIES_PER_DAY, MIN_ENTRY_GAP_S
from config.schema import MAX_LEVERAGE
from core.types import Side
from core.verdict import Figures
from strategy.auxiliary.bars import MINUTE_MS
from strategy.auxiliary.gate_size import STOP_WITHIN

MOST_PROPOSALS_A_DAY: Final = 24  # of one module about one instrument within any 24 hours: one an hour
LEAST_HOLD_MS: Final = 15 * MINUTE_MS  # a plan that is over sooner is a scalper's
LEAST_COOLDOWN_MS: Final = 1_000  # between two actions of a plan; stops and emergencies wait for nothing
STRENGTH_DIGITS: Final = Decimal("0.01")  # to which the evidence has to give the strength


class Rule(StrEnum):
    LEVERAGE = "R1"
    LOSING = "R2"
    STOP = "R3"
    SCORE = "R4"
    FREQUENCY = "R5"
    PURITY = "R6"
    OWN = "R7"


SAYS: Final[Mapping[Rule, str]] = MappingProxyType(
    {
        Rule.LEVERAGE: f"No leverage above {MAX_LEVERAGE}; what a reference preset states is a wish.",
        Rule.LOSING: "A losing position is never made larger, and losing is no reason to ask for more.",
        Rule.STOP: f"No position without a stop, nor with one beyond {STOP_WITHIN} of its margin.",
        Rule.SCORE: "No hidden score: the strength can be added up from the terms in the evidence.",
        Rule.FREQUENCY: f"No high frequency: {MAX_ENTRIES_PER_DAY} entries a day, {MIN_ENTRY_GAP_S} s apart, "
        f"{MOST_PROPOSALS_A_DAY} proposals a day, {LEAST_HOLD_MS // MINUTE_MS} min held.",
        Rule.PURITY: "A module is a function of its Look: no clock, chance, I/O, memory or foreign state.",
        Rule.OWN: "A module speaks in its own name, of what it was shown, of the past, and does not raise.",
    }
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a trace: an instant of a played market (UTC ms), or a place in a text (None)."""

    at_ms: int | None
    what: str
    figures: Figures = ()

    def __str__(self) -> str:
        when = "" if self.at_ms is None else f"{self.at_ms}  "
        told = " ".join(f"{name}={_short(value)}" for name, value in self.figures)
        return f"{when}{self.what}{'  ' + told if told else ''}"


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule, broken by one module or preset.

    broken  what was done, one sentence without figures.
    trace   what led to it, oldest first; the last one is the breach.
    """

    rule: Rule
    subject: str
    broken: str
    trace: tuple[Moment, ...]

    def __str__(self) -> str:
        steps = "".join(f"\n    {moment}" for moment in self.trace)
        return f"{self.rule.value}  {self.subject}: {self.broken}\n  {SAYS[self.rule]}{steps}"


def side_word(side: Side) -> str:
    return "long" if side is Side.BUY else "short"


def _short(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) and value.is_finite() else str(value)
