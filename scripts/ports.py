"""What a setting brings: the ports an engine trades through, and the pairs it looks at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from config.schema import Settings
from core.bookkeeper import AccountFacts, MarketFacts
from core.errors import UsageError, VenueRejected
from core.meters import Meters
from core.ports import AccountSink, Market, OrderSink, Streams, Trading
from core.types import ZERO, Pair
from exchange.okx.rest_log import RestHealth
from exchange.paper import PaperAccount
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
    meters: Meters = field(default_factory=Meters)


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
