"""Market and account as the engine sees them, looked up at the venue at the moment somebody asks.

Over a network the stores in market_data.py and account_data.py collect what is pushed. In one process
nothing has to be collected: a view is made when it is wanted, once per instant of the venue, and what
nobody looks at costs nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import takewhile

from core.context import MarketView
from core.ports import AccountSink
from core.types import AccountSnapshot, Candle, FundingQuote, Pair, SettledFunding
from exchange.candle_series import BAR_MS, KEEP
from exchange.direct import words
from exchange.local_book import DEPTH
from exchange.market_data import KEEP_OPEN_INTEREST, KEEP_SETTLED
from exchange.sim.model import AccountState
from exchange.sim.seam import MarketSide, Venue


class Stale(RuntimeError):
    """A view of an earlier instant was asked for something that can only be known of the present."""


class Candles(Mapping[str, tuple[Candle, ...]]):
    """Spot candles by bar as of one instant, cut when they are asked for."""

    def __init__(self, series: Mapping[str, _Series], venue: Venue) -> None:
        self._series, self._venue = series, venue
        self._now_ms = venue.now_ms
        self._cut: dict[str, tuple[Candle, ...]] = {}

    def __getitem__(self, bar: str) -> tuple[Candle, ...]:
        known = self._cut.get(bar)
        if known is None:
            self._require_present(bar)
            known = self._cut[bar] = self._series[bar].now()
        return known

    def newest(self, bar: str, count: int) -> tuple[Candle, ...]:
        """The last `count`, without cutting all of the others."""
        known = self._cut.get(bar)
        if known is None:
            self._require_present(bar)
            known = self._series[bar].newest(count)
        return known[-count:]

    def _require_present(self, bar: str) -> None:
        if self._venue.now_ms != self._now_ms:
            raise Stale(f"candles {bar} of {self._now_ms}, asked for at {self._venue.now_ms}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)


class _Series:
    """One market's candles of one length: finished ones are kept, the forming one is cut anew."""

    def __init__(self, side: MarketSide, bar_ms: int, keep: int) -> None:
        self._side, self._bar_ms, self._keep = side, bar_ms, keep
        self._closed: deque[Candle] = deque(maxlen=keep)

    def now(self) -> tuple[Candle, ...]:
        """Oldest first; the last may still be forming."""
        last_ms = self._closed[-1].ts_ms if self._closed else None
        missing = self._keep
        if last_ms is not None:
            missing = min(missing, (self._side.ts_ms - last_ms) // self._bar_ms)
        fresh = self._side.bars(self._bar_ms, None, missing) if missing else []
        forming: Candle | None = None
        for bar in reversed(fresh):
            if last_ms is not None and bar.ts_ms <= last_ms:
                continue
            if bar.closed:
                self._closed.append(words.candle(bar))
            else:
                forming = words.candle(bar)
        known = tuple(self._closed)
        return known if forming is None else (*known, forming)[-self._keep :]

    def newest(self, count: int) -> tuple[Candle, ...]:
        """The last `count`: cut alone where more than those would be missing."""
        behind = (self._side.ts_ms - self._closed[-1].ts_ms) // self._bar_ms if self._closed else self._keep
        if behind <= count:
            return self.now()[-count:]
        return tuple([words.candle(bar) for bar in reversed(self._side.bars(self._bar_ms, None, count))])


@dataclass(slots=True)
class _PairSide:
    """One pair at the venue, with what is kept from look to look."""

    pair: Pair
    spot: MarketSide
    swap: MarketSide
    series: dict[str, _Series]
    open_interest: deque[tuple[int, Decimal]] = field(
        default_factory=lambda: deque(maxlen=KEEP_OPEN_INTEREST)
    )
    settled: tuple[SettledFunding, ...] = ()
    seen: tuple[int, int, int] = (-1, 0, 0)  # instant and book numbers of the kept view
    view: MarketView | None = None


class DirectMarkets:
    """The market store on a venue in this process; see exchange/market_data.py for the one behind streams."""

    def __init__(self, venue: Venue, pairs: Iterable[Pair]) -> None:
        self._venue = venue
        self._sides: dict[str, _PairSide] = {}
        self._views: Mapping[str, MarketView] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._set = 0  # how often something was put in here
        for pair in pairs:
            self.set_pair(pair)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._sides)

    def set_pair(self, pair: Pair) -> None:
        """Add a pair, or take over new rules of a known one."""
        self._set += 1
        known = self._sides.get(pair.name)
        if known is None:
            spot, swap = self._venue.markets[pair.spot.inst_id], self._venue.markets[pair.swap.inst_id]
            series = {bar: _Series(spot, bar_ms, KEEP[bar]) for bar, bar_ms in BAR_MS.items()}
            self._sides[pair.name] = _PairSide(pair, spot, swap, series)
        else:
            known.pair, known.view = pair, None

    def pair(self, name: str) -> Pair:
        return self._sides[name].pair

    def view(self, name: str) -> MarketView:
        """One pair's market now. The same object until time moves or somebody trades."""
        side, now_ms = self._sides[name], self._venue.now_ms
        seen = (now_ms, side.spot.seq_id, side.swap.seq_id)
        if side.view is None or side.seen != seen:
            side.seen, side.view = seen, self._look(side, now_ms)
        return side.view

    def views(self) -> Mapping[str, MarketView]:
        """All of them, by name. The same mapping until time moves or somebody trades."""
        stamp = (self._venue.now_ms, self._venue.moves, self._set)
        if stamp != self._stamp:
            self._stamp, self._views = stamp, {name: self.view(name) for name in self._sides}
        return self._views

    def _look(self, side: _PairSide, now_ms: int) -> MarketView:
        """Without the turnover: nobody decides by it, and it is a sum over a day of bars."""
        funding = side.swap.funding
        return MarketView(
            pair=side.pair,
            spot=words.book(side.spot, DEPTH, now_ms),
            swap=words.book(side.swap, DEPTH, now_ms),
            mark_px=side.swap.mark_px,
            mark_seen_ms=now_ms,
            funding=words.quote(side.pair.swap.inst_id, funding, now_ms) if funding else None,
            settled=self._settled(side),
            candles=Candles(side.series, self._venue),
            open_interest=tuple(side.open_interest),
        )

    @staticmethod
    def _settled(side: _PairSide) -> tuple[SettledFunding, ...]:
        """What the venue keeps of them, the newest: with each settlement one more, and the oldest goes."""
        rows, known = side.swap.settled, side.settled
        last_ms = known[-1].ts_ms if known else None
        if rows and rows[-1].ts_ms != last_ms:
            fresh = takewhile(lambda row: row.ts_ms != last_ms, reversed(rows))
            newest = [SettledFunding(row.ts_ms, row.rate) for row in fresh]
            side.settled = (*known, *reversed(newest))[-min(len(rows), KEEP_SETTLED) :]
        return side.settled

    # --- what a store behind a network is told, and this one sees for itself ----------------------

    def on_funding(self, quote: FundingQuote) -> None:
        """No news: the quote is looked up with every view."""

    def seed_settled(self, name: str, settled: Iterable[SettledFunding]) -> None:
        """No news: settlements are looked up with every view."""

    def on_open_interest(self, name: str, coins: Decimal) -> None:
        """Keep a sample: the venue has no history of it."""
        side = self._sides[name]
        side.open_interest.append((self._venue.now_ms, coins))
        side.view = None
        self._set += 1


class DirectAccount:
    """The account store on a venue in this process. `sleeve` says whose account it is."""

    def __init__(self, venue: Venue, account: AccountState, *, sleeve: bool = False) -> None:
        self._venue, self._account, self._sleeve = venue, account, sleeve
        self.sinks: list[AccountSink] = []
        self._seen_ms = -1
        self._snapshot: AccountSnapshot | None = None

    def snapshot(self) -> AccountSnapshot:
        """The account now, both wallets. The same object until time moves or something is booked."""
        if self._snapshot is None or self._seen_ms != self._venue.now_ms:
            self._seen_ms = self._venue.now_ms
            figures = self._venue.figures(self._account)
            self._snapshot = words.snapshot(self._account, figures, self._venue.now_ms, sleeve=self._sleeve)
        return self._snapshot

    def replace(self, snapshot: AccountSnapshot) -> None:
        """No news: whoever asked the venue asked for the same."""

    def changed(self) -> None:
        """Something was booked: look again, and tell whoever listens."""
        self._snapshot = None
        for sink in self.sinks:
            sink.on_account(self.snapshot())
