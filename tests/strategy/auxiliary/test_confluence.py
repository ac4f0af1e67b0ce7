from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import MarketView
from core.types import HOUR_MS, Candle, Side
from strategy.auxiliary.bars import MINUTE_MS, bars_of
from strategy.auxiliary.confluence_self_test import CASES, self_test
from strategy.auxiliary.language import FeedEvent, Look, Signal
from strategy.auxiliary.modules.confluence import (
    LINEAR,
    LOGISTIC,
    LOGISTIC_CENTRE,
    LOGISTIC_SLOPE,
    PARAMETERS,
    Confluence,
    freshness,
    time_proximity,
)
from strategy.auxiliary.presets import PRESETS
from tests.risk.scenes import book, pair

D = Decimal
NOW = 1_767_571_200_000
BTC = "BTC-USDT"
WINDOW = D(300_000)


def fed(kind: int, minutes_ago: float, event_id: str = "", instrument: str = BTC) -> FeedEvent:
    at_ms = NOW - round(minutes_ago * MINUTE_MS)
    return FeedEvent(event_id or f"{kind}-{minutes_ago}", str(kind), instrument, at_ms, "feed")


def look(*events: FeedEvent, now_ms: int = NOW) -> Look:
    bar = Candle(now_ms - MINUTE_MS, D(100), D(101), D(99), D("100.5"), D(1))
    return Look(now_ms, BTC, {"1m": bars_of(BTC, "1m", [bar])}, events=events)


def asked(*events: FeedEvent, now_ms: int = NOW, **settings: str) -> Signal | None:
    module = Confluence({name: D(value) for name, value in settings.items()})
    return module.signal(look(*events, now_ms=now_ms))


def strength(signal: Signal | None) -> Decimal:
    assert signal is not None
    return signal.strength


# --- the worked examples -----------------------------------------------------------------------


def test_four_minutes_apart_intensified_and_fresh_is_0_68_on_both_curves() -> None:
    events = (fed(112, 4), fed(110, 0))
    assert strength(asked(*events)) == 68
    assert strength(asked(*events, curve="1")) == 68


def test_thirty_minutes_apart_is_no_match() -> None:
    assert asked(fed(112, 30), fed(110, 0)) is None
    assert Confluence().matches(look(fed(112, 30), fed(110, 0))) == []


def test_one_minute_apart_plain_and_fresh_is_0_86_or_0_936_and_never_the_printed_0_92() -> None:
    events = (fed(113, 1), fed(110, 0))
    assert strength(asked(*events)) == 86
    assert strength(asked(*events, curve="1")) == D("93.6")
    printed = D("0.92")
    assert all(abs(outcome.found - printed) > D("0.01") for outcome in self_test(CASES[:1]) if outcome.found)


def test_the_logistic_curve_goes_through_its_two_points_with_the_slope_and_centre_they_give() -> None:
    assert time_proximity(MINUTE_MS, WINDOW, LOGISTIC) == D("0.99")
    assert time_proximity(4 * MINUTE_MS, WINDOW, LOGISTIC) == D("0.20")
    assert round(LOGISTIC_SLOPE, 2) == D("1.99") and round(LOGISTIC_CENTRE, 2) == D("3.30")


def test_the_linear_curve_falls_evenly_to_the_end_of_the_window() -> None:
    assert [time_proximity(ms, WINDOW, LINEAR) for ms in (0, 60_000, 240_000, 300_000)] == [
        1,
        D("0.8"),
        D("0.2"),
        0,
    ]


def test_every_case_of_the_self_test_scores_what_it_must() -> None:
    outcomes = self_test()
    assert len(outcomes) == 2 * len(CASES)
    assert [outcome.case.tells for outcome in outcomes if not outcome.ok] == []


def test_the_self_test_can_fail() -> None:
    wrong = replace(CASES[0], linear=D("0.92"))
    assert [outcome.ok for outcome in self_test((wrong,))] == [False, True]


# --- one condition at a time -------------------------------------------------------------------


def test_fomo_and_alpha_of_one_coin_are_bought_at_the_price_of_now() -> None:
    signal = asked(fed(113, 2), fed(110, 1))
    assert signal is not None
    assert (signal.side, signal.px, signal.at_ms) == (Side.BUY, D("100.5"), NOW - MINUTE_MS)


def test_the_mid_of_the_live_book_is_the_price_when_there_is_one() -> None:
    market = MarketView(pair(), swap=book("BTC-USDT-SWAP", D(104), D(1)))
    seen = replace(look(fed(113, 1), fed(110, 0)), market=market)
    signal = Confluence().signal(seen)
    assert signal is not None and signal.px == D(104)


@pytest.mark.parametrize(
    "events",
    [
        (fed(113, 1),),
        (fed(110, 1),),
        (fed(113, 1), fed(112, 0)),
        (fed(110, 1), fed(110, 0)),
        (fed(113, 1), fed(110, 0, instrument="ETH-USDT")),
        (fed(113, 1), fed(999, 0)),
        (fed(113, 5), fed(110, 0)),
    ],
)
def test_half_a_confluence_another_coin_or_a_weak_score_is_no_signal(events: tuple[FeedEvent, ...]) -> None:
    assert asked(*events) is None


def test_the_threshold_itself_is_a_signal() -> None:
    assert strength(asked(fed(112, 5), fed(110, 0))) == 60
    assert asked(fed(112, 5), fed(110, 0), least_score="0.61") is None


def test_a_millisecond_past_the_window_is_no_match() -> None:
    alpha = fed(110, 0)
    late = replace(fed(112, 5), at_ms=NOW - 300_001)
    assert asked(late, alpha, least_score="0") is None
    assert asked(replace(late, at_ms=NOW - 300_000), alpha, least_score="0") is not None


def test_intensified_ones_can_be_switched_off_without_touching_plain_ones() -> None:
    assert asked(fed(112, 1), fed(110, 0), fomo_intensify="0") is None
    assert strength(asked(fed(113, 1), fed(110, 0), fomo_intensify="0")) == 86


@pytest.mark.parametrize(
    ("plan", "name", "stop"),
    [("0", "vs", "0.97"), ("1", "vs_conservative", "0.98"), ("2", "vs_aggressive", "0.95")],
)
def test_the_position_would_end_by_the_chosen_plan(plan: str, name: str, stop: str) -> None:
    signal = asked(fed(113, 1), fed(110, 0), plan=plan)
    assert signal is not None and signal.plan is PRESETS[name].plan
    ends = signal.plan.levels(signal.side, signal.px, signal.measures, signal.wished_leverage)
    assert ends.stop_px == signal.px * D(stop)


def test_either_may_come_first() -> None:
    assert strength(asked(fed(110, 1), fed(113, 0))) == strength(asked(fed(113, 1), fed(110, 0)))


def test_a_message_id_that_comes_again_is_ignored() -> None:
    assert asked(fed(113, 1, "same"), fed(110, 0, "same")) is None
    twice = (fed(113, 4, "f"), fed(113, 1, "f"), fed(110, 0, "a"))
    assert strength(asked(*twice)) == strength(asked(*twice[::2]))


def test_what_lies_in_the_future_is_not_known_yet() -> None:
    events = (fed(113, 0), fed(110, -1))
    assert asked(*events) is None
    assert asked(*events, now_ms=NOW + MINUTE_MS) is not None


def test_full_freshness_lasts_an_hour_and_then_halves_every_hour() -> None:
    hour = D(HOUR_MS)
    assert [freshness(age * HOUR_MS, hour, hour) for age in (0, 1, 2, 3)] == [1, 1, D("0.5"), D("0.25")]
    events = (fed(112, 1), fed(110, 0))
    whole = strength(asked(*events, now_ms=NOW + 59 * MINUTE_MS))
    assert whole == 92
    assert strength(asked(*events, now_ms=NOW + 119 * MINUTE_MS)) == whole - 15


def test_history_is_no_signal_however_good_it_was() -> None:
    events = (fed(112, 1), fed(110, 0))
    assert asked(*events, now_ms=NOW + 2 * HOUR_MS - 1) is not None
    assert asked(*events, now_ms=NOW + 2 * HOUR_MS) is None


def test_the_match_that_became_known_last_speaks_unless_it_is_too_weak() -> None:
    strong, weak = (fed(112, 60, "s"), fed(110, 59, "t")), (fed(113, 5, "v"), fed(110, 0, "w"))
    newer = (fed(113, 2, "x"), fed(110, 1, "y"))
    assert _ids(asked(*strong, *weak)) == ("s", "t")
    assert _ids(asked(*strong, *newer)) == ("x", "y")


def test_asked_again_it_is_the_same_proposal_under_the_same_name() -> None:
    events = (fed(113, 1), fed(110, 0))
    first, later = asked(*events), asked(*events, now_ms=NOW + 30 * MINUTE_MS)
    assert first and later and first.signal_id == later.signal_id
    assert first == asked(*events)


def test_the_evidence_adds_up_to_the_strength() -> None:
    signal = asked(fed(113, 3), fed(110, 0), curve="1", now_ms=NOW + 90 * MINUTE_MS)
    assert signal is not None
    figures = {name: value for name, value in signal.evidence}
    terms = [figures[name] for name in ("time_term", "strength_term", "freshness_term")]
    assert 100 * sum(D(str(term)) for term in terms) == signal.strength
    assert figures["fomo_id"] == "113-3" and figures["alpha_id"] == "110-0" and figures["curve"] == "logistic"


# --- whatever comes ----------------------------------------------------------------------------

EVENTS = st.builds(
    FeedEvent,
    event_id=st.sampled_from("abcdefgh"),
    kind=st.sampled_from(["110", "112", "113", "7"]),
    instrument=st.sampled_from([BTC, "ETH-USDT"]),
    at_ms=st.integers(NOW - 3 * HOUR_MS, NOW + MINUTE_MS),
    source=st.sampled_from(["feed", "file"]),
)
SETTINGS = st.fixed_dictionaries({p.name: st.integers(int(p.least), int(p.most)).map(D) for p in PARAMETERS})


@given(st.lists(EVENTS, max_size=12), SETTINGS)
def test_whatever_is_fed_it_never_raises_and_a_signal_is_sound(
    events: list[FeedEvent], settings: dict[str, Decimal]
) -> None:
    seen = look(*sorted(events, key=lambda event: event.at_ms))
    signal = Confluence(settings).signal(seen)
    assert signal == Confluence(settings).signal(seen)
    if signal is not None:
        assert 100 * settings["least_score"] <= signal.strength <= 100
        assert signal.at_ms <= NOW < signal.valid_until_ms
        assert signal.plan.levels(signal.side, signal.px, signal.measures, D(1)).stop_px < signal.px


def _ids(signal: Signal | None) -> tuple[object, object]:
    assert signal is not None
    figures = dict(signal.evidence)
    return figures["fomo_id"], figures["alpha_id"]
