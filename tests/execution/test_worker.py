"""One pair of hands: order of work, one report, and never an exception."""

import asyncio

from core.context import MarketView
from core.events import HedgeTarget, Outcome, Purpose, Target, TransferTarget
from core.types import Base, OrderRequest, Wallet
from execution.worker import Worker
from tests.execution.bench import Bench
from tests.fakes import D, FakeTrading, Fault

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
TOP_UP = TransferTarget("USDT", D(500), Wallet.FUNDING, Wallet.TRADING, Purpose.TOP_UP, "margin is low")


def hedge(base: str, purpose: Purpose) -> HedgeTarget:
    return HedgeTarget(SPOT, Base(D(base)), purpose, "test")


def worker_of(bench: Bench) -> Worker:
    return Worker(bench.positions, bench.transfers, bench.venue.view, [SPOT])


async def test_a_report_sums_up_everything_that_was_asked_for() -> None:
    bench = Bench()
    report = await worker_of(bench).run((hedge("0.5", Purpose.OPEN), TOP_UP))
    assert (report.outcome, report.orders, report.errors) == (Outcome.BALANCED, 2, ())
    assert "top_up of 500 USDT: success" in report.detail and "open BTC-USDT" in report.detail


async def test_reductions_and_transfers_come_before_anything_that_adds_risk() -> None:
    bench = Bench()
    worker = worker_of(bench)
    await worker.run((hedge("0.5", Purpose.OPEN),))
    bench.venue.sent.clear()
    report = await worker.run((hedge("0.6", Purpose.GROW), TOP_UP, hedge("0.2", Purpose.SHRINK)))
    assert bench.sides() == ["buy swap", "sell spot", "buy spot", "sell swap"]
    assert report.outcome is Outcome.BALANCED


async def test_nothing_is_added_after_something_found_no_taker() -> None:
    bench = Bench()
    worker = worker_of(bench)
    await worker.run((hedge("0.5", Purpose.OPEN),))
    bench.venue.sent.clear()
    bench.venue.on(SPOT, *[Fault(reject="51022")] * 99)
    report = await worker.run((hedge("0.6", Purpose.GROW), hedge("0.2", Purpose.SHRINK)))
    assert report.outcome is Outcome.BALANCED and "buy spot" not in bench.sides()


async def test_nothing_is_added_after_something_broke() -> None:
    bench = Bench()
    worker = worker_of(bench)
    await worker.run((hedge("0.5", Purpose.OPEN),))
    bench.venue.sent.clear()
    bench.venue.on(SPOT, *[Fault(reject="51022")] * 99)
    bench.venue.on(SWAP, Fault(), *[Fault(reject="51008")] * 99)
    report = await worker.run((hedge("0.6", Purpose.GROW), hedge("0.2", Purpose.SHRINK)))
    assert report.outcome is Outcome.BROKEN and "buy spot" not in bench.sides()


async def test_an_exception_becomes_a_broken_report_with_its_text() -> None:
    class Faulty(FakeTrading):
        async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
            raise KeyError("unexpected")

    bench = Bench()
    bench.venue = Faulty(bench.clock, bench.pair)
    bench.hire()
    report = await worker_of(bench).run((hedge("0.5", Purpose.OPEN),))
    assert report.outcome is Outcome.BROKEN and any("KeyError" in e for e in report.errors)
    assert len(bench.orders.pending(SPOT)) == 1, "whether it was sent is not known"


async def test_a_market_that_cannot_be_seen_is_reported_too() -> None:
    bench = Bench()

    def view(name: str) -> MarketView:
        raise LookupError(f"no market {name}")

    worker = Worker(bench.positions, bench.transfers, view, ())
    report = await worker.run((hedge("0.5", Purpose.OPEN),))
    assert report.outcome is Outcome.BROKEN and any("no market" in e for e in report.errors)


async def test_a_failed_transfer_is_an_error_but_breaks_no_hedge() -> None:
    bench = Bench()
    worker = worker_of(bench)
    await worker.run((hedge("0.5", Purpose.OPEN),))
    bench.venue.transfer_script.append("58350")
    report = await worker.run((TOP_UP,))
    assert report.outcome is Outcome.BALANCED and any("58350" in e for e in report.errors)


async def test_without_targets_the_report_says_how_things_stand() -> None:
    bench = Bench()
    assert (await worker_of(bench).run(())).outcome is Outcome.FLAT
    targets: tuple[Target, ...] = (hedge("0.5", Purpose.OPEN),)
    await worker_of(bench).run(targets)
    assert (await worker_of(bench).run(())).outcome is Outcome.BALANCED


async def test_two_runs_at_once_are_done_one_after_the_other() -> None:
    bench = Bench()
    worker = worker_of(bench)
    await asyncio.gather(worker.run((hedge("0.5", Purpose.OPEN),)), worker.run((hedge("0", Purpose.EXIT),)))
    assert bench.sides() == ["buy spot", "sell swap", "buy swap", "sell spot"]
