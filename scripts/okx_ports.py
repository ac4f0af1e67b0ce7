"""The ports of OKX (or a venue that speaks its protocol), or of paper on its public data.

Apart from ports.py, because the client's libraries take longer to import than a short backtest runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from config.schema import Settings
from core.meters import Meters
from core.ports import Clock, OrderSink, Streams
from core.types import GONE, Pair
from exchange.account_data import AccountData
from exchange.market_data import MarketData, mend_candles, seed
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.feeds import OkxStreams
from exchange.okx.market import OkxMarket
from exchange.okx.rest import BuildSdk, Carrier, OkxRest
from exchange.okx.sdk import Sdk
from exchange.okx.session import Connect, WebSocket
from exchange.okx.trading import OkxTrading
from exchange.paper import PaperAccount
from exchange.paper_streams import PaperStreams
from scripts.ports import Ports, pairs_of


@dataclass(frozen=True, slots=True)
class Lines:
    """How requests and streams reach the venue: over the network, unless somebody else carries them."""

    carrier: Carrier | None = None
    connect: Connect = WebSocket.open
    build_sdk: BuildSdk = Sdk


NETWORK: Final = Lines()
NOTHING_HELD: Final[Mapping[str, Pair]] = {}


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
    key, meters = None if paper else credentials, Meters()
    rest = OkxRest(endpoints, key, clock, lines.carrier, lines.build_sdk, refusals, meters)
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
            key,
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
            meters=meters,
        )
        if on_paper is None:
            return okx
        on_paper.sink = orders
        return PaperStreams(okx, on_paper, account, clock)

    trading = on_paper or OkxTrading(rest, clock)
    fill, mend = partial(seed, markets, market), partial(mend_candles, markets, market)
    return Ports(rest, market, trading, markets, account, streams, fill, mend, on_paper, meters)
