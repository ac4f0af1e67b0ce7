"""A market that stands where a test puts it, and venues on top of it."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.exchange import Exchange
from exchange.sim.markets.funding import next_settlements
from exchange.sim.markets.instruments import CoinSpec, coin_spec
from exchange.sim.markets.source import Delisting, Forecast, FundingRecord, Gap, Quote, Reach
from exchange.sim.markets.timeline import Track
from exchange.sim.model import AccountState, Order, PositionKey, Settled
from exchange.sim.profile import VenueProfile
from exchange.sim.seam import OrderParams
from exchange.tape_l2 import DepthFeed

START_MS = 1_767_571_200_000  # a Monday, 00:00 UTC
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
HELD = PositionKey(SWAP)  # the cross, net position in it
D = Decimal


class StillMarket:
    """BTC at 60,000 and ETH at 3,000 until a test says otherwise. Implements MarketSource."""

    def __init__(self, volume: float = 1e9, gaps: tuple[Gap, ...] = ()) -> None:
        self.coins: tuple[CoinSpec, ...] = (coin_spec("BTC"), coin_spec("ETH"))
        self.start_ms = START_MS
        self.history_ms = 60 * 24 * HOUR_MS
        self.end_ms: int | None = None
        self.gaps = gaps
        self.delistings: tuple[Delisting, ...] = ()
        self.dollar = 1.0
        self.spot = {"BTC": 60_000.0, "ETH": 3_000.0}
        self.basis = {"BTC": 0.0, "ETH": 0.0}
        self.mark: dict[str, float] = {}  # where it is not the swap's price
        self.rate: Decimal | None = D("0.0001")  # None leaves it to the formula
        self.premium = D(0)
        self.mark_at: dict[int, Decimal] = {}
        self._track = Track(HOUR_MS)
        for hour in range(24 * 400):
            self._track.append(START_MS + (hour - 24) * HOUR_MS, (1.0, 1.0, 1.0, 1.0), volume)

    def next_ms(self, after_ms: int, every_turn: bool = False) -> int | None:
        at_ms = after_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
        return None if self.end_ms is not None and at_ms > self.end_ms else at_ms

    def quote(self, coin: str, at_ms: int) -> Quote:
        spot = self.spot[coin]
        swap = spot * (1 + self.basis[coin])
        return Quote(spot, swap, self.mark.get(coin, swap), 1.0, 1.0)

    def thickness(self, coin: str, at_ms: int) -> tuple[float, float]:
        return 1.0, 1.0

    def reach(self, coin: str, at_ms: int) -> Reach:
        """No promise: a test may move the market at any time."""
        now = self.quote(coin, at_ms)
        return Reach(now.mark, now.mark, now.spot, now.spot, at_ms)

    def feed(self, coin: str, swap: bool) -> DepthFeed | None:
        return None

    @property
    def record(self) -> FundingRecord | None:
        return self

    def usd(self, at_ms: int) -> float:
        return self.dollar

    def tracks(self, coin: str) -> tuple[Track, Track, Track]:
        return self._track, self._track, self._track

    def schedule(self, coin: str, after_ms: int, interval_ms: int) -> tuple[int, int]:
        return next_settlements(after_ms, interval_ms)

    def forecast(self, coin: str, at_ms: int, settle_ms: int, interval_ms: int) -> Forecast:
        return Forecast(self.rate, self.premium)

    def settlement_mark(self, coin: str, at_ms: int) -> Decimal | None:
        return self.mark_at.get(at_ms)

    def settled(self, coin: str, before_ms: int, count: int) -> list[Settled]:
        rate = self.rate or D(0)
        return [Settled(START_MS - 8 * HOUR_MS, rate, rate)]


class Desk:
    """A venue with one trader in it, and short words for what a test does."""

    def __init__(
        self,
        market: StillMarket | None = None,
        level: str = "2",
        usdt: str = "100000",
        **profile: object,
    ) -> None:
        self.market = market or StillMarket()
        self.venue = Exchange(self.market, seed=1, profile=VenueProfile(**profile))  # type: ignore[arg-type]
        self.me = self.open("me", usdt=usdt, level=level)

    def open(self, name: str, usdt: str = "100000", level: str = "2") -> AccountState:
        return self.venue.create_account(name, f"{name}-key", "secret", "phrase", {"USDT": D(usdt)}, level)

    def order(self, inst_id: str, side: str, size: str, price: str | None = None, **more: object) -> Order:
        """Place an order; `ioc` with a price, `market` without one, unless told otherwise."""
        account = more.pop("account", self.me)
        assert isinstance(account, AccountState)
        mode = "cross" if inst_id.endswith("SWAP") or account.level == "3" else "cash"
        mode = str(more.pop("mode", mode))
        kind = str(more.pop("kind", "market" if price is None else "ioc"))
        if kind == "market" and not inst_id.endswith("SWAP"):
            more.setdefault("target_ccy", "base_ccy")
        params = OrderParams(
            inst_id, mode, side, kind, D(size), None if price is None else D(price), **more  # type: ignore[arg-type]
        )  # fmt: skip
        return self.venue.place(account, params)

    def move(self, spot: float, coin: str = "BTC", basis: float | None = None) -> None:
        """Take the market to a price and let the venue notice, a minute later."""
        self.market.spot[coin] = spot
        if basis is not None:
            self.market.basis[coin] = basis
        self.wait(MINUTE_MS)

    def wait(self, ms: int) -> None:
        until = self.venue.now_ms + ms
        while self.venue.now_ms < until:
            self.venue.advance(until)

    def cash(self, ccy: str = "USDT", account: AccountState | None = None) -> Decimal:
        return (account or self.me).trading.get(ccy, D(0))

    def contracts(self, key: PositionKey = HELD) -> Decimal:
        row = self.me.positions.get(key)
        return row.size if row else D(0)
