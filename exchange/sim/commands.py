"""What all commands to the venue have in common: each is logged with its outcome, and may be audited."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from exchange.sim.event_log import EventLog, brief
from exchange.sim.model import Reject

P = ParamSpec("P")
R = TypeVar("R")


class Commanded(Protocol):
    """Whoever takes commands. `log` None: nothing is recorded. `check`: audit after every command."""

    log: EventLog | None
    check: bool

    @property
    def now_ms(self) -> int: ...

    def audit(self) -> None: ...


V = TypeVar("V", bound=Commanded)


def command(act: Callable[Concatenate[V, P], R]) -> Callable[Concatenate[V, P], R]:
    """Mark a method as a command of a client's, which may be refused."""

    @wraps(act)
    def taken(self: V, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.log is None and not self.check:
            return act(self, *args, **kwargs)
        given: list[Any] = [*args, *kwargs.values()]
        try:
            result = act(self, *args, **kwargs)
        except Reject as no:
            if self.log is not None:
                self.log.command(self.now_ms, act.__name__, given, {"refused": no.code})
            raise
        if self.log is not None:
            self.log.command(self.now_ms, act.__name__, given, {"result": brief(result)})
        if self.check:
            self.audit()
        return result

    return taken
