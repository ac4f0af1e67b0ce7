"""What is asked at every order of the sleeve, case by case and over sequences nobody wrote down."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.types import HOUR_MS, Base, Side, Usdt
from strategy.auxiliary.gate import judge
from strategy.auxiliary.red_lines.monitor import Exposure, order_allowed
from strategy.auxiliary.sleeve_view import Entered, Held, SleeveView
from tests.strategy.auxiliary.gate_scenes import NAME, NOW_MS, market, rules, signal

FLAT = Exposure(NAME, Base(D(0)))
LONG = Exposure(NAME, Base(D(1)), D(100), Usdt(D(50)), D(97))
SHORT = Exposure(NAME, Base(D(-1)), D(100), Usdt(D(50)), D(103))
MORE = replace(LONG, net=Base(D(2)), margin=Usdt(D(100)))
NO_STOP = "no stop protects what would be held"
LOSES = "the net delta of a position that does not win would become larger"


@pytest.mark.parametrize(
    ("before", "after", "mark", "says"),
    [
        (FLAT, LONG, "100", "within the red lines"),
        (FLAT, SHORT, "100", "within the red lines"),
        (LONG, MORE, "100.01", "within the red lines"),
        (LONG, MORE, "100", LOSES),
        (LONG, MORE, "99.99", LOSES),
        (SHORT, replace(SHORT, net=Base(D(-2)), margin=Usdt(D(100))), "100.01", LOSES),
        (SHORT, replace(SHORT, net=Base(D(-2)), margin=Usdt(D(100))), "99.99", "within the red lines"),
        (LONG, replace(LONG, net=Base(D("0.5"))), "10", "nothing becomes larger"),
        (LONG, replace(LONG, net=Base(D("0.5")), stop_px=None), "10", "nothing becomes larger"),
        (LONG, FLAT, "10", "nothing becomes larger"),
        (LONG, LONG, "10", "nothing becomes larger"),
        (LONG, SHORT, "110", "an order turns a position over: it is closed first"),
        (FLAT, replace(LONG, stop_px=None), "100", NO_STOP),
        (FLAT, replace(LONG, stop_px=D(100)), "100", NO_STOP),
        (FLAT, replace(LONG, stop_px=D(0)), "100", NO_STOP),
        (FLAT, replace(SHORT, stop_px=D(97)), "100", NO_STOP),
        (FLAT, replace(LONG, margin=Usdt(D("33.3"))), "100", "leverage would pass the red line"),
        (FLAT, replace(LONG, margin=Usdt(D("33.4"))), "100", "within the red lines"),
        (FLAT, replace(LONG, margin=Usdt(D(0))), "100", "leverage would pass the red line"),
        (FLAT, LONG, None, "the mark price is not known"),
        (LONG, FLAT, None, "nothing becomes larger"),
        (replace(FLAT, instrument="ETH-USDT"), LONG, "100", "the order is for another instrument"),
    ],
)
def test_an_order_leaves_only_within_the_red_lines(
    before: Exposure, after: Exposure, mark: str | None, says: str
) -> None:
    verdict = order_allowed(before, after, None if mark is None else D(mark))
    assert verdict.reason == says
    assert verdict.ok is (says in ("within the red lines", "nothing becomes larger"))
    assert dict(verdict.figures)["net_after_base"] == after.net


def test_an_order_on_the_same_side_is_averaged_in_and_one_on_the_other_takes_off() -> None:
    more = LONG.with_order(Side.BUY, Base(D(3)), D(108), Usdt(D(90)), D(101))
    assert more == Exposure(NAME, Base(D(4)), D(106), Usdt(D(140)), D(101))
    less = SHORT.with_order(Side.BUY, Base(D("0.25")), D(90), Usdt(D(0)), None)
    assert less == replace(SHORT, net=Base(D("-0.75")), margin=Usdt(D("37.5")))
    over = LONG.with_order(Side.SELL, Base(D(2)), D(110), Usdt(D(0)), D(120))
    assert not order_allowed(LONG, over, D(110)).ok


class Sleeve(RuleBasedStateMachine):
    """Two modules, one coin, a price that jumps, a picture of the sleeve that may be old, orders that fill in
    part, and somebody else who takes off what he likes."""

    def __init__(self) -> None:
        super().__init__()
        self.px, self.now_ms = D(60_000), NOW_MS
        self.module, self.held = "tried", FLAT
        self.entries: list[Entered] = []
        self.rises: list[tuple[D, D]] = []  # profit before each rise of a position that was there
        self.look_again()

    @rule(times=st.integers(900, 1_110))
    def price_moves(self, times: int) -> None:
        self.px = min(D(90_000), max(D(30_000), (self.px * times / 1_000).quantize(D("0.1"))))

    @rule(hours=st.sampled_from([1, 2, 7, 25]))
    def time_goes_by(self, hours: int) -> None:
        self.now_ms += hours * HOUR_MS

    @rule()
    def look_again(self) -> None:
        there: tuple[Held, ...] = ()
        if self.held.net:
            side = Side.BUY if self.held.net > 0 else Side.SELL
            base = Base(abs(self.held.net))
            there = (Held(self.module, NAME, side, base, self.held.entry_px, self.px, self.held.margin),)
        self.view = SleeveView(Usdt(D(100_000)), there, tuple(self.entries))
        self.shown = market(str(self.px))

    @rule(
        module=st.sampled_from(["tried", "tried", "other"]),
        side=st.sampled_from(Side),
        slice_base=st.none() | st.sampled_from([D("0.01"), D("0.05")]),
        filled=st.sampled_from([D("0.3"), D(1)]),
    )
    def propose(self, module: str, side: Side, slice_base: D | None, filled: D) -> None:
        shown = replace(self.shown, mark_seen_ms=self.now_ms)
        assert shown.swap is not None
        shown = replace(shown, swap=replace(shown.swap, seen_ms=self.now_ms))
        said = signal(
            module=module,
            side=side,
            px=shown.swap.mid if shown.swap else self.px,
            most_base=slice_base and Base(slice_base),
            at_ms=self.now_ms,
            valid_until_ms=self.now_ms + 1,
            wished_leverage=D(25),
        )
        grant = judge(
            said, replace(self.view, entries=tuple(self.entries)), shown, rules(), self.now_ms
        ).grant
        if grant is None:
            return
        event("granted")
        net = self.held.net + side.sign * grant.base
        whole = self.held.with_order(side, grant.base, grant.entry_px, grant.margin, grant.stop_px)
        assert whole.net == net
        if not order_allowed(self.held, whole, self.px).ok:
            event("the gate saw an old picture, and the monitor refused")
            return
        part, margin = Base(grant.base * filled), Usdt(grant.margin * filled)
        self._rise(module, self.held.with_order(side, part, grant.entry_px, margin, grant.stop_px))
        self.entries.append(Entered(module, NAME, self.now_ms))

    @precondition(lambda self: self.held.net)
    @rule(part=st.sampled_from([D("0.4"), D(1)]))
    def take_off(self, part: D) -> None:
        side = Side.SELL if self.held.net > 0 else Side.BUY
        after = self.held.with_order(side, Base(abs(self.held.net) * part), self.px, Usdt(D(0)), None)
        assert order_allowed(self.held, after, self.px).ok
        self.held = after if after.net else FLAT

    def _rise(self, module: str, after: Exposure) -> None:
        before = self.held
        self.module = self.module if before.net else module
        if before.net:
            event("a slice was added to what wins")
            self.rises.append((before.profit_at(self.px), abs(after.net) - abs(before.net)))
        self.held = after

    @invariant()
    def no_losing_net_delta_was_ever_raised(self) -> None:
        assert all(profit > 0 for profit, rise in self.rises if rise > 0)

    @invariant()
    def what_is_held_has_a_stop_and_at_most_three_times_its_margin(self) -> None:
        if self.held.net:
            assert self.held.stop_px is not None
            assert abs(self.held.net) * self.held.entry_px <= 3 * self.held.margin * (1 + D("1e-20"))


TestSleeve = Sleeve.TestCase
TestSleeve.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
