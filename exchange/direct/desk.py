"""The Trading port on a venue in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import takewhile

from core.ids import TAG
from core.types import (
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
    TransferRecord,
    Wallet,
)
from exchange.direct import words
from exchange.direct.stores import DirectAccount
from exchange.okx.errors import NO_SUCH_ORDER, refusal
from exchange.okx.parse_account import MODES, WALLET_CODES
from exchange.sim.model import AccountState, Order, PositionKey, Reject, position_key
from exchange.sim.seam import OrderParams, Venue

NO_SUCH_TRANSFER = "58129"


class DirectTrading:
    """Places orders and reads the ledger by plain calls. A refusal raises what the venue's code stands for.

    after     called when a command has changed something: what happened is told before the call returns.
    isolated  every swap position has margin of its own, and may be a long: the sleeve's account, which is
              in net position mode. Otherwise swaps share the account's margin.
    """

    def __init__(
        self,
        venue: Venue,
        account: AccountState,
        store: DirectAccount,
        after: Callable[[], object],
        *,
        isolated: bool = False,
    ) -> None:
        self._venue, self._account, self._store, self._after = venue, account, store, after
        self._swap_mode = "isolated" if isolated else "cross"
        self._told: dict[str, Bill] = {}  # those of the last answer: most are asked for again

    # --- orders ---------------------------------------------------------------------------------

    async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
        whole_account = MODES[self._account.level] is AccountMode.MULTI
        spot_mode = "cross" if whole_account else "cash"
        is_net = self._account.pos_mode == "net_mode"
        params = OrderParams(
            inst_id=order.inst_id,
            td_mode=self._swap_mode if order.leg is Leg.SWAP else spot_mode,
            side=order.side.value,
            kind=order.kind.value,
            size=order.size,
            price=order.limit_px,
            cl_id=order.cl_id,
            tag=TAG,
            pos_side="net" if is_net or order.leg is Leg.SPOT else "short",
            reduce_only=order.reduce_only and order.leg is Leg.SWAP,
        )
        with refusals():
            placed = self._venue.place(self._account, params)
        self._after()
        return placed.ord_id

    async def cancel(self, inst_id: str, cl_id: str) -> None:
        order = self._find(inst_id, cl_id)
        if order is None:
            raise refusal(NO_SUCH_ORDER, "Order does not exist")
        with refusals():
            self._venue.cancel(self._account, order)
        self._after()

    async def order(self, inst_id: str, cl_id: str) -> OrderRecord | None:
        found = self._find(inst_id, cl_id)
        return None if found is None else self._record(found)

    async def open_orders(self) -> tuple[OrderRecord, ...]:
        return tuple(self._record(order) for order in self._account.open_orders.values())

    async def cancel_all_after(self, timeout_s: int) -> None:
        with refusals():
            self._venue.cancel_all_after(self._account, timeout_s, TAG)

    async def order_fills(self, inst_id: str, ord_id: str) -> tuple[Fill, ...]:
        return tuple(words.fill(e) for e in self._account.executions if e.ord_id == ord_id)

    async def fills(self, since_ms: int) -> tuple[Fill, ...]:
        return tuple(words.fill(e) for e in self._account.executions if e.ts_ms >= since_ms)

    # --- account --------------------------------------------------------------------------------

    async def account(self) -> AccountSnapshot:
        return self._store.snapshot()

    async def account_config(self) -> AccountConfig:
        return words.config(self._account)

    async def fee_rates(self, pair: Pair) -> FeeRates:
        return FeeRates(
            *self._venue.fee_rates(self._account, "SPOT"), *self._venue.fee_rates(self._account, "SWAP")
        )

    async def leverage(self, inst_id: str) -> Decimal:
        return self._venue.leverage_of(self._account, self._position(inst_id))

    async def set_leverage(self, inst_id: str, leverage: Decimal) -> None:
        with refusals():
            self._venue.set_leverage(self._account, self._position(inst_id), leverage)

    async def bills(self, since_ms: int) -> tuple[Bill, ...]:
        newest_first = takewhile(lambda row: row.ts_ms >= since_ms, reversed(self._account.bills))
        known = self._told
        self._told = {row.bill_id: known.get(row.bill_id) or words.bill(row) for row in newest_first}
        return tuple(reversed(self._told.values()))

    # --- funding wallet ---------------------------------------------------------------------------

    async def transfer(self, client_id: str, ccy: str, amount: Decimal, source: Wallet, dest: Wallet) -> str:
        with refusals():
            asked = self._venue.transfer(
                self._account, ccy, amount, WALLET_CODES[source], WALLET_CODES[dest], client_id
            )
        self._after()
        return asked.transfer_id

    async def transfer_state(self, transfer_id: str) -> TransferRecord:
        for one in reversed(self._account.transfers.values()):
            if transfer_id in (one.transfer_id, one.client_id):
                return words.transfer(one)
        raise refusal(NO_SUCH_TRANSFER, "Transfer does not exist.")

    async def wallet(self) -> Mapping[str, Decimal]:
        return words.wallet(self._account)

    # --- helpers ----------------------------------------------------------------------------------

    def _find(self, inst_id: str, cl_id: str) -> Order | None:
        ord_id = self._account.by_client.get(cl_id)
        order = self._account.orders.get(ord_id) if ord_id is not None else None
        return order if order is not None and order.inst_id == inst_id else None

    def _record(self, order: Order) -> OrderRecord:
        return words.record(order, self._venue.instruments[order.inst_id])

    def _position(self, inst_id: str) -> PositionKey:
        is_net = self._account.pos_mode == "net_mode"
        return position_key(inst_id, self._swap_mode, "net" if is_net else "short")


@contextmanager
def refusals() -> Iterator[None]:
    """The venue's no, as the error its code stands for."""
    try:
        yield
    except Reject as no:
        raise refusal(no.code, no.msg) from no
