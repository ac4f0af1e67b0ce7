"""What is counted of orders on their way: how each ended, and how long its stages took."""

from __future__ import annotations

import pytest

from core.events import Purpose
from core.facts import Kind
from execution.orders import Ending
from tests.execution.bench import Bench
from tests.fakes import D, Fault

SPOT = "BTC-USDT"


async def send(bench: Bench) -> Ending:
    return (await bench.orders.execute(bench.order(), "h1", Purpose.OPEN, bench.pair)).status


def counted(bench: Bench) -> dict[str, float]:
    return {outcome: n for (outcome, leg), n in bench.meters.orders.read().items() if n and leg == "spot"}


def stages(bench: Bench) -> dict[str, int]:
    return {name: told.count for name, told in bench.meters.stages_s.read().items() if told.count}


async def test_an_order_that_fills_counts_once_with_every_stage_from_wire_to_fill() -> None:
    bench = Bench()
    await send(bench)
    assert counted(bench) == {"filled": 1}
    assert stages(bench) == {"wire": 1, "ack": 1, "push": 1, "fill": 1}


async def test_one_our_own_guards_turn_away_counts_as_denied_and_reaches_no_wire() -> None:
    bench = Bench()
    bench.refuses = "leverage above 3"
    await send(bench)
    assert counted(bench) == {"denied": 1} and stages(bench) == {}


@pytest.mark.parametrize(
    ("fault", "outcome"), [(Fault(reject="51008"), "refused"), (Fault(lost=True), "absent")]
)
async def test_one_the_venue_never_had_is_counted_as_what_it_was(fault: Fault, outcome: str) -> None:
    bench = Bench()
    bench.venue.on(SPOT, fault)
    await send(bench)
    await bench.orders.settle()
    assert counted(bench) == {outcome: 1}
    assert stages(bench) == {"wire": 1}


async def test_a_part_that_filled_counts_as_such() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(fill=D("0.4")))
    await send(bench)
    assert counted(bench) == {"partial": 1}


async def test_an_order_of_the_process_before_has_an_outcome_and_no_stages() -> None:
    bench, request = Bench(), Bench().order()
    intent = {"order": request, "hedge_id": "h1", "purpose": Purpose.OPEN}
    bench.journal.append(Kind.INTENT, bench.clock.now_ms(), intent)
    await bench.venue.place(request)
    await bench.orders.resolve(request.cl_id)
    assert counted(bench) == {"filled": 1} and stages(bench) == {}
