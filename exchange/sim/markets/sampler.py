"""Which swaps' books clients show in, and the minutes at which those are sampled for the premium."""

from __future__ import annotations

from typing import Protocol

from exchange.sim.markets.timeline import MINUTE_MS


class Sampled(Protocol):
    """A market whose book is sampled once a minute."""

    def altered_until(self, at_ms: int) -> int | None:
        """How long clients show in the book; None as long as an order of theirs rests there."""
        ...

    def sample(self) -> None: ...


class Sampler:
    """All other minutes can be worked out later, for nobody has a hand in them (premium.py)."""

    def __init__(self) -> None:
        self._touched: dict[str, Sampled] = {}

    def touch(self, inst_id: str, market: Sampled) -> None:
        """A client has changed this book."""
        self._touched[inst_id] = market

    def next_ms(self, now_ms: int) -> int | None:
        """The next minute that must not be passed by."""
        minute_ms = now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
        return minute_ms if self._altered(now_ms, minute_ms) else None

    def sample(self, now_ms: int) -> None:
        """Take the samples of this instant, if it is a whole minute."""
        if not now_ms % MINUTE_MS:
            self._touched = self._altered(now_ms, now_ms)
            for market in self._touched.values():
                market.sample()

    def _altered(self, now_ms: int, at_ms: int) -> dict[str, Sampled]:
        """The books that, for all that is known now, are still not the market's alone at `at_ms`."""
        until = ((inst_id, market, market.altered_until(now_ms)) for inst_id, market in self._touched.items())
        return {inst_id: market for inst_id, market, end_ms in until if end_ms is None or end_ms >= at_ms}
