from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings

from core.types import HOUR_MS, Book, FundingQuote, SettledFunding
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators import patterns, templates
from strategy.auxiliary.language import Look
from strategy.auxiliary.modules.ensemble.market_votes import (
    BOOK_MS,
    CROWD_MS,
    book_votes,
    market_votes,
    pattern_votes,
    sentiment_votes,
)
from strategy.auxiliary.modules.ensemble.votes import VOTE_BARS, Group
from tests.fakes import START_MS
from tests.strategy.auxiliary.module_scenes import NAME, bars_of_closes, market, mirrored, random_bars

D = Decimal


# --- patterns ----------------------------------------------------------------------------------


def drawn(bars: Bars) -> dict[str, float]:
    return {v.name: v.value for v in pattern_votes(bars)}


FLAT = [100 + 0.25 * (n % 2) for n in range(VOTE_BARS - 1)]


@pytest.mark.parametrize(("volume", "times"), [(1.0, 1.0), (9.0, 9 / 1.4), (0.2, 0.2 / 0.96)])
def test_a_break_votes_its_way_as_loudly_as_it_traded(volume: float, times: float) -> None:
    volumes = [*[1.0] * (VOTE_BARS - 1), volume]
    up, down = (bars_of_closes([*FLAT, last], volumes, frame="5m") for last in (102.0, 98.0))
    assert drawn(up)["breakout"] == pytest.approx(min(1.0, times / 2), abs=1e-4)
    assert drawn(down)["breakout"] == pytest.approx(-min(1.0, times / 2), abs=1e-4)
    assert drawn(bars_of_closes([*FLAT, 100.0], volumes, frame="5m"))["breakout"] == 0


def ascending(last: float) -> Bars:
    """A level top at 110 and a bottom that rises to it: expected to break up."""
    turns = [100.0, 110.0, 102.0, 110.0, 104.5, 110.0, 106.5, 109.0]
    path = np.interp(np.arange(50), np.linspace(0, 49, len(turns)), turns)
    return bars_of_closes([*[100.0] * (VOTE_BARS - 51), *path, last], frame="5m", wick=0.1)


@pytest.mark.parametrize(("last", "value"), [(108.5, 0.5), (112.0, 1.0), (104.0, -1.0)])
def test_a_pattern_votes_half_for_what_is_expected_of_it_and_wholly_for_where_it_was_left(
    last: float, value: float
) -> None:
    bars = ascending(last)
    assert patterns.triangle(bars) is not None
    assert drawn(bars)["triangle"] == value
    assert drawn(mirrored(bars))["triangle"] == -value


def test_closes_like_a_drawn_curve_vote_its_way_the_more_the_nearer() -> None:
    curve = templates.DOUBLE_TOP.curve
    path = 100 + np.interp(np.linspace(0, len(curve) - 1, 48), np.arange(len(curve)), curve)
    bars = bars_of_closes([*[path[0]] * (VOTE_BARS - 48), *path], frame="5m", wick=0.01)
    found = templates.template_match(bars)
    assert found is not None and found.name == "double_top"
    assert drawn(bars)["likeness"] == pytest.approx(-(1 - found.distance_sd / templates.LIMIT), abs=1e-4)
    assert drawn(bars)["likeness"] < -0.5
    assert drawn(mirrored(bars))["likeness"] == pytest.approx(-drawn(bars)["likeness"], abs=1e-3)


def test_a_market_without_a_pattern_is_no_opinion_and_still_one_that_was_asked_for() -> None:
    still = drawn(bars_of_closes([100.0] * VOTE_BARS, frame="5m", wick=0.0))
    assert still == dict.fromkeys(("breakout", "wedge", "triangle", "head_and_shoulders", "likeness"), 0.0)


@settings(max_examples=60, deadline=None)
@given(random_bars(VOTE_BARS, "5m"))
def test_whatever_the_bars_are_every_pattern_lies_between_minus_one_and_one(bars: Bars) -> None:
    assert all(-1 <= value <= 1 for value in drawn(bars).values())


# --- the book ----------------------------------------------------------------------------------


def book(bids: list[str], asks: list[str], seen_ms: int = START_MS) -> Book:
    """Sizes level by level from the best price outwards, a tick apart."""
    return Book(
        f"{NAME}-SWAP",
        tuple((D(100) - n, D(size)) for n, size in enumerate(bids, 1)),
        tuple((D(100) + n, D(size)) for n, size in enumerate(asks, 1)),
        seen_ms,
        seen_ms,
        1,
    )


def heard(swap: Book | None) -> dict[str, float]:
    return {v.name: v.value for v in book_votes(Look(START_MS, NAME, {}, market(swap=swap)))}


def test_the_side_with_more_in_the_book_presses_window_by_window() -> None:
    bids, asks = ["3"] * 5 + ["1"] * 10, ["1"] * 15
    shown = heard(book(bids, asks))
    assert (shown["pressure_5"], shown["pressure_15"]) == (0.5, 0.25)
    assert heard(book(asks, bids))["pressure_5"] == -0.5


def test_a_large_order_votes_for_its_side() -> None:
    usual = ["1"] * 10
    assert heard(book(["5", *usual], usual))["large_orders"] == 1
    assert heard(book(usual, ["5", *usual]))["large_orders"] == -1
    assert heard(book(["5", *usual], ["15", *usual]))["large_orders"] == -0.5
    assert heard(book(["4.9", *usual], usual))["large_orders"] == 0


def test_a_book_that_is_old_crossed_one_sided_or_missing_is_not_heard() -> None:
    assert heard(book(["1"], ["1"], START_MS - BOOK_MS)) != {}
    assert heard(book(["1"], ["1"], START_MS - BOOK_MS - 1)) == {}
    crossed = replace(book(["1"], ["1"]), bids=((D(102), D(1)),))
    assert heard(crossed) == heard(book(["1"], [])) == heard(None) == {}
    assert list(book_votes(Look(START_MS, NAME, {}))) == []


# --- the crowd ---------------------------------------------------------------------------------


def crowd(newest: float, age_ms: int = 0, others: int = 40) -> dict[str, float]:
    """Thirty and more samples whose logarithms lie 0.1 above and below that of 2, and the newest one."""
    past = [(START_MS - age_ms - n * HOUR_MS, 2 * exp(0.1 * (-1) ** n)) for n in range(others, 0, -1)]
    samples = tuple((at_ms, D(repr(ratio))) for at_ms, ratio in [*past, (START_MS - age_ms, newest)])
    return {v.name: v.value for v in sentiment_votes(Look(START_MS, NAME, {}, long_short=samples))}


@pytest.mark.parametrize(("sd", "value"), [(0, 0), (1, -0.5), (-1, 0.5), (2, -1), (5, -1), (-7, 1)])
def test_a_crowd_that_is_longer_than_it_usually_is_votes_down(sd: float, value: float) -> None:
    assert crowd(exp(log(2) + 0.1 * sd)) == pytest.approx({"crowd": value}, abs=1e-3)


def test_a_crowd_without_a_past_or_of_hours_ago_is_not_heard() -> None:
    assert crowd(2.0, CROWD_MS) != {}
    assert crowd(2.0, CROWD_MS + 1) == crowd(2.0, -1) == crowd(2.0, others=29) == {}
    assert crowd(0.0) == {}


def funding(rate: str, settled: str, hours: int = 8, settlements: int = 2) -> dict[str, float]:
    quote = FundingQuote(f"{NAME}-SWAP", D(rate), START_MS, START_MS + hours * HOUR_MS, START_MS)
    past = tuple(SettledFunding(START_MS - n * 8 * HOUR_MS, D(settled)) for n in range(settlements, 0, -1))
    look = Look(START_MS, NAME, {}, market(funding=quote, settled=past))
    return {v.name: v.value for v in sentiment_votes(look)}


def test_funding_that_rises_votes_down_in_the_scale_of_eight_hours() -> None:
    assert funding("0.00035", "0.0001") == {"funding_change": -0.5}
    assert funding("-0.00015", "0.0001") == {"funding_change": 0.5}
    assert funding("0.0002", "0.0001", hours=4) == {"funding_change": -0.6}
    assert funding("0.0001", "0.0001") == {"funding_change": 0}


def test_without_a_quote_or_settlements_funding_is_not_heard() -> None:
    assert funding("0.001", "0.0001", settlements=1) == {}
    assert funding("0.001", "0.0001", hours=0) == {}
    assert list(sentiment_votes(Look(START_MS, NAME, {}, market()))) == []


# --- all of it ---------------------------------------------------------------------------------


def test_all_that_is_of_no_frame_is_asked_together() -> None:
    look = Look(
        START_MS, NAME, {"5m": bars_of_closes([*FLAT, 100.0], frame="5m")}, market(swap=book(["1"], ["2"]))
    )
    groups = [each.group for each in market_votes(look)]
    assert groups == [Group.PATTERNS] * 5 + [Group.MICROSTRUCTURE] * 4
