"""An exit mode played over recorded settlements alone: what its decisions come to at constant notional.

The forecast, the funding band, the carry and the three ways out are the engine's own functions. Left out is
what a settlement does not tell: books, basis, margin, price stops, and the venue's forecast within an
interval. So one decision is taken after each settlement, on the rates settled until then, and the rate just
settled stands for the quote; nothing later is looked at.

Times count as in the engine, where the look that finds an exit comes some minutes after a settlement: a
hedge may be left in an interval when more than `min_hold_hours` lie between the settlement before its
opening and the interval's end, and opened again likewise with `cooldown_hours`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from config.schema import Exit, Strategy
from core.types import BPS, HOUR_MS, ZERO, FundingQuote, SettledFunding
from strategy.conditions import in_band, net_carry_bps
from strategy.costs import RoundTrip
from strategy.exits import leaving_is_cheaper, negative_in_a_row, negative_needed
from strategy.foresight import Course, Segments, course_of
from strategy.funding_forecast import LONGEST_MS, Forecast, RollingHistory, forecast

MODES: Final = ("expected_cost", "hysteresis", "sign")
KNOWN: Final = 300  # settlements the engine keeps


class Rehearsal:
    """One instrument's settlements, with the forecast after each of them worked out once for all modes.

    settled      oldest first; those before `first` are known beforehand and not played.
    switch_cost  of one opening or one closing, a fraction of the notional.
    segments     of the settlements that are played, counted from `first`; None: all are one.

    looks        quote and forecast just before each settlement that is played.
    """

    def __init__(
        self,
        settled: Sequence[SettledFunding],
        switch_cost: Decimal,
        strategy: Strategy,
        first: int = 0,
        segments: Segments | None = None,
    ) -> None:
        self._strategy, self._switch_cost = strategy, switch_cost
        self.cost = RoundTrip(fees_bps=2 * switch_cost * BPS, slippage_bps=ZERO, covered=True)
        self.rates = tuple(one.rate for one in settled[first:])
        self.times_ms = tuple(one.ts_ms for one in settled[first:])
        self.segments = ((0, len(self.rates)),) if segments is None else segments
        self._first = first
        self._settled = settled
        self.looks = tuple(self._looks())

    def play(self, mode: str) -> Course:
        """Return what the exit `mode` makes of the settlements."""
        rules = self._strategy.exit.model_copy(update={"mode": mode})
        held = [False] * len(self.rates)
        for first, end in self.segments:
            self._play(rules, first, end, held)
        return course_of(self.rates, held, self._switch_cost, self.segments)

    def _play(self, rules: Exit, first: int, end: int, held: list[bool]) -> None:
        stands, opened, changed_ms = False, first, None
        for n in range(first, end):
            waits_hours = rules.min_hold_hours if stands else rules.cooldown_hours
            ripe = self.is_ripe(n, changed_ms, waits_hours)
            if ripe and (self.leaves(rules, n, opened) if stands else self.may_open(n)):
                stands, opened, changed_ms = not stands, n, self.before_ms(n)
            held[n] = stands

    def may_open(self, n: int) -> bool:
        """Whether a hedge that settles with n is worth opening, by what is known just before."""
        quote, outlook = self.looks[n]
        if quote is None or outlook is None or not self._suffices(outlook):
            return False
        least = self._strategy.opening.min_net_carry_bps
        return in_band(quote, self._strategy) and net_carry_bps(outlook, self.cost) >= least

    def leaves(self, rules: Exit, n: int, opened: int) -> bool:
        """Whether a hedge that first settled with `opened` is given up before n, by these rules."""
        if rules.mode != "expected_cost":
            return negative_in_a_row(self.rates[opened:n]) >= negative_needed(rules)
        outlook = self.looks[n][1]
        return outlook is not None and self._suffices(outlook) and leaving_is_cheaper(outlook, self.cost)

    def is_ripe(self, n: int, changed_ms: int | None, waits_hours: Decimal) -> bool:
        """Whether what changed then may change again before n; None: it never did."""
        return changed_ms is None or self.times_ms[n] - changed_ms > waits_hours * HOUR_MS

    def before_ms(self, n: int) -> int:
        """The settlement after which is decided what stands through n."""
        at = self._first + n
        return self._settled[at - 1].ts_ms if at else self._settled[0].ts_ms - LONGEST_MS

    def _suffices(self, outlook: Forecast) -> bool:
        return outlook.history >= self._strategy.forecast.min_settlements

    def _looks(self) -> Sequence[tuple[FundingQuote | None, Forecast | None]]:
        """Quote and forecast just after each settlement but the last; nothing before the very first."""
        settings = self._strategy.forecast
        rolling = RollingHistory(settings.half_life_hours, KNOWN)
        looks: list[tuple[FundingQuote | None, Forecast | None]] = [(None, None)]
        for n, (one, coming) in enumerate(pairwise(self._settled), 1):
            rolling.add(one)
            if n < self._first:
                continue
            interval_ms = min(coming.ts_ms - one.ts_ms, LONGEST_MS)
            due_ms = one.ts_ms + interval_ms
            quote = FundingQuote("", one.rate, due_ms, due_ms + interval_ms, one.ts_ms)
            looks.append((quote, forecast(quote, rolling.history, settings, one.ts_ms)))
        return looks[1:] if self._first else looks
