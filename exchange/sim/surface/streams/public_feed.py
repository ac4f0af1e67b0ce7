"""The public channels' frames: encoded once per topic and round of events, shared by every session."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Final

from exchange.sim.account_figures import FundFigures
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
from exchange.sim.markets.dollar import DOLLAR
from exchange.sim.model import ZERO, PublicTrade
from exchange.sim.seam import MarketSide, Venue
from exchange.sim.surface.rendering import funds as render_funds
from exchange.sim.surface.rendering import public as render
from exchange.sim.surface.rendering.candles import cut, index_source
from exchange.sim.surface.rendering.public import DayOpens
from exchange.sim.surface.rendering.text import Row, num
from exchange.sim.surface.streams.book_feed import BookFeed
from exchange.sim.surface.streams.channels import ALL, Channel, Topic, encode

FOR_EVER_MS: Final = 1 << 60
_CANDLES_AT_MOST: Final = 5  # bars a round may have completed since the last push


class PublicFeed:
    """Frames of the current round. `begin` opens a round with what happened since the last."""

    def __init__(self, venue: Venue, opens: DayOpens) -> None:
        self._venue = venue
        self._opens = opens
        self._changed: dict[type[VenueEvent], set[str]] = {}
        self._trades: dict[str, list[PublicTrade]] = {}
        self._frames: dict[Topic, tuple[bytes, ...]] = {}
        self.books = BookFeed(venue)
        self._late: set[Topic] = set()  # changed, but pushed too recently
        self._sent_ms: dict[Topic, int] = {}
        self._bar_ms: dict[Topic, int] = {}
        self._takeovers: deque[Liquidated] = deque(maxlen=100)  # not pushed yet
        self._rows: dict[str, Callable[[str], list[Row]]] = {
            "tickers": self._ticker,
            "trades": self._merged,
            "mark-price": lambda key: [render.mark_price(self._side(key))],
            "index-tickers": self._index,
            "price-limit": lambda key: [render.price_limit(self._side(key))],
            "open-interest": lambda key: [render.open_interest(self._side(key))],
            "funding-rate": self._funding,
            "instruments": self._instruments,
            "liquidation-orders": self._taken_over,
            "status": lambda _: [
                {**render.maintenance(window), "ts": str(venue.now_ms)} for window in venue.maintenance
            ],
        }

    def begin(self, events: Iterable[VenueEvent]) -> None:
        self._frames.clear()
        self.books.begin()
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
                case Liquidated(inst_id):
                    key = inst_id
                    self._takeovers.append(event)
                case AdlChanged(family):
                    key = f"{family}-SWAP"
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
        channel, now_ms = ALL[topic.channel], self._venue.now_ms
        age_ms = now_ms - self._sent_ms.get(topic, -FOR_EVER_MS)
        wanted = topic in self._late or self._touched(channel, topic.key)
        every_ms = self._every_ms(topic)
        if (wanted and age_ms >= channel.gap_ms) or (every_ms is not None and age_ms >= every_ms):
            self._late.discard(topic)
            self._sent_ms[topic] = now_ms
            frames = self._build(topic)
        else:
            if wanted:
                self._late.add(topic)
            frames = ()
        self._frames[topic] = frames
        return frames

    def due_ms(self, topic: Topic) -> int:
        """When a topic is to be asked again although nothing happens; FOR_EVER_MS when never."""
        every_ms = ALL[topic.channel].gap_ms if topic in self._late else self._every_ms(topic)
        return FOR_EVER_MS if every_ms is None else self._sent_ms.get(topic, 0) + every_ms

    def _every_ms(self, topic: Topic) -> int | None:
        if topic.channel == "adl-warning" and any(one.deleverages for one in self._funds(topic)):
            return 1_000
        return ALL[topic.channel].every_ms

    def greeting(self, topic: Topic) -> tuple[bytes, ...]:
        """The current state, for a new subscription."""
        self._sent_ms.setdefault(topic, self._venue.now_ms)
        if not ALL[topic.channel].greets:
            return ()
        if "candle" in topic.channel:
            rows = self._candle_rows(topic, 1)
            return (_frame(topic, [row for _, row in rows]),) if rows else ()
        return self._build(topic)

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
        if topic.channel in ("books5", "bbo-tbt"):
            return (self._top_of_book(topic),)
        if "candle" in topic.channel:
            return self._candles(topic)
        if topic.channel == "trades-all":  # one message per trade
            alone = [[one] for one in self._trades.get(topic.key, ())]
            return tuple(_frame(topic, [row]) for row in self._prints(alone))
        if topic.channel == "adl-warning":
            rows = [render_funds.adl_warning(fund, self._venue.now_ms) for fund in self._funds(topic)]
        else:
            rows = self._rows[topic.channel](topic.key)
        return (_frame(topic, rows),) if rows else ()

    def _taken_over(self, inst_type: str) -> list[Row]:
        if inst_type != "SWAP":
            return []
        found = sorted(self._takeovers, key=lambda one: one.inst_id)
        self._takeovers.clear()
        return [render_funds.takeover(list(own)) for _, own in groupby(found, key=lambda one: one.inst_id)]

    def _funds(self, topic: Topic) -> list[FundFigures]:
        """The insurance funds a topic is about: all of swaps, or that of one family."""
        if topic.key != "SWAP":
            return []
        return [fund for fund in self._venue.insurance_funds() if topic.family in ("", fund.family)]

    def _side(self, inst_id: str) -> MarketSide:
        return self._venue.markets[inst_id]

    def _top_of_book(self, topic: Topic) -> bytes:
        view = self.books.view(topic.key)
        levels = view.first(5 if topic.channel == "books5" else 1)
        return (
            f'{{"arg":{{"channel":"{topic.channel}","instId":"{topic.key}"}},"data":[{{{levels},'
            f'"instId":"{topic.key}","seqId":{view.seq_id}}}]}}'
        ).encode()

    def _merged(self, inst_id: str) -> list[Row]:
        """Prints of one taker at one price are one row: their sum, their number, the last one's id."""
        printed = self._trades.get(inst_id, ())
        groups = groupby(printed, key=lambda one: (one.price, one.side, one.ts_ms))
        return self._prints([list(group) for _, group in groups])

    def _prints(self, groups: list[list[PublicTrade]]) -> list[Row]:
        return [
            {
                **render.trade(group[-1]),
                "sz": num(sum((one.size for one in group), ZERO)),
                "count": str(len(group)),
                "seqId": self._side(group[-1].inst_id).seq_id,
            }
            for group in groups
        ]

    def _candles(self, topic: Topic) -> tuple[bytes, ...]:
        """The forming bar, after the final word on those that closed since the last push."""
        since_ms = self._bar_ms.get(topic, FOR_EVER_MS)
        length_ms = BARS[topic.channel.rpartition("candle")[2]].length_ms
        begun = (self._venue.now_ms - since_ms) // length_ms + 1  # at most, since the last push
        rows = self._candle_rows(topic, min(max(1, begun), _CANDLES_AT_MOST))
        if not rows:
            return ()
        self._bar_ms[topic] = rows[0][0]
        since_ms = min(since_ms, rows[0][0])
        return tuple(_frame(topic, [row]) for at_ms, row in reversed(rows) if at_ms >= since_ms)

    def _candle_rows(self, topic: Topic, limit: int) -> list[tuple[int, list[str]]]:
        """Opening times and rows of the newest bars, newest first."""
        kind, _, bar = topic.channel.rpartition("candle")
        venue, spec = self._venue, BARS[bar]
        if kind == "index-":
            source = index_source(venue, topic.key)
        else:
            side = self._side(topic.key)
            source = side.mark_bars if kind else side.bars
        bars = cut(source, spec, None, limit, venue.now_ms)
        if kind:
            return [(bar.ts_ms, render.price_candle(bar)) for bar in bars]
        return [(bar.ts_ms, render.candle(bar, side.instrument)) for bar in bars]

    def _ticker(self, inst_id: str) -> list[Row]:
        side, view = self._side(inst_id), self.books.view(inst_id)
        return [render.ticker(side, view.bid, view.ask, self._opens, self._venue.now_ms)]

    def _index(self, name: str) -> list[Row]:
        if name == DOLLAR:
            return [render.dollar_ticker(self._venue)]
        return [render.index_ticker(name, self._side(name), self._opens, self._venue.now_ms)]

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


def _frame(topic: Topic, rows: list[Row] | list[list[str]]) -> bytes:
    return encode({"arg": topic.arg(), "data": rows})
