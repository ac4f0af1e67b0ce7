"""Funding over time: the floating forecast, the charge at the instant, and what follows from it."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from exchange.sim.economics.accounts import FUNDING_FEE, ISOLATED, credit, new_bill
from exchange.sim.economics.chance import between, happens
from exchange.sim.economics.margin import standing
from exchange.sim.economics.matching import NO_FUNDS, cancel
from exchange.sim.economics.world import QUOTE, Settling, World, booked
from exchange.sim.markets.funding import (
    DEFAULT_INTERVAL_MS,
    IMPACT_VALUE,
    INTEREST,
    next_interval,
    payment,
)
from exchange.sim.markets.market import Market
from exchange.sim.markets.source import MarketSource
from exchange.sim.model import ZERO, AccountState, FundingState, PositionRow, Settled

CENT = Decimal("0.01")  # stays beyond the maintenance margin, for a ratio of 1 liquidates


class FundingDesk:
    """Keeps every swap's funding state as the market source tells it, and settles when it is due."""

    def __init__(self, world: World, source: MarketSource) -> None:
        self._world = world
        self._source = source
        self._caps = {spec.coin: Decimal(spec.funding_cap) for spec in source.coins}
        self._interval_ms = dict.fromkeys(self._caps, DEFAULT_INTERVAL_MS)
        self._due_ms: int | None = None  # of the next settlement, once asked for
        self._asked: dict[str, int] = {}  # intervals an operator fixed: these do not step by themselves

    def open(self, market: Market) -> None:
        """Give a swap its first forecast."""
        self._schedule(market, self._world.now_ms)

    def set_interval(self, market: Market, interval_ms: int) -> None:
        """Fix the interval of a generated market; the next settlement moves accordingly."""
        self._asked[market.coin] = self._interval_ms[market.coin] = interval_ms
        self._schedule(market, self._world.now_ms)

    def next_settlement_ms(self) -> int | None:
        """When funding is charged next, of any swap."""
        if self._due_ms is None:
            states = map(_state, self._world.markets.values())
            self._due_ms = min((state.funding_ms for state in states if state is not None), default=None)
        return self._due_ms

    def next_due_ms(self) -> int | None:
        """The next settlement, or the end of one that is being charged.

        While the venue is closed nothing is settled: what falls due then is charged when it opens again.
        """
        settlement_ms = None if self._world.closed else self.next_settlement_ms()
        if not self._world.settling:
            return settlement_ms
        due = [settlement_ms, *(one.until_ms for one in self._world.settling.values())]
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    def settle_due(self, market: Market) -> None:
        """Charge every holder of the swap if its settlement has come."""
        now_ms, rates = self._world.now_ms, market.rates
        if rates is None or (state := rates.state) is None or state.funding_ms > now_ms:
            return
        rates.foresee(state.funding_ms)
        rate = state.rate
        mark = self._source.settlement_mark(market.coin, state.funding_ms) or market.mark_px
        market.mark_px = mark
        if market.instrument.state != "expired":
            for account in self._world.accounts.values():
                for row in account.positions.values():
                    if row.size and row.inst_id == market.instrument.inst_id:
                        self._charge(account, row, market, mark, rate)
        rates.note_settled(Settled(state.funding_ms, rate, rate))
        self._step_interval(market, rate)
        self._schedule(market, now_ms)
        self._begin(market, state.funding_ms)
        self._world.outbox.append(market.funding_changed)

    def finish_due(self) -> None:
        """End the settlements whose charging is over."""
        world = self._world
        for inst_id, settling in list(world.settling.items()):
            if settling.until_ms <= world.now_ms:
                del world.settling[inst_id]
                market = world.markets[inst_id]
                if (state := _state(market)) is not None:
                    state.processing = False
                    world.outbox.append(market.funding_changed)

    def _begin(self, market: Market, at_ms: int) -> None:
        """Charging takes a moment: how long, and how strict the venue is meanwhile, is drawn per instant."""
        world, inst_id = self._world, market.instrument.inst_id
        low, high = world.profile.settlement_s
        until_ms = world.now_ms + 1_000 * between(low, high, world.seed, "settlement", inst_id, at_ms)
        blocked = happens(world.profile.settlement_block, world.seed, "blocked", inst_id, at_ms)
        world.settling[inst_id] = Settling(until_ms, blocked)
        if (state := _state(market)) is not None:
            state.processing = True

    def _charge(
        self, account: AccountState, row: PositionRow, market: Market, mark: Decimal, rate: Decimal
    ) -> None:
        """Pay or charge one position: a cross one in cash, an isolated one in its own margin.

        Nobody pays so much that the maintenance margin and the fee of a liquidation are no longer there.
        """
        world, key = self._world, row.key
        amount = booked(payment(row.size, market.instrument.ct_val, mark, rate))
        if amount < 0:
            amount = -min(-amount, booked(max(ZERO, standing(world, account).spare_of(key) - CENT)))
        row.funding_fee += amount
        row.updated_ms = world.now_ms
        bill = new_bill(
            FUNDING_FEE, "173" if amount < 0 else "174", market,
            size=abs(row.size), price=mark, pnl=amount, mode=key.mode,
        )  # fmt: skip
        if key.mode == ISOLATED:
            bill = structs.replace(bill, margin_change=amount, margin=account.margins[key] + amount)
            own = (account.margins, key, amount)
            credit(world, account, QUOTE, ZERO, bill, own, (world.house.cash, QUOTE, -amount))
        else:
            credit(world, account, QUOTE, amount, bill, (world.house.cash, QUOTE, -amount))
        world.tell_account(account, "funding_fee", (QUOTE,), (key,))
        if account.open_orders and standing(world, account).free < 0:
            for order in list(account.open_orders.values()):
                if order.frozen and world.markets[order.inst_id].instrument.is_swap:
                    cancel(world, account, order, NO_FUNDS)

    def _step_interval(self, market: Market, rate: Decimal) -> None:
        if market.coin not in self._asked:
            at_limit = abs(rate) >= self._caps[market.coin]
            self._interval_ms[market.coin] = next_interval(self._interval_ms[market.coin], at_limit)

    def _schedule(self, market: Market, after_ms: int) -> None:
        """Announce the settlement after `after_ms`."""
        rates = market.rates
        if rates is None:
            return
        times = self._source.schedule(market.coin, after_ms, self._interval_ms[market.coin])
        rate, premium = rates.forecast(after_ms, times[0], times[1] - times[0])
        cap = self._caps[market.coin]
        self._due_ms = None
        rates.state = FundingState(
            rate=rate,
            funding_ms=times[0],
            next_funding_ms=times[1],
            min_rate=-cap,
            max_rate=cap,
            interest=INTEREST,
            premium=premium,
            impact_value=IMPACT_VALUE,
            settled_rate=settled.rate if (settled := rates.last_settled) else ZERO,
            processing=False,
            ts_ms=self._world.now_ms,
        )


def _state(market: Market) -> FundingState | None:
    """Its funding as it was last worked out."""
    return market.rates.state if market.rates is not None else None
