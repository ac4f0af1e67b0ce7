"""What is done at which price and time, by hand.

Entered at 100 with 10 coins in lots of 0.1 where nothing else is said.

DTRS-22, 24 to 28 are the order of the layers, ATS-12 the move to the entry, C25 that all of it is one plan.
"""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from core.types import Side
from strategy.auxiliary.exit_plan import Measures, Stop, StopTo, Target, Trail, TrailBy
from strategy.auxiliary.exit_progress import Reason
from strategy.auxiliary.exit_watch import Mark, Sweep
from tests.strategy.auxiliary.exit_scenes import (
    LONG,
    OPENED_MS,
    SHORT,
    Walk,
    figure,
    percent,
    plan,
    said,
)

QUARTER_S = 900
FLAT = [100.0] * 20
HALVES = (Target(percent("4"), D("0.5"), StopTo.ENTRY), Target(percent("8"), D("0.5")))


# --- stop and emergency -----------------------------------------------------------------------


def test_between_stop_and_target_nothing_is_done_and_the_figures_say_how_far_it_is() -> None:
    walk = Walk(plan(targets=HALVES), leverage="2")
    action = walk.mark("101.5", 7)
    assert said(action) == ("keep", "hold")
    assert action.figures == (
        ("mark_px", D("101.5")),
        ("margin_lost_ratio", D("-0.03")),
        ("stop_px", D(97)),
        ("left_base", D(10)),
        ("held_ms", 7_000),
    )
    assert not walk.steps[-1].is_news


def test_a_mark_at_the_stop_closes_everything_and_one_before_it_does_not() -> None:
    long, short = Walk(plan()), Walk(plan(), SHORT)
    assert said(long.mark("97.0001")) == said(short.mark("102.9999")) == ("keep", "hold")
    assert said(long.mark("97")) == said(short.mark("103")) == ("close", "stop", "10", "0")
    assert figure(long.steps[-1].action, "stop_set_by") == "plan"
    assert long.progress.ended is short.progress.ended is Reason.STOP


def test_after_the_end_nothing_is_done_any_more() -> None:
    walk = Walk(plan())
    walk.mark("97")
    assert [said(walk.mark(px, 60)) for px in ("50", "300")] == [("keep", "over")] * 2
    assert walk.progress.left == 0


def test_a_loss_of_thirty_percent_of_the_margin_is_an_emergency_before_the_stop_is_asked() -> None:
    wide = Stop((percent("20"),))
    walk = Walk(plan(stop=wide), leverage="3")  # 10 % of the price is 30 % of the margin
    assert said(walk.mark("90.01")) == ("keep", "hold")
    action = walk.mark("90")
    assert said(action) == ("close", "emergency", "10", "0")
    assert figure(action, "margin_lost_ratio") == D("0.3")
    both = Walk(plan(), SHORT, leverage="3")
    assert said(both.mark("130")) == ("close", "emergency", "10", "0")


def test_what_was_taken_off_makes_the_rest_no_safer() -> None:
    """The margin shrinks with the position: 10 % against it is 30 % of what is still laid down for it."""
    walk = Walk(plan(stop=Stop((percent("20"),)), targets=(Target(percent("4"), D("0.5")),)), leverage="3")
    assert said(walk.mark("104")) == ("close", "target", "5", "5")
    assert said(walk.mark("90", 20)) == ("close", "emergency", "5", "0")


def test_stop_and_emergency_do_not_wait_for_the_cooldown() -> None:
    for px, reason in (("97", "stop"), ("60", "emergency")):
        walk = Walk(plan(targets=(Target(percent("4"), D("0.5")),), cooldown_ms=60_000))
        walk.mark("104", 10)
        assert said(walk.mark(px, 10)) == ("close", reason, "5", "0")


# --- time -------------------------------------------------------------------------------------


def test_the_holding_time_ends_a_position_also_while_no_price_is_known() -> None:
    walk = Walk(plan(max_hold_ms=3_600_000))
    assert said(walk.see(Sweep(OPENED_MS + 3_599_999))) == ("keep", "hold")
    action = walk.see(Sweep(OPENED_MS + 3_600_000))
    assert said(action) == ("close", "time", "10", "0")
    assert (figure(action, "held_ms"), figure(action, "max_hold_ms")) == (3_600_000, 3_600_000)


def test_at_the_end_of_its_time_a_stop_comes_before_the_time_and_the_time_before_a_target() -> None:
    stopped, timed = (Walk(plan(targets=HALVES, max_hold_ms=10_000)) for _ in range(2))
    assert said(stopped.mark("97", 10))[1] == "stop"
    assert said(timed.mark("110", 10)) == ("close", "time", "10", "0")


def test_an_observation_that_comes_late_is_taken_for_one_of_now() -> None:
    walk = Walk(plan(targets=HALVES, cooldown_ms=5_000))
    walk.mark("104", 100)
    assert said(walk.mark("109", 50)) == ("keep", "cooldown")
    assert walk.progress.seen_ms == OPENED_MS + 100_000
    assert said(walk.mark("100", 51)) == ("close", "stop", "5", "0")


# --- targets ----------------------------------------------------------------------------------


def test_a_target_takes_its_part_and_moves_the_stop_to_the_entry() -> None:
    walk = Walk(plan(targets=HALVES))
    assert said(walk.mark("103.99")) == ("keep", "hold")
    action = walk.mark("104")
    assert said(action) == ("close", "target", "5", "5")
    assert (figure(action, "target_1_px"), figure(action, "new_stop_px")) == (D(104), D(100))
    assert figure(action, "close_ratio") == D("0.5")
    assert (walk.progress.stop_by, walk.progress.broke_even) == ("entry", True)
    assert said(walk.mark("100", 11)) == ("close", "stop", "5", "0")
    assert figure(walk.steps[-1].action, "stop_set_by") == "entry"


def test_a_move_to_the_entry_is_remembered_after_the_stop_has_moved_on() -> None:
    rungs = (Target(percent("4"), D("0.2"), StopTo.ENTRY), Target(percent("8"), D("0.2"), StopTo.TARGET))
    walk = Walk(plan(targets=rungs))
    walk.mark("104", 10)
    walk.mark("108", 20)
    assert (walk.progress.stop_px, walk.progress.stop_by, walk.progress.broke_even) == (108, "target_2", True)


def test_a_stop_at_the_target_price_lets_nothing_of_it_go_again() -> None:
    rungs = (Target(percent("4"), D("0.4"), StopTo.TARGET), Target(percent("8")))
    walk = Walk(plan(targets=rungs), SHORT)
    assert said(walk.mark("95.9")) == ("close", "target", "4", "6")
    assert (walk.progress.stop_px, walk.progress.stop_by, walk.progress.broke_even) == (96, "target_1", False)
    assert said(walk.mark("96", 20)) == ("close", "stop", "6", "0")


def test_a_gap_through_several_targets_is_one_order_of_their_sizes_together() -> None:
    rungs = (
        Target(percent("1"), D("0.2"), StopTo.TARGET),
        Target(percent("2"), D("0.3"), StopTo.TARGET),
        Target(percent("3"), D("0.3"), StopTo.TARGET),
    )
    walk = Walk(plan(targets=rungs))
    action = walk.mark("102.5")
    assert said(action) == ("close", "target", "5", "5")
    assert walk.progress.stop_px == figure(action, "new_stop_px") == figure(action, "target_2_px") == 102
    assert walk.progress.reached == 2
    assert said(walk.mark("103", 20)) == ("close", "target", "3", "2")


def test_a_gap_to_the_last_target_ends_the_position() -> None:
    walk = Walk(plan(targets=HALVES), SHORT)
    assert said(walk.mark("91")) == ("close", "target", "10", "0")
    assert walk.progress.ended is Reason.TARGET


def test_sizes_are_whole_lots_of_what_was_entered_and_the_last_target_takes_the_rest() -> None:
    thirds = tuple(Target(percent(at), D(part)) for at, part in (("1", "0.34"), ("2", "0.33"), ("3", "0.33")))
    walk = Walk(plan(targets=thirds), base="1", lot="0.1")
    actions = [walk.mark(px, 10 * n) for n, px in enumerate(("101", "102", "103"), 1)]
    assert [said(action)[2:] for action in actions] == [("0.3", "0.7"), ("0.3", "0.4"), ("0.4", "0")]


def test_a_rest_below_a_lot_goes_with_the_target() -> None:
    walk = Walk(plan(targets=(Target(percent("1"), D("0.9")),)), base="1.05", lot="0.2")
    assert said(walk.mark("101")) == ("close", "target", "0.8", "0.25")
    dust = Walk(plan(targets=(Target(percent("1"), D("0.95")),)), base="1.05", lot="0.1")
    assert said(dust.mark("101")) == ("close", "target", "0.9", "0.15")
    gone = Walk(plan(targets=(Target(percent("1"), D("0.96")),)), base="1.05", lot="0.1")
    assert said(gone.mark("101")) == ("close", "target", "1.05", "0")


def test_of_a_single_lot_half_cannot_be_sold_and_only_the_stop_moves() -> None:
    walk = Walk(plan(targets=HALVES), base="0.1")
    assert said(walk.mark("104")) == ("move", "target", "100")
    assert walk.steps[-1].is_news
    assert said(walk.mark("108", 20)) == ("close", "target", "0.1", "0")


def test_a_target_too_small_to_be_sold_counts_as_reached_and_is_told_to_the_next_life() -> None:
    rungs = (Target(percent("4"), D("0.5")), Target(percent("8"), D("0.5")))
    walk = Walk(plan(targets=rungs), base="0.1")
    assert said(walk.mark("104")) == ("keep", "too_small")
    assert (walk.steps[-1].is_news, walk.progress.reached, walk.progress.acted_ms) == (True, 1, None)
    assert said(walk.mark("105")) == ("keep", "hold")


def test_a_target_is_not_looked_at_before_its_time_nor_before_the_one_in_front_of_it() -> None:
    rungs = (Target(percent("1"), D("0.3"), from_ms=300_000), Target(percent("3"), D("0.3")))
    walk = Walk(plan(targets=rungs))
    assert said(walk.mark("105", 299)) == ("keep", "hold")
    assert said(walk.mark("105", 300)) == ("close", "target", "6", "4")


def test_a_target_relaxes_with_the_holding_time() -> None:
    rung = Target(percent("1"), D("0.3"), StopTo.TARGET, 300_000, percent("0.5"), 900_000)
    walk = Walk(plan(targets=(rung,)))
    assert said(walk.mark("100.74", 600)) == ("keep", "hold")
    assert said(walk.mark("100.75", 600)) == ("close", "target", "3", "7")
    assert walk.progress.stop_px == D("100.75")


# --- cooldown ---------------------------------------------------------------------------------


def test_a_target_waits_for_three_seconds_after_an_action_and_a_sweep_finds_it() -> None:
    walk = Walk(plan(targets=HALVES))
    walk.mark("104", 10)
    action = walk.mark("108", 12)
    assert said(action) == ("keep", "cooldown")
    assert (figure(action, "waits_ms"), figure(action, "held_back")) == (1_000, "target")
    assert walk.progress.reached == 1
    assert said(walk.sweep(15, "108")) == ("close", "target", "5", "0")


def test_a_price_that_went_away_during_the_cooldown_was_not_reached() -> None:
    walk = Walk(plan(targets=HALVES))
    walk.mark("104", 10)
    walk.mark("108", 12)
    assert said(walk.mark("107", 13)) == ("keep", "hold")


# --- trails behind the best mark --------------------------------------------------------------


def test_a_trail_by_ratio_moves_the_stop_behind_the_best_mark_and_never_back() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.RATIO, D("0.03")),)))
    assert said(walk.mark("100.2", 10)) == ("keep", "hold")  # 97.194: a tenth of its distance is 0.3006
    assert said(walk.mark("110", 20)) == ("move", "trail", "106.7")
    assert said(walk.mark("109", 30)) == ("keep", "hold")
    assert walk.progress.stop_px == D("106.7")
    action = walk.mark("106.7", 31)
    assert said(action) == ("close", "stop", "10", "0")
    assert figure(action, "stop_set_by") == "trail_ratio"


def test_a_trail_of_a_short_stands_above_its_lowest_mark() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.RATIO, D("0.03")),)), SHORT)
    assert said(walk.mark("90", 10)) == ("move", "trail", "92.7")
    assert said(walk.mark("92.7", 11)) == ("close", "stop", "10", "0")


def test_a_small_gain_does_not_move_the_stop_and_many_of_them_do() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.ATR, D(2)),)), measured=Measures(atr=D("1.5")))
    px = [("100.29", "hold"), ("100.3", "97.3"), ("100.59", "hold"), ("100.6", "97.6")]
    assert [said(walk.mark(at, 10 * n))[-1] for n, (at, _) in enumerate(px, 1)] == [last for _, last in px]


def test_what_falls_through_its_trail_during_the_cooldown_is_closed_by_the_trail() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.RATIO, D("0.03")),)))
    walk.mark("105", 10)
    assert said(walk.mark("120", 11)) == ("keep", "cooldown")
    assert said(walk.mark("116", 12)) == ("keep", "cooldown")
    action = walk.sweep(15, "116")
    assert said(action) == ("close", "trail", "10", "0")
    assert (figure(action, "best_px"), figure(action, "trail_px")) == (D(120), D("116.4"))


def test_a_trail_begins_with_its_target_and_knows_nothing_of_marks_before() -> None:
    rung = Target(percent("4"), D("0.5"), from_ms=60_000)
    walk = Walk(plan(targets=(rung,), trails=(Trail(TrailBy.RATIO, D("0.03"), after_targets=1),)))
    walk.mark("120", 10)
    assert walk.progress.bests == (None,)
    assert said(walk.mark("105", 60)) == ("close", "target", "5", "5")
    assert said(walk.mark("104", 70)) == ("move", "trail", "101.85")


def test_of_two_trails_the_nearer_one_moves_the_stop() -> None:
    trails = (Trail(TrailBy.RATIO, D("0.02")), Trail(TrailBy.ATR, D(3)))
    walk = Walk(plan(trails=trails), measured=Measures(atr=D("0.5")))
    assert said(walk.mark("110", 10)) == ("move", "trail", "108.5")
    assert walk.progress.stop_by == "trail_atr"


# --- trails on averages -----------------------------------------------------------------------


@pytest.mark.parametrize(("side", "wrong", "right"), [(LONG, 99.0, 101.0), (SHORT, 101.0, 99.0)])
def test_a_bar_that_closes_on_the_losing_side_of_its_ema20_ends_the_position(
    side: Side, wrong: float, right: float
) -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.EMA20),)), side)
    assert said(walk.bar(*FLAT, right)) == ("keep", "hold")
    action = walk.bar(*FLAT, right, wrong, at_s=2 * QUARTER_S)
    assert said(action) == ("close", "trail", "10", "0")
    assert (figure(action, "trail"), figure(action, "close_px")) == ("ema20", D(str(wrong)))
    # 100, then 2/21 of the way to `right`, then 2/21 of the rest of the way to `wrong`
    first = 100 + (right - 100) * 2 / 21
    average = figure(action, "ema20_px")
    assert float(str(average)) == pytest.approx(first + (wrong - first) * 2 / 21, rel=1e-12)


def test_an_average_that_is_not_known_says_nothing() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.EMA20), Trail(TrailBy.MA20))))
    assert said(walk.bar(*FLAT[:18], 50.0)) == ("keep", "hold")
    assert not {"ema20_px", "ma20_px"} & dict(walk.steps[-1].action.figures).keys()
    assert said(walk.bar()) == ("keep", "hold")


def test_a_bar_whose_average_was_not_known_is_no_place_to_have_crossed_from() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.MA20),)))
    assert said(walk.bar(*FLAT[:19], 99.0)) == ("keep", "hold")
    assert figure(walk.steps[-1].action, "ma20_px") == D("99.95")


def test_a_close_on_the_average_is_on_neither_side() -> None:
    """In a market that stands still rounding must not decide."""
    px = 0.1 + 0.2
    for side in (LONG, SHORT):
        walk = Walk(plan(trails=(Trail(TrailBy.EMA20), Trail(TrailBy.MA20))), side)
        assert said(walk.bar(*[px] * 100)) == ("keep", "hold")


def test_only_a_bar_that_crosses_its_ma20_ends_a_position_and_not_one_that_stays_behind_it() -> None:
    behind = [*FLAT, 99.0, 99.0]
    walk = Walk(plan(trails=(Trail(TrailBy.MA20),)))
    assert said(walk.bar(*behind)) == ("keep", "hold")
    assert said(walk.bar(*behind, 98.0, at_s=2 * QUARTER_S)) == ("keep", "hold")
    assert said(walk.bar(*behind, 98.0, 103.0, at_s=3 * QUARTER_S)) == ("keep", "hold")
    action = walk.bar(*behind, 98.0, 103.0, 99.0, at_s=4 * QUARTER_S)
    assert said(action) == ("close", "trail", "10", "0")
    # the last 20 are fifteen of 100, then 99, 99, 98, 103, 99: 1998 / 20
    assert figure(action, "ma20_px") == D("99.9")


def test_a_crossing_that_nobody_saw_counts_while_the_price_is_still_behind() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.MA20),)), SHORT)
    assert said(walk.bar(*FLAT, 99.0)) == ("keep", "hold")
    assert said(walk.bar(*FLAT, 99.0, 102.0, 102.0, 102.0, at_s=4 * QUARTER_S))[:2] == ("close", "trail")


def test_bars_from_before_the_entry_are_not_judged() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.EMA20),)))
    assert said(walk.bar(*FLAT, 99.0, at_s=0)) == ("keep", "hold")
    assert said(walk.bar(*FLAT, 99.0, 99.0, at_s=QUARTER_S))[:2] == ("close", "trail")


def test_bars_of_another_frame_are_not_this_trails() -> None:
    walk = Walk(plan(trails=(Trail(TrailBy.EMA20),)))
    assert said(walk.bar(*FLAT, 90.0, at_s=3_600, frame="1H")) == ("keep", "hold")
    assert walk.progress.bars_ms == (OPENED_MS,)


def test_an_average_waits_for_its_target() -> None:
    trail = Trail(TrailBy.EMA20, after_targets=1)
    walk = Walk(plan(targets=(Target(percent("4"), D("0.5")),), trails=(trail,)))
    assert said(walk.bar(*FLAT, 99.0)) == ("keep", "hold")
    walk.mark("104", 1_000)
    assert said(walk.bar(*FLAT, 99.0, 98.0, at_s=2 * QUARTER_S)) == ("close", "trail", "5", "0")


def test_a_bar_that_says_leave_during_the_cooldown_is_followed_after_it_whatever_the_price_does() -> None:
    walk = Walk(plan(targets=HALVES, trails=(Trail(TrailBy.EMA20),)))
    walk.mark("104", QUARTER_S)  # the bar is heard of two seconds later
    assert said(walk.bar(*FLAT, 99.0)) == ("keep", "cooldown")
    assert (walk.progress.due, walk.steps[-1].is_news) == (0, True)
    assert said(walk.mark("104", QUARTER_S + 2)) == ("keep", "cooldown")
    action = walk.mark("104", QUARTER_S + 3)
    assert said(action) == ("close", "trail", "5", "0")
    assert figure(action, "bar_closed_ms") == OPENED_MS + QUARTER_S * 1_000
    assert walk.progress.due is None


def test_a_target_that_takes_the_rest_leaves_no_trail_waiting() -> None:
    walk = Walk(plan(targets=HALVES, trails=(Trail(TrailBy.EMA20),)))
    walk.mark("104", QUARTER_S)
    walk.bar(*FLAT, 99.0)
    assert said(walk.mark("108", QUARTER_S + 3)) == ("close", "target", "5", "0")
    assert walk.progress.due is None


# --- input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("px", ["0", "-1", "NaN", "Infinity"])
def test_a_mark_that_is_no_price_is_refused(px: str) -> None:
    with pytest.raises(ValueError, match="mark price is"):
        Mark(OPENED_MS, D(px))
    with pytest.raises(ValueError, match="mark price is"):
        Sweep(OPENED_MS, D(px))
