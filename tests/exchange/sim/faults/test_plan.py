"""Which faults strike: pure decisions, the same under the same seed."""

import pickle
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.faults.plan import FaultPlan, draw
from exchange.sim.faults.rules import Effect, Occasion, Place, Rule, When, Where

NOW_MS = 1_767_571_200_000
ORDER = Occasion(
    Place.REST, NOW_MS, method="POST", path="/api/v5/trade/order", account="demo", inst_ids=("BTC-USDT",)
)


def rule(rule_id: str = "one", where: Where | None = None, kind: str = "drop", **when: object) -> Rule:
    effect = Effect(rule_id, kind, {"part": "request"})
    return Rule(rule_id, where or Where(Place.REST), effect, When(**when), {})  # type: ignore[arg-type]


def plan_of(*rules: Rule, seed: int = 1) -> FaultPlan:
    plan = FaultPlan(seed)
    for one in rules:
        plan.add(one)
    return plan


def hits(plan: FaultPlan, rule_id: str, count: int, occasion: Occasion = ORDER) -> list[int]:
    """The numbers, from 1, of the occasions a rule struck."""
    found = [{effect.rule_id for effect in plan.decide(occasion)} for _ in range(count)]
    return [n for n, ids in enumerate(found, 1) if rule_id in ids]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"first": 2}, [1, 2]),
        ({"every": 3}, [3, 6]),
        ({"nth": 4}, [4]),
        ({"first": 5, "every": 2}, [2, 4]),
        ({"chance": Decimal(0)}, []),
        ({"chance": Decimal(1)}, [1, 2, 3, 4, 5, 6]),
        ({"from_ms": NOW_MS + 1}, []),
        ({"until_ms": NOW_MS}, []),
        ({"from_ms": NOW_MS, "until_ms": NOW_MS + 1}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_rule_strikes_the_matches_all_its_conditions_agree_on(
    when: dict[str, object], expected: list[int]
) -> None:
    assert hits(plan_of(rule(**when)), "one", 6) == expected


def test_only_occasions_inside_the_window_are_counted() -> None:
    plan = plan_of(rule(from_ms=NOW_MS + 10, nth=1))
    assert hits(plan, "one", 3) == []
    assert hits(plan, "one", 2, replace(ORDER, at_ms=NOW_MS + 10)) == [1]


@pytest.mark.parametrize(
    ("where", "covered"),
    [
        (Where(Place.REST, path="/api/v5/trade/*"), True),
        (Where(Place.REST, path="/api/v5/trade/orders*"), False),
        (Where(Place.REST, method="GET"), False),
        (Where(Place.REST, account="demo", inst_id="BTC-*"), True),
        (Where(Place.REST, account="other"), False),
        (Where(Place.REST, inst_id="*-SWAP"), False),
        (Where(Place.PUSH), False),
    ],
)
def test_a_rule_looks_only_where_it_says(where: Where, covered: bool) -> None:
    assert bool(plan_of(rule(where=where)).decide(ORDER)) is covered


def test_a_pattern_for_instruments_needs_an_instrument_and_matches_any_of_several() -> None:
    plan = plan_of(rule(where=Where(Place.REST, inst_id="*-SWAP")))
    assert plan.decide(replace(ORDER, inst_ids=())) == []
    assert plan.decide(replace(ORDER, inst_ids=("BTC-USDT", "BTC-USDT-SWAP")))


def test_a_kind_strikes_only_what_it_fits() -> None:
    push = Occasion(Place.PUSH, NOW_MS, stream="public", channel="books", op="snapshot")
    plan = plan_of(rule(where=Where(Place.PUSH), kind="gap", nth=1))
    assert plan.decide(push) == [] and plan.tally("one").matches == 0
    assert plan.decide(replace(push, op="update"))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    chance=st.decimals("0.05", "0.95", places=2),
    others=st.lists(st.integers(2, 9), max_size=4, unique=True),
    ahead=st.booleans(),
)
def test_other_rules_change_nothing_about_what_a_rule_draws(
    seed: int, chance: Decimal, others: list[int], ahead: bool
) -> None:
    mine = rule("mine", chance=chance)
    alone = hits(plan_of(mine, seed=seed), "mine", 40)
    theirs = [rule(f"r{n}", chance=Decimal(n) / 10) for n in others]
    together = plan_of(*([*theirs, mine] if ahead else [mine, *theirs]), seed=seed)
    assert hits(together, "mine", 40) == alone


def test_chances_come_out_as_often_as_they_say() -> None:
    struck = hits(plan_of(rule(chance=Decimal("0.3"))), "one", 2_000)
    assert 500 < len(struck) < 700
    assert struck != hits(plan_of(rule(chance=Decimal("0.3")), seed=2), "one", 2_000)


def test_a_draw_is_the_same_on_every_machine() -> None:
    assert f"{draw(7, 'lost-acks', 1):.12f}" == "0.846564251155"


def test_a_copied_plan_goes_on_exactly_where_it_was() -> None:
    plan = plan_of(rule(chance=Decimal("0.5")), rule("two", every=3))
    hits(plan, "one", 17)
    copy: FaultPlan = pickle.loads(pickle.dumps(plan))
    assert [hits(copy, name, 30) for name in ("one", "two")] == [
        hits(plan, name, 30) for name in ("one", "two")
    ]


def test_hits_are_counted_and_a_removed_rule_is_silent() -> None:
    plan = plan_of(rule(every=2))
    hits(plan, "one", 5)
    assert (plan.tally("one").matches, plan.tally("one").hits) == (5, 2)
    plan.remove("one")
    assert not plan.watches(Place.REST) and plan.decide(ORDER) == []
    with pytest.raises(KeyError):
        plan.remove("one")


def test_an_id_is_taken_once_and_free_ones_are_found() -> None:
    plan = plan_of(rule("r1"), rule("r3"))
    with pytest.raises(ValueError, match="r1"):
        plan.add(rule("r1"))
    assert plan.free_id() == "r2" and plan.free_id(["r2"]) == "r4"


def test_scheduled_faults_come_in_order_and_not_when_removed() -> None:
    late, soon = (
        rule("late", Where(Place.VENUE), at_ms=NOW_MS + 9),
        rule("soon", Where(Place.VENUE), at_ms=NOW_MS + 5),
    )
    gone = rule("gone", Where(Place.VENUE), at_ms=NOW_MS + 1)
    plan = plan_of(late, gone, soon)
    plan.remove("gone")
    ending = Effect("gone", "clock", {"ms": 0})
    plan.follow_up(NOW_MS + 7, ending)
    assert plan.due(NOW_MS) == []
    assert plan.due(NOW_MS + 7) == [(soon.effect, soon), (ending, None)]
    assert plan.next_ms() == NOW_MS + 9 and plan.tally("soon").hits == 1
    assert plan.due(NOW_MS + 99) == [(late.effect, late)] and plan.next_ms() is None
