"""Factor score (ATS): ten factors and carry, weighed into one number from 0 to 100.

    side   the sign of the weighted sum of the signed factors
    score  100 * sum(weight * support) / sum(weights), support 0-1 from factors.py

A bar speaks when its score reaches `min_score` and the bar before did not for that side: the edge, and not
the state. What the score is made of stands in the evidence, a value and its points for every factor.

ATS holds its factors for 60 s, because computing them took 50 ms. Here they are functions of closed bars,
asked for once when a bar closes, and take 50 us: there is nothing to hold, and nothing that could be stale. A
question costs 0.1 ms of one core in the mean over a year of hourly BTC and ETH.

The plan is ATS's, stretched at entry by its factor rules: strength (score / 100) > 0.7, trend > 0.6,
liquidity > 0.6, volatility > 3.0 (percent a day). With min_score above 70 the first of them always holds. A
trend against the side is none. Its strength also sets how long a position may be held: half of `hold_h`
without one, one and a half times with a full one. The wish for leverage is ATS's, by strength, on the scale
of the red line; what ATS itself would state stands in the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from core.types import HOUR_MS, SettledFunding, Side
from core.verdict import Figures
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Measures, Stop, adjusted
from strategy.auxiliary.language import STRONGEST, Look, Needs, Signal, settings_of
from strategy.auxiliary.modules.factors import SIGNED, WEEK, WINDOW, Lengths, measured, support
from strategy.auxiliary.modules.proposal import count, exact, holds, number, points, protects, rounded
from strategy.auxiliary.presets import ats

FRAME: Final = "1H"
WEIGHTS: Final = {
    "momentum": "15",
    "trend": "20",
    "reversion": "5",
    "breakout": "10",
    "money_flow": "10",
    "volatility": "5",
    "expansion": "10",
    "volume": "10",
    "liquidity": "5",
    "persistence": "5",
    "carry": "5",
}
HALF: Final = Decimal("0.5")
HUNDREDTH: Final = Decimal("0.01")

PARAMETERS: Final = (
    number("min_score", "least score: 75 a single scan, 80 conservative, 70 a batch", "", "75", "50", "95"),
    *(
        # One weight of a signed factor is never nothing, so that there is always a side.
        number(f"weight_{name}", f"weight of {name}", "", weight, "1" if name == "trend" else "0", "100")
        for name, weight in WEIGHTS.items()
    ),
    count("momentum_bars", "how far back momentum looks", 24, 6, WEEK),
    count("trend_bars", "mean the trend's side is told from", WEEK, 48, WEEK),
    count("reversion_bars", "how far back a move is thought to be one that returns", 3, 1, 12),
    count("breakout_bars", "bars whose highest and lowest price are broken", 55, 20, WEEK),
    number("stop_ratio", "distance of the stop, before factor rules", "ratio", "0.02", "0.005", "0.1"),
    number("first_target_ratio", "distance of the first target", "ratio", "0.04", "0.01", "0.06"),
    number("second_target_ratio", "distance of the second target", "ratio", "0.08", "0.06", "0.25"),
    number("hold_h", "longest holding time at half a trend", "h", "72", "12", "336"),
    number("stale_periods", "age of a close after which it says nothing", "periods", "1.5", "0.25", "3"),
)


@dataclass(frozen=True, slots=True)
class Score:
    """One bar, scored. `points` are in the order of WEIGHTS, without what is not known."""

    side: Side
    factors: Mapping[str, float]
    points: Mapping[str, Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.points.values(), Decimal(0))


class FactorScore:
    name: Final = "factor_score"
    about: Final = "Where momentum, trend, flow and quality agree, the next hours go on agreeing."
    parameters: Final = PARAMETERS
    needs: Final = Needs(bars={FRAME: WINDOW + 1}, on=FRAME)

    def __init__(self, given: Mapping[str, Decimal] | None = None) -> None:
        """Raises ValueError for a parameter nobody declared, or one out of bounds."""
        settings = settings_of(PARAMETERS, given)
        self._weights = {name: float(settings[f"weight_{name}"]) for name in WEIGHTS}
        self._lengths = Lengths(
            int(settings["momentum_bars"]),
            int(settings["trend_bars"]),
            int(settings["reversion_bars"]),
            int(settings["breakout_bars"]),
        )
        self._min_score = settings["min_score"]
        self._hold_h = settings["hold_h"]
        self._stale_periods = settings["stale_periods"]
        self._preset = ats()
        self._plan = _with_distances(
            self._preset.plan,
            settings["stop_ratio"],
            (settings["first_target_ratio"], settings["second_target_ratio"]),
        )

    def signal(self, look: Look) -> Signal | None:
        bars = look.bars[FRAME]
        settled = look.market.settled if look.market else ()
        valid_until_ms = bars.closed_ms + int(self._stale_periods * bars.frame_ms)
        score = self.score(bars, settled)
        if score is None or not self._reaches(score, score.side) or look.now_ms > valid_until_ms:
            return None
        if self._reaches(self.score(bars.without_last(1), settled), score.side) or holds(look, score.side):
            return None
        plan, hold_h = self.plan_for(score)
        px, leverage = exact(bars.close[-1]), self._preset.leverage_for(score.total)
        if not protects(plan, score.side, px, Measures(), leverage):
            return None
        return Signal(
            module=self.name,
            instrument=look.instrument,
            side=score.side,
            strength=score.total,
            px=px,
            at_ms=bars.closed_ms,
            valid_until_ms=valid_until_ms,
            evidence=(
                ("frame", FRAME),
                ("min_score", self._min_score),
                *_figures(score),
                ("hold_h", hold_h),
                ("stated_leverage", self._preset.stated_leverage_for(score.total)),
            ),
            plan=plan,
            wished_leverage=leverage,
        )

    def score(self, bars: Bars, settled: Sequence[SettledFunding] = ()) -> Score | None:
        """Return the score of the last bar for the side its signed factors lean to; None without a lean."""
        factors = measured(bars, settled, self._lengths)
        lean = sum(self._weights[name] * factors[name] for name in SIGNED if name in factors)
        if lean == 0:
            return None
        side = Side.BUY if lean > 0 else Side.SELL
        known = {name: weight for name, weight in self._weights.items() if name in factors}
        whole = sum(known.values())
        return Score(
            side,
            factors,
            {
                name: points(support(name, factors[name], side), 100 * weight / whole)
                for name, weight in known.items()
            },
        )

    def _reaches(self, score: Score | None, side: Side) -> bool:
        return score is not None and score.side is side and score.total >= self._min_score

    def plan_for(self, score: Score) -> tuple[ExitPlan, Decimal]:
        """Return the plan as the factors stretch it, and how many hours it may be held."""
        with_it = max(score.side.sign * score.factors["trend"], 0.0)
        ruled = {
            "strength": score.total / STRONGEST,
            "trend": rounded(with_it),
            "liquidity": rounded(score.factors["liquidity"]),
            "volatility": rounded(score.factors["volatility"]),
        }
        hold_h = (self._hold_h * (rounded(with_it) + HALF)).quantize(HUNDREDTH)
        return replace(adjusted(self._plan, ruled), max_hold_ms=int(hold_h * HOUR_MS)), hold_h


def _with_distances(plan: ExitPlan, stop_ratio: Decimal, target_ratios: tuple[Decimal, ...]) -> ExitPlan:
    targets = tuple(
        replace(target, distance=Distance(ratio=ratio))
        for target, ratio in zip(plan.targets, target_ratios, strict=True)
    )
    return replace(plan, stop=Stop((Distance(ratio=stop_ratio),)), targets=targets)


def _figures(score: Score) -> Figures:
    """Return every factor and what it adds, side by side."""
    shown: list[tuple[str, Decimal]] = []
    for name, worth in score.points.items():
        unit = "_pct" if name == "volatility" else ""
        shown += [(f"{name}{unit}", rounded(score.factors[name], 6)), (f"{name}_points", worth)]
    return tuple(shown)
