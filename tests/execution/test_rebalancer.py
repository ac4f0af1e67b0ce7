"""Drift between the legs, and transfers between the wallets."""

from dataclasses import replace
from decimal import Decimal

import pytest

from config.schema import Settings
from core.context import BreakerView, Context, HedgeView, PermissionView, VenueHealth
from core.errors import AuthFailed, VenueRejected
from core.events import HedgeTarget, Purpose, State, TransferTarget
from core.facts import Kind
from core.types import ZERO, AccountSnapshot, Base, Contracts, TransferRecord, TransferStatus, Wallet
from execution.rebalancer import DriftPlanner, Transfers
from tests.execution.bench import Bench
from tests.fakes import START_MS, D, FakeClock, FakeTrading, btc

NOW = START_MS + 60_000


def hedge(spot: str, contracts: str, target: str = "1") -> HedgeView:
    short = Base(D(contracts) * D("0.01"))
    return HedgeView(
        "BTC-USDT", "h1", Base(D(target)), Base(D(spot)), Contracts(D(contracts)), short, START_MS,
        ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, 0,
    )  # fmt: skip


def account(spot: str, contracts: str, seen_ms: int = NOW - 1_000) -> AccountSnapshot:
    venue = FakeTrading(FakeClock(), btc())
    venue.cash["BTC"], venue.position = D(spot), -D(contracts)
    return replace(venue.snapshot(), seen_ms=seen_ms)


def context(held: HedgeView, snapshot: AccountSnapshot | None = None) -> Context:
    venue = FakeTrading(FakeClock(), btc())
    return Context(
        NOW, State.RUNNING, START_MS, PermissionView(), {"BTC-USDT": venue.view("BTC-USDT")}, snapshot,
        {}, {"BTC-USDT": held}, BreakerView(), VenueHealth(),
    )  # fmt: skip


def planned(held: HedgeView, snapshot: AccountSnapshot | None = None) -> tuple[Decimal, Purpose] | None:
    targets = DriftPlanner(Settings()).plan(context(held, snapshot)).adjusting
    if not targets:
        return None
    (target,) = targets
    assert isinstance(target, HedgeTarget)
    return target.base, target.purpose


@pytest.mark.parametrize(("spot", "contracts"), [("1.02", "100"), ("1", "98"), ("1", "0"), ("0", "100")])
def test_legs_more_than_one_percent_apart_are_repaired_to_the_target(spot: str, contracts: str) -> None:
    assert planned(hedge(spot, contracts)) == (D(1), Purpose.REPAIR)


@pytest.mark.parametrize(("spot", "contracts"), [("1.009", "100"), ("1", "99.2"), ("1", "100")])
def test_legs_within_one_percent_are_left_alone(spot: str, contracts: str) -> None:
    assert planned(hedge(spot, contracts)) is None


def test_a_difference_below_one_lot_is_no_drift_however_small_the_hedge() -> None:
    assert planned(hedge("0.00105", "0.1", "0.001")) is None


def test_a_short_that_is_smaller_at_the_venue_is_followed_down() -> None:
    assert planned(hedge("1", "100"), account("1", "40")) == (D("0.4"), Purpose.REPAIR)


def test_spot_that_is_missing_at_the_venue_is_followed_down() -> None:
    assert planned(hedge("1", "100"), account("0.3", "100")) == (D("0.3"), Purpose.REPAIR)


def test_more_at_the_venue_than_in_the_books_is_not_ours() -> None:
    assert planned(hedge("1", "100"), account("5", "300")) is None


def test_legs_that_are_equal_at_the_venue_need_no_order_even_if_the_books_lag() -> None:
    assert planned(hedge("0.4", "100"), account("0.4", "40")) is None


def test_an_old_picture_of_the_account_proves_nothing() -> None:
    assert planned(hedge("1", "100"), account("1", "40", NOW - 31_000)) is None


def test_a_picture_from_right_after_our_own_orders_proves_nothing() -> None:
    fresh = replace(context(hedge("1", "100"), account("1", "40")), state_since_ms=NOW - 2_500)
    assert DriftPlanner(Settings()).plan(fresh).adjusting == ()


def test_a_planner_that_remembers_says_what_a_new_one_says() -> None:
    planner = DriftPlanner(Settings())
    even, less = account("1", "100"), account("1", "90")
    old, fresh = replace(less, seen_ms=NOW - 3_600_000), replace(less, seen_ms=NOW - 999)
    held, liquidated = hedge("1", "100"), replace(hedge("1", "100"), liquidations=1)
    for one, snapshot in (
        (held, even), (held, even), (held, less), (held, fresh), (held, old), (held, None), (held, less),
        (hedge("1", "100", target="2"), less), (liquidated, less), (hedge("1", "90"), even),
        (hedge("1.00", "100.0"), even), (held, even),
    ):  # fmt: skip
        plan = planner.plan(context(one, snapshot))
        assert repr(plan) == repr(DriftPlanner(Settings()).plan(context(one, snapshot)))


def test_nothing_is_concluded_while_an_order_is_unresolved() -> None:
    ctx = replace(context(hedge("1", "0")), unresolved_orders=1)
    assert DriftPlanner(Settings()).plan(ctx).adjusting == ()


def test_the_verdict_carries_the_drift_and_its_limit() -> None:
    (verdict,) = DriftPlanner(Settings()).plan(context(hedge("1", "95"))).verdicts
    figures = dict(verdict.figures)
    assert not verdict.ok and verdict.instrument == "BTC-USDT"
    assert (figures["drift_ratio"], figures["limit_ratio"]) == (D("0.05"), D("0.01"))


# --- transfers ------------------------------------------------------------------------------------

TOP_UP = TransferTarget("USDT", D(500), Wallet.FUNDING, Wallet.TRADING, Purpose.TOP_UP, "margin is low")


def statuses(bench: Bench) -> list[str]:
    return [row.body["status"] for row in bench.journal.of(Kind.TRANSFER)]


async def test_a_transfer_is_journalled_before_it_is_sent_and_followed_to_its_end() -> None:
    bench = Bench()
    outcome = await bench.transfers.execute(TOP_UP)
    assert outcome.status is TransferStatus.DONE
    assert statuses(bench) == ["pending", "pending", "success"]
    first, *_, last = bench.journal.of(Kind.TRANSFER)
    assert first.body["transfer_id"] == "" and last.body["transfer_id"] != ""
    assert (D(last.body["amount"]), last.body["dest"], last.body["purpose"]) == (D(500), "trading", "top_up")
    assert bench.journal.durable_seq >= 1 and not bench.books.pending_transfer


@pytest.mark.fault("TR1")
async def test_a_transfer_whose_answer_was_lost_is_asked_for_and_never_sent_twice() -> None:
    bench = Bench()
    bench.venue.transfer_script.append("ack_lost")
    outcome = await bench.transfers.execute(TOP_UP)
    assert outcome.status is TransferStatus.DONE and len(bench.venue.transfer_calls) == 1


async def test_a_transfer_that_never_arrived_fails_after_enough_answers_said_so() -> None:
    bench = Bench()
    bench.venue.transfer_script.append("lost")
    outcome = await bench.transfers.execute(TOP_UP)
    assert outcome.status is TransferStatus.FAILED and "never arrived" in outcome.message
    assert len(bench.venue.transfer_calls) == 1 and bench.venue.queries >= 3
    assert bench.clock.now_ms() - START_MS >= 5_000
    assert statuses(bench) == ["pending", "failed"]


@pytest.mark.fault("TR2")
async def test_a_transfer_that_was_accepted_is_not_given_up_for_being_slow_to_show() -> None:
    class Forgetful(FakeTrading):
        async def transfer_state(self, transfer_id: str) -> TransferRecord:
            raise VenueRejected("no such transfer", "58129")

    bench = Bench()
    bench.venue = Forgetful(bench.clock, bench.pair)
    bench.hire()
    assert (await bench.transfers.execute(TOP_UP)).status is TransferStatus.PENDING


@pytest.mark.fault("TR1")
async def test_a_silent_venue_leaves_the_transfer_pending_and_no_second_one_is_sent() -> None:
    bench = Bench()
    bench.venue.transfer_script.append("lost")
    bench.venue.outages.extend([True] * 60)
    assert (await bench.transfers.execute(TOP_UP)).status is TransferStatus.PENDING
    assert bench.books.pending_transfer
    assert (await bench.transfers.execute(TOP_UP)).status is TransferStatus.FAILED
    assert len(bench.venue.transfer_calls) == 1
    bench.venue.outages.clear()
    assert await bench.transfers.settle() == ()


async def test_a_transfer_refused_while_funding_is_charged_is_postponed() -> None:
    bench = Bench()
    bench.venue.transfer_script.append("58111")
    outcome = await bench.transfers.execute(TOP_UP)
    assert outcome.status is TransferStatus.FAILED and outcome.message.startswith("postponed")
    assert not bench.books.pending_transfer


async def test_a_throttled_transfer_goes_again_under_the_same_id() -> None:
    bench = Bench()
    bench.venue.transfer_script.extend(["throttled", ""])
    assert (await bench.transfers.execute(TOP_UP)).status is TransferStatus.DONE
    first, second = bench.venue.transfer_calls
    assert first == second


async def test_without_a_journal_nothing_is_moved() -> None:
    bench = Bench()
    bench.journal.fails = True
    assert (await bench.transfers.execute(TOP_UP)).status is TransferStatus.FAILED
    assert bench.venue.transfer_calls == []


@pytest.mark.fault("TR1")
async def test_a_restart_takes_up_the_transfer_that_was_left_open() -> None:
    bench = Bench()
    bench.venue.transfer_script.append("slow")
    assert (await bench.transfers.execute(TOP_UP)).status is TransferStatus.PENDING
    client_id = bench.venue.transfer_calls[0]
    record = bench.venue.transfers[client_id]
    done = replace(record, status=TransferStatus.DONE)
    bench.venue.transfers = {client_id: done, record.transfer_id: done}
    bench.hire()
    assert await bench.transfers.settle() == ()
    assert statuses(bench)[-1] == "success" and len(bench.venue.transfer_calls) == 1


async def test_a_key_without_the_right_to_transfer_is_not_tried_again() -> None:
    class Forbidden(FakeTrading):
        async def transfer(
            self, client_id: str, ccy: str, amount: Decimal, source: Wallet, dest: Wallet
        ) -> str:
            self.transfer_calls.append(client_id)
            raise AuthFailed("no permission", "50120")

    bench = Bench()
    venue = Forbidden(bench.clock, bench.pair)
    transfers = Transfers(venue, bench.journal, bench.ids, bench.clock)
    with pytest.raises(AuthFailed):
        await transfers.execute(TOP_UP)
    assert len(venue.transfer_calls) == 1 and statuses(bench) == ["pending", "failed"]
