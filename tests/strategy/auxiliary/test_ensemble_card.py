from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import Side
from strategy.auxiliary.language import settings_of
from strategy.auxiliary.modules.ensemble.card import FRAMES, PARAMETERS, READ, Score, score
from strategy.auxiliary.modules.ensemble.strategies import Strategy
from strategy.auxiliary.modules.ensemble.votes import FRAMED, Group, Vote, vote

D = Decimal
BREAKOUT, OSCILLATION, PULLBACK = Strategy.BREAKOUT, Strategy.OSCILLATION, Strategy.PULLBACK


def sets(value: float = 0.0, **named: float) -> tuple[Vote, ...]:
    """One vote per set, all alike but the named ones."""
    return tuple(vote(group, f"{group}_any", named.get(group, value)) for group in FRAMED)


def frames(*values: float) -> dict[str, tuple[Vote, ...]]:
    return {frame: sets(value) for frame, value in zip(FRAMES, values, strict=True)}


def judged(
    by_frame: dict[str, tuple[Vote, ...]],
    *others: Vote,
    strategy: Strategy = BREAKOUT,
    side: Side = Side.BUY,
    **given: str,
) -> Score:
    return score(
        strategy, side, by_frame, others, settings_of(PARAMETERS, {n: D(v) for n, v in given.items()})
    )


# --- the sum -----------------------------------------------------------------------------------


def test_with_equal_weights_the_card_is_the_mean_of_the_sets() -> None:
    by_frame = dict.fromkeys(FRAMES, sets(momentum=0.8, trend=0.4, volatility=0.0, volume=-0.4))
    assert judged(by_frame).card == D("0.2")
    assert judged(by_frame).terms[Group.MOMENTUM] == D("0.2")
    assert judged(by_frame).frames == dict.fromkeys(FRAMES, D("0.2"))


def test_several_votes_of_a_set_are_one_voice_their_mean() -> None:
    two = (vote(Group.MOMENTUM, "a", 1.0), vote(Group.MOMENTUM, "b", 0.0), *sets()[1:])
    assert judged(dict.fromkeys(FRAMES, two)).terms[Group.MOMENTUM] == D("0.125")


def test_a_weight_counts_in_the_sum_and_in_what_it_is_divided_by() -> None:
    by_frame = dict.fromkeys(FRAMES, sets(momentum=1.0))
    shown = judged(
        by_frame, weight_momentum="0.5", weight_trend="0.5", weight_volume="0", weight_volatility="1"
    )
    assert shown.terms[Group.MOMENTUM] == D("0.25")
    assert judged(by_frame, weight_momentum="0").card == 0


def test_a_frame_counts_by_its_weight_and_agrees_without_it() -> None:
    by_frame = frames(1, 0, 0, 0, 0)
    assert judged(by_frame).card == D("0.2")
    assert judged(by_frame, weight_1m="0").card == 0
    assert judged(by_frame, weight_1m="0").agreeing == 1
    only = {f"weight_{frame}": "0" for frame in ("5m", "15m", "1h", "4h")}
    assert judged(by_frame, **only).card == 1


def test_a_set_in_which_nobody_voted_is_left_out_and_a_vote_of_nothing_is_not() -> None:
    by_frame = frames(0.5, 0.5, 0.5, 0.5, 0.5)
    assert judged(by_frame).card == D("0.5")
    assert judged(by_frame, vote(Group.SENTIMENT, "crowd", 0.0)).card == D("0.4")
    assert Group.SENTIMENT not in judged(by_frame).terms


@pytest.mark.parametrize("group", [Group.PATTERNS, Group.MICROSTRUCTURE, Group.SENTIMENT])
def test_what_is_asked_of_no_frame_is_a_set_like_the_others(group: Group) -> None:
    assert judged(frames(0, 0, 0, 0, 0), vote(group, "any", 1.0)).terms[group] == D("0.2")


def test_a_strategy_that_fades_reads_momentum_and_the_channels_against_themselves() -> None:
    fall = dict.fromkeys(FRAMES, sets(-1.0))
    assert judged(fall, strategy=OSCILLATION).card == 1
    assert judged(fall, strategy=BREAKOUT).card == -1
    assert judged(fall, strategy=PULLBACK).card == pytest.approx(D(-1), abs=D("0.00001"))
    others_only = dict.fromkeys(FRAMES, sets(trend=1.0, volume=1.0))
    assert judged(others_only, strategy=OSCILLATION).card == 0
    assert judged(dict.fromkeys(FRAMES, sets(volatility=1.0)), strategy=PULLBACK).card == 0


def test_every_strategy_reads_every_set_in_one_of_three_ways() -> None:
    assert set(READ) == set(Strategy)
    assert all(set(read) == set(Group) and set(read.values()) <= {-1, 0, 1} for read in READ.values())


def test_a_sale_is_judged_by_the_same_votes_the_other_way_round() -> None:
    by_frame = frames(0.5, 0.3, -0.2, 0.4, 0.0)
    bought, sold = judged(by_frame), judged(by_frame, side=Side.SELL)
    assert sold.card == -bought.card
    assert sold.frames == {frame: -value for frame, value in bought.frames.items()}


def test_without_any_weight_nothing_is_said() -> None:
    nothing = {f"weight_{name}": "0" for name in (*Group, *(frame.lower() for frame in FRAMES))}
    assert (
        judged(frames(1, 1, 1, 1, 1), **nothing).card,
        judged(frames(1, 1, 1, 1, 1), **nothing).grade,
    ) == (0, 0)


# --- grades ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "grade"),
    [
        ((0, 0, 0, 0, 0), 0),
        ((0, 0, 1, 0, 0), 1),
        ((1, 0, 0, 0, 1), 2),
        ((0.5, 0.5, 0.5, 0, 0), 3),
        ((1, 1, 1, 1, 1), 3),
        ((0.1, 0.0999, 0, 0, 0), 1),
    ],
)
def test_the_grade_is_how_many_frames_agree_up_to_three(values: tuple[float, ...], grade: int) -> None:
    assert judged(frames(*values)).grade == grade


def test_three_frames_without_the_cards_confirmation_are_worth_two() -> None:
    by_frame = frames(0.5, 0.5, 0.5, 0, 0)
    assert judged(by_frame).card == D("0.3")
    assert judged(by_frame, confirm_at="0.3").grade == 3
    assert judged(by_frame, confirm_at="0.31").grade == 2


def test_confirmation_alone_makes_no_grade() -> None:
    one = frames(1, 0, 0, 0, 0)
    assert judged(one, vote(Group.SENTIMENT, "crowd", 1.0), confirm_at="0").grade == 1


def test_a_frame_on_the_other_side_dissents() -> None:
    assert judged(frames(0.5, -0.1, -0.09, 0, 0)).dissenting == 1


# --- strength ----------------------------------------------------------------------------------


def test_the_strength_is_grade_card_and_dissent_added_up() -> None:
    shown = judged(frames(0.8, 0.8, 0.8, -0.4, 0))
    assert (shown.grade, shown.card, shown.dissenting) == (3, D("0.4"), 1)
    assert shown.strength == 60 + 16 - 5


def test_all_for_it_is_a_hundred_and_all_against_it_nothing() -> None:
    assert judged(frames(1, 1, 1, 1, 1)).strength == 100
    assert judged(frames(-1, -1, -1, -1, -1)).strength == 0


VALUES = st.floats(-1, 1)
WEIGHTS = st.fixed_dictionaries(
    {p.name: st.decimals(p.least, p.most, places=3).map(str) for p in PARAMETERS if not p.whole}
)


@given(
    st.lists(VALUES, min_size=5, max_size=5),
    st.lists(st.builds(vote, st.sampled_from(list(Group)[4:]), st.just("any"), VALUES), max_size=4),
    st.sampled_from(Strategy),
    st.sampled_from(Side),
    WEIGHTS,
)
def test_whatever_is_voted_the_card_lies_between_minus_one_and_one_and_is_the_sum_of_its_terms(
    values: list[float], others: list[Vote], strategy: Strategy, side: Side, weights: dict[str, str]
) -> None:
    shown = judged(frames(*values), *others, strategy=strategy, side=side, **weights)
    assert abs(shown.card) <= D("1.001")
    assert sum(shown.terms.values()) == shown.card
    assert 0 <= shown.grade <= 3 and 0 <= shown.strength <= 100


@given(st.lists(VALUES, min_size=5, max_size=5), st.integers(0, 4), st.floats(0, 1))
def test_a_vote_more_for_it_never_makes_it_weaker(values: list[float], at: int, more: float) -> None:
    raised = [*values]
    raised[at] = min(1.0, raised[at] + more)
    assert judged(frames(*raised)).strength >= judged(frames(*values)).strength
