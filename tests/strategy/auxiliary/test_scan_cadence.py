"""Scans come after bars have closed, never before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.types import HOUR_MS
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS
from strategy.auxiliary.language import Needs
from strategy.auxiliary.scanning.cadence import AGAIN_MS, SETTLE_MS, next_scan_ms
from strategy.auxiliary.scanning.sights import Sights
from tests.fakes import START_MS
from tests.strategy.auxiliary.scan_scenes import NAME, Toy, candle, kept, scan, scanner_of

HOURLY = Toy()
FED = Toy("fed", Needs(bars={"1m": 1}, events=True))


def test_a_scan_comes_a_moment_after_the_close() -> None:
    assert next_scan_ms([HOURLY], START_MS) == START_MS + SETTLE_MS
    assert next_scan_ms([HOURLY], START_MS + SETTLE_MS) == START_MS + HOUR_MS + SETTLE_MS
    assert next_scan_ms([HOURLY, FED], START_MS + SETTLE_MS) == START_MS + MINUTE_MS + SETTLE_MS
    assert next_scan_ms([], START_MS) is None


def test_a_scan_that_missed_a_bar_is_followed_by_another_soon() -> None:
    toy = Toy(needs=Needs(bars={"1H": 3, "4H": 2}, on="1H"))
    store = kept([toy], until_ms=START_MS - HOUR_MS)
    store.take(NAME, "1H", [candle("1H", -1)], START_MS)
    scanner, now_ms = scanner_of(toy), START_MS + SETTLE_MS
    late = scan(scanner, Sights(store), now_ms)
    assert next_scan_ms([toy], now_ms, late) == now_ms + AGAIN_MS
    store.take(NAME, "4H", [candle("4H", -1)], START_MS)
    whole = scan(scanner, Sights(store), now_ms + AGAIN_MS)
    assert next_scan_ms([toy], now_ms + AGAIN_MS, whole) == START_MS + HOUR_MS + SETTLE_MS


@given(st.sets(st.sampled_from(list(FRAME_MS)), min_size=1), st.integers(0, 10**8), st.integers(0, 30_000))
def test_it_is_always_ahead_and_never_before_a_bar_has_closed(
    frames: set[str], after_ms: int, settle_ms: int
) -> None:
    toys, now_ms = [Toy(needs=Needs(bars={frame: 1}, on=frame)) for frame in frames], START_MS + after_ms
    due_ms = next_scan_ms(toys, now_ms, settle_ms=settle_ms)
    assert due_ms is not None and due_ms > now_ms
    assert (due_ms - settle_ms) % min(FRAME_MS[frame] for frame in frames) == 0
    assert due_ms - now_ms <= min(FRAME_MS[frame] for frame in frames)
