"""A machine by its table: one event and one frozen context in, one decision out. No await, no I/O.

`transitions` drives the table. Each row has a single condition that lets every guard of the row speak,
so a decision carries all verdicts, and hands the library a real bool (it compares `== True`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from transitions import EventData, Machine, Transition

from core.events import Decision, E, Event, State, T
from core.table import A, Row
from core.verdict import Verdict

C = TypeVar("C")
C_in = TypeVar("C_in", contravariant=True)


class Judge(Protocol[C_in]):
    """A guard over one kind of context. Pure."""

    @property
    def name(self) -> str: ...

    def check(self, ctx: C_in, /) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Rules(Generic[C, T, E, A]):
    """All that tells one machine from another.

    table    for one event and state the rows are tried from top to bottom; the first whose guards pass wins.
    ignored  (state, event) pairs that are recorded and dropped; any other pair must be in the table.
    targets  what a row's act hands to execution, read off the context alone.
    planned  verdicts that were spoken before any guard was asked, in their order.
    """

    table: tuple[Row[E, A], ...]
    ignored: frozenset[tuple[State, E]]
    targets: Callable[[A, C, Event[E]], tuple[T, ...]]
    planned: Callable[[C], dict[Verdict, None]]


class _Trail(Generic[C, T, E]):
    """What one trigger leaves behind: verdicts of all rows tried, targets of the row taken."""

    def __init__(self, event: Event[E], ctx: C) -> None:
        self.event, self.ctx = event, ctx
        self.verdicts: list[Verdict] = []
        self.targets: tuple[T, ...] = ()


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


class TableMachine(Generic[C, T, E, A]):
    """Holds one state. Raises ValueError at construction when a row names an unknown guard."""

    def __init__(
        self, rules: Rules[C, T, E, A], guards: Iterable[Judge[C]], initial: State = State.IDLE
    ) -> None:
        self._rules = rules
        self._guards = {guard.name: guard for guard in guards}
        wanted = {name for row in rules.table for name in row.guards}
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
            transitions=[self._transition(row) for row in rules.table],
        )

    @property
    def state(self) -> State:
        return self._model.state

    def restore(self, state: State) -> None:
        """Take up the state the journal ends in."""
        self._machine.set_state(state)

    def decide(self, event: Event[E], ctx: C) -> Decision[T, E]:
        """Try the table's rows for this event; the state moves if one lets it."""
        source, trail = self.state, _Trail[C, T, E](event, ctx)
        if (source, event.on) in self._rules.ignored:
            why = "stopped until resumed" if source is State.STOPPED else "busy or not due"
            return Decision(event.on, event.at_ms, source, source, False, (), (), f"dropped: {why}")
        moved = bool(self._machine.events[event.on.value].trigger(self._model, trail=trail))
        return Decision(
            on=event.on,
            at_ms=event.at_ms,
            src=source,
            dst=self.state,
            moved=moved,
            verdicts=tuple(self._rules.planned(ctx) | dict.fromkeys(trail.verdicts)),
            targets=trail.targets,
            reason=event.reason,
            instrument=event.instrument,
        )

    def _transition(self, row: Row[E, A]) -> dict[str, Any]:
        return {
            "trigger": row.on.value,
            "source": list(row.sources),
            "dest": "=" if row.dest is None else row.dest,
            "conditions": self._gate(row),
            "before": self._take(row),
        }

    def _gate(self, row: Row[E, A]) -> Callable[[EventData], bool]:
        guards = tuple(self._guards[name] for name in row.guards)

        def gate(event: EventData) -> bool:
            trail: _Trail[C, T, E] = event.kwargs["trail"]
            verdicts = [guard.check(trail.ctx) for guard in guards]
            trail.verdicts.extend(verdicts)
            return all([v.ok for v in verdicts])

        return gate

    def _take(self, row: Row[E, A]) -> Callable[[EventData], None]:
        def take(event: EventData) -> None:
            trail: _Trail[C, T, E] = event.kwargs["trail"]
            if row.act is not None:
                trail.targets = self._rules.targets(row.act, trail.ctx, trail.event)

        return take
