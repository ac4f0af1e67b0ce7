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
        self._cost = RoundTrip(fees_bps=2 * switch_cost * BPS, slippage_bps=ZERO, covered=True)
        self.rates = tuple(one.rate for one in settled[first:])
        self.times_ms = tuple(one.ts_ms for one in settled[first:])
        self.segments = ((0, len(self.rates)),) if segments is None else segments
        self._first = first
        self._settled = settled
        self._seen = tuple(self._looks())  # before each settlement that is played

    def play(self, mode: str) -> Course:
        """Return what the exit `mode` makes of the settlements."""
        rules = self._strategy.exit.model_copy(update={"mode": mode})
        held = [False] * len(self.rates)
        for first, end in self.segments:
            self._play(rules, first, end, held)
        return course_of(self.rates, held, self._switch_cost, self.segments)

    def _play(self, rules: Exit, first: int, end: int, held: list[bool]) -> None:
        hold_ms, cool_ms = (int(h * HOUR_MS) for h in (rules.min_hold_hours, rules.cooldown_hours))
        stands, opened, changed_ms = False, first, None
        for n in range(first, end):
            after_ms = self._before_ms(n)  # the settlement after which this is decided
            quote, outlook = self._seen[n]
            waits_ms = hold_ms if stands else cool_ms
            ripe = changed_ms is None or self.times_ms[n] - changed_ms > waits_ms
            if ripe and self._switches(rules, stands, self.rates[opened:n], quote, outlook):
                stands, opened, changed_ms = not stands, n, after_ms
            held[n] = stands

    def _switches(
        self,
        rules: Exit,
        stands: bool,
        since: Sequence[Decimal],
        quote: FundingQuote | None,
        outlook: Forecast | None,
    ) -> bool:
        """Whether a hedge that stands is left, or one is opened. `since`: what settled since the opening."""
        if stands and rules.mode != "expected_cost":
            return negative_in_a_row(since) >= negative_needed(rules)
        if quote is None or outlook is None or outlook.history < self._strategy.forecast.min_settlements:
            return False
        if stands:
            return leaving_is_cheaper(outlook, self._cost)
        least = self._strategy.opening.min_net_carry_bps
        return in_band(quote, self._strategy) and net_carry_bps(outlook, self._cost) >= least

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

    def _before_ms(self, n: int) -> int:
        at = self._first + n
        return self._settled[at - 1].ts_ms if at else self._settled[0].ts_ms - LONGEST_MS
