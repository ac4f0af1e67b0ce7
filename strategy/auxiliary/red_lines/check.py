"""A module or a preset held to all rules: its text, what it declares, and what it does on made-up markets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

import numpy as np

from core.types import DAY_MS
from strategy.auxiliary.bars import FRAME_MS
from strategy.auxiliary.language import Module, Needs, Parameter
from strategy.auxiliary.presets import Preset
from strategy.auxiliary.red_lines.declared import module_breaches, preset_breaches
from strategy.auxiliary.red_lines.driven import play
from strategy.auxiliary.red_lines.rules import Breach, Moment, Rule
from strategy.auxiliary.red_lines.source import read
from strategy.auxiliary.red_lines.worlds import UNPROMPTED_MS, Shape, World, warm_up_days, world

Factory = Callable[[Mapping[str, Decimal]], Module]
Settings = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is played: every shape with every set of numbers, for so many days.

    questions  of one play, about, at most: a module that is asked every minute has fewer days.
    mixes  sets of numbers in which each is at its least or its most, by chance, beside the defaults, all at
           their least and all at their most.
    """

    shapes: tuple[Shape, ...] = tuple(Shape)
    days: int = 20
    questions: int = 2_000
    mixes: int = 3
    seed: int = 7

    def days_for(self, needs: Needs) -> int:
        step_ms = FRAME_MS[needs.on] if needs.on else UNPROMPTED_MS
        return max(1, min(self.days, self.questions * step_ms // DAY_MS))


FULL: Final = Effort()


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and how much was looked at. `breaches` has the first of each rule that was broken."""

    subject: str
    breaches: tuple[Breach, ...] = ()
    texts: int = 0
    plays: int = 0
    asked: int = 0
    proposed: int = 0
    granted: int = 0

    @property
    def ok(self) -> bool:
        return not self.breaches

    def __str__(self) -> str:
        if self.breaches:
            return "\n".join(map(str, self.breaches))
        if not self.texts:
            return f"ok  {self.subject}: it protects at every corner"
        return (
            f"ok  {self.subject}: {self.texts} texts read, {self.plays} markets played, "
            f"{self.asked} questions, {self.proposed} proposals, {self.granted} granted"
        )


def checked(
    name: str,
    texts: Mapping[str, str],
    load: Callable[[], Factory],
    rng: Callable[[int], np.random.Generator] = np.random.default_rng,
    effort: Effort = FULL,
    own: str = "",
) -> Report:
    """Return what a module breaks.

    texts  path -> text of all that is the module's own.    own  the package they lie in.
    load   gives the module's factory; not called, and so nothing of the module run, before its text is fit.
    rng    chance, by seed.

    Raises SyntaxError for a text that is none of Python's.
    """
    found = [breach for path, text in texts.items() for breach in read(text, path, own)]
    if found:
        return Report(name, _first_of_each(found), len(texts))
    try:
        factory = load()
        module = factory({})
        found += module_breaches(module)
        settings = sets_of(module.parameters, effort, rng(effort.seed))
        for given in settings:
            factory(given)
    except Exception as error:  # noqa: BLE001  told as a breach
        told = Moment(None, f"{type(error).__name__}: {error}")
        found.append(Breach(Rule.OWN, name, "it cannot be made with numbers it declares", (told,)))
    if found:
        return Report(name, _first_of_each(found), len(texts))
    return _played(name, factory, settings, rng, effort, len(texts))


def checked_preset(preset: Preset) -> Report:
    return Report(preset.name, _first_of_each(preset_breaches(preset)))


def sets_of(
    parameters: Sequence[Parameter], effort: Effort, rng: np.random.Generator
) -> tuple[Settings, ...]:
    """Return the sets of numbers to be played, without those that are there twice."""
    least = {each.name: each.least for each in parameters}
    most = {each.name: each.most for each in parameters}
    mixed = [
        {each.name: each.most if rng.random() < 0.5 else each.least for each in parameters}
        for _ in range(effort.mixes)
    ]
    every = [{}, least, most, *mixed] if parameters else [{}]
    return tuple(given for n, given in enumerate(every) if given not in every[:n])


def _played(
    name: str,
    factory: Factory,
    settings: Iterable[Settings],
    rng: Callable[[int], np.random.Generator],
    effort: Effort,
    texts: int,
) -> Report:
    worlds: dict[tuple[Shape, int, int], World] = {}
    plays = asked = proposed = granted = 0
    for given in settings:
        needs = factory(given).needs
        before, days = warm_up_days(needs), effort.days_for(needs)
        for number, shape in enumerate(effort.shapes):
            seed = effort.seed + number
            key = (shape, before, days)
            if key not in worlds:
                worlds[key] = world(shape, seed, rng(seed), before, days)
            played = play(partial(factory, given), worlds[key])
            plays, asked = plays + 1, asked + played.asked
            proposed, granted = proposed + played.proposed, granted + played.granted
            if played.breach is not None:
                found = (played.breach,)
                return Report(name, found, texts, plays, asked, proposed, granted)
    return Report(name, (), texts, plays, asked, proposed, granted)


def _first_of_each(breaches: Iterable[Breach]) -> tuple[Breach, ...]:
    first: dict[Rule, Breach] = {}
    for breach in breaches:
        first.setdefault(breach.rule, breach)
    return tuple(first.values())
