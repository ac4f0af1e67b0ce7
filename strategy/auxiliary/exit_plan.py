"""How a position ends, said before it begins: stop, targets, trails, emergency, time.

A plan is relative (percent, ATR, support); `levels` makes prices of it for one entry. What is reached,
and what is to be done then, is `exit_watch.py`'s. Every reference system is one of these plans: presets.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from core.types import DAY_MS, ONE, ZERO, Side
from strategy.auxiliary.bars import FRAME_MS


@dataclass(frozen=True, slots=True)
class Measures:
    """What distances may be measured in at one instant, USDT per coin; None is not known.

    Raises ValueError for one that is no price: what an indicator does not know yet (NaN) is None here.
    """

    atr: Decimal | None = None  # average true range over 14 bars of the plan's frame
    support: Decimal | None = None  # price behind which the idea is wrong: a support of a long

    def __post_init__(self) -> None:
        for name, value in (("atr", self.atr), ("support", self.support)):
            if value is not None and not is_above_zero(value):
                raise ValueError(f"{name} is {value}, allowed: above 0, or None while it is not known")


def is_above_zero(value: Decimal) -> bool:
    """A number that is one: neither infinite nor NaN, which compares with nothing."""
    return value.is_finite() and value > 0


@dataclass(frozen=True, slots=True)
class Distance:
    """How far from the entry: exactly one of the two.

    ratio  of the entry price (0.02 is 2 %).    atr  times the average true range.

    Raises ValueError for none, both, or one that is not above zero.
    """

    ratio: Decimal | None = None
    atr: Decimal | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.ratio, self.atr) if value is not None]
        if len(given) != 1 or not is_above_zero(given[0]):
            raise ValueError(f"a distance is one ratio or one ATR multiple above zero, not {self}")

    def of(self, entry_px: Decimal, measures: Measures) -> Decimal:
        """Return the distance in USDT per coin. Raises ValueError for an ATR nobody measured."""
        if self.ratio is not None:
            return entry_px * self.ratio
        if measures.atr is None or self.atr is None:
            raise ValueError("the plan is measured in ATR, and the ATR is not known")
        return self.atr * measures.atr

    def times(self, factor: Decimal) -> Distance:
        """Return the same kind of distance, `factor` times as far."""
        return Distance(
            None if self.ratio is None else self.ratio * factor,
            None if self.atr is None else self.atr * factor,
        )


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a position is wrong. Of all that is given the one nearest to the entry counts.

    distances          percent and ATR stops.
    at_support         also the price the module names as support (resistance for a short).
    margin_over_leverage  also this fraction / leverage of the entry price (SMART: 0.8).

    Raises ValueError when nothing is given: there is no plan without a stop.
    """

    distances: tuple[Distance, ...] = ()
    at_support: bool = False
    margin_over_leverage: Decimal | None = None

    def __post_init__(self) -> None:
        if not self.distances and not self.at_support and self.margin_over_leverage is None:
            raise ValueError("a plan without a stop is not a plan")
        if self.margin_over_leverage is not None and not ZERO < self.margin_over_leverage <= ONE:
            raise ValueError(f"margin_over_leverage is {self.margin_over_leverage}, allowed: above 0 to 1")

    def px(self, side: Side, entry_px: Decimal, measures: Measures, leverage: Decimal) -> Decimal:
        """Return the stop price. Raises ValueError when none of the ways gives one on the losing side."""
        away = [distance.of(entry_px, measures) for distance in self.distances]
        if self.margin_over_leverage is not None:
            away.append(entry_px * self.margin_over_leverage / leverage)
        if self.at_support and measures.support is not None:
            away.append((entry_px - measures.support) * side.sign)
        losing = [each for each in away if each > 0]
        if not losing or min(losing) >= entry_px:
            raise ValueError(f"no stop of the plan protects a {side.value} at {entry_px}")
        return entry_px - side.sign * min(losing)


class StopTo(StrEnum):
    """Where the stop goes when a target is reached. It never goes back."""

    STAY = "stay"
    ENTRY = "entry"
    TARGET = "target"  # to the price of the target just reached


@dataclass(frozen=True, slots=True)
class Target:
    """Take `fraction` of what was entered off at a distance in the winning direction.

    fraction   of the entered quantity; None takes all that is left.
    from_ms    of holding time; before it the target is not looked at.
    relaxes_to, by_ms  from `from_ms` on the distance shrinks in a straight line to this one, reached at
               `by_ms` of holding time; SMART's ladder asks less the longer it takes.

    Raises ValueError for a fraction out of range, and for times that do not go with `relaxes_to`.
    """

    distance: Distance
    fraction: Decimal | None = None
    stop_to: StopTo = StopTo.STAY
    from_ms: int = 0
    relaxes_to: Distance | None = None
    by_ms: int = 0

    def __post_init__(self) -> None:
        if self.fraction is not None and not ZERO < self.fraction <= ONE:
            raise ValueError(f"fraction is {self.fraction}, allowed: above 0 to 1")
        if self.from_ms < 0 or (self.relaxes_to is not None and self.by_ms <= self.from_ms):
            raise ValueError("a target relaxes by a time after the one it is looked at from")
        if self.relaxes_to is None and self.by_ms:
            raise ValueError(f"by_ms is {self.by_ms}, and the target relaxes to nothing")

    def px(self, level: TargetLevel, held_ms: int) -> Decimal | None:
        """Return its price after so long a holding time; None while it is not looked at.

        1 % at 5 min, relaxing to 0.5 % by 15 min, of an entry at 100: 101 at 5 min, 100.75 at 10 min.
        """
        if held_ms < self.from_ms:
            return None
        if self.relaxes_to is None:
            return level.px
        elapsed_ms, span_ms = min(held_ms, self.by_ms) - self.from_ms, self.by_ms - self.from_ms
        return level.px + (level.relaxed_px - level.px) * elapsed_ms / span_ms


class TrailBy(StrEnum):
    RATIO = "ratio"  # behind the best mark since it began, as a fraction of that mark
    ATR = "atr"  # the same, in ATR of the entry
    EMA20 = "ema20"  # a bar closes on the losing side of its EMA20, wherever the one before did
    MA20 = "ma20"  # a bar closes on the losing side of its MA20, and one before it did not


@dataclass(frozen=True, slots=True)
class Trail:
    """An exit that follows the price. `size` for RATIO and ATR; `frame` for the averages.

    after_targets  how many targets must have been reached before it is looked at.

    Raises ValueError for a size that is missing, out of range or not asked for, and an unknown frame.
    """

    by: TrailBy
    size: Decimal | None = None
    frame: str = "15m"
    after_targets: int = 0

    def __post_init__(self) -> None:
        if self.is_average != (self.size is None):
            raise ValueError(f"a trail by {self.by.value} {'has no' if self.is_average else 'needs a'} size")
        if self.size is not None and not is_above_zero(self.size):
            raise ValueError(f"size of a trail by {self.by.value} is {self.size}, allowed: above 0")
        if self.by is TrailBy.RATIO and self.size is not None and self.size >= ONE:
            raise ValueError(f"size of a trail by ratio is {self.size}, allowed: above 0 and below 1")
        _check_frame(self.frame)

    @property
    def is_average(self) -> bool:
        """Judged on closed bars; the others on mark prices."""
        return self.by in (TrailBy.EMA20, TrailBy.MA20)


@dataclass(frozen=True, slots=True)
class FactorRule:
    """Above a factor's threshold the stop's distance and the targets' are multiplied.

    Applied once, at entry: `adjusted`. A stop that is held is never moved away from the price.
    Raises ValueError for a multiple that is not above zero.
    """

    factor: str
    above: Decimal
    stop_times: Decimal = ONE
    target_times: Decimal = ONE

    def __post_init__(self) -> None:
        if not (is_above_zero(self.stop_times) and is_above_zero(self.target_times)):
            raise ValueError(f"{self.factor}: multiples must be above 0, not {self}")


@dataclass(frozen=True, slots=True)
class ExitPlan:
    """The whole of it.

    targets        in the order they are reached.
    emergency_ratio  close all when unrealised loss / initial margin reaches it (DTRS: 0.30).
    max_hold_ms    the rest is closed then, whatever the price.
    cooldown_ms    between two actions on the same position; a stop or an emergency does not wait.
    frame          of the bars its ATR and averages are of.

    Raises ValueError for fractions that exceed the whole, targets and trails that nothing is left for when
    their turn comes, an unknown frame, or no time after which it ends.
    """

    name: str
    stop: Stop
    targets: tuple[Target, ...] = ()
    trails: tuple[Trail, ...] = ()
    rules: tuple[FactorRule, ...] = ()
    emergency_ratio: Decimal = Decimal("0.30")
    max_hold_ms: int = 30 * DAY_MS
    cooldown_ms: int = 3_000
    frame: str = "1H"

    def __post_init__(self) -> None:
        if sum((t.fraction for t in self.targets if t.fraction is not None), ZERO) > ONE:
            raise ValueError(f"{self.name}: fractions of the targets are more than the whole")
        if self.targets and self.taken(len(self.targets) - 1) == ONE:
            raise ValueError(f"{self.name}: a target comes after one that takes all that is left")
        for trail in self.trails:
            if not 0 <= trail.after_targets <= len(self.targets) or self.taken(trail.after_targets) == ONE:
                raise ValueError(
                    f"{self.name}: nothing is left to trail after {trail.after_targets} of its targets"
                )
        _check_frame(self.frame)
        if self.max_hold_ms <= 0 or self.cooldown_ms < 0 or not ZERO < self.emergency_ratio < ONE:
            raise ValueError(f"{self.name}: holding time, cooldown or emergency ratio is out of range")

    def taken(self, reached: int) -> Decimal:
        """Return the fraction of what was entered that is off once `reached` targets are."""
        fractions = [ONE if target.fraction is None else target.fraction for target in self.targets[:reached]]
        return min(ONE, sum(fractions, ZERO))

    def levels(self, side: Side, entry_px: Decimal, measures: Measures, leverage: Decimal) -> Levels:
        """Return the prices of this plan for one entry.

        Raises ValueError when the stop does not protect, a target lies where no price goes or relaxes
        outwards, or something a distance is measured in is not known.
        """
        if not (is_above_zero(entry_px) and is_above_zero(leverage)):
            raise ValueError(f"entry at {entry_px} with leverage {leverage}, allowed: both above 0")
        targets = []
        for number, target in enumerate(self.targets, 1):
            far = target.distance.of(entry_px, measures)
            near = far if target.relaxes_to is None else target.relaxes_to.of(entry_px, measures)
            if near > far:
                raise ValueError(f"{self.name}: target {number} relaxes outwards, {far} to {near}")
            level = TargetLevel(entry_px + side.sign * far, entry_px + side.sign * near)
            if level.px <= 0:
                raise ValueError(f"{self.name}: target {number} of a short at {entry_px} is {level.px}")
            targets.append(level)
        if measures.atr is None and any(trail.by is TrailBy.ATR for trail in self.trails):
            raise ValueError(f"{self.name}: a trail is measured in ATR, and the ATR is not known")
        return Levels(self.stop.px(side, entry_px, measures, leverage), tuple(targets))


def adjusted(plan: ExitPlan, factors: Mapping[str, Decimal]) -> ExitPlan:
    """Return the plan with its distances multiplied by every rule whose factor is above its threshold.

    What it returns has no rules left: they cannot be applied twice. Only distances stretch: a support lies
    where it lies, and `margin_over_leverage` keeps the stop before the liquidation, which no factor moves.
    With the rules of ATS, strength 0.8 and trend 0.7: the stop 2 % x 0.8, the targets 4 and 8 % x 1.3 x 1.2.
    Raises ValueError for a factor that nobody measured.
    """
    missing = sorted({rule.factor for rule in plan.rules} - factors.keys())
    if missing:
        raise ValueError(f"{plan.name}: {', '.join(missing)} not measured, and its rules ask for it")
    stop_times = target_times = ONE
    for rule in plan.rules:
        if factors[rule.factor] > rule.above:
            stop_times, target_times = stop_times * rule.stop_times, target_times * rule.target_times
    stop = replace(plan.stop, distances=tuple(each.times(stop_times) for each in plan.stop.distances))
    targets = tuple(
        replace(
            target,
            distance=target.distance.times(target_times),
            relaxes_to=target.relaxes_to and target.relaxes_to.times(target_times),
        )
        for target in plan.targets
    )
    return replace(plan, stop=stop, targets=targets, rules=())


@dataclass(frozen=True, slots=True)
class TargetLevel:
    """A target's price when it is first looked at, and the one it relaxes to; equal when it does not."""

    px: Decimal
    relaxed_px: Decimal


@dataclass(frozen=True, slots=True)
class Levels:
    """A plan's prices for one entry, USDT per coin."""

    stop_px: Decimal
    targets: tuple[TargetLevel, ...] = field(default=())


def _check_frame(frame: str) -> None:
    if frame not in FRAME_MS:
        raise ValueError(f"frame is {frame!r}, allowed: {', '.join(FRAME_MS)}")
