"""The one way through: event -> context -> decision -> journal -> execution -> report, which is an event.

One mailbox, one consumer, events decided strictly one at a time. Deciding never waits for the venue,
so a stop is decided while a hedge is in flight; the worker looks at `stop_asked` between two orders.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Protocol

from core.bookkeeper import Bookkeeper
from core.conditions import uneven
from core.context import BreakerView, Context, Permission
from core.errands import Errands
from core.errors import JournalFailed
from core.events import Decision, Event, On, Outcome, Report, State, Target, TransferTarget
from core.facts import Kind
from core.herald import Herald
from core.lookout import Lookout
from core.meters import Meters
from core.observer import Flags, Observer
from core.permission import Permissions
from core.plans import merge
from core.ports import Clock, Guard, Journal, Notifier, Planner
from core.projections import Books
from core.pulse import Pulse
from core.scheduler import SETTLE_DELAY_MS, Ticker
from core.state_machine import StateMachine

PLANNED: Final = frozenset({On.SCAN, On.REVIEW, On.ACCOUNT, On.SETTLE})
REPORTED: Final = frozenset({On.OPENED, On.OPEN_FAILED, On.REBALANCED})
BUSY: Final = frozenset({State.OPENING, State.REBALANCING})
RECOVERY_MS: Final = 30_000  # so long the scheduler waits for the repairs of a start
SOUND: Final = frozenset({State.IDLE, State.RUNNING})


class Worker(Protocol):
    """Execution's one pair of hands: carries out targets and says how it ended. Never raises."""

    async def run(self, targets: tuple[Target, ...]) -> Report: ...


@dataclass(frozen=True, slots=True)
class Deadlines:
    opening_s: float
    rebalancing_s: float


class Engine:
    """Owns the machine and the mailbox; everything else is handed in."""

    def __init__(
        self,
        *,
        machine: StateMachine,
        observer: Observer,
        planners: tuple[Planner, ...],
        alarms: tuple[Guard, ...],
        judge: Callable[[BreakerView, int], str],
        still_tripped: Callable[[BreakerView, int], bool],
        journal: Journal,
        books: Books,
        bookkeeper: Bookkeeper,
        reconcile: Callable[[], Awaitable[str]],
        permissions: Permissions,
        lookout: Lookout,
        ticker: Ticker,
        clock: Clock,
        notifier: Notifier,
        deadlines: Deadlines,
        meters: Meters | None = None,
    ) -> None:
        self._machine, self._observer, self._planners = machine, observer, planners
        self._alarms, self._judge, self._still_tripped = alarms, judge, still_tripped
        self._journal, self._books, self._bookkeeper = journal, books, bookkeeper
        self._reconcile, self._permissions, self._lookout = reconcile, permissions, lookout
        self._ticker, self._clock = ticker, clock
        self._deadlines = deadlines
        self._meters = meters or Meters()
        self._mailbox: deque[Event] = deque()
        self._jobs: deque[tuple[State, tuple[Target, ...], float]] = deque()  # decided at, by the stopwatch
        self._mail, self._work = asyncio.Event(), asyncio.Event()
        self._deadline: asyncio.TimerHandle | None = None
        self._settles_ms: dict[str, int] = {}  # instrument -> funding time whose tick is to come
        self._closing = self._reconciling = False
        self._working: State | None = None  # in which state what is under way was asked for
        self._differs = False  # told of it while busy: looked into as soon as that is over
        self._comparing = asyncio.Lock()
        self._idle = asyncio.Event()
        self._worker: Worker | None = None
        self.flags = Flags()
        self.pulse = Pulse(clock)
        self._herald = Herald(notifier, books, clock)
        self._errands = Errands(journal, clock, self._herald, self.pulse)
        self.totals, self.violations = self._herald.totals, self._herald.violations
        self.listeners: list[Callable[[Context, Decision], None]] = []
        self.on_round: Callable[[], None] = lambda: None  # called whenever the consumer comes round
        self.chores: list[Callable[[], Coroutine[Any, Any, None]]] = []  # run beside the consumer
        self.may_resume: Callable[[], Awaitable[str]] = _no_objection  # "" or why not

    # --- what comes in --------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self._machine.state

    def stop_asked(self) -> bool:
        """Execution looks here between two orders: True means end where both legs are accounted for."""
        return (
            self._closing
            or any(e.on in (On.HALT, On.BREACH) for e in self._mailbox)
            or (self._working is not None and (bool(self._jobs) or self._is_halted))
        )

    def buys_nothing(self) -> bool:
        """The gate looks here before every order: under a stop no spot is bought, not even by its repair."""
        return self.state is State.STOPPED or self.stop_asked()

    @property
    def _is_halted(self) -> bool:
        """Stopped while something else was under way; what STOPPED itself asked for may go on."""
        return self.state is State.STOPPED and self._working is not State.STOPPED

    def post(self, event: Event) -> None:
        """Put an event into the mailbox; a stop goes to its head."""
        if event.on in (On.HALT, On.BREACH):
            self._mailbox.appendleft(event)
        else:
            self._mailbox.append(event)
        self._mail.set()

    def tick(self, on: On, instrument: str | None) -> None:
        """The ticker's way in: settlement and review fetch their facts first, then become events."""
        now_ms = self._clock.now_ms()
        match on:
            case On.SETTLE:
                assert instrument is not None
                funding_ms = self._settles_ms.pop(instrument, now_ms)
                self._errands.send(lambda: self._settle(instrument, funding_ms))
            case On.REVIEW:
                self._errands.send(self._review)
            case _:
                if self._bookkeeper.awaits_bills and not self._lookout.is_paused:
                    self._errands.send(self._bookkeeper.late_bills)
                self.post(Event(on, now_ms, instrument=instrument))

    def nudge(self) -> None:
        """Wake the consumer, whether or not there is an event: it comes round once."""
        self._mail.set()

    def lost_tick(self, what: str) -> None:
        self.totals.lost_ticks += 1
        self._journal.append(Kind.NOTE, self._clock.now_ms(), {"what": "tick lost", "detail": what})
        self._herald.trouble("tick lost", what)

    def account_changed(self) -> None:
        """An account push that may need an answer at once; at most one waits in the mailbox."""
        if self.state is State.RUNNING and not any(e.on is On.ACCOUNT for e in self._mailbox):
            self.post(Event(On.ACCOUNT, self._clock.now_ms()))

    def holdings_differ(self) -> None:
        """The account holds less than the books: learn what happened, then judge it.

        A forced reduction or a trade by hand is a fact first; planned on, it would be repaired blindly. In
        STOPPED nothing follows but the word of it: whoever stopped the engine thinks the hedge is whole.
        """
        self._differs = self._differs or self.state in BUSY
        if self.state in (State.RUNNING, State.STOPPED):
            self._send_comparison()

    def compare_when_free(self) -> None:
        """The clock has jumped, or the venue is back from maintenance: books and venue are compared, but
        never while an order is in flight; the next piece of work waits for it."""
        if not self._working:
            self._send_comparison()

    def glance(self) -> Context:
        """The context of this instant, for whoever looks between two events."""
        return self._observer.look(self._clock.now_ms(), self.state, self.flags)

    # --- life -----------------------------------------------------------------------------------

    def restore(self, state: State, unwinding: bool) -> None:
        """Take up where the journal ends. `unwinding`: a breach was being unwound and must go on."""
        self._machine.restore(state)
        if unwinding:
            self.flags.stopping = "breach before the restart"

    def employ(self, worker: Worker) -> None:
        """Hand in execution; it needs `stop_asked` first, hence not in the constructor."""
        self._worker = worker

    async def boot(self) -> None:
        """Reconcile with the venue and let the table say where we stand. Repairs start at once."""
        self.flags.state_since_ms = self._clock.now_ms()
        self.flags.unexplained = await self._reconcile()
        self._handle(Event(On.BOOT, self._clock.now_ms(), reason="start"))

    async def run(self) -> None:
        """Consume events until cancelled. The first failure of any part ends all of them."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._consume(), name="consumer")
            group.create_task(self._execute(), name="worker")
            group.create_task(self._errands.run(), name="errands")
            group.create_task(self._lookout.watch(self), name="lookout")
            group.create_task(self._begin_ticking(), name="ticking")
            for chore in self.chores:
                group.create_task(chore())

    async def _begin_ticking(self) -> None:
        """The scheduler starts after what the boot found to repair, and after half a minute in any case."""
        until_ms = self._clock.now_ms() + RECOVERY_MS
        while self.has_work and (left_ms := until_ms - self._clock.now_ms()) > 0:
            self._idle.clear()
            waits: list[asyncio.Future[Any]] = [
                asyncio.ensure_future(self._idle.wait()),
                asyncio.ensure_future(self._clock.sleep(left_ms / 1000)),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        if not self._closing:
            self._ticker.start(self.tick, self.lost_tick)
            self._arm_settlements()

    @property
    def has_work(self) -> bool:
        """Whether something is decided or under way that has not come to its end."""
        return bool(self._working or self._jobs or self._mailbox)

    @property
    def waiting(self) -> dict[str, int]:
        """How much stands in each queue. May be asked from any thread."""
        return {"mailbox": len(self._mailbox), "jobs": len(self._jobs), "errands": len(self._errands)}

    def errand(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do this beside the consumer when the errands before it are done."""
        self._errands.send(job)

    async def compare(self) -> None:
        """Reconcile with the venue now. Raises VenueError."""
        self.flags.unexplained = await self._reconcile()

    async def close(self) -> None:
        """Start nothing more, and return once what is under way has both legs accounted for."""
        self._closing = True
        await self._ticker.stop()
        while self.has_work:
            self._idle.clear()
            await self._idle.wait()

    def ask_resume(self) -> None:
        """The operator acknowledges: ends what only he can end, resets a tripped breaker, and leaves STOPPED
        after reconciling. Nothing of it happens while the self-check speaks against it."""
        self._errands.send(self._resume)

    async def _resume(self) -> None:
        if objection := await self.may_resume() or await self._lookout.recheck():
            self._herald.trouble("resume refused", objection)
            return
        self._lookout.acknowledge()
        if self.state is not State.STOPPED:
            self._reset_breaker("operator")
            return
        self.flags = replace(self.flags, stopping="", flatten_asked=False, repairs=0)
        self.flags.unexplained = await self._reconcile()
        self._permissions.lift("broken hedge")
        self._permissions.lift("liquidation")
        self._reset_breaker("operator")
        self.post(Event(On.RESUME, self._clock.now_ms(), reason="operator"))

    # --- the consumer ---------------------------------------------------------------------------

    async def _consume(self) -> None:
        while True:
            self.on_round()
            while not self._mailbox:
                self._mail.clear()
                await self._mail.wait()
                self.on_round()
            event = self._mailbox.popleft()
            with self.pulse.at_work("consumer"), self._meters.deciding(event.on):
                self._handle(event)
            self._idle.set()

    def _handle(self, event: Event) -> None:
        if event.on is On.HALT:
            self.flags.flatten_asked = event.flatten
            if event.flatten:
                self.flags.stopping = event.reason or "operator"
        ctx = self._lookout.observe(self.glance())
        if event.on in PLANNED:
            if (alarm := self._first_alarm(ctx)) is not None:
                event = Event(On.BREACH, event.at_ms, alarm)
                self.flags.stopping = alarm
                ctx = replace(ctx, stopping=alarm)
            elif self.state not in BUSY:
                ctx = ctx.once(self._planned)
        decision = self._machine.decide(event, ctx)
        self._herald.decided(ctx, decision)
        self._record(event, decision)
        if decision.moved:
            self._after(event, decision, ctx)
        if event.on is On.SCAN:
            self.totals.scans += 1
            self._arm_settlements()
            self._trip_if_due()
        for listener in self.listeners:
            listener(ctx, decision)

    def _planned(self, ctx: Context) -> Context:
        return ctx.with_plan(merge(tuple(planner.plan(ctx) for planner in self._planners)))

    def _first_alarm(self, ctx: Context) -> str | None:
        if self.state is State.STOPPED or self.flags.stopping:
            return None
        for alarm in self._alarms:
            verdict = ctx.once(alarm.check)
            if not verdict.ok:
                return self._herald.breached(verdict)
        return None

    def _record(self, event: Event, decision: Decision) -> None:
        self._journal.append(Kind.DECISION, decision.at_ms, body_of(decision))
        if event.report is not None:
            self._journal.append(Kind.REPORT, decision.at_ms, {"on": event.on.value, "report": event.report})

    def _after(self, event: Event, decision: Decision, ctx: Context) -> None:
        """Everything a taken row brings with it besides its targets."""
        if decision.src is not decision.dst:
            self.flags.state_since_ms = self._clock.now_ms()
            self._set_deadline(decision.dst)
        match decision.dst:
            case State.RUNNING | State.IDLE if decision.src not in SOUND:
                self._made_even()
                if self._differs:
                    self.holdings_differ()
            case State.STOPPED if event.on in REPORTED and decision.src is State.STOPPED:
                if not decision.targets:
                    self._made_even()
            case State.STOPPED if decision.src is not State.STOPPED:
                # Unwound in order to stop: why that was begun says more than how the last pair ended.
                is_broken = event.report is not None and event.report.outcome is Outcome.BROKEN
                begun = "" if is_broken else self.flags.stopping
                self.flags.flatten_asked = False
                self.flags.stopping = ""
                self._herald.stopped(begun or decision.reason or event.on.value)
        if event.on is On.DEADLINE:
            self._permissions.lower("deadline", Permission.REDUCE_ONLY, f"{decision.src.value} took too long")
        elif decision.src in BUSY and decision.dst not in BUSY:
            self._permissions.lift("deadline")
        failed = event.on in REPORTED and decision.dst not in SOUND
        if failed and (uneven(ctx) or ctx.unresolved_orders):
            # Where nobody could trade nothing was tried in vain: it does not count, and is told once.
            is_stalled = event.report is not None and event.report.stalled
            is_news = "broken hedge" not in self._permissions.causes
            self.flags.repairs += not is_stalled
            self._permissions.lower("broken hedge", Permission.REDUCE_ONLY, "legs unequal after a repair")
            if is_news or not is_stalled:
                self._herald.broken(event.reason)
        if decision.targets or (decision.dst in BUSY and decision.src is not decision.dst):
            self._jobs.append((decision.dst, decision.targets, self._meters.now_s()))
            self._work.set()

    def _made_even(self) -> None:
        self.flags.repairs = 0
        self._permissions.lift("broken hedge")

    def _set_deadline(self, state: State) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if state in BUSY:
            seconds = self._deadlines.opening_s if state is State.OPENING else self._deadlines.rebalancing_s
            self._deadline = asyncio.get_running_loop().call_later(
                seconds, lambda: self.post(Event(On.DEADLINE, self._clock.now_ms()))
            )

    # --- execution ------------------------------------------------------------------------------

    async def _execute(self) -> None:
        assert self._worker is not None
        while True:
            while not self._jobs:
                self._work.clear()
                await self._work.wait()
            state, targets, decided_s = self._jobs.popleft()
            try:
                await self._journal.durable()
                self._permissions.lift("journal")
            except JournalFailed as error:
                # Nothing that adds risk without a record; what reduces it may go on in memory.
                self._permissions.lower("journal", Permission.REDUCE_ONLY, str(error))
                targets = tuple(t for t in targets if not t.purpose.adds_risk)
            self._working = state
            if self._lookout.must_compare:
                await self._errands.attempt(self._learn_holdings)
            self._meters.stages_s.add("work", self._meters.now_s() - decided_s)
            with self.pulse.at_work("worker"):
                report = await self._worker.run(targets)
            self._working = None
            self._herald.worked(targets, report)
            if any(isinstance(t, TransferTarget) for t in targets):
                self._errands.send(self._look_again)  # the funding wallet is in no push
            self._trip_if_due()
            self.post(self._report_event(state, report))
            self._idle.set()

    def _report_event(self, state: State, report: Report) -> Event:
        on = On.REBALANCED
        if state is State.OPENING:
            on = On.OPENED if report.outcome is Outcome.BALANCED else On.OPEN_FAILED
        return Event(on, self._clock.now_ms(), report.detail, report=report)

    def _reset_breaker(self, reason: str) -> None:
        self._journal.append(Kind.BREAKER, self._clock.now_ms(), {"event": "reset", "reason": reason})
        self._permissions.lift("breaker")

    def _trip_if_due(self) -> None:
        view = self._books.breaker(self._clock.now_ms())
        reason = self._judge(view, self._clock.now_ms())
        if view.tripped and not self._still_tripped(view, self._clock.now_ms()):
            self._reset_breaker("the cooldown is over")
        elif reason and not view.tripped:
            self._journal.append(Kind.BREAKER, self._clock.now_ms(), {"event": "tripped", "reason": reason})
            self._permissions.lower("breaker", Permission.NO_NEW_RISK, reason)
            self._herald.tripped(reason)

    # --- errands --------------------------------------------------------------------------------

    async def _settle(self, instrument: str, funding_ms: int) -> None:
        try:
            if not self._lookout.is_paused:  # after maintenance the comparison fetches what came meanwhile
                await self._bookkeeper.settle(instrument, funding_ms)
        finally:
            self._trip_if_due()
            self._arm_settlements()
            self.post(Event(On.SETTLE, self._clock.now_ms(), instrument=instrument))

    def _send_comparison(self) -> None:
        if not self._reconciling:
            self._reconciling = True
            self._errands.send(self._learn_holdings)

    async def _learn_holdings(self) -> None:
        self._differs = False
        done = self._lookout.begin_comparing()
        try:
            async with self._comparing:
                self.flags.unexplained = await self._reconcile()
            done()
            self._lookout.observe(self.glance())  # what waited for it is over at once
        finally:
            self._reconciling = False
            if self.state is State.STOPPED:
                self.post(Event(On.ACCOUNT, self._clock.now_ms()))  # ignored by the table, heard by listeners
            self.account_changed()

    async def _look_again(self) -> None:
        await self._bookkeeper.collect_bills()  # what was moved counts in one wallet only
        await self._bookkeeper.account()

    async def _review(self) -> None:
        try:
            if not self._lookout.is_paused:
                await self._bookkeeper.review()
        finally:
            self.post(Event(On.REVIEW, self._clock.now_ms()))

    def _arm_settlements(self) -> None:
        """Each instrument's own funding time, as its latest quote has it.

        The quote of the next one comes right after a settlement, and must not replace the tick for it.
        """
        now_ms = self._clock.now_ms()
        for name, at_ms in self._observer.funding_times().items():
            armed_ms = self._settles_ms.get(name)
            if at_ms == armed_ms or at_ms <= now_ms:
                continue
            if armed_ms is None or not 0 <= now_ms - armed_ms <= 2 * SETTLE_DELAY_MS:
                self._settles_ms[name] = at_ms
                self._ticker.settle_at(name, at_ms)


async def _no_objection() -> str:
    return ""


_FIELDS = tuple(field.name for field in fields(Decision))


def body_of(decision: Decision[Any, Any]) -> dict[str, object]:
    """A decision's row, field by field."""
    return {name: getattr(decision, name) for name in _FIELDS}
