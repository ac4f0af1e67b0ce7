"""Plans, entries and paths as hypothesis draws them. Entered at 100; a mirror turns a world over there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal as D

from hypothesis import strategies as st

from core.types import Side
from strategy.auxiliary.bars import FRAME_MS
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Measures, Stop, StopTo, Target, Trail, TrailBy
from strategy.auxiliary.exit_progress import Entry, Progress, begun
from strategy.auxiliary.exit_watch import BarClosed, Mark, Seen, Step, Sweep, watch
from tests.strategy.auxiliary.exit_scenes import MINUTE_MS, OPENED_MS, SECOND_MS, bars, position

ENTRY_PX = D(100)
ATR = D("1.5")
CENT = D("0.01")
LEAST_PX, MOST_PX = 4_500, 15_500  # cents; as far below the entry as above
AVERAGES = (TrailBy.EMA20, TrailBy.MA20)


def distances(least: int, most: int) -> st.SearchStrategy[Distance]:
    """Between so many thousandths of the entry price; or as many in ATR, which is 1.5 % of it."""
    thousandths = (st.integers(least, 4 * least) | st.integers(least, most)).map(lambda n: D(n) / 1_000)
    return thousandths.flatmap(
        lambda ratio: st.sampled_from([Distance(ratio=ratio), Distance(atr=ratio * ENTRY_PX / ATR)])
    )


stops = st.builds(
    Stop,
    st.lists(distances(20, 200), min_size=1, max_size=2).map(tuple),
    at_support=st.booleans(),
    margin_over_leverage=st.sampled_from([None, D("0.8")]),
)


@st.composite
def targets(draw: st.DrawFn) -> tuple[Target, ...]:
    """In order, so many as leave something for the next; the last may take the rest."""
    rungs: list[Target] = []
    far, taken = 0, 0
    for _ in range(draw(st.sampled_from([3, 2, 1, 0]))):
        if taken == 100:
            break
        far += draw(st.integers(1, 25))
        part = draw(st.sampled_from([40, 30, 50, 10, 3, 100, None]))
        part = None if part is None or part > 100 - taken else part
        taken = 100 if part is None else taken + part
        from_ms = draw(st.sampled_from([0, 0, MINUTE_MS]))
        relaxes = draw(st.booleans())
        rungs.append(
            Target(
                Distance(ratio=D(far) / 1_000),
                None if part is None else D(part) / 100,
                draw(st.sampled_from(StopTo)),
                from_ms,
                Distance(ratio=D(far) / 2_000) if relaxes else None,
                from_ms + 10 * MINUTE_MS if relaxes else 0,
            )
        )
    return tuple(rungs)


@st.composite
def plans(draw: st.DrawFn, ratio_trails: bool = True) -> ExitPlan:
    rungs = draw(targets())
    left = ExitPlan("drawn", Stop((Distance(ratio=D("0.1")),)), rungs)
    begins = [n for n in range(len(rungs) + 1) if left.taken(n) < 1]
    kinds = [TrailBy.MA20, TrailBy.EMA20, TrailBy.ATR, *[TrailBy.RATIO] * ratio_trails]
    trails = [
        Trail(
            by,
            None if by in AVERAGES else D(draw(st.integers(5, 80))) / (1_000 if by is TrailBy.RATIO else 15),
            draw(st.sampled_from(["1m", "15m"])),
            draw(st.sampled_from(begins)),
        )
        for by in draw(st.lists(st.sampled_from(kinds), max_size=2))
    ]
    return ExitPlan(
        "drawn",
        draw(stops),
        rungs,
        tuple(trails),
        emergency_ratio=D(draw(st.sampled_from([30, 30, 60, 5]))) / 100,
        max_hold_ms=draw(st.sampled_from([10**9, 10**9, 20 * MINUTE_MS])),
        cooldown_ms=draw(st.sampled_from([90 * SECOND_MS, 3 * SECOND_MS, 0])),
    )


@dataclass(frozen=True)
class Seeing:
    """One thing to be seen, relative to the one before it; the same for both sides of the mirror."""

    after_ms: int
    kind: str  # mark, sweep, blind sweep, or the frame of a bar
    px: D
    closes: tuple[int, ...] = ()

    def seen(self, at_ms: int, mirrored: bool) -> Seen:
        px = 2 * ENTRY_PX - self.px if mirrored else self.px
        if self.kind in FRAME_MS:
            step = FRAME_MS[self.kind]
            closes = [float(200 - close if mirrored else close) for close in self.closes]
            return BarClosed(at_ms, bars(closes, at_ms - at_ms % step, self.kind))
        if self.kind == "mark":
            return Mark(at_ms, px)
        return Sweep(at_ms, px if self.kind == "sweep" else None)


@st.composite
def paths(draw: st.DrawFn) -> list[Seeing]:
    """Mostly small steps, some jumps; mostly seconds apart, some a long time."""
    px = int(ENTRY_PX / CENT)
    path = []
    for _ in range(draw(st.integers(5, 40))):
        most = draw(st.sampled_from([100, 100, 100, 100, 300, 300, 4_000]))
        px += draw(st.integers(-most, most))
        px = min(MOST_PX, max(LEAST_PX, px))
        most_ms = draw(st.sampled_from([4_000, 4_000, 2 * MINUTE_MS, 20 * MINUTE_MS]))
        after_ms = draw(st.integers(0, most_ms))
        kind = draw(st.sampled_from(["mark"] * 4 + ["sweep", "blind sweep", "1m", "1m", "15m"]))
        closes: tuple[int, ...] = ()
        if kind in FRAME_MS:
            closes = (*[100] * 18, *draw(st.lists(st.integers(95, 105), min_size=2, max_size=8)))
        path.append(Seeing(after_ms, kind, px * CENT, closes))
    return path


@dataclass(frozen=True)
class World:
    plan: ExitPlan
    entry: Entry
    path: list[Seeing]

    def mirrored(self) -> World:
        """The same from the other side: every price as far from the entry, the other way."""
        support = self.entry.measures.support
        measures = replace(self.entry.measures, support=None if support is None else 2 * ENTRY_PX - support)
        side = self.entry.side.opposite
        levels = self.plan.levels(side, ENTRY_PX, measures, self.entry.leverage)
        return World(self.plan, replace(self.entry, side=side, measures=measures, levels=levels), self.path)

    def observations(self) -> Iterable[Seen]:
        at_ms = OPENED_MS
        for seeing in self.path:
            at_ms += seeing.after_ms
            yield seeing.seen(at_ms, self.entry.side is Side.SELL)

    def steps(self) -> list[Step]:
        progress, steps = begun(self.plan, self.entry), []
        for seen in self.observations():
            steps.append(watch(self.plan, self.entry, progress, seen))
            progress = steps[-1].progress
        return steps

    def start(self) -> Progress:
        return begun(self.plan, self.entry)


@st.composite
def worlds(draw: st.DrawFn, ratio_trails: bool = True) -> World:
    the_plan = draw(plans(ratio_trails))
    lots = draw(st.sampled_from([10, 7, 2, 1, 4_999]))
    dust = draw(st.sampled_from(["0", "0", "0.03"]))
    side = draw(st.sampled_from(Side))
    behind = draw(st.none() | st.integers(1, 900).map(lambda cents: cents * CENT))
    support = None if behind is None else ENTRY_PX - side.sign * behind
    entry = position(
        the_plan,
        side,
        str(lots * D("0.1") + D(dust)),
        leverage=draw(st.sampled_from(["3", "2", "1", "1", "25"])),
        measured=Measures(ATR, support),
    )
    return World(the_plan, entry, draw(paths()))
