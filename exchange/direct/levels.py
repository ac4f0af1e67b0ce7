"""One side of a book as of one instant, of which only the near levels are there at first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

from core.types import Level
from exchange.sim.model import BookLevel

Behind = Callable[[], Iterable[BookLevel]]


class Levels(Sequence[Level]):
    """Equal to the tuple of all its levels. Those behind the near ones, drawn far out and seldom looked at,
    are asked for when somebody gets there.

    behind  gives them as they were at the instant of the book, whenever it is called.
    """

    __slots__ = ("_behind", "_known")

    def __init__(self, near: tuple[Level, ...], behind: Behind) -> None:
        self._known = near
        self._behind: Behind | None = behind

    def _all(self) -> tuple[Level, ...]:
        if self._behind is not None:
            self._known, self._behind = self._known + _told(self._behind()), None
        return self._known

    @overload
    def __getitem__(self, place: int) -> Level: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Level, ...]: ...

    def __getitem__(self, place: int | slice) -> Level | tuple[Level, ...]:
        if isinstance(place, int) and 0 <= place < len(self._known):
            return self._known[place]
        return self._all()[place]

    def __iter__(self) -> Iterator[Level]:
        near = self._known
        yield from near
        yield from self._all()[len(near) :]

    def __bool__(self) -> bool:
        return bool(self._known or self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Levels):
            other = other._all()
        return isinstance(other, tuple) and self._all() == other

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


def levels_of(near: Iterable[BookLevel], behind: Behind | None) -> Sequence[Level]:
    """One side of a book, out of what the venue has of it: see exchange.sim.seam.MarketSide.parts."""
    return _told(near) if behind is None else Levels(_told(near), behind)


def _told(levels: Iterable[BookLevel]) -> tuple[Level, ...]:
    return tuple([(one.price, one.size) for one in levels])
