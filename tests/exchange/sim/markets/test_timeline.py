import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.markets.timeline import Track, path_points

FIVE_MS = 300_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def rising_track(bars: int = 24, begin_ms: int = 0) -> Track:
    track = Track(FIVE_MS)
    for n in range(bars):
        track.append(begin_ms + n * FIVE_MS, path_points(100 + n, 102 + n, 99 + n, 101 + n, True), 5.0)
    return track


def test_a_rising_bar_meets_its_low_before_its_high() -> None:
    track = rising_track()
    assert [track.at(ms) for ms in (0, 75_000, 150_000, 225_000, 299_999)] == [100, 99, 102, 101, 101]


def test_between_two_points_the_price_moves_in_a_straight_line() -> None:
    assert rising_track().at(75_000 + 25_000) == pytest.approx(100)  # a third of the way from 99 to 102


def test_a_gap_keeps_the_last_close() -> None:
    track = rising_track(1)
    track.append(10 * FIVE_MS, (200.0, 200.0, 200.0, 200.0), 1.0)
    assert track.at(5 * FIVE_MS) == 101


def test_no_price_exists_before_the_first_bar() -> None:
    with pytest.raises(IndexError):
        rising_track(begin_ms=FIVE_MS).at(0)


def test_an_hour_is_the_sum_of_its_twelve_bars() -> None:
    forming, hour = rising_track().spans(HOUR_MS, None, 10, now_ms=HOUR_MS)
    assert (hour.open, hour.high, hour.low, hour.close, hour.volume) == (100, 113, 99, 112, 60.0)
    assert hour.closed and not forming.closed and forming.ts_ms == HOUR_MS


def test_the_forming_candle_knows_nothing_of_the_future() -> None:
    (forming,) = rising_track().spans(HOUR_MS, None, 1, now_ms=75_000)
    assert (forming.open, forming.high, forming.low, forming.close) == (100, 100, 99, 99)


def test_short_candles_are_cut_out_of_the_path() -> None:
    spans = rising_track().spans(MINUTE_MS, None, 3, now_ms=FIVE_MS)
    assert [span.ts_ms for span in spans] == [FIVE_MS, 4 * MINUTE_MS, 3 * MINUTE_MS]
    assert spans[2].open == pytest.approx(101.6) and spans[2].low == 101


def test_before_keeps_what_opened_earlier() -> None:
    spans = rising_track().spans(FIVE_MS, 3 * FIVE_MS, 2, now_ms=20 * FIVE_MS)
    assert [span.ts_ms for span in spans] == [2 * FIVE_MS, FIVE_MS]


def test_days_may_begin_at_four_in_the_afternoon_utc() -> None:
    track = rising_track(bars=600)
    spans = track.spans(24 * HOUR_MS, None, 9, now_ms=600 * FIVE_MS, offset_ms=8 * HOUR_MS)
    assert [span.ts_ms // HOUR_MS for span in spans] == [40, 16, -8]


def test_a_gap_of_bars_is_a_gap_of_candles() -> None:
    track = rising_track(12)
    track.append(5 * HOUR_MS, (1.0, 1.0, 1.0, 1.0), 1.0)
    opened = [span.ts_ms // HOUR_MS for span in track.spans(HOUR_MS, None, 9, now_ms=5 * HOUR_MS)]
    assert opened == [5, 0]


def test_asking_again_later_gives_the_same_closed_candles() -> None:
    asked_twice, asked_once = rising_track(100), rising_track(100)
    asked_twice.spans(HOUR_MS, None, 9, now_ms=2 * HOUR_MS + 7)
    later = 7 * HOUR_MS + 9
    assert asked_twice.spans(HOUR_MS, None, 9, later) == asked_once.spans(HOUR_MS, None, 9, later)


@given(now=st.integers(1, 99 * FIVE_MS), bar=st.sampled_from([MINUTE_MS, 3 * MINUTE_MS, FIVE_MS, HOUR_MS]))
def test_candles_hold_every_price_the_market_showed(now: int, bar: int) -> None:
    track = rising_track(100)
    for span in track.spans(bar, None, 300, now):
        inside = [ms for ms in range(span.ts_ms, min(span.ts_ms + bar, now + 1), 15_000)]
        assert all(span.low - 1e-9 <= track.at(ms) <= span.high + 1e-9 for ms in inside)
        assert span.low <= min(span.open, span.close) and span.high >= max(span.open, span.close)
