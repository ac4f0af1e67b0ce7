"""Counter sentiment: against a crowd that pays to be where it is, and never against the main trend.

A crowd is long when all three hold at the close of a 4H bar, each among the figures of the 30 days before:

    1. funding        the rate per 8 h is above `floor_rate_8h`, and above 95 % of the others
    2. long/short     accounts long / accounts short is above 95 % of the others
    3. open interest  above 90 % of the others: much is in it

and short when 1 and 2 hold the other way round: below minus the floor, below 95 % of the others. What is
proposed is the other side. It is kept back while 4H or 1D have a trend against it: ADX14 >= 25 and the close
on the far side of the mean of 50. No trend, or one that goes the same way, lets it pass.

It is rare by design: only the first 4H close at which all of this holds speaks, and only when it held at none
of the 6 closes before. It says nothing while it holds anything: there is no second position behind one that
went wrong, and no field in which a larger size could be asked for.

A question costs 30 us of one core where funding is not extreme, 0.2 ms where it is and the ratio is not, with
hourly figures of 30 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.types import DAY_MS, HOUR_MS, Side
from core.verdict import Figures
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Measures, Stop, StopTo, Target
from strategy.auxiliary.indicators.averages import sma
from strategy.auxiliary.indicators.trend import adx
from strategy.auxiliary.indicators.volatility import atr
from strategy.auxiliary.language import Look, Needs, Signal, settings_of
from strategy.auxiliary.modules.crowd import Crowd, Extremes, crowd_at
from strategy.auxiliary.modules.proposal import count, exact, number, points, protects, rounded

FRAME: Final = "4H"
TREND_BARS: Final = {FRAME: 200, "1D": 120}  # what a trend is told from, always the same number of them
WILDER_BARS: Final = 14
LEVERAGE: Final = Decimal(1)

BASE_POINTS: Final = 50  # the three conditions; what follows is the most each adds beyond its threshold
FUNDING_POINTS: Final = 15
RATIO_POINTS: Final = 15
INTEREST_POINTS: Final = 10
TURN_POINTS: Final = 10  # a rate that has begun to come back
FULL_RATE_8H: Final = 0.001

PARAMETERS: Final = (
    count("lookback_d", "days whose figures it is compared with", 30, 14, 90, unit="d"),
    number(
        "extreme", "share of the others funding and long/short are beyond", "ratio", "0.95", "0.8", "0.99"
    ),
    number("interest_extreme", "share of the others open interest is above", "ratio", "0.9", "0.5", "0.99"),
    number("floor_rate_8h", "a crowd pays more than this per 8 h", "ratio", "0.0001", "0", "0.002"),
    number("trend_adx", "ADX from which there is a trend", "", "25", "15", "40"),
    count("ma_bars", "mean a trend's direction is told from", 50, 20, 100),
    count("rest_bars", "closes before, at none of which it may have held", 6, 1, 42),
    number("stop_atr", "distance of the stop", "atr", "2", "0.5", "5"),
    number(
        "target_atr", "distance of the first target; the second is twice as far", "atr", "1.5", "0.5", "5"
    ),
    count("hold_h", "longest holding time", 120, 12, 336, unit="h"),
    number("stale_periods", "age of a close after which it says nothing", "periods", "1.5", "0.25", "3"),
)


@dataclass(frozen=True, slots=True)
class Trend:
    """The trend of one frame. `side` is None where there is none."""

    frame: str
    adx: float
    side: Side | None


class CounterSentiment:
    name: Final = "counter_sentiment"
    about: Final = "A crowd that pays to be on one side gives way, where no trend carries it."
    parameters: Final = PARAMETERS

    def __init__(self, given: Mapping[str, Decimal] | None = None) -> None:
        """Raises ValueError for a parameter nobody declared, or one out of bounds."""
        settings = settings_of(PARAMETERS, given)
        self.extremes = Extremes(
            int(settings["lookback_d"]) * DAY_MS,
            float(settings["extreme"]),
            float(settings["interest_extreme"]),
            float(settings["floor_rate_8h"]),
        )
        self._trend_adx, self._ma = float(settings["trend_adx"]), int(settings["ma_bars"])
        self.rest_bars = int(settings["rest_bars"])
        self._stale_periods = settings["stale_periods"]
        self.plan = _plan(settings["stop_atr"], settings["target_atr"], int(settings["hold_h"]))
        rest_ms = self.rest_bars * FRAME_MS[FRAME]
        self.needs: Final = Needs(
            bars={frame: bars + -(-rest_ms // FRAME_MS[frame]) for frame, bars in TREND_BARS.items()},
            on=FRAME,
            funding=True,
            open_interest=True,
            long_short=True,
        )

    def signal(self, look: Look) -> Signal | None:
        bars = look.bars[FRAME]
        valid_until_ms = bars.closed_ms + int(self._stale_periods * bars.frame_ms)
        if look.holding is not None or look.now_ms > valid_until_ms:
            return None
        if (found := self.uncarried(look, bars.closed_ms)) is None:
            return None
        before_ms = (bars.closed_ms - ago * bars.frame_ms for ago in range(1, self.rest_bars + 1))
        if any(self.uncarried(look, at_ms) for at_ms in before_ms):
            return None
        crowd, trends = found
        seen, side, px = bars.last(TREND_BARS[FRAME]), crowd.side.opposite, exact(bars.close[-1])
        range_px = float(atr(seen.high, seen.low, seen.close, WILDER_BARS)[-1])
        if range_px <= 0:
            return None
        measures = Measures(atr=rounded(range_px))
        if not protects(self.plan, side, px, measures, LEVERAGE):
            return None
        terms = self._terms(crowd)
        return Signal(
            module=self.name,
            instrument=look.instrument,
            side=side,
            strength=sum((worth for _, worth in terms), Decimal(0)),
            px=px,
            at_ms=bars.closed_ms,
            valid_until_ms=valid_until_ms,
            evidence=(*_figures(crowd, trends), *terms),
            plan=self.plan,
            measures=measures,
            wished_leverage=LEVERAGE,
        )

    def uncarried(self, look: Look, at_ms: int) -> tuple[Crowd, tuple[Trend, ...]] | None:
        """Return the crowd of a close and the trends of 4H and 1D; None where one of them goes its way."""
        if look.market is None:
            return None
        market = look.market
        crowd = crowd_at(at_ms, market.settled, market.open_interest, look.long_short, self.extremes)
        if crowd is None:
            return None
        trends: list[Trend] = []
        for frame in TREND_BARS:
            trend = self.trend(look.bars[frame], at_ms)
            if trend is None or trend.side is crowd.side:
                return None
            trends.append(trend)
        return crowd, tuple(trends)

    def trend(self, shown: Bars, at_ms: int) -> Trend | None:
        """Return the trend of the bars that had closed by then; None when the newest of them is too old."""
        later = max(0, -((at_ms - shown.closed_ms) // shown.frame_ms))
        bars = shown.without_last(later).last(TREND_BARS[shown.frame])
        if at_ms - bars.closed_ms > bars.frame_ms:
            return None
        strength = float(adx(bars.high, bars.low, bars.close, WILDER_BARS)[-1])
        over = float(bars.close[-1] - sma(bars.close[-self._ma :], self._ma)[-1])
        if strength < self._trend_adx or over == 0:
            return Trend(shown.frame, strength, None)
        return Trend(shown.frame, strength, Side.BUY if over > 0 else Side.SELL)

    def _terms(self, crowd: Crowd) -> tuple[tuple[str, Decimal], ...]:
        """Return what the strength is the sum of."""
        extremes = self.extremes
        ratio = (crowd.ratio_share - extremes.share) / (1 - extremes.share)
        interest = (crowd.interest_share - extremes.interest_share) / (1 - extremes.interest_share)
        return (
            ("base_points", Decimal(BASE_POINTS)),
            ("funding_points", points(abs(crowd.rate_8h) / FULL_RATE_8H, FUNDING_POINTS)),
            ("long_short_points", points(ratio, RATIO_POINTS)),
            ("interest_points", points(interest, INTEREST_POINTS)),
            ("turn_points", points(crowd.turn, TURN_POINTS)),
        )


def _plan(stop_atr: Decimal, target_atr: Decimal, hold_h: int) -> ExitPlan:
    """Return its own exits: half at the first target, the stop then at the entry, and an end in days."""
    return ExitPlan(
        "counter_sentiment",
        Stop((Distance(atr=stop_atr),)),
        (
            Target(Distance(atr=target_atr), Decimal("0.5"), StopTo.ENTRY),
            Target(Distance(atr=2 * target_atr)),
        ),
        max_hold_ms=hold_h * HOUR_MS,
        frame=FRAME,
    )


def _figures(crowd: Crowd, trends: tuple[Trend, ...]) -> Figures:
    return (
        ("crowd", "long" if crowd.side is Side.BUY else "short"),
        ("rate_8h", rounded(crowd.rate_8h)),
        ("rate_before_8h", rounded(crowd.rate_before_8h)),
        ("rate_share", rounded(crowd.rate_share, 6)),
        ("long_short_ratio", rounded(crowd.ratio)),
        ("long_short_share", rounded(crowd.ratio_share, 6)),
        ("interest_base", rounded(crowd.interest_base)),
        ("interest_share", rounded(crowd.interest_share, 6)),
        *((f"adx_{trend.frame.lower()}", rounded(trend.adx, 6)) for trend in trends),
        *((f"trend_{trend.frame.lower()}", trend.side.value if trend.side else "none") for trend in trends),
    )
