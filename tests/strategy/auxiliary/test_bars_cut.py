"""Views of a series: its newest bars, and what was known some bars ago."""

from __future__ import annotations

import pytest

from core.types import HOUR_MS, Candle
from strategy.auxiliary.bars import Bars, bars_of
from tests.fakes import START_MS, D


def five() -> Bars:
    candles = [
        Candle(START_MS + n * HOUR_MS, D(n + 1), D(n + 3), D(n), D(n + 2), D(10 * n)) for n in range(5)
    ]
    return bars_of("BTC-USDT", "1H", candles)


@pytest.mark.parametrize(("count", "left"), [(0, 5), (1, 4), (5, 0), (9, 0)])
def test_what_was_known_some_bars_ago_is_all_but_the_newest(count: int, left: int) -> None:
    known = five().without_last(count)
    assert len(known) == left == len(known.volume)
    assert list(known.close) == [2.0, 3.0, 4.0, 5.0, 6.0][:left]


def test_the_bar_before_closed_an_hour_before() -> None:
    assert five().without_last(1).closed_ms == five().closed_ms - HOUR_MS
    assert five().without_last(1).last(2).ts_ms.tolist() == [START_MS + 2 * HOUR_MS, START_MS + 3 * HOUR_MS]


def test_a_view_can_no_more_be_written_into_than_the_whole() -> None:
    with pytest.raises(ValueError, match="read-only"):
        five().without_last(1).close[0] = 1.0
