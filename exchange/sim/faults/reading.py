"""Rules as written, by an operator over the control interface or in a file, checked strictly.

    id: lost-acks                                   optional
    where: {rest: POST /api/v5/trade/order, account: demo, inst_id: "*-SWAP"}
    what: {ack_lost: {answer: timeout}}             a kind and its fields; or only the kind
    when: {chance: 0.1, from: 10m, until: 2h}       optional; times from now on, or UTC milliseconds

A file adds `seed` and a `schedule` of {at, what} for what happens to the venue at instants.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from config.yaml_lines import Form, Items, Node, Scalar, Table, read
from exchange.sim.faults import kinds
from exchange.sim.faults.kinds import KINDS, REQUIRED, Unfit
from exchange.sim.faults.plan import FaultPlan
from exchange.sim.faults.rules import Effect, Place, Rule, When, Where

_PATTERNS: Final = {
    Place.REST: ("rest", "account", "inst_id"),
    Place.CONNECT: ("stream", "op"),
    Place.MESSAGE: ("stream", "op", "account", "inst_id"),
    Place.PUSH: ("stream", "channel", "account", "inst_id"),
}
_RULE: Final = ("id", "where", "what", "when")
_INSTANT_MS: Final = 1_000_000_000_000  # numbers from here on are UTC milliseconds
_ORDERS: Final = ("order", "batch-orders", "cancel-order", "batch-cancel-orders", "amend-order")
OPERATIONS: Final = ("connect", "login", "subscribe", "unsubscribe", "ping", *_ORDERS)


class BadRule(ValueError):
    """`field` of the rules is `value`; `allowed` says what it may be."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} is {_shown(value)}, allowed: {allowed}")
        self.field, self.value, self.allowed = field, value, allowed


@dataclass(frozen=True, slots=True)
class Known:
    """What rules may name at this venue, and the instant their times count from."""

    now_ms: int
    accounts: Collection[str]
    instruments: Collection[str]


def read_rules(raw: object, known: Known, plan: FaultPlan, place: str = "rules") -> list[Rule]:
    """Read a list of rules, none of which is in the plan yet. Raises BadRule for the first flaw."""
    if not isinstance(raw, list):
        raise BadRule(place, raw, "a list of rules")
    rules: list[Rule] = []
    for n, one in enumerate(raw, 1):
        taken = [rule.rule_id for rule in rules]
        rules.append(_rule(one, f"{place}[{n}]", known, plan, taken))
    return rules


def read_schedule(raw: object, known: Known, plan: FaultPlan, taken: list[Rule]) -> list[Rule]:
    """Read {id, at, what} entries: faults of the venue itself. Raises BadRule."""
    if not isinstance(raw, list):
        raise BadRule("schedule", raw, "a list of entries with at and what")
    rules: list[Rule] = []
    for n, one in enumerate(raw, 1):
        place = f"schedule[{n}]"
        entry = _only(one, place, ("id", "at", "what"))
        if "at" not in entry:
            raise BadRule(f"{place}.at", None, "the instant at which it happens")
        spread = {name: entry[name] for name in ("id", "what") if name in entry}
        ids = [rule.rule_id for rule in (*taken, *rules)]
        rules.append(_rule({**spread, "when": {"at": entry["at"]}}, place, known, plan, ids))
    return rules


def read_file(path: Path, known: Known) -> FaultPlan:
    """Read a whole plan: seed, rules, schedule. Raises BadRule, its field led by the file's name."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadRule(str(path), error.strerror, "a readable YAML file") from error
    tree, flaws = read(content)
    if flaws:
        flaw = flaws[0]
        raise BadRule(f"{path}, line {flaw.line}, {flaw.key or 'text'}", flaw.value, flaw.hint)
    try:
        return plan_of({} if tree is None else _plain(tree), known)
    except BadRule as no:
        raise BadRule(f"{path}, {no.field}", no.value, no.allowed) from None


def plan_of(raw: object, known: Known) -> FaultPlan:
    """A plan out of {seed, rules, schedule}, all optional. Raises BadRule."""
    body = _only(raw, "file", ("seed", "rules", "schedule"))
    seed = body.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise BadRule("seed", seed, "a whole number")
    plan = FaultPlan(seed)
    rules = read_rules(body.get("rules", []), known, plan)
    for rule in rules + read_schedule(body.get("schedule", []), known, plan, rules):
        plan.add(rule)
    return plan


# --- one rule -----------------------------------------------------------------------------------


def _rule(raw: object, place: str, known: Known, plan: FaultPlan, taken: list[str]) -> Rule:
    body = _only(raw, place, _RULE)
    rule_id = body.get("id", None)
    if rule_id is None:
        rule_id = plan.free_id(taken)
    rule_id = _fit(kinds.word, rule_id, f"{place}.id")
    if rule_id in taken or any(rule.rule_id == rule_id for rule in plan.rules):
        raise BadRule(f"{place}.id", rule_id, "a name that no other rule has")
    place = f"{place} ({rule_id})"
    name, fields = _what(body.get("what"), f"{place}.what", known)
    where = _where(body.get("where"), f"{place}.where")
    if where.place not in KINDS[name].places:
        allowed = ", ".join(_PLACE_NAMES[one] for one in KINDS[name].places)
        raise BadRule(f"{place}.where", _PLACE_NAMES[where.place], f"for {name}: {allowed}")
    when = _when(body.get("when", {}), f"{place}.when", known, where.place)
    if when.at_ms is not None and where.place in (Place.REST, Place.CONNECT, Place.MESSAGE):
        raise BadRule(f"{place}.when.at", when.at_ms, "for the venue itself, or for streams that are open")
    if when.at_ms is not None and where.place is Place.PUSH and name not in AT_ONCE:
        raise BadRule(f"{place}.when.at", name, f"at an instant, of streams: {', '.join(AT_ONCE)}")
    return Rule(rule_id, where, Effect(rule_id, name, fields), when, body)


# What can be done to an open stream without waiting for a frame.
AT_ONCE: Final = ("reset", "half_open", "close", "notice")

_PLACE_NAMES: Final = {
    Place.REST: "rest",
    Place.CONNECT: "stream with op connect",
    Place.MESSAGE: "stream with op",
    Place.PUSH: "stream without op",
    Place.VENUE: "no where, the venue itself",
}


def _what(raw: object, place: str, known: Known) -> tuple[str, dict[str, Any]]:
    body = {raw: {}} if isinstance(raw, str) else raw
    if not isinstance(body, dict) or len(body) != 1 or next(iter(body)) not in KINDS:
        raise BadRule(place, raw, f"one of {', '.join(KINDS)}")
    [(name, given)] = body.items()
    fields = KINDS[name].fields
    given = _only({} if given is None else given, f"{place}.{name}", tuple(fields))
    found: dict[str, Any] = {}
    for field_name, field in fields.items():
        at = f"{place}.{name}.{field_name}"
        if field_name in given:
            found[field_name] = _fit(field.read, given[field_name], at)
        elif field.default is REQUIRED:
            raise BadRule(at, None, "a value: it is required")
        else:
            found[field_name] = field.default
    for field_name, names in (("account", known.accounts), ("inst_id", known.instruments)):
        if field_name in found and found[field_name] not in names:
            raise BadRule(f"{place}.{name}.{field_name}", found[field_name], ", ".join(names))
    return name, found


def _where(raw: object, place: str) -> Where:
    if raw is None:
        return Where(Place.VENUE)
    body = _only(raw, place, ("rest", "stream", "op", "channel", "account", "inst_id"))
    patterns = {name: _fit(kinds.text, value, f"{place}.{name}") for name, value in body.items()}
    if ("rest" in patterns) == ("stream" in patterns):
        raise BadRule(place, raw, "either rest or stream, or no where at all for the venue itself")
    kind = Place.REST
    if "stream" in patterns:
        op = patterns.get("op")
        kind = Place.PUSH if op is None else Place.CONNECT if op == "connect" else Place.MESSAGE
        if op is not None and op != "*" and op not in OPERATIONS:
            raise BadRule(f"{place}.op", op, f"* or {', '.join(OPERATIONS)}")
    for name, value in patterns.items():
        if name not in _PATTERNS[kind]:
            allowed = ", ".join(_PATTERNS[kind])
            raise BadRule(f"{place}.{name}", value, f"with {_PLACE_NAMES[kind]}: {allowed}")
    method, _, path = patterns.pop("rest", "* *").rpartition(" ")
    if method not in ("", "*", "GET", "POST"):
        raise BadRule(f"{place}.rest", method, "GET or POST and a path, or only a path; * for any")
    return Where(kind, method=method or "*", path=path, **patterns)


def _when(raw: object, place: str, known: Known, where: Place) -> When:
    body = _only(raw, place, ("from", "until", "first", "every", "nth", "chance", "at"))
    instants = {
        name: _instant(body[name], f"{place}.{name}", known.now_ms)
        for name in ("from", "until", "at")
        if name in body
    }
    counts = {
        name: _fit(kinds.count, body[name], f"{place}.{name}")
        for name in ("first", "every", "nth")
        if name in body
    }
    chance = _fit(kinds.share, body["chance"], f"{place}.chance") if "chance" in body else None
    if ("at" in body and len(body) > 1) or (where is Place.VENUE and set(body) - {"at"}):
        raise BadRule(place, raw, "at alone, for what happens at an instant")
    if where is Place.VENUE and not body:
        instants["at"] = known.now_ms
    begin, end = instants.get("from"), instants.get("until")
    if begin is not None and end is not None and begin >= end:
        raise BadRule(f"{place}.until", body["until"], "later than from")
    return When(
        begin, end, counts.get("first"), counts.get("every"), counts.get("nth"), chance, instants.get("at")
    )


def _instant(value: object, place: str, now_ms: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= _INSTANT_MS:
        return value
    ahead_ms: int = _fit(kinds.span_ms, value, place, "; or UTC milliseconds")
    return now_ms + ahead_ms


# --- small things -------------------------------------------------------------------------------


def _fit(reader: Callable[[object], Any], value: object, place: str, more: str = "") -> Any:
    try:
        return reader(value)
    except Unfit as no:
        raise BadRule(place, value, f"{no}{more}") from None


def _only(raw: object, place: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise BadRule(place, raw, f"names with values: {', '.join(names) or 'none here'}")
    for name in raw:
        if name not in names:
            raise BadRule(f"{place}.{name}", raw[name], f"only {', '.join(names) or 'nothing here'}")
    return raw


def _plain(node: Node) -> Any:
    """A YAML tree as plain values; numbers as int where they are whole, else Decimal."""
    if isinstance(node, Table):
        return {name: _plain(value) for name, value in node.values.items()}
    if isinstance(node, Items):
        return [_plain(value) for value in node.values]
    assert isinstance(node, Scalar)
    match node.form:
        case Form.NUMBER:
            assert node.number is not None
            return int(node.number) if node.number == node.number.to_integral_value() else node.number
        case Form.BOOL:
            return node.is_true
        case Form.NULL:
            return None
    return node.text


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, Decimal):
        return f"{value}"
    return repr(value)
