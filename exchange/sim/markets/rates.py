"""A swap's funding: the floating forecast, and what was settled."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from exchange.sim.markets.funding import DEFAULT_INTERVAL_MS, funding_rate
from exchange.sim.markets.instruments import CoinSpec
from exchange.sim.markets.premium import PremiumIndex
from exchange.sim.markets.source import FundingRecord
from exchange.sim.markets.timeline import MINUTE_MS
from exchange.sim.model import FundingState, Settled

SETTLED_KEPT = 270  # three months


class Rates:
    """`told` is what the source says of rates and premiums, or the samples they are made of.

    `regime` names the formula, `opened_ms` is the venue's first instant, `history_ms` how far prices go
    back before it.
    """

    def __init__(
        self, told: FundingRecord | PremiumIndex, spec: CoinSpec, regime: str, opened_ms: int, history_ms: int
    ) -> None:
        self.state: FundingState | None = None
        self._told = told
        self._coin = spec.coin
        self._cap = Decimal(spec.funding_cap)
        self._regime = regime
        self._opened_ms, self._history_ms = opened_ms, history_ms
        self._settled: deque[Settled] | None = None
        self._settled_since: deque[Settled] = deque(maxlen=SETTLED_KEPT)

    def foresee(self, at_ms: int) -> FundingState | None:
        """The state as of an instant; the forecast is made once a minute. None before the first schedule."""
        state = self.state
        if state is not None:
            interval_ms = state.next_funding_ms - state.funding_ms
            state.rate, state.premium = self.forecast(at_ms, state.funding_ms, interval_ms)
            state.ts_ms = (at_ms - 1) // MINUTE_MS * MINUTE_MS
        return state

    def moves(self, at_ms: int) -> bool:
        """Bring the forecast up to an instant; whether its rate is another than before."""
        before = self.state.rate if self.state is not None else None
        now = self.foresee(at_ms)
        return now is not None and now.rate != before

    def forecast(self, at_ms: int, settle_ms: int, interval_ms: int) -> tuple[Decimal, Decimal]:
        """(rate, premium) of a settlement as of an instant; the formula's rate where no other is known."""
        if isinstance(self._told, PremiumIndex):
            premium = self._told.mean(at_ms, interval_ms)
            return self._rate(premium, interval_ms), premium
        rate, premium = self._told.forecast(self._coin, at_ms, settle_ms, interval_ms)
        return self._rate(premium, interval_ms) if rate is None else rate, premium

    def _rate(self, premium: Decimal, interval_ms: int) -> Decimal:
        return funding_rate(premium, interval_ms, self._cap, self._regime)

    @property
    def settled(self) -> deque[Settled]:
        if self._settled is None:
            self._settled = deque([*self._past(SETTLED_KEPT), *self._settled_since], maxlen=SETTLED_KEPT)
        return self._settled

    def note_settled(self, one: Settled) -> None:
        """A settlement has happened. The ones before the start are still read only when asked for."""
        self._settled_since.append(one)
        if self._settled is not None:
            self._settled.append(one)

    @property
    def last_settled(self) -> Settled | None:
        """The newest settlement, without the work of reading all of the past."""
        if self._settled_since:
            return self._settled_since[-1]
        past = self._past(1)
        return past[-1] if past else None

    def _past(self, count: int) -> list[Settled]:
        """The settlements up to the first instant."""
        if not isinstance(self._told, PremiumIndex):
            return self._told.settled(self._coin, self._opened_ms + 1, count)
        last = self._opened_ms // DEFAULT_INTERVAL_MS
        oldest = -((self._history_ms - self._opened_ms) // DEFAULT_INTERVAL_MS) + 1
        first = max(last - count + 1, oldest)
        times = [n * DEFAULT_INTERVAL_MS for n in range(first, last + 1)]
        if not times:
            return []
        rates = [
            self._rate(each, DEFAULT_INTERVAL_MS) for each in self._told.past(times, DEFAULT_INTERVAL_MS)
        ]
        return [Settled(at_ms, rate, rate) for at_ms, rate in zip(times, rates, strict=True)]
