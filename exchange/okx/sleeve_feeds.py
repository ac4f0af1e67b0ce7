"""The sleeve's connections: its account's own private one, and prices of the swaps it watches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

from core.context import StreamHealth
from core.errors import BadPayload
from core.meters import Meters
from core.ports import Clock, OrderSink
from core.types import Book
from exchange.account_data import AccountData
from exchange.okx import parse_market, wire
from exchange.okx.connections import Connections
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.feeds import DEFAULT_TIMES
from exchange.okx.pushes import PRIVATE_ARGS, Lateness, PrivatePushes, Router
from exchange.okx.session import Arg, Connect, StreamTimes, WebSocket

LABEL: Final = "sleeve "
TOP: Final = "books5"  # whole every time: it cannot have a gap

OnMark = Callable[[str, Decimal, int], None]
OnBook = Callable[[Book], None]


class SleeveStreams:
    """Implements core.ports.SleeveFeed.

    account     kept current by pushes; what it was before them is the resync's to say.
    on_mark     swap, mark price and our clock when it came: 200 ms after a change, else every 10 s.
    on_book     the best five levels of a swap, whenever they change.
    on_resync   awaited on every new private connection before it counts as live.
    on_trouble, silence_s, seed  see Connections.
    offset_ms   venue minus local time, for the login.
    connect     opens a connection; the network's unless the venue is in this process.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        credentials: Credentials,
        account: AccountData,
        orders: OrderSink,
        on_mark: OnMark,
        on_book: OnBook,
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
        self._on_mark, self._on_book, self._clock = on_mark, on_book, clock
        self._watched: frozenset[str] = frozenset()
        self._asked: set[str] = set()  # ever: a push of one that was dropped may still be on its way
        lateness = Lateness(clock, offset_ms, meters)
        private = PrivatePushes(account, orders, clock, lateness, sleeve=True)
        self._lines = Connections(endpoints, clock, on_trouble, silence_s, times, connect, seed, LABEL)
        self._public = self._lines.add("public", (), Router({"mark-price": self._mark, TOP: self._book}))
        self._lines.add(
            "private",
            PRIVATE_ARGS,
            Router(private.handlers),
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
        """`sleeve private`, and `sleeve public` while anything is watched."""
        return self._lines.health()

    def watch(self, inst_ids: Iterable[str]) -> None:
        """Hear of these swaps from now on, and of no others. One that the venue does not know costs the
        whole public connection, again and again: leave out what does not trade any more."""
        watched = frozenset(inst_ids)
        if watched == self._watched:
            return
        self._watched = watched
        self._asked |= watched
        self._public.want([arg for inst_id in sorted(watched) for arg in price_args(inst_id)])

    def _mark(self, frame: wire.Frame, row: wire.MarkPrice) -> None:
        inst_id, px = parse_market.mark(row)
        if self._is_watched(inst_id):
            self._on_mark(inst_id, px, self._clock.now_ms())

    def _book(self, frame: wire.Frame, row: wire.BookData) -> None:
        inst_id = (frame.arg.inst_id if frame.arg else None) or ""
        if self._is_watched(inst_id):
            self._on_book(parse_market.book(row, inst_id, self._clock.now_ms()))

    def _is_watched(self, inst_id: str) -> bool:
        """False for one not watched any more. Raises BadPayload for one that never was."""
        if inst_id not in self._asked:
            raise BadPayload(f"a push about {inst_id!r}, never asked for")
        return inst_id in self._watched


def price_args(inst_id: str) -> tuple[Arg, ...]:
    return ({"channel": "mark-price", "instId": inst_id}, {"channel": TOP, "instId": inst_id})
