"""Which proposals a tape gives: screens leave none out, and what comes later changes none."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.types import HOUR_MS
from scripts.modules.asking import proposals
from scripts.modules.screens import SCREENS, screen_of
from scripts.modules.stand_ins import STAND_INS
from strategy.auxiliary.bars import FRAME_MS
from strategy.auxiliary.language import Module
from strategy.auxiliary.modules import MODULES
from tests.scripts.modules.scenes import BEGIN_MS, tape

D = Decimal
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LOOSE: Mapping[str, Mapping[str, Decimal]] = {
    "trend_breakout": {"volume_threshold": D(1)},
    "factor_score": {"min_score": D(55)},
    "neutral_grid": {},
    "counter_sentiment_by_funding": {"extreme": D("0.8"), "lookback_d": D(14), "rest_bars": D(1)},
}


TAPES = {
    "trend_breakout": (2_000, "1H"),
    "factor_score": (2_000, "1H"),
    "neutral_grid": (8_000, "15m"),
    "counter_sentiment_by_funding": (5_000, "1H"),
}


def made(name: str, given: Mapping[str, Decimal]) -> Module:
    return {**MODULES, **STAND_INS}[name](given)


def spoken(
    name: str, given: Mapping[str, Decimal], seed: int, count: int, frame: str, screened: bool, hole: int = 0
) -> list[str]:
    coin = tape(seed, count, frame, 0.008, hole_at=hole)
    module = made(name, given)
    screen = screen_of(module, given) if screened else None
    end_ms = BEGIN_MS + 10**12
    return [repr(signal) for signal in proposals(module, coin, BEGIN_MS, end_ms, screen).signals]


@SLOW
@pytest.mark.parametrize(("name", "frame", "count"), [
    ("trend_breakout", "1H", 900), ("factor_score", "1H", 700), ("neutral_grid", "15m", 2_500),
    ("counter_sentiment_by_funding", "1H", 4_500),
])  # fmt: skip
@given(seed=st.integers(0, 2**32 - 1), hole=st.sampled_from((0, 300)))
def test_a_screen_leaves_out_no_proposal(name: str, frame: str, count: int, seed: int, hole: int) -> None:
    assert spoken(name, LOOSE[name], seed, count, frame, True, hole) == spoken(
        name, LOOSE[name], seed, count, frame, False, hole
    )


@SLOW
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_a_screen_leaves_out_no_proposal_whatever_the_parameters(seed: int, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(("trend_breakout", "factor_score")))
    given = {}
    for each in made(name, {}).parameters:
        if data.draw(st.booleans()):
            whole = data.draw(st.integers(0, 10))
            value = each.least + (each.most - each.least) * whole / 10
            given[each.name] = value.to_integral_value() if each.whole else value
    try:
        made(name, given)
    except ValueError:
        assume(False)
    assert spoken(name, given, seed, 1_200, "1H", True) == spoken(name, given, seed, 1_200, "1H", False)


@SLOW
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(LOOSE)), st.floats(0.2, 1))
def test_what_comes_after_an_instant_changes_no_proposal_before_it(seed: int, name: str, part: float) -> None:
    count, frame = TAPES[name]
    coin, now_ms = tape(seed, count, frame, 0.008), BEGIN_MS + int(part * count) * FRAME_MS[frame]
    module, screen = made(name, LOOSE[name]), screen_of(made(name, LOOSE[name]), LOOSE[name])
    whole = proposals(module, coin, BEGIN_MS, now_ms, screen)
    cut = proposals(module, coin.until(now_ms), BEGIN_MS, now_ms, screen)
    assert [repr(one) for one in cut.signals] == [repr(one) for one in whole.signals]
    assert np.array_equal(cut.closes_ms, whole.closes_ms)


@pytest.mark.parametrize("name", sorted(LOOSE))
def test_every_module_that_is_screened_does_propose_on_random_bars(name: str) -> None:
    """Otherwise the equalities above would hold of nothing."""
    count, frame = TAPES[name]
    assert any(spoken(name, LOOSE[name], seed, count, frame, True) for seed in range(4))


def test_every_screen_is_of_a_module_that_there_is() -> None:
    assert SCREENS.keys() <= {**MODULES, **STAND_INS}.keys()


def test_nobody_is_asked_across_a_hole() -> None:
    coin = tape(1, 900, "1H", hole_at=300)
    closes = proposals(
        made("factor_score", {}),
        coin,
        BEGIN_MS,
        BEGIN_MS + 10**12,
        lambda c, a: np.zeros(len(a), dtype=np.bool_),
    ).closes_ms
    resumed_ms = BEGIN_MS + 303 * HOUR_MS
    inside = (closes > BEGIN_MS + 300 * HOUR_MS) & (closes < resumed_ms + 241 * HOUR_MS)
    assert not inside.any()
    assert len(closes) == (300 - 240) + (900 - 303 - 240)
