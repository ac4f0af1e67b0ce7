"""What holds for any plan and any path of prices, whatever a preset says (C25: one plan for all of them)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.types import ZERO, Base
from strategy.auxiliary.exit_progress import Progress, Reason, with_held
from strategy.auxiliary.exit_watch import Close, Keep, MoveStop, Step, watch
from strategy.auxiliary.venue_stop import Upkeep, VenueStop, care_for, edge_px, venue_stop
from tests.strategy.auxiliary.exit_scenes import MINUTE_MS, OPENED_MS, other_life
from tests.strategy.auxiliary.exit_worlds import ENTRY_PX, Seeing, World, worlds

URGENT = (Reason.STOP, Reason.EMERGENCY)
TO_THE_END = (*URGENT, Reason.TIME, Reason.TRAIL)
TICK = D("0.01")


@given(worlds())
def test_what_is_taken_off_is_never_more_than_was_entered_and_an_end_is_exactly_zero(world: World) -> None:
    held = world.entry.base
    for step in world.steps():
        if isinstance(step.action, Close):
            assert 0 < step.action.base <= held
            held = Base(held - step.action.base)
            assert step.action.left == held
            if step.action.left:
                assert step.action.base % world.entry.lot == 0
                assert step.action.left >= world.entry.lot
            if step.action.reason in TO_THE_END:
                assert held == 0
        assert step.progress.left == held
        assert (step.progress.ended is None) == (held > 0)


@given(worlds())
def test_a_stop_never_moves_away_from_the_price(world: World) -> None:
    stop_px = world.entry.levels.stop_px
    for step in world.steps():
        moved = (step.progress.stop_px - stop_px) * world.entry.side.sign
        assert moved >= 0
        if isinstance(step.action, MoveStop):
            assert moved > 0
        if not isinstance(step.action, Keep):
            told = step.action.stop_px if isinstance(step.action, Close) else step.action.px
            assert told == step.progress.stop_px
        else:
            assert moved == 0
        stop_px = step.progress.stop_px


@given(worlds())
def test_actions_are_a_cooldown_apart_but_for_stop_and_emergency(world: World) -> None:
    acted_ms = None
    for step in world.steps():
        if isinstance(step.action, Keep):
            assert step.progress.acted_ms == acted_ms
            continue
        at_ms = step.progress.seen_ms
        if acted_ms is not None and step.action.reason not in URGENT:
            assert at_ms - acted_ms >= world.plan.cooldown_ms
        assert step.progress.acted_ms == at_ms
        acted_ms = at_ms


@given(worlds())
def test_no_position_outlives_a_mark_at_its_stop_or_a_loss_of_its_margin(world: World) -> None:
    progress = world.start()
    for seen, step in zip(world.observations(), world.steps(), strict=True):
        mark_px = getattr(seen, "mark_px", None)
        if mark_px is not None and progress.left:
            struck = world.entry.is_beyond(progress.stop_px, mark_px)
            lost = world.entry.margin_lost(mark_px) >= world.plan.emergency_ratio
            assert (step.progress.ended in URGENT) == (struck or lost)
            assert (step.progress.ended is Reason.EMERGENCY) == lost
        progress = step.progress


@given(worlds(ratio_trails=False))
def test_long_and_short_are_mirror_images(world: World) -> None:
    """All but the trail by ratio, whose distance is a part of its best mark: that lies higher for a long."""
    for one, other in zip(world.steps(), world.mirrored().steps(), strict=True):
        assert type(one.action) is type(other.action)
        assert one.action.reason == other.action.reason
        assert (one.progress.left, one.progress.reached, one.progress.stop_by, one.is_news) == (
            other.progress.left,
            other.progress.reached,
            other.progress.stop_by,
            other.is_news,
        )
        assert abs(one.progress.stop_px + other.progress.stop_px - 2 * ENTRY_PX) < D("1e-20")


@given(worlds(), st.data())
def test_a_life_that_ends_anywhere_is_carried_on_by_the_next_one_as_if_nothing_had_been(
    world: World, data: st.DataObject
) -> None:
    until = data.draw(st.integers(0, len(world.path)))
    steps = world.steps()
    progress = steps[until - 1].progress if until else world.start()
    entry, plan, progress = other_life(world.entry, world.plan, progress)
    for seen, step in list(zip(world.observations(), steps, strict=True))[until:]:
        again = watch(plan, entry, progress, seen)
        assert again == step
        progress = again.progress


@given(worlds())
def test_what_a_later_life_has_to_know_is_always_told_as_news(world: World) -> None:
    """The last news says what is held, where the stop stands and what waits, whatever was seen since."""
    told = world.start()
    for step in world.steps():
        if step.is_news:
            told = step.progress
        since = replace(step.progress, bests=told.bests, bars_ms=told.bars_ms, seen_ms=told.seen_ms)
        assert since == told


class Positions(RuleBasedStateMachine):
    """One position, seen from everywhere, with a venue's stop under it that is cared for after every step.

    The engine may die between any two observations, and somebody else may take coins off.
    """

    @initialize(world=worlds())
    def enter(self, world: World) -> None:
        self.plan, self.entry, self.first = world.plan, world.entry, world.entry.levels.stop_px
        self.progress: Progress = world.start()
        self.told = self.progress
        self.now_ms = OPENED_MS
        self.held = self.progress.left  # at the venue
        self.venue: VenueStop | None = None
        self.last: Step | None = None
        self.acted_ms: int | None = None
        self.care()

    @rule(
        after_ms=st.integers(0, 4_000) | st.integers(0, 5 * MINUTE_MS),
        kind=st.sampled_from(["mark", "mark", "mark", "sweep", "blind sweep"]),
        cents=st.integers(9_800, 10_600) | st.integers(9_800, 10_600) | st.integers(4_500, 15_500),
    )
    def price(self, after_ms: int, kind: str, cents: int) -> None:
        self.see(Seeing(after_ms, kind, cents * TICK))

    @rule(frame=st.sampled_from(["1m", "15m"]), closes=st.lists(st.integers(95, 105), min_size=2, max_size=6))
    def bar(self, frame: str, closes: list[int]) -> None:
        self.see(Seeing(0, frame, ENTRY_PX, (*[100] * 18, *closes)))

    @rule()
    def engine_dies(self) -> None:
        """The next life knows the last news, and the books."""
        self.entry, self.plan, self.progress = other_life(self.entry, self.plan, self.told)

    @precondition(lambda self: self.progress.left > 0)
    @rule(tenths=st.integers(0, 9))
    def somebody_takes_coins_off(self, tenths: int) -> None:
        self.held = Base(self.held * tenths / 10)
        self.progress = self.told = with_held(self.progress, self.held)
        self.care()

    def see(self, seeing: Seeing) -> None:
        self.now_ms += seeing.after_ms
        before = self.progress
        step = watch(self.plan, self.entry, before, seeing.seen(self.now_ms, mirrored=False))
        action, self.progress, self.last = step.action, step.progress, step
        if step.is_news:
            self.told = step.progress
        if isinstance(action, Close):
            assert action.base > 0 and action.left == before.left - action.base
            self.held = Base(self.held - action.base)
        if not isinstance(action, Keep):
            if self.acted_ms is not None and action.reason not in URGENT:
                assert self.now_ms - self.acted_ms >= self.plan.cooldown_ms
            self.acted_ms = self.now_ms
        assert (self.progress.stop_px - before.stop_px) * self.entry.side.sign >= 0
        self.care()

    def care(self) -> None:
        """Execution does at once what is asked of it; a stop at the venue never moves away either."""
        wanted = venue_stop(self.plan, self.entry, self.progress, TICK)
        care = care_for(self.venue, wanted)
        if care.todo is Upkeep.REPLACE:
            assert self.venue is not None and wanted is not None
            assert (wanted.trigger_px - self.venue.trigger_px) * self.entry.side.sign >= 0
            assert wanted.base <= self.venue.base
        self.venue = care.wanted

    @invariant()
    def what_is_held_is_what_is_meant_to_be(self) -> None:
        assert self.held == self.progress.left >= ZERO

    @invariant()
    def what_stands_at_the_venue_covers_all_that_is_left_behind_ours(self) -> None:
        if not self.progress.left:
            assert self.venue is None
            return
        assert self.venue is not None
        assert (self.venue.base, self.venue.side) == (self.progress.left, self.entry.side.opposite)
        ours = edge_px(self.plan, self.entry, self.progress.stop_px)
        assert (ours - self.venue.trigger_px) * self.entry.side.sign > 0
        assert self.entry.margin_lost(self.venue.trigger_px) < 1

    @invariant()
    def the_stop_is_never_further_than_the_first(self) -> None:
        assert (self.progress.stop_px - self.first) * self.entry.side.sign >= 0


Positions.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestPositions = Positions.TestCase
