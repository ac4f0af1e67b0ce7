"""Both legs to a target: what may go wrong between them, and where it ends."""

from dataclasses import replace

import pytest

from core.context import MarketView
from core.errors import AuthFailed
from core.events import HedgeTarget, Outcome, Purpose
from core.facts import Kind
from core.types import Base, Leg, OrderKind, OrderRequest, Side
from tests.execution.bench import MAKER_FIRST, Bench
from tests.fakes import D, FakeTrading, Fault, btc

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


async def opened(base: str = "0.5") -> Bench:
    bench = Bench()
    report = await bench.reach(base, Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED
    bench.venue.sent.clear()
    return bench


# --- opening --------------------------------------------------------------------------------------


async def test_opening_buys_spot_and_shorts_what_remains_after_the_fee_in_the_coin() -> None:
    bench = Bench()
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and report.errors == ()
    assert bench.sides() == ["buy spot", "sell swap"]
    assert bench.real.contracts == 50
    assert 0 <= bench.real.spot - D("0.5") <= bench.pair.spot.lot
    assert bench.legs == bench.real
    assert bench.hedge_events() == ["opened"]


async def test_with_the_fee_in_quote_no_coin_too_many_is_bought() -> None:
    bench = Bench()
    bench.venue.fee_in_base = False
    bench.hire()
    await bench.reach("0.5", Purpose.OPEN)
    assert bench.real.spot == D("0.5") and bench.real.contracts == 50
    assert bench.sides() == ["buy spot", "sell swap"]


async def test_asking_for_the_same_target_twice_sends_nothing_more() -> None:
    bench = await opened()
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.venue.sent == []
    assert bench.hedge_events() == ["opened"]


async def test_a_large_opening_goes_in_slices_so_that_no_more_than_one_stands_naked() -> None:
    bench = Bench()
    report = await bench.reach("5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 500
    assert bench.sides() == ["buy spot", "sell swap"] * 3  # 2 BTC each: a fifth of the depth in the band
    assert max(o.size for o in bench.venue.sent if o.leg is Leg.SPOT) < D("2.01")


async def test_a_slice_is_never_above_the_largest_order_of_either_market() -> None:
    bench = Bench()
    bench.pair = bench.venue.pair = replace(bench.pair, swap=replace(bench.pair.swap, max_limit_size=D(30)))
    report = await bench.reach("1", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 100
    assert [o.size for o in bench.venue.sent if o.leg is Leg.SWAP] == [30, 30, 30, 10]


async def test_a_refused_short_is_answered_by_selling_the_spot_again() -> None:
    bench = Bench()
    bench.venue.on(SWAP, Fault(reject="51008"))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.FLAT and report.rejects == 1
    assert bench.sides() == ["buy spot", "sell swap", "sell spot"]
    assert bench.real.flat and bench.hedge_events() == ["opened", "closed"]
    assert report.naked_ms < 5_000


async def test_an_opening_whose_short_did_not_follow_is_not_tried_slice_after_slice() -> None:
    bench = Bench()
    bench.venue.on(SWAP, *[Fault(reject="51008")] * 20)
    report = await bench.reach("5", Purpose.OPEN)
    assert report.outcome is Outcome.FLAT and bench.sides().count("buy spot") == 1


async def test_a_short_that_fills_37_percent_is_completed() -> None:
    bench = Bench()
    bench.venue.on(SWAP, Fault(fill=D("0.37")))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 50
    assert [o.size for o in bench.venue.sent if o.leg is Leg.SWAP] == [50, D("31.5")]
    assert [row.body["purpose"] for row in bench.journal.of(Kind.INTENT)] == ["open", "open", "repair"]
    assert report.naked_ms == 240, "from the first fill of spot to the last of the swap"


async def test_spot_that_fills_37_percent_is_hedged_as_it_is_and_topped_up_by_the_next_slice() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(fill=D("0.37")))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 50
    assert [o.size for o in bench.venue.sent if o.leg is Leg.SWAP] == [D("18.49"), D("31.51")]


async def test_a_short_whose_answer_was_lost_but_which_was_executed_is_not_sent_twice() -> None:
    bench = Bench()
    bench.venue.on(SWAP, Fault(ack_lost=True, push="none"))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED
    assert bench.sides() == ["buy spot", "sell swap"] and bench.real.contracts == 50


async def test_a_short_that_never_arrived_is_replaced_after_its_absence_is_proven() -> None:
    bench = Bench()
    bench.venue.on(SWAP, Fault(lost=True))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 50
    assert bench.sides() == ["buy spot", "sell swap", "sell swap"]
    assert len({o.cl_id for o in bench.venue.sent}) == 3
    assert 2_000 <= report.naked_ms < 5_000


async def test_while_an_order_is_unknown_nothing_more_is_sent_and_the_report_says_broken() -> None:
    bench = Bench()
    bench.venue.on(SWAP, Fault(ack_lost=True, push="none"))
    bench.venue.outages.extend([True] * 60)
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BROKEN and bench.sides() == ["buy spot", "sell swap"]
    assert any("unknown" in e for e in report.errors)
    report = await bench.reach("0", Purpose.FLATTEN)
    assert report.outcome is Outcome.BROKEN and len(bench.venue.sent) == 2
    assert bench.hedge_events() == ["opened"]
    bench.venue.outages.clear()
    report = await bench.reach("0.5", Purpose.REPAIR)
    assert report.outcome is Outcome.BALANCED and len(bench.venue.sent) == 2


async def test_equal_legs_with_an_unknown_order_are_still_broken() -> None:
    bench = await opened()
    bench.venue.on(SPOT, Fault(ack_lost=True, push="none"))
    bench.venue.outages.extend([True] * 60)
    report = await bench.reach("0.8", Purpose.GROW)
    assert bench.legs.balanced and report.outcome is Outcome.BROKEN


async def test_nothing_is_opened_while_any_order_of_the_books_is_unresolved() -> None:
    bench = Bench()
    body = {"order": bench.order(), "hedge_id": "h9", "purpose": Purpose.OPEN}
    bench.journal.append(Kind.INTENT, 0, body)
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.FLAT and bench.venue.sent == [] and report.errors


async def test_when_neither_completing_nor_unwinding_works_the_report_says_broken() -> None:
    bench = Bench()
    bench.venue.on(SWAP, *[Fault(reject="51008")] * 99)
    bench.venue.on(SPOT, Fault(), *[Fault(reject="51022")] * 99)
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BROKEN
    assert 5_000 <= report.naked_ms < 6_000, "the repair deadline is used, and not more"
    assert {"sell spot", "sell swap"} <= set(bench.sides()), "both ways were tried"
    assert bench.hedge_events() == ["opened"]


async def test_a_repair_climbs_the_ladder_of_slippage_bounds_up_to_its_last() -> None:
    bench = Bench()
    bench.venue.on(SWAP, *[Fault(fill=D(0))] * 2)
    await bench.reach("0.5", Purpose.OPEN)
    shorts = [o for o in bench.venue.sent if o.leg is Leg.SWAP]
    bounds = [round((1 - o.limit_px / o.ref_mid) * 10_000, 1) for o in shorts]
    assert bounds == [D("15.0"), D("32.5"), D("50.0")]


async def test_a_repair_takes_the_cheaper_way_by_the_books() -> None:
    bench = Bench()
    bench.venue.on(SWAP, Fault(fill=D(0)), Fault(fill=D(0)))

    def view(name: str) -> MarketView:
        """A swap market 40 bps wide: selling the spot back costs less than shorting there."""
        seen = bench.venue.view(name)
        assert seen.swap is not None
        far = replace(seen.swap, bids=tuple((p * D("0.998"), q) for p, q in seen.swap.bids))
        return replace(seen, swap=far if bench.venue.sent else seen.swap)

    target = HedgeTarget(SPOT, Base(D("0.5")), Purpose.OPEN, "test")
    report = await bench.positions.reach(target, bench.pair, view)
    assert report.outcome is Outcome.FLAT
    assert bench.sides() == ["buy spot", "sell swap", "sell spot"]


async def test_a_price_run_between_the_legs_is_chased() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(move_bps=D(-30)))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 50


async def test_a_first_order_that_is_refused_ends_the_opening_flat() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(reject="51008"))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert (report.outcome, report.orders, report.rejects) == (Outcome.FLAT, 1, 1)
    assert bench.hedge_events() == ["opened", "closed"]


async def test_a_denied_opening_sends_nothing() -> None:
    bench = Bench()
    bench.refuses = "dry run"
    report = await bench.reach("0.5", Purpose.OPEN)
    assert (report.outcome, report.orders) == (Outcome.FLAT, 0) and bench.venue.sent == []


async def test_a_target_below_one_lot_opens_nothing() -> None:
    bench = Bench()
    report = await bench.reach("0.00009", Purpose.OPEN)
    assert report.outcome is Outcome.FLAT and bench.venue.sent == [] and bench.journal.written == []


async def test_a_spot_minimum_above_the_need_is_respected() -> None:
    bench = Bench(btc(spot_min="0.0002"))
    report = await bench.reach("0.0001", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == D("0.01")
    assert bench.venue.sent[0].size == D("0.0002")


async def test_less_than_the_venues_minimum_is_not_sent() -> None:
    desk = (await opened()).desk()
    assert await desk.take(Leg.SPOT, Side.SELL, D("0.000009"), D(15), Purpose.EXIT) is None
    assert desk.orders == 0


async def test_an_opening_leaves_in_time_for_its_deadline() -> None:
    bench = Bench()
    bench.venue.level_base = D("0.01")
    began_ms = bench.clock.now_ms()
    report = await bench.reach("20", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and 0 < bench.real.contracts < 2_000
    assert 45_000 < bench.clock.now_ms() - began_ms < 55_000, "the machine's deadline is 60 s"


async def test_books_too_thin_for_one_lot_open_nothing() -> None:
    bench = Bench()
    bench.venue.level_base = D("0.00004")
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.FLAT and bench.venue.sent == []


async def test_a_stop_is_heeded_between_two_slices_with_equal_legs() -> None:
    bench = Bench()
    bench.stops_after = 1
    report = await bench.reach("5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.sides() == ["buy spot", "sell swap"]
    assert "left early" in report.detail


async def test_a_stop_before_the_first_order_opens_nothing() -> None:
    bench = Bench()
    bench.stops_after = 0
    report = await bench.reach("5", Purpose.OPEN)
    assert report.outcome is Outcome.FLAT and bench.journal.written == []


async def test_a_silent_stream_is_replaced_by_asking_for_the_book() -> None:
    bench = Bench()
    stale = bench.venue.view(SPOT)
    await bench.clock.sleep(60)
    target = HedgeTarget(SPOT, Base(D("0.5")), Purpose.OPEN, "test")
    report = await bench.positions.reach(target, bench.pair, lambda _: stale)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 50


async def test_without_any_fresh_book_nothing_is_sent() -> None:
    bench = Bench()
    stale = bench.venue.view(SPOT)
    await bench.clock.sleep(60)
    bench.venue.outages.extend([True] * 99)
    target = HedgeTarget(SPOT, Base(D("0.5")), Purpose.OPEN, "test")
    report = await bench.positions.reach(target, bench.pair, lambda _: stale)
    assert report.outcome is Outcome.FLAT and bench.venue.sent == []


async def test_a_crossed_book_is_not_traded_on() -> None:
    bench = Bench()
    bench.venue.half_spread_bps = D(-1)
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.FLAT and bench.venue.sent == []


async def test_a_key_that_is_refused_between_the_legs_ends_broken_and_without_a_loop() -> None:
    class LockedOut(FakeTrading):
        async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
            if self.sent:
                self.sent.append(order)
                raise AuthFailed("permission removed", "50120")
            return await super().place(order)

    bench = Bench()
    bench.venue = LockedOut(bench.clock, bench.pair)
    bench.hire()
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BROKEN and len(bench.venue.sent) == 2


async def test_a_journal_that_fails_between_the_legs_still_lets_the_short_follow() -> None:
    bench = Bench()
    bench.clock.later(10, lambda: setattr(bench.journal, "fails", True))
    report = await bench.reach("5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.sides() == ["buy spot", "sell swap"]
    assert any("disk full" in e for e in report.errors)


# --- maker first ----------------------------------------------------------------------------------


async def test_maker_first_rests_at_the_best_bid_and_takes_only_what_is_left() -> None:
    bench = Bench(settings=MAKER_FIRST)
    bench.venue.on(SPOT, Fault(rest_fill=(1_000, D("0.6"))))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 50
    assert [o.kind for o in bench.venue.sent] == [OrderKind.POST_ONLY, OrderKind.IOC, OrderKind.IOC]
    assert bench.venue.sent[0].limit_px == bench.venue.book_of(SPOT).bids[0][0]
    assert report.naked_ms < 5_000, "a first fill ends the waiting before the repair deadline"


async def test_a_maker_order_that_fills_whole_leaves_nothing_to_take() -> None:
    bench = Bench(settings=MAKER_FIRST)
    bench.venue.on(SPOT, Fault(rest_fill=(1_000, D(1))))
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED and bench.sides() == ["buy spot", "sell swap"]
    assert bench.real.contracts == 50


# --- closing --------------------------------------------------------------------------------------


async def test_closing_buys_the_swap_back_first_reduce_only_and_sells_all_the_spot() -> None:
    bench = await opened()
    report = await bench.reach("0", Purpose.EXIT)
    assert report.outcome is Outcome.FLAT
    assert bench.sides() == ["buy swap", "sell spot"]
    assert [o.reduce_only for o in bench.venue.sent] == [True, False]
    assert bench.real.contracts == 0 and bench.real.spot < bench.pair.spot.lot
    assert bench.hedge_events() == ["opened", "target", "closed"]
    assert bench.books.dust["BTC"] == bench.real.spot, "what remains is booked as dust"


async def test_shrinking_takes_both_legs_down_together() -> None:
    bench = await opened("5")
    report = await bench.reach("2", Purpose.SHRINK)
    assert report.outcome is Outcome.BALANCED
    assert bench.real.contracts == 200 and bench.legs.balanced
    assert bench.sides() == ["buy swap", "sell spot"] * 2


async def test_growing_an_open_hedge_keeps_its_identity() -> None:
    bench = await opened("0.5")
    before = bench.books.hedge(SPOT)
    report = await bench.reach("0.8", Purpose.GROW)
    after = bench.books.hedge(SPOT)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 80
    assert before and after and before.hedge_id == after.hedge_id
    assert bench.hedge_events() == ["opened", "target"]


async def test_a_reduction_never_grows_a_hedge_and_an_exit_of_nothing_is_flat() -> None:
    bench = await opened()
    await bench.reach("5", Purpose.SHRINK)
    assert bench.venue.sent == []
    report = await Bench().reach("0", Purpose.EXIT)
    assert report.outcome is Outcome.FLAT


@pytest.mark.parametrize(("code", "tries"), [("51030", 11), ("51022", 1)])
async def test_when_the_swap_cannot_be_bought_back_the_spot_is_kept(code: str, tries: int) -> None:
    """While funding is charged it is tried again and again; a suspended market is left in peace."""
    bench = await opened()
    bench.venue.on(SWAP, *[Fault(reject=code)] * 99)
    report = await bench.reach("0", Purpose.EXIT)
    assert report.outcome is Outcome.BALANCED and report.rejects == tries
    assert "sell spot" not in bench.sides() and bench.real.contracts == 50


NOBODY_BUYS = Fault(fill=D(0))


@pytest.mark.parametrize("fault", [Fault(reject="51022"), NOBODY_BUYS])
async def test_when_the_spot_cannot_be_sold_an_exit_is_taken_back_in_time(fault: Fault) -> None:
    bench = await opened()
    bench.venue.on(SPOT, *[fault] * 99)
    report = await bench.reach("0", Purpose.EXIT)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == 50 and bench.legs.balanced
    assert report.naked_ms < 5_000 and any("hedged again" in error for error in report.errors)
    assert bench.sides()[0] == "buy swap" and bench.sides()[-1] == "sell swap"


async def test_what_was_taken_back_is_tried_again_with_the_least_until_somebody_buys() -> None:
    bench = await opened()
    bench.venue.on(SPOT, *[NOBODY_BUYS] * 99)
    await bench.reach("0", Purpose.EXIT)
    bench.venue.sent.clear()
    assert (await bench.reach("0", Purpose.EXIT)).outcome is Outcome.BALANCED
    assert {o.size for o in bench.venue.sent if o.leg is Leg.SWAP} == {bench.pair.swap.min_size}
    bench.venue.script[SPOT].clear()
    bench.venue.sent.clear()
    assert (await bench.reach("0", Purpose.EXIT)).outcome is Outcome.FLAT
    sizes = [o.size for o in bench.venue.sent if o.leg is Leg.SWAP]
    assert sizes[0] == bench.pair.swap.min_size and sizes[1] > sizes[0] and sum(sizes) == 50


@pytest.mark.parametrize("fault", [Fault(reject="51022"), NOBODY_BUYS])
async def test_what_is_flattened_is_never_shorted_again(fault: Fault) -> None:
    bench = await opened()
    bench.venue.on(SPOT, *[fault] * 999)
    report = await bench.reach("0", Purpose.FLATTEN)
    assert report.outcome is Outcome.BROKEN and "sell swap" not in bench.sides()


async def test_a_reduction_makes_headway_in_a_book_too_thin_for_its_share() -> None:
    bench = await opened("0.0005")
    bench.venue.half_spread_bps, bench.venue.level_base = D("9.5"), D("0.0004")
    report = await bench.reach("0", Purpose.EXIT)
    assert report.outcome is Outcome.FLAT and len(bench.venue.sent) == 10, "one lot at a time"


async def test_a_short_that_vanishes_during_the_exit_lets_the_spot_be_sold() -> None:
    bench = await opened("5")
    bench.clock.later(700, lambda: setattr(bench.venue, "position", D(0)))
    report = await bench.reach("0", Purpose.EXIT)
    assert report.outcome is Outcome.FLAT and bench.real.spot < bench.pair.swap.step


async def test_a_swap_bought_back_in_part_sells_only_the_spot_behind_that_part() -> None:
    bench = await opened()
    bench.venue.on(SWAP, Fault(fill=D("0.37")))
    bench.stops_after = 1
    report = await bench.reach("0", Purpose.EXIT)
    assert report.outcome is Outcome.BALANCED and bench.real.contracts == D("31.5")
    assert bench.legs.balanced
