"""The engine's one way through: what is decided, in which order things happen, and what ends a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from msgspec import structs

from core.conditions import CONDITIONS
from core.context import BreakerView, Context, HedgeView, MarketView, Permission, PermissionView, VenueHealth
from core.engine import Deadlines, Engine
from core.errors import VenueDown
from core.events import Event, HedgeTarget, On, Outcome, Plan, Purpose, Report, State, Target
from core.facts import Kind
from core.ladder import Finding
from core.observer import Flags
from core.permission import Permissions
from core.plans import merge
from core.ports import Guard
from core.projections import Books
from core.scheduler import Fire
from core.state_machine import StateMachine
from core.table import TABLE
from core.types import Base, Contracts
from core.verdict import Verdict
from tests.core.story import Story
from tests.core.watching import Recheck, lookout
from tests.fakes import FakeClock, FakeJournal, btc

D = Decimal
OPEN = HedgeTarget("BTC-USDT", Base(D("0.1")), Purpose.OPEN, "pays")
JUMPED = Finding("clock_jump", Permission.HALTED, "the clock has jumped", recover_ms=0)
EXIT = HedgeTarget("BTC-USDT", Base(D(0)), Purpose.EXIT, "no longer pays")


def opened() -> Story:
    """What the books hear while a hedge is opened."""
    told = Story()
    told.boot({"USDT": "1000"})
    told.hedge("opened", "FE1H1")
    told.fill("spot", "buy", "0.1", "100", hedge_id="FE1H1")
    told.fill("swap", "sell", "10", "100", hedge_id="FE1H1")
    return told


def hedge(spot: str, contracts: str) -> HedgeView:
    """A hedge of BTC with these legs, 0.01 coins a contract."""
    zero = D(0)
    return HedgeView(
        "BTC-USDT", "FE1H1", Base(D("0.1")), Base(D(spot)), Contracts(D(contracts)),
        Base(D(contracts) * D("0.01")), 0, zero, zero, zero, zero, zero, zero, zero, 0,
    )  # fmt: skip


@dataclass
class World:
    """What the engine will see: hedges, a plan, and how its guards and alarms feel."""

    hedges: dict[str, HedgeView] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    refusing: set[str] = field(default_factory=set)
    alarm: str = ""
    unresolved: int = 0
    compared: int = 0
    permission: Callable[[], PermissionView] = PermissionView
    funding_ms: dict[str, int] = field(default_factory=dict)

    def look(self, now_ms: int, state: State, flags: Flags) -> Context:
        return Context(
            now_ms=now_ms, state=state, state_since_ms=flags.state_since_ms, permission=self.permission(),
            markets={"BTC-USDT": MarketView(btc())}, account=None, fees={}, hedges=self.hedges,
            breaker=BreakerView(), venue=VenueHealth(), unresolved_orders=self.unresolved,
            unexplained=flags.unexplained, repairs=flags.repairs, stopping=flags.stopping,
            flatten_asked=flags.flatten_asked,
        )  # fmt: skip

    def funding_times(self) -> dict[str, int]:
        return self.funding_ms


class Says:
    """A guard that asks the world."""

    def __init__(self, name: str, world: World) -> None:
        self.name, self._world = name, world

    def check(self, ctx: Context) -> Verdict:
        if self.name == "alarm":
            return Verdict(not self._world.alarm, self.name, self._world.alarm or "quiet")
        return Verdict(self.name not in self._world.refusing, self.name, "as told")


@dataclass
class Planner:
    world: World

    def plan(self, ctx: Context) -> Plan:
        return self.world.plan


class Hands:
    """A worker that waits for the test to say how the work ends."""

    def __init__(self, journal: FakeJournal) -> None:
        self.jobs: list[tuple[Target, ...]] = []
        self.all_durable: list[bool] = []
        self._journal = journal
        self._ends: asyncio.Queue[Report] = asyncio.Queue()

    async def run(self, targets: tuple[Target, ...]) -> Report:
        self.jobs.append(targets)
        self.all_durable.append(self._journal.durable_seq == len(self._journal.written))
        return await self._ends.get()

    def end(self, outcome: Outcome, detail: str = "done") -> None:
        self._ends.put_nowait(Report(outcome, detail))


class Quiet:
    """Ticker, notifier and bookkeeper at once: remembers, does nothing by itself."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.errands: list[str] = []
        self.fails: Exception | None = None
        self.awaits_bills = False
        self.armed: list[int] = []
        self.settled: list[int] = []

    def start(self, fire: Fire, lost: Callable[[str], None]) -> None:
        self.fire = fire
        self.told.append(("ticker", "started"))

    def settle_at(self, instrument: str, funding_time_ms: int) -> None:
        self.told.append(("settle_at", instrument))
        self.armed.append(funding_time_ms)

    async def stop(self) -> None:
        self.told.append(("ticker", "stopped"))

    def tell(self, topic: str, level: str, fields: object) -> None:
        self.told.append((topic, level))

    async def settle(self, instrument: str, funding_time_ms: int) -> None:
        self.settled.append(funding_time_ms)
        await self._errand(f"settle {instrument}")

    async def review(self) -> None:
        await self._errand("review")

    async def late_bills(self) -> None:
        await self._errand("late bills")

    async def _errand(self, name: str) -> None:
        self.errands.append(name)
        if self.fails is not None:
            raise self.fails


@dataclass
class Rig:
    engine: Engine
    world: World
    hands: Hands
    quiet: Quiet
    journal: FakeJournal
    clock: FakeClock
    permissions: Permissions
    recheck: Recheck
    skipped: list[int]
    books: Books

    async def settle(self) -> None:
        """Let everything run that can."""
        for _ in range(30):
            await asyncio.sleep(0)

    def post(self, on: On, **more: object) -> None:
        self.engine.post(Event(on, self.clock.now_ms(), **more))  # type: ignore[arg-type]

    def states(self) -> list[tuple[str, str]]:
        return [(r.body["src"], r.body["dst"]) for r in self.journal.of(Kind.DECISION) if r.body["moved"]]


Scenario = Callable[[Rig], Awaitable[None]]


def play(
    scenario: Scenario, state: State = State.IDLE, opening_s: float = 1e6, before: Scenario | None = None
) -> Rig:
    """Run a scenario against a running engine and return what is left."""

    async def main() -> Rig:
        world, clock, journal, quiet = World(), FakeClock(), FakeJournal(), Quiet()
        permissions = Permissions(journal, clock, quiet)
        world.permission = lambda: permissions.view
        names = {name for row in TABLE for name in row.guards} - {c.name for c in CONDITIONS}
        guards: tuple[Guard, ...] = (*CONDITIONS, *(Says(name, world) for name in sorted(names)))
        hands, recheck = Hands(journal), Recheck()
        skipped = [0]

        def judge(ctx: Context) -> tuple[Finding, ...]:
            return (JUMPED if ctx.skipped_ms else structs.replace(JUMPED, level=Permission.FULL),)

        watch = lookout(permissions, clock, judge, recheck=recheck, skipped_ms=lambda: skipped[0])

        async def reconcile() -> str:
            world.compared += 1
            return ""

        books = Books()
        engine = Engine(
            machine=StateMachine(guards),
            observer=world,  # type: ignore[arg-type]
            planners=(Planner(world),),
            alarms=(Says("alarm", world),),
            judge=lambda view, now_ms: "",
            still_tripped=lambda view, now_ms: bool(view.tripped),
            journal=journal,
            books=books,
            bookkeeper=quiet,  # type: ignore[arg-type]
            reconcile=reconcile,
            permissions=permissions,
            lookout=watch,
            ticker=quiet,
            clock=clock,
            notifier=quiet,
            deadlines=Deadlines(opening_s, 1e6),
        )
        engine.employ(hands)
        engine.restore(state, unwinding=False)
        rig = Rig(engine, world, hands, quiet, journal, clock, permissions, recheck, skipped, books)
        if before is not None:
            await before(rig)
        running = asyncio.create_task(engine.run())
        await rig.settle()
        await scenario(rig)
        assert not running.done(), running
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return rig

    return asyncio.run(main())


def test_a_paying_scan_opens_and_the_decision_is_on_disk_before_the_work_begins() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        rig.post(On.SCAN)
        await rig.settle()
        assert rig.hands.jobs == [(OPEN,)]
        assert rig.hands.all_durable == [True]
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "10")}
        for row in opened().rows:
            rig.books.apply(row)
        rig.hands.end(Outcome.BALANCED)
        await rig.settle()
        assert rig.engine.state is State.RUNNING

    rig = play(scenario)
    assert rig.states() == [("IDLE", "OPENING"), ("OPENING", "RUNNING")]
    assert ("opened", "info") in rig.quiet.told


def test_a_refused_scan_is_recorded_with_its_reason_and_does_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        rig.world.refusing = {"margin_ok"}
        rig.post(On.SCAN)
        await rig.settle()

    rig = play(scenario)
    assert rig.hands.jobs == []
    [row] = rig.journal.of(Kind.DECISION)
    assert not row.body["moved"]
    assert [v["guard"] for v in row.body["verdicts"] if not v["ok"]] == ["margin_ok"]


@pytest.mark.fault("SC2")
def test_ticks_during_an_opening_are_recorded_and_dropped() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        for _ in range(100):
            rig.post(On.SCAN)
        await rig.settle()
        assert len(rig.hands.jobs) == 1

    rig = play(scenario)
    assert rig.engine.totals.dropped == 99
    assert len(rig.journal.of(Kind.DECISION)) == 100


@pytest.mark.fault("OL5")
def test_a_halt_is_decided_while_the_hedge_is_in_flight_and_execution_is_told() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        rig.post(On.SCAN)
        await rig.settle()
        assert not rig.engine.stop_asked()
        rig.post(On.HALT, reason="operator")
        assert rig.engine.stop_asked()  # before anybody has decided anything
        await rig.settle()
        assert rig.engine.state is State.STOPPED
        assert rig.engine.stop_asked()
        rig.hands.end(Outcome.FLAT)
        await rig.settle()
        assert rig.engine.state is State.STOPPED

    play(scenario)


def test_an_alarm_unwinds_everything_and_stops() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "10")}
        rig.world.alarm = "margin ratio is an emergency"
        rig.post(On.ACCOUNT)
        await rig.settle()
        [(target,)] = rig.hands.jobs
        assert isinstance(target, HedgeTarget)
        assert (target.base, target.purpose) == (0, Purpose.FLATTEN)
        rig.world.hedges = {}
        rig.hands.end(Outcome.FLAT)
        await rig.settle()
        assert rig.engine.state is State.STOPPED

    rig = play(scenario, State.RUNNING)
    assert ("breach", "critical") in rig.quiet.told
    assert rig.engine.violations == ["alarm: margin ratio is an emergency"]


def test_a_broken_hedge_is_repaired_three_times_and_then_a_human_is_called() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        rig.post(On.SCAN)
        await rig.settle()
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "3")}
        for _ in range(4):
            rig.hands.end(Outcome.BROKEN, "swap refused")
            await rig.settle()
        assert rig.engine.state is State.STOPPED
        assert [job[0].purpose for job in rig.hands.jobs] == [Purpose.OPEN, *[Purpose.REPAIR] * 3]

    rig = play(scenario)
    assert rig.permissions.view.level is Permission.REDUCE_ONLY
    assert ("alarm", "critical") in rig.quiet.told


def test_a_repair_that_succeeds_gives_the_permission_back() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        rig.post(On.SCAN)
        await rig.settle()
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "3")}
        rig.hands.end(Outcome.BROKEN)
        await rig.settle()
        assert rig.permissions.view.level is Permission.REDUCE_ONLY
        rig.world.hedges = {"BTC-USDT": hedge("0.03", "3")}
        rig.hands.end(Outcome.BALANCED)
        await rig.settle()
        assert rig.engine.state is State.RUNNING

    assert play(scenario).permissions.view.level is Permission.FULL


def test_an_opening_that_takes_too_long_becomes_a_repair() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        rig.post(On.SCAN)
        await rig.settle()
        await asyncio.sleep(0.02)
        await rig.settle()
        assert rig.engine.state is State.REBALANCING
        assert rig.engine.stop_asked()  # the job that took too long is asked to yield

    assert play(scenario, opening_s=0.01).permissions.view.level is Permission.REDUCE_ONLY


def test_a_venue_that_does_not_answer_an_errand_is_noted_and_the_tick_still_comes() -> None:
    async def scenario(rig: Rig) -> None:
        rig.quiet.fails = VenueDown("no answer")
        rig.engine.tick(On.REVIEW, None)
        await rig.settle()
        assert [row.body["on"] for row in rig.journal.of(Kind.DECISION)] == ["review"]
        assert [row.body["what"] for row in rig.journal.of(Kind.NOTE)] == ["errand failed"]

    play(scenario)


def test_a_stopped_engine_moves_only_when_the_operator_says_so() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "10")}
        rig.world.plan = Plan(adjusting=(EXIT,))
        for on in (On.SCAN, On.REVIEW, On.ACCOUNT, On.BREACH):
            rig.post(on)
        await rig.settle()
        assert rig.engine.state is State.STOPPED
        rig.engine.ask_resume()
        await rig.settle()
        assert rig.engine.state is State.RUNNING

    play(scenario, State.STOPPED)


def test_a_breach_that_was_being_unwound_goes_on_after_a_restart() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "10")}
        rig.engine.restore(State.REBALANCING, unwinding=True)
        await rig.engine.boot()
        await rig.settle()
        [(target,)] = rig.hands.jobs
        assert target.purpose is Purpose.FLATTEN

    play(scenario)


@pytest.mark.parametrize(
    ("spot", "contracts", "state", "jobs"),
    [
        ("0", "0", State.IDLE, 0),
        ("0.1", "10", State.RUNNING, 0),
        ("0.10005", "10", State.RUNNING, 0),  # half a lot is dust, not a naked leg
        ("0.1", "0", State.REBALANCING, 1),
        ("0", "10", State.REBALANCING, 1),
    ],
)
def test_a_start_reads_its_state_off_what_is_held(spot: str, contracts: str, state: State, jobs: int) -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.hedges = {"BTC-USDT": hedge(spot, contracts)} if spot != "0" or contracts != "0" else {}
        await rig.engine.boot()
        await rig.settle()
        assert rig.engine.state is state
        assert len(rig.hands.jobs) == jobs

    play(scenario)


@dataclass
class Repairs:
    """A worker that makes the legs equal, some turns of the loop later."""

    rig: Rig

    async def run(self, targets: tuple[Target, ...]) -> Report:
        for _ in range(5):
            await asyncio.sleep(0)
        self.rig.world.hedges = {"BTC-USDT": hedge("0.1", "10")}
        self.rig.quiet.told.append(("repair", "done"))
        return Report(Outcome.BALANCED, "done")


@pytest.mark.fault("CR3")
def test_a_naked_leg_found_at_the_start_is_repaired_before_the_scheduler_starts() -> None:
    async def start(rig: Rig) -> None:
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "0")}
        rig.engine.employ(Repairs(rig))
        await rig.engine.boot()

    async def scenario(rig: Rig) -> None:
        await rig.settle()
        assert rig.engine.state is State.RUNNING
        told = rig.quiet.told
        assert told.index(("repair", "done")) < told.index(("ticker", "started"))

    play(scenario, before=start)


def test_closing_waits_for_the_work_under_way() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        rig.post(On.SCAN)
        await rig.settle()
        closing = asyncio.create_task(rig.engine.close())
        await rig.settle()
        assert rig.engine.stop_asked()
        assert not closing.done()
        rig.hands.end(Outcome.FLAT)
        await rig.settle()
        assert closing.done()

    play(scenario)


def test_of_several_wishes_for_one_hedge_the_smallest_wins() -> None:
    shrink = replace(EXIT, base=Base(D("0.05")), purpose=Purpose.SHRINK)
    merged = merge((Plan(adjusting=(shrink,)), Plan(adjusting=(EXIT,), opening=(OPEN,))))
    assert merged.adjusting == (EXIT,)
    assert merged.opening == (OPEN,)
