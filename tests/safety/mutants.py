"""An engine made wrong on purpose, one mistake at a time: who judges engines must notice each.

Every mutant is a well-known way to lose money, put in by replacing one method while a story is played.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from core import ids
from core.clock import SystemClock
from core.engine import Engine
from core.errors import VenueDown, VenueRejected
from core.facts import Kind
from core.journal import SqliteJournal
from core.ledger import Ledger
from core.permission import Permissions
from core.projections import Books
from core.state_machine import StateMachine
from core.types import Leg, Side
from core.verdict import Verdict
from exchange.okx.trading import OkxTrading
from execution.desk import Desk
from execution.order_manager import OrderManager
from execution.orders import Flight
from execution.repair import ways_out
from scripts.gate import Gate
from scripts.opening import opened

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

    async def bare(self: OkxTrading, order: Any, expires_ms: int | None) -> str:
        object.__setattr__(order, "reduce_only", False)
        return await place(self, order, expires_ms)

    patch.setattr(OkxTrading, "_place", bare)


def acknowledge_before_journalling(patch: pytest.MonkeyPatch) -> None:
    """An order leaves before its intent is on the disk."""

    async def at_once(self: SqliteJournal) -> None:
        return None

    patch.setattr(SqliteJournal, "durable", at_once)


def count_a_bill_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Books, "has_bill", lambda self, bill_id: False)
    seen = Ledger._bill

    def count_again(self: Ledger, body: Any) -> Any:
        self.bills_seen.discard(body["bill"]["bill_id"])
        return seen(self, body)

    patch.setattr(Ledger, "_bill", count_again)


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


def begin_every_epoch_anew(patch: pytest.MonkeyPatch) -> None:
    """After a restart the ids of the process before are used again."""
    patch.setattr("scripts.opening.next_epoch", lambda last, now_ms: 1)


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
    """Every third fill or bill is lost on its way into the journal."""
    append, count = SqliteJournal.append, [0]

    def forgetful(self: SqliteJournal, kind: Kind, at_ms: int, body: Any) -> int:
        if kind in (Kind.FILL, Kind.BILL):
            count[0] += 1
            if count[0] % 3 == 0:
                return self.seq
        return append(self, kind, at_ms, body)

    patch.setattr(SqliteJournal, "append", forgetful)


def close_only_the_swap(patch: pytest.MonkeyPatch) -> None:
    """The short is bought back, the spot behind it is never sold."""
    take = Desk.take

    async def forget_the_spot(self: Desk, leg: Leg, side: Side, *rest: Any) -> Any:
        return None if leg is Leg.SPOT and side is Side.SELL else await take(self, leg, side, *rest)

    patch.setattr(Desk, "take", forget_the_spot)


def ignore_adl(patch: pytest.MonkeyPatch) -> None:
    """What the venue takes away by force is noticed by the next review, not before."""
    patch.setattr(Engine, "holdings_differ", lambda self: None)


def accept_a_stale_book(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Desk, "_usable", lambda self, book: book.is_sane)


def take_ages_from_the_wall_clock(patch: pytest.MonkeyPatch) -> None:
    """When the host's clock is set, so is the engine's."""
    patch.setattr(SystemClock, "now_ms", lambda self: int(self._wall() * 1000))


def forget_the_breaker_at_restart(patch: pytest.MonkeyPatch) -> None:
    """Losses of the process before do not count, and a trip ends with it."""

    async def forgetful(*given: Any, **named: Any) -> Any:
        known = await opened(*given, **named)
        known.books.rounds.clear()
        known.books._tripped = ""
        known.permissions._causes.pop("breaker", None)
        return known

    patch.setattr("scripts.compose.opened", forgetful)


def forget_the_permission_at_restart(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Permissions, "fold", lambda self, row: None)


def leave_legs_alone(patch: pytest.MonkeyPatch) -> None:
    """The planned second leg is tried once; what it leaves open stays open."""

    async def once(desk: Desk, manner: Any, purpose: Any, first: Leg | None = None) -> None:
        if first is not None and not desk.legs.balanced and not desk.is_blind:
            ways = [way for way in ways_out(desk, manner.may_complete) if way.leg is first]
            for way in ways:
                await desk.take(way.leg, way.side, way.size, manner.repair_bps[0], purpose)

    patch.setattr("execution.position_manager.balance", once)


def forget_late_fills(patch: pytest.MonkeyPatch) -> None:
    """An order never gets too old to be sent, and one that was given up cannot come back."""
    on_order, place = OrderManager.on_order, OkxTrading._place

    async def for_ever(self: OkxTrading, order: Any, expires_ms: int | None) -> str:
        return await place(self, order, None)

    patch.setattr(OkxTrading, "_place", for_ever)

    def deaf(self: OrderManager, record: Any, fill: Any) -> None:
        if record.cl_id not in self._closed:
            on_order(self, record, fill)

    patch.setattr(OrderManager, "on_order", deaf)


def take_a_part_for_the_whole(patch: pytest.MonkeyPatch) -> None:
    """An order that is final needs no further question, whatever fills are missing."""
    patch.setattr(Flight, "is_complete", property(lambda self: self.is_final))


def send_a_transfer_twice(patch: pytest.MonkeyPatch) -> None:
    """No answer is taken for a no: the same transfer goes out again."""
    transfer = OkxTrading.transfer

    async def insist(self: OkxTrading, *what: Any) -> str:
        try:
            return await transfer(self, *what)
        except VenueDown:
            return await transfer(self, *what)

    patch.setattr(OkxTrading, "transfer", insist)


def trade_while_halted(patch: pytest.MonkeyPatch) -> None:
    """A halt is for the machine; execution goes on with what it has begun."""
    patch.setattr(Gate, "check", lambda self, order: Verdict(True, "gate", "always"))
    patch.setattr(Engine, "stop_asked", lambda self: False)


def let_chance_decide(patch: pytest.MonkeyPatch) -> None:
    """Chance that is not drawn from the seed: the same seed is another history each time."""
    place = OkxTrading._place

    async def dawdle(self: OkxTrading, order: Any, expires_ms: int | None) -> str:
        await asyncio.sleep(secrets.randbelow(500) / 1000)
        return await place(self, order, expires_ms)

    patch.setattr(OkxTrading, "_place", dawdle)


MUTANTS: dict[str, Mutant] = {
    mutant.__name__: mutant
    for mutant in (
        skip_dedupe, resend_on_timeout, hedge_gross_of_the_fee, forget_reduce_only,
        acknowledge_before_journalling, count_a_bill_twice,
        draw_client_ids_at_random, invert_the_guards, begin_every_epoch_anew,
        tell_everything_always, lose_a_row,
        close_only_the_swap, ignore_adl, accept_a_stale_book, take_ages_from_the_wall_clock,
        forget_the_breaker_at_restart, forget_the_permission_at_restart, leave_legs_alone,
        forget_late_fills, take_a_part_for_the_whole, send_a_transfer_twice, trade_while_halted,
        let_chance_decide,
    )
}  # fmt: skip
