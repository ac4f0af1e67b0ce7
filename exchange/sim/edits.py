"""Changing the world by hand: what a test or an operator of the simulation may do to it.

Never reachable from /api/v5. Money that appears or vanishes this way is booked as a deposit or a
withdrawal of the venue, so that its books stay balanced.
"""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_address

from exchange.sim.economics import deleveraging, fees, liquidation
from exchange.sim.economics.accounts import CROSS, NET, position, turn_position
from exchange.sim.economics.margin import MULTI
from exchange.sim.economics.matching import follow_position
from exchange.sim.economics.orders import LONG_SHORT
from exchange.sim.economics.settings import LEVELS
from exchange.sim.economics.world import QUOTE, post
from exchange.sim.events import InstrumentChanged
from exchange.sim.exchange import Exchange
from exchange.sim.markets.funding import HOUR_MS, INTERVALS_H
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, PositionKey

PERMISSIONS = ("read_only", "trade", "withdraw")
STATES = ("live", "suspend", "preopen")


class Edits:
    """Every method raises ValueError naming the field, its value and what is allowed."""

    def __init__(self, venue: Exchange) -> None:
        self._venue = venue
        self._world = venue.world

    def set_cash(self, account: AccountState, ccy: str, amount: Decimal) -> None:
        """Set a balance of the trading account, without a bill: a change nobody explains."""
        if amount < 0:
            raise ValueError(f"amount is {amount}, allowed: 0 or more")
        self._world.deposit(account, ccy, amount - account.trading.get(ccy, ZERO))
        self._world.tell_account(account, "transferred", (ccy,))

    def set_position(self, account: AccountState, inst_id: str, contracts: Decimal) -> None:
        """Set a cross swap position, signed, as if traded with the house at mark, without fee or bill.

        In long_short_mode the sign says which side is meant; the other one stays.
        """
        world, market = self._world, self._market(inst_id, swap=True)
        if contracts % market.instrument.lot:
            raise ValueError(f"contracts is {contracts}, allowed: multiples of {market.instrument.lot}")
        side = NET
        if account.pos_mode == LONG_SHORT:
            side = "long" if contracts >= 0 else "short"
        row = position(world, account, PositionKey(inst_id, CROSS, side))
        steps = [contracts - row.size] if row.size * contracts >= 0 else [-row.size, contracts]
        for step in steps:
            if step:
                turn = turn_position(world, account, market, row, step, market.mark_px)
                post((account.trading, QUOTE, turn.pnl), *turn.legs)
        world.tell_account(account, "filled", (QUOTE,), (row.key,))
        follow_position(world, account, row.key)

    def set_state(self, inst_id: str, state: str) -> None:
        if state not in STATES:
            raise ValueError(f"state is {state}, allowed: {', '.join(STATES)}")
        self._market(inst_id).instrument.state = state
        self._world.outbox.append(InstrumentChanged(inst_id))

    def set_expiry(self, inst_id: str, at_ms: int | None) -> None:
        """Announce a delisting: the instrument expires at `at_ms`, or not at all."""
        if at_ms is not None and at_ms <= self._world.now_ms:
            raise ValueError(f"at_ms is {at_ms}, allowed: later than {self._world.now_ms}")
        self._market(inst_id).instrument.expires_ms = at_ms
        self._world.outbox.append(InstrumentChanged(inst_id))

    def set_funding_interval(self, inst_id: str, hours: int) -> None:
        if hours not in INTERVALS_H:
            raise ValueError(f"hours is {hours}, allowed: {', '.join(map(str, INTERVALS_H))}")
        self._market(inst_id, swap=True)
        self._venue.set_funding_interval(inst_id, hours * HOUR_MS)

    def force_adl(self, account: AccountState, inst_id: str, fraction: Decimal) -> None:
        """Close a share of a position at mark, as forced deleveraging does."""
        self._market(inst_id, swap=True)
        deleveraging.share(self._world, account, inst_id, fraction)

    def set_permissions(self, account: AccountState, permissions: str) -> None:
        """What the account's key may do, a comma-separated list; without any it can do nothing."""
        asked = [one for one in permissions.split(",") if one]
        if any(one not in PERMISSIONS for one in asked) or len(set(asked)) < len(asked):
            raise ValueError(f"permissions is {permissions}, allowed: a list of {', '.join(PERMISSIONS)}")
        account.permissions = ",".join(asked)

    def set_ip(self, account: AccountState, ip: str) -> None:
        """The addresses the key is bound to, a comma-separated list; "" lets every one in."""
        for one in ip.split(",") if ip else ():
            try:
                ip_address(one)
            except ValueError:
                raise ValueError(f"ip is {ip}, allowed: a list of addresses, or nothing") from None
        account.ip = ip

    def set_fee_level(self, account: AccountState, level: str) -> None:
        if level not in fees.LEVELS:
            raise ValueError(f"fee_level is {level}, allowed: {', '.join(fees.LEVELS)}")
        account.fee_level = level
        account.updated_ms = self._world.now_ms

    def set_level(self, account: AccountState, level: str) -> None:
        """The account mode, positions or not. Isolated positions have no place in multi-currency mode."""
        if level not in LEVELS:
            raise ValueError(f"level is {level}, allowed: {', '.join(LEVELS)}")
        if level == MULTI and any(account.margins.values()):
            raise ValueError(f"level is {level}, allowed: not {level} while isolated positions are open")
        account.level = level
        account.updated_ms = self._world.now_ms

    def set_auto_loan(self, account: AccountState, text: str) -> None:
        if text not in ("true", "false"):
            raise ValueError(f"auto_loan is {text}, allowed: true, false")
        account.auto_loan = text == "true"
        account.updated_ms = self._world.now_ms

    def liquidate(self, account: AccountState, inst_id: str) -> None:
        """Let the venue take over every position in a swap, whatever the margin behind it."""
        self._market(inst_id, swap=True)
        rows = [row for row in account.positions.values() if row.inst_id == inst_id and row.size]
        if not rows:
            raise ValueError(f"inst_id is {inst_id}, allowed: a swap {account.name} has a position in")
        for row in rows:
            liquidation.liquidate(self._world, account, row.key)

    def _market(self, inst_id: str, swap: bool = False) -> Market:
        market = self._world.markets.get(inst_id)
        if market is None or (swap and not market.instrument.is_swap):
            allowed = [i for i, m in self._world.markets.items() if m.instrument.is_swap or not swap]
            raise ValueError(f"inst_id is {inst_id}, allowed: {', '.join(allowed)}")
        return market
