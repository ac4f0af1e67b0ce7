"""What one seed's run is made of: plain data, so that it can be printed, replayed and made smaller."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from exchange.sim.profile import VenueProfile
from scripts.simulation.crossings import CrashPoint
from scripts.simulation.way import AT_ONCE, Latency

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
BEFORE_MS: Final = MINUTE_MS  # streams are pinged before they fail, so that silence is noticed in time
AFTER_MS: Final = 10 * MINUTE_MS  # what was cut at the last moment has been noticed and replaced by then
# As coarse as decisions can bear: the market moves at its turns, after trades, and once a minute.
COARSE: Final = VenueProfile(pulse_ms=MINUTE_MS, book_levels=25)
# Values that make a fault another one; the others say when, how long, where or how much.
SHAPED_BY: Final = frozenset({"answer", "part", "status", "code", "shape", "set", "after", "executed"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong, at `at_ms` after the start and for `lasts_ms`; see the families in swarm.py.

    family  what it belongs to, for the statistics.
    kind    rule (of the venue's faults), disk, crash, restart, operator, hand (a human trades the account),
            wall (the host's wall clock is set).
    what    of a rule the fault file's own words; else the details. `nth_order`: not at that time, but as that
            order of the whole story leaves.
    """

    family: str
    kind: str
    at_ms: int
    lasts_ms: int = 0
    what: dict[str, Any] = field(default_factory=dict)

    @property
    def until_ms(self) -> int:
        return self.at_ms + self.lasts_ms

    @property
    def point(self) -> str:
        """What goes wrong and where, without when, how long, which coin or how much: `streams public gap`."""
        match self.kind:
            case "rule":
                rule = self.what["rule"]
                where = [str(word) for name, word in rule["where"].items() if name != "inst_id"]
                words = [*where, *_words(rule["what"])]
            case "venue":
                words = _words(self.what["what"])
            case "crash":
                words = [self.what["name"], self.what["side"]]
            case _:
                names = (self.what.get(name) for name in ("error", "verb", "does"))
                words = [next((str(name) for name in names if name), self.kind)]
        return " ".join((self.family, *words))

    def __str__(self) -> str:
        begin, end = clock_of(self.at_ms), clock_of(self.until_ms)
        when = begin if not self.lasts_ms else f"{begin}-{end}"
        return f"{when} {self.family}: {self.kind} {self.what}"


@dataclass(frozen=True, slots=True)
class Story:
    """`chaos_ms` of troubles follow a quiet beginning; then all is healed and the world may settle.

    turns   hours after the start -> the regime the market is put into then.
    changes settings other than the configured ones: `strategy.exit.mode` -> value.
    shuffle the order of callbacks that are ready together is drawn from the seed.
    """

    seed: int
    regime: str = "calm"
    coins: tuple[str, ...] = ("BTC", "ETH")
    turns: tuple[tuple[int, str], ...] = ()
    changes: tuple[tuple[str, Any], ...] = ()
    latency: Latency = AT_ONCE
    profile: VenueProfile = COARSE
    shuffle: bool = True
    warm_ms: int = 10 * MINUTE_MS
    chaos_ms: int = 23 * HOUR_MS
    settle_ms: int = 50 * MINUTE_MS
    troubles: tuple[Trouble, ...] = ()

    @property
    def crash_points(self) -> tuple[CrashPoint, ...]:
        return tuple(
            CrashPoint(t.what["name"], t.what["side"], t.what["nth"])
            for t in self.troubles
            if t.kind == "crash"
        )

    def loud(self, start_ms: int) -> tuple[tuple[int, int], ...]:
        """From when to when streams may fail or have not yet recovered, in order of their beginnings."""
        spans = [
            (max(0, trouble.at_ms - BEFORE_MS), trouble.until_ms + AFTER_MS)
            for trouble in self.troubles
            if trouble.family == "streams"
        ]
        return tuple((start_ms + begin_ms, start_ms + end_ms) for begin_ms, end_ms in sorted(spans))

    def without(self, trouble: Trouble) -> Story:
        return replace(self, troubles=tuple(t for t in self.troubles if t is not trouble))

    def told(self) -> str:
        """The whole story in lines, for whoever must find out what happened."""
        head = (
            f"seed {self.seed}: {self.regime}, {' '.join(self.coins)}, latency {self.latency.request_ms}/"
            f"{self.latency.answer_ms}/{self.latency.push_ms} ms, "
            f"turns {dict(self.turns)}, settings { {name: str(value) for name, value in self.changes} }"
        )
        return "\n  ".join((head, *(str(t) for t in sorted(self.troubles, key=lambda t: t.at_ms))))


def _words(what: Any) -> list[str]:
    """The names in a fault's description, and those of its values that make it another fault."""
    if not isinstance(what, dict):
        return [str(what)]
    words = []
    for name, value in what.items():
        if isinstance(value, dict):
            words += [name, *_words(value)]
        elif name in SHAPED_BY:
            words.append(f"{name}={value}")
    return words


def clock_of(ms: int) -> str:
    """A span as 13:05:02."""
    seconds = ms // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
