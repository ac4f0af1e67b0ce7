"""The next order of a way out that can only reduce: one pure function for the watchdog and close_all.

Unequal legs are made equal by shrinking the larger one. Equal legs shrink slice by slice: the swap is
bought back first, which frees margin, and the spot that stood behind it is sold next. No order makes a
leg larger or turns it around, none touches more than is both owned and there, and the coins unhedged
never become more than one slice, or than they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from core.ids import is_reducers, parse
from core.types import ZERO, AccountSnapshot, Fill, Leg, Pair, Side, floor_to


@dataclass(frozen=True, slots=True)
class Owned:
    """What the engine's books own of one pair: coins bought, contracts sold short. Never negative."""

    spot: Decimal = ZERO
    contracts: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Stock:
    """One pair as far as it may be reduced: owned by the books, and there by the venue's own word.

    has_spot in coins, has_short in contracts short, >= 0. What the account has beyond the books is
    somebody else's; what it lacks is gone.
    """

    pair: Pair
    owned: Owned
    has_spot: Decimal
    has_short: Decimal

    @classmethod
    def of(cls, pair: Pair, owned: Owned, account: AccountSnapshot) -> Stock:
        balance = account.balances.get(pair.spot.base_ccy)
        return cls(
            pair,
            owned,
            max(ZERO, balance.cash) if balance else ZERO,
            max(ZERO, -account.contracts(pair.swap.inst_id)),
        )

    @property
    def spot(self) -> Decimal:
        return max(ZERO, min(self.owned.spot, self.has_spot))

    @property
    def short(self) -> Decimal:
        return max(ZERO, min(self.owned.contracts, self.has_short))

    @property
    def delta(self) -> Decimal:
        """Coins not hedged: positive is too much spot."""
        return self.spot - self.pair.swap.to_base(self.short)

    @property
    def tolerance(self) -> Decimal:
        """The delta below which no order can help: the smallest orders of both markets, in coins."""
        swap, spot = self.pair.swap, self.pair.spot
        return max(swap.step, swap.to_base(swap.min_size), spot.min_size)

    @property
    def is_flat(self) -> bool:
        """No contract to buy back, and no coins left that the venue would let us sell."""
        return self.short < self.pair.swap.min_size and self.spot < self.tolerance

    def after(self, step: Step, filled: Decimal) -> Stock:
        """The same once so much of an order has filled."""
        if step.leg is Leg.SPOT:
            owned = replace(self.owned, spot=max(ZERO, self.owned.spot - filled))
            return replace(self, owned=owned, has_spot=max(ZERO, self.has_spot - filled))
        owned = replace(self.owned, contracts=max(ZERO, self.owned.contracts - filled))
        return replace(self, owned=owned, has_short=max(ZERO, self.has_short - filled))


@dataclass(frozen=True, slots=True)
class Step:
    """A reducing order: sell `size` coins of spot, or buy back `size` contracts."""

    leg: Leg
    size: Decimal

    @property
    def side(self) -> Side:
        return Side.SELL if self.leg is Leg.SPOT else Side.BUY


def next_step(stock: Stock, slice_contracts: Decimal) -> Step | None:
    """Return the next reducing order, or None when nothing is left that can be reduced.

    slice_contracts  the most that may be bought back while the legs are equal; at least the venue's
                     smallest order is, or else nothing would ever end.
    """
    pair, delta = stock.pair, stock.delta
    if delta <= -pair.swap.step:
        step = _buy_back(stock, -delta / pair.swap.ct_val)
    elif delta >= stock.tolerance:
        step = _sell(stock, delta)
    else:
        step = None
    if step is not None:
        return step
    if stock.short < pair.swap.min_size:
        return _sell(stock, stock.spot) if not stock.short else None
    return _buy_back(stock, max(slice_contracts, pair.swap.min_size))


def _sell(stock: Stock, coins: Decimal) -> Step | None:
    spot = stock.pair.spot
    size = floor_to(min(coins, stock.spot, spot.max_limit_size), spot.lot)
    return Step(Leg.SPOT, size) if size >= spot.min_size and size else None


def _buy_back(stock: Stock, contracts: Decimal) -> Step | None:
    swap = stock.pair.swap
    size = floor_to(min(contracts, stock.short, swap.max_limit_size), swap.lot)
    return Step(Leg.SWAP, size) if size >= swap.min_size and size else None


def objection(stock: Stock, step: Step, slice_contracts: Decimal) -> str:
    """Why this order must not be sent, judged apart from what proposed it; "" when it may.

    Asked right before each send: an order may only shrink its leg within what is owned and there. Of
    unequal legs it must make the delta smaller; of equal ones it may open one of a slice at most.
    """
    mine = stock.spot if step.leg is Leg.SPOT else stock.short
    if not ZERO < step.size <= mine:
        return f"{step.size:f} of {mine:f} {step.leg.value}"
    swap, before = stock.pair.swap, abs(stock.delta)
    left = abs(stock.after(step, step.size).delta)
    if before >= stock.tolerance:
        return "" if left < before else f"would leave {left:f} coins unhedged, now {before:f}"
    allowed = stock.tolerance + swap.to_base(max(slice_contracts, swap.min_size))
    return "" if left <= allowed else f"would leave {left:f} coins unhedged, allowed {allowed:f}"


def owned_with(
    booked: Mapping[str, Owned],
    known_fills: Iterable[str],
    fills: Iterable[Fill],
    pairs: Iterable[Pair],
    epoch: int,
) -> dict[str, Owned]:
    """What is owned by pair: what the books say, and the fills of ours they have not heard of.

    known_fills  those the books have counted, as inst_id/trade_id.
    fills        the venue's, since the books' last. Ours are those of the process of `epoch`, which
                 kept the books, and those of reducing orders; all others change nothing.
    """
    known = set(known_fills)
    by_inst = {i: pair for pair in pairs for i in (pair.spot.inst_id, pair.swap.inst_id)}
    owned = dict(booked)
    for fill in fills:
        pair = by_inst.get(fill.inst_id)
        if pair is None or not is_of(fill.cl_id, epoch) or "/".join(fill.key) in known:
            continue
        known.add("/".join(fill.key))
        before = owned.get(pair.name, Owned())
        if fill.inst_id == pair.spot.inst_id:
            fee = fill.fee if fill.fee_ccy == pair.spot.base_ccy else ZERO
            coins = before.spot + fill.side.sign * fill.size + fee
            owned[pair.name] = replace(before, spot=max(ZERO, coins))
        else:
            contracts = before.contracts - fill.side.sign * fill.size
            owned[pair.name] = replace(before, contracts=max(ZERO, contracts))
    return owned


def is_of(cl_id: str, epoch: int) -> bool:
    """An order of the engine's process of `epoch`, or of somebody reducing for it."""
    order = parse(cl_id)
    return is_reducers(cl_id) if order is None else order.epoch == epoch
