from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import HOUR_MS, Base, Book, FundingQuote, SettledFunding, Side
from strategy.auxiliary.bars import MINUTE_MS, Bars
from strategy.auxiliary.language import Holding, Look, Signal
from strategy.auxiliary.modules.ensemble import Ensemble
from strategy.auxiliary.modules.ensemble.card import FRAMES, READ
from strategy.auxiliary.modules.ensemble.market_votes import market_votes
from strategy.auxiliary.modules.ensemble.module import PARAMETERS
from strategy.auxiliary.modules.ensemble.strategies import Strategy
from strategy.auxiliary.modules.ensemble.votes import FRAMED, Group, frame_votes
from tests.fakes import START_MS
from tests.strategy.auxiliary.ensemble_scenes import (
    CLOSED_MS,
    burst,
    dip,
    ensemble_look,
    frames_of,
    retreat,
    ripple,
    upside_down,
)
from tests.strategy.auxiliary.module_scenes import NAME, column, columns_of, figures, market, random_bars

D = Decimal
SCENES: Mapping[Strategy, Mapping[str, Bars]] = {
    Strategy.OSCILLATION: frames_of(dip()),
    Strategy.BREAKOUT: frames_of(*burst()),
    Strategy.PULLBACK: frames_of(retreat()),
}
EACH = pytest.mark.parametrize("strategy", list(Strategy), ids=lambda each: each.value[2:])


def asked(bars: Mapping[str, Bars], held: Holding | None = None, **given: str) -> Signal | None:
    module = Ensemble({name: D(value) for name, value in given.items()})
    return module.signal(ensemble_look(bars, holding=held))


def stop_px(signal: Signal) -> Decimal:
    return signal.plan.levels(signal.side, signal.px, signal.measures, signal.wished_leverage).stop_px


def whole_look(bars: Mapping[str, Bars], way: int = 1) -> Look:
    """With a book and a crowd that speak for a buy, or against it."""
    thick, thin = (D(3), D(1)) if way > 0 else (D(1), D(3))
    px = D(round(float(bars["1m"].close[-1])))
    swap = Book(
        f"{NAME}-SWAP",
        tuple((px - n, thick) for n in range(1, 40)),
        tuple((px + n, thin) for n in range(1, 40)),
        CLOSED_MS,
        CLOSED_MS,
        1,
    )
    past = [(CLOSED_MS - n * HOUR_MS, D("1.1") if n % 2 else D("0.9")) for n in range(40, 0, -1)]
    quote = FundingQuote(swap.inst_id, D("0.0001"), CLOSED_MS, CLOSED_MS + 8 * HOUR_MS, CLOSED_MS)
    settled = tuple(SettledFunding(CLOSED_MS - n * 8 * HOUR_MS, D("0.0002")) for n in (2, 1))
    return ensemble_look(
        bars,
        market=market(swap=swap, funding=quote, settled=settled),
        long_short=(*past, (CLOSED_MS, D("0.5") if way > 0 else D(2))),
    )


# --- an entry in its regime --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "regime", "frame", "budget", "valid_min"),
    [
        (Strategy.OSCILLATION, "ranging", "5m", "0.005", 7.5),
        (Strategy.BREAKOUT, "volatile", "1H", "0.0025", 90),
        (Strategy.PULLBACK, "trending", "1H", "0.0075", 90),
    ],
    ids=lambda each: str(each)[:12],
)
def test_the_regime_chooses_the_strategy_and_its_entry_is_a_signal(
    strategy: Strategy, regime: str, frame: str, budget: str, valid_min: float
) -> None:
    signal = asked(SCENES[strategy])
    assert signal is not None and signal.side is Side.BUY
    shown = figures(signal)
    assert (shown["strategy"], shown["regime"], shown["frame"]) == (strategy.value, regime, frame)
    assert shown["risk_budget_ratio"] == D(budget)
    assert signal.px == D(repr(float(SCENES[strategy]["1m"].close[-1])))
    assert (signal.at_ms, signal.valid_until_ms) == (CLOSED_MS, CLOSED_MS + valid_min * MINUTE_MS)


@EACH
def test_the_mirror_image_of_a_market_is_sold_short_with_the_same_strength(strategy: Strategy) -> None:
    bought, sold = asked(SCENES[strategy]), asked(upside_down(SCENES[strategy]))
    assert bought is not None and sold is not None
    assert sold.side is Side.SELL
    assert figures(sold)["grade"] == figures(bought)["grade"]
    assert abs(sold.strength - bought.strength) < 1


def test_a_market_without_an_entry_is_silent() -> None:
    assert asked(frames_of(ripple())) is None


@EACH
def test_an_entry_out_of_its_regime_is_silent(strategy: Strategy) -> None:
    wrong = {
        Strategy.OSCILLATION: {"volatile_ratio": "1.1", "ranging_adx": "10"},
        Strategy.BREAKOUT: {"volatile_ratio": "3"},
        Strategy.PULLBACK: {"trending_adx": "40"},
    }[strategy]
    bars = SCENES[strategy]
    if strategy is Strategy.OSCILLATION:  # the same fall, in a market that swung less until a day ago
        path = np.array(dip())
        path[:-1440] = 100 + (path[:-1440] - 100) / 3
        bars = frames_of(column(path))
    assert asked(bars, **wrong) is None


# --- what the card asks for --------------------------------------------------------------------


@EACH
def test_below_the_least_grade_there_is_no_signal(strategy: Strategy) -> None:
    assert figures(asked(SCENES[strategy], least_grade="3"))["grade"] == 3
    assert figures(asked(SCENES[strategy], confirm_at="1"))["grade"] == 2
    assert asked(SCENES[strategy], least_grade="3", confirm_at="1") is None
    assert asked(SCENES[strategy], **{f"weight_{group}": "0" for group in Group}) is None


def test_a_card_that_is_too_weak_is_silent() -> None:
    card = figures(asked(SCENES[Strategy.BREAKOUT]))["card"]
    assert asked(SCENES[Strategy.BREAKOUT], least_card=str(card)) is not None
    assert asked(SCENES[Strategy.BREAKOUT], least_card=str(card + D("0.000001"))) is None


@EACH
def test_the_strength_can_be_added_up_by_hand_from_the_votes_in_the_evidence(strategy: Strategy) -> None:
    signal = Ensemble().signal(whole_look(SCENES[strategy]))
    assert signal is not None
    shown, reads = figures(signal), READ[strategy]
    named = {(v.name, v.group) for v in frame_votes(SCENES[strategy]["1m"])}
    others = {(v.name, v.group) for v in market_votes(whole_look(SCENES[strategy]))}

    def mean(group: Group, names: set[tuple[str, Group]], frame: str = "") -> Decimal:
        votes = [shown[f"{frame}{name}_vote"] for name, of in names if of is group]
        return sum(votes, D(0)) / len(votes)

    framed = sum(abs(reads[group]) for group in FRAMED)
    of_frame = {
        frame: sum((reads[group] * mean(group, named, f"{frame}_") for group in FRAMED), D(0)) / framed
        for frame in FRAMES
    }
    of_none = sum((reads[group] * mean(group, others) for group in Group if group not in FRAMED), D(0))
    read_at_all = sum(abs(read) for read in reads.values())
    card = (sum(of_frame.values()) / len(FRAMES) * framed + of_none) / read_at_all
    agreeing = sum(each >= D("0.1") for each in of_frame.values())
    dissenting = sum(each <= D("-0.1") for each in of_frame.values())
    grade = min(agreeing, 3 if card >= D("0.25") else 2)
    assert signal.strength == pytest.approx(20 * grade + 40 * card - 5 * dissenting, abs=D("0.001"))
    assert shown["card"] == pytest.approx(card, abs=D("0.00002"))
    for frame, each in of_frame.items():
        assert shown[f"{frame}_score"] == pytest.approx(each, abs=D("0.00001"))


def test_every_vote_and_every_term_is_in_the_evidence_under_its_name() -> None:
    shown = figures(Ensemble().signal(whole_look(SCENES[Strategy.PULLBACK])))
    votes = {name: value for name, value in shown.items() if name.endswith("_vote")}
    assert len(votes) == 16 * len(FRAMES) + 5 + 4 + 2
    assert all(-1 <= value <= 1 for value in votes.values())
    assert sum(shown[f"{group}_term"] for group in Group) == shown["card"]


@pytest.mark.parametrize("strategy", [Strategy.OSCILLATION, Strategy.BREAKOUT])
def test_the_book_and_the_crowd_can_make_it_stronger_or_weaker(strategy: Strategy) -> None:
    bars = SCENES[strategy]
    for_it, against = (Ensemble().signal(whole_look(bars, way)) for way in (1, -1))
    assert for_it is not None and against is not None
    assert figures(for_it)["pressure_5_vote"] == -figures(against)["pressure_5_vote"] == D("0.5")
    assert figures(for_it)["crowd_vote"] == -figures(against)["crowd_vote"] == 1
    assert for_it.strength > against.strength


# --- the plan ----------------------------------------------------------------------------------


def test_the_position_would_end_by_the_smart_plan_at_its_wished_leverage() -> None:
    signal = asked(SCENES[Strategy.OSCILLATION])
    assert signal is not None
    assert signal.plan.name == "smart" and signal.wished_leverage == 25
    assert [target.fraction for target in signal.plan.targets] == [D("0.3"), D("0.3"), None]
    atr = signal.measures.atr
    assert atr is not None
    assert signal.px - stop_px(signal) == min(2 * atr, signal.px * D("0.8") / 25)


def test_the_stop_moves_with_its_parameter() -> None:
    near, far = (asked(SCENES[Strategy.OSCILLATION], stop_atr=atr) for atr in ("1", "2"))
    assert near is not None and far is not None and stop_px(near) > stop_px(far)


def test_a_pullback_names_its_slow_average_as_support() -> None:
    signal = asked(SCENES[Strategy.PULLBACK])
    assert signal is not None and signal.measures.support == figures(signal)["ema_slow_px"]


# --- when it is not asked, or has its answer already -------------------------------------------


def test_an_idea_that_is_held_is_not_proposed_again() -> None:
    held = Holding(Side.BUY, Base(D(1)), D(100), START_MS)
    assert asked(SCENES[Strategy.OSCILLATION], held) is None
    assert asked(SCENES[Strategy.OSCILLATION], replace(held, side=Side.SELL)) is not None


@pytest.mark.parametrize("frame", ["1m", "15m", "1H", "4H"])
def test_while_one_of_the_frames_is_late_nothing_is_proposed(frame: str) -> None:
    bars = SCENES[Strategy.OSCILLATION]
    assert asked({**bars, frame: bars[frame].without_last(1)}) is None


def test_only_the_bar_that_triggers_speaks() -> None:
    later = [*dip(), *[98.2] * 5]
    shown = frames_of(column(later), closed_ms=CLOSED_MS + 5 * MINUTE_MS)
    on_time = {f: b for f, b in frames_of(dip()).items() if f not in ("1m", "5m")}
    bars = {**on_time, "1m": shown["1m"], "5m": shown["5m"]}
    assert Ensemble().signal(replace(ensemble_look(bars), now_ms=CLOSED_MS + 5 * MINUTE_MS)) is None


def test_it_needs_all_five_frames_and_is_asked_on_the_shortest_it_trades() -> None:
    assert set(Ensemble().needs.bars) == set(FRAMES)
    assert Ensemble().needs.on == "5m"
    assert Ensemble({"fast_frame": D(0)}).needs.on == "1m"


def test_more_history_changes_nothing() -> None:
    module = Ensemble()
    for bars in SCENES.values():
        needed = {frame: bars[frame].last(count) for frame, count in module.needs.bars.items()}
        assert module.signal(ensemble_look(needed)) == module.signal(ensemble_look(bars)) is not None


def test_it_is_pure() -> None:
    for bars in SCENES.values():
        before = [columns_of(each) for each in bars.values()]
        assert asked(bars) == asked(bars)
        assert [columns_of(each) for each in bars.values()] == before


# --- whatever comes ----------------------------------------------------------------------------

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        p.name: (
            st.integers(int(p.least), int(p.most)).map(D)
            if p.whole
            else st.decimals(p.least, p.most, places=4, allow_nan=False)
        )
        for p in PARAMETERS
    },
)


@settings(max_examples=25, deadline=None)
@given(st.data(), SETTINGS)
def test_whatever_is_shown_it_never_raises(data: st.DataObject, given: dict[str, Decimal]) -> None:
    module = Ensemble(given)
    bars = {frame: data.draw(random_bars(count, frame)) for frame, count in module.needs.bars.items()}
    assert_sound(module.signal(Look(START_MS, NAME, bars)))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(Strategy),
    st.sampled_from(FRAMES),
    random_bars(200),
    SETTINGS,
    st.sampled_from((1, -1)),
    st.booleans(),
)
def test_an_entry_among_bars_that_say_anything_is_a_sound_signal_or_none(
    strategy: Strategy,
    frame: str,
    other: Bars,
    given: dict[str, Decimal],
    way: int,
    mirror: bool,
) -> None:
    scene = upside_down(SCENES[strategy]) if mirror else SCENES[strategy]
    odd = replace(other, frame=frame, ts_ms=scene[frame].last(200).ts_ms)
    bars: dict[str, Any] = {**scene, frame: odd}
    assert_sound(Ensemble(given).signal(replace(whole_look(scene, way), bars=bars)))


def assert_sound(signal: Signal | None) -> None:
    if signal is not None:
        assert 0 <= signal.strength <= 100
        assert (signal.px - stop_px(signal)) * signal.side.sign > 0
