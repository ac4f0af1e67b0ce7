"""What the public is shown of a market in place of the truth: a wick, a crossed or an empty book.

Only the view is wrong. The market behind it trades, settles and liquidates on its true prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from msgspec import structs

from exchange.sim.model import BookLevel
from exchange.sim.seam import MarketSide

CROSSED_BY = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Distortion:
    """`shape` of the book: "" as it is, crossed, empty, no_bids, no_asks. `change` moves the prices named
    by `of` (all, last, mark, index, book) by a fraction.
    """

    shape: str = ""
    change: Decimal = Decimal(0)
    of: str = "all"


class Distorted:
    """Stands in for a market; whatever is not distorted is the market's own."""

    def __init__(self, market: MarketSide, distortion: Distortion) -> None:
        self.market = market
        self.distortion = distortion

    def __getattr__(self, name: str) -> Any:
        if name in ("market", "distortion"):  # not there yet, while a copy is being made
            raise AttributeError(name)
        return getattr(self.market, name)

    @property
    def last(self) -> Decimal:
        return self._moved("last", self.market.last)

    @property
    def mark_px(self) -> Decimal:
        return self._moved("mark", self.market.mark_px)

    @property
    def index_px(self) -> Decimal:
        return self._moved("index", self.market.index_px)

    def bids(self, depth: int) -> list[BookLevel]:
        if self.distortion.shape in ("empty", "no_bids"):
            return []
        levels = [self._level(level) for level in self.market.bids(depth)]
        if self.distortion.shape != "crossed":
            return levels
        tick = self.market.instrument.tick
        lift = [level.price * CROSSED_BY // tick * tick + tick for level in levels[:1]]
        asks = self.market.asks(1)
        spread = asks[0].price - levels[0].price if asks and levels else Decimal(0)
        return [structs.replace(level, price=level.price + spread + lift[0]) for level in levels]

    def asks(self, depth: int) -> list[BookLevel]:
        if self.distortion.shape in ("empty", "no_asks"):
            return []
        return [self._level(level) for level in self.market.asks(depth)]

    def _level(self, level: BookLevel) -> BookLevel:
        return structs.replace(level, price=self._moved("book", level.price))

    def _moved(self, what: str, price: Decimal) -> Decimal:
        if self.distortion.of not in ("all", what):
            return price
        tick = self.market.instrument.tick
        return price * (1 + self.distortion.change) // tick * tick
