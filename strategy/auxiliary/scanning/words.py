"""What is asked of a module, what it replies, and what a scan says in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from core.types import Side
from strategy.auxiliary.language import Look, Signal
from strategy.auxiliary.scanning.blacklist import Ban
from strategy.auxiliary.scanning.health import Health

_FIGURES: Final = ("strength", "px", "wished_leverage")
LATE: Final = "the newest is late"  # how a detail ends that speaks of a bar which has closed and is not here


class Outcome(StrEnum):
    """What became of one module and one instrument in a scan."""

    SIGNAL = "signal"
    NOTHING = "nothing"  # asked, and it proposes nothing
    FAILED = "failed"  # it raised, hung, or said what is no signal
    STALE_SIGNAL = "stale_signal"  # what it said had ended before it was said, or speaks of the future
    REPEATED = "repeated"  # the same signal as before
    NOT_NEW = "not_new"  # nothing has closed, and nothing was fed, since it was asked last
    MISSING = "missing"  # something it needs is not there
    STALE_BAR = "stale_bar"  # its newest bar closed too long ago
    KEPT_OUT = "kept_out"  # the instrument is excluded or on the blacklist
    SWITCHED_OFF = "switched_off"  # the module is
    CUT_SHORT = "cut_short"  # the scan ended before its turn; it is asked by the next one


class Line(NamedTuple):
    """One line of a scan's report. `detail` says what is missing, what went wrong, why it is kept out.

    of_ms  the close the question is about, or when it was fed; 0 where there is none. UTC ms.
    """

    module: str
    instrument: str
    outcome: Outcome
    detail: str = ""
    of_ms: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """One module, one instrument, one close. `place` is its number within the scan, from 0."""

    place: int
    module: str
    of_ms: int
    look: Look

    @property
    def instrument(self) -> str:
        return self.look.instrument


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `trouble` in words: it raised, hung or died; `took_ms` of its worker's time."""

    place: int
    signal: Signal | None = None
    trouble: str = ""
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Scan:
    """What one scan came to.

    signals  the strongest first; of equals by module, instrument and instant. The same scan gives the same.
    lines    every module and every instrument, in the order of modules within instruments as given.
    counts   how many lines of which outcome; of MISSING and KEPT_OUT also by what: "missing: bars of 1H".
    health   of every module, `off` says why one is switched off.
    bans     the blacklist as it was.
    """

    number: int
    at_ms: int
    signals: tuple[Signal, ...]
    lines: tuple[Line, ...]
    counts: Mapping[str, int]
    health: Mapping[str, Health]
    bans: tuple[Ban, ...]
    asked: int
    slowest: Mapping[str, float] = field(default_factory=dict)  # module -> ms of its longest reply

    def of(self, module: str, instrument: str) -> tuple[Line, ...]:
        """Return what was said of one module and instrument: why it was not asked, or what it answered."""
        return tuple(line for line in self.lines if line.module == module and line.instrument == instrument)


def trouble_with(signal: object, question: Question) -> str:
    """Return what is wrong with what a module said, "" when nothing is."""
    if not isinstance(signal, Signal):
        return f"said {type(signal).__name__}, allowed: a Signal or None"
    if (signal.module, signal.instrument) != (question.module, question.instrument):
        return f"a signal of {signal.module} for {signal.instrument}"
    for name, allowed in (("side", Side), ("at_ms", int), ("valid_until_ms", int)):
        if not isinstance(value := getattr(signal, name), allowed):
            return f"{name} is {value!r}, allowed: {allowed.__name__}"
    figures: dict[str, object] = {name: getattr(signal, name) for name in _FIGURES}
    try:
        figures |= {name: value for name, value in signal.evidence if not isinstance(value, str | int)}
    except (TypeError, ValueError):
        return f"evidence is {signal.evidence!r}, allowed: pairs of a name and a figure"
    if signal.most_base is not None:
        figures["most_base"] = signal.most_base
    for name, figure in figures.items():
        if not isinstance(figure, Decimal) or not figure.is_finite():
            return f"{name} is {figure!r}, allowed: a finite Decimal"
    return ""
