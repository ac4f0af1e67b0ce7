from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from config.schema import Strategy
from core.errors import UsageError
from scripts.sweep.space import Space, as_text, read_space
from tests.scripts.sweep.scenes import GRID, SPACE, space_file

D = Decimal


def space_of(tmp_path: Path, text: str) -> Space:
    return read_space(space_file(tmp_path, text), Strategy())


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(UsageError) as refused:
        space_of(tmp_path, text)
    return str(refused.value)


def test_keys_are_the_configurations_own_and_values_have_its_types(tmp_path: Path) -> None:
    space = space_of(tmp_path, SPACE)
    mode, half_life, least, carry = space.dimensions
    assert mode.choices == ("expected_cost", "hysteresis", "sign")
    assert (half_life.low, half_life.high, half_life.log, half_life.step) == (24, 720, True, None)
    assert least.value(7.4) == 6 and isinstance(least.value(7.4), int)
    assert carry.value(3.14159265) == D("3.14159")


def test_a_set_becomes_the_strategy_with_its_values_in_it(tmp_path: Path) -> None:
    space = space_of(tmp_path, SPACE)
    values = {"strategy.exit.mode": "sign", "strategy.forecast.half_life_hours": D(100)}
    strategy = space.strategy(values)
    assert (strategy.exit.mode, strategy.forecast.half_life_hours) == ("sign", 100)
    assert strategy.forecast.horizon_hours == space.base.forecast.horizon_hours
    assert as_text(values)["strategy.forecast.half_life_hours"] == "100"


def test_a_grid_has_every_set_once(tmp_path: Path) -> None:
    space = space_of(tmp_path, GRID)
    sets = [tuple(values.values()) for values in space.grid()]
    assert space.size() == len(sets) == len(set(sets)) == 2 * 3 * 3
    assert sets[1] == ("expected_cost", 1, D(36))


def test_a_range_without_steps_has_no_grid(tmp_path: Path) -> None:
    assert space_of(tmp_path, SPACE).size() is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("strategy.exit.mod: {choices: [sign]}", "did you mean strategy.exit.mode?"),
        ("strategy.regime.max_funding_percentile: {low: 0.1, high: 1}", "changes no decision of a sweep"),
        ("risk.margin.target: {low: 1, high: 2}", "a limit or a red line, which is not searched for"),
        ("account.leverage: {low: 1, high: 2}", "a limit or a red line, which is not searched for"),
        (
            "strategy.exit.mode: {choices: [sign, never]}",
            "= never; allowed: one of expected_cost, hysteresis",
        ),
        ("strategy.exit.mode: {choices: [sign, sign]}", "each value once"),
        ("strategy.exit.mode: {choices: []}", "a list of at least one value"),
        ("strategy.exit.mode: {low: 1, high: 2}", "a range; allowed: choices, each one of"),
        ("strategy.exit.mode: sign", "allowed: {choices: [...]} or {low: ..., high: ..."),
        ("strategy.exit.cooldown_hours: {low: 8}", "allowed: choices alone, or low and high"),
        ("strategy.exit.cooldown_hours: {low: 8, high: 24, choices: [8]}", "allowed: choices alone"),
        (
            "strategy.exit.cooldown_hours: {low: 8, high: 3000}",
            "= 3000; allowed: a number at least 0 and at most 2160",
        ),
        ("strategy.exit.cooldown_hours: {low: 8, high: 8}", "= 8; allowed: more than low, 8"),
        ("strategy.exit.cooldown_hours: {low: 0, high: 8, log: true}", "above 0, because log is true"),
        ("strategy.exit.cooldown_hours: {low: 0, high: 8, log: 3}", "allowed: true or false"),
        ("strategy.exit.cooldown_hours: {low: 0, high: 8, step: 3}", "a step that leads from 0 to 8"),
        ("strategy.exit.cooldown_hours: {low: 1, high: 8, step: 1, log: true}", "step or log, not both"),
        ("strategy.exit.negative_settlements: {low: 1, high: 4, step: 0.5}", "a whole number above 0"),
        (
            "strategy.exit.negative_settlements: {low: 1.5, high: 4}",
            "= 1.5; allowed: a whole number at least 1",
        ),
        ("strategy.exit.cooldown_hours: {low: 1e1, high: 30}", "write 10"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_place_value_and_what_is_allowed(
    tmp_path: Path, line: str, said: str
) -> None:
    text = refusal(tmp_path, f"# a comment\n{line}\n")
    assert "space.yaml line 2: " in text and line.partition(":")[0] in text
    assert said in text


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = refusal(tmp_path, "strategy.x: {choices: [1]}\nstrategy.exit.mode: {choices: [never]}\n")
    assert text.startswith("2 problems in the space file:")


def test_two_keys_that_can_contradict_each_other_are_refused_before_anything_runs(tmp_path: Path) -> None:
    band = "strategy.funding_rate_threshold."
    text = refusal(tmp_path, f"{band}min: {{low: 0, high: 0.005}}\n{band}max: {{low: 0.004, high: 0.01}}\n")
    assert "funding_rate_threshold.min 0.005, funding_rate_threshold.max 0.004" in text
    assert "min 0.005 must be below max 0.004" in text


def test_an_empty_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    assert "no keys" in refusal(tmp_path, "")
    with pytest.raises(UsageError, match="--space"):
        read_space(tmp_path / "none.yaml", Strategy())
