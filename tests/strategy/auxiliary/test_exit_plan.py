"""What a plan may say, and the prices that come of it, by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest

from core.types import Side
from strategy.auxiliary.exit_plan import (
    Distance,
    ExitPlan,
    FactorRule,
    Levels,
    Measures,
    Stop,
    StopTo,
    Target,
    TargetLevel,
    Trail,
    TrailBy,
    adjusted,
)

MINUTE_MS = 60_000
THREE_PERCENT = Stop((Distance(ratio=D("0.03")),))
LONG, SHORT = Side.BUY, Side.SELL


def percent(value: str) -> Distance:
    return Distance(ratio=D(value) / 100)


def atr(value: str) -> Distance:
    return Distance(atr=D(value))


def plan(*targets: Target, **changed: Any) -> ExitPlan:
    return ExitPlan(**{"name": "tried", "stop": THREE_PERCENT, "targets": targets, **changed})


def half(at: str = "4") -> Target:
    return Target(percent(at), D("0.5"))


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "an ATR that is not a number": (lambda: Measures(atr=D("NaN")), "atr is NaN"),
    "an ATR of nothing": (lambda: Measures(atr=D(0)), "atr is 0"),
    "an endless support": (lambda: Measures(support=D("Infinity")), "support is Infinity"),
    "no distance": (lambda: Distance(), "one ratio or one ATR multiple"),
    "two distances in one": (lambda: Distance(D("0.1"), D(2)), "one ratio or one ATR multiple"),
    "a distance of nothing": (lambda: Distance(ratio=D(0)), "above zero"),
    "a distance backwards": (lambda: Distance(atr=D(-1)), "above zero"),
    "a distance that is not a number": (lambda: Distance(atr=D("NaN")), "above zero"),
    "a plan without a stop": (lambda: Stop(), "not a plan"),
    "a stop at none of the margin": (lambda: Stop(margin_over_leverage=D(0)), "above 0 to 1"),
    "a stop beyond the margin": (lambda: Stop(margin_over_leverage=D("1.1")), "above 0 to 1"),
    "a target that takes nothing": (lambda: Target(percent("1"), D(0)), "fraction is 0"),
    "a target that takes more than all": (lambda: Target(percent("1"), D("1.1")), "fraction is 1.1"),
    "a target looked at before the entry": (lambda: Target(percent("1"), from_ms=-1), "looked at from"),
    "a target that relaxes in no time": (
        lambda: Target(percent("1"), from_ms=5, relaxes_to=percent("0.5"), by_ms=5),
        "looked at from",
    ),
    "a target that relaxes to nothing": (lambda: Target(percent("1"), by_ms=5), "relaxes to nothing"),
    "a trail without a size": (lambda: Trail(TrailBy.RATIO), "needs a size"),
    "an average with a size": (lambda: Trail(TrailBy.EMA20, D(1)), "has no size"),
    "a trail of no size": (lambda: Trail(TrailBy.ATR, D(0)), "allowed: above 0"),
    "a trail behind all prices": (lambda: Trail(TrailBy.RATIO, D(1)), "below 1"),
    "a trail on bars there are none of": (lambda: Trail(TrailBy.MA20, frame="7m"), "frame is '7m'"),
    "a rule that takes the stop away": (lambda: FactorRule("trend", D(1), stop_times=D(0)), "above 0"),
    "a rule with a target behind": (lambda: FactorRule("trend", D(1), target_times=D(-1)), "above 0"),
    "more than the whole": (lambda: plan(half(), Target(percent("5"), D("0.6"))), "more than the whole"),
    "a target after all is taken": (lambda: plan(Target(percent("1")), half()), "takes all that is left"),
    "a target after both halves": (lambda: plan(half(), half(), Target(percent("9"))), "takes all"),
    "a trail after all is taken": (
        lambda: plan(half(), half("8"), trails=(Trail(TrailBy.MA20, after_targets=2),)),
        "nothing is left to trail after 2",
    ),
    "a trail after a target that is not there": (
        lambda: plan(half(), trails=(Trail(TrailBy.MA20, after_targets=2),)),
        "nothing is left to trail after 2",
    ),
    "a trail before the first target": (
        lambda: plan(half(), trails=(Trail(TrailBy.MA20, after_targets=-1),)),
        "nothing is left to trail after -1",
    ),
    "bars there are none of": (lambda: plan(frame="2H"), "frame is '2H'"),
    "no end in time": (lambda: plan(max_hold_ms=0), "out of range"),
    "a cooldown backwards": (lambda: plan(cooldown_ms=-1), "out of range"),
    "no emergency": (lambda: plan(emergency_ratio=D(0)), "out of range"),
    "an emergency at the loss of all": (lambda: plan(emergency_ratio=D(1)), "out of range"),
}


@pytest.mark.parametrize("build", REFUSED.values(), ids=REFUSED.keys())
def test_what_makes_no_sense_is_refused_with_its_reason(build: tuple[Callable[[], object], str]) -> None:
    make, says = build
    with pytest.raises(ValueError, match=says):
        make()


def levels(
    the_plan: ExitPlan,
    side: Side = LONG,
    entry: str = "100",
    measures: Measures | None = None,
    leverage: str = "1",
) -> Levels:
    return the_plan.levels(side, D(entry), measures or Measures(), D(leverage))


def test_percentages_are_of_the_entry_price_for_a_long_and_for_a_short() -> None:
    the_plan = plan(half("5"), Target(percent("10")))
    long = Levels(D(97), (TargetLevel(D(105), D(105)), TargetLevel(D(110), D(110))))
    short = Levels(D(103), (TargetLevel(D(95), D(95)), TargetLevel(D(90), D(90))))
    assert levels(the_plan, LONG) == long
    assert levels(the_plan, SHORT) == short


def test_atr_distances_are_multiples_of_the_average_true_range() -> None:
    the_plan = plan(Target(atr("0.618"), D("0.4")), Target(atr("1.618")), stop=Stop((atr("1.5"),)))
    measured = Measures(atr=D(20))
    long, short = (levels(the_plan, side, "1000", measured) for side in Side)
    assert (long.stop_px, [t.px for t in long.targets]) == (D(970), [D("1012.36"), D("1032.36")])
    assert (short.stop_px, [t.px for t in short.targets]) == (D(1030), [D("987.64"), D("967.64")])


@pytest.mark.parametrize(
    ("leverage", "support", "stop_px"),
    [
        ("1", None, "94"),  # 3 ATR of 2 lie at 94, 0.8 of the margin at 20
        ("25", None, "96.8"),  # 0.8 / 25 is 3.2 %
        ("25", "98", "98"),
        ("25", "90", "96.8"),
        ("25", "103", "96.8"),  # a support above the price holds nothing up
    ],
)
def test_of_all_ways_to_set_a_stop_the_one_nearest_to_the_entry_counts(
    leverage: str, support: str | None, stop_px: str
) -> None:
    stop = Stop((atr("3"),), at_support=True, margin_over_leverage=D("0.8"))
    measured = Measures(D(2), D(support) if support else None)
    assert levels(plan(stop=stop), LONG, "100", measured, leverage).stop_px == D(stop_px)


def test_a_short_is_stopped_at_its_resistance() -> None:
    stop = Stop((percent("3"),), at_support=True)
    assert levels(plan(stop=stop), SHORT, "100", Measures(support=D(102))).stop_px == D(102)


def test_a_target_that_relaxes_has_both_prices() -> None:
    ladder = Target(percent("1"), from_ms=5 * MINUTE_MS, relaxes_to=percent("0.5"), by_ms=15 * MINUTE_MS)
    assert levels(plan(ladder), SHORT).targets == (TargetLevel(D(99), D("99.5")),)


@pytest.mark.parametrize(
    ("minutes", "px"),
    [("4.9", None), ("5", "101"), ("10", "100.75"), ("15", "100.5"), ("600", "100.5")],
)
def test_a_target_asks_less_the_longer_it_takes(minutes: str, px: str | None) -> None:
    ladder = Target(percent("1"), from_ms=5 * MINUTE_MS, relaxes_to=percent("0.5"), by_ms=15 * MINUTE_MS)
    (level,) = levels(plan(ladder)).targets
    assert ladder.px(level, int(D(minutes) * MINUTE_MS)) == (D(px) if px else None)


def test_a_target_that_does_not_relax_keeps_its_price() -> None:
    target = half("5")
    (level,) = levels(plan(target)).targets
    assert [target.px(level, held_ms) for held_ms in (0, 10**9)] == [D(105), D(105)]


@pytest.mark.parametrize(
    ("the_plan", "side", "measures", "says"),
    [
        (plan(stop=Stop((atr("2"),))), LONG, Measures(), "the ATR is not known"),
        (plan(Target(atr("2"))), LONG, Measures(), "the ATR is not known"),
        (plan(trails=(Trail(TrailBy.ATR, D(2)),)), LONG, Measures(), "the ATR is not known"),
        (plan(stop=Stop(at_support=True)), LONG, Measures(), "no stop of the plan protects"),
        (plan(stop=Stop(at_support=True)), LONG, Measures(support=D(101)), "no stop of the plan protects"),
        (plan(stop=Stop(at_support=True)), SHORT, Measures(support=D(99)), "no stop of the plan protects"),
        (plan(stop=Stop((atr("5"),))), LONG, Measures(atr=D(20)), "no stop of the plan protects"),
        (plan(Target(percent("100"))), SHORT, Measures(), "target 1 of a short at 100 is 0"),
        (
            plan(Target(percent("1"), relaxes_to=atr("1"), by_ms=9)),
            LONG,
            Measures(atr=D(2)),
            "target 1 relaxes outwards",
        ),
    ],
)
def test_an_entry_the_plan_has_no_prices_for_is_refused(
    the_plan: ExitPlan, side: Side, measures: Measures, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        levels(the_plan, side, "100", measures)


@pytest.mark.parametrize(("entry", "leverage"), [("0", "1"), ("-5", "1"), ("100", "0"), ("NaN", "1")])
def test_there_are_no_prices_without_an_entry_and_a_leverage(entry: str, leverage: str) -> None:
    with pytest.raises(ValueError, match="both above 0"):
        levels(plan(), LONG, entry, leverage=leverage)


def test_what_is_taken_adds_up_and_a_target_without_a_fraction_takes_the_rest() -> None:
    ladder = plan(
        Target(percent("1"), D("0.3")), Target(percent("3"), D("0.3"), StopTo.ENTRY), Target(percent("9"))
    )
    assert [ladder.taken(reached) for reached in range(4)] == [0, D("0.3"), D("0.6"), 1]


RULES = (
    FactorRule("strength", D("0.7"), stop_times=D("0.8"), target_times=D("1.3")),
    FactorRule("trend", D("0.6"), target_times=D("1.2")),
)
CALM = {"strength": D("0.7"), "trend": D("0.6")}


def test_a_factor_at_its_threshold_changes_nothing_and_the_rules_are_used_up() -> None:
    the_plan = plan(half(), Target(percent("8")), rules=RULES)
    assert adjusted(the_plan, CALM) == plan(half(), Target(percent("8")))


def test_rules_multiply_every_distance_also_the_one_a_target_relaxes_to() -> None:
    ladder = Target(percent("2"), relaxes_to=percent("1"), by_ms=9)
    stop = Stop((percent("3"), atr("2")), at_support=True, margin_over_leverage=D("0.8"))
    changed = adjusted(plan(ladder, stop=stop, rules=RULES), {"strength": D("0.8"), "trend": D("0.61")})
    assert changed.stop == Stop((percent("2.4"), atr("1.6")), at_support=True, margin_over_leverage=D("0.8"))
    assert changed.targets == (Target(percent("3.12"), relaxes_to=percent("1.56"), by_ms=9),)
    assert adjusted(changed, {}) == changed


def test_a_factor_nobody_measured_is_an_error_and_not_a_calm_market() -> None:
    with pytest.raises(ValueError, match="tried: trend not measured"):
        adjusted(plan(rules=RULES), {"strength": D("0.9")})
