"""The way out that can only reduce: whatever the venue answers, no order grows anything."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import ZERO, Fill, Leg, Side, floor_to
from execution.reduction import Owned, Step, Stock, next_step, objection, owned_with
from tests.fakes import btc

D = Decimal
PAIR = btc()


def stock(spot: str, contracts: str, has_spot: str = "9", has_short: str = "900") -> Stock:
    return Stock(PAIR, Owned(D(spot), D(contracts)), D(has_spot), D(has_short))


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (stock("1", "100"), Step(Leg.SWAP, D(25))),  # equal legs: a slice, the swap first
        (stock("1", "75"), Step(Leg.SPOT, D("0.25"))),  # then the spot that stood behind it
        (stock("0.4", "100"), Step(Leg.SWAP, D(60))),  # too much short
        (stock("1", "0"), Step(Leg.SPOT, D(1))),
        (stock("0", "100"), Step(Leg.SWAP, D(100))),
        (stock("1", "100", has_short="0"), Step(Leg.SPOT, D(1))),  # the short was taken away
        (stock("1", "100", has_spot="0"), Step(Leg.SWAP, D(100))),  # the coins were
        (stock("0.000004", "0"), None),  # dust
        (stock("0", "0"), None),  # what the account has besides is somebody else's
    ],
)
def test_the_next_order(of: Stock, expected: Step | None) -> None:
    assert next_step(of, D(25)) == expected
    if expected is not None:
        assert objection(of, expected, D(25)) == ""


def test_without_any_depth_the_smallest_order_still_goes() -> None:
    assert next_step(stock("1", "100"), ZERO) == Step(Leg.SWAP, D("0.01"))


@pytest.mark.parametrize(
    ("of", "step"),
    [
        (stock("1", "100"), Step(Leg.SWAP, D(101))),
        (stock("1", "100"), Step(Leg.SPOT, D(2))),
        (stock("1", "100"), Step(Leg.SPOT, ZERO)),
        (stock("1", "100"), Step(Leg.SWAP, D(60))),  # more than a slice
        (stock("1", "50"), Step(Leg.SWAP, D(10))),  # makes unequal legs more unequal
        (stock("0.5", "100"), Step(Leg.SPOT, D("0.1"))),
    ],
)
def test_an_order_that_reduces_nothing_is_objected_to(of: Stock, step: Step) -> None:
    assert objection(of, step, D(25))


amounts = st.integers(0, 40_000).map(lambda n: D(n) / 10_000)
lots = st.integers(0, 40_000).map(lambda n: D(n) / 100)
shares = st.integers(0, 100).map(lambda n: D(n) / 100)


@pytest.mark.fault("CR12", "OL14", "MI1", "MI2", "MI3")
@settings(max_examples=300)
@given(
    owned=st.builds(Owned, amounts, lots),
    has=st.tuples(amounts, lots),
    room=lots,
    world=st.lists(st.tuples(shares, amounts, lots, st.booleans()), max_size=25),
)
def test_no_sequence_of_answers_leads_to_an_order_that_grows_a_leg_the_delta_or_touches_what_is_not_ours(
    owned: Owned,
    has: tuple[Decimal, Decimal],
    room: Decimal,
    world: list[tuple[Decimal, Decimal, Decimal, bool]],
) -> None:
    at = Stock(PAIR, owned, *has)
    sold = bought = ZERO
    one_slice = PAIR.swap.to_base(max(room, PAIR.swap.min_size))
    for share, spot_now, short_now, somebody_acts in world:
        step = next_step(at, room)
        if step is None:
            assert at.is_flat or at.short < PAIR.swap.min_size
            break
        assert objection(at, step, room) == ""
        # Shrinks its leg, within what is owned and there
        assert (step.leg, step.side) in ((Leg.SPOT, Side.SELL), (Leg.SWAP, Side.BUY))
        assert ZERO < step.size <= (at.spot if step.leg is Leg.SPOT else at.short)
        # For every part of it that may fill, the delta stays within a slice, or shrinks
        lot = PAIR.spot.lot if step.leg is Leg.SPOT else PAIR.swap.lot
        for part in (share, D(1)):
            left = at.after(step, floor_to(step.size * part, lot))
            most = max(abs(at.delta), at.tolerance + one_slice)
            assert abs(left.delta) <= most
            if abs(at.delta) >= at.tolerance:
                assert abs(left.delta) <= abs(at.delta)
            assert left.spot <= at.spot and left.short <= at.short
        filled = floor_to(step.size * share, lot)
        sold += filled if step.leg is Leg.SPOT else ZERO
        bought += filled if step.leg is Leg.SWAP else ZERO
        at = at.after(step, filled)
        if somebody_acts:  # the next picture of the account says anything at all
            at = replace(at, has_spot=spot_now, has_short=short_now)
    assert sold <= owned.spot and bought <= owned.contracts


@settings(max_examples=200)
@given(owned=st.builds(Owned, amounts, lots), room=lots.filter(lambda n: n >= 1))
def test_when_orders_fill_everything_owned_ends_up_flat(owned: Owned, room: Decimal) -> None:
    at = Stock(PAIR, owned, D(9), D(900))
    for _ in range(1 + 2 * (1 + int(owned.contracts / room)) + 2):
        step = next_step(at, room)
        if step is None:
            break
        at = at.after(step, step.size)
    assert next_step(at, room) is None and at.is_flat


def fill(cl_id: str, inst_id: str, side: Side, size: str, trade: str = "1", fee: str = "0") -> Fill:
    return Fill(inst_id, trade, "9", cl_id, side, D(60_000), D(size), D(fee), "BTC", 1)


BOOKED = {"BTC-USDT": Owned(D(1), D(100))}
SPOT, SWAP = PAIR.spot.inst_id, PAIR.swap.inst_id


@pytest.mark.fault("MI3", "WS6", "QT1")
@pytest.mark.parametrize(
    ("told", "owned"),
    [
        (fill("FE1H1S3N2", SPOT, Side.BUY, "0.5", fee="-0.0005"), Owned(D("1.4995"), D(100))),
        (fill("FE1H1P3N2", SWAP, Side.SELL, "5"), Owned(D(1), D(105))),
        (fill("FW5P7N1", SWAP, Side.BUY, "30"), Owned(D(1), D(70))),
        (fill("FW5P7N2", SPOT, Side.SELL, "0.3"), Owned(D("0.7"), D(100))),
        (fill("FE1H1S2N2", SPOT, Side.BUY, "0.5"), Owned(D(1), D(100))),  # of another process's books
        (fill("byhand", SPOT, Side.BUY, "0.5"), Owned(D(1), D(100))),
        (fill("", SWAP, Side.SELL, "5"), Owned(D(1), D(100))),
        (fill("FE1H1S3N1", SPOT, Side.BUY, "1", trade="known"), Owned(D(1), D(100))),
    ],
)
def test_what_the_books_have_not_heard_of_is_owned_too_and_nothing_else(told: Fill, owned: Owned) -> None:
    known = [f"{SPOT}/known"]
    assert owned_with(BOOKED, known, [told, told], [PAIR], 3) == {"BTC-USDT": owned}
