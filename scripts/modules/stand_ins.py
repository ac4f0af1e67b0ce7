"""What can be measured of modules that a tape does not have everything for, under names of their own.

counter_sentiment asks for open interest and the ratio of long to short accounts, the ensemble for bars of a
minute; long histories of these are rare. What is here are parts of them, with the parts' own code: the
crowd told by funding alone, and the ensemble's three strategies without regime, votes and card. None of them
is a module of the engine, and nothing they lack is made up for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

from core.types import Side
from strategy.auxiliary.bars import FRAME_MS
from strategy.auxiliary.exit_plan import Measures
from strategy.auxiliary.indicators.volatility import atr
from strategy.auxiliary.language import Look, Module, Needs, Parameter, Signal, settings_of
from strategy.auxiliary.modules.counter_sentiment import (
    FRAME,
    LEVERAGE,
    TREND_BARS,
    WILDER_BARS,
    CounterSentiment,
)
from strategy.auxiliary.modules.crowd import beyond, rates_8h
from strategy.auxiliary.modules.ensemble import strategies
from strategy.auxiliary.modules.ensemble.strategies import TRIGGER_BARS, Strategy
from strategy.auxiliary.modules.proposal import exact, points, protects, rounded
from strategy.auxiliary.presets import smart

FULL_RATE_8H: Final = 0.001
BASE_POINTS: Final = 50
WATCHED: Final = "5m"  # the plan looks at its targets from the fifth minute on
ALONE: Final = {Strategy.OSCILLATION: "5m", Strategy.BREAKOUT: "1H", Strategy.PULLBACK: "4H"}
_ASK: Final = {
    Strategy.OSCILLATION: strategies.oscillation,
    Strategy.BREAKOUT: strategies.breakout,
    Strategy.PULLBACK: strategies.pullback,
}


class ByFunding:
    """Counter sentiment where only funding is known: the rate alone says where the crowd stands.

    Its trends, plan and rest are the module's; long/short ratio and open interest are not asked for.
    """

    name: Final = "counter_sentiment_by_funding"
    about: Final = "A crowd that pays to be on one side gives way, where no trend carries it."
    parameters: Final = CounterSentiment.parameters

    def __init__(self, given: Mapping[str, Decimal] | None = None) -> None:
        """Raises ValueError for a parameter nobody declared, or one out of bounds."""
        self._whole = CounterSentiment(given)
        self.needs: Final = Needs(bars=self._whole.needs.bars, on=FRAME, funding=True)

    def signal(self, look: Look) -> Signal | None:
        bars = look.bars[FRAME]
        if look.holding is not None or (side := self._against(look, bars.closed_ms)) is None:
            return None
        before_ms = (bars.closed_ms - ago * bars.frame_ms for ago in range(1, self._whole.rest_bars + 1))
        if any(self._against(look, at_ms) for at_ms in before_ms):
            return None
        seen = bars.last(TREND_BARS[FRAME])
        range_px = float(atr(seen.high, seen.low, seen.close, WILDER_BARS)[-1])
        rate_8h = self._rate_8h(look, bars.closed_ms)
        if range_px <= 0 or rate_8h is None:
            return None
        px, measures = exact(bars.close[-1]), Measures(atr=rounded(range_px))
        if not protects(self._whole.plan, side, px, measures, LEVERAGE):
            return None
        worth = points(abs(rate_8h) / FULL_RATE_8H, 100 - BASE_POINTS)
        return Signal(
            module=self.name,
            instrument=look.instrument,
            side=side,
            strength=BASE_POINTS + worth,
            px=px,
            at_ms=bars.closed_ms,
            valid_until_ms=bars.closed_ms + bars.frame_ms,
            evidence=(("rate_8h", rounded(rate_8h)), ("funding_points", worth)),
            plan=self._whole.plan,
            measures=measures,
            wished_leverage=LEVERAGE,
        )

    def _against(self, look: Look, at_ms: int) -> Side | None:
        """Return the side against the crowd of a close; None without one, or where a trend carries it."""
        rate_8h = self._rate_8h(look, at_ms)
        if rate_8h is None:
            return None
        crowd = Side.BUY if rate_8h > 0 else Side.SELL
        for frame in TREND_BARS:
            trend = self._whole.trend(look.bars[frame], at_ms)
            if trend is None or trend.side is crowd:
                return None
        return crowd.opposite

    def _rate_8h(self, look: Look, at_ms: int) -> float | None:
        """Return the newest rate where it is an extreme one."""
        extremes = self._whole.extremes
        rates = None if look.market is None else rates_8h(look.market.settled, at_ms, extremes.lookback_ms)
        if rates is None or abs(rates[-1]) <= extremes.floor_8h:
            return None
        side = Side.BUY if rates[-1] > 0 else Side.SELL
        return float(rates[-1]) if beyond(rates, side) >= extremes.share else None


@dataclass(frozen=True, slots=True, init=False)
class SmartEntry:
    """One of the ensemble's three strategies alone, on the bars it is stated for, with its plan."""

    strategy: Strategy
    settings: Mapping[str, Decimal]

    def __init__(self, strategy: Strategy, given: Mapping[str, Decimal] | None = None) -> None:
        object.__setattr__(self, "strategy", strategy)
        object.__setattr__(self, "settings", settings_of(strategies.PARAMETERS, given))

    @property
    def name(self) -> str:
        return f"ensemble_{self.strategy.name.lower()}_alone"

    @property
    def about(self) -> str:
        return f"The ensemble's strategy {self.strategy.value}, asked whatever the regime is."

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return strategies.PARAMETERS

    @property
    def needs(self) -> Needs:
        frame = ALONE[self.strategy]
        return Needs(bars={WATCHED: 1, frame: TRIGGER_BARS}, on=frame)

    def signal(self, look: Look) -> Signal | None:
        frame = ALONE[self.strategy]
        bars = look.bars[frame].last(TRIGGER_BARS)
        entry = _ASK[self.strategy](bars, self.settings)
        if entry is None:
            return None
        preset, px = smart(), exact(bars.close[-1])
        range_px = float(atr(bars.high, bars.low, bars.close, WILDER_BARS)[-1])
        if range_px <= 0:
            return None
        measures = Measures(rounded(range_px), entry.support_px)
        if not protects(preset.plan, entry.side, px, measures, preset.wished_leverage):
            return None
        return Signal(
            module=self.name,
            instrument=look.instrument,
            side=entry.side,
            strength=Decimal(BASE_POINTS),
            px=px,
            at_ms=bars.closed_ms,
            valid_until_ms=bars.closed_ms + FRAME_MS[frame],
            evidence=(("strategy", self.strategy.value), *entry.figures),
            plan=preset.plan,
            measures=measures,
            wished_leverage=preset.wished_leverage,
        )


STAND_INS: Final[Mapping[str, Callable[[Mapping[str, Decimal]], Module]]] = {
    "counter_sentiment_by_funding": ByFunding,
    **{SmartEntry(each).name: partial(SmartEntry, each) for each in Strategy},
}
