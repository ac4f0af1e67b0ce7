"""An engine made wrong on purpose, one mistake at a time: who judges engines must notice each.

Every mutant is a well-known way to lose money, put in by replacing one method while a story is played.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from core import ids
from core.engine import Engine
from core.errors import VenueDown, VenueRejected
from core.facts import Kind
from core.journal import SqliteJournal
from core.ledger import Ledger
from core.permission import Permissions
from core.projections import Books
from core.recovery import Reconciler
from core.state_machine import StateMachine
from core.types import Leg, OrderStatus, Side
from exchange.okx.trading import OkxTrading
from execution import position_manager
from execution.desk import Desk
from execution.order_manager import OrderManager
from execution.orders import Flight
from execution.rebalancer import Transfers

Mutant = Callable[[pytest.MonkeyPatch], None]


def skip_dedupe(patch: pytest.MonkeyPatch) -> None:
    """A fill that comes by push and by question counts twice."""
    patch.setattr(Books, "has_fill", lambda self, key: False)
    seen = Ledger._fill

    def count_again(self: Ledger, body: Any) -> Any:
        self.fills_seen.discard((body["fill"]["inst_id"], body["fill"]["trade_id"]))
        return seen(self, body)

    patch.setattr(Ledger, "_fill", count_again)


def resend_on_timeout(patch: pytest.MonkeyPatch) -> None:
    """No answer is taken for a no, pushes are not listened to; what is wanted goes out under a new id."""
    placed = OrderManager._placed

    async def give_up(self: OrderManager, flight: Flight) -> str | None:
        try:
            return await placed(self, flight)
        except VenueDown as error:
            raise VenueRejected(str(error), "timeout") from error

    patch.setattr(OrderManager, "_placed", give_up)
    patch.setattr(OrderManager, "on_order", lambda self, record, fill: None)


def hedge_gross_of_the_fee(patch: pytest.MonkeyPatch) -> None:
    """What a fee in the coin takes away is still counted as bought."""
    fill = Ledger._fill

    def gross(self: Ledger, body: Any) -> Any:
        return fill(self, {**body, "fill": {**body["fill"], "fee": "0"}})

    patch.setattr(Ledger, "_fill", gross)


def forget_reduce_only(patch: pytest.MonkeyPatch) -> None:
    place = OkxTrading._place

    async def bare(self: OkxTrading, order: Any) -> str:
        object.__setattr__(order, "reduce_only", False)
        return await place(self, order)

    patch.setattr(OkxTrading, "_place", bare)


def acknowledge_before_journalling(patch: pytest.MonkeyPatch) -> None:
    """An order leaves before its intent is on the disk."""

    async def at_once(self: SqliteJournal) -> None:
        return None

    patch.setattr(SqliteJournal, "durable", at_once)


def close_only_the_swap(patch: pytest.MonkeyPatch) -> None:
    take = Desk.take

    async def without_spot(self: Desk, leg: Leg, side: Side, *rest: Any) -> Any:
        return None if leg is Leg.SPOT and side is Side.SELL else await take(self, leg, side, *rest)

    patch.setattr(Desk, "take", without_spot)


def ignore_adl(patch: pytest.MonkeyPatch) -> None:
    """What the account lost by force is not looked into."""
    patch.setattr(Engine, "holdings_differ", lambda self: None)

    async def nothing(self: Reconciler) -> str:
        return ""

    patch.setattr(Reconciler, "reconcile", nothing)


def count_a_bill_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Books, "has_bill", lambda self, bill_id: False)
    seen = Ledger._bill

    def count_again(self: Ledger, body: Any) -> Any:
        self.bills_seen.discard(body["bill"]["bill_id"])
        return seen(self, body)

    patch.setattr(Ledger, "_bill", count_again)


def accept_a_stale_book(patch: pytest.MonkeyPatch) -> None:
    """Any book will do: crossed, empty or an hour old."""
    patch.setattr(Desk, "_usable", lambda self, book: bool(book.bids and book.asks))


def draw_client_ids_at_random(patch: pytest.MonkeyPatch) -> None:
    """Ids that say nothing: after a crash nobody knows whose order it was."""
    drawn = iter(range(1, 1_000_000))

    def order_id(self: ids.JournalIds, hedge_id: str, leg: str) -> str:
        return f"x{next(drawn):08d}"

    patch.setattr(ids.JournalIds, "order_id", order_id)


def invert_the_guards(patch: pytest.MonkeyPatch) -> None:
    """A row is taken when a guard says no."""
    gate = StateMachine._gate

    def inverted(self: StateMachine, row: Any) -> Any:
        judge = gate(self, row)
        return (lambda event: not judge(event)) if row.guards else judge

    patch.setattr(StateMachine, "_gate", inverted)


def forget_the_permission_at_restart(patch: pytest.MonkeyPatch) -> None:
    """A breaker, a pause, a halt: gone with the process."""
    patch.setattr(Permissions, "fold", lambda self, row: None)


def leave_legs_alone(patch: pytest.MonkeyPatch) -> None:
    """The second leg is tried once; what fails stays as it is."""
    balance = position_manager.balance
    tried: set[int] = set()

    async def once(desk: Desk, *rest: Any, **more: Any) -> None:
        if id(desk) not in tried:
            tried.add(id(desk))
            return
        await balance(desk, *rest, **more)

    patch.setattr(position_manager, "balance", once)


def forget_late_fills(patch: pytest.MonkeyPatch) -> None:
    """What filled while nobody listened is never asked for."""

    async def nothing(self: Reconciler) -> None:
        return None

    patch.setattr(Reconciler, "_late_fills", nothing)


def take_a_part_for_the_whole(patch: pytest.MonkeyPatch) -> None:
    """An order that ended is believed to have filled whole."""
    see = Flight.see

    def whole(self: Flight, record: Any) -> None:
        see(self, record)
        if self.record is not None and self.record.status is OrderStatus.CANCELED:
            object.__setattr__(self.record, "filled", self.filled)

    patch.setattr(Flight, "see", whole)


def begin_every_epoch_anew(patch: pytest.MonkeyPatch) -> None:
    """After a restart the ids of the process before are used again."""
    patch.setattr("scripts.opening.next_epoch", lambda last, now_ms: 1)


def send_a_transfer_twice(patch: pytest.MonkeyPatch) -> None:
    follow = Transfers._follow

    async def again(self: Transfers, transfer: Any) -> Any:
        if not transfer.transfer_id:
            transfer.client_id = f"{transfer.client_id}x"
            self._pending[transfer.client_id] = transfer
            return await self._send(transfer)
        return await follow(self, transfer)

    patch.setattr(Transfers, "_follow", again)


def trade_while_halted(patch: pytest.MonkeyPatch) -> None:
    """Nobody is asked before an order: permission, stops and red lines are words."""
    patch.setattr("scripts.gate.Gate.check", lambda self, order: _yes())


def tell_everything_always(patch: pytest.MonkeyPatch) -> None:
    """A condition is told as often as it is seen."""
    lower = Permissions.lower

    def loud(self: Permissions, cause: str, *rest: Any, **more: Any) -> None:
        self._causes.pop(cause, None)
        for _ in range(100):
            lower(self, cause, *rest, **more)
            self._causes.pop(cause, None)
        lower(self, cause, *rest, **more)

    patch.setattr(Permissions, "lower", loud)


def lose_a_row(patch: pytest.MonkeyPatch) -> None:
    """Every fiftieth fill or bill changes the books, but never reaches the journal."""
    append, count = SqliteJournal.append, [0]

    def forgetful(self: SqliteJournal, kind: Kind, at_ms: int, body: Any) -> int:
        if kind in (Kind.FILL, Kind.BILL):
            count[0] += 1
            if count[0] % 3 == 0:
                return self.seq
        return append(self, kind, at_ms, body)

    patch.setattr(SqliteJournal, "append", forgetful)


def _yes() -> Any:
    from core.verdict import Verdict

    return Verdict(True, "mutant", "anything goes", (("size", Decimal(0)),))


MUTANTS: dict[str, Mutant] = {
    mutant.__name__: mutant
    for mutant in (
        skip_dedupe, resend_on_timeout, hedge_gross_of_the_fee, forget_reduce_only,
        acknowledge_before_journalling, close_only_the_swap, ignore_adl, count_a_bill_twice,
        accept_a_stale_book, draw_client_ids_at_random, invert_the_guards, forget_the_permission_at_restart,
        leave_legs_alone, forget_late_fills, take_a_part_for_the_whole, begin_every_epoch_anew,
        send_a_transfer_twice, trade_while_halted, tell_everything_always, lose_a_row,
    )
}  # fmt: skip
