"""What a configuration says about modules, held against what the modules declare."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal as D

import pytest

from config.auxiliary import AuxiliaryModules
from core.errors import UsageError
from strategy.auxiliary.configured import configured
from strategy.auxiliary.gate_bounds import OWN
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.presets import PRESETS


def section(*modules: str, parameters: tuple[str, ...] = ()) -> AuxiliaryModules:
    return AuxiliaryModules(modules=modules, parameters=parameters)


def test_modules_come_in_their_order_and_with_their_numbers() -> None:
    grid, confluence = configured(
        section("neutral_grid", "confluence", parameters=("neutral_grid.lines = 2",))
    )
    assert (grid.name, confluence.name) == ("neutral_grid", "confluence")
    assert grid.settings["lines"] == D(2)  # type: ignore[attr-defined]
    assert confluence.settings["least_score"] == D("0.6")  # type: ignore[attr-defined]


def test_all_that_is_wrong_is_said_at_once_with_what_is_allowed() -> None:
    told = section(
        "neutral_grid",
        "gird",
        "confluence",
        parameters=("neutral_grid.lines = 2.5", "confluence.leats_score = 1"),
    )
    with pytest.raises(UsageError) as error:
        configured(told)
    _, *problems = str(error.value).splitlines()
    assert len(problems) == 3
    assert "neutral_grid: lines is 2.5, allowed: whole numbers" in problems[0]
    assert "modules = gird; no such module, allowed: confluence, counter_sentiment" in problems[1]
    assert "confluence: leats_score: no such parameter, allowed: window_ms" in problems[2]


def test_the_presets_a_configuration_may_name_are_those_there_are() -> None:
    field = AuxiliaryModules.model_fields["exit_preset"]
    assert set(field.annotation.__args__) == {OWN, *PRESETS}  # type: ignore[union-attr]


def test_every_module_there_is_can_be_named_in_a_configuration() -> None:
    assert [module.name for module in configured(section(*MODULES))] == list(MODULES)


def test_a_configuration_is_read_and_judged_without_what_modules_compute_with() -> None:
    said = "import sys, config.loader, strategy.auxiliary.configured as c; c.configured; "
    asked = "sys.exit(any(name in sys.modules for name in ('numpy', 'talib')))"
    assert subprocess.run([sys.executable, "-c", said + asked], check=False).returncode == 0
