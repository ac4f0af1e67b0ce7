"""The Streams port on OKX: three connections, every push parsed and handed to its store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from core.context import StreamHealth
from core.errors import BadPayload
from core.meters import Meters
from core.ports import Clock, OrderSink
from core.types import Pair
from exchange.account_data import AccountData
from exchange.market_data import MarketData
from exchange.okx import parse_account, parse_market, wire
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.session import Arg, Connect, StreamTimes, WebSocket
from exchange.okx.stream import Stream

DEFAULT_TIMES: Final = StreamTimes()
CANDLE_CHANNEL: Final = "candle3m"
PRIVATE_ARGS: Final[tuple[Arg, ...]] = (
    {"channel": "orders", "instType": "ANY"},
    {"channel": "account"},
    {"channel": "positions", "instType": "SWAP"},
    {"channel": "balance_and_position"},
)
# Every channel's row, decoded in one go; each row is then handled on its own
_ROWS: Final[Mapping[str, msgspec.json.Decoder[list[Any]]]] = {
    channel: msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
    for channel, row in {
        "books": wire.BookData,
        "mark-price": wire.MarkPrice,
        "funding-rate": wire.FundingRate,
        "tickers": wire.Ticker,
        CANDLE_CHANNEL: wire.CandleRow,
        "orders": wire.Order,
        "account": wire.AccountBalance,
        "positions": wire.PositionRow,
        "balance_and_position": wire.BalanceAndPosition,
    }.items()
}


class OkxStreams:
    """Public (books, mark price, funding, turnover), business (candles) and, with a key, private.

    on_resync   awaited on every new private connection before it counts as live.
    on_trouble  told in words, for journal and notifier; a row that cannot be read is skipped.
    silence_s   says after how much silence a text ping goes out; None for a venue on a leaping clock,
                which is never pinged: there silence and deadlines mean nothing.
    offset_ms   venue minus local time, for the login; `seed` of the jitter between attempts.
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
        self._market, self._account, self._orders = market, account, orders
        self._clock, self._offset_ms = clock, offset_ms
        self._pushes_s = (meters or Meters()).pushes_s
        self._on_trouble = on_trouble
        self._handlers: dict[str, Callable[[wire.Frame, Any], None]] = {
            "books": self._book,
            "mark-price": self._mark,
            "funding-rate": self._funding,
            "tickers": self._ticker,
            CANDLE_CHANNEL: self._candle,
            "orders": self._order,
            "account": self._balances,
            "positions": self._position,
            "balance_and_position": self._cash,
        }
        pairs = tuple(pairs)
        self._known = {i for pair in pairs for i in (pair.spot.inst_id, pair.swap.inst_id)}
        rng = random.Random(seed)

        def stream(name: str, args: Iterable[Arg], **private: Any) -> Stream:
            return Stream(
                name,
                f"{endpoints.stream_url}/{name}",
                tuple(args),
                self._route,
                clock,
                rng,
                replace(times, ping_after_s=silence_s),
                on_trouble,
                connect,
                **private,
            )

        self._public = stream("public", (arg for pair in pairs for arg in public_args(pair)))
        business = stream(
            "business", ({"channel": CANDLE_CHANNEL, "instId": pair.spot.inst_id} for pair in pairs)
        )
        self._streams = [self._public, business]
        if credentials is not None and account is not None:
            self._streams.append(
                stream(
                    "private",
                    PRIVATE_ARGS,
                    credentials=credentials,
                    venue_now_ms=lambda: clock.now_ms() + offset_ms(),
                    on_resync=on_resync,
                )
            )

    @property
    def frames(self) -> int:
        """Frames received in total, all connections."""
        return sum(stream.frames for stream in self._streams)

    async def start(self) -> None:
        """Start all connections; return when each is live or has failed once (it goes on trying)."""
        for stream in self._streams:
            stream.start()
        await asyncio.gather(*(stream.tried.wait() for stream in self._streams))

    async def stop(self) -> None:
        await asyncio.gather(*(stream.stop() for stream in self._streams))

    def health(self) -> Mapping[str, StreamHealth]:
        return {stream.name: stream.health() for stream in self._streams}

    def renew(self, inst_id: str) -> None:
        """Ask for a new snapshot of one book."""
        self._public.renew({"channel": "books", "instId": inst_id})

    # --- routing ----------------------------------------------------------------------------

    def _route(self, frame: wire.Frame) -> None:
        channel = frame.arg.channel if frame.arg else ""
        handle = self._handlers.get(channel)
        if handle is None:
            raise BadPayload(f"a push of a channel never asked for: {channel!r}")
        try:
            rows = _ROWS[channel].decode(frame.data)
        except msgspec.DecodeError as exc:
            raise BadPayload(f"{channel}: {exc} in {bytes(frame.data)!r:.600}") from exc
        unreadable: BadPayload | None = None
        for row in rows:
            try:
                handle(frame, row)
            except BadPayload as exc:
                unreadable = exc  # the rows after it still count
        if unreadable is not None:
            raise unreadable

    def _instrument(self, frame: wire.Frame) -> str:
        inst_id = frame.arg.inst_id if frame.arg else None
        if inst_id not in self._known:
            raise BadPayload(f"a push about {inst_id!r}, never asked for")
        return inst_id

    def _took(self, channel: str, said_ms: int) -> None:
        """Note how long a push was on its way, by the venue's time as well as we know it."""
        late_ms = self._clock.now_ms() + self._offset_ms() - said_ms
        self._pushes_s.add(channel, max(0, late_ms) / 1000)

    def _book(self, frame: wire.Frame, row: wire.BookData) -> None:
        inst_id = self._instrument(frame)
        change = parse_market.book_change(frame.action, row)
        self._took("books", change.ts_ms)
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

    def _order(self, _: wire.Frame, row: wire.Order) -> None:
        if self._orders is not None:
            record = parse_account.order(row)
            self._took("orders", record.updated_ms)
            self._orders.on_order(record, parse_account.pushed_fill(row))

    def _balances(self, _: wire.Frame, row: wire.AccountBalance) -> None:
        if self._account is not None:
            self._account.on_balances(parse_account.balances(row, self._clock.now_ms()))

    def _position(self, _: wire.Frame, row: wire.PositionRow) -> None:
        if self._account is not None:
            self._account.on_positions(parse_account.positions([row], self._clock.now_ms()))

    def _cash(self, _: wire.Frame, row: wire.BalanceAndPosition) -> None:
        if self._account is not None:
            self._account.on_cash(parse_account.cash(row, self._clock.now_ms()))


def public_args(pair: Pair) -> tuple[Arg, ...]:
    return (
        {"channel": "books", "instId": pair.spot.inst_id},
        {"channel": "books", "instId": pair.swap.inst_id},
        {"channel": "mark-price", "instId": pair.swap.inst_id},
        {"channel": "funding-rate", "instId": pair.swap.inst_id},
        {"channel": "tickers", "instId": pair.swap.inst_id},
    )
