"""Rules as written: what is understood, and the one clear error for what is not."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange.sim.faults.kinds import KINDS, REQUIRED
from exchange.sim.faults.plan import FaultPlan
from exchange.sim.faults.reading import BadRule, Known, plan_of, read_file, read_rules
from exchange.sim.faults.rules import Place, Rule, When, Where

NOW_MS = 1_767_571_200_000
KNOWN = Known(NOW_MS, ["demo"], ["BTC-USDT", "BTC-USDT-SWAP"])


def read_one(**rule: Any) -> Rule:
    [found] = read_rules([rule], KNOWN, FaultPlan())
    return found


def test_a_rule_is_read_whole() -> None:
    rule = read_one(
        id="lost-acks",
        where={"rest": "POST /api/v5/trade/order", "account": "demo", "inst_id": "*-SWAP"},
        what={"ack_lost": {"answer": "timeout"}},
        when={"chance": 0.1, "from": "10m", "until": NOW_MS + 7_200_000, "first": 3},
    )
    assert rule.where == Where(
        Place.REST, method="POST", path="/api/v5/trade/order", account="demo", inst_id="*-SWAP"
    )
    assert (rule.effect.rule_id, rule.effect.kind, rule.effect["answer"]) == (
        "lost-acks",
        "ack_lost",
        "timeout",
    )
    assert rule.when == When(NOW_MS + 600_000, NOW_MS + 7_200_000, first=3, chance=Decimal("0.1"))
    assert rule.source["id"] == "lost-acks"


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({"rest": "*"}, Place.REST),
        ({"stream": "private", "op": "connect"}, Place.CONNECT),
        ({"stream": "private", "op": "login"}, Place.MESSAGE),
        ({"stream": "*", "channel": "books*"}, Place.PUSH),
    ],
)
def test_where_says_whether_requests_connections_messages_or_pushes_are_meant(
    where: dict[str, str], place: Place
) -> None:
    assert read_one(where=where, what="reset" if place is not Place.REST else "drop").where.place is place


def test_what_happens_to_the_venue_happens_at_once_or_at_its_instant() -> None:
    assert read_one(what={"clock": {"ms": -45_000}}).when.at_ms == NOW_MS
    assert read_one(what={"clock": {"ms": 1}}, when={"at": "1h"}).when.at_ms == NOW_MS + 3_600_000


def test_rules_without_a_name_get_one_each() -> None:
    rules = read_rules([{"where": {"rest": "*"}, "what": "drop"}] * 2, KNOWN, FaultPlan())
    assert [rule.rule_id for rule in rules] == ["r1", "r2"]


def test_fields_that_are_left_out_have_their_defaults() -> None:
    assert dict(read_one(where={"rest": "*"}, what={"delay": {"ms": "2s"}}).effect.fields) == {
        "ms": 2_000,
        "part": "answer",
    }


REST = {"rest": "POST /api/v5/trade/order"}
PUSH = {"stream": "public"}


@pytest.mark.parametrize(
    ("rule", "field", "allowed"),
    [
        ({"what": "melt"}, "what", "delay"),
        ({"what": {"drop": {}, "delay": {}}}, "what", "delay"),
        ({"where": REST, "what": {"delay": {}}}, "what.delay.ms", "required"),
        ({"where": REST, "what": {"delay": {"ms": "soon"}}}, "what.delay.ms", "500ms"),
        ({"where": REST, "what": {"delay": {"ms": True}}}, "what.delay.ms", "milliseconds"),
        ({"where": REST, "what": {"delay": {"ms": 1, "by": 2}}}, "what.delay.by", "ms, part"),
        ({"where": REST, "what": {"drop": {"part": "half"}}}, "what.drop.part", "request or answer"),
        ({"where": REST, "what": {"fill": {"fraction": 1.5}}}, "what.fill.fraction", "0 to 1"),
        ({"where": REST, "what": {"http": {"status": 99}}}, "what.http.status", "200 to 599"),
        ({"where": REST, "what": {"reject": {"code": "no"}}}, "what.reject.code", "51008"),
        ({"where": REST, "what": {"reject": {"code": 51008, "item": 21}}}, "what.reject.item", "1 to 20"),
        ({"where": REST, "what": "gap"}, "where", "stream without op"),
        ({"where": PUSH, "what": {"http": {"status": 502}}}, "where", "rest, stream with op connect"),
        ({"what": "drop"}, "where", "rest"),
        ({"where": REST, "what": {"clock": {"ms": 1}}}, "where", "the venue itself"),
        ({"where": {}, "what": "drop"}, "where", "either rest or stream"),
        ({"where": {"rest": "*", "stream": "*"}, "what": "drop"}, "where", "either rest or stream"),
        ({"where": {"rest": "PUT /x"}, "what": "drop"}, "where.rest", "GET or POST"),
        ({"where": {"rest": "*", "channel": "books"}, "what": "drop"}, "where.channel", "account"),
        ({"where": {"stream": "*", "op": "jump"}, "what": "drop"}, "where.op", "login"),
        ({"where": {"rest": "*", "colour": "red"}, "what": "drop"}, "where.colour", "inst_id"),
        ({"where": REST, "what": "drop", "when": {"chance": 2}}, "when.chance", "0 to 1"),
        ({"where": REST, "what": "drop", "when": {"first": 0}}, "when.first", "from 1"),
        ({"where": REST, "what": "drop", "when": {"from": "2h", "until": "1h"}}, "when.until", "later"),
        ({"where": REST, "what": "drop", "when": {"from": "later"}}, "when.from", "UTC milliseconds"),
        ({"where": REST, "what": "drop", "when": {"at": "1h"}}, "when.at", "the venue itself"),
        ({"where": PUSH, "what": "drop", "when": {"at": "1h"}}, "when.at", "reset"),
        ({"where": PUSH, "what": "reset", "when": {"at": "1h", "first": 1}}, "when", "at alone"),
        ({"what": {"clock": {"ms": 1}}, "when": {"chance": 0.5}}, "when", "at alone"),
        ({"what": {"suspend": {"inst_id": "X-Y"}}}, "what.suspend.inst_id", "BTC-USDT"),
        ({"what": {"revoke": {"account": "nobody"}}}, "what.revoke.account", "demo"),
        ({"what": {"account": {"account": "demo", "set": {}}}}, "what.account.set", "names"),
        ({"id": "a b", "where": REST, "what": "drop"}, "id", "letters"),
        ({"where": REST, "what": "drop", "who": "me"}, "who", "when"),
        ("drop", "rules[1]", "where"),
    ],
)
def test_a_senseless_rule_is_refused_naming_rule_field_value_and_what_is_allowed(
    rule: object, field: str, allowed: str
) -> None:
    with pytest.raises(BadRule) as refused:
        read_rules([rule], KNOWN, FaultPlan())
    assert refused.value.field.startswith("rules[1]") and refused.value.field.endswith(field)
    assert allowed in refused.value.allowed
    assert refused.value.field in str(refused.value) and "allowed:" in str(refused.value)


def test_a_name_belongs_to_one_rule() -> None:
    twice = [{"id": "a", "where": REST, "what": "drop"}] * 2
    with pytest.raises(BadRule, match=r"rules\[2\]\.id"):
        read_rules(twice, KNOWN, FaultPlan())
    plan = FaultPlan()
    [first] = read_rules(twice[:1], KNOWN, plan)
    plan.add(first)
    with pytest.raises(BadRule, match="no other rule"):
        read_rules(twice[:1], KNOWN, plan)


# --- files --------------------------------------------------------------------------------------

FILE = """
seed: 7
rules:
  - id: slow
    where: {rest: "GET *"}
    what: {delay: {ms: 500ms}}
    when: {chance: 0.25}
schedule:
  - at: 90m
    what: {suspend: {inst_id: BTC-USDT-SWAP, lasts: 5m}}
"""


def test_a_file_is_a_whole_plan(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(FILE)
    plan = read_file(path, KNOWN)
    assert plan.seed == 7 and [rule.rule_id for rule in plan.rules] == ["slow", "r1"]
    assert plan.rules[0].when.chance == Decimal("0.25")
    assert plan.next_ms() == NOW_MS + 90 * 60_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FILE.replace("500ms", "never"), ["rules[1] (slow).what.delay.ms", "'never'", "allowed"]),
        (FILE.replace("at: 90m", "when: 90m"), ["schedule[1].when", "only id, at, what"]),
        (FILE.replace("  - at: 90m\n    what", "  - what"), ["schedule[1].at", "missing"]),
        (FILE.replace("seed: 7", "seed: x"), ["seed", "'x'", "whole number"]),
        (FILE.replace("seed: 7", "seed: 1e3"), ["line 2", "seed", "1e3", "write 1000"]),
        (FILE + "seed: 8\n", ["line 11", "seed", "each key once"]),
        ("rules: 5", ["rules", "5", "a list"]),
        ("[1]", ["file", "seed, rules, schedule"]),
        ("rules: [", ["line 1", "valid YAML"]),
    ],
)
def test_a_senseless_file_is_refused_with_its_name_and_place(
    text: str, words: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(BadRule) as refused:
        read_file(path, KNOWN)
    for word in [str(path), *words]:
        assert word in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRule, match="nothing"):
        read_file(tmp_path / "nothing.yaml", KNOWN)


def test_an_empty_file_is_an_empty_plan(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("")
    assert read_file(path, KNOWN).rules == ()


def test_every_kind_can_be_written_down_with_what_it_requires() -> None:
    samples: dict[str, Any] = {
        "ms": 5, "status": 502, "code": "51008", "fraction": 0.5, "inst_id": "BTC-USDT-SWAP",
        "shape": "empty", "change": 0.2, "after": "1h", "lasts": "1h", "account": "demo",
        "set": {"cash": {"USDT": "1"}},
    }  # fmt: skip
    where = {
        Place.REST: {"rest": "*"}, Place.CONNECT: {"stream": "*", "op": "connect"},
        Place.MESSAGE: {"stream": "*", "op": "*"}, Place.PUSH: {"stream": "*"}, Place.VENUE: None,
    }  # fmt: skip
    for name, kind in KINDS.items():
        required = [field for field, spec in kind.fields.items() if spec.default is REQUIRED]
        for place in kind.places:
            rule = {"where": where[place], "what": {name: {field: samples[field] for field in required}}}
            found = read_rules([{k: v for k, v in rule.items() if v}], KNOWN, plan_of({}, KNOWN))
            assert found[0].where.place is place
