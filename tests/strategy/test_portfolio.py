from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.schema import Exit, Strategy
from core.types import DAY_MS, HOUR_MS, SettledFunding
from strategy.capital import futures_need, futures_ratio, multi_need, multi_ratio
from strategy.foresight import perfect_foresight
from strategy.portfolio import Journey, Portfolio, Step
from strategy.rehearsal import Rehearsal

D = Decimal
COST = D("0.0016")
START_MS = 1_704_067_200_000
STRATEGY = Strategy()
NEVER = None


def record(rates: Sequence[object], jitter_ms: int = 0, start_ms: int = START_MS) -> Rehearsal:
    settled = [
        SettledFunding(start_ms + n * 8 * HOUR_MS + jitter_ms, D(str(rate))) for n, rate in enumerate(rates)
    ]
    return Rehearsal(settled, COST, STRATEGY)


def portfolio(records: Mapping[str, Sequence[Rehearsal]], strategy: Strategy = STRATEGY) -> Portfolio:
    return Portfolio(records, strategy, COST)


def way(journey: Journey) -> str:
    """What was held through each settlement, one word an instant."""
    return " ".join("".join(step.held) or "-" for step in journey.steps)


some_rates = st.lists(st.integers(-60, 90).map(lambda n: D(n) / 100_000), min_size=10, max_size=40)
some_coins = st.dictionaries(st.sampled_from("ABCD"), some_rates, min_size=1, max_size=4)


@given(rates=some_rates)
def test_one_coin_and_one_place_are_its_rehearsal(rates: list[Decimal]) -> None:
    alone, course = record(rates), record(rates).play("expected_cost")
    journey = portfolio({"A": [alone]}).play(1, D(0))
    assert tuple(bool(step.held) for step in journey.steps) == course.held
    assert (journey.net, journey.switches, journey.rotations) == (course.net, course.switches, 0)


@given(coins=some_coins, places=st.integers(1, 3), least=st.sampled_from([None, D(0), D(50), D(200)]))
def test_no_more_is_held_than_there_are_places_and_foresight_is_never_beaten(
    coins: dict[str, list[Decimal]], places: int, least: Decimal | None
) -> None:
    journey = portfolio({coin: [record(rates)] for coin, rates in coins.items()}).play(places, least)
    assert all(len(set(step.held)) == len(step.held) <= places for step in journey.steps)
    best = sum((perfect_foresight(rates, COST).net for rates in coins.values()), D(0))
    assert journey.net <= best / places
    assert least is not None or not journey.rotations


@given(coins=some_coins, places=st.integers(1, 3), data=st.data())
def test_the_order_of_the_coins_decides_nothing(
    coins: dict[str, list[Decimal]], places: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(sorted(coins)))
    one = portfolio({coin: [record(coins[coin])] for coin in sorted(coins)}).play(places, D(0))
    other = portfolio({coin: [record(coins[coin])] for coin in order}).play(places, D(0))
    assert one == other


@given(coins=some_coins, places=st.integers(1, 2), change=st.integers(-60, 90))
def test_what_comes_later_changes_nothing_before_it(
    coins: dict[str, list[Decimal]], places: int, change: int
) -> None:
    longest = max(len(rates) for rates in coins.values())
    other = {
        coin: [*rates[:-1], D(change) / 100_000] if len(rates) == longest else rates
        for coin, rates in coins.items()
    }
    one = portfolio({coin: [record(rates)] for coin, rates in coins.items()}).play(places, D(0))
    two = portfolio({coin: [record(rates)] for coin, rates in other.items()}).play(places, D(0))
    assert [step.held for step in one.steps] == [step.held for step in two.steps]


POOR, RICH = ["0.0001"] * 30, ["0.0001"] * 15 + ["0.0020"] * 15


def test_the_weakest_gives_its_place_once_the_other_pays_so_much_more() -> None:
    coins = {"A": [record(POOR)], "B": [record(["0.00005"] * 15 + ["0.0020"] * 15)]}
    changed = portfolio(coins).play(1, D(100))
    assert way(changed).split()[9:12] == ["A", "A", "A"]
    assert way(changed).endswith("B B B B B B")
    assert (changed.rotations, changed.switches) == (1, 4)
    still = portfolio(coins).play(1, NEVER)
    assert way(still).endswith("A A A")
    assert changed.net > still.net


def test_settlements_that_jitter_are_one_instant() -> None:
    journey = portfolio({"A": [record(POOR)], "B": [record(POOR, jitter_ms=7)]}).play(2, D(0))
    assert len(journey.steps) == 30
    assert journey.steps[-1].held == ("A", "B")


def test_a_hole_leaves_the_place_flat_and_everything_before_it_forgotten() -> None:
    late = record(["0.0005"] * 20, start_ms=START_MS + 60 * DAY_MS)
    journey = portfolio({"A": [record(["0.0005"] * 20), late]}).play(1, D(0))
    first, second = journey.steps[:20], journey.steps[20:]
    assert [step.held for step in first] == [step.held for step in second]
    assert sum(step.net for step in first) == sum(step.net for step in second)
    assert first[-1].net == D("0.0005") - COST


def test_a_changed_hedge_is_kept_for_its_shortest_time() -> None:
    patient = Strategy(exit=Exit(min_hold_hours=D(2000), cooldown_hours=D(0)))
    rates = {"A": POOR, "B": RICH, "C": ["0.0001"] * 20 + ["0.0060"] * 10}
    records = {
        coin: [
            Rehearsal(
                [SettledFunding(START_MS + n * 8 * HOUR_MS, D(r)) for n, r in enumerate(one)], COST, patient
            )
        ]
        for coin, one in rates.items()
    }
    assert portfolio(records, patient).play(1, D(0)).rotations == 0


def test_years_and_drawdown_of_a_journey() -> None:
    amounts = ["0.01", "-0.004", "0.001", "-0.003", "0.02"]
    steps = tuple(Step(START_MS + (n - 2) * DAY_MS, (), D(one), 0, 0) for n, one in enumerate(amounts))
    journey = Journey(steps)
    assert journey.max_drawdown == D("0.006")
    assert journey.by_year() == {2023: D("0.006"), 2024: D("0.018")}
    assert journey.net == D("0.024")


def test_the_worked_figures_of_capital_hold() -> None:
    assert (futures_need(D(1)), multi_need(D("0.5"))) == (D(2), D("1.5"))
    assert futures_ratio(D(1), D("0.5")) == D("0.5") / D("1.5")
    assert multi_ratio(D("0.5"), D("0.5"), D("0.98")) == D("0.98")
