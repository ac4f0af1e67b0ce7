"""The one frozen snapshot a decision may look at, with the age of each part.

Nothing below a decision reads a clock, a socket or a file: what is not in here was not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from core.adl import AdlView
from core.events import Plan, State
from core.types import (
    ZERO,
    AccountConfig,
    AccountMode,
    AccountSnapshot,
    Base,
    Book,
    Candle,
    Contracts,
    FeeRates,
    FundingQuote,
    MaintenanceWindow,
    Pair,
    SettledFunding,
)

T = TypeVar("T")
K = TypeVar("K", bound="Keeping")


class Permission(IntEnum):
    """What the engine may do, from everything to nothing. Persisted, with reason and time."""

    HALTED = 0  # no automatic order at all
    REDUCE_ONLY = 1  # orders may only make exposure smaller
    NO_NEW_RISK = 2  # hedge, repair, reduce, close; do not open or grow
    FULL = 3


@dataclass(frozen=True, slots=True)
class PermissionView:
    """What one cause allows at most. `until_operator`: it does not end by itself."""

    level: Permission = Permission.FULL
    reason: str = ""
    since_ms: int = 0
    until_operator: bool = False


class Keeping:
    """Something frozen that keeps what is worked out of it: several ask for the same."""

    __slots__ = ()
    _known: dict[object, Any]

    def once(self: K, work: Callable[[K], T]) -> T:
        """Return what `work`, a pure function, makes of this, and work it out one time only."""
        try:
            known: T = self._known[work]
        except KeyError:
            known = self._known[work] = work(self)
        return known


class kept(Generic[K, T]):  # a decorator, like property
    """A property that is worked out at the first asking."""

    def __init__(self, work: Callable[[K], T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __get__(self, one: K, owner: type[K]) -> T:
        return one.once(self._work)


@runtime_checkable
class CutOnDemand(Protocol):
    """Candles that need not all be there for somebody to see the last of them."""

    def newest(self, bar: str, count: int) -> tuple[Candle, ...]: ...


@dataclass(frozen=True, slots=True)
class MarketView(Keeping):
    """One pair's market. A part never seen is None: absent is not zero."""

    pair: Pair
    spot: Book | None = None
    swap: Book | None = None
    mark_px: Decimal | None = None
    mark_seen_ms: int = 0
    index_px: Decimal | None = None
    funding: FundingQuote | None = None
    settled: tuple[SettledFunding, ...] = ()  # oldest first
    candles: Mapping[str, tuple[Candle, ...]] = field(default_factory=dict)  # spot, oldest first
    open_interest: tuple[tuple[int, Decimal], ...] = ()  # (ts_ms, coins), oldest first
    volume_24h_usdt: Decimal | None = None
    _known: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @kept
    def is_quoted(self) -> bool:
        return bool(self.spot and self.swap and self.spot.is_sane and self.swap.is_sane)

    @kept
    def prices(self) -> tuple[Decimal, Decimal] | None:
        """(spot mid, swap mark), what holdings are valued at; None where the pair is not quoted."""
        if self.spot is None or self.mark_px is None or not self.spot.is_sane:
            return None
        return self.spot.mid, self.mark_px

    @property
    def basis_bps(self) -> Decimal | None:
        """Swap mid minus spot mid, in bps of spot."""
        if self.spot is None or self.swap is None or not self.is_quoted:
            return None
        return (self.swap.mid / self.spot.mid - 1) * 10_000

    def newest(self, bar: str, count: int) -> tuple[Candle, ...]:
        """The last candles of a length, oldest first; the last of them may still be forming."""
        if isinstance(self.candles, CutOnDemand):
            return self.candles.newest(bar, count)
        return self.candles.get(bar, ())[-count:]

    def age_ms(self, now_ms: int) -> int | None:
        """Age of the oldest of the two books and the mark price; None when one was never seen."""
        if self.spot is None or self.swap is None or self.mark_px is None:
            return None
        return now_ms - min(self.spot.seen_ms, self.swap.seen_ms, self.mark_seen_ms)


@dataclass(frozen=True, slots=True)
class HedgeView:
    """One hedge as the books have it: what this engine bought and sold, nothing else.

    spot_base   coins owned by the hedge, net of fees taken in the coin.
    contracts   contracts held short, >= 0.
    target_base what was last asked for.
    Money terms are USDT since the round began; fees, slippage and interest are costs >= 0
    (a rebate is a negative cost).
    """

    instrument: str
    hedge_id: str
    target_base: Base
    spot_base: Base
    contracts: Contracts
    short_base: Base  # contracts in coins
    opened_ms: int
    entry_notional: Decimal  # USDT, spot price x coins at opening
    capital: Decimal  # what the round tied up at opening: spot cost + margin at the split
    funding: Decimal
    basis: Decimal
    fees: Decimal
    slippage: Decimal
    interest: Decimal
    settlements: int
    liquidations: int = 0  # bookings of the venue's by which it took over the short, or a part of it
    deleveragings: int = 0  # the same for forced deleveraging (ADL)
    reason: str = ""  # why the target was set

    @property
    def net_delta(self) -> Base:
        return Base(self.spot_base - self.short_base)

    @property
    def size(self) -> Base:
        """The hedge quantity: the larger leg."""
        return Base(max(self.spot_base, self.short_base))

    @property
    def drift_ratio(self) -> Decimal:
        """|net delta| / hedge quantity; 0 when nothing is held."""
        return abs(self.net_delta) / self.size if self.size else ZERO

    @property
    def pnl(self) -> Decimal:
        """Funding + basis - fees - slippage - interest, USDT."""
        return self.funding + self.basis - self.fees - self.slippage - self.interest


@dataclass(frozen=True, slots=True)
class BreakerView:
    """What the circuit breaker counts; persisted, so a restart forgets nothing."""

    losing_rounds: int = 0  # in a row
    day: str = ""  # UTC date the loss counts for
    day_pnl: Decimal = ZERO  # USDT, since 00:00 UTC
    rounds_today: int = 0
    last_round_ms: int = 0
    peak_equity: Decimal = ZERO
    tripped: str = ""  # reason; empty when closed
    tripped_ms: int = 0


@dataclass(frozen=True, slots=True)
class StreamHealth:
    live: bool
    last_seen_ms: int
    reconnects: int = 0


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the venue is asked now and then, beside what it pushes. None and nothing: not known yet.

    usdt_usd      what a USDT is worth in dollars.
    drift_ms_day  how fast our clock runs away from the venue's, ms a day; it needs hours to be known.
    config        the account's settings, and `agreed`: as they were at the start, or at the last `resume`.
    leverage      the venue's setting, by swap, for what is held.
    new_rules     instrument -> what changed in its contract while it was held.
    """

    usdt_usd: Decimal | None = None
    drift_ms_day: Decimal | None = None
    config: AccountConfig | None = None
    agreed: AccountConfig | None = None
    leverage: Mapping[str, Decimal] = field(default_factory=dict)
    new_rules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VenueHealth:
    """How well the venue can be heard and reached."""

    streams: Mapping[str, StreamHealth] = field(default_factory=dict)
    errors_1m: int = 0  # REST failures with unknown or no answer in the last minute
    rejects_1m: int = 0
    latency_ms: Decimal = ZERO  # REST round trip, recent median
    clock_offset_ms: int = 0  # venue minus local
    rate_use_ratio: Decimal = ZERO  # busiest order bucket, 1 = full
    maintenance: tuple[MaintenanceWindow, ...] = ()
    throttled_1m: int = 0  # requests the venue found too many
    failing_since_ms: int | None = None  # the first of the requests in a row that nobody answered
    shut_out_until_ms: int = 0  # the venue's edge turned us away: nothing is sent until then
    key_refusals: int = 0  # signed requests in a row refused for key, signature or permission
    rounds: Rounds = field(default_factory=Rounds)

    def maintenance_at(self, at_ms: int, lead_ms: int = 0) -> MaintenanceWindow | None:
        """A window that runs at `at_ms`, or begins within the lead time."""
        return next((w for w in self.maintenance if w.covers(at_ms, lead_ms)), None)


@dataclass(frozen=True, slots=True)
class Context(Keeping):
    """Everything one decision may know. Never changed; the same one as long as nothing changes.

    What several guards need of it is worked out at the first asking and kept beside it: the properties
    below, and whatever is asked for through `once`.
    """

    now_ms: int
    state: State
    state_since_ms: int
    permission: PermissionView
    markets: Mapping[str, MarketView]
    account: AccountSnapshot | None
    fees: Mapping[str, FeeRates]
    hedges: Mapping[str, HedgeView]
    breaker: BreakerView
    venue: VenueHealth
    equity: Decimal = ZERO  # account equity in USDT, by our own books
    profit: Decimal = ZERO  # equity less what was there at first, and less what was moved in since
    last_open_ms: Mapping[str, int] = field(default_factory=dict)
    last_close_ms: Mapping[str, int] = field(default_factory=dict)
    pending_transfer: bool = False
    unresolved_orders: int = 0  # outcome unknown, still being asked for
    unexplained: str = ""  # what reconciliation could not explain; empty when books equal the venue
    repairs: int = 0  # repairs in a row without a balanced end
    stopping: str = ""  # why we unwind in order to stop; empty when we do not
    flatten_asked: bool = False
    causes: Mapping[str, PermissionView] = field(default_factory=dict)  # what lowers the permission
    doubtful: frozenset[str] = frozenset()  # instruments whose price has jumped and is not confirmed yet
    skipped_ms: int = 0  # time jumped over (suspend, clock step) since books and venue were compared
    plan: Plan = field(default_factory=Plan)
    top_up_failed_ms: int = 0  # when the venue last refused a top-up; 0 never, or one has passed since
    adl: Mapping[str, AdlView] = field(default_factory=dict)  # shorts near forced deleveraging
    _known: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def with_plan(self, plan: Plan) -> Context:
        return replace(self, plan=plan)

    @kept
    def open_hedges(self) -> tuple[HedgeView, ...]:
        return tuple(h for h in self.hedges.values() if h.size)

    @kept
    def converged_equity(self) -> Decimal:
        """`equity` with every short valued at the spot price: what it is worth once the basis is gone."""
        total = self.equity
        for hedge in self.open_hedges:
            market = self.markets.get(hedge.instrument)
            if market and market.spot and market.spot.is_sane and market.mark_px:
                total += (market.mark_px - market.spot.mid) * hedge.short_base
        return total

    @kept
    def swap_notional(self) -> Decimal:
        """USDT value at mark of all short swaps the account holds."""
        if self.account is None:
            return ZERO
        total = ZERO
        for market in self.markets.values():
            position = self.account.positions.get(market.pair.swap.inst_id)
            if position:
                price = market.mark_px or position.mark_px
                total += abs(market.pair.swap.to_base(position.contracts)) * price
        return total

    @kept
    def cash(self) -> Decimal:
        """USDT equity of the trading account: what losses of a short are paid from, in every mode."""
        usdt = self.account.balances.get("USDT") if self.account is not None else None
        return usdt.equity if usdt else ZERO

    @kept
    def backing_equity(self) -> Decimal:
        """USDT equity that backs the swaps: USDT alone in futures mode, all discounted coins in multi."""
        if self.account is None:
            return ZERO
        if self.account.mode is AccountMode.FUTURES:
            return self.cash
        return self.account.adjusted_equity_usd or ZERO

    @kept
    def margin_ratio(self) -> Decimal | None:
        """Backing equity / swap notional at mark: 1 = unlevered, 0.33 = 3x. None without a swap."""
        notional = self.swap_notional
        return self.backing_equity / notional if notional else None
