"""Legs that came apart are brought together again, and everything can be given up."""

from dataclasses import replace

import pytest

from config.schema import ExecutionLimits, Risk, Settings
from core.events import Outcome, Purpose
from core.facts import Kind
from core.types import Leg, Side
from tests.execution.bench import Bench
from tests.fakes import D, Fault

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


async def opened(base: str = "0.5") -> Bench:
    bench = Bench()
    report = await bench.reach(base, Purpose.OPEN)
    assert report.outcome is Outcome.BALANCED
    bench.venue.sent.clear()
    return bench


async def adl(bench: Bench, contracts: str) -> None:
    """The venue closes a part of the short, and the engine books it."""
    bench.venue.position += D(contracts)
    fill = {
        "inst_id": SWAP, "trade_id": "-9", "ord_id": "5", "cl_id": "", "side": Side.BUY, "px": D(60_000),
        "size": D(contracts), "fee": D(0), "fee_ccy": "USDT", "ts_ms": bench.clock.now_ms(),
        "maker": False, "bill_id": "",
    }  # fmt: skip
    hedge = bench.books.hedge(SPOT)
    assert hedge is not None
    body = {"hedge_id": hedge.hedge_id, "instrument": SPOT, "leg": Leg.SWAP, "ref_mid": D(60_000)}
    bench.journal.append(Kind.FILL, bench.clock.now_ms(), body | {"ct_val": D("0.01"), "fill": fill})


async def test_after_an_adl_a_repair_makes_the_legs_equal_in_time() -> None:
    bench = await opened()
    await adl(bench, "30")
    assert not bench.legs.balanced
    report = await bench.reach("0.5", Purpose.REPAIR)
    assert report.outcome is Outcome.BALANCED and bench.legs.balanced and report.naked_ms < 5_000


async def test_a_repair_completes_at_most_to_the_larger_leg() -> None:
    bench = await opened()
    await adl(bench, "30")
    await bench.reach("2", Purpose.REPAIR)
    assert bench.real.contracts <= 50 and bench.real.spot <= D("0.51")


async def test_a_repair_larger_than_the_largest_order_goes_in_pieces() -> None:
    bench = await opened()
    bench.pair = bench.venue.pair = replace(bench.pair, swap=replace(bench.pair.swap, max_limit_size=D(20)))
    await adl(bench, "50")
    report = await bench.reach("0.5", Purpose.REPAIR)
    assert report.outcome is Outcome.BALANCED and report.rejects == 0
    assert [o.size for o in bench.venue.sent] == [20, 20, 10]


async def test_growing_goes_on_after_an_old_gap_was_unwound() -> None:
    bench = await opened()
    await adl(bench, "30")
    bench.venue.on(SWAP, Fault(reject="51030"))
    report = await bench.reach("5", Purpose.GROW)
    assert "sell spot" in bench.sides() and bench.real.contracts == 500
    assert report.outcome is Outcome.BALANCED


async def test_what_somebody_else_closed_is_not_opened_again_when_nobody_buys_the_spot() -> None:
    bench = await opened()
    bench.venue.position += 30  # closed by hand: the books do not know
    bench.venue.on(SPOT, *[Fault(fill=D(0))] * 99)
    report = await bench.reach("0.2", Purpose.REPAIR)
    assert report.outcome is Outcome.BROKEN and set(bench.sides()) == {"sell spot"}


async def test_a_short_that_vanished_behind_our_back_takes_the_spot_down_with_it() -> None:
    bench = await opened()
    bench.venue.position += 30  # closed by hand: the books do not know
    report = await bench.reach("0.2", Purpose.REPAIR)
    assert bench.sides() == ["sell spot"] and bench.real.contracts == 20
    assert bench.real.balanced and report.outcome is Outcome.BALANCED
    assert any("lacks" in e for e in report.errors)


async def test_spot_that_was_sold_behind_our_back_takes_the_short_down_with_it() -> None:
    bench = await opened()
    bench.venue.cash["BTC"] -= D("0.2")
    await bench.reach("0.3", Purpose.REPAIR)
    assert bench.sides() == ["buy swap"] and bench.real.contracts == 30 and bench.real.balanced


async def test_a_difference_that_is_gone_at_the_second_look_is_not_acted_on() -> None:
    bench = await opened()
    bench.venue.position += 30
    bench.clock.later(500, lambda: setattr(bench.venue, "position", D(-50)))
    report = await bench.reach("0.5", Purpose.REPAIR)
    assert bench.venue.sent == [] and report.errors == ()


async def test_less_than_a_lot_of_difference_to_the_account_is_none() -> None:
    bench = await opened()
    bench.venue.cash["BTC"] -= bench.pair.spot.lot / 2
    report = await bench.reach("0.5", Purpose.REPAIR)
    assert report.errors == () and bench.venue.sent == []


async def test_an_account_that_does_not_answer_is_not_an_empty_account() -> None:
    bench = await opened()
    bench.venue.outages.extend([True])
    report = await bench.reach("0.5", Purpose.REPAIR)
    assert report.outcome is Outcome.BALANCED and bench.venue.sent == []


# --- flattening -----------------------------------------------------------------------------------


async def test_flatten_ignores_the_stop_that_asked_for_it() -> None:
    bench = await opened("5")
    bench.stops_after = 0
    report = await bench.reach("0", Purpose.FLATTEN)
    assert report.outcome is Outcome.FLAT and bench.real.contracts == 0


async def test_flatten_goes_as_far_as_its_own_bound_when_the_market_runs_away() -> None:
    bench = await opened()
    bench.venue.half_spread_bps = D(120)
    assert (await bench.reach("0", Purpose.EXIT)).outcome is Outcome.BALANCED
    assert (await bench.reach("0", Purpose.FLATTEN)).outcome is Outcome.FLAT
    assert bench.real.contracts == 0


async def test_flatten_copes_with_an_account_that_holds_less_than_the_books() -> None:
    bench = await opened()
    bench.venue.position += 30
    bench.venue.cash["BTC"] -= D("0.1")
    report = await bench.reach("0", Purpose.FLATTEN)
    assert report.outcome is Outcome.FLAT and bench.real.contracts == 0
    assert bench.real.spot < bench.pair.swap.step
    assert "closed" not in bench.hedge_events(), "the books still hold what nobody has explained"


async def test_flatten_leaves_alone_what_the_engine_never_bought() -> None:
    bench = await opened()
    bench.venue.cash["BTC"] += 3
    bench.venue.position -= 200
    report = await bench.reach("0", Purpose.FLATTEN)
    assert report.outcome is Outcome.FLAT
    assert bench.venue.position == -200 and 3 <= bench.venue.cash["BTC"] < D("3.0001")


async def test_flatten_is_patient_with_a_market_that_refuses_for_a_while() -> None:
    bench = await opened()
    bench.venue.on(SWAP, *[Fault(reject="51030")] * 12)
    report = await bench.reach("0", Purpose.FLATTEN)
    assert report.outcome is Outcome.FLAT and bench.real.contracts == 0


@pytest.mark.parametrize(("seconds", "expected_ms"), [("0.1", 1_200), ("20", 20_000)])
async def test_the_repair_deadline_is_the_configured_one(seconds: str, expected_ms: int) -> None:
    """A short one still leaves both ways their whole ladder: six tries, 200 ms apart."""
    limits = ExecutionLimits(repair_deadline_s=D(seconds))
    bench = Bench(settings=Settings(risk=Risk(execution=limits)))
    bench.venue.on(SWAP, *[Fault(reject="51008")] * 999)
    bench.venue.on(SPOT, Fault(), *[Fault(reject="51022")] * 999)
    report = await bench.reach("0.5", Purpose.OPEN)
    assert report.outcome is Outcome.BROKEN
    assert expected_ms - 300 <= report.naked_ms <= expected_ms + 500
