"""The public channels: what changes them, how often they speak, and their frames.

A frame is encoded once per channel and instrument and round of events, and shared by every session.
Only `books` depends on what a session was sent last; its differences are shared by equal sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from exchange.sim.markets.bars import BARS
from exchange.sim.model import (
    BarChanged,
    BookChanged,
    BookLevel,
    FundingChanged,
    IndexChanged,
    InstrumentChanged,
    MarkChanged,
    PublicTrade,
    StatusChanged,
    TradePrinted,
    VenueEvent,
)
from exchange.sim.seam import MarketSide, Venue
from exchange.sim.surface import render
from exchange.sim.surface.render import DayOpens
from exchange.sim.surface.text import Row, num

Topic = tuple[str, str]  # channel and its key: an instrument, an index, an instrument type, or ""
encode: Final = msgspec.json.Encoder().encode

BOOK_DEPTH = 400
BOOK_GAP_MS = 100
BOOK_KEEP_ALIVE_MS = 60_000
_CANDLES_AT_MOST = 5  # bars a round may have completed since the last push


@dataclass(frozen=True, slots=True)
class Channel:
    """`causes` are the events that change it, `gap_ms` the least time between two pushes, `every_ms`
    when it speaks without a change. `greets`: the current state is pushed at the subscription."""

    key: str  # name of the argument that selects: instId, instType, or ""
    causes: tuple[type[VenueEvent], ...] = ()
    gap_ms: int = 0
    every_ms: int | None = None
    greets: bool = True
    swaps_only: bool = False


CANDLE: Final = Channel("instId", (BarChanged,), gap_ms=1000)
PUBLIC: Final[dict[str, Channel]] = {
    "bbo-tbt": Channel("instId", (BookChanged,), gap_ms=10),
    "books": Channel("instId"),
    "books5": Channel("instId", (BookChanged,), gap_ms=100),
    "tickers": Channel("instId", (BookChanged, TradePrinted), gap_ms=100),
    "trades": Channel("instId", (TradePrinted,), greets=False),
    "mark-price": Channel("instId", (MarkChanged,), gap_ms=200, every_ms=10_000),
    "index-tickers": Channel("instId", (IndexChanged,), gap_ms=100, every_ms=60_000),
    "price-limit": Channel("instId", (MarkChanged, IndexChanged), gap_ms=200),
    "funding-rate": Channel("instId", (FundingChanged,), gap_ms=30_000, every_ms=90_000, swaps_only=True),
    "open-interest": Channel("instId", gap_ms=3000, every_ms=3000, swaps_only=True),
    "instruments": Channel("instType", (InstrumentChanged,), greets=False),
    "status": Channel("", (StatusChanged,)),
    "liquidation-orders": Channel("instType", greets=False),  # accepted, silent
    "adl-warning": Channel("instType", greets=False),  # accepted, silent
}
BUSINESS: Final[dict[str, Channel]] = {
    **{f"candle{bar}": CANDLE for bar in BARS},
    "trades-all": Channel("instId", (TradePrinted,), greets=False),
}
ALL: Final = {**PUBLIC, **BUSINESS}


class BookView:
    """A book as text at one sequence number: per side, price -> the whole level as JSON."""

    __slots__ = ("ask", "asks", "bid", "bids", "seq_id", "ts")

    def __init__(self, side: MarketSide) -> None:
        self.seq_id = side.seq_id
        self.ts = str(side.ts_ms)
        bids, asks = side.bids(BOOK_DEPTH), side.asks(BOOK_DEPTH)
        self.bids, self.bid = _levels(bids), render.top(bids)
        self.asks, self.ask = _levels(asks), render.top(asks)

    def first(self, depth: int) -> str:
        bids, asks = ",".join(list(self.bids.values())[:depth]), ",".join(list(self.asks.values())[:depth])
        return f'"asks":[{asks}],"bids":[{bids}],"ts":"{self.ts}"'


def _levels(levels: list[BookLevel]) -> dict[str, str]:
    out = {}
    for one in levels:
        price = num(one.price)
        out[price] = f'["{price}","{num(one.size)}","0","{one.orders}"]'
    return out


def _changes(old: dict[str, str], new: dict[str, str]) -> str:
    changed = [text for price, text in new.items() if old.get(price) != text]
    changed += [f'["{price}","0","0","0"]' for price in old if price not in new]
    return ",".join(changed)


def book_frame(inst_id: str, old: BookView | None, new: BookView) -> bytes:
    """A snapshot without `old`, else the update from `old` to `new`; equal ones are the keep-alive."""
    if old is None:
        action, previous, sides = "snapshot", -1, new.first(BOOK_DEPTH)
    else:
        action, previous = "update", old.seq_id
        asks, bids = _changes(old.asks, new.asks), _changes(old.bids, new.bids)
        sides = f'"asks":[{asks}],"bids":[{bids}],"ts":"{new.ts}"'
    return (
        f'{{"arg":{{"channel":"books","instId":"{inst_id}"}},"action":"{action}","data":[{{{sides},'
        f'"checksum":0,"seqId":{new.seq_id},"prevSeqId":{previous}}}]}}'
    ).encode()


class PublicFeed:
    """Frames of the current round. `begin` opens a round with what happened since the last."""

    def __init__(self, venue: Venue, opens: DayOpens) -> None:
        self._venue = venue
        self._opens = opens
        self._changed: dict[type[VenueEvent], set[str]] = {}
        self._trades: dict[str, list[PublicTrade]] = {}
        self._frames: dict[Topic, tuple[bytes, ...]] = {}
        self._updates: dict[tuple[str, int], bytes] = {}
        self._views: dict[str, BookView] = {}
        self._late: set[Topic] = set()  # changed, but pushed too recently
        self._sent_ms: dict[Topic, int] = {}
        self._bar_ms: dict[Topic, int] = {}
        self._rows: dict[str, Callable[[str], list[Row]]] = {
            "tickers": self._ticker,
            "mark-price": lambda key: [render.mark_price(self._side(key))],
            "index-tickers": lambda key: [render.index_ticker(key, self._side(key), opens, venue.now_ms)],
            "price-limit": lambda key: [render.price_limit(self._side(key))],
            "open-interest": lambda key: [render.open_interest(self._side(key))],
            "funding-rate": self._funding,
            "instruments": self._instruments,
            "status": lambda _: [
                {**render.maintenance(window), "ts": str(venue.now_ms)} for window in venue.maintenance
            ],
        }

    def begin(self, events: Iterable[VenueEvent]) -> None:
        self._frames.clear()
        self._updates.clear()
        self._trades.clear()
        self._changed = {}
        for event in events:
            match event:
                case TradePrinted(trade):
                    key = trade.inst_id
                    self._trades.setdefault(key, []).append(trade)
                case IndexChanged(name):
                    key = name
                case StatusChanged():
                    key = ""
                case (
                    BookChanged(inst_id)
                    | MarkChanged(inst_id)
                    | FundingChanged(inst_id)
                    | BarChanged(inst_id)
                    | InstrumentChanged(inst_id)
                ):
                    key = inst_id
                case _:
                    continue  # an account's own, see private_feed
            self._changed.setdefault(type(event), set()).add(key)

    def frames(self, topic: Topic) -> tuple[bytes, ...]:
        """What this round says on a topic; () when it is silent."""
        known = self._frames.get(topic)
        if known is not None:
            return known
        channel, now_ms = ALL[topic[0]], self._venue.now_ms
        age_ms = now_ms - self._sent_ms.get(topic, -(1 << 60))
        wanted = topic in self._late or self._touched(channel, topic[1])
        if (wanted and age_ms >= channel.gap_ms) or (
            channel.every_ms is not None and age_ms >= channel.every_ms
        ):
            self._late.discard(topic)
            self._sent_ms[topic] = now_ms
            frames = self._build(topic)
        else:
            if wanted:
                self._late.add(topic)
            frames = ()
        self._frames[topic] = frames
        return frames

    def greeting(self, topic: Topic) -> tuple[bytes, ...]:
        """The current state, for a new subscription."""
        self._sent_ms.setdefault(topic, self._venue.now_ms)
        return self._build(topic) if ALL[topic[0]].greets else ()

    def view(self, inst_id: str) -> BookView:
        side, view = self._side(inst_id), self._views.get(inst_id)
        if view is None or view.seq_id != side.seq_id:
            view = self._views[inst_id] = BookView(side)
        return view

    def book_update(self, inst_id: str, old: BookView, new: BookView) -> bytes:
        key = (inst_id, old.seq_id)
        frame = self._updates.get(key)
        if frame is None:
            frame = self._updates[key] = book_frame(inst_id, old, new)
        return frame

    def _touched(self, channel: Channel, key: str) -> bool:
        for cause in channel.causes:
            keys = self._changed.get(cause)
            if keys is None:
                continue
            if channel.key == "instType":
                return any(self._venue.instruments[inst_id].inst_type == key for inst_id in keys)
            # an index has its pair's name, and a swap's band follows it too
            if (key.removesuffix("-SWAP") if cause is IndexChanged else key) in keys:
                return True
        return False

    def _build(self, topic: Topic) -> tuple[bytes, ...]:
        name, key = topic
        if name in ("books5", "bbo-tbt"):
            return (self._top_of_book(name, key),)
        if name.startswith("candle"):
            return self._candles(topic)
        if name in ("trades", "trades-all"):
            return self._printed(name, key)
        rows = self._rows[name](key)
        return (public_frame(name, key, rows),) if rows else ()

    def _side(self, inst_id: str) -> MarketSide:
        return self._venue.markets[inst_id]

    def _top_of_book(self, name: str, inst_id: str) -> bytes:
        view = self.view(inst_id)
        levels = view.first(5 if name == "books5" else 1)
        return (
            f'{{"arg":{{"channel":"{name}","instId":"{inst_id}"}},"data":[{{{levels},'
            f'"instId":"{inst_id}","seqId":{view.seq_id}}}]}}'
        ).encode()

    def _printed(self, name: str, inst_id: str) -> tuple[bytes, ...]:
        seq_id = self._side(inst_id).seq_id
        rows = [{**render.trade(one), "count": "1", "seqId": seq_id} for one in self._trades.get(inst_id, ())]
        if name == "trades-all":  # one message per trade
            return tuple(public_frame(name, inst_id, [row]) for row in rows)
        return (public_frame(name, inst_id, rows),) if rows else ()

    def _candles(self, topic: Topic) -> tuple[bytes, ...]:
        """The forming bar, after the final word on those that closed since the last push."""
        name, inst_id = topic
        side, spec = self._side(inst_id), BARS[name.removeprefix("candle")]
        bars = side.bars(spec.length_ms, None, _CANDLES_AT_MOST, spec.offset_ms)
        if not bars:
            return ()
        since_ms = self._bar_ms.get(topic, bars[0].ts_ms)
        self._bar_ms[topic] = bars[0].ts_ms
        return tuple(
            public_frame(name, inst_id, [render.candle(bar, side.instrument)])
            for bar in reversed(bars)
            if bar.ts_ms >= since_ms
        )

    def _ticker(self, inst_id: str) -> list[Row]:
        side, view = self._side(inst_id), self.view(inst_id)
        return [render.ticker(side, view.bid, view.ask, self._opens, self._venue.now_ms)]

    def _funding(self, inst_id: str) -> list[Row]:
        side = self._side(inst_id)
        return [render.funding(side.instrument, side.funding)] if side.funding else []

    def _instruments(self, inst_type: str) -> list[Row]:
        """Only what changed: there is no full snapshot on this channel."""
        changed = self._changed.get(InstrumentChanged, set())
        return [
            render.instrument(i)
            for i in self._venue.instruments.values()
            if i.inst_type == inst_type and i.inst_id in changed
        ]


def public_frame(name: str, key: str, rows: list[Row] | list[list[str]]) -> bytes:
    arg = {"channel": name}
    if key:
        arg[ALL[name].key] = key
    return encode({"arg": arg, "data": rows})
