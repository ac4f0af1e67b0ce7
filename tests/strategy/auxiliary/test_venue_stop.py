"""What stands at the venue under our own stop, by hand."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from core.types import Base, Side
from strategy.auxiliary.exit_plan import Measures, Stop, StopTo, Target
from strategy.auxiliary.exit_progress import begun
from strategy.auxiliary.presets import PRESETS
from strategy.auxiliary.venue_stop import Upkeep, VenueStop, care_for, edge_px, venue_stop
from tests.strategy.auxiliary.exit_scenes import LONG, SHORT, Walk, percent, plan, position

TICK = D("0.1")


def stop(side: Side, base: str, trigger: str) -> VenueStop:
    return VenueStop(side, Base(D(base)), D(trigger))


def standing(walk: Walk, tick: D = TICK) -> VenueStop | None:
    return venue_stop(walk.plan, walk.entry, walk.progress, tick)


def test_it_stands_a_tenth_of_the_way_behind_ours_on_the_side_that_closes() -> None:
    assert standing(Walk(plan())) == stop(Side.SELL, "10", "96.7")
    assert standing(Walk(plan(), SHORT)) == stop(Side.BUY, "10", "103.3")


def test_another_fraction_of_the_way_may_be_asked_for() -> None:
    walk = Walk(plan())
    told = venue_stop(walk.plan, walk.entry, walk.progress, TICK, D("0.5"))
    assert told == stop(Side.SELL, "10", "95.5")


@pytest.mark.parametrize(("side", "tick", "trigger"), [(LONG, "0.5", "96.5"), (SHORT, "0.5", "103.5")])
def test_rounding_to_the_tick_goes_further_behind(side: Side, tick: str, trigger: str) -> None:
    told = standing(Walk(plan(), side), D(tick))
    assert told is not None and told.trigger_px == D(trigger)


def test_it_follows_size_and_stop_after_a_target() -> None:
    walk = Walk(plan(targets=(Target(percent("4"), D("0.4"), StopTo.ENTRY),)))
    walk.mark("104")
    assert standing(walk) == stop(Side.SELL, "6", "99.7")
    walk.mark("100", 20)
    assert standing(walk) is None


def test_where_the_emergency_is_nearer_than_the_stop_it_stands_behind_the_emergency() -> None:
    """At leverage 3 ours closes at 90, wherever a stop at 20 % lies; a tenth of that way behind is 89."""
    far = plan(stop=Stop((percent("20"),)))
    for side, edge, trigger in ((LONG, "90", "89"), (SHORT, "110", "111")):
        walk = Walk(far, side, leverage="3")
        assert edge_px(walk.plan, walk.entry, walk.progress.stop_px) == D(edge)
        told = standing(walk)
        assert told is not None and told.trigger_px == D(trigger)


@pytest.mark.parametrize("leverage", ["1", "3", "25"])
@pytest.mark.parametrize("name", PRESETS)
def test_it_goes_off_long_before_the_margin_is_gone(name: str, leverage: str) -> None:
    the_plan = PRESETS[name].plan
    for side in Side:
        entry = position(the_plan, side, leverage=leverage, measured=Measures(atr=D(5)))
        told = venue_stop(the_plan, entry, begun(the_plan, entry), D("0.01"))
        assert told is not None
        assert 0 < entry.margin_lost(told.trigger_px) < D("0.34")


def test_a_stop_near_zero_has_at_least_a_tick() -> None:
    deep = plan(stop=Stop((percent("99.9"),)), emergency_ratio=D("0.9999"))
    told = standing(Walk(deep))
    assert told is not None and told.trigger_px == TICK


@pytest.mark.parametrize(("tick", "behind"), [("0", "0.1"), ("0.1", "0"), ("0.1", "-1")])
def test_a_stop_that_would_go_off_with_ours_or_before_it_is_refused(tick: str, behind: str) -> None:
    walk = Walk(plan())
    with pytest.raises(ValueError, match="both above 0"):
        venue_stop(walk.plan, walk.entry, walk.progress, D(tick), D(behind))


FIRST, SMALLER, NEARER = (
    stop(Side.SELL, base, px) for base, px in (("10", "96.7"), ("6", "96.7"), ("10", "99.7"))
)


@pytest.mark.parametrize(
    ("there", "wanted", "todo"),
    [
        (None, None, Upkeep.NOTHING),
        (FIRST, FIRST, Upkeep.NOTHING),
        (None, FIRST, Upkeep.PLACE),
        (FIRST, SMALLER, Upkeep.REPLACE),
        (FIRST, NEARER, Upkeep.REPLACE),
        (FIRST, None, Upkeep.CANCEL),
    ],
)
def test_what_stands_is_kept_placed_replaced_or_cancelled(
    there: VenueStop | None, wanted: VenueStop | None, todo: Upkeep
) -> None:
    care = care_for(there, wanted)
    assert (care.todo, care.wanted) == (todo, wanted)


def test_the_figures_say_what_stands_and_what_should() -> None:
    assert care_for(FIRST, SMALLER).figures == (
        ("standing_trigger_px", D("96.7")),
        ("standing_base", D(10)),
        ("wanted_trigger_px", D("96.7")),
        ("wanted_base", D(6)),
    )
    assert care_for(None, None).figures == ()
