"""A neutral grid behind a trend filter: buy below the middle of a range, sell above it, nothing in a trend.

    asked     when 15 minutes close; the range and the ADX are of hours
    only      while the ADX is below 25 and the band whole: grid_band.py says when it forms and breaks
    a slice   for the close that crosses a line on the way out: target is the next line towards the middle,
              stop the edge of the band. All slices are of one size; together they are never above the cap
    never     a slice on the side of a position that does not win by more than half a step: that would be
              averaging down. Nor one against a position: that one ends by its own target and stop

A grid lives from adding to what has moved against it, and that is exactly what is forbidden here. What is
left holds one slice most of the time: a trader of ranges with a fixed risk, not a machine that collects
small change until the range breaks.

A question costs 0.1 ms of one core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.types import ZERO, Side
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Measures, Stop, Target
from strategy.auxiliary.language import Holding, Look, Needs, Parameter, Signal, settings_of
from strategy.auxiliary.modules.grid_band import Band, BandBy, BandRule, adx_of, band_at
from strategy.auxiliary.modules.proposal import count, exact, number, points, rounded

HALF: Final = Decimal("0.5")
VALID_MS: Final = 15 * 60_000  # a line is crossed at a price: later it is another trade

# The strength: 100 points, each term monotone and between none and all of its own.
CALM_POINTS: Final = 40  # the further the ADX is below its limit
OUTWARD_POINTS: Final = 30  # the further out the line
REWARD_POINTS: Final = 30  # way to the target / way from the stop to the target

PARAMETERS: Final = (
    count("block_bars", "hours for which levels stay fixed", 24, 6, 72),
    count("range_bars", "hours the band is made of", 48, 24, 168),
    count("band_by", "edges: 0 range, 1 Bollinger, 2 ATR", BandBy.RANGE, BandBy.RANGE, BandBy.ATR, unit=""),
    number("band_times", "deviations or ATR from the middle to an edge", "", "2.5", "1", "8"),
    number("below_adx", "ADX from which nothing is proposed", "", "25", "10", "25"),
    count("lines", "lines on each side of the middle", 3, 1, 10, unit=""),
    number("least_step_ratio", "step between lines, at least", "ratio", "0.003", "0.001", "0.05"),
    number("cap_usdt", "all slices together, at the middle of the band", "usdt", "1000", "10", "100000"),
)


@dataclass(frozen=True, slots=True, init=False)
class NeutralGrid:
    """Lets the swings of a range pay, one slice of fixed size at a time, and stops where the range ends."""

    settings: Mapping[str, Decimal]
    rule: BandRule

    def __init__(self, given: Mapping[str, Decimal] | None = None) -> None:
        settings = settings_of(PARAMETERS, given)
        rule = BandRule(
            int(settings["block_bars"]),
            int(settings["range_bars"]),
            BandBy(int(settings["band_by"])),
            float(settings["band_times"]),
            float(settings["below_adx"]),
        )
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "rule", rule)

    @property
    def name(self) -> str:
        return "neutral_grid"

    @property
    def about(self) -> str:
        return "What swings in a range without a trend comes back to its middle, until the range breaks."

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return PARAMETERS

    @property
    def needs(self) -> Needs:
        return Needs(bars={"1H": self.rule.hours, "15m": 4 * self.rule.block_bars + 2}, on="15m")

    def band(self, look: Look) -> Band | None:
        """Return the band that is whole at the last close of 15 minutes, None without one."""
        lines, cap_usdt = int(self.settings["lines"]), self.settings["cap_usdt"]
        return band_at(look.bars["1H"], look.bars["15m"], self.rule, lines, cap_usdt)

    def signal(self, look: Look) -> Signal | None:
        hours, quarters = look.bars["1H"], look.bars["15m"]
        if not (adx_now := adx_of(hours, len(hours))) < self.rule.below_adx:
            return None
        band = self.band(look)
        if band is None or band.step < self.settings["least_step_ratio"] * band.middle_px:
            return None
        px = exact(quarters.close[-1])
        crossed = band.crossed(exact(quarters.close[-2]), px)
        if crossed is None:
            return None
        side, line = crossed
        overshot = (band.line_px(line, side) - px) * side.sign > HALF * band.step
        if overshot or not may_add(band, look.holding, side, px):
            return None
        return self._slice(look, band, side, line, px, adx_now)

    def _slice(self, look: Look, band: Band, side: Side, line: int, px: Decimal, adx_now: float) -> Signal:
        at_ms = look.bars["15m"].closed_ms
        target_px, stop_px = band.line_px(line - 1, side), band.edge_px(side)
        reward, risk = abs(target_px - px), abs(px - stop_px)
        terms = (
            points(1 - adx_now / self.rule.below_adx, CALM_POINTS),
            points(line / band.lines, OUTWARD_POINTS),
            points(float(reward / (reward + risk)), REWARD_POINTS),
        )
        plan = ExitPlan(
            "grid",
            Stop(at_support=True),
            (Target(Distance(reward / px)),),
            max_hold_ms=2 * self.rule.block_ms,
        )
        return Signal(
            module=self.name,
            instrument=look.instrument,
            side=side,
            strength=sum(terms, ZERO),
            px=px,
            at_ms=at_ms,
            valid_until_ms=at_ms + VALID_MS,
            evidence=(
                ("adx", rounded(adx_now, 4)),
                ("below_adx", self.settings["below_adx"]),
                ("band_formed_ms", band.formed_ms),
                ("band_lower_px", band.lower_px),
                ("band_upper_px", band.upper_px),
                ("line", line),
                ("lines", band.lines),
                ("step_ratio", rounded(float(band.step / band.middle_px), 4)),
                ("target_px", target_px),
                ("stop_px", stop_px),
                ("slice_base", band.slice_base),
                ("cap_base", band.cap_base),
                ("held_base", look.holding.base if look.holding else ZERO),
                ("calm_points", terms[0]),
                ("outward_points", terms[1]),
                ("reward_points", terms[2]),
            ),
            plan=plan,
            measures=Measures(support=stop_px),
            most_base=band.slice_base,
        )


def may_add(band: Band, holding: Holding | None, side: Side, px: Decimal) -> bool:
    """Return whether a slice may come to what is held.

    Half a step: a line that is crossed a second time does not get a second slice.
    """
    if holding is None:
        return True
    won = (px - holding.entry_px) * holding.side.sign
    within = holding.base + band.slice_base <= band.cap_base
    return holding.side is side and won > HALF * band.step and within
