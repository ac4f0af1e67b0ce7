"""What takers leave behind: part of the way they pushed the price stays in it for a while.

A large order walks through levels of the book. The levels grow back within seconds (`regrow_ms`), but the
market has learned something: `share` of the walked distance is added to the middle of the book, and fades
in a straight line over `lasts_ms`. Several walks add up. With share 0 nothing stays. A sum of straight lines
depends on nothing but when the walks happened, whoever looks in between.
"""

from __future__ import annotations


class Impact:
    def __init__(self, share: float, lasts_ms: int) -> None:
        self._share = share
        self._lasts_ms = lasts_ms
        self._walks: list[tuple[int, float]] = []  # when, and how far of it stays at first

    def note(self, at_ms: int, distance: float) -> None:
        """A taker has moved the best price by `distance`, downwards when negative."""
        if self._share:
            self._walks.append((at_ms, distance * self._share))

    @property
    def until_ms(self) -> int:
        """From when on nothing of it is left."""
        return self._walks[-1][0] + self._lasts_ms if self._walks else 0

    def shift(self, at_ms: int) -> float:
        """How far the middle is away from where the market itself would have it."""
        if not self._walks:
            return 0.0
        self._walks = [walk for walk in self._walks if at_ms - walk[0] < self._lasts_ms]
        return sum(stays * (1 - (at_ms - since_ms) / self._lasts_ms) for since_ms, stays in self._walks)
