"""Books of increments: snapshots, updates and keep-alives, shared by sessions that hold the same book."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from exchange.sim.model import BookLevel
from exchange.sim.seam import MarketSide, Venue
from exchange.sim.surface.rendering import public as render
from exchange.sim.surface.rendering.text import num
from exchange.sim.surface.streams.channels import ALL, Topic

DEPTH: Final = 400
TOP: Final = 5  # levels that are enough for all but the books of increments
KEEP_ALIVE_MS: Final = 60_000  # an unchanged book is repeated, empty, after this long


class BookView:
    """A book at one sequence number, best levels first."""

    __slots__ = ("_written", "ask", "asks", "bid", "bids", "seq_id", "ts")

    def __init__(self, side: MarketSide, depth: int) -> None:
        self.seq_id = side.seq_id
        self.ts = str(side.ts_ms)
        self.bids, self.asks = side.bids(depth), side.asks(depth)
        self.bid, self.ask = render.top(self.bids), render.top(self.asks)
        self._written: dict[int, tuple[str, str]] = {}  # by identity of its levels

    def first(self, depth: int | None = None) -> str:
        """The JSON fields of the best `depth` levels of both sides, or of all."""
        bids, asks = (",".join(self.texts(side[:depth]).values()) for side in (self.bids, self.asks))
        return f'"asks":[{asks}],"bids":[{bids}],"ts":"{self.ts}"'

    def texts(self, levels: list[BookLevel]) -> dict[str, str]:
        """Of some of its levels: price -> the whole level as JSON. Written once, when somebody asks."""
        written = self._written
        found: dict[str, str] = {}
        for one in levels:
            known = written.get(id(one))
            if known is None:
                price = num(one.price)
                known = written[id(one)] = price, f'["{price}","{num(one.size)}","0","{one.orders}"]'
            found[known[0]] = known[1]
        return found


def _changes(before: BookView, after: BookView, side: str) -> str:
    """The levels of "bids" or "asks" to send, among them those that went, with quantity 0."""
    unlike = _unlike(getattr(before, side), getattr(after, side))
    old, new = before.texts(unlike[0]), after.texts(unlike[1])
    changed = [text for price, text in new.items() if old.get(price) != text]
    changed += [f'["{price}","0","0","0"]' for price in old if price not in new]
    return ",".join(changed)


def _unlike(before: list[BookLevel], after: list[BookLevel]) -> tuple[list[BookLevel], list[BookLevel]]:
    """Both without the run of levels they share: most of a deep book stays as it is.

    Looked for where they have the level in the middle of `after`; found nothing, both come back whole.
    """
    if not before or not after:
        return before, after
    sign = 1 if after[0].price <= after[-1].price else -1
    mid = len(after) // 2
    shift = bisect_left(before, after[mid].price * sign, key=lambda level: level.price * sign) - mid
    old, new = before[max(0, shift) :], after[max(0, -shift) :]
    reach = min(len(old), len(new))
    begin = next((n for n in range(reach) if old[n] is new[n]), reach)
    if old[begin:reach] != new[begin:reach]:
        return before, after
    del old[begin:reach], new[begin:reach]
    return before[: max(0, shift)] + old, after[: max(0, -shift)] + new


def book_frame(topic: Topic, old: BookView | None, new: BookView) -> bytes:
    """A snapshot without `old`, else the update from `old` to `new`; equal ones are the keep-alive.

    Sequence numbers chain: every update names the one before it, a snapshot -1. The checksum is 0.
    """
    if old is None:
        action, previous, sides = "snapshot", -1, new.first()
    else:
        action, previous = "update", old.seq_id
        asks, bids = _changes(old, new, "asks"), _changes(old, new, "bids")
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

    def view(self, inst_id: str, depth: int = TOP) -> BookView:
        """A book `depth` levels deep; instead of a shallow one, a deep one that is there already."""
        seq_id = self._venue.markets[inst_id].seq_id
        for levels in (DEPTH, TOP) if depth == TOP else (depth,):
            view = self._views.get((inst_id, levels))
            if view is not None and view.seq_id == seq_id:
                return view
        view = self._views[inst_id, depth] = BookView(self._venue.markets[inst_id], depth)
        return view

    def due_ms(self, topic: Topic, sent: Sent) -> int:
        """When a session is to be told of the book as it stands: soon if it knows another, else again."""
        old, sent_ms = sent
        is_known = self._venue.markets[topic.key].seq_id == old.seq_id
        return sent_ms + (KEEP_ALIVE_MS if is_known else ALL[topic.channel].gap_ms)

    def update(self, topic: Topic, sent: Sent) -> tuple[bytes, Sent] | None:
        """The next frame for a session and its new state; None when there is nothing to say yet."""
        now_ms = self._venue.now_ms
        if now_ms < self.due_ms(topic, sent):
            return None
        old, new = sent[0], self.view(topic.key, ALL[topic.channel].levels)
        key = (topic, old.seq_id, new.seq_id)
        frame = self._updates.get(key)
        if frame is None:
            frame = self._updates[key] = book_frame(topic, old, new)
        return frame, (new, now_ms)
