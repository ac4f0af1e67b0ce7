"""The operator's word on whose things are whose, carried out beside the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from core.events import State
from core.facts import Kind
from core.ports import Clock, Ids, Journal, Notifier, Trading
from core.sentinel import Sentinel
from core.survey import Survey
from core.types import AccountSnapshot


class Owners:
    """`adopt` and `refuse` ask the venue first; what came of it is noted and told."""

    def __init__(
        self,
        survey: Survey,
        sentinel: Sentinel,
        trading: Trading,
        ids: Ids,
        journal: Journal,
        clock: Clock,
        notifier: Notifier,
    ) -> None:
        self._survey, self._sentinel = survey, sentinel
        self._trading, self._ids = trading, ids
        self._journal, self._clock, self._notifier = journal, clock, notifier

    async def adopt(self, instrument: str, state: State) -> None:
        """Take the external part of a pair into the books. Only in STOPPED: `resume` then decides."""
        if state is not State.STOPPED:
            self._say("nothing adopted: halt the engine first, adopt, then resume")
            return
        self._say(self._survey.adopt(instrument, await self._trading.account(), self._ids))

    async def refuse(self) -> None:
        self._say(self._survey.refuse(await self._trading.account()))

    def acknowledge(self) -> None:
        """The operator says that this engine is alone again."""
        self._sentinel.acknowledge()

    def _say(self, what: str) -> None:
        self._journal.append(Kind.NOTE, self._clock.now_ms(), {"what": "ownership", "detail": what})
        self._notifier.tell("ownership", "warning", {"detail": what})


class ExternalWatch:
    """An account push that shows contracts nobody has accounted for: the venue is asked at once."""

    def __init__(
        self,
        survey: Survey,
        errand: Callable[[Callable[[], Awaitable[None]]], None],
        compare: Callable[[], Awaitable[None]],
        has_work: Callable[[], bool],
    ) -> None:
        self._survey, self._errand, self._compare = survey, errand, compare
        self._has_work = has_work
        self._asked = False

    def on_account(self, snapshot: AccountSnapshot) -> None:
        if not self._asked and not self._has_work() and self._survey.differs(snapshot):
            self._asked = True
            self._errand(self._ask)

    async def _ask(self) -> None:
        try:
            await self._compare()
        finally:
            self._asked = False
