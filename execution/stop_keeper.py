"""Looks after the venue's own stop under a position: placed, replaced (the new one first), taken away.

It stands for the time nobody is there to watch. What is on its way, or may stand, is in the journal before it
is sent: a process that dies in between finds it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Protocol

from core.errors import JournalFailed, VenueError, VenueRejected
from core.facts import Kind
from core.ports import Clock, Journal
from core.protection import Protection, StopRequest, StopState
from core.sleeve.books import StandingStop
from core.sleeve.events import PositionTarget
from core.types import Contracts, SwapSpec

ASK_S: Final = (0.2, 0.5, 1.0)  # before each time a stop without an answer is asked for


class StopBooks(Protocol):
    def standing(self, instrument: str) -> Sequence[StandingStop]: ...


class StopIds(Protocol):
    def stop_id(self, position_id: str) -> str: ...


class StopKeeper:
    """Knows what stands from the books alone; whoever compares with the venue corrects them."""

    def __init__(
        self, protection: Protection, journal: Journal, books: StopBooks, clock: Clock, ids: StopIds
    ) -> None:
        self._protection, self._journal, self._books = protection, journal, books
        self._clock, self._ids = clock, ids

    async def keep(self, target: PositionTarget, swap: SwapSpec, contracts: Decimal) -> str:
        """See that one stop stands for `contracts` (0: none at all). Return "", or what is wrong."""
        standing = self._books.standing(target.instrument)
        for doubtful in [each for each in standing if each.status != "placed"]:
            if await self.check(doubtful) is None and contracts:
                return f"whether stop {doubtful.cl_id} stands is not known"  # and no second one beside it
        standing = self._books.standing(target.instrument)
        if not contracts:
            return await self._clear(standing)
        fitting = [
            stop
            for stop in standing
            if (stop.size, stop.trigger_px, stop.status) == (contracts, target.trigger_px, "placed")
        ]
        if fitting:
            return await self._clear([stop for stop in standing if stop is not fitting[0]])
        stop = StopRequest(
            self._ids.stop_id(target.position_id),
            target.instrument,
            swap.inst_id,
            target.side.opposite,
            Contracts(contracts),
            target.trigger_px,
        )
        if complaint := await self._place(stop, target.position_id):
            return complaint
        return await self._clear(standing)

    async def check(self, stop: StandingStop) -> StopState | None:
        """Ask what became of one that may stand, and book it; None where the venue does not answer."""
        try:
            record = await self._protection.stop(stop.cl_id)
        except VenueError:
            return None
        if record is None or record.state.is_final:
            self._write(_request(stop), stop.position_id, "gone", "" if record is None else record.state)
            return StopState.CANCELED if record is None else record.state
        if stop.status != "placed":
            self._write(_request(stop), stop.position_id, "placed", "found")
        return record.state

    async def _place(self, stop: StopRequest, position_id: str) -> str:
        self._write(stop, position_id, "intent", "")
        try:
            await self._journal.durable()
        except JournalFailed as error:  # a stop without a record is better than none
            self._write(stop, position_id, "intent", f"not written: {error}")
        try:
            await self._protection.place_stop(stop)
        except VenueRejected as error:
            self._write(stop, position_id, "gone", str(error))
            return f"the stop was refused: {error}"
        except VenueError as error:
            self._write(stop, position_id, "unknown", str(error))
            return await self._find(stop, position_id)
        self._write(stop, position_id, "placed", "")
        return ""

    async def _find(self, stop: StopRequest, position_id: str) -> str:
        """No answer: never sent again under the same id, but asked for."""
        for pause_s in ASK_S:
            await self._clock.sleep(pause_s)
            try:
                record = await self._protection.stop(stop.cl_id)
            except VenueError as error:
                complaint = f"whether the stop stands is not known: {error}"
                continue
            if record is not None and not record.state.is_final:
                self._write(stop, position_id, "placed", "found")
                return ""
            complaint = "the stop did not arrive"
        if complaint == "the stop did not arrive":
            self._write(stop, position_id, "gone", complaint)
        return complaint

    async def _clear(self, stops: Sequence[StandingStop]) -> str:
        """Take these away; one that has gone by itself is gone."""
        left = ""
        for stop in stops:
            try:
                await self._protection.cancel_stop(stop.inst_id, stop.cl_id)
                self._write(_request(stop), stop.position_id, "gone", "canceled")
            except VenueRejected:
                if await self.check(stop) in (None, StopState.LIVE):
                    left = f"stop {stop.cl_id} still stands"
            except VenueError as error:
                left = f"stop {stop.cl_id} may still stand: {error}"
        return left

    def _write(self, stop: StopRequest, position_id: str, event: str, reason: str) -> None:
        body = {"event": event, "stop": stop, "position_id": position_id, "reason": reason}
        self._journal.append(Kind.PROTECTION, self._clock.now_ms(), body)


def _request(stop: StandingStop) -> StopRequest:
    return StopRequest(
        stop.cl_id, stop.instrument, stop.inst_id, stop.side, Contracts(stop.size), stop.trigger_px
    )
