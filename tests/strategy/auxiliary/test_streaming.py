"""The twins that take one candle at a time, against the columns of the same settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings

from strategy.auxiliary.indicators import streaming
from tests.strategy.auxiliary.cases import CASES, NAMES, Case
from tests.strategy.auxiliary.series import Market, market_of, markets, walk

every = pytest.mark.parametrize("case", CASES, ids=NAMES)


def assert_equal(case: Case, market: Market) -> None:
    fed = np.array(case.fed(market), dtype=np.float64).reshape(len(market), len(case.unknown))
    # A price is held against the largest seen: that is what its rounding is measured in.
    scale = max(1e-300, float(market.high.max())) if case.priced and len(market) else 1.0
    for place, made in enumerate(case.columns(market)):
        np.testing.assert_allclose(
            fed[:, place] / scale, made / scale, rtol=1e-9, atol=1e-9, err_msg=case.name
        )


@given(market=markets())
@example(market=market_of([]))
@example(market=market_of([(3.0, 3.0, 3.0, 0.0)] * 100))
@example(market=market_of([(1e-15, 1e-15, 1e-15, 0.0)] * 50 + [(2e-15, 1e-15, 2e-15, 1.0)] * 50))
@example(market=walk(7, 120, 1_000_000_000))
@settings(max_examples=150)
def test_every_twin_says_what_the_last_place_of_its_columns_says(market: Market) -> None:
    for case in CASES:
        assert_equal(case, market)


@every
def test_a_twin_keeps_up_with_two_thousand_bars(case: Case) -> None:
    assert_equal(case, walk(11, 2_000))


@every
def test_a_candle_that_is_still_forming_is_refused(case: Case) -> None:
    candle = walk(1, 1).candles[0]
    with pytest.raises(ValueError, match=f"the candle of {candle.ts_ms} is still forming"):
        case.twin().update(replace(candle, closed=False))


BAD: tuple[tuple[str, Callable[[], object]], ...] = (
    ("sma: over 0 bars", lambda: streaming.Sma(0)),
    ("rsi: over 1 bars", lambda: streaming.Rsi(1)),
    ("macd: fast 26 and slow 26 bars", lambda: streaming.Macd(26, 26)),
    ("keltner: -2.0 times", lambda: streaming.Keltner(20, -2.0)),
    ("psar: step 0.5 of at most 0.2", lambda: streaming.Psar(0.5)),
)


@pytest.mark.parametrize(("words", "call"), BAD, ids=[row[0] for row in BAD])
def test_a_twin_refuses_the_settings_its_columns_refuse(words: str, call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_a_number_that_is_none_is_refused_and_changes_nothing() -> None:
    candles = walk(2, 30).candles
    twin, spared = streaming.Ema(5), streaming.Ema(5)
    for candle in candles:
        with pytest.raises(ValueError, match="ema: nan came in, allowed: finite numbers"):
            twin.update(replace(candle, close=candle.close.from_float(float("nan"))))
        twin.update(candle)
        last = spared.update(candle)
    assert twin.update(candles[0]) == spared.update(candles[0]) != last
