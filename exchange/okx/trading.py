"""The Trading port on OKX: orders, account and transfers by signed REST.

Orders carry a price and a kind (ioc, post_only, limit), never "market": slippage stays bounded and
the venue's rule that a market buy counts its size in USDT never applies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from core.errors import VenueError, VenueRejected
from core.ids import TAG
from core.ports import Clock
from core.types import (
    DAY_MS,
    HOUR_MS,
    AccountConfig,
    AccountMode,
    AccountSnapshot,
    Bill,
    FeeRates,
    Fill,
    Leg,
    OrderRecord,
    OrderRequest,
    Pair,
    Side,
    TransferRecord,
    Wallet,
)
from exchange.okx import parse_account as parse
from exchange.okx import wire
from exchange.okx.errors import BAD_PARAMETER, NO_SUCH_ORDER
from exchange.okx.fields import plain, word
from exchange.okx.paging import all_pages
from exchange.okx.rest import OkxRest

FILLS_KEPT_MS: Final = 3 * DAY_MS - HOUR_MS  # by trade/fills; older ones by fills-history
BILLS_KEPT_MS: Final = 7 * DAY_MS - HOUR_MS  # by account/bills; older ones by bills-archive
CROSS: Final = "cross"
ISOLATED: Final = "isolated"

W = TypeVar("W")
D = TypeVar("D", Fill, Bill)


class OkxTrading:
    """Errors as in core.ports.Trading. Needs credentials.

    The engine is at home in net position mode; in long/short mode every order for a swap is about its
    short, so that a hedge can be closed after somebody changed the mode.

    isolated  every swap position has margin of its own, and may be a long: the sleeve's account. Otherwise
              swaps share the account's margin.
    """

    def __init__(self, rest: OkxRest, clock: Clock, *, isolated: bool = False) -> None:
        self._rest = rest
        self._clock = clock
        self._isolated = isolated
        self._swap_mode = ISOLATED if isolated else CROSS
        self._mode: AccountMode | None = None
        self._net = True

    # --- orders -----------------------------------------------------------------------------

    async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
        """Send one order; return the venue's id. A duplicate client id raises VenueDown: it is there.

        A refused swap order may mean that somebody changed the position mode: nothing happened, so the
        mode is asked for, and when it did change the order goes once more in the new one's words.
        """
        try:
            return await self._place(order, expires_ms)
        except VenueRejected as refused:
            may_be_the_mode = refused.code == BAD_PARAMETER and order.leg is Leg.SWAP
            if not (may_be_the_mode and await self._mode_has_changed()):
                raise
        return await self._place(order, expires_ms)

    async def _mode_has_changed(self) -> bool:
        assumed = self._net
        try:
            return (await self.account_config()).net_positions is not assumed
        except VenueError:  # the refusal itself is certain, and stays one
            return False

    async def _place(self, order: OrderRequest, expires_ms: int | None) -> str:
        trade_mode = await self._trade_mode(order.leg)  # learns the position mode too
        return await self._rest.send(
            self._rest.sdk.trade.place_order,
            wire.Ack,
            _ord_id,
            scope=order.inst_id,
            urgent=order.reduce_only,
            instId=order.inst_id,
            tdMode=trade_mode,
            side=order.side.value,
            ordType=order.kind.value,
            sz=plain(order.size),
            px=plain(order.limit_px),
            clOrdId=order.cl_id,
            tag=TAG,
            posSide=self._position_side(order),
            # Spot has no such flag: there the balance itself is the limit
            reduceOnly=True if order.reduce_only and order.leg is Leg.SWAP else "",
            expTime="" if expires_ms is None else str(expires_ms + self._rest.offset_ms),
        )

    async def cancel(self, inst_id: str, cl_id: str) -> None:
        """Ask for a cancel. VenueRejected may mean that it was finished already: ask for the order."""
        await self._rest.send(
            self._rest.sdk.trade.cancel_order,
            wire.Ack,
            _ord_id,
            scope=inst_id,
            instId=inst_id,
            clOrdId=cl_id,
        )

    async def order(self, inst_id: str, cl_id: str) -> OrderRecord | None:
        try:
            return await self._rest.read_one(
                self._rest.sdk.trade.get_order,
                wire.Order,
                parse.order,
                scope=inst_id,
                instId=inst_id,
                clOrdId=cl_id,
            )
        except VenueRejected as exc:
            if exc.code == NO_SUCH_ORDER:
                return None
            raise

    async def open_orders(self) -> tuple[OrderRecord, ...]:
        rows = await all_pages(
            self._rest, self._rest.sdk.trade.get_order_list, wire.Order, parse.order, lambda one: one.ord_id
        )
        return tuple(rows)

    async def order_fills(self, inst_id: str, ord_id: str) -> tuple[Fill, ...]:
        rows = await all_pages(
            self._rest,
            self._rest.sdk.trade.get_fills,
            wire.FillRow,
            parse.fill,
            lambda fill: fill.bill_id,
            instId=inst_id,
            ordId=ord_id,
        )
        return tuple(reversed(rows))

    async def fills(self, since_ms: int) -> tuple[Fill, ...]:
        trade = self._rest.sdk.trade
        if self._rest.venue_now_ms() - since_ms < FILLS_KEPT_MS:
            begin = str(since_ms)
            return tuple(await self._since(trade.get_fills, wire.FillRow, parse.fill, since_ms, begin=begin))
        spot, swap = [
            await self._since(trade.get_fills_history, wire.FillRow, parse.fill, since_ms, instType=kind)
            for kind in ("SPOT", "SWAP")
        ]
        return tuple(sorted(spot + swap, key=lambda fill: fill.ts_ms))

    async def cancel_all_after(self, timeout_s: int) -> None:
        """Arm the venue's dead man's switch: our orders are cancelled unless called again in time.

        10 to 120 s; 0 disarms. It cancels resting orders with our tag, it closes nothing.
        """
        await self._rest.send(
            self._rest.sdk.trade.cancel_all_after,
            wire.TimerAck,
            lambda row: row,
            timeOut=str(timeout_s),
            tag=TAG,
        )

    # --- account ----------------------------------------------------------------------------

    async def account(self) -> AccountSnapshot:
        """Ask for balances and positions together. The funding wallet is left out: see `wallet`."""
        mode = await self._account_mode()
        asked_ms = self._rest.venue_now_ms()
        positions, totals = await asyncio.gather(
            self._rest.read(
                self._rest.sdk.account.get_positions,
                wire.PositionRow,
                lambda row: parse.position(row, asked_ms, sleeve=self._isolated),
                instType="SWAP",
            ),
            self._rest.read_one(
                self._rest.sdk.account.get_account_balance,
                wire.AccountBalance,
                lambda row: parse.balances(row, asked_ms),
            ),
        )
        return parse.snapshot(totals, positions, mode, self._clock.now_ms())

    async def account_config(self) -> AccountConfig:
        config = await self._rest.read_one(
            self._rest.sdk.account.get_account_config, wire.Config, parse.config
        )
        self._mode, self._net = config.mode, config.net_positions
        return config

    async def fee_rates(self, pair: Pair) -> FeeRates:
        """Ask for both markets' rates; the instrument tells which fee group it belongs to."""
        spot_maker, spot_taker = await self._fees("SPOT", pair.spot.inst_id, instId=pair.spot.inst_id)
        swap_maker, swap_taker = await self._fees("SWAP", pair.swap.inst_id, instFamily=pair.name)
        return FeeRates(spot_maker, spot_taker, swap_maker, swap_taker)

    async def leverage(self, inst_id: str) -> Decimal:
        return await self._rest.read_one(
            self._rest.sdk.account.get_leverage,
            wire.Leverage,
            parse.leverage,
            instId=inst_id,
            mgnMode=self._swap_mode,
        )

    async def set_leverage(self, inst_id: str, leverage: Decimal) -> None:
        await self._rest.send(
            self._rest.sdk.account.set_leverage,
            wire.Leverage,
            parse.leverage,
            lever=plain(leverage),
            mgnMode=self._swap_mode,
            instId=inst_id,
        )

    async def bills(self, since_ms: int) -> tuple[Bill, ...]:
        account = self._rest.sdk.account
        recent = self._rest.venue_now_ms() - since_ms < BILLS_KEPT_MS
        rows = await self._since(
            account.get_account_bills if recent else account.get_account_bills_archive,
            wire.BillRow,
            parse.bill,
            since_ms,
            begin=str(since_ms),
        )
        return tuple(rows)

    # --- funding wallet ---------------------------------------------------------------------

    async def transfer(self, client_id: str, ccy: str, amount: Decimal, source: Wallet, dest: Wallet) -> str:
        return await self._rest.send(
            self._rest.sdk.funding.transfer,
            wire.Transfer,
            lambda row: word("transId", row.trans_id, row),
            scope=ccy,
            clientId=client_id,
            ccy=ccy,
            amt=plain(amount),
            source=parse.WALLET_CODES[source],
            to=parse.WALLET_CODES[dest],
        )

    async def transfer_state(self, transfer_id: str) -> TransferRecord:
        """Ask by the venue's id (digits), or by our client id (anything else) when that is all we have."""
        key = "transId" if transfer_id.isdigit() else "clientId"
        return await self._rest.read_one(
            self._rest.sdk.funding.transfer_state_of, wire.Transfer, parse.transfer, **{key: transfer_id}
        )

    async def wallet(self) -> Mapping[str, Decimal]:
        return dict(
            await self._rest.read(self._rest.sdk.funding.get_balances, wire.FundingBalance, parse.wallet)
        )

    # --- helpers ----------------------------------------------------------------------------

    async def _account_mode(self) -> AccountMode:
        if self._mode is None:
            await self.account_config()
        assert self._mode is not None
        return self._mode

    async def _trade_mode(self, leg: Leg) -> str:
        """Spot is paid in cash unless the account's mode margins every coin."""
        mode = await self._account_mode()
        whole_account = mode in (AccountMode.MULTI, AccountMode.PORTFOLIO)
        if leg is Leg.SWAP:
            return self._swap_mode
        return CROSS if whole_account else "cash"

    def _position_side(self, order: OrderRequest) -> str:
        """Which position of a swap an order is about, where there are two."""
        if self._net or order.leg is Leg.SPOT:
            return ""
        of_long = self._isolated and (order.side is Side.BUY) is not order.reduce_only
        return "long" if of_long else "short"

    async def _fees(self, kind: str, inst_id: str, **which: str) -> tuple[Decimal, Decimal]:
        group_id = await self._rest.read_one(
            self._rest.sdk.public.get_instruments,
            wire.Instrument,
            lambda row: row.group_id or "",
            scope=kind,
            instType=kind,
            instId=inst_id,
        )
        return await self._rest.read_one(
            self._rest.sdk.account.get_fee_rates,
            wire.TradeFee,
            lambda row: parse.fee_pair(row, group_id, swap=kind == "SWAP"),
            instType=kind,
            **which,
        )

    async def _since(
        self, call: Callable[..., Any], row: type[W], parser: Callable[[W], D], since_ms: int, **params: str
    ) -> list[D]:
        """Return all rows since a time, oldest first. Rows without a time limit at the venue end there."""
        newest_first = await all_pages(
            self._rest,
            call,
            row,
            parser,
            lambda item: item.bill_id,
            lambda item: item.ts_ms < since_ms,
            **params,
        )
        return [item for item in reversed(newest_first) if item.ts_ms >= since_ms]


def _ord_id(row: wire.Ack) -> str:
    return word("ordId", row.ord_id, row)
