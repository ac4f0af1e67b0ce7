"""Changing the world by hand: what a test or an operator of the simulation may do to it.

Never reachable from /api/v5. Everything raises ValueError naming the field, the value and what is
allowed. Money that appears or vanishes is booked as a deposit, so the venue's books stay balanced.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim import liquidation
from exchange.sim.accounts import change_position, position
from exchange.sim.exchange import Exchange
from exchange.sim.funding import HOUR_MS, INTERVALS_H
from exchange.sim.market import Market
from exchange.sim.model import ZERO, AccountState, InstrumentChanged

STATES = ("live", "suspend", "preopen")


def set_cash(venue: Exchange, account: AccountState, ccy: str, amount: Decimal) -> None:
    """Set a balance of the trading account without a bill, as an unexplained change would look."""
    if amount < 0:
        raise ValueError(f"amount is {amount}, allowed: 0 or more")
    venue.world.house.deposits[ccy] += amount - account.trading.get(ccy, ZERO)
    account.trading[ccy] = amount
    venue.world.tell_account(account, "transferred", (ccy,))


def set_position(venue: Exchange, account: AccountState, inst_id: str, contracts: Decimal) -> None:
    """Set a swap position, signed, as if bought or sold at mark against the house, without a fee."""
    market = _market(venue, inst_id, swap=True)
    if contracts % market.instrument.lot:
        raise ValueError(f"contracts is {contracts}, allowed: multiples of {market.instrument.lot}")
    held = position(venue.world, account, market).size
    steps = [contracts - held] if held * contracts >= 0 else [-held, contracts]
    for step in steps:
        if step:
            pnl = change_position(venue.world, account, market, step, market.mark_px)
            account.trading["USDT"] = account.trading.get("USDT", ZERO) + pnl
    venue.world.tell_account(account, "filled", ("USDT",), (inst_id,))


def set_state(venue: Exchange, inst_id: str, state: str) -> None:
    if state not in STATES:
        raise ValueError(f"state is {state}, allowed: {', '.join(STATES)}")
    _market(venue, inst_id).instrument.state = state
    venue.outbox.append(InstrumentChanged(inst_id))


def set_expiry(venue: Exchange, inst_id: str, at_ms: int | None) -> None:
    """Announce a delisting: the instrument expires at `at_ms`, or not at all."""
    if at_ms is not None and at_ms <= venue.now_ms:
        raise ValueError(f"at_ms is {at_ms}, allowed: later than {venue.now_ms}")
    _market(venue, inst_id).instrument.expires_ms = at_ms
    venue.outbox.append(InstrumentChanged(inst_id))


def set_funding_interval(venue: Exchange, inst_id: str, hours: int) -> None:
    if hours not in INTERVALS_H:
        raise ValueError(f"hours is {hours}, allowed: {', '.join(map(str, INTERVALS_H))}")
    _market(venue, inst_id, swap=True)
    venue.set_funding_interval(inst_id, hours * HOUR_MS)


def force_adl(venue: Exchange, account: AccountState, inst_id: str, fraction: Decimal) -> None:
    """Close a share of a position at mark, as ADL does."""
    _market(venue, inst_id, swap=True)
    liquidation.force_adl(venue.world, account, inst_id, fraction)


def _market(venue: Exchange, inst_id: str, swap: bool = False) -> Market:
    market = venue.world.markets.get(inst_id)
    if market is None or (swap and not market.instrument.is_swap):
        allowed = ", ".join(i for i, m in venue.world.markets.items() if m.instrument.is_swap or not swap)
        raise ValueError(f"inst_id is {inst_id}, allowed: {allowed}")
    return market
