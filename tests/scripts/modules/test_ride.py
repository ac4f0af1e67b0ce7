"""A position on bars: leaping over what can do nothing changes nothing, and every fill is a pessimist's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Base, Side, Usdt
from scripts.modules.ride import Exit, Ride
from scripts.modules.tape import Coin, frames_of
from scripts.modules.watched import Watched
from strategy.auxiliary.bars import FRAME_MS
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Measures, Stop, StopTo, Target, Trail, TrailBy
from strategy.auxiliary.exit_progress import Entry, entered
from strategy.auxiliary.modules.proposal import exact
from strategy.auxiliary.presets import PRESETS
from tests.scripts.modules.scenes import BEGIN_MS, plain_exits, tapes
from tests.strategy.auxiliary.exit_worlds import plans

D = Decimal
LOT = Base(D("0.001"))


def entry_of(
    plan: ExitPlan, side: Side, px: Decimal, opened_ms: int, atr: str = "1.5", leverage: str = "3"
) -> Entry:
    base, granted = Base(D(10)), D(leverage)
    return entered(
        plan,
        side,
        base,
        px,
        leverage=granted,
        margin=Usdt(base * px / granted),
        lot=LOT,
        opened_ms=opened_ms,
        measures=Measures(atr=D(atr)),
    )


def ridden(coin: Coin, frame: str, plan: ExitPlan, side: Side, at: int) -> tuple[tuple[Exit, ...], ...]:
    """The exits by leaps and the exits bar by bar."""
    watched = Watched(coin, frame)
    series, played = watched.series, watched.played(plan)
    px = exact(series.open[at]) * D("1.0003")
    entry = entry_of(played, side, px, int(series.ts_ms[at]))
    return Ride(played, entry, watched).exits(at), plain_exits(played, entry, coin, series, at)


@settings(max_examples=150)
@given(tapes, plans(), st.sampled_from(Side), st.integers(0, 120))
def test_leaping_over_bars_gives_the_same_exits_as_playing_every_one(
    coin: Coin, plan: ExitPlan, side: Side, at: int
) -> None:
    if any(trail.frame == "1m" and not trail.is_average for trail in plan.trails):
        plan = replace(plan, trails=tuple(replace(trail, frame="15m") for trail in plan.trails))
    leaping, plain = ridden(coin, "15m", plan, side, at)
    assert leaping == plain


@settings(max_examples=60)
@given(
    tapes,
    st.sampled_from([preset for preset in PRESETS if preset != "smart"]),
    st.sampled_from(Side),
    st.integers(0, 120),
    st.sampled_from(("15m", "1H")),
)
def test_every_preset_ends_the_same_by_leaps_and_bar_by_bar(
    coin: Coin, preset: str, side: Side, at: int, frame: str
) -> None:
    plan = replace(PRESETS[preset].plan, rules=())
    at = at // (FRAME_MS[frame] // FRAME_MS["15m"])
    leaping, plain = ridden(coin, frame, plan, side, min(at, len(coin.series[frame].ts_ms) - 1))
    assert leaping == plain


@settings(max_examples=60)
@given(tapes, plans(), st.sampled_from(Side), st.integers(0, 120))
def test_all_that_was_entered_is_off_at_the_end_and_never_more(
    coin: Coin, plan: ExitPlan, side: Side, at: int
) -> None:
    leaping, _ = ridden(coin, "15m", plan, side, at)
    assert sum(each.base for each in leaping) == 10
    assert all(each.base > 0 for each in leaping)
    assert [each.at_ms for each in leaping] == sorted(each.at_ms for each in leaping)


def bars_of(rows: list[tuple[float, float, float, float]]) -> Coin:
    ts = BEGIN_MS + np.arange(len(rows), dtype=np.int64) * FRAME_MS["1H"]
    opened, high, low, close = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    columns = (ts, opened, high, low, close, np.ones(len(rows)))
    series = frames_of("BTC-USDT", {FRAME_MS["1H"]: columns}, int(ts[-1]) + FRAME_MS["1H"])
    return Coin("BTC-USDT", "made", series, (), {}, None)


HALVES = ExitPlan(
    "halves",
    Stop((Distance(ratio=D("0.02")),)),
    (
        Target(Distance(ratio=D("0.04")), D("0.5"), StopTo.ENTRY),
        Target(Distance(ratio=D("0.08")), D("0.5")),
    ),
)


def exits(
    rows: list[tuple[float, float, float, float]], plan: ExitPlan = HALVES, side: Side = Side.BUY
) -> list[tuple[str, str]]:
    watched = Watched(bars_of(rows), "1H")
    played = watched.played(plan)
    entry = entry_of(played, side, D(100), BEGIN_MS, leverage="1")
    return [(each.reason, f"{each.px.normalize():f}") for each in Ride(played, entry, watched).exits(0)]


def test_a_bar_that_holds_stop_and_target_is_taken_for_a_stop() -> None:
    assert exits([(100, 105, 97, 104)]) == [("stop", "98")]


def test_a_gap_beyond_the_stop_is_filled_at_the_open() -> None:
    assert exits([(100, 101, 99, 100), (95, 96, 94, 95)]) == [("stop", "95")]


def test_a_target_is_filled_at_its_price_and_not_at_the_best_of_the_bar() -> None:
    assert exits([(100, 101, 99, 100), (103, 112, 102, 110)]) == [("target", "104"), ("target", "108")]


def test_a_stop_that_a_target_moved_into_the_bar_is_taken_to_be_hit() -> None:
    assert exits([(100, 105, 99, 104)]) == [("target", "104"), ("stop", "100")]


def test_the_same_bars_upside_down_end_a_short_the_same_way() -> None:
    assert exits([(100, 103, 95, 96)], side=Side.SELL) == [("stop", "102")]
    assert exits([(100, 101, 95, 96)], side=Side.SELL) == [("target", "96"), ("stop", "100")]


def test_what_an_average_ends_is_sold_at_the_next_open() -> None:
    plan = replace(HALVES, targets=(), trails=(Trail(TrailBy.EMA20, frame="1H"),))
    rows = [(100.0, 100.5, 99.5, 100.0)] * 25 + [(100, 100, 99, 99), (98.7, 99, 98.5, 99)]
    assert exits(rows, plan) == [("trail", "98.7")]


def test_a_position_ends_at_the_last_close_before_a_hole() -> None:
    coin = bars_of([(100, 101, 99, 100.5), (100, 101, 99, 100), (100, 101, 99, 100)])
    ts = coin.series["1H"].ts_ms + np.array([0, 0, FRAME_MS["1H"]])
    series = replace(coin.series["1H"], ts_ms=ts)
    watched = Watched(replace(coin, series={"1H": series}), "1H")
    plan = watched.played(HALVES)
    ended = Ride(plan, entry_of(plan, Side.BUY, D(100), BEGIN_MS, leverage="1"), watched).exits(0)
    assert [(each.reason, each.px) for each in ended] == [("tape ends", D("100.0"))]
    assert ended[0].at_ms == BEGIN_MS + 2 * FRAME_MS["1H"]


def test_time_is_up_at_the_open_of_a_bar() -> None:
    plan = replace(HALVES, max_hold_ms=2 * FRAME_MS["1H"])
    assert exits([(100, 101, 99, 100), (100, 101, 99, 100), (100.7, 101, 99, 100)], plan) == [
        ("time", "100.7")
    ]


@pytest.mark.parametrize("frame", ["15m", "1H"])
def test_an_average_of_bars_that_are_not_watched_is_taken_of_those_that_are(frame: str) -> None:
    coin = bars_of([(100, 101, 99, 100)] * 30)
    plan = replace(HALVES, targets=(), trails=(Trail(TrailBy.MA20, frame=frame),))
    assert [trail.frame for trail in Watched(coin, "1H").played(plan).trails] == ["1H"]


Row = tuple[float, float, float, float]


def both_ways(rows: list[Row], plan: ExitPlan, at: int) -> list[tuple[str, str]]:
    """The exits of a long entered at 100, which are the same by leaps and bar by bar."""
    coin = bars_of(rows)
    watched = Watched(coin, "1H")
    played = watched.played(plan)
    entry = entry_of(played, Side.BUY, D(100), int(watched.series.ts_ms[at]), leverage="1")
    leaping = Ride(played, entry, watched).exits(at)
    assert leaping == plain_exits(played, entry, coin, watched.series, at)
    return [(each.reason, f"{each.px.normalize():f}") for each in leaping]


def test_a_best_price_of_a_bar_that_was_leapt_over_is_remembered() -> None:
    """The second bar moves no stop, but the line behind its high is where the third one ends it."""
    plan = ExitPlan("t", Stop((Distance(ratio=D("0.1")),)), trails=(Trail(TrailBy.RATIO, D("0.05")),))
    rows = [(100, 100.4, 99.9, 100.2), (100.2, 100.5, 100, 100.4), (100.4, 100.45, 95.3, 96)]
    assert both_ways(rows, plan, 0) == [("trail", "95.475")]


QUIET: list[Row] = [(100, 100.3, 99.7, 100)] * 130
MA20 = Trail(TrailBy.MA20, frame="1H", after_targets=1)
SPIKE = ExitPlan(
    "s",
    Stop((Distance(ratio=D("0.05")),)),
    (Target(Distance(ratio=D("0.01")), D("0.5")), Target(Distance(ratio=D("0.2")))),
    (MA20,),
)


def test_a_crossing_seen_before_its_trail_began_is_no_crossing_afterwards() -> None:
    """It crosses before the target, and is below already when the target's bar closes."""
    rows = [*QUIET, (100, 100.4, 99.9, 100.2), (100.2, 100.3, 99.8, 99.9), (99.9, 100, 99.7, 99.8),
            (99.8, 101.5, 99.5, 99.6), (99.6, 99.7, 99.4, 99.5)]  # fmt: skip
    assert both_ways(rows, SPIKE, 130) == [("target", "101"), ("tape ends", "99.5")]


def test_a_crossing_after_its_trail_began_ends_the_rest_at_the_next_open() -> None:
    rows = [*QUIET, (100, 101.5, 99.9, 100.4), (100.4, 100.6, 100.1, 100.5), (100.5, 100.6, 99.4, 99.5),
            (99.3, 99.6, 99.1, 99.4)]  # fmt: skip
    assert both_ways(rows, SPIKE, 130) == [("target", "101"), ("trail", "99.3")]
