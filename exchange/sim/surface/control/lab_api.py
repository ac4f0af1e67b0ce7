"""The laboratory part of the control interface: faults, the event log, snapshots.

    GET    /sim/faults     the rules, how often each matched and struck
    POST   /sim/faults     {"rules": [...]}: add some, all or none
    DELETE /sim/faults     forget all; DELETE /sim/faults/ID forgets one
    GET    /sim/log        ?after=N&limit=M: lines of the event log that follow line N, and the digest
    POST   /sim/snapshot   {"name": ...}: remember everything; POST /sim/restore goes back to it

How rules are written: faults/reading.py.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from exchange.sim.event_log import EventLog
from exchange.sim.faults.reading import BadRule, read_rules
from exchange.sim.faults.rules import Rule
from exchange.sim.surface.control.api import NotAllowed, NotThere, Routes
from exchange.sim.surface.control.fault_desk import FaultDesk

MOST_LINES = 10_000
_MOST_RULES = 1_000


class Keeper(Protocol):
    """Who keeps snapshots."""

    def snapshot(self, name: str) -> None: ...

    def restore(self, name: str) -> None:
        """Raises KeyError for a name there is no snapshot of."""
        ...

    def snapshots(self) -> list[str]: ...


class LabApi:
    def __init__(self, desk: FaultDesk, log: EventLog, keeper: Keeper) -> None:
        self._desk = desk
        self._log = log
        self._keeper = keeper

    def routes(self) -> Routes:
        return {
            ("GET", "/sim/faults"): self._list,
            ("POST", "/sim/faults"): self._add,
            ("DELETE", "/sim/faults"): self._clear,
            ("DELETE", "/sim/faults/ID"): self._remove,
            ("GET", "/sim/log"): self._lines,
            ("POST", "/sim/snapshot"): self._snapshot,
            ("POST", "/sim/restore"): self._restore,
        }

    def state(self) -> dict[str, object]:
        return {"lines": self._log.count, "digest": self._log.digest}

    # --- faults -------------------------------------------------------------------------------

    def _list(self, _: str, __: dict[str, Any]) -> object:
        plan = self._desk.plan
        return {"seed": plan.seed, "rules": [self._described(rule) for rule in plan.rules]}

    def _described(self, rule: Rule) -> dict[str, object]:
        tally = self._desk.plan.tally(rule.rule_id)
        return {**rule.source, "id": rule.rule_id, "matches": tally.matches, "hits": tally.hits}

    def _add(self, _: str, body: dict[str, Any]) -> object:
        for name in body:
            if name != "rules":
                raise NotAllowed(name, body[name], "only rules")
        plan = self._desk.plan
        try:
            rules = read_rules(body.get("rules"), self._desk.known(), plan)
        except BadRule as no:
            raise NotAllowed(no.field, no.value, no.allowed) from None
        if len(plan.rules) + len(rules) > _MOST_RULES:
            raise NotAllowed("rules", len(plan.rules) + len(rules), f"at most {_MOST_RULES} in all")
        for rule in rules:
            plan.add(rule)
        return {"added": [rule.rule_id for rule in rules]}

    def _clear(self, _: str, __: dict[str, Any]) -> object:
        removed = [rule.rule_id for rule in self._desk.plan.rules]
        self._desk.plan.clear()
        return {"removed": removed}

    def _remove(self, rule_id: str, _: dict[str, Any]) -> object:
        if all(rule.rule_id != rule_id for rule in self._desk.plan.rules):
            raise NotThere
        self._desk.plan.remove(rule_id)
        return {"removed": [rule_id]}

    # --- log ----------------------------------------------------------------------------------

    def _lines(self, _: str, query: dict[str, Any]) -> object:
        after = _whole(query, "after", 0, 1 << 62)
        lines = self._log.after(after, _whole(query, "limit", 100, MOST_LINES))
        return {**self.state(), "rows": [msgspec.Raw(line) for line in lines]}

    # --- snapshots ----------------------------------------------------------------------------

    def _snapshot(self, _: str, body: dict[str, Any]) -> object:
        self._keeper.snapshot(_name(body))
        return {"snapshots": self._keeper.snapshots()}

    def _restore(self, _: str, body: dict[str, Any]) -> object:
        name = _name(body)
        if name not in self._keeper.snapshots():
            allowed = ", ".join(self._keeper.snapshots()) or "none has been taken"
            raise NotAllowed("name", name, allowed)
        self._keeper.restore(name)
        return {"restored": name}


def _name(body: dict[str, Any]) -> str:
    name = body.get("name")
    if len(body) != 1 or not isinstance(name, str) or not 0 < len(name) <= 64:
        raise NotAllowed("name", name, "only a name of 1 to 64 characters")
    return name


def _whole(query: dict[str, Any], name: str, default: int, most: int) -> int:
    text = str(query.get(name, default))
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise NotAllowed(name, text, f"a whole number from 0 to {most}")
    return int(text)
