"""What streams say, decoded, parsed and handed to whoever keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from core.errors import BadPayload
from core.meters import Meters
from core.ports import Clock, OrderSink
from exchange.account_data import AccountData
from exchange.okx import parse_account, wire
from exchange.okx.session import Arg

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
        "books5": wire.BookData,
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

Handler = Callable[[wire.Frame, Any], None]


class Router:
    """Hands each row of a push to the handler of its channel. Raises BadPayload for what cannot be read,
    after the rows that can have been handled."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    def __call__(self, frame: wire.Frame) -> None:
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


class Lateness:
    """Notes how long pushes were on their way, by the venue's time as well as we know it."""

    def __init__(self, clock: Clock, offset_ms: Callable[[], int], meters: Meters | None) -> None:
        self._clock, self._offset_ms = clock, offset_ms
        self._pushes_s = (meters or Meters()).pushes_s

    def took(self, channel: str, said_ms: int) -> None:
        late_ms = self._clock.now_ms() + self._offset_ms() - said_ms
        self._pushes_s.add(channel, max(0, late_ms) / 1000)


class PrivatePushes:
    """One account's orders, balances and positions. `sleeve` says whose account it is."""

    def __init__(
        self,
        account: AccountData | None,
        orders: OrderSink | None,
        clock: Clock,
        lateness: Lateness,
        *,
        sleeve: bool = False,
    ) -> None:
        self._account, self._orders = account, orders
        self._clock, self._lateness, self._sleeve = clock, lateness, sleeve
        self.handlers: Mapping[str, Handler] = {
            "orders": self._order,
            "account": self._balances,
            "positions": self._position,
            "balance_and_position": self._cash,
        }

    def _order(self, _: wire.Frame, row: wire.Order) -> None:
        if self._orders is not None:
            record = parse_account.order(row)
            self._lateness.took("orders", record.updated_ms)
            self._orders.on_order(record, parse_account.pushed_fill(row))

    def _balances(self, _: wire.Frame, row: wire.AccountBalance) -> None:
        if self._account is not None:
            self._account.on_balances(parse_account.balances(row, self._clock.now_ms()))

    def _position(self, _: wire.Frame, row: wire.PositionRow) -> None:
        if self._account is not None:
            now_ms = self._clock.now_ms()
            self._account.on_positions(parse_account.positions([row], now_ms, sleeve=self._sleeve))

    def _cash(self, _: wire.Frame, row: wire.BalanceAndPosition) -> None:
        if self._account is not None:
            now_ms = self._clock.now_ms()
            self._account.on_cash(parse_account.cash(row, now_ms, sleeve=self._sleeve))
