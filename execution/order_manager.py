"""Orders from intent to outcome, each sent at most once.

An outcome is done, refused or unknown. Unknown is never read as refused and never sent again: it is
asked for by client id until the venue tells it, or until successful answers over a visibility window, the
last of them after the order's expiry, prove that it never arrived (an answer that did not come proves
nothing). The venue refuses an order that comes after its expiry: what was called absent cannot arrive, nor
what a stopped process had in its hands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from config.schema import ExecutionLimits
from core.errors import AuthFailed, JournalFailed, RateLimited, VenueError, VenueRejected
from core.events import Purpose
from core.meters import Meters
from core.ports import ORDER_LIFE_MS, Clock, Journal, Trading
from core.sleeve.events import Intent
from core.types import Fill, Leg, OrderKind, OrderRecord, OrderRequest, Pair, Side
from core.verdict import Verdict
from execution.holdings import Known
from execution.order_journal import OrderJournal
from execution.orders import Ending, Flight, OrderResult, Rest

OrderGate = Callable[[OrderRequest], Verdict]
OnForeign = Callable[[OrderRecord, Fill | None], None]
BeforeRest = Callable[[], Awaitable[None]]

ABSENCE_ANSWERS: Final = 3
RESEND_MS: Final = 4_000  # one that came too soon goes again for so long; then its price needs a new look
ABSENCE_WINDOW_MS: Final = 2_000  # a fresh order may stay invisible for a moment (51603)
FIRST_ASK_S: Final = 0.2  # pushes are usually faster
LAST_ASK_S: Final = 1.0
REST_ASK_S: Final = 2.0
ANSWER_GRACE_S: Final = 0.25  # for an answer to come after pushes have told the whole outcome
REMEMBERED: Final = 500  # closed orders whose late fills are still recognised


class OrderManager:
    """Sends orders, listens to pushes, asks, and sees every fact into the journal.

    gate       asked before every send; a refusal sends nothing (red lines, permission, stop).
    holdings   the books, asked whether a fill is already known.
    pair_of    an instrument's pair, for orders recalled from the journal.
    before_rest  awaited before an order that may rest is sent: whoever guards what rests.
    on_foreign told of pushes that belong to no order of this process: ADL, liquidation, manual trades.
    on_late    told when an order that was called absent or refused has arrived after all: legs that were
               made equal without it are equal no more.
    """

    def __init__(
        self,
        trading: Trading,
        journal: Journal,
        clock: Clock,
        limits: ExecutionLimits,
        gate: OrderGate,
        holdings: Known,
        pair_of: Callable[[str], Pair],
        on_foreign: OnForeign,
        before_rest: BeforeRest | None = None,
        on_late: Callable[[], None] = lambda: None,
        meters: Meters | None = None,
    ) -> None:
        self._trading = trading
        self._journal = OrderJournal(journal, clock, holdings)
        self._clock = clock
        self._timeout_ms = int(limits.order_timeout_s * 1000)
        self._gate = gate
        self._pair_of = pair_of
        self._on_foreign = on_foreign
        self._on_late = on_late
        self._before_rest = before_rest
        self._meters = meters or Meters()
        self._flights: dict[str, Flight] = {}  # outcome not known yet
        self._closed: dict[str, Flight] = {}
        self._late: set[asyncio.Future[str]] = set()  # requests whose answer nobody waits for any more

    # --- what callers do ----------------------------------------------------------------------

    async def execute(
        self,
        request: OrderRequest,
        hedge_id: str,
        purpose: Purpose | Intent,
        pair: Pair,
        rest: Rest | None = None,
        on_fill: Callable[[], None] | None = None,
    ) -> OrderResult:
        """Send one order and return how it ended, every fill booked.

        The intent is on disk before the request leaves. When it cannot be written, an order that
        adds risk is DENIED; a hedging or closing one still goes out, because a naked leg is worse
        than a missing row.

        rest     for post-only orders: how long to wait before cancelling; None cancels at once.
        on_fill  called after each fill is in the books.

        Raises AuthFailed when the venue does not accept our key (nothing happened, or the order
        stays pending), ValueError for a client id that was used before.
        """
        if request.cl_id in self._flights or request.cl_id in self._closed:
            raise ValueError(f"order {request.cl_id} was sent before")
        wanted_s = self._meters.now_s()
        verdict = self._gate(request)
        if not verdict.ok:
            self._meters.orders.add("denied", request.leg.value)
            self._journal.denied(request, hedge_id, purpose, verdict)
            return OrderResult(request.cl_id, Ending.DENIED, code=verdict.guard, message=verdict.reason)

        asked_ms = self._clock.now_ms()
        flight = Flight(request, hedge_id, pair, asked_ms, asked_ms + ORDER_LIFE_MS, on_fill)
        self._flights[request.cl_id] = flight
        self._journal.intent(request, hedge_id, purpose)
        try:
            await self._journal.durable()
        except JournalFailed as error:
            if _begins(request, purpose):
                return self._turn_away(flight, Ending.DENIED, "journal", str(error))
        if request.kind is not OrderKind.IOC and self._before_rest is not None:
            await self._before_rest()
        refusal = await self._send(flight, wanted_s)
        if refusal is not None:
            return refusal
        if request.kind is not OrderKind.IOC and rest is not None:
            await self._rest(flight, rest)
        return await self._conclude(flight)

    async def resolve(self, cl_id: str) -> None:
        """Find out what became of an order whose intent is in the journal; never sends it again.

        For recovery (core.recovery.Resolver). Cancels the order if it still rests. When the venue
        does not answer, the order stays pending and `settle` asks again. Raises JournalFailed when
        the journal knows no such intent.
        """
        if cl_id in self._closed:
            flight = self._reopen(cl_id)
        elif cl_id in self._flights:
            flight = self._flights[cl_id]
        else:
            request, hedge_id, sent_ms = await self._journal.recall(cl_id)
            pair = self._pair_of(request.instrument)
            latest_ms = min(sent_ms, self._clock.now_ms())  # the clock may have been set since
            flight = Flight(request, hedge_id, pair, sent_ms, latest_ms + ORDER_LIFE_MS)
            self._flights[cl_id] = flight
        await self._conclude(flight)

    async def settle(self, instrument: str | None = None) -> tuple[str, ...]:
        """Ask once more for every order without outcome; return the client ids still unknown."""
        for cl_id in self.pending(instrument):
            if cl_id in self._flights:
                await self._conclude(self._flights[cl_id])
        return self.pending(instrument)

    def pending(self, instrument: str | None = None) -> tuple[str, ...]:
        """Client ids of orders in flight or without a known outcome, of one pair or of all."""
        flights = self._flights.values()
        return tuple(f.request.cl_id for f in flights if instrument in (None, f.request.instrument))

    def rests(self) -> bool:
        """Whether an order whose outcome is open may lie in a book of the venue."""
        return any(f.request.kind is not OrderKind.IOC for f in self._flights.values())

    def on_order(self, record: OrderRecord, fill: Fill | None) -> None:
        """Take an order push (core.ports.OrderSink). Early, late and repeated ones are all welcome."""
        flight = self._flights.get(record.cl_id) or self._closed.get(record.cl_id)
        if flight is None:
            self._on_foreign(record, fill)
            return
        if flight.record is None:
            self._since_wire("push", flight)
        if flight.first_fill_ms is None and fill is not None:
            self._since_wire("fill", flight)
        flight.see(record)
        if fill is not None:
            self._journal.fill(flight, fill)
        if flight.ending in (Ending.ABSENT, Ending.REFUSED):  # it did arrive after all
            self._reopen(record.cl_id)
            self._on_late()
        flight.changed.set()

    # --- sending ------------------------------------------------------------------------------

    async def _send(self, flight: Flight, wanted_s: float) -> OrderResult | None:
        """Place the order; return a result only when it is certain that nothing happened.

        Whenever time has passed since the gate was asked, for the disk or for the venue, it is asked again.
        """
        request, until_ms = flight.request, flight.sent_ms + min(self._timeout_ms, RESEND_MS)
        asked_ms = flight.sent_ms
        while True:
            if (now_ms := self._clock.now_ms()) != asked_ms:
                verdict = self._gate(request)
                if not verdict.ok:
                    return self._turn_away(flight, Ending.DENIED, verdict.guard, verdict.reason)
                asked_ms = now_ms
            flight.expires_ms = now_ms + ORDER_LIFE_MS
            if not flight.wire_ms:
                self._meters.stages_s.add("wire", self._meters.now_s() - wanted_s)
            flight.wire_ms = now_ms
            try:
                ord_id = await self._placed(flight)
            except RateLimited as error:  # nothing happened, so the same id may go again
                self._journal.throttled(flight, error)
                await self._clock.sleep(error.retry_after_s)
                if self._clock.now_ms() > until_ms:
                    return self._turn_away(flight, Ending.REFUSED, error.code, str(error))
            except VenueRejected as error:
                return self._turn_away(flight, Ending.REFUSED, error.code, str(error))
            except AuthFailed as error:
                self._turn_away(flight, Ending.REFUSED, error.code, str(error))
                raise
            except VenueError as error:
                flight.trouble = str(error)
                self._journal.ack(flight, "unknown", code=error.code, message=str(error))
                return None
            else:
                if ord_id is not None:
                    self._since_wire("ack", flight)
                    flight.accepted = True
                    self._journal.ack(flight, "accepted", ord_id)
                return None

    async def _placed(self, flight: Flight) -> str | None:
        """Send the order once; return the venue's id, or None when its answer stays away although pushes
        have told the whole outcome: nobody waits three seconds for it while a leg stands alone.
        """
        sending = asyncio.ensure_future(self._trading.place(flight.request, flight.expires_ms))
        while not sending.done():
            if not flight.is_complete:
                await _first(sending, flight.changed.wait())
                flight.changed.clear()
                continue
            await _first(sending, self._clock.sleep(ANSWER_GRACE_S))
            if not sending.done():
                self._late.add(sending)  # it cannot be taken back, and may not be forgotten half-way
                sending.add_done_callback(lambda late: self._came_late(flight, late))
                return None
        return sending.result()

    def _came_late(self, flight: Flight, late: asyncio.Future[str]) -> None:
        self._late.discard(late)
        if late.cancelled():
            return
        error = late.exception()
        if isinstance(error, VenueError):
            self._journal.ack(flight, "unknown", code=error.code, message=str(error))
        elif error is None:
            self._journal.ack(flight, "accepted", late.result())

    def _turn_away(self, flight: Flight, ending: Ending, code: str, message: str) -> OrderResult:
        self._journal.ack(flight, "rejected", code=code, message=message)
        self._close(flight, ending)
        return flight.result(code, message)

    def _since_wire(self, stage: str, flight: Flight) -> None:
        """Note how long after it left something was heard of an order; not of one another process sent."""
        if flight.wire_ms:
            self._meters.stages_s.add(stage, (self._clock.now_ms() - flight.wire_ms) / 1000)

    # --- following ----------------------------------------------------------------------------

    async def _rest(self, flight: Flight, rest: Rest) -> None:
        """Let a post-only order wait, asking now and then in case pushes are lost."""
        until_ms = self._clock.now_ms() + int(rest.wait_s * 1000)
        while not flight.is_final and not rest.give_up():
            if flight.first_fill_ms is not None:
                until_ms = min(until_ms, flight.first_fill_ms + int(rest.after_fill_s * 1000))
            left_ms = until_ms - self._clock.now_ms()
            if left_ms <= 0:
                return
            if not await self._heard(flight, min(REST_ASK_S, left_ms / 1000)):
                await self._ask(flight)

    async def _conclude(self, flight: Flight) -> OrderResult:
        """Wait for the outcome by push or by asking, at most for the order timeout."""
        give_up_ms = self._clock.now_ms() + self._timeout_ms
        wait_s = FIRST_ASK_S
        while flight.ending is Ending.UNKNOWN:
            if flight.is_complete:
                return self._finish(flight, Ending.DONE)
            if self._is_absent(flight) and await self._has_no_fills(flight):
                return self._finish(flight, Ending.ABSENT)
            if self._clock.now_ms() >= give_up_ms:
                break
            if flight.request.kind is not OrderKind.IOC and not flight.is_final:
                await self._cancel(flight)
            if flight.is_final:
                await self._ask(flight)  # final, but fills are missing
            if not flight.is_complete and not await self._heard(flight, wait_s):
                await self._ask(flight)
            wait_s = min(wait_s * 2, LAST_ASK_S)
        return flight.result()

    async def _heard(self, flight: Flight, seconds: float) -> bool:
        """Wait for a push about this order; False when none came in time."""
        if not flight.changed.is_set():
            await _first(flight.changed.wait(), self._clock.sleep(seconds))
        heard = flight.changed.is_set()
        flight.changed.clear()
        return heard

    async def _ask(self, flight: Flight) -> None:
        """Ask for the order and, once it is final, for the fills not heard of yet."""
        request = flight.request
        try:
            record = await self._trading.order(request.inst_id, request.cl_id)
            if record is None:
                flight.absences.append(self._clock.now_ms())
                return
            flight.see(record)
            if flight.is_final and not flight.is_complete:
                for fill in await self._trading.order_fills(request.inst_id, record.ord_id):
                    self._journal.fill(flight, fill)
        except AuthFailed:
            raise
        except VenueError as error:  # no answer: proves nothing, ask again
            flight.trouble = str(error)

    async def _cancel(self, flight: Flight) -> None:
        try:
            await self._trading.cancel(flight.request.inst_id, flight.request.cl_id)
        except AuthFailed:
            raise
        except VenueError as error:  # 51400 may mean "already filled": go and look
            flight.trouble = str(error)

    def _is_absent(self, flight: Flight) -> bool:
        """Enough successful answers over a long enough window say that there is no such order, and that none
        can come any more; a window after the expiry two answers do."""
        window_ms = self._timeout_ms if flight.accepted else ABSENCE_WINDOW_MS
        seen = flight.absences
        if flight.record is not None or len(seen) < 2 or seen[-1] <= flight.expires_ms:
            return False
        if len(seen) >= ABSENCE_ANSWERS and seen[-1] - seen[0] >= window_ms:
            return True
        return not flight.accepted and seen[-1] > flight.expires_ms + ABSENCE_WINDOW_MS

    async def _has_no_fills(self, flight: Flight) -> bool:
        """Look for executions too, before an order is called absent."""
        try:
            fills = await self._trading.fills(flight.sent_ms - 60_000)
        except AuthFailed:
            raise
        except VenueError as error:
            flight.trouble = str(error)
            return False
        for fill in fills:
            if fill.cl_id == flight.request.cl_id:
                self._journal.fill(flight, fill)
        return not flight.fills

    # --- closing ------------------------------------------------------------------------------

    def _finish(self, flight: Flight, ending: Ending) -> OrderResult:
        if flight.ending is Ending.UNKNOWN:  # else another caller was faster
            self._journal.final(flight)
            self._close(flight, ending)
        return flight.result()

    def _close(self, flight: Flight, ending: Ending) -> None:
        flight.ending = ending
        self._meters.orders.add(_outcome(flight), flight.request.leg.value)
        self._closed[flight.request.cl_id] = self._flights.pop(flight.request.cl_id)
        if len(self._closed) > REMEMBERED:
            del self._closed[next(iter(self._closed))]

    def _reopen(self, cl_id: str) -> Flight:
        flight = self._flights[cl_id] = self._closed.pop(cl_id)
        flight.ending = Ending.UNKNOWN
        return flight


def _begins(request: OrderRequest, purpose: Purpose | Intent) -> bool:
    """The order that adds the risk: a hedge's coins, or what enters a position of the sleeve."""
    is_purchase = request.leg is Leg.SPOT and request.side is Side.BUY
    return purpose.adds_risk and (is_purchase or isinstance(purpose, Intent))


def _outcome(flight: Flight) -> str:
    """How an order ended, for counting. One that is found after it was called absent counts as both."""
    if flight.ending is not Ending.DONE:
        return flight.ending.value
    if not flight.filled:
        return "canceled"
    return "filled" if flight.filled >= flight.request.size else "partial"


async def _first(*awaitables: Awaitable[object]) -> None:
    """Return when one of them is over; coroutines among the others are cancelled, futures go on.

    Raises what a coroutine has raised: a failing clock must not pass unseen.
    """
    tasks = {each: asyncio.ensure_future(each) for each in awaitables}
    own = [task for each, task in tasks.items() if task is not each]
    try:
        await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        for task in own:
            if task.done():
                task.result()
    finally:
        for task in own:
            task.cancel()
