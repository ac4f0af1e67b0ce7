"""Books of increments: snapshots, updates and keep-alives, shared by sessions that hold the same book."""

from __future__ import annotations

from typing import Final

from exchange.sim.model import BookLevel
from exchange.sim.seam import MarketSide, Venue
from exchange.sim.surface import render
from exchange.sim.surface.channels import ALL, Topic
from exchange.sim.surface.text import num

DEPTH: Final = 400
KEEP_ALIVE_MS: Final = 60_000  # an unchanged book is repeated, empty, after this long


class BookView:
    """A book as text at one sequence number: per side, price -> the whole level as JSON."""

    __slots__ = ("ask", "asks", "bid", "bids", "seq_id", "ts")

    def __init__(self, side: MarketSide, depth: int) -> None:
        self.seq_id = side.seq_id
        self.ts = str(side.ts_ms)
        bids, asks = side.bids(depth), side.asks(depth)
        self.bids, self.bid = _levels(bids), render.top(bids)
        self.asks, self.ask = _levels(asks), render.top(asks)

    def first(self, depth: int | None = None) -> str:
        """The JSON fields of the best `depth` levels of both sides, or of all."""
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


def book_frame(topic: Topic, old: BookView | None, new: BookView) -> bytes:
    """A snapshot without `old`, else the update from `old` to `new`; equal ones are the keep-alive.

    Sequence numbers chain: every update names the one before it, a snapshot -1. The checksum is 0.
    """
    if old is None:
        action, previous, sides = "snapshot", -1, new.first()
    else:
        action, previous = "update", old.seq_id
        asks, bids = _changes(old.asks, new.asks), _changes(old.bids, new.bids)
        sides = f'"asks":[{asks}],"bids":[{bids}],"ts":"{new.ts}"'
    return (
        f'{{"arg":{{"channel":"{topic.channel}","instId":"{topic.key}"}},"action":"{action}",'
        f'"data":[{{{sides},"checksum":0,"seqId":{new.seq_id},"prevSeqId":{previous}}}]}}'
    ).encode()


Sent = tuple[BookView, int]  # what a session was sent last, and when


class BookFeed:
    """What sessions are sent of the books. A session's own state is the view it was sent last, and when."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._views: dict[tuple[str, int], BookView] = {}  # by instrument and depth
        self._updates: dict[tuple[Topic, int, int], bytes] = {}  # of this round, by old and new number

    def begin(self) -> None:
        self._updates.clear()

    def view(self, inst_id: str, depth: int = DEPTH) -> BookView:
        side, view = self._venue.markets[inst_id], self._views.get((inst_id, depth))
        if view is None or view.seq_id != side.seq_id:
            view = self._views[inst_id, depth] = BookView(side, depth)
        return view

    def update(self, topic: Topic, sent: Sent) -> tuple[bytes, Sent] | None:
        """The next frame for a session and its new state; None when there is nothing to say yet."""
        old, sent_ms = sent
        channel, now_ms = ALL[topic.channel], self._venue.now_ms
        new = self.view(topic.key, channel.levels)
        if now_ms - sent_ms < (KEEP_ALIVE_MS if new.seq_id == old.seq_id else channel.gap_ms):
            return None
        key = (topic, old.seq_id, new.seq_id)
        frame = self._updates.get(key)
        if frame is None:
            frame = self._updates[key] = book_frame(topic, old, new)
        return frame, (new, now_ms)
