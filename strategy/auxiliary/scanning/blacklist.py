"""Which instruments are kept out of a scan, why, and until when.

    excluded   by the operator, without an end
    failures   the venue refused its candles, or orders in it, `most_failures` times in a row: an hour, and
               twice as long each time it comes back
    missing    its shortest bars have come, and then have not for `missing_ms`
    frozen     its price did not move by a tick over `frozen_bars` of its shortest bars
    young      its candles begin less than `least_age_ms` ago
    thin       less than `least_turnover_usdt` traded in 24 hours

Everything but the operator's word ends by itself, and is then looked at anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.types import DAY_MS, HOUR_MS
from strategy.auxiliary.bars import MINUTE_MS, Bars

LONGEST_BAN_MS: Final = DAY_MS


class Cause(StrEnum):
    EXCLUDED = "excluded"
    FAILURES = "failures"
    MISSING = "missing"
    FROZEN = "frozen"
    YOUNG = "young"
    THIN = "thin"


@dataclass(frozen=True, slots=True)
class Ban:
    """One entry. `until_ms` is None where only the operator ends it; `reason` has the figures in words."""

    instrument: str
    cause: Cause
    reason: str
    since_ms: int
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class BanRules:
    """When an instrument goes on the list by itself; `automatic` false: never.

    Raises ValueError for a limit that is below zero, or a number of failures or bars below one.
    """

    automatic: bool = True
    most_failures: int = 3
    failure_ms: int = HOUR_MS
    missing_ms: int = 15 * MINUTE_MS
    frozen_bars: int = 36
    least_age_ms: int = 14 * DAY_MS
    least_turnover_usdt: Decimal = Decimal(1_000_000)
    again_ms: int = HOUR_MS  # how long missing, frozen and thin last before they are looked at anew

    def __post_init__(self) -> None:
        if self.most_failures < 1 or self.frozen_bars < 2:
            raise ValueError(
                f"banned after {self.most_failures} failures or {self.frozen_bars} still bars, "
                "allowed: 1 or more and 2 or more"
            )
        least = min(self.failure_ms, self.missing_ms, self.least_age_ms, self.again_ms)
        if least < 0 or self.least_turnover_usdt < 0:
            raise ValueError("a limit of the blacklist is below zero, allowed: 0 or more")


@dataclass(slots=True)
class _Strikes:
    in_a_row: int = 0
    bans: int = 0


@dataclass(slots=True)
class Blacklist:
    """The list. What it is told decides; it reads no clock."""

    rules: BanRules = field(default_factory=BanRules)
    exclude: frozenset[str] = frozenset()
    _bans: dict[str, Ban] = field(default_factory=dict)
    _strikes: dict[str, _Strikes] = field(default_factory=dict)

    def restore(self, bans: Iterable[Ban]) -> None:
        """Take over what an earlier life of the engine left."""
        self._bans.update({ban.instrument: ban for ban in bans if ban.cause is not Cause.EXCLUDED})

    def ban(self, instrument: str, now_ms: int) -> Ban | None:
        """Return what keeps an instrument out now, None where nothing does."""
        if instrument in self.exclude:
            return Ban(instrument, Cause.EXCLUDED, "excluded by the operator", 0, None)
        found = self._bans.get(instrument)
        if found is not None and found.until_ms is not None and now_ms >= found.until_ms:
            del self._bans[instrument]
            return None
        return found

    def bans(self, now_ms: int) -> tuple[Ban, ...]:
        """Return all entries that hold now, by name."""
        names = sorted(self.exclude | self._bans.keys())
        return tuple(found for name in names if (found := self.ban(name, now_ms)))

    def lift(self, instrument: str) -> None:
        """Take an instrument off the list, and forget what it did: the operator says so."""
        self._bans.pop(instrument, None)
        self._strikes.pop(instrument, None)

    def failed(self, instrument: str, what: str, now_ms: int) -> Ban | None:
        """Note that the venue refused something of it; return the entry, if that was once too often."""
        strikes = self._strikes.setdefault(instrument, _Strikes())
        strikes.in_a_row += 1
        if not self.rules.automatic or strikes.in_a_row < self.rules.most_failures:
            return None
        lasts_ms = min(self.rules.failure_ms * 2**strikes.bans, LONGEST_BAN_MS)
        reason = f"{strikes.in_a_row} failures in a row, the last: {what[:200]}"
        strikes.in_a_row, strikes.bans = 0, strikes.bans + 1
        return self._put(instrument, Cause.FAILURES, reason, now_ms, now_ms + lasts_ms)

    def succeeded(self, instrument: str) -> None:
        """Note that the venue did what was asked: the count of failures in a row begins anew."""
        if (strikes := self._strikes.get(instrument)) is not None:
            strikes.in_a_row = 0

    def judge(
        self,
        instrument: str,
        shortest: Bars,
        turnover_usdt: Decimal | None,
        listed_ms: int | None,
        now_ms: int,
    ) -> Ban | None:
        """Look at what an instrument shows, put it on the list if that is too little, return the entry.

        shortest       its bars of the shortest frame; empty where none have come yet: who asks for them says
                       so (`failed`) when the venue has none.
        turnover_usdt  of 24 hours; None where it is not known: then nothing is said about it.
        listed_ms      when its candles begin; None where they go further back than was asked.
        """
        if not self.rules.automatic:
            return None
        rules, again_ms = self.rules, now_ms + self.rules.again_ms
        if listed_ms is not None and now_ms - listed_ms < rules.least_age_ms:
            days = (now_ms - listed_ms) / DAY_MS
            reason = f"listed {days:.1f} days ago, at least {rules.least_age_ms / DAY_MS:g} are asked for"
            return self._put(instrument, Cause.YOUNG, reason, now_ms, listed_ms + rules.least_age_ms)
        if len(shortest) and now_ms - shortest.closed_ms > rules.missing_ms + shortest.frame_ms:
            reason = f"no {shortest.frame} bar for {(now_ms - shortest.closed_ms) // MINUTE_MS} minutes"
            return self._put(instrument, Cause.MISSING, reason, now_ms, again_ms)
        if len(shortest) >= rules.frozen_bars:
            seen = shortest.last(rules.frozen_bars)
            if seen.high.max() == seen.low.min():
                reason = f"the price did not move over {rules.frozen_bars} bars of {shortest.frame}"
                return self._put(instrument, Cause.FROZEN, reason, now_ms, again_ms)
        if turnover_usdt is not None and turnover_usdt < rules.least_turnover_usdt:
            reason = f"{turnover_usdt:.0f} USDT in 24 h, at least {rules.least_turnover_usdt} are asked for"
            return self._put(instrument, Cause.THIN, reason, now_ms, again_ms)
        return None

    def _put(self, instrument: str, cause: Cause, reason: str, now_ms: int, until_ms: int) -> Ban:
        made = self._bans[instrument] = Ban(instrument, cause, reason, now_ms, until_ms)
        return made
