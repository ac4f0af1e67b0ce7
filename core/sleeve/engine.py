"""The sleeve's way through: signal, mark or report -> decision -> journal -> lane -> report.

Deciding is plain code between two awaits, so decisions follow one another strictly. Nothing in here waits
for the venue, and nothing in here reaches the hedges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any, Final

from core.context import Permission
from core.engine import body_of
from core.errors import JournalFailed, VenueError
from core.events import Decision, Event, State
from core.facts import Kind
from core.permission import Permissions
from core.ports import Clock, Journal, Notifier
from core.sleeve.books import Position, SleeveBooks
from core.sleeve.events import PositionContext, PositionOn, PositionPlan, PositionTarget
from core.sleeve.lanes import Lanes
from core.sleeve.ports import CONFLICT, EXECUTED, Conduct, Done, Judged, Proposal, Sight, Trader
from core.sleeve.table import PositionMachine
from core.types import ZERO, Base

SleeveDecision = Decision[PositionTarget, PositionOn]
BUSY: Final = frozenset({State.OPENING, State.REBALANCING})
COMPARE_PAUSES_S: Final = (1.0, 2.0, 5.0)  # between two tries, the last one for good
SWEEP_S: Final = 5.0  # how often what is held is looked at though nothing was pushed


@dataclass(frozen=True, slots=True)
class SleeveParts:
    """What the sleeve's engine is made of.

    lot_of   instrument -> the smallest order of its swap, coins.
    new_id   a position id that was never used.
    compare  asks the venue what there is, books it, and returns what stays unexplained, by instrument.
    mark_of  instrument -> its mark price where it is young enough to act on, else None.
    """

    books: SleeveBooks
    conduct: Conduct
    trader: Trader
    journal: Journal
    permissions: Permissions
    clock: Clock
    notifier: Notifier
    lot_of: Callable[[str], Base]
    new_id: Callable[[], str]
    compare: Callable[[], Awaitable[Mapping[str, str]]]
    mark_of: Callable[[str], Sight]
    deadline_s: float = 60.0


class SleeveEngine:
    """Owns the machines, one for each instrument; everything else is handed in."""

    def __init__(self, parts: SleeveParts) -> None:
        self._parts, self._books = parts, parts.books
        self._journal, self._clock, self._notifier = parts.journal, parts.clock, parts.notifier
        self._conduct = parts.conduct
        self._machines: dict[str, PositionMachine] = {}
        self._progress: dict[str, Any] = {}  # position id -> strategy's own
        self._unexplained: Mapping[str, str] = {}
        self._deadlines: dict[str, asyncio.TimerHandle] = {}
        self._lanes = Lanes(self._carry_out, self._came_back, parts.clock.sleep)
        self._differs, self._holds = asyncio.Event(), asyncio.Event()
        self._postponed: set[str] = set()  # to be compared when what is under way has ended
        self._is_up = False
        self.listeners: list[Callable[[PositionContext, SleeveDecision], None]] = []

    # --- what comes in --------------------------------------------------------------------------

    def propose(self, proposal: Proposal) -> Judged:
        """Put a module's signal before the gate, and act on its grant."""
        now_ms = self._clock.now_ms()
        judged = self._conduct.judge(proposal, self._books, self._frozen(proposal.instrument), now_ms)
        if judged.target is not None and self.state(proposal.instrument) is not State.IDLE:
            judged = replace(judged, fate=CONFLICT, reason="the instrument is taken", target=None)
        self._write_signal(proposal, judged, now_ms)
        if judged.target is None:
            return judged
        position_id = self._parts.new_id()
        body = {
            "position_id": position_id,
            "instrument": proposal.instrument,
            "event": "entering",
            "module": proposal.module,
            "signal_id": proposal.signal_id,
            "side": proposal.side,
            "record": judged.record,
            "reason": judged.reason,
        }
        self._journal.append(Kind.POSITION, now_ms, body)
        target = replace(judged.target, position_id=position_id)
        plan = PositionPlan(entering=target, verdicts=judged.verdicts)
        self._decide(proposal.instrument, PositionOn.SIGNAL, plan, proposal.signal_id)
        return judged

    def see(self, instrument: str, sight: Sight) -> None:
        """Show a position what was just seen. Most of the time its plan wants nothing: nothing is written."""
        position = self._books.position(instrument)
        if position is None or position.closing or position.position_id not in self._progress:
            return
        if self.state(instrument) not in (State.RUNNING, State.REBALANCING):
            return
        answer = self._conduct.look(position, self._progress[position.position_id], sight)
        self._keep(position, answer.progress, answer.record, answer.reason)
        if answer.plan.reducing is not None or answer.plan.moves:
            self._decide(instrument, PositionOn.SEEN, answer.plan, answer.reason)

    def sweep(self) -> None:
        """Look at everything that is held, though nothing was pushed: holding time goes by."""
        for instrument in self._books.instruments:
            self.see(instrument, self._parts.mark_of(instrument))

    def close(self, reason: str, instrument: str | None = None) -> None:
        """Close one position, or all of them, whatever their plans say."""
        for name in self._books.instruments if instrument is None else (instrument,):
            position = self._books.position(name)
            if position is None:
                continue
            self._append_position(position, "closing", {"reason": reason})
            self._decide(name, PositionOn.CLOSE, PositionPlan(caring=self._caring(position)), reason)

    def differ(self) -> None:
        """The account holds something else than the books, or may: compare as soon as possible."""
        self._differs.set()

    def resume(self) -> None:
        """The operator has looked at what could not be explained."""
        for name in list(self._machines):
            if self.state(name) is State.STOPPED:
                self._decide(name, PositionOn.RESUME, self._standing_plan(name), "operator")

    # --- life -----------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether the start is over: books and venue were compared, and signals are taken."""
        return self._is_up

    def state(self, instrument: str) -> State:
        machine = self._machines.get(instrument)
        return machine.state if machine is not None else State.IDLE

    @property
    def busy(self) -> bool:
        """Whether something is under way that has not come to its end."""
        return self._lanes.busy

    async def boot(self) -> None:
        """Compare with the venue and let the table say where each position stands."""
        await self.compare()
        for name in self._books.concerned:
            self._machine(name).restore(self._books.state(name))
            self._take_up(name)
            self._decide(name, PositionOn.BOOT, self._standing_plan(name), "start")
        self._is_up = True

    async def run(self) -> None:
        """Until cancelled. The first failure of any part ends all of them."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lanes.run(), name="sleeve lanes")
            group.create_task(self._sweep_on(), name="sleeve sweep")
            group.create_task(self._compare_on(), name="sleeve compare")

    async def _sweep_on(self) -> None:
        while True:
            await self._holds.wait()
            await self._clock.sleep(SWEEP_S)
            self.sweep()
            if not self._books.instruments:
                self._holds.clear()

    async def _compare_on(self) -> None:
        while True:
            await self._differs.wait()
            self._differs.clear()
            await self.compare()
            for name in self._books.concerned:
                self._compared(name)

    async def compare(self) -> None:
        """Ask until the venue answers. Meanwhile plans are watched on, and the venue's stops stand."""
        for pause_s in chain(COMPARE_PAUSES_S, repeat(COMPARE_PAUSES_S[-1])):
            try:
                self._unexplained = await self._parts.compare()
            except VenueError as error:
                self._parts.permissions.lower("comparison", Permission.NO_NEW_RISK, str(error))
                await self._clock.sleep(pause_s)
            else:
                self._parts.permissions.lift("comparison")
                return

    def _compared(self, name: str) -> None:
        position = self._books.position(name)
        if position is None:
            return
        if self._lanes.works_on(name):  # an order of ours is between the two answers
            self._postponed.add(name)
            return
        if self.state(name) is State.IDLE:  # a fill came after its end
            self._decide(name, PositionOn.BOOT, self._standing_plan(name), "a fill came after its end")
            return
        if (progress := self._progress.get(position.position_id)) is not None:
            after = self._conduct.held(position, progress)
            if after is not progress:
                self._keep(position, after, self._conduct.record(after), "taken off outside")
        self._decide(name, PositionOn.COMPARED, self._standing_plan(name), "compared")

    # --- deciding -------------------------------------------------------------------------------

    def _decide(self, name: str, on: PositionOn, plan: PositionPlan, reason: str) -> SleeveDecision:
        now_ms = self._clock.now_ms()
        ctx = self._context(name, plan, now_ms)
        decision = self._machine(name).decide(Event(on, now_ms, reason, name), ctx)
        self._journal.append(Kind.DECISION, now_ms, body_of(decision))
        if decision.moved:
            again = decision.src is decision.dst and on in (PositionOn.ENTERED, PositionOn.ADJUSTED)
            for target in decision.targets:
                self._lanes.give(target, again=again)
            self._arm(name, decision)
            position = self._books.position(name)
            if position is not None and decision.dst is State.IDLE:
                self._over(position)
        if self._books.instruments:
            self._holds.set()
        for listener in self.listeners:
            listener(ctx, decision)
        return decision

    def _context(self, name: str, plan: PositionPlan, now_ms: int) -> PositionContext:
        position = self._books.position(name)
        progress = self._progress.get(position.position_id) if position is not None else None
        held = self._books.held(name)
        return PositionContext(
            now_ms=now_ms,
            instrument=name,
            state=self.state(name),
            held=held,
            target=Base(ZERO if progress is None else self._conduct.target(progress)),
            lot=self._parts.lot_of(name),
            unknown=bool(self._books.unresolved(name)),
            unexplained="" if self._lanes.works_on(name) else self._unexplained.get(name, ""),
            closing=position.closing if position is not None else "",
            plan=plan,
        )

    def _standing_plan(self, name: str) -> PositionPlan:
        """What should be as things stand."""
        position = self._books.position(name)
        if position is None:  # a stop may stand under nothing
            under = next((self._books.by_id(stop.position_id) for stop in self._books.standing(name)), None)
            return PositionPlan() if under is None else PositionPlan(caring=self._caring(under))
        return PositionPlan(caring=self._caring(position))

    def _caring(self, position: Position) -> PositionTarget:
        return self._conduct.caring(position, self._progress.get(position.position_id))

    def _take_up(self, name: str) -> None:
        """Take up the progress the journal ends with, or begin it where a process died before it could."""
        position = self._books.position(name)
        if position is None or position.held < self._parts.lot_of(name):
            return
        if position.entry is None:
            self._begin(position)
            return
        progress = self._conduct.held(position, self._conduct.recall(position))
        self._progress[position.position_id] = progress

    def _begin(self, position: Position) -> None:
        entry, progress = self._conduct.begin(position)
        self._append_position(position, "begun", {"entry": entry, "record": progress, "reason": "filled"})
        self._progress[position.position_id] = self._conduct.recall(position)

    def _keep(self, position: Position, progress: Any, record: Mapping[str, Any] | None, reason: str) -> None:
        self._progress[position.position_id] = progress
        if record is not None:
            self._append_position(position, "progress", {"record": record, "reason": reason})

    def _over(self, position: Position) -> None:
        progress = self._progress.pop(position.position_id, None)
        reason = self._conduct.ended(position, progress)
        body = {"reason": reason, "net": position.net}
        self._append_position(position, "closed", body)
        self._lift_where_all_are_protected()
        if position.entered:
            told = {"instrument": position.instrument, "module": position.module}
            self._notifier.tell("sleeve_closed", "info", told | body)

    # --- execution ------------------------------------------------------------------------------

    async def _carry_out(self, target: PositionTarget) -> Done:
        """The decision is on the disk before anything is done about it; what reduces goes on without."""
        try:
            await self._journal.durable()
            self._parts.permissions.lift("journal")
        except JournalFailed as error:
            self._parts.permissions.lower("journal", Permission.REDUCE_ONLY, str(error))
            if target.purpose.adds_risk:
                return Done(
                    0, unknown=False, protected=True, detail=f"the journal cannot be written: {error}"
                )
        return await self._parts.trader.carry_out(target)

    def _came_back(self, target: PositionTarget, done: Done) -> None:
        name = target.instrument
        if name in self._postponed:
            self._postponed.discard(name)
            self._differs.set()
        position = self._books.position(name)
        if position is None:
            if not done.protected:  # a stop still stands under nothing
                self._lanes.give(target, again=True)
            return
        if position.entry is None and not done.unknown and position.held >= self._parts.lot_of(name):
            self._begin(position)
        if not done.protected and self._lacks_stop(name):
            told = {"what": "no stop at the venue", "detail": f"{name}: {done.detail}"}
            self._notifier.tell("alarm", "critical", told)
            self._parts.permissions.lower("unprotected", Permission.NO_NEW_RISK, f"{name} has no stop")
        self._lift_where_all_are_protected()
        if self.state(name) not in BUSY:
            if not done.protected:
                self._lanes.give(self._caring(position), again=True)
            return
        on = PositionOn.ENTERED if self.state(name) is State.OPENING else PositionOn.ADJUSTED
        self._decide(name, on, self._standing_plan(name), done.detail)

    def _lacks_stop(self, name: str) -> bool:
        stands = any(stop.status == "placed" for stop in self._books.standing(name))
        return self._books.held(name) >= self._parts.lot_of(name) and not stands

    def _lift_where_all_are_protected(self) -> None:
        if not any(map(self._lacks_stop, self._books.instruments)):
            self._parts.permissions.lift("unprotected")

    def _arm(self, name: str, decision: SleeveDecision) -> None:
        if decision.src is decision.dst:
            return
        if (handle := self._deadlines.pop(name, None)) is not None:
            handle.cancel()
        if decision.dst in BUSY:
            self._deadlines[name] = asyncio.get_running_loop().call_later(
                self._parts.deadline_s, self._too_late, name
            )

    def _too_late(self, name: str) -> None:
        state = self.state(name)
        told = {"what": "a position takes too long", "detail": f"{name}: {state.value}"}
        self._notifier.tell("alarm", "critical", told)
        self._decide(name, PositionOn.DEADLINE, self._standing_plan(name), "time is up")

    # --- small ----------------------------------------------------------------------------------

    def _machine(self, name: str) -> PositionMachine:
        if name not in self._machines:
            self._machines[name] = PositionMachine()
        return self._machines[name]

    def _frozen(self, instrument: str) -> str:
        """Why nothing may be entered there now, "" when it may. What the venue holds without a reason is not
        added to, also where the books hold nothing."""
        if not self._is_up:
            return "the sleeve is starting"
        if unexplained := self._unexplained.get(instrument):
            return unexplained
        view = self._parts.permissions.view
        return "" if view.level is Permission.FULL else view.reason

    def _append_position(self, position: Position, event: str, body: Mapping[str, Any]) -> None:
        head = {"position_id": position.position_id, "instrument": position.instrument, "event": event}
        self._journal.append(Kind.POSITION, self._clock.now_ms(), head | dict(body))

    def _write_signal(self, proposal: Proposal, judged: Judged, now_ms: int) -> None:
        body = {
            "signal_id": proposal.signal_id,
            "module": proposal.module,
            "instrument": proposal.instrument,
            "side": proposal.side,
            "strength": proposal.strength,
            "px": proposal.px,
            "evidence": list(proposal.evidence),
            "fate": judged.fate,
            "reason": judged.reason,
            "verdicts": judged.verdicts,
            "leverage_wished": judged.wished_leverage,
            "leverage_granted": judged.granted_leverage,
        }
        self._journal.append(Kind.SIGNAL, now_ms, body)
        if judged.fate == EXECUTED:
            told = {"instrument": proposal.instrument, "module": proposal.module, "side": proposal.side.value}
            self._notifier.tell("sleeve_entering", "info", told | {"strength": proposal.strength})
