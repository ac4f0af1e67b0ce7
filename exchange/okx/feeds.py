"""The Streams port on OKX: three connections, every push parsed and handed to its store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from core.context import StreamHealth
from core.errors import BadPayload
from core.meters import Meters
from core.ports import Clock, OrderSink
from core.types import Pair
from exchange.account_data import AccountData
from exchange.market_data import MarketData
from exchange.okx import parse_market, wire
from exchange.okx.connections import Connections
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.pushes import CANDLE_CHANNEL, PRIVATE_ARGS, Handler, Lateness, PrivatePushes, Router
from exchange.okx.session import Arg, Connect, StreamTimes, WebSocket

DEFAULT_TIMES: Final = StreamTimes()


class OkxStreams:
    """Public (books, mark price, funding, turnover), business (candles) and, with a key, private.

    on_resync   awaited on every new private connection before it counts as live.
    on_trouble, silence_s, seed  see Connections.
    offset_ms   venue minus local time, for the login.
    connect     opens a connection; the network's unless the venue is in this process.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        credentials: Credentials | None,
        pairs: Iterable[Pair],
        market: MarketData,
        account: AccountData | None,
        orders: OrderSink | None,
        clock: Clock,
        on_resync: Callable[[], Awaitable[None]],
        on_trouble: Callable[[str], None],
        silence_s: Callable[[], float] | None = lambda: 20.0,
        *,
        times: StreamTimes = DEFAULT_TIMES,
        offset_ms: Callable[[], int] = lambda: 0,
        seed: int = 0,
        connect: Connect = WebSocket.open,
        meters: Meters | None = None,
    ) -> None:
        self._market, self._clock = market, clock
        self._lateness = Lateness(clock, offset_ms, meters)
        handlers: dict[str, Handler] = {
            "books": self._book,
            "mark-price": self._mark,
            "funding-rate": self._funding,
            "tickers": self._ticker,
            CANDLE_CHANNEL: self._candle,
        }
        route = Router({**handlers, **PrivatePushes(account, orders, clock, self._lateness).handlers})
        pairs = tuple(pairs)
        self._known = {i for pair in pairs for i in (pair.spot.inst_id, pair.swap.inst_id)}
        self._lines = Connections(endpoints, clock, on_trouble, silence_s, times, connect, seed)
        self._public = self._lines.add("public", (arg for pair in pairs for arg in public_args(pair)), route)
        candles: list[Arg] = [{"channel": CANDLE_CHANNEL, "instId": pair.spot.inst_id} for pair in pairs]
        self._lines.add("business", candles, route)
        if credentials is not None and account is not None:
            self._lines.add(
                "private",
                PRIVATE_ARGS,
                route,
                credentials=credentials,
                venue_now_ms=lambda: clock.now_ms() + offset_ms(),
                on_resync=on_resync,
            )

    @property
    def frames(self) -> int:
        """Frames received in total, all connections."""
        return self._lines.frames

    async def start(self) -> None:
        """Start all connections; return when each is live or has failed once (it goes on trying)."""
        await self._lines.start()

    async def stop(self) -> None:
        await self._lines.stop()

    def health(self) -> Mapping[str, StreamHealth]:
        return self._lines.health()

    def renew(self, inst_id: str) -> None:
        """Ask for a new snapshot of one book."""
        self._public.renew({"channel": "books", "instId": inst_id})

    # --- what is pushed ---------------------------------------------------------------------

    def _instrument(self, frame: wire.Frame) -> str:
        inst_id = frame.arg.inst_id if frame.arg else None
        if inst_id not in self._known:
            raise BadPayload(f"a push about {inst_id!r}, never asked for")
        return inst_id

    def _book(self, frame: wire.Frame, row: wire.BookData) -> None:
        inst_id = self._instrument(frame)
        change = parse_market.book_change(frame.action, row)
        self._lateness.took("books", change.ts_ms)
        if not self._market.on_book(inst_id, change):
            self.renew(inst_id)

    def _mark(self, frame: wire.Frame, row: wire.MarkPrice) -> None:
        self._market.on_mark(self._instrument(frame), parse_market.mark(row)[1])

    def _funding(self, frame: wire.Frame, row: wire.FundingRate) -> None:
        self._instrument(frame)
        self._market.on_funding(parse_market.funding(row, self._clock.now_ms()))

    def _ticker(self, frame: wire.Frame, row: wire.Ticker) -> None:
        name = self._instrument(frame).removesuffix(parse_market.SWAP_SUFFIX)
        self._market.on_volume(name, parse_market.turnover(row)[1])

    def _candle(self, frame: wire.Frame, row: wire.CandleRow) -> None:
        inst_id = self._instrument(frame)
        self._market.on_candle(inst_id, parse_market.candle(row, inst_id))


def public_args(pair: Pair) -> tuple[Arg, ...]:
    return (
        {"channel": "books", "instId": pair.spot.inst_id},
        {"channel": "books", "instId": pair.swap.inst_id},
        {"channel": "mark-price", "instId": pair.swap.inst_id},
        {"channel": "funding-rate", "instId": pair.swap.inst_id},
        {"channel": "tickers", "instId": pair.swap.inst_id},
    )
