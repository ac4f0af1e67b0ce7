"""The sleeve's ports on OKX, or on a venue that speaks its protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from core.meters import Meters
from core.ports import Clock, OrderSink, SleeveFeed
from core.types import Book, Pair
from exchange.account_data import AccountData
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.market import OkxMarket
from exchange.okx.protection import OkxProtection
from exchange.okx.rest import OkxRest
from exchange.okx.sleeve_feeds import OnMark, SleeveStreams
from exchange.okx.trading import OkxTrading
from scripts.okx_ports import NETWORK, Lines
from scripts.sleeve.compose import SleevePorts


async def okx_sleeve_ports(
    endpoints: Endpoints,
    credentials: Credentials,
    pairs: Mapping[str, Pair],
    clock: Clock,
    max_key_refusals: int,
    taken_uid: str,
    *,
    silence_s: Callable[[], float] | None = lambda: 20.0,
    lines: Lines = NETWORK,
) -> SleevePorts:
    """Connect the sleeve's own account by REST. See okx_ports for the rest.

    pairs      every instrument the sleeve may trade.
    taken_uid  of the hedges' account: the sleeve's must be another one.

    Raises VenueError when the venue does not answer.
    """
    meters = Meters()
    rest = OkxRest(endpoints, credentials, clock, lines.carrier, lines.build_sdk, max_key_refusals, meters)
    await rest.measure_offset()
    account = AccountData(clock)
    trading = OkxTrading(rest, clock, isolated=True)

    def feed(
        orders: OrderSink,
        on_mark: OnMark,
        on_book: Callable[[Book], None],
        on_resync: Callable[[], Awaitable[None]],
        on_trouble: Callable[[str], None],
    ) -> SleeveFeed:
        return SleeveStreams(
            endpoints,
            credentials,
            account,
            orders,
            on_mark,
            on_book,
            clock,
            on_resync,
            on_trouble,
            silence_s,
            offset_ms=lambda: rest.offset_ms,
            connect=lines.connect,
            meters=meters,
        )

    return SleevePorts(
        trading,
        OkxProtection(rest),
        OkxMarket(rest, clock, demo=endpoints.demo),
        pairs,
        feed,
        rest.close,
        taken_uid,
    )
