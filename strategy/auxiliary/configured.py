"""The modules a configuration names, with its numbers; one clear error for each that does not exist.

It is asked for only where modules run: to ask is to import what they compute with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.auxiliary import AuxiliaryModules
from core.errors import UsageError

if TYPE_CHECKING:
    from strategy.auxiliary.language import Module


def configured(section: AuxiliaryModules) -> tuple[Module, ...]:
    """Return the named modules in their order.

    Raises UsageError with every problem: the key, the value and what is allowed.
    """
    from strategy.auxiliary.modules import MODULES  # not before somebody asks: numpy and TA-Lib

    problems, modules = [], []
    for name in section.modules:
        if name not in MODULES:
            allowed = ", ".join(sorted(MODULES))
            problems.append(f"auxiliary.modules = {name}; no such module, allowed: {allowed}")
            continue
        try:
            modules.append(MODULES[name](section.given(name)))
        except ValueError as error:
            problems.append(f"auxiliary.parameters, {name}: {error}")
    if problems:
        raise UsageError("\n  ".join(("strategy.yaml does not fit the modules:", *problems)))
    return tuple(modules)
