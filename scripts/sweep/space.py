"""The space file: which keys of the configuration are searched for, and between what.

    strategy.exit.mode: {choices: [expected_cost, hysteresis]}
    strategy.forecast.half_life_hours: {low: 24, high: 720, log: true}
    strategy.forecast.min_settlements: {low: 3, high: 30, step: 3}

Keys are the configuration's own dotted names, values are held against its models before anything runs.
Limits and red lines are not searched for: they say what may never happen, not what pays.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from config.fields import Unfit, allowed, section_of, shown, typed
from config.schema import Strategy
from config.yaml_lines import Items, Node, Scalar, Table, as_written, read
from core.errors import UsageError
from strategy.columns import PLAYED

ROOM: Final = "strategy."
SEARCHABLE: Final = tuple(ROOM + path for path in PLAYED)
LIMITS: Final = ("account.", "risk.")
MOST_SETS: Final = 1_000_000
DIGITS: Final = 6  # of a number drawn from a continuous range: a set can be written down, and played again

Value = Decimal | int | str
Values = Mapping[str, Value]  # dotted key to value: one parameter set


@dataclass(frozen=True, slots=True)
class Dimension:
    """One key and what it may be: `choices`, or everything from `low` to `high`, by `step` where given."""

    key: str
    field: FieldInfo
    choices: tuple[Value, ...] = ()
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    step: Decimal | None = None
    log: bool = False

    @property
    def is_whole(self) -> bool:
        return self.field.annotation is int

    @property
    def ends(self) -> tuple[Value, ...]:
        """What a contradiction between keys would show at: every choice, or both ends."""
        return self.choices or (self.value(float(self.low)), self.value(float(self.high)))

    @property
    def count(self) -> int | None:
        """How many values there are; None for a range without steps."""
        if self.choices:
            return len(self.choices)
        return None if self.step is None else int((self.high - self.low) / self.step) + 1

    def grid(self) -> tuple[Value, ...]:
        """Every value of choices or of a range with steps."""
        step = self.step or Decimal(1)
        return self.choices or tuple(self._kind(self.low + n * step) for n in range(self.count or 0))

    def value(self, drawn: float) -> Value:
        """The value a sampler's number stands for: on a step where there are steps, else six digits of it."""
        if self.step is not None:
            steps = round((drawn - float(self.low)) / float(self.step))
            return self._kind(self.low + steps * self.step)
        return self._kind(min(max(Decimal(f"{drawn:.{DIGITS}g}"), self.low), self.high))

    def _kind(self, value: Decimal) -> Value:
        return int(value) if self.is_whole else value + 0


@dataclass(frozen=True, slots=True)
class Space:
    """What a sweep searches; `base` has every key that is not in the file."""

    base: Strategy
    dimensions: tuple[Dimension, ...]
    digest: str = ""  # of the file, to know it again

    @property
    def usual(self) -> Values:
        """The searched keys as the configuration has them."""
        return {one.key: _value_of(self.base, one.key) for one in self.dimensions}

    def strategy(self, values: Values) -> Strategy:
        """The strategy with one set in it, held against the models. Raises UsageError."""
        return strategy_of(self.base, values)

    def grid(self) -> Iterator[Values]:
        """Every set of a space made of choices and steps, the last key changing quickest."""
        keys = [one.key for one in self.dimensions]
        columns = [one.grid() for one in self.dimensions]
        return (dict(zip(keys, row, strict=True)) for row in product(*columns))

    def size(self) -> int | None:
        """How many sets there are; None where a range has no steps."""
        counts = [one.count for one in self.dimensions]
        return None if None in counts else prod(one for one in counts if one is not None)


def _value_of(base: Strategy, key: str) -> Value:
    section, _, name = key.removeprefix(ROOM).partition(".")
    value: Value = getattr(getattr(base, section), name)
    return value


def strategy_of(base: Strategy, values: Values) -> Strategy:
    """`base` with the values of a set, held against the models. Raises UsageError naming the set."""
    changed: dict[str, dict[str, Value]] = {}
    for key, value in values.items():
        section, _, name = key.removeprefix(ROOM).partition(".")
        changed.setdefault(section, {})[name] = value
    sections = {}
    for name, fields in changed.items():
        old = getattr(base, name)
        try:
            sections[name] = type(old)(**{**dict(old), **fields})
        except ValidationError as error:
            said = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
            raise UsageError(f"{ROOM}{name} of the set {told(values)}: {said}") from error
    return base.model_copy(update=sections)


def told(values: Values) -> str:
    """A set on one line, the keys by their last two names."""
    return ", ".join(f"{key.removeprefix(ROOM)} {shown(value)}" for key, value in values.items())


def read_space(path: Path, base: Strategy) -> Space:
    """Read and check a space file. Raises UsageError with every problem, its place and what is allowed."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--space {path}: {error.strerror or 'not readable'}") from error
    tree, flaws = read(content)
    reading = _Reading(path.name)
    for flaw in flaws:
        reading.note(flaw.line, flaw.key, flaw.value, f"allowed: {flaw.hint}")
    if isinstance(tree, Table):
        found = [reading.dimension(key, tree.key_lines[key], node) for key, node in tree.values.items()]
        dimensions = tuple(one for one in found if one is not None)
    elif not flaws:
        reading.note(
            1, "", "no keys", "allowed: keys like strategy.exit.mode, each with choices or low and high"
        )
    reading.refuse_if_any()
    space = Space(base, dimensions, hashlib.sha256(content).hexdigest())
    _refuse_contradictions(space)
    return space


class _Unfit(Exception):
    """What is wrong with one dimension: line, value, and what is allowed."""

    def __init__(self, line: int, value: str, rule: str) -> None:
        super().__init__(rule)
        self.line, self.value, self.rule = line, value, rule


class _Reading:
    """A space file while it is read, and its problems so far."""

    def __init__(self, file: str) -> None:
        self._file, self._problems = file, list[str]()

    def note(self, line: int, key: str, value: str, rule: str) -> None:
        what = " = ".join(part for part in (key, value) if part)
        self._problems.append(f"{self._file} line {line}: {what}; {rule}")

    def refuse_if_any(self) -> None:
        if self._problems:
            many = f"{len(self._problems)} problem{'s' if len(self._problems) > 1 else ''}"
            raise UsageError("\n  ".join((f"{many} in the space file:", *self._problems)))

    def dimension(self, key: str, line: int, node: Node) -> Dimension | None:
        try:
            return _dimension(key, _field_of(key, line), node)
        except _Unfit as unfit:
            self.note(unfit.line, key, unfit.value, unfit.rule)
            return None


def _field_of(key: str, line: int) -> FieldInfo:
    if key.startswith(LIMITS):
        raise _Unfit(line, "", "a limit or a red line, which is not searched for")
    if key not in SEARCHABLE:
        close = difflib.get_close_matches(key, SEARCHABLE, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise _Unfit(line, "", f"changes no decision of a sweep; {guess}allowed: {', '.join(SEARCHABLE)}")
    section, _, name = key.removeprefix(ROOM).partition(".")
    model = section_of(Strategy.model_fields[section])
    assert model is not None, "every searchable key lies in a section"
    return model.model_fields[name]


def _dimension(key: str, field: FieldInfo, node: Node) -> Dimension:
    if not isinstance(node, Table):
        _refuse(node, "allowed: {choices: [...]} or {low: ..., high: ..., step: ..., log: ...}")
    words = set(node.values)
    if words == {"choices"}:
        return Dimension(key, field, choices=_choices(field, node.values["choices"]))
    if not {"low", "high"} <= words <= {"low", "high", "step", "log"}:
        rule = "allowed: choices alone, or low and high, with step or log if wanted"
        raise _Unfit(node.line, ", ".join(sorted(words)) or "nothing", rule)
    if field.annotation not in (int, Decimal):
        raise _Unfit(node.line, "a range", f"allowed: choices, each {allowed(field)}")
    return _range(key, field, node.values)


def _choices(field: FieldInfo, node: Node) -> tuple[Value, ...]:
    if not isinstance(node, Items) or not node.values:
        _refuse(node, f"allowed: a list of at least one value, each {allowed(field)}")
    values = tuple(_value(field, item) for item in node.values)
    if len(set(values)) != len(values):
        _refuse(node, "allowed: each value once")
    return values


def _range(key: str, field: FieldInfo, nodes: Mapping[str, Node]) -> Dimension:
    low, high = (Decimal(_value(field, nodes[name])) for name in ("low", "high"))
    log, step = False, Decimal(1) if field.annotation is int else None
    if not low < high:
        _refuse(nodes["high"], f"allowed: more than low, {shown(low)}")
    if (written := nodes.get("log")) is not None:
        if not isinstance(written, Scalar) or written.text.lower() not in ("true", "false"):
            _refuse(written, "allowed: true or false")
        log = written.is_true
    if log and low <= 0:
        _refuse(nodes["low"], "allowed: above 0, because log is true")
    if (written := nodes.get("step")) is not None:
        step = written.number if isinstance(written, Scalar) else None
        if step is None or step <= 0 or (field.annotation is int and step % 1):
            _refuse(
                written, "allowed: a whole number above 0" if field.annotation is int else "allowed: above 0"
            )
        if log:
            _refuse(written, "allowed: step or log, not both")
        if (high - low) % step:
            _refuse(written, f"allowed: a step that leads from {shown(low)} to {shown(high)}")
    return Dimension(key, field, low=low, high=high, step=step, log=log)


def _value(field: FieldInfo, node: Node) -> Value:
    try:
        value: Any = typed(field, node)
        _bounded(field).validate_python(value, strict=True)
    except (Unfit, ValidationError):
        _refuse(node, f"allowed: {allowed(field)}")
    assert isinstance(value, Decimal | int | str)
    return value


def _bounded(field: FieldInfo) -> TypeAdapter[Any]:
    """What the model itself would hold a value against."""
    kind: Any = field.annotation
    for bound in field.metadata:
        kind = Annotated[kind, bound]
    return TypeAdapter(kind)


def _refuse(node: Node, rule: str) -> NoReturn:
    raise _Unfit(node.line, as_written(node), rule)


def _refuse_contradictions(space: Space) -> None:
    """Keys of one section may contradict each other, most of all where both stand at an end."""
    sections: dict[str, list[Dimension]] = {}
    for one in space.dimensions:
        sections.setdefault(one.key.rpartition(".")[0], []).append(one)
    for found in sections.values():
        for row in product(*(one.ends for one in found)):
            space.strategy(dict(zip((one.key for one in found), row, strict=True)))


def as_text(values: Values) -> dict[str, str]:
    """A set as a results file keeps it."""
    return {key: shown(value) for key, value in values.items()}
