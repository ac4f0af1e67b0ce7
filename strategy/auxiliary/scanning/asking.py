"""Asking one module: whatever it does short of not coming back, there is a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from strategy.auxiliary.language import Module
from strategy.auxiliary.scanning.words import Question, Reply


def asked(modules: Mapping[str, Module], question: Question, tick_s: Callable[[], float]) -> Reply:
    """Return what a module says, or in words how it failed; `tick_s` measures how long it took.

    A module that wants to end the program has failed like any other. One that does not come back is the
    business of whoever waits for the reply.
    """
    began_s = tick_s()
    signal, trouble = None, ""
    try:
        signal = modules[question.module].signal(question.look)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a module costs itself and no other
        trouble = f"{type(error).__name__}: {error}"
    return Reply(question.place, signal, trouble, (tick_s() - began_s) * 1000)
