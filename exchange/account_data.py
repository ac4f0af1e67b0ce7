"""The account as the engine sees it: the last REST snapshot, kept current by pushes.

Pushes of different channels come in no promised order, so every balance and position carries the
venue's own time of its last change, and an older word never overwrites a newer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from core.ports import AccountSink, Clock
from core.types import ZERO, AccountSnapshot, Balance, Contracts, Position

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BalancePush:
    """Changed balances with the time of each change, and the account's totals if they were said."""

    balances: tuple[tuple[Balance, int], ...]
    ts_ms: int
    total_equity_usd: Decimal | None = None
    adjusted_equity_usd: Decimal | None = None
    mgn_ratio: Decimal | None = None
    tells_margin: bool = False  # an absent ratio then means "no position", not "not mentioned"


@dataclass(frozen=True, slots=True)
class PositionPush:
    """Changed positions with the time of each change; zero contracts means closed."""

    positions: tuple[tuple[Position, int], ...]


@dataclass(frozen=True, slots=True)
class CashPush:
    """The fastest view: cash by currency and size by position, nothing about equity."""

    cash: tuple[tuple[str, Decimal, int], ...]  # ccy, cash, ts_ms
    sizes: tuple[tuple[str, Contracts, Decimal, int], ...]  # inst_id, contracts, avg_px, ts_ms


class AccountData:
    """Holds one AccountSnapshot and tells the sinks whenever it changed.

    Pushes before the first `replace` are ignored: the account's mode is not known yet, and the
    REST snapshot that follows contains them.
    """

    def __init__(self, clock: Clock, sinks: Iterable[AccountSink] = ()) -> None:
        self._clock = clock
        self.sinks = list(sinks)
        self._snapshot: AccountSnapshot | None = None
        self._balance_ms: dict[str, int] = {}
        self._position_ms: dict[str, int] = {}

    def snapshot(self) -> AccountSnapshot | None:
        """Return the account as known now; None before the first REST snapshot."""
        return self._snapshot

    def replace(self, snapshot: AccountSnapshot) -> None:
        """Take a REST snapshot. What a push has said since the snapshot's time stays."""
        held = self._snapshot
        balances, positions = dict(snapshot.balances), dict(snapshot.positions)
        strays = dict(snapshot.strays)
        if held is not None:
            _keep_newer(balances, held.balances, self._balance_ms, snapshot.ts_ms)
            _keep_newer(positions, held.positions, self._position_ms, snapshot.ts_ms)
            _keep_newer(strays, held.strays, self._position_ms, snapshot.ts_ms)
        self._set(replace(snapshot, balances=balances, positions=positions, strays=strays))

    def on_balances(self, push: BalancePush) -> None:
        held = self._snapshot
        if held is None:
            return
        balances = dict(held.balances)
        for balance, ts_ms in push.balances:
            if self._is_news(self._balance_ms, balance.ccy, ts_ms):
                balances[balance.ccy] = balance
        if push.ts_ms >= held.ts_ms:
            total, adjusted = push.total_equity_usd, push.adjusted_equity_usd
            held = replace(
                held,
                ts_ms=push.ts_ms,
                total_equity_usd=held.total_equity_usd if total is None else total,
                adjusted_equity_usd=held.adjusted_equity_usd if adjusted is None else adjusted,
                mgn_ratio=push.mgn_ratio if push.tells_margin else held.mgn_ratio,
            )
        self._set(replace(held, balances=balances))

    def on_positions(self, push: PositionPush) -> None:
        held = self._snapshot
        if held is None:
            return
        positions, strays = dict(held.positions), dict(held.strays)
        for position, ts_ms in push.positions:
            if not self._is_news(self._position_ms, position.key, ts_ms):
                continue
            shelf = strays if position.is_stray else positions
            if position.contracts:
                shelf[position.key] = position
            else:
                shelf.pop(position.key, None)
        self._set(replace(held, positions=positions, strays=strays))

    def on_cash(self, push: CashPush) -> None:
        """Take cash and sizes at once; equity moves by the same cash until the next full push."""
        held = self._snapshot
        if held is None:
            return
        balances, positions = dict(held.balances), dict(held.positions)
        for ccy, cash, ts_ms in push.cash:
            if self._is_news(self._balance_ms, ccy, ts_ms):
                balances[ccy] = _with_cash(balances.get(ccy), ccy, cash)
        for inst_id, contracts, avg_px, ts_ms in push.sizes:
            if not self._is_news(self._position_ms, inst_id, ts_ms):
                continue
            if contracts:
                positions[inst_id] = _with_size(positions.get(inst_id), inst_id, contracts, avg_px)
            else:
                positions.pop(inst_id, None)
        self._set(replace(held, balances=balances, positions=positions))

    def _is_news(self, seen: dict[str, int], key: str, ts_ms: int) -> bool:
        """True for what is not older than the last word; remembers it."""
        if ts_ms < seen.get(key, 0):
            return False
        seen[key] = ts_ms
        return True

    def _set(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = replace(snapshot, seen_ms=self._clock.now_ms())
        for sink in self.sinks:
            sink.on_account(self._snapshot)


def _keep_newer(fresh: dict[str, T], held: Mapping[str, T], seen: dict[str, int], as_of_ms: int) -> None:
    """Overlay onto `fresh` every entry (or absence) that a push told after `as_of_ms`."""
    for key, ts_ms in seen.items():
        if ts_ms > as_of_ms:
            fresh.pop(key, None)
            if key in held:
                fresh[key] = held[key]


def _with_cash(held: Balance | None, ccy: str, cash: Decimal) -> Balance:
    if held is None:
        return Balance(ccy, cash=cash, equity=cash, available=cash)
    change = cash - held.cash
    return replace(held, cash=cash, equity=held.equity + change, available=max(ZERO, held.available + change))


def _with_size(held: Position | None, inst_id: str, contracts: Contracts, avg_px: Decimal) -> Position:
    if held is None:  # the positions channel follows with mark price, leverage and ratios
        return Position(inst_id, contracts, avg_px, mark_px=avg_px, upl=ZERO, leverage=ZERO)
    return replace(held, contracts=contracts, avg_px=avg_px)
