"""How near the shorts are to forced deleveraging, as the venue's own indicator tells it.

A venue that cannot close a bankrupt position closes the most profitable ones of the other side against it
(ADL). A short that hedges spot is exactly that during a crash: the indicator of its position, 0 to 5 = first
in line, says so beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from core.types import AccountSnapshot, Base

SAMPLE_MS: Final = 1_000  # pushes closer together are one sample
# A warning is over when the rank has been lower for so long: what we give up lowers it for a moment,
# and a hedge must not be halved again and again by a figure that flickers.
QUIET_MS: Final = 30 * 60_000


@dataclass(frozen=True, slots=True)
class AdlView:
    """One instrument's place in the queue while it is at the warning rank or above.

    samples      looks in a row that found it there, at least a second apart.
    since_ms     of the first of them; `last_ms` of the last.
    size_before  what the hedge was meant to hold then, coins: an answer is measured against it.
    """

    rank: int
    samples: int
    since_ms: int
    last_ms: int
    size_before: Base


class AdlQueue:
    """Counts samples; forgets them when the rank falls, a warning only after half an hour below it.

    swaps      inst_id of each instrument's swap.    size_of  what its hedge is meant to hold now, coins.
    warn_rank  the rank from which on a sample counts.    enough  samples that make a warning.
    """

    def __init__(
        self, swaps: Mapping[str, str], size_of: Callable[[str], Base], warn_rank: int, enough: int
    ) -> None:
        self._swaps, self._size_of = swaps, size_of
        self._warn_rank, self._enough = warn_rank, enough
        self._views: dict[str, AdlView] = {}

    @property
    def views(self) -> Mapping[str, AdlView]:
        return dict(self._views)

    def see(self, snapshot: AccountSnapshot) -> bool:
        """Take a sample of every position; True when this one made a warning, or ended one."""
        news = [self._see(name, inst_id, snapshot) for name, inst_id in self._swaps.items()]
        return any(news)

    def _see(self, name: str, inst_id: str, snapshot: AccountSnapshot) -> bool:
        position, known = snapshot.positions.get(inst_id), self._views.get(name)
        now_ms = snapshot.seen_ms
        if position is None or not position.contracts or position.adl_rank < self._warn_rank:
            is_warning = known is not None and known.samples >= self._enough
            if known is not None and is_warning and now_ms - known.last_ms < QUIET_MS:
                return False
            self._views.pop(name, None)
            return is_warning
        if known is None:
            self._views[name] = AdlView(position.adl_rank, 1, now_ms, now_ms, self._size_of(name))
        elif now_ms - known.last_ms >= SAMPLE_MS:
            self._views[name] = replace(
                known, rank=position.adl_rank, samples=known.samples + 1, last_ms=now_ms
            )
        else:
            return False
        return self._views[name].samples == self._enough
