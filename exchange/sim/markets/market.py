"""Public data of one instrument: prices, book, prints, candles, funding.

A market is worked out when somebody looks at it: a client, a resting order, a margin. What nobody saw is
caught up with then, from the same path, so looking changes nothing.
"""

from __future__ import annotations

from collections import deque
from decimal import ROUND_CEILING, Decimal
from functools import partial
from typing import NamedTuple

from exchange.sim.events import (
    BarChanged,
    BookChanged,
    FundingChanged,
    IndexChanged,
    MarkChanged,
    TradePrinted,
    VenueEvent,
)
from exchange.sim.markets.book import Behind, Book, FeedPrint
from exchange.sim.markets.calibration import SPOT_DEPTH, SWAP_DEPTH
from exchange.sim.markets.day import Day, bar_of, day_of, round_to
from exchange.sim.markets.feed_book import FeedBook
from exchange.sim.markets.flat_book import FlatBook
from exchange.sim.markets.instruments import CoinSpec
from exchange.sim.markets.premium import PremiumIndex, premium_sample
from exchange.sim.markets.rates import Rates
from exchange.sim.markets.sampler import Sampler
from exchange.sim.markets.source import MarketSource, Reach
from exchange.sim.markets.timeline import Track
from exchange.sim.model import (
    ZERO,
    Bar,
    BookLevel,
    FundingState,
    Instrument,
    Interest,
    PublicTrade,
    Settled,
)
from exchange.sim.profile import VenueProfile

HOUR_MS = 3_600_000
BAND = Decimal("0.02")  # how far from the index an order may be priced, before the premium
BAND_LIMIT = Decimal("0.05")  # and at most
OPEN_INTEREST_USD = 2_000_000_000  # BTC; other coins by liquidity
PRINT_USD = 4_000
PRINTS_KEPT = 500
FIRST_SEQ_ID = 1_000_000
UNBOUNDED = Decimal(10) ** 18


class Pulse:
    """The instants at which the market moved, shared by all markets of a venue; the last few are kept.

    is_stirred  clients have traded since the last of them.    stirs  how often they ever have.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.count = 1
        self.is_stirred = False
        self.stirs = 0
        self.recent: deque[int] = deque([now_ms], maxlen=PRINTS_KEPT + 1)
        self.sampler = Sampler()

    def beat(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.is_stirred = False
        self.count += 1
        self.recent.append(now_ms)

    def stir(self) -> None:
        self.is_stirred = True
        self.stirs += 1


class Band(NamedTuple):
    """Where orders may be priced while index and mark are as they are."""

    high: Decimal
    low: Decimal


class Market:
    """Implements seam.MarketSide: as of the last beat of `pulse`, plus what clients did since."""

    def __init__(
        self,
        instrument: Instrument,
        spec: CoinSpec,
        source: MarketSource,
        pulse: Pulse,
        seed: int,
        profile: VenueProfile,
    ) -> None:
        swap = instrument.is_swap
        spot_track, swap_track, mark_track = source.tracks(spec.coin)
        self.instrument = instrument
        self.coin = spec.coin
        self.book_changed = BookChanged(instrument.inst_id)
        self.funding_changed = FundingChanged(instrument.inst_id)
        self._moved: tuple[VenueEvent, ...] = (
            (self.book_changed, MarkChanged(instrument.inst_id), BarChanged(instrument.inst_id))
            if swap
            else (
                self.book_changed,
                IndexChanged(f"{spec.coin}-{instrument.quote}"),
                BarChanged(instrument.inst_id),
            )
        )
        self._spec = spec
        self._source = source
        self._pulse = pulse
        self._track = swap_track if swap else spot_track
        self._mark_track = mark_track if swap else spot_track
        self._index_track = spot_track
        self._profile = profile
        depth = SWAP_DEPTH if swap else SPOT_DEPTH
        feed = source.feed(spec.coin, swap)
        made = FlatBook if profile.flat_books else Book
        kind = made if feed is None else partial(FeedBook, feed=feed)
        self._book: Book = kind(instrument, depth, spec.liquidity, seed, profile)
        self._premium: PremiumIndex | None = None
        self.rates: Rates | None = None  # of a swap
        if swap:
            if source.record is None:
                self._premium = PremiumIndex(source, spec, self._book.invented, pulse.now_ms)
            told = self._premium or source.record
            assert told is not None
            self.rates = Rates(told, spec, profile.funding_regime, pulse.now_ms, source.history_ms)
        self._seen = self._printed = 0  # beats this market has caught up with, and shows a print of
        self._seq_id = FIRST_SEQ_ID
        self._update_id: int | None = None
        self._last_trade_id = 0
        self._last = self._mark_px = self._index_px = ZERO
        self._last_size: Decimal | None = None  # of this beat's print, once asked for
        self._path_px = self._printed_px = ZERO  # the market's own price, now and at its last print
        self._trades: deque[PublicTrade] = deque(maxlen=PRINTS_KEPT)
        self._own_prints = 0
        self._used: tuple[int, Decimal] = (-1, ZERO)  # when a bar began, and what clients traded in it
        self._share = ZERO  # of this bar's volume that clients may have between them
        self._roomed = 0  # the beat that share was worked out in
        self._band_kept: Band | None = None
        self._day_kept: tuple[int, Day] | None = None  # by the bar it was taken in

    # --- looking: everything below catches up first ---------------------------------------------

    def _look(self) -> None:
        pulse = self._pulse
        if self._seen == pulse.count:
            return
        missed, self._seen = pulse.count - self._seen, pulse.count
        at_ms, swap, tick = pulse.now_ms, self.instrument.is_swap, self.instrument.tick
        quote = self._source.quote(self.coin, at_ms)
        self._band_kept = None
        self._index_px = round_to(quote.spot, tick)
        self._mark_px = round_to(quote.mark, tick) if swap else self._index_px
        price = (quote.swap if swap else quote.spot) + self._book.impact.shift(at_ms)
        self._book.refresh(price, quote.spread, quote.depth, at_ms)
        self._count(missed)
        self._last = self._path_px = round_to(price, tick)
        self._last_size = None

    def _count(self, beats: int) -> None:
        """Sequence numbers: one per beat, or a recorded book's own as long as they lead."""
        before, self._update_id = self._update_id, self._book.update_id
        if self._update_id is None:
            self._seq_id += beats
        elif self._update_id != before:
            self._seq_id = max(self._seq_id + 1, self._update_id)

    def reach(self) -> Reach:
        """Between what bounds mark and index will stay for a while, known without looking closer."""
        return self._source.reach(self.coin, self._pulse.now_ms)

    def _print(self) -> list[PublicTrade]:
        """Make up for the prints since the last: a recorded book's own, else one for each beat, at the price
        of its instant; the oldest may be lost. Returns the new ones."""
        self._look()
        pulse, recent = self._pulse, self._pulse.recent
        missed, self._printed = min(pulse.count - self._printed, PRINTS_KEPT), pulse.count
        found = self._book.take_prints()
        before = self._printed_px
        for back in range(missed, 0, -1):
            at_ms = recent[-back]
            if not self._book.covers(at_ms):
                price = self._path_px if back == 1 else self._price(at_ms)
                side, size = "buy" if price >= before else "sell", self._print_size(at_ms, price)
                found.append(FeedPrint(pulse.count - back + 1, price, size, side, at_ms))
                before = price
        self._printed_px = self._path_px
        found.sort(key=lambda one: one.ts_ms)
        return [self._publish(one.trade_id, one.price, one.size, one.side, one.ts_ms) for one in found]

    def _publish(self, number: int, price: Decimal, size: Decimal, side: str, ts_ms: int) -> PublicTrade:
        """`number` is the trade's own; clients' trades between them shift it."""
        self._last_trade_id = max(self._last_trade_id + 1, number + self._own_prints)
        trade = PublicTrade(self.instrument.inst_id, self._last_trade_id, price, size, side, ts_ms)
        self._trades.append(trade)
        return trade

    def _price(self, at_ms: int) -> Decimal:
        quote = self._source.quote(self.coin, at_ms)
        return round_to(quote.swap if self.instrument.is_swap else quote.spot, self.instrument.tick)

    def _print_size(self, at_ms: int, price: Decimal) -> Decimal:
        """Some ten thousand USDT, more in thicker markets."""
        usdt = PRINT_USD * self._spec.liquidity * (1 + at_ms // 1_000 % 9)
        lots = usdt / float(price * self.instrument.ct_val * self.instrument.lot)
        return max(1, int(lots)) * self.instrument.lot

    @property
    def has_feed(self) -> bool:
        return isinstance(self._book, FeedBook)

    def follow(self) -> None:
        """Take in what a recorded book has for this beat: numbers and queues depend on every single one."""
        self._print()

    def announce(self, outbox: list[VenueEvent]) -> None:
        """Tell what this beat changed, for those who watch."""
        self._look()
        outbox.extend(self._moved)
        outbox.extend(TradePrinted(trade) for trade in self._print())
        if self.rates is not None and self.rates.moves(self._pulse.now_ms):
            outbox.append(self.funding_changed)

    @property
    def ts_ms(self) -> int:
        return self._pulse.now_ms

    @property
    def seq_id(self) -> int:
        self._look()
        return self._seq_id

    @property
    def book(self) -> Book:
        self._look()
        return self._book

    @property
    def last(self) -> Decimal:
        self._look()
        return self._last

    @property
    def last_size(self) -> Decimal:
        self._look()
        if self._last_size is None:
            self._last_size = self._print_size(self._pulse.now_ms, self._last)
        return self._last_size

    @property
    def index_px(self) -> Decimal:
        self._look()
        return self._index_px

    @property
    def mark_px(self) -> Decimal:
        self._look()
        return self._mark_px

    @mark_px.setter
    def mark_px(self, price: Decimal) -> None:
        """Until the next beat: a settlement is priced by its own mark."""
        self._look()
        self._mark_px, self._band_kept = price, None

    @property
    def trades(self) -> deque[PublicTrade]:
        self._print()
        return self._trades

    @property
    def funding(self) -> FundingState | None:
        return self.rates.foresee(self._pulse.now_ms) if self.rates is not None else None

    @property
    def settled(self) -> deque[Settled]:
        return self.rates.settled if self.rates is not None else deque()

    # --- what clients do to it ------------------------------------------------------------------

    def print_trade(self, size: Decimal, price: Decimal, side: str, outbox: list[VenueEvent]) -> int:
        """Publish one trade; return its id, unique within the instrument."""
        self._print()
        self._own_prints += 1
        trade = self._publish(0, price, size, side, self.ts_ms)
        self._last, self._last_size = price, size
        outbox.append(TradePrinted(trade))
        return trade.trade_id

    def touched(self, outbox: list[VenueEvent]) -> None:
        """A client changed the book."""
        self._look()
        self._pulse.stir()
        self._seq_id += 1
        if self._premium is not None:
            self._pulse.sampler.touch(self.instrument.inst_id, self)
        if not outbox or outbox[-1] is not self.book_changed:
            outbox.append(self.book_changed)

    def altered_until(self, at_ms: int) -> int | None:
        return self._book.altered_until(at_ms)

    def sample(self) -> None:
        """Take this minute's sample of the premium out of the book as it stands."""
        if self._premium is not None:
            index, ct_val = self.index_px, self.instrument.ct_val
            self._premium.note(self.ts_ms, premium_sample(self._book.view, ct_val, index))

    def restart_sequence(self, outbox: list[VenueEvent]) -> None:
        """Count sequence numbers anew, as after maintenance."""
        self._look()
        self._seq_id = 0
        self.touched(outbox)

    # --- how much the market itself can trade with clients in this bar ------------------------

    def room(self) -> Decimal:
        """A recorded book holds what there is to take; an invented one has a share of the bar's volume."""
        if self.book.covers(self.ts_ms):
            return UNBOUNDED
        if self._roomed != self._pulse.count:
            self._roomed = self._pulse.count
            i, lot = self._track.index(self.ts_ms), self.instrument.lot
            if self._used[0] != self._track.ts[i]:
                self._used = (self._track.ts[i], ZERO)
            volume = Decimal(str(self._track.volume[i])) / self.instrument.ct_val
            self._share = volume * self._profile.volume_share // lot * lot
        return max(ZERO, self._share - self._used[1])

    def use_room(self, size: Decimal) -> None:
        bar, used = self._used
        self._used = (bar, used + size)

    # --- what the public sees ------------------------------------------------------------------

    def bids(self, depth: int) -> list[BookLevel]:
        return self.book.view("buy", min(depth, self._profile.book_levels))

    def asks(self, depth: int) -> list[BookLevel]:
        return self.book.view("sell", min(depth, self._profile.book_levels))

    def parts(self, side: str, depth: int) -> tuple[list[BookLevel], Behind | None]:
        return self.book.parts(side, min(depth, self._profile.book_levels))

    def bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        return self._bars(self._track, bar_ms, before_ms, limit, utc_offset_ms)

    def mark_bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        return self._bars(self._mark_track, bar_ms, before_ms, limit, utc_offset_ms)

    def index_bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        return self._bars(self._index_track, bar_ms, before_ms, limit, utc_offset_ms)

    def _bars(
        self, track: Track, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int
    ) -> list[Bar]:
        spans = track.spans(bar_ms, before_ms, limit, self.ts_ms, utc_offset_ms)
        return [bar_of(span, self.instrument) for span in spans]

    @property
    def open_24h(self) -> Decimal:
        return day_of(self._track, self.instrument, self.ts_ms)[0]

    @property
    def high_24h(self) -> Decimal:
        return max(self._day()[1], self.last)

    @property
    def low_24h(self) -> Decimal:
        return min(self._day()[2], self.last)

    @property
    def volume_24h(self) -> Decimal:
        return self._day()[3]

    def _day(self) -> Day:
        """Kept until the bar ends: its high, low and volume change with closed bars only."""
        i = self._track.ts[self._track.index(self.ts_ms)]
        if self._day_kept is None or self._day_kept[0] != i:
            self._day_kept = (i, day_of(self._track, self.instrument, self.ts_ms))
        return self._day_kept[1]

    @property
    def quote_volume_24h(self) -> Decimal:
        return (self.volume_24h * self.last).quantize(Decimal("0.01"))

    @property
    def open_interest(self) -> Decimal:
        """Contracts; drifts by the hour, nobody's decision depends on it."""
        return self._interest(self.ts_ms, self.mark_px)

    def interest(
        self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0
    ) -> list[Interest]:
        bars = self.mark_bars(bar_ms, before_ms, limit, utc_offset_ms) if self.instrument.is_swap else []
        return [Interest(bar.ts_ms, self._interest(bar.ts_ms, bar.open), bar.open) for bar in bars]

    def _interest(self, at_ms: int, mark_px: Decimal) -> Decimal:
        if not self.instrument.is_swap or not mark_px:
            return ZERO
        swing = 0.9 + 0.2 * (at_ms // HOUR_MS * 2_654_435_761 % 1_000) / 1_000
        coins = Decimal(str(OPEN_INTEREST_USD * self._spec.liquidity * swing)) / mark_px
        return round(coins / self.instrument.ct_val, 2)

    @property
    def buy_limit(self) -> Decimal:
        """Highest price a buy may name: index +2 % plus the premium, never above +5 %. api-v5.md 7.7."""
        return self._band().high

    @property
    def sell_limit(self) -> Decimal:
        """Lowest price a sell may name, mirrored."""
        return self._band().low

    def _band(self) -> Band:
        """Worked out once for the same index and mark: every order asks."""
        self._look()
        if self._band_kept is None:
            index, tick = self._index_px, self.instrument.tick
            premium = self._mark_px - index
            high = min(max(index, index * (1 + BAND) + premium), index * (1 + BAND_LIMIT))
            low = max(min(index, index * (1 - BAND) + premium), index * (1 - BAND_LIMIT))
            steps = (low / tick).to_integral_value(ROUND_CEILING)
            self._band_kept = Band(high // tick * tick, steps * tick)
        return self._band_kept
