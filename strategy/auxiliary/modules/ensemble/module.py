"""The ensemble: a strategy that suits the market names an entry, five frames and the card judge it.

    the hours' regime -> the strategy that suits it -> the bar on which it enters, or nothing
    -> votes of all frames, patterns, the book and the crowd -> the card: grade and strength -> Signal

Three steps of a ladder, each with its own declared parameters: what one frame says (votes.py, strategies.py),
what the frames make together (card.py), and which strategy is asked at all (regime.py). Everything is a
named figure in the evidence; the strength can be added up from it by hand.

A question costs 0.1 ms of one core; 2 ms where a bar triggers and everybody has to vote, a few times a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.verdict import Figures
from strategy.auxiliary.bars import FRAME_MS
from strategy.auxiliary.exit_plan import Measures
from strategy.auxiliary.indicators.volatility import atr
from strategy.auxiliary.language import Look, Needs, Parameter, Signal, settings_of
from strategy.auxiliary.modules.ensemble import card, regime, strategies
from strategy.auxiliary.modules.ensemble.card import FRAMES, Score
from strategy.auxiliary.modules.ensemble.market_votes import market_votes
from strategy.auxiliary.modules.ensemble.strategies import Trigger
from strategy.auxiliary.modules.ensemble.votes import VOTE_BARS, Vote, frame_votes
from strategy.auxiliary.modules.proposal import exact, holds, number, protects, rounded
from strategy.auxiliary.presets import Preset, smart

ATR_BARS: Final = 14
VALID_PERIODS: Final = Decimal("1.5")  # of the frame that triggered; older than that it is stale

PARAMETERS: Final = (
    *strategies.PARAMETERS,
    *card.PARAMETERS,
    *regime.PARAMETERS,
    number("stop_atr", "distance of the stop, where 0.8 of the margin is not nearer", "atr", "2", "1", "3"),
)


@dataclass(frozen=True, slots=True, init=False)
class Ensemble:
    """Many weak opinions, each with its name, and none that is heard without a bar that triggers."""

    settings: Mapping[str, Decimal]
    preset: Preset

    def __init__(self, given: Mapping[str, Decimal] | None = None) -> None:
        object.__setattr__(self, "settings", settings_of(PARAMETERS, given))
        object.__setattr__(self, "preset", smart(self.settings["stop_atr"]))

    @property
    def name(self) -> str:
        return "ensemble"

    @property
    def about(self) -> str:
        return "An entry that suits the regime, with several time frames behind it, is worth a short trade."

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return PARAMETERS

    @property
    def needs(self) -> Needs:
        deep = max(regime.REGIME_BARS, strategies.TRIGGER_BARS)
        return Needs(bars=dict.fromkeys(FRAMES, deep), on=self._on)

    @property
    def _on(self) -> str:
        return strategies.FAST_FRAMES[int(self.settings["fast_frame"])]

    def signal(self, look: Look) -> Signal | None:
        at_ms = look.bars[self._on].closed_ms
        if any(look.bars[frame].closed_ms <= at_ms - FRAME_MS[frame] for frame in FRAMES):
            return None  # one of the series is late: the frames would speak of different times
        weather = regime.weather_of(look.bars[regime.FRAME], self.settings)
        entry = strategies.trigger(strategies.SUITS[weather.regime], look.bars, at_ms, self.settings)
        if entry is None or holds(look, entry.side):
            return None
        by_frame = {frame: frame_votes(look.bars[frame]) for frame in FRAMES}
        others = market_votes(look)
        judged = card.score(entry.strategy, entry.side, by_frame, others, self.settings)
        if judged.grade < self.settings["least_grade"] or judged.card < self.settings["least_card"]:
            return None
        evidence = (
            ("strategy", entry.strategy.value),
            ("frame", entry.frame),
            *entry.figures,
            *weather.figures,
            *judged.figures,
            *_votes_shown(by_frame, others),
        )
        return self._signal(look, at_ms, entry, judged, evidence)

    def _signal(
        self, look: Look, at_ms: int, entry: Trigger, judged: Score, evidence: Figures
    ) -> Signal | None:
        bars = look.bars[self.preset.plan.frame].last(VOTE_BARS)
        measured = float(atr(bars.high, bars.low, bars.close, ATR_BARS)[-1])
        measures = Measures(rounded(measured) if measured > 0 else None, entry.support_px)
        px, leverage = exact(look.bars[self._on].close[-1]), self.preset.wished_leverage
        if not protects(self.preset.plan, entry.side, px, measures, leverage):
            return None
        return Signal(
            module=self.name,
            instrument=look.instrument,
            side=entry.side,
            strength=judged.strength,
            px=px,
            at_ms=at_ms,
            valid_until_ms=at_ms + int(VALID_PERIODS * FRAME_MS[entry.frame]),
            evidence=evidence,
            plan=self.preset.plan,
            measures=measures,
            wished_leverage=leverage,
        )


def _votes_shown(by_frame: Mapping[str, tuple[Vote, ...]], others: tuple[Vote, ...]) -> Figures:
    framed = [
        (f"{frame}_{vote.name}_vote", exact(vote.value))
        for frame, votes in by_frame.items()
        for vote in votes
    ]
    return (*framed, *((f"{vote.name}_vote", exact(vote.value)) for vote in others))
