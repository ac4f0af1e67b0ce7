"""The machine: one event and one frozen context in, one decision out. No await, no I/O.

`transitions` drives the table. Each row has a single condition that lets every guard of the row speak,
so a decision carries all verdicts, and hands the library a real bool (it compares `== True`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from transitions import EventData, Machine, Transition

from core.context import Context, HedgeView
from core.events import Decision, Event, HedgeTarget, On, Purpose, State, Target
from core.ports import Guard
from core.table import IGNORED, TABLE, Act, Row
from core.types import ZERO, Base
from core.verdict import Verdict


class _Trail:
    """What one trigger leaves behind: verdicts of all rows tried, targets of the row taken."""

    def __init__(self, event: Event, ctx: Context) -> None:
        self.event, self.ctx = event, ctx
        self.verdicts: list[Verdict] = []
        self.targets: tuple[Target, ...] = ()


class _Taken(Transition):
    """A row of the table: a gate, and what taking it hands on. The library looks for callbacks of the
    machine, of states and of transitions all along its way; there are no others here.
    """

    def execute(self, event_data: EventData) -> bool:
        if not self._eval_conditions(event_data):
            return False
        for take in self.before:
            event_data.machine.callback(take, event_data)
        if self.dest is not None:
            event_data.machine.set_state(self.dest, event_data.model)
        return True


class _Machine(Machine):
    transition_cls = _Taken


class _Model:
    """What `transitions` hangs its state and its convenience methods on; nobody else sees it."""

    state: State


class StateMachine:
    """Holds the one state. Raises ValueError at construction when a row names an unknown guard."""

    def __init__(self, guards: Iterable[Guard], initial: State = State.IDLE) -> None:
        self._guards = {guard.name: guard for guard in guards}
        wanted = {name for row in TABLE for name in row.guards}
        if missing := sorted(wanted - self._guards.keys()):
            raise ValueError(f"the table names guards nobody provides: {', '.join(missing)}")
        self._model = _Model()
        self._machine = _Machine(
            self._model,
            states=State,
            initial=initial,
            auto_transitions=False,
            send_event=True,
            ignore_invalid_triggers=False,
            transitions=[self._transition(row) for row in TABLE],
        )

    @property
    def state(self) -> State:
        return self._model.state

    def restore(self, state: State) -> None:
        """Take up the state the journal ends in."""
        self._machine.set_state(state)

    def decide(self, event: Event, ctx: Context) -> Decision:
        """Try the table's rows for this event; the state moves if one lets it."""
        source, trail = self.state, _Trail(event, ctx)
        if (source, event.on) in IGNORED:
            return Decision(event.on, event.at_ms, source, source, False, (), (), "dropped: busy or not due")
        moved = bool(self._machine.events[event.on.value].trigger(self._model, trail=trail))
        return Decision(
            on=event.on,
            at_ms=event.at_ms,
            src=source,
            dst=self.state,
            moved=moved,
            verdicts=_once(ctx, trail.verdicts),
            targets=trail.targets,
            reason=event.reason,
            instrument=event.instrument,
        )

    def _transition(self, row: Row) -> dict[str, Any]:
        return {
            "trigger": row.on.value,
            "source": list(row.sources),
            "dest": "=" if row.dest is None else row.dest,
            "conditions": self._gate(row),
            "before": self._take(row),
        }

    def _gate(self, row: Row) -> Callable[[EventData], bool]:
        guards = tuple(self._guards[name] for name in row.guards)

        def gate(event: EventData) -> bool:
            trail: _Trail = event.kwargs["trail"]
            verdicts = [guard.check(trail.ctx) for guard in guards]
            trail.verdicts.extend(verdicts)
            return all([v.ok for v in verdicts])

        return gate

    def _take(self, row: Row) -> Callable[[EventData], None]:
        def take(event: EventData) -> None:
            trail: _Trail = event.kwargs["trail"]
            trail.targets = targets_of(row.act, trail.ctx, trail.event)

        return take


def targets_of(act: Act, ctx: Context, event: Event) -> tuple[Target, ...]:
    """What a row hands to execution, read off the context alone."""
    match act:
        case Act.NOTHING:
            return ()
        case Act.OPEN:
            return ctx.plan.opening[:1]
        case Act.ADJUST:
            return ctx.plan.adjusting
        case Act.REPAIR:
            # Whatever was asked for last is the target again, but a repair never grows a hedge, and
            # what the venue has liquidated is not sold again.
            return tuple(
                HedgeTarget(h.instrument, _repaired(h, ctx.state), Purpose.REPAIR, "legs unequal")
                for h in _concerned(ctx)
            )
        case Act.UNWIND:
            reason = event.reason or ctx.stopping or On(event.on).value
            return tuple(
                HedgeTarget(h.instrument, Base(ZERO), Purpose.FLATTEN, reason) for h in _concerned(ctx)
            )


def _concerned(ctx: Context) -> tuple[HedgeView, ...]:
    """Hedges that hold something, or may: an order without outcome can be all there is of one."""
    return tuple(h for h in ctx.hedges.values() if h.size or ctx.unresolved_orders)


def _repaired(hedge: HedgeView, state: State) -> Base:
    if not hedge.size and not hedge.liquidations:
        return hedge.target_base  # what turns up of the order is completed, and nothing beyond it
    most = min(hedge.spot_base, hedge.short_base) if hedge.liquidations else hedge.size
    if state is State.STOPPED:
        return Base(most)  # equal legs, and no step further: a halt holds what is held
    return Base(min(hedge.target_base, most))


def _once(ctx: Context, spoken: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The plan's verdicts and the guards', without repetitions: a guard asked by two rows says the same
    twice."""
    return tuple(ctx.once(_planned) | dict.fromkeys(spoken))


def _planned(ctx: Context) -> dict[Verdict, None]:
    return dict.fromkeys(ctx.plan.verdicts)
