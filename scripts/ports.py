"""The ports of each setting: OKX (or a venue that speaks its protocol), or paper on its public data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final, Protocol

from config.schema import Settings
from core.bookkeeper import AccountFacts, MarketFacts
from core.errors import UsageError, VenueRejected
from core.ports import AccountSink, Clock, Market, OrderSink, Streams, Trading
from core.types import GONE, ZERO, Pair
from exchange.account_data import AccountData
from exchange.market_data import MarketData, mend_candles, seed
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.feeds import OkxStreams
from exchange.okx.market import OkxMarket
from exchange.okx.rest import BuildSdk, Carrier, OkxRest
from exchange.okx.rest_log import RestHealth
from exchange.okx.sdk import Sdk
from exchange.okx.session import Connect, WebSocket
from exchange.okx.trading import OkxTrading
from exchange.paper import PaperAccount
from exchange.paper_streams import PaperStreams
from strategy import Listing, rank


class Line(Protocol):
    """The way requests take to the venue, and how well it goes."""

    @property
    def requests(self) -> int: ...

    def venue_now_ms(self) -> int: ...

    async def measure_offset(self, samples: int = ...) -> int: ...

    def health_figures(self, now_ms: int) -> RestHealth: ...

    def forgive_key(self) -> None: ...

    async def close(self) -> None: ...


class Listings(Market, Protocol):
    """The venue's public side, with the list of everything it has."""

    async def known_pairs(self, names: Iterable[str]) -> tuple[Pair, ...]: ...

    async def volumes(self) -> dict[str, Decimal]: ...


class Markets(MarketFacts, Protocol):
    """The store of what the markets show."""

    def set_pair(self, pair: Pair) -> None: ...


class Accounts(AccountFacts, Protocol):
    """The store of what the account is; `sinks` are told after it changed."""

    sinks: list[AccountSink]


@dataclass(slots=True)
class Ports:
    """What a setting brings: where to trade, where to look, and how well both go.

    seed  fill the markets' store with what streams do not repeat.    mend  ask again for lost candles.
    """

    rest: Line
    market: Listings
    trading: Trading
    markets: Markets
    account: Accounts
    streams: Callable[[OrderSink, Callable[[], Awaitable[None]], Callable[[str], None]], Streams]
    seed: Callable[[], Awaitable[None]]
    mend: Callable[[], Awaitable[None]]
    paper: PaperAccount | None = None  # of a dry run: it takes up what the books hold


@dataclass(frozen=True, slots=True)
class Lines:
    """How requests and streams reach the venue: over the network, unless somebody else carries them."""

    carrier: Carrier | None = None
    connect: Connect = WebSocket.open
    build_sdk: BuildSdk = Sdk


NETWORK: Final = Lines()
NOTHING_HELD: Final[Mapping[str, Pair]] = {}


async def pairs_of(market: Listings, settings: Settings, held: Mapping[str, Pair]) -> tuple[Pair, ...]:
    """The configured instruments, or the venue's own ranking when the universe is enabled; and what is held.

    A hedge whose coin has left the list or the ranking still needs its market, to be kept or closed; one that
    the venue does not know any more stands as `held` has it.
    Raises UsageError for an empty universe and for a name the venue does not know.
    """
    names: Iterable[str] = settings.instruments.instruments
    universe = settings.instruments.universe
    if universe.enabled:
        volumes = await market.volumes()
        listed = await market.ranked_pairs(len(volumes))
        names = rank((Listing(pair, volumes.get(pair.name, ZERO)) for pair in listed), universe)
        if not names:
            raise UsageError(
                f"instruments.yaml universe.min_volume_usdt {universe.min_volume_usdt:f}: the venue has no "
                "pair above it; a smaller number is allowed, or enabled: false"
            )
    wanted = dict.fromkeys((*names, *held))
    try:
        known = {p.name: p for p in await market.known_pairs(wanted)}
        if unknown := [name for name in wanted if name not in known and name not in held]:
            await market.pairs(unknown)
        return tuple(known.get(name) or held[name] for name in wanted)
    except VenueRejected as error:
        raise UsageError(
            f"instruments: {error}; pairs are allowed that the venue lists as spot and swap"
        ) from error


async def okx_ports(
    endpoints: Endpoints,
    credentials: Credentials | None,
    settings: Settings,
    clock: Clock,
    *,
    paper: bool,
    silence_s: Callable[[], float] | None = lambda: 20.0,
    held: Mapping[str, Pair] = NOTHING_HELD,
    lines: Lines = NETWORK,
) -> Ports:
    """Connect to the venue by REST and learn the pairs' rules.

    paper      trade against the live book on paper: nothing that could place an order is built.
    silence_s  says after how much silence a stream is pinged; None where time is not the wall's.
    held       pairs our books hold, listed or not; see pairs_of.
    lines      who carries requests and streams.

    Raises VenueError when the venue does not answer or does not know an instrument.
    """
    refusals = settings.risk.degradation.max_key_refusals
    rest = OkxRest(endpoints, None if paper else credentials, clock, lines.carrier, lines.build_sdk, refusals)
    await rest.measure_offset()
    market = OkxMarket(rest, clock, demo=endpoints.demo)
    pairs = await pairs_of(market, settings, held)
    markets = MarketData(pairs, clock)
    account = AccountData(clock)
    on_paper = PaperAccount(markets, clock, settings.account.total_capital) if paper else None

    def streams(
        orders: OrderSink, on_resync: Callable[[], Awaitable[None]], on_trouble: Callable[[str], None]
    ) -> Streams:
        okx = OkxStreams(
            endpoints,
            None if paper else credentials,
            [pair for pair in pairs if pair.swap.state != GONE],
            markets,
            None if paper else account,
            orders,
            clock,
            on_resync,
            on_trouble,
            silence_s,
            offset_ms=lambda: rest.offset_ms,
            connect=lines.connect,
        )
        if on_paper is None:
            return okx
        on_paper.sink = orders
        return PaperStreams(okx, on_paper, account, clock)

    trading = on_paper or OkxTrading(rest, clock)
    fill, mend = partial(seed, markets, market), partial(mend_candles, markets, market)
    return Ports(rest, market, trading, markets, account, streams, fill, mend, on_paper)
