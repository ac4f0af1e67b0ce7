"""The public channels: their arguments, what changes them, how often they speak (api-v5.md 5.4, 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from exchange.sim.events import (
    AdlChanged,
    BarChanged,
    BookChanged,
    FundingChanged,
    IndexChanged,
    InstrumentChanged,
    Liquidated,
    MarkChanged,
    StatusChanged,
    TradePrinted,
    VenueEvent,
)
from exchange.sim.markets.bars import BARS
from exchange.sim.surface.rendering.text import Row

encode: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode


class Topic(NamedTuple):
    """A channel and what it is subscribed for: an instrument, an index, an instrument type (perhaps one
    family of it), or nothing."""

    channel: str
    key: str = ""
    family: str = ""

    def arg(self) -> Row:
        name = ALL[self.channel].key
        arg = {"channel": self.channel, name: self.key} if name else {"channel": self.channel}
        return {**arg, "instFamily": self.family} if self.family else arg


@dataclass(frozen=True, slots=True)
class Channel:
    """`causes` are the events that change it, `gap_ms` the least time between two pushes, `every_ms`
    when it speaks without a change. `greets`: the current state is pushed at the subscription. `levels`
    makes it a book of increments, and `vip` is the fee level a client needs for it. `by_family`: it may be
    subscribed for one contract family."""

    key: str  # name of the argument that selects: instId, instType, or ""
    causes: tuple[type[VenueEvent], ...] = ()
    gap_ms: int = 0
    every_ms: int | None = None
    greets: bool = True
    swaps_only: bool = False
    indices_only: bool = False
    levels: int = 0
    vip: int = 0
    by_family: bool = False


CANDLE: Final = Channel("instId", (BarChanged,), gap_ms=1000)
PUBLIC: Final[dict[str, Channel]] = {  # the first five in the order in which one round pushes them
    "bbo-tbt": Channel("instId", (BookChanged,), gap_ms=10),
    "books-l2-tbt": Channel("instId", gap_ms=10, levels=400, vip=5),
    "books50-l2-tbt": Channel("instId", gap_ms=10, levels=50, vip=4),
    "books": Channel("instId", gap_ms=100, levels=400),
    "books5": Channel("instId", (BookChanged,), gap_ms=100),
    "tickers": Channel("instId", (BookChanged, TradePrinted), gap_ms=100),
    "trades": Channel("instId", (TradePrinted,), greets=False),
    "mark-price": Channel("instId", (MarkChanged,), gap_ms=200, every_ms=10_000),
    "index-tickers": Channel("instId", (IndexChanged,), gap_ms=100, every_ms=60_000, indices_only=True),
    "price-limit": Channel("instId", (MarkChanged, IndexChanged), gap_ms=200),
    "funding-rate": Channel("instId", (FundingChanged,), gap_ms=30_000, every_ms=90_000, swaps_only=True),
    "open-interest": Channel("instId", gap_ms=3000, every_ms=3000, swaps_only=True),
    "instruments": Channel("instType", (InstrumentChanged,), greets=False),
    "status": Channel("", (StatusChanged,)),
    "liquidation-orders": Channel("instType", (Liquidated,), gap_ms=1000, greets=False),
    "adl-warning": Channel(  # every second while it goes on
        "instType", (AdlChanged,), every_ms=60_000, by_family=True
    ),
}
BUSINESS: Final[dict[str, Channel]] = {
    **{f"candle{bar}": CANDLE for bar in BARS},
    **{f"mark-price-candle{bar}": CANDLE for bar in BARS if bar != "1s"},
    **{
        f"index-candle{bar}": Channel("instId", (BarChanged,), gap_ms=1000, indices_only=True)
        for bar in BARS
        if bar != "1s"
    },
    "trades-all": Channel("instId", (TradePrinted,), greets=False),
}
ALL: Final = {**PUBLIC, **BUSINESS}
DEEP_BOOKS: Final = ("books-l2-tbt", "books50-l2-tbt")  # not both of one instrument on one connection

_ORDER: Final = {name: n for n, name in enumerate(ALL)}


def push_order(topic: Topic) -> tuple[str, int]:
    """Per instrument in the documented order of the books, then the rest."""
    return topic.key, _ORDER[topic.channel]
