"""The operator gives up one hedge: an exit like any other, with his reason, by the next decision."""

from __future__ import annotations

from core.events import Purpose, State
from core.facts import Kind
from core.ports import Clock, Journal, Notifier
from core.projections import Books
from core.types import ZERO


class GivingUp:
    """An exit once begun is finished, across restarts too: so all that is needed is to begin it."""

    def __init__(self, books: Books, journal: Journal, clock: Clock, notifier: Notifier) -> None:
        self._books, self._journal = books, journal
        self._clock, self._notifier = clock, notifier

    def ask(self, instrument: str, reason: str, state: State) -> bool:
        """Set the hedge's target to nothing; return whether there is one, and the engine free to close it.

        In STOPPED nothing is done: there the operator has said that what is held stays, or goes as a whole.
        """
        hedge = self._books.hedge(instrument)
        if state is State.STOPPED:
            self._say(instrument, "the engine is stopped: flatten or resume it")
            return False
        if hedge is None:
            self._say(instrument, "no hedge is held")
            return False
        body = {
            "hedge_id": hedge.hedge_id,
            "instrument": instrument,
            "event": "target",
            "target_base": ZERO,
            "purpose": Purpose.EXIT.value,
            "reason": f"the operator gave it up: {reason}",
        }
        self._journal.append(Kind.HEDGE, self._clock.now_ms(), body)
        return True

    def _say(self, instrument: str, why_not: str) -> None:
        self._notifier.tell(
            "trouble", "warning", {"what": "close refused", "detail": f"{instrument}: {why_not}"}
        )
