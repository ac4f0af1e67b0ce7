"""One metric of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from core.meters import Reading
from monitor.figures import Figures

PREFIX: Final = "funding_engine_"
Kind = Literal["gauge", "counter", "histogram"]
Value = float | int | Decimal | Reading
Sample = tuple[tuple[str, ...], Value]  # values of the labels, in order, and the figure
Read = Callable[[Figures], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class Metric:
    """name    without the prefix; ends in its unit, counters in `_total`.
    labels  their names; `read` gives a value for each.
    read    every sample there is now; none where nothing is known, because absent is not zero.
    """

    name: str
    kind: Kind
    help: str
    read: Read
    labels: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return PREFIX + self.name

    @property
    def series(self) -> tuple[str, ...]:
        """The names a query may use."""
        if self.kind != "histogram":
            return (self.full_name,)
        return tuple(f"{self.full_name}_{part}" for part in ("bucket", "count", "sum"))


def one(value: Value | None) -> Iterator[Sample]:
    """The sample of a metric without labels; none of None."""
    if value is not None:
        yield (), value


def each(values: Mapping[str, Value]) -> Iterator[Sample]:
    """A sample a name."""
    for name, value in values.items():
        yield (name,), value


def flags(names: Iterable[str], true: str) -> Iterator[Sample]:
    """1 for the name that is, 0 for every other that could be."""
    for name in names:
        yield (name,), int(name == true)
