"""How long legs stood unequal: measured for every cause, by the venue's own times.

A spell begins with the fill that made the legs differ by a lot of the swap or more (ours, a forced
reduction, a trade by hand) and ends with the fill that made them equal again, whoever noticed when. It is
a fold over FILL rows, so a restart knows the spells of the processes before it. What the account lacks
without any fill to tell why begins with the push that showed it, and leaves a NOTE of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import Final

from core.facts import Kind, Row
from core.meters import NAKED_BOUNDS_S, Histogram
from core.tally import Tally

NAKED: Final = "naked leg"  # `what` of the note about a spell no fill tells of
FLEETING_MS: Final = 1_000  # two streams out of step: a push is ahead of the other by less than this


@dataclass(frozen=True, slots=True)
class Spell:
    """One time in which an instrument's legs were unequal, UTC ms of the venue.

    noticed_ms  when our books knew of it: later than `began_ms` where a forced reduction came first.
    coins       the largest difference, >= 0.
    """

    instrument: str
    began_ms: int
    noticed_ms: int
    ended_ms: int
    coins: Decimal

    @property
    def lasted_ms(self) -> int:
        return self.ended_ms - self.began_ms


@dataclass(slots=True)
class _Open:
    began_ms: int
    noticed_ms: int
    coins: Decimal


@dataclass
class NakedTimes:
    """Fed by `apply`, after the ledger whose `tallies` it reads.

    step_of  one lot of an instrument's swap in coins: less cannot be traded away and is no naked leg.
    """

    tallies: Mapping[str, Tally]
    step_of: Callable[[str], Decimal]
    spells: list[Spell] = field(default_factory=list)  # ended, in the order of their ends
    lasted_s: Histogram = field(default_factory=lambda: Histogram(NAKED_BOUNDS_S))  # each of them
    repairs_s: Histogram = field(default_factory=lambda: Histogram(NAKED_BOUNDS_S))  # since we knew
    _open: dict[str, _Open] = field(default_factory=dict)
    _suspected: dict[str, _Open] = field(default_factory=dict)

    def apply(self, row: Row) -> None:
        """Take in one row of the journal, at replay or live."""
        if row.kind is Kind.FILL:
            self._fill(str(row.body["instrument"]), int(row.body["fill"]["ts_ms"]), row.at_ms)
        elif row.kind is Kind.NOTE and row.body.get("what") == NAKED:
            body = row.body
            self._end(
                Spell(
                    body["instrument"], body["began_ms"], body["began_ms"], row.at_ms, Decimal(body["coins"])
                )
            )

    def suspect(self, instrument: str, coins: Decimal, now_ms: int) -> Mapping[str, object] | None:
        """The account shows legs `coins` apart that our books do not know of; 0 when both agree.

        Returns the body of a NOTE when such a spell has ended without any fill: the caller writes it.
        """
        known = self._suspected.get(instrument)
        if coins:
            if known is None:
                self._suspected[instrument] = _Open(now_ms, now_ms, coins)
            else:
                known.coins = max(known.coins, coins)
            return None
        self._suspected.pop(instrument, None)
        if known is None or instrument in self._open or now_ms - known.began_ms < FLEETING_MS:
            return None
        return {"what": NAKED, "instrument": instrument, "began_ms": known.began_ms, "coins": known.coins}

    def standing(self) -> dict[str, int]:
        """Instruments whose legs are apart now, and since when. May be asked from any thread."""
        found = {name: one.began_ms for name, one in self._suspected.copy().items()}
        return found | {name: one.began_ms for name, one in self._open.copy().items()}

    def longest_ms(self, since_ms: int, now_ms: int) -> int:
        """The longest spell that had not ended before `since_ms`; one that lasts counts until now."""
        return max(self._lasted(since_ms, now_ms), default=0)

    def percentile_ms(self, share: Decimal, since_ms: int, now_ms: int) -> int:
        """What `share` of the spells did not exceed (nearest rank); 0 without any."""
        lasted = sorted(self._lasted(since_ms, now_ms))
        return lasted[max(0, ceil(share * len(lasted)) - 1)] if lasted else 0

    def _lasted(self, since_ms: int, now_ms: int) -> list[int]:
        ended = [s.lasted_ms for s in self.spells if s.ended_ms >= since_ms]
        lasting = {name: one.began_ms for name, one in self._suspected.items()}
        lasting |= {name: one.began_ms for name, one in self._open.items()}
        return ended + [now_ms - began_ms for began_ms in lasting.values()]

    def _fill(self, instrument: str, ts_ms: int, noticed_ms: int) -> None:
        tally = self.tallies.get(instrument)
        if tally is None:
            return
        apart = abs(tally.spot_base + tally.swap_base)
        known = self._open.get(instrument)
        if apart >= self.step_of(instrument):
            if known is None:
                # What the account showed before this fill explained it began no later than that.
                suspected = self._suspected.get(instrument)
                began_ms = min(ts_ms, suspected.began_ms) if suspected else ts_ms
                self._open[instrument] = _Open(began_ms, noticed_ms, apart)
            else:
                known.coins = max(known.coins, apart)
        elif known is not None:
            del self._open[instrument]
            # Fills may be told out of order: the spell is what lies between the two, either way round.
            began_ms, ended_ms = min(known.began_ms, ts_ms), max(known.began_ms, ts_ms)
            self._end(Spell(instrument, began_ms, known.noticed_ms, ended_ms, known.coins))

    def _end(self, spell: Spell) -> None:
        self.spells.append(spell)
        self.lasted_s.add(spell.lasted_ms / 1000)
        self.repairs_s.add(max(0, spell.ended_ms - spell.noticed_ms) / 1000)
