"""Deciding which faults strike: pure, seeded, repeatable.

Every rule draws from a stream of its own, made of the plan's seed, the rule's id and the number of the
match. So a rule added or removed changes nothing about what the others do, and the whole state of a
plan is a few counters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from heapq import heappop, heappush

from exchange.sim.faults.kinds import KINDS
from exchange.sim.faults.rules import Effect, Occasion, Place, Rule

_DRAWS = 1 << 64


def draw(seed: int, rule_id: str, match: int) -> Decimal:
    """A number in [0, 1): the same for the same seed, rule and match on every machine."""
    digest = hashlib.blake2b(f"{seed}:{rule_id}:{match}".encode(), digest_size=8).digest()
    return Decimal(int.from_bytes(digest, "big")) / _DRAWS


@dataclass(slots=True)
class Tally:
    """How often a rule's place came by (`matches`) and how often it struck (`hits`)."""

    matches: int = 0
    hits: int = 0


class FaultPlan:
    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._rules: dict[str, Rule] = {}
        self._by_place: dict[Place, list[Rule]] = {place: [] for place in Place}
        self._tallies: dict[str, Tally] = {}
        self._agenda: list[tuple[int, int, Effect, Rule | None]] = []  # instant, order of entry, ...
        self._entered = 0

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(self._rules.values())

    def tally(self, rule_id: str) -> Tally:
        return self._tallies[rule_id]

    def free_id(self, taken: Iterable[str] = ()) -> str:
        """The next name for a rule that was given none."""
        used = {*self._rules, *taken}
        return next(name for n in range(1, len(used) + 2) if (name := f"r{n}") not in used)

    def add(self, rule: Rule) -> None:
        """Raises ValueError when the id is taken."""
        if rule.rule_id in self._rules:
            raise ValueError(f"there is a rule {rule.rule_id} already")
        self._rules[rule.rule_id] = rule
        self._tallies[rule.rule_id] = Tally()
        if rule.when.at_ms is None:
            self._by_place[rule.where.place].append(rule)
        else:
            self._enter(rule.when.at_ms, rule.effect, rule)

    def remove(self, rule_id: str) -> None:
        """Forget a rule. What it has set going for a while still comes to its end. Raises KeyError."""
        rule = self._rules.pop(rule_id)
        del self._tallies[rule_id]
        if rule.when.at_ms is None:
            self._by_place[rule.where.place].remove(rule)

    def clear(self) -> None:
        for rule in self.rules:
            self.remove(rule.rule_id)

    def watches(self, place: Place) -> bool:
        """Whether any rule looks at a place: the quick way past everything when none does."""
        return bool(self._by_place[place])

    def decide(self, occasion: Occasion) -> list[Effect]:
        """Return what strikes this occasion, in the order of the rules."""
        struck = []
        for rule in self._by_place[occasion.place]:
            if not rule.when.open_at(occasion.at_ms) or not rule.where.covers(occasion):
                continue
            if not KINDS[rule.effect.kind].fits(occasion):
                continue
            tally, when = self._tallies[rule.rule_id], rule.when
            tally.matches += 1
            if not when.picks(tally.matches):
                continue
            if when.chance is not None and draw(self.seed, rule.rule_id, tally.matches) >= when.chance:
                continue
            tally.hits += 1
            struck.append(rule.effect)
        return struck

    # --- at instants --------------------------------------------------------------------------

    def follow_up(self, at_ms: int, effect: Effect) -> None:
        """Enter the end of a fault that lasts for a while."""
        self._enter(at_ms, effect, None)

    def next_ms(self) -> int | None:
        return self._agenda[0][0] if self._agenda else None

    def due(self, now_ms: int) -> list[tuple[Effect, Rule | None]]:
        """Take out what is due, oldest first, with its rule where it is a scheduled strike.

        A scheduled fault whose rule was removed meanwhile does not happen.
        """
        found: list[tuple[Effect, Rule | None]] = []
        while self._agenda and self._agenda[0][0] <= now_ms:
            _, _, effect, rule = heappop(self._agenda)
            if rule is None:
                found.append((effect, None))
            elif self._rules.get(rule.rule_id) is rule:
                tally = self._tallies[rule.rule_id]
                tally.matches += 1
                tally.hits += 1
                found.append((effect, rule))
        return found

    def _enter(self, at_ms: int, effect: Effect, rule: Rule | None) -> None:
        self._entered += 1
        heappush(self._agenda, (at_ms, self._entered, effect, rule))
