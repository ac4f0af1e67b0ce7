"""The made-up markets: the same for the same seed, and nothing of what is to come in any Look."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import DAY_MS, HOUR_MS
from strategy.auxiliary.bars import FRAME_MS
from strategy.auxiliary.language import Needs
from strategy.auxiliary.red_lines.worlds import Shape, World, warm_up_days, world

ALL = Needs(dict.fromkeys(FRAME_MS, 20), on="1H", events=True, funding=True)
MINUTE_MS = 60_000


def made(shape: Shape, seed: int = 3, days: int = 3) -> World:
    return world(shape, seed, np.random.default_rng(seed), 25, days)


@pytest.mark.parametrize("shape", Shape)
def test_a_look_shows_what_had_closed_and_nothing_later(shape: Shape) -> None:
    market = made(shape)
    for now_ms in (*market.instants(ALL)[:30], market.from_ms + 7 * MINUTE_MS, market.from_ms + 1):
        look = market.look(ALL, now_ms)
        for frame, bars in look.bars.items():
            assert len(bars) == 20
            assert bars.closed_ms <= now_ms < bars.closed_ms + FRAME_MS[frame]
            assert (np.diff(bars.ts_ms) == FRAME_MS[frame]).all()
            assert (bars.low <= np.minimum(bars.open, bars.close)).all()
            assert (bars.high >= np.maximum(bars.open, bars.close)).all() and (bars.low > 0).all()
        assert all(each.at_ms <= now_ms for each in look.events)
        assert look.market is not None and look.long_short[-1][0] <= now_ms
        assert look.market.settled[-1].ts_ms <= now_ms and look.market.open_interest[-1][0] <= now_ms


def test_long_bars_are_made_of_the_minutes_they_span() -> None:
    market = made(Shape.CRASH)
    minutes, hours = market.bars["1m"], market.bars["1H"]
    first = 600 * 60
    part = slice(first, first + 60)
    assert hours.ts_ms[600] == minutes.ts_ms[first]
    assert (hours.open[600], hours.close[600]) == (minutes.open[first], minutes.close[first + 59])
    assert (hours.high[600], hours.low[600]) == (minutes.high[part].max(), minutes.low[part].min())


def test_the_same_seed_is_the_same_market_and_another_is_not() -> None:
    one, same, other = made(Shape.WALK), made(Shape.WALK), made(Shape.WALK, seed=4)
    assert (one.bars["5m"].close == same.bars["5m"].close).all() and one.events == same.events
    assert (one.bars["5m"].close != other.bars["5m"].close).any()


def test_a_crash_crashes_a_flat_market_is_flat_and_gaps_gap() -> None:
    def asked(market: World) -> np.ndarray:
        bars = market.bars["1m"]
        return bars.close[bars.ts_ms >= market.from_ms]

    crash, flat, gaps = (asked(made(shape)) for shape in (Shape.CRASH, Shape.FLAT, Shape.GAPS))
    assert crash.min() < 0.75 * crash[0]
    assert (flat == flat[0]).all()
    assert np.abs(np.diff(np.log(gaps))).max() > 0.025


def test_a_module_without_a_frame_is_asked_when_something_is_fed() -> None:
    market = made(Shape.WALK)
    asked = market.instants(Needs({"1m": 1}, events=True))
    assert {each.at_ms for each in market.events} <= set(asked)
    assert asked == sorted(asked) and len(asked) > 3 * 96
    assert len(market.instants(ALL)) == 3 * 24 + 1


@pytest.mark.parametrize(
    ("needs", "days"), [({"1H": 20}, 95), ({"1D": 300}, 302), ({"4H": 1_200, "1m": 5}, 202)]
)
def test_enough_lies_before_the_first_question(needs: dict[str, int], days: int) -> None:
    assert warm_up_days(Needs(needs)) == days
    assert days * DAY_MS >= max(count * FRAME_MS[frame] for frame, count in needs.items()) + HOUR_MS
