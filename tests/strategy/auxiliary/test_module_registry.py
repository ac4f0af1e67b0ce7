"""What is asked of every module alike: a name, a sentence, and numbers that may be searched."""

from __future__ import annotations

import pytest

from strategy.auxiliary.modules import MODULES
from tests.fakes import D


@pytest.mark.parametrize("name", MODULES)
def test_a_module_goes_by_the_name_it_is_registered_under(name: str) -> None:
    module = MODULES[name]({})
    assert module.name == name
    assert module.about.endswith(".") and module.about.count(".") == 1


@pytest.mark.parametrize("name", MODULES)
def test_every_number_of_a_module_may_be_any_between_its_bounds(name: str) -> None:
    parameters = MODULES[name]({}).parameters
    assert len({parameter.name for parameter in parameters}) == len(parameters)
    for at in (D(0), D("0.5"), D(1)):
        values = {p.name: p.least + at * (p.most - p.least) for p in parameters}
        given = {
            p.name: values[p.name].to_integral_value() if p.whole else values[p.name] for p in parameters
        }
        assert MODULES[name](given).name == name
    for parameter in parameters:
        assert parameter.least < parameter.most
        for value in (parameter.least - 1, parameter.most + 1):
            with pytest.raises(ValueError, match=parameter.name):
                MODULES[name]({parameter.name: value})


@pytest.mark.parametrize("name", MODULES)
def test_a_number_nobody_declared_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no_such_number: no such parameter"):
        MODULES[name]({"no_such_number": D(1)})
