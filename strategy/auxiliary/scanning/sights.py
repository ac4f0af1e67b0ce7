"""What a scan may show: the kept bars, the market, what was fed; cut to what had closed at an instant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Protocol

import numpy as np

from core.context import MarketView
from core.types import DAY_MS
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.language import FeedEvent, Holding, Module
from strategy.auxiliary.scanning.known import Samples

STALE_PERIODS: Final = 1.5  # of the frame a module is asked on: how long after the close it still is

Key = tuple[str, str]  # module, instrument


class Shelf(Protocol):
    """Where closed bars are kept."""

    @property
    def frames(self) -> tuple[str, ...]: ...

    def bars(self, instrument: str, frame: str, now_ms: int) -> Bars: ...

    def listed_ms(self, instrument: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Sights:
    """Everything a scan may show, by instrument; `holdings` by module and instrument.

    open_interest, long_short  (when it was known, figure), oldest first; see known.py. Where open interest is
                               given it takes the place of what the market has, which reaches back a day.
    """

    shelf: Shelf
    markets: Mapping[str, MarketView] = field(default_factory=dict)
    open_interest: Mapping[str, Samples] = field(default_factory=dict)
    long_short: Mapping[str, Samples] = field(default_factory=dict)
    events: Mapping[str, tuple[FeedEvent, ...]] = field(default_factory=dict)
    holdings: Mapping[Key, Holding] = field(default_factory=dict)


def bars_kept(modules: Iterable[Module], stale_periods: float = STALE_PERIODS) -> dict[str, int]:
    """Return of each frame how many closed bars to keep: what these modules are shown, and what may close
    until the last moment at which a question can still come."""
    kept: dict[str, int] = {}
    for module in modules:
        on = module.needs.on
        for frame, count in module.needs.bars.items():
            late_ms = stale_periods * FRAME_MS[on or frame]
            kept[frame] = max(kept.get(frame, 0), count + math.ceil(late_ms / FRAME_MS[frame]) + 1)
    return kept


class Known:
    """What is known of one instrument in this scan; the same bars are cut once, for all who ask."""

    def __init__(self, instrument: str, sights: Sights, now_ms: int) -> None:
        self.instrument, self._shelf, self._now_ms = instrument, sights.shelf, now_ms
        self._market = sights.markets.get(instrument)
        self._interest = sights.open_interest.get(instrument, ())
        self._stripped: MarketView | None = None
        self._whole: dict[str, tuple[Bars, int]] = {}  # frame -> all that closed, and when the last one did
        self._cut: dict[tuple[str, int, int], Bars] = {}

    @property
    def market(self) -> MarketView | None:
        """The view without its candles: the last of those may be forming, and a look has bars of its own."""
        if self._stripped is None and self._market is not None:
            interest = self._interest or self._market.open_interest
            self._stripped = replace(self._market, candles={}, open_interest=interest)
        return self._stripped

    def bars(self, frame: str, count: int, of_ms: int) -> Bars:
        """Return the newest `count` of what had closed at `of_ms`, or what there is of them. No more than a
        module asks for: what it sees does not depend on what others need."""
        cut = self._cut.get((frame, count, of_ms))
        if cut is None:
            bars, closed_ms = self.whole(frame)
            if closed_ms > of_ms:
                bars = bars.without_last(-((of_ms - closed_ms) // bars.frame_ms))
            cut = self._cut[frame, count, of_ms] = bars.last(count)
        return cut

    def whole(self, frame: str) -> tuple[Bars, int]:
        """Return all that has closed until now, and when the last of it did; 0 without a bar."""
        whole = self._whole.get(frame)
        if whole is None:
            bars = self._shelf.bars(self.instrument, frame, self._now_ms)
            whole = self._whole[frame] = bars, bars.closed_ms if len(bars) else 0
        return whole


def turnover_of(shelf: Shelf, instrument: str, now_ms: int) -> Decimal | None:
    """Return what traded in the newest 24 hours of bars, USDT, by the shortest that reach back so far; None
    where none do."""
    for frame in sorted(shelf.frames, key=FRAME_MS.__getitem__):
        count = DAY_MS // FRAME_MS[frame]
        bars = shelf.bars(instrument, frame, now_ms)
        if len(bars) >= count:
            day = bars.last(count)
            return Decimal(float(np.dot(day.volume, day.close)))
    return None
