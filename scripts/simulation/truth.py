"""What is the engine's at the venue, by the venue's own records: fills under our client ids, and what
somebody else (the venue, a human) has taken of it since.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.ids import PREFIX
from exchange.sim.model import AccountState, Execution, Instrument
from exchange.sim.seam import Venue

ZERO = Decimal(0)


@dataclass(slots=True)
class Owned:
    """Coins of spot and contracts short that are the engine's, in one coin."""

    spot: Decimal = ZERO
    contracts: Decimal = ZERO


class Truth:
    """Follows an account's executions. `look` before anything is read."""

    def __init__(self, venue: Venue, account: AccountState, coins: tuple[str, ...]) -> None:
        self._venue, self._account = venue, account
        self._seen = 0
        self.owned = {coin: Owned() for coin in coins}

    def look(self) -> None:
        executions = self._account.executions
        fresh = len(executions) - self._seen
        if not fresh and not self._taken():
            return
        self._seen = len(executions)
        for execution in list(executions)[len(executions) - fresh :]:
            self._count(execution)
        self._clip()

    def delta(self, coin: str) -> Decimal:
        """Coins of the engine's that are not hedged: positive is too much spot."""
        owned = self.owned[coin]
        return owned.spot - owned.contracts * self.swap(coin).ct_val

    def tolerance(self, coin: str) -> Decimal:
        """What may stay unhedged: one smallest order of the swap, or 1 % of the hedge."""
        swap, owned = self.swap(coin), self.owned[coin]
        larger = max(owned.spot, owned.contracts * swap.ct_val)
        return max(swap.min_size * swap.ct_val, larger / 100)

    def swap(self, coin: str) -> Instrument:
        return self._venue.instruments[f"{coin}-USDT-SWAP"]

    def cash(self, coin: str) -> Decimal:
        return self._account.trading.get(coin, ZERO)

    def short(self, coin: str) -> Decimal:
        """Contracts the account is short of, whoever's."""
        rows = [row for row in self._account.positions.values() if row.inst_id == f"{coin}-USDT-SWAP"]
        return -sum((row.size for row in rows), ZERO)

    def _count(self, execution: Execution) -> None:
        coin = execution.inst_id.partition("-")[0]
        owned = self.owned.get(coin)
        if owned is None or not execution.cl_id.startswith(PREFIX):
            return
        sign = 1 if execution.side == "buy" else -1
        if execution.inst_id.endswith("-SWAP"):
            owned.contracts -= sign * execution.size
        else:
            owned.spot += sign * execution.size
            if execution.fee_ccy == coin:
                owned.spot += execution.fee

    def _taken(self) -> bool:
        return any(
            owned.spot > self.cash(coin) or owned.contracts > max(ZERO, self.short(coin))
            for coin, owned in self.owned.items()
        )

    def _clip(self) -> None:
        """More than the account has is nobody's: somebody else took it."""
        for coin, owned in self.owned.items():
            owned.spot = min(owned.spot, self.cash(coin))
            owned.contracts = min(owned.contracts, max(ZERO, self.short(coin)))
