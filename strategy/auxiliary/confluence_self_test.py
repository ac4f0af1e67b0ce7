"""The confluence module tried on made-up messages: the same reading, keeping and scoring as for real ones.

No venue, no key, no clock: what comes out is the same every time. `python -m scripts.confluence` shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.types import ONE, Candle
from strategy.auxiliary.bars import MINUTE_MS, bars_of
from strategy.auxiliary.feed import by_instrument, read_lines, taken_in
from strategy.auxiliary.language import FeedEvent, Look
from strategy.auxiliary.modules.confluence import CURVES, Confluence

D = Decimal
START_MS: Final = 1_767_571_200_000  # 2026-01-05T00:00Z
COIN: Final = "BTC"
INSTRUMENT: Final = "BTC-USDT"
SOURCE: Final = "self-test"


@dataclass(frozen=True, slots=True)
class Case:
    """What is fed, and the score it has on each curve; None where nothing may match.

    sent  (type, id, minutes after the start) of each message.
    asked_min  when the module is asked, minutes after the start.
    """

    tells: str
    sent: tuple[tuple[int, str, int], ...]
    asked_min: int
    linear: Decimal | None
    logistic: Decimal | None
    settings: Mapping[str, Decimal]
    printed: Decimal | None = None  # what the reference prints for it


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case on one curve: `found` is the best score of a match, None without one."""

    case: Case
    curve: int
    expected: Decimal | None
    found: Decimal | None
    signals: bool

    @property
    def ok(self) -> bool:
        """The score is the expected one to three digits, and it is a signal exactly if it reaches 0.6."""
        if self.expected is None or self.found is None:
            return self.expected is self.found and not self.signals
        reached = self.found >= D("0.6")
        return abs(self.found - self.expected) < D("0.0005") and self.signals == reached


CASES: Final = (
    Case("1 minute, FOMO, fresh", ((113, "f", 0), (110, "a", 1)), 1, D("0.86"), D("0.936"), {}, D("0.92")),
    Case(
        "4 minutes, intensified, fresh",
        ((112, "f", 0), (110, "a", 4)),
        4,
        D("0.68"),
        D("0.68"),
        {},
        D("0.68"),
    ),
    Case("30 minutes: no match", ((112, "f", 0), (110, "a", 30)), 30, None, None, {}),
    Case("Alpha first, 2 minutes", ((110, "a", 0), (112, "f", 2)), 2, D("0.84"), D("0.972"), {}),
    Case("5 minutes, FOMO: too weak on either", ((113, "f", 0), (110, "a", 5)), 5, D("0.54"), D("0.553"), {}),
    Case(
        "1 minute, FOMO, two hours old",
        ((113, "f", 0), (110, "a", 1)),
        120,
        D("0.71"),
        D("0.786"),
        {},
    ),
    Case(
        "intensified ones switched off",
        ((112, "f", 0), (110, "a", 1)),
        1,
        None,
        None,
        {"fomo_intensify": D(0)},
    ),
    Case("the same message twice is one", ((113, "x", 0), (110, "x", 1)), 1, None, None, {}),
    Case("FOMO alone", ((113, "f", 0), (112, "g", 1)), 1, None, None, {}),
)


def self_test(cases: tuple[Case, ...] = CASES) -> list[Outcome]:
    """Return what every case gives on every curve."""
    return [_played(case, curve) for case in cases for curve in CURVES]


def shown(outcomes: list[Outcome]) -> list[str]:
    """Return the lines people read: one per case and curve."""
    return [
        f"{'ok ' if each.ok else 'BAD'}  {each.case.tells:<40} {CURVES[each.curve]:<9}"
        f" score {_digits(each.found):>6}  expected {_digits(each.expected):>6}"
        f"  {'signal' if each.signals else 'no signal'}"
        + (f"  (printed in the reference: {each.case.printed})" if each.case.printed else "")
        for each in outcomes
    ]


def score_lines(events: tuple[FeedEvent, ...], settings: Mapping[str, Decimal] | None = None) -> list[str]:
    """Return a line per match among the events of a feed, each scored when it became known."""
    module, lines = Confluence(settings), []
    window_ms = int(module.settings["window_ms"])
    for instrument, known in by_instrument(sorted(events, key=lambda event: event.at_ms)).items():
        for now_ms in sorted({event.at_ms for event in known}):
            near = tuple(event for event in known if now_ms - window_ms <= event.at_ms <= now_ms)
            lines += [
                f"{instrument}  {match.fomo.kind} {match.fomo.event_id} with {match.alpha.event_id}"
                f"  gap {match.gap_ms / 1000:g} s  score {_digits(match.terms.score)}"
                for match in module.matches(Look(now_ms, instrument, {}, events=near))
                if match.known_ms == now_ms
            ]
    return lines


def _played(case: Case, curve: int) -> Outcome:
    messages = [
        json.dumps({"type": kind, "id": name, "symbol": COIN, "timestamp": START_MS + minute * MINUTE_MS})
        for kind, name, minute in case.sent
    ]
    now_ms = START_MS + case.asked_min * MINUTE_MS
    kept: tuple[FeedEvent, ...] = ()
    for event in read_lines(messages, SOURCE).events:
        kept = taken_in(kept, event, now_ms)
    bar = Candle(now_ms - MINUTE_MS, ONE, ONE, ONE, ONE, ONE)
    look = Look(now_ms, INSTRUMENT, {"1m": bars_of(INSTRUMENT, "1m", [bar])}, events=kept)
    module = Confluence({"curve": D(curve), "valid_ms": D(4 * 60 * MINUTE_MS), **case.settings})
    best = max((match.terms.score for match in module.matches(look)), default=None)
    expected = case.logistic if curve else case.linear
    return Outcome(case, curve, expected, best, module.signal(look) is not None)


def _digits(score: Decimal | None) -> str:
    return "-" if score is None else f"{score:.3f}"
