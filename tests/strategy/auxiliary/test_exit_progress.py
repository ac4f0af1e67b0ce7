"""An entry, its progress and the plan in force survive as plain records."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from core.types import Base
from strategy.auxiliary.exit_plan import Levels, Measures, Stop, StopTo, Target, Trail, TrailBy
from strategy.auxiliary.exit_progress import (
    Entry,
    Progress,
    Reason,
    begun,
    entered,
    recalled,
    recorded,
    tally,
    with_held,
)
from tests.strategy.auxiliary.exit_scenes import LONG, SHORT, Walk, other_life, percent, plan, position, said

FULL = plan(
    stop=Stop((percent("3"),), at_support=True),
    targets=(Target(percent("4"), D("0.5"), StopTo.ENTRY),),
    trails=(Trail(TrailBy.ATR, D(2)), Trail(TrailBy.MA20), Trail(TrailBy.RATIO, D("0.02"), after_targets=1)),
)


def test_a_position_in_the_middle_of_its_life_is_the_same_in_the_next_one() -> None:
    walk = Walk(FULL, SHORT, measured=Measures(D("1.25"), D("102.50")))
    walk.mark("95.5")
    assert (walk.progress.reached, walk.progress.bests) == (1, (D("95.5"), None, D("95.5")))
    assert other_life(walk.entry, walk.plan, walk.progress) == (walk.entry, walk.plan, walk.progress)


def test_a_record_is_text_and_whole_numbers_only() -> None:
    walk = Walk(FULL, measured=Measures(D("1.25")))
    walk.mark("104")
    assert recorded(walk.progress) == {
        "left": "5.0",
        "reached": 1,
        "stop_px": "100",
        "stop_by": "entry",
        "bests": ["104", None, "104"],
        "bars_ms": [1_700_000_100_000] * 3,
        "seen_ms": 1_700_000_110_000,
        "due": None,
        "acted_ms": 1_700_000_110_000,
        "broke_even": True,
        "ended": None,
    }


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"left": "ten"}, r"\$\.left"),
        ({"left": "-1"}, "-1 coins"),
        ({"left": "NaN"}, "NaN coins"),
        ({"stop_px": "0"}, "stop at 0"),
        ({"ended": "stop"}, "ended by stop"),
        ({"left": "0"}, "ended by None"),
        ({"ended": "boredom"}, r"\$\.ended"),
        ({"bars_ms": ["now"]}, r"\$\.bars_ms"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_its_place(changed: dict[str, object], says: str) -> None:
    walk = Walk(plan())
    with pytest.raises(ValueError, match=says):
        recalled({**recorded(walk.progress), **changed}, Progress)


def test_a_record_of_a_plan_without_a_stop_is_refused_too() -> None:
    record = recorded(plan())
    with pytest.raises(ValueError, match="not a plan"):
        recalled({**record, "stop": {}}, type(FULL))


@pytest.mark.parametrize("name", ["base", "px", "leverage", "margin", "lot"])
def test_an_entry_without_an_amount_or_a_price_is_refused(name: str) -> None:
    entry = recorded(position(plan()))
    with pytest.raises(ValueError, match=f"{name} of an entry is 0"):
        recalled({**entry, name: "0"}, Entry)


def test_an_entry_is_refused_with_its_stop_on_the_winning_side_or_at_the_price() -> None:
    for side, stop_px in ((LONG, "100"), (LONG, "103"), (SHORT, "97")):
        with pytest.raises(ValueError, match="cannot be stopped"):
            replace(position(plan(), side), levels=Levels(D(stop_px)))


def test_an_entry_has_the_prices_of_its_own_price_and_not_of_the_signals() -> None:
    told = position(FULL, px="200", measured=Measures(atr=D(1)))
    assert (told.levels.stop_px, told.levels.targets[0].px) == (194, 208)
    with pytest.raises(ValueError, match="ATR is not known"):
        entered(
            FULL, LONG, told.base, told.px, leverage=told.leverage, margin=told.margin, lot=told.lot,
            opened_ms=0, measures=Measures(),
        )  # fmt: skip


def test_the_plan_goes_on_with_what_somebody_else_left() -> None:
    walk = Walk(plan(targets=(Target(percent("4"), D("0.5")), Target(percent("8")))))
    walk.progress = with_held(walk.progress, Base(D(7)))
    assert said(walk.mark("104", 10)) == ("close", "target", "2", "5")
    walk.progress = with_held(walk.progress, Base(D(3)))
    assert said(walk.mark("108", 20)) == ("close", "target", "3", "0")


def test_a_target_has_nothing_to_take_where_somebody_else_took_more() -> None:
    walk = Walk(plan(targets=(Target(percent("4"), D("0.5")), Target(percent("8")))))
    walk.progress = with_held(walk.progress, Base(D(4)))
    assert said(walk.mark("104", 10)) == ("keep", "too_small")
    assert walk.progress.left == 4


def test_more_than_should_be_held_is_an_order_still_to_be_filled_and_not_a_position() -> None:
    walk = Walk(plan(targets=(Target(percent("4"), D("0.5")),)))
    walk.mark("104")
    assert with_held(walk.progress, Base(D(10))) == walk.progress


def test_why_a_position_ended_does_not_change_when_the_books_say_that_it_has() -> None:
    walk = Walk(plan())
    walk.mark("97")
    assert with_held(walk.progress, Base(D(0))).ended is Reason.STOP


@pytest.mark.parametrize("held", ["0", "-2"])
def test_a_position_that_is_gone_at_the_venue_is_over(held: str) -> None:
    walk = Walk(plan())
    gone = with_held(walk.progress, Base(D(held)))
    assert (gone.left, gone.ended) == (0, Reason.OUTSIDE)


def test_hits_stops_and_moves_to_the_entry_are_counted_over_positions() -> None:
    """ATS-17."""
    rungs = (Target(percent("4"), D("0.5"), StopTo.ENTRY), Target(percent("8"), D("0.5")))
    walks = [Walk(plan(targets=rungs)) for _ in range(4)]
    for walk, path in zip(walks, (("104", "108"), ("104", "100"), ("97",), ("101",)), strict=True):
        for n, px in enumerate(path):
            walk.mark(px, 10 * (n + 1))
    walks[3].progress = with_held(walks[3].progress, Base(D(0)))
    assert dict(tally(walk.progress for walk in walks)) == {
        "target_1_hits": 2,
        "target_2_hits": 1,
        "emergency_ends": 0,
        "stop_ends": 2,
        "time_ends": 0,
        "target_ends": 1,
        "trail_ends": 0,
        "outside_ends": 1,
        "break_even_moves": 2,
    }
    assert dict(tally([]))["stop_ends"] == 0


def test_a_trail_that_waits_for_nothing_begins_at_the_entry() -> None:
    entry = position(FULL, measured=Measures(atr=D(1)))
    assert begun(FULL, entry).bests == (D(100), None, None)
