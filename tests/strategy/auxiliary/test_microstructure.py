"""What books and trades give away, each figure worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import Book, Side
from strategy.auxiliary.indicators import microstructure
from strategy.auxiliary.indicators.microstructure import (
    Flow,
    HiddenOrder,
    LargeOrder,
    Print,
    hidden_orders,
    large_orders,
    large_trades,
    order_flow,
    pressure,
    trade_flow,
)

D = Decimal
T0 = 1_704_067_200_000
Sizes = tuple[str | int, ...]


def book(bids: Sizes, asks: Sizes, at: int = 0, bid: str = "100", ask: str = "101") -> Book:
    """Levels one apart, best first."""
    return Book(
        "BTC-USDT",
        tuple((D(bid) - n, D(size)) for n, size in enumerate(bids)),
        tuple((D(ask) + n, D(size)) for n, size in enumerate(asks)),
        T0 + at,
        T0 + at,
        at,
    )


def taken(side: Side, px: str | int, size: str | int, at: int = 0) -> Print:
    return Print(side, D(px), D(size), T0 + at)


BUY, SELL = Side.BUY, Side.SELL


# --- pressure ---------------------------------------------------------------------------------


def test_pressure_weighs_the_best_levels_of_both_sides() -> None:
    seen = book((1, 2, 3, 4, 5, 100), (5, 5, 5, 5, 5, 1))
    assert pressure(seen, (1, 5, 6)) == (
        Flow(1, D(-4), D(-4) / 6),
        Flow(5, D(-10), D(-10) / 40),
        Flow(6, D(89), D(89) / 141),
    )


def test_pressure_of_fewer_levels_than_asked_for_counts_those_there_are() -> None:
    assert pressure(book((3,), (1,))) == tuple(Flow(window, D(2), D("0.5")) for window in (5, 15, 30))


@pytest.mark.parametrize(
    "odd", [book((), (1,)), book((1,), ()), book((1,), (1,), bid="101"), book((1,), (1,), bid="102")]
)
def test_a_book_that_is_not_sane_says_nothing(odd: Book) -> None:
    assert pressure(odd) == () and large_orders(odd) == ()


# --- order flow -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "net"),
    [
        (book((12,), (20,)), 2),  # 2 joined the best bid
        (book((7,), (20,)), -3),  # 3 left it, or were sold into
        (book((10,), (26,)), -6),  # 6 joined the best ask
        (book((10,), (15,)), 5),  # 5 left it, or were bought
        (book((4,), (20,), bid="100.5"), 4),  # a better bid of 4
        (book((8,), (20,), bid="99"), -10),  # the best bid of 10 is gone
        (book((10,), (3,), ask="100.5"), -3),  # a better ask of 3
        (book((10,), (9,), ask="102"), 20),  # the best ask of 20 is gone
        (book((4,), (9,), bid="100.5", ask="102"), 24),  # both at once
        (book((10, 9, 9), (20, 1, 1)), 0),  # behind the best prices nothing counts
    ],
)
def test_one_change_adds_what_came_and_takes_off_what_went(after: Book, net: int) -> None:
    before = book((10,), (20,))
    (flow,) = order_flow([before, after], (1,))
    assert flow.net == net
    assert flow.ratio == (net > 0) - (net < 0)


def test_windows_hold_the_newest_changes_only() -> None:
    """Changes of the best bid: -3, 5, 1."""
    books = [book((size,), (20,), at) for at, size in enumerate((10, 7, 12, 13))]
    assert order_flow(books, (1, 2, 3, 4)) == (
        Flow(1, D(1), D(1)),
        Flow(2, D(6), D(1)),
        Flow(3, D(3), D(3) / 9),
    )


def test_the_default_windows_are_five_fifteen_and_thirty() -> None:
    books = [book((size,), (20,), at) for at, size in enumerate(range(1, 32))]
    assert [flow.window for flow in order_flow(books)] == [5, 15, 30]
    assert [flow.net for flow in order_flow(books)] == [5, 15, 30]
    assert [flow.window for flow in order_flow(books[:16])] == [5, 15]
    assert order_flow(books[:5]) == () and order_flow([]) == ()


def test_what_lies_before_a_book_that_is_not_sane_is_not_looked_at() -> None:
    books = [book((size,), (20,), at) for at, size in enumerate((1, 5, 6, 8))]
    books[1] = book((5,), (), 1)
    assert order_flow(books, (1, 2)) == (Flow(1, D(2), D(1)),)
    assert order_flow([*books[:3], book((), (1,), 9)], (1,)) == ()


def test_nothing_that_changed_is_no_pressure() -> None:
    assert order_flow([book((1,), (1,), at) for at in range(4)], (3,)) == (Flow(3, D(0), D(0)),)


@given(
    sizes=st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(-2, 2)), min_size=2, max_size=40
    )
)
def test_order_flow_of_swapped_sides_is_the_same_with_the_other_sign(
    sizes: list[tuple[int, int, int]],
) -> None:
    plain, swapped, mid = [], [], 1_000
    for at, (bid, ask, step) in enumerate(sizes):
        mid += step
        plain.append(book((bid,), (ask,), at, str(mid - 1), str(mid + 1)))
        swapped.append(book((ask,), (bid,), at, str(2_000 - mid - 1), str(2_000 - mid + 1)))
    for one, other in zip(order_flow(plain, (1, 5)), order_flow(swapped, (1, 5)), strict=True):
        assert one.net == -other.net and one.ratio == -other.ratio and abs(one.ratio) <= 1


# --- trades -----------------------------------------------------------------------------------


def test_trade_flow_weighs_takers_by_size() -> None:
    prints = [taken(SELL, 100, 50), taken(BUY, 101, 3), taken(SELL, 100, 1), taken(BUY, 101, 2)]
    assert trade_flow(prints, (3, 4, 5)) == (Flow(3, D(4), D(4) / 6), Flow(4, D(-46), D(-46) / 56))


@given(sizes=st.lists(st.integers(-50, 50).filter(bool), min_size=30, max_size=60))
def test_trade_flow_is_bought_less_sold_over_all(sizes: list[int]) -> None:
    prints = [taken(BUY if size > 0 else SELL, 100, abs(size)) for size in sizes]
    for flow in trade_flow(prints):
        newest = sizes[-flow.window :]
        exact = Fraction(sum(newest), sum(map(abs, newest)))
        assert flow.net == sum(newest) and float(flow.ratio) == pytest.approx(float(exact))


# --- large orders -----------------------------------------------------------------------------


def test_a_level_of_five_times_the_median_of_its_side_stands_out() -> None:
    """Bids have a median of 2: 10 is five times that, 9.99 is not. Asks have one of 20."""
    seen = book((2, "9.99", 1, 10, 2), (20, 20, 99, 20, 1))
    (found,) = large_orders(seen)
    assert found == LargeOrder(BUY, D(97), D(10), D(5), D("3.5") / D("100.5") * 10_000)
    assert large_orders(seen, D("4.9")) == (
        LargeOrder(BUY, D(99), D("9.99"), D("4.995"), D("1.5") / D("100.5") * 10_000),
        found,
        LargeOrder(SELL, D(103), D(99), D("4.95"), D("2.5") / D("100.5") * 10_000),
    )


def test_a_side_that_is_thick_all_over_has_no_large_order() -> None:
    assert large_orders(book((1,) * 9, (1_000,) * 9)) == ()


def test_a_trade_of_five_times_the_median_stands_out() -> None:
    prints = [taken(BUY, 101, 2), taken(SELL, 100, 10, 1), taken(BUY, 101, 2), taken(BUY, 101, 1)]
    assert large_trades(prints) == (LargeOrder(SELL, D(100), D(10), D(5)),)
    assert large_trades([]) == () and large_trades(prints[:1]) == ()


# --- hidden orders ----------------------------------------------------------------------------


def test_more_traded_than_was_shown_and_still_there_was_hidden() -> None:
    """5 were shown at 101, takers bought 12, 4 are left: at least 11 had not been in the book."""
    prints = [taken(BUY, 101, 7), taken(BUY, 101, 5), taken(SELL, 100, 2)]
    (found,) = hidden_orders(book((9,), (5, 8)), book((7,), (4, 8), 1), prints)
    assert found == HiddenOrder(SELL, D(101), D(5), D(12), D(4)) and found.hidden == 11


def test_a_bid_can_hide_as_well() -> None:
    (found,) = hidden_orders(book((3,), (5,)), book((3,), (5,), 1), [taken(SELL, 100, 4)])
    assert (found.side, found.hidden) == (BUY, 4)


@pytest.mark.parametrize(
    ("after", "prints"),
    [
        (book((9,), (8,), 1), [taken(BUY, 101, 5)]),  # refilled by a new order: 5 shown, 5 traded
        (book((9,), (8,), 1, ask="102"), [taken(BUY, 101, 12)]),  # the level is gone
        (book((9,), (5,), 1), [taken(SELL, 101, 12)]),  # a sell at that price took from a bid
        (book((9,), (5,), 1), []),
    ],
    ids=["refilled", "gone", "other side", "no trade"],
)
def test_what_has_another_explanation_is_not_called_hidden(after: Book, prints: list[Print]) -> None:
    assert hidden_orders(book((9,), (5,)), after, prints) == ()


# --- bad input --------------------------------------------------------------------------------

SWAP = replace(book((1,), (1,), 1), inst_id="BTC-USDT-SWAP")
BAD: tuple[tuple[str, Callable[[], object]], ...] = (
    ("windows of 5, 0, allowed: 1 or more", lambda: pressure(book((1,), (1,)), (5, 0))),
    ("windows of nothing, allowed: 1 or more", lambda: trade_flow([], ())),
    ("1 times the median, allowed: above 1", lambda: large_orders(book((1,), (1,)), D(1))),
    ("NaN times the median, allowed: above 1", lambda: large_trades([], D("NaN"))),
    ("order_flow: books of BTC-USDT and BTC-USDT-SWAP", lambda: order_flow([book((1,), (1,)), SWAP])),
    ("hidden_orders: books of BTC-USDT and BTC-USDT-SWAP", lambda: hidden_orders(book((1,), (1,)), SWAP, [])),
    (
        f"order_flow: BTC-USDT at {T0} after {T0 + 5}, allowed: oldest first",
        lambda: order_flow([book((1,), (1,), 5), book((1,), (1,))]),
    ),
)


@pytest.mark.parametrize(("words", "call"), BAD, ids=[row[0] for row in BAD])
def test_bad_input_is_named_with_what_is_allowed(words: str, call: Callable[[], object]) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(words)


def test_the_promised_windows_and_threshold_are_the_defaults() -> None:
    assert microstructure.WINDOWS == (5, 15, 30) and D("5.0") == microstructure.LARGE
