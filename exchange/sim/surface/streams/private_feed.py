"""The private channels of one account: orders, account, positions, balance and position, warnings.

Order pushes are never joined: one message per change. The others say once per round what is now
true. Regular pushes repeat everything every five seconds unless the subscription asks otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import msgspec

from exchange.sim.account_figures import AccountFigures
from exchange.sim.events import AccountChanged, AlgoChanged, OrderChanged, VenueEvent
from exchange.sim.model import AccountState, PositionKey, PositionRow, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.rendering import account as render_account
from exchange.sim.surface.rendering import algos as render_algos
from exchange.sim.surface.rendering import orders as render_orders
from exchange.sim.surface.rendering.text import Row, ms, num
from exchange.sim.surface.streams.channels import encode

PRIVATE: Final = ("orders", "balance_and_position", "account", "positions", "liquidation-warning")
ALGO: Final = ("orders-algo", "algo-advance")  # business: stops and triggers; trailing orders
REGULAR_MS = 5000
WARN_AT_RATIO = Decimal(3)  # the venue warns at 300 %
WARN_EVERY_MS = 3_600_000


@dataclass(slots=True)
class Subscription:
    """A private subscription; `arg` is echoed with every push."""

    channel: str
    arg: Row
    regular_ms: int | None  # None: pushes on events only
    pushed_ms: int = 0
    warned_ms: dict[PositionKey, int] = field(default_factory=dict)

    def covers(self, inst_id: str, inst_type: str) -> bool:
        wanted_type, wanted_id = self.arg.get("instType"), self.arg.get("instId")
        family = self.arg.get("instFamily")
        return (
            (not wanted_type or wanted_type in ("ANY", inst_type))
            and (not wanted_id or wanted_id == inst_id)
            and (not family or inst_id.removesuffix("-SWAP") == family)
        )


def subscription(channel: str, arg: Row, uid: str) -> Subscription:
    """Read a subscription's own parameters. Raises Reject(60013) when extraParams make no sense."""
    regular_ms: int | None = REGULAR_MS
    if extra := arg.get("extraParams"):
        try:
            asked = msgspec.json.decode(extra, type=dict[str, Any]).get("updateInterval", REGULAR_MS)
            interval_ms = int(asked)
        except (msgspec.MsgspecError, ValueError, TypeError):
            raise Reject("60013", "Invalid args") from None
        allowed = (0, 2000, 3000, 4000) if channel == "positions" else (0,)
        if interval_ms not in (*allowed, REGULAR_MS):
            raise Reject("60013", "Invalid args")
        regular_ms = interval_ms or None
    kept = {name: value for name, value in arg.items() if name != "extraParams"}
    return Subscription(channel, {**kept, "uid": uid}, regular_ms)


class PrivateFeed:
    """What the current round says to each account. Figures are asked once per account and round."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._orders: dict[str, list[OrderChanged]] = {}
        self._algos: dict[str, list[AlgoChanged]] = {}
        self._changes: dict[str, list[AccountChanged]] = {}
        self._figures: dict[str, AccountFigures] = {}
        self._next: dict[str, Callable[[Subscription, AccountState], list[bytes]]] = {
            "orders": self._order_pushes,
            "balance_and_position": self._cash_pushes,
            "account": self._account_pushes,
            "positions": self._position_pushes,
            "liquidation-warning": self._warnings,
            "orders-algo": self._algo_pushes,
            "algo-advance": self._algo_pushes,
        }

    def begin(self, events: Iterable[VenueEvent]) -> None:
        self._orders.clear()
        self._algos.clear()
        self._changes.clear()
        self._figures.clear()
        for event in events:
            if isinstance(event, OrderChanged):
                self._orders.setdefault(event.account, []).append(event)
            elif isinstance(event, AlgoChanged):
                self._algos.setdefault(event.account, []).append(event)
            elif isinstance(event, AccountChanged):
                self._changes.setdefault(event.account, []).append(event)

    def greeting(self, sub: Subscription, account: AccountState) -> list[bytes]:
        """The snapshot at the subscription; orders and warnings have none."""
        sub.pushed_ms = self._venue.now_ms
        self._figures.pop(account.name, None)  # a command may have changed the world since the round began
        match sub.channel:
            case "account":
                return [self._account(sub, account, "snapshot", ())]
            case "positions":
                return [self._positions(sub, account, "snapshot", None)]
            case "balance_and_position":
                held = [ccy for ccy, cash in account.trading.items() if cash]
                open_now = [p.key for p in account.positions.values() if p.size]
                return [self._cash(sub, account, "snapshot", held, open_now, ())]
            case "algo-advance":
                rows = [
                    self._algo_row(AlgoChanged(account.name, algo))
                    for algo in account.open_algos.values()
                    if algo.trailing is not None
                    and sub.covers(algo.inst_id, self._venue.instruments[algo.inst_id].inst_type)
                ]
                return [encode({"arg": sub.arg, "data": rows})] if rows else []
        return []

    def pushes(self, sub: Subscription, account: AccountState) -> list[bytes]:
        return self._next[sub.channel](sub, account)

    def _of(self, account: AccountState) -> AccountFigures:
        figures = self._figures.get(account.name)
        if figures is None:
            figures = self._figures[account.name] = self._venue.figures(account)
        return figures

    def _regular_due(self, sub: Subscription) -> bool:
        if sub.regular_ms is None:
            return False
        # Where the market moves more seldom, more would only repeat what was said.
        if self._venue.now_ms - sub.pushed_ms < max(sub.regular_ms, self._venue.profile.pulse_ms):
            return False
        sub.pushed_ms = self._venue.now_ms
        return True

    # --- orders -------------------------------------------------------------------------------

    def _order_pushes(self, sub: Subscription, account: AccountState) -> list[bytes]:
        frames = []
        for event in self._orders.get(account.name, ()):
            order = event.order
            i, side = self._venue.instruments[order.inst_id], self._venue.markets[order.inst_id]
            if not sub.covers(i.inst_id, i.inst_type):
                continue
            amended = event.amendment or render_orders.NOT_AMENDED
            row = render_orders.order_push(order, i, side, event.execution, amended)
            # A spot market order ends with one more message that carries no fill, only the final fee.
            is_last_fill = event.execution is not None and order.state == "filled"
            if is_last_fill and order.kind == "market" and not i.is_swap:
                frames.append(encode({"arg": sub.arg, "data": [{**row, "state": "partially_filled"}]}))
                row = render_orders.order_push(order, i, side, None)
            frames.append(encode({"arg": sub.arg, "data": [row]}))
        return frames

    def _algo_pushes(self, sub: Subscription, account: AccountState) -> list[bytes]:
        """Trailing orders have a channel of their own, which greets with what is waiting."""
        rows = [
            self._algo_row(event)
            for event in self._algos.get(account.name, ())
            if (event.algo.trailing is not None) == (sub.channel == "algo-advance")
            and sub.covers(event.algo.inst_id, self._venue.instruments[event.algo.inst_id].inst_type)
        ]
        return [encode({"arg": sub.arg, "data": [row]}) for row in rows]

    def _algo_row(self, event: AlgoChanged) -> Row:
        inst_id = event.algo.inst_id
        return render_algos.algo_push(event, self._venue.instruments[inst_id], self._venue.markets[inst_id])

    # --- balance and position -----------------------------------------------------------------

    def _cash_pushes(self, sub: Subscription, account: AccountState) -> list[bytes]:
        """Neighbouring events of one reason become one message."""
        frames = []
        changes = self._changes.get(account.name, [])
        start = 0
        for end in range(1, len(changes) + 1):
            if end < len(changes) and changes[end].reason == changes[start].reason:
                continue
            joined, start = changes[start:end], end
            frames.append(
                self._cash(
                    sub,
                    account,
                    joined[0].reason,
                    list(dict.fromkeys(ccy for one in joined for ccy in one.currencies)),
                    list(dict.fromkeys(key for one in joined for key in one.positions)),
                    [pair for one in joined for pair in one.trades],
                )
            )
        return frames

    def _cash(
        self,
        sub: Subscription,
        account: AccountState,
        reason: str,
        currencies: Sequence[str],
        keys: Sequence[PositionKey],
        trades: Sequence[tuple[str, str]],
    ) -> bytes:
        now = ms(self._venue.now_ms)
        updated = ms(account.updated_ms)
        row = {
            "pTime": now,
            "eventType": reason,
            "balData": [
                {"ccy": ccy, "cashBal": num(account.trading.get(ccy, Decimal(0))), "uTime": updated}
                for ccy in currencies
            ],
            "posData": [
                self._cash_position(account.positions[key]) for key in keys if key in account.positions
            ],
            "trades": [{"instId": inst_id, "tradeId": trade_id} for inst_id, trade_id in trades],
        }
        return encode({"arg": sub.arg, "data": [row]})

    def _cash_position(self, p: PositionRow) -> Row:
        i = self._venue.instruments[p.inst_id]
        return {
            "posId": p.pos_id,
            "tradeId": p.trade_id,
            "instId": p.inst_id,
            "instType": i.inst_type,
            "mgnMode": p.key.mode,
            "posSide": p.key.side,
            "pos": num(render_account.shown_size(p)),
            "ccy": i.quote,
            "posCcy": "",
            "avgPx": num(p.avg_px),
            "nonSettleAvgPx": "",
            "settledPnl": "",
            "uTime": ms(p.updated_ms),
        }

    # --- account and positions ----------------------------------------------------------------

    def _account_pushes(self, sub: Subscription, account: AccountState) -> list[bytes]:
        frames = []
        if changes := self._changes.get(account.name):
            only = sub.arg.get("ccy")
            changed = dict.fromkeys(ccy for one in changes for ccy in one.currencies)
            if wanted := [ccy for ccy in changed if not only or ccy == only]:
                frames.append(self._account(sub, account, "event_update", wanted))
        if self._regular_due(sub):
            frames.append(self._account(sub, account, "snapshot", ()))
        return frames

    def _account(
        self, sub: Subscription, account: AccountState, event: str, currencies: Sequence[str]
    ) -> bytes:
        only = sub.arg.get("ccy")
        row = render_account.balance(
            account,
            self._of(account),
            self._venue.now_ms,
            currencies or ([only] if only else ()),
            usd_prices=True,
        )
        return _paged(sub, event, [row])

    def _position_pushes(self, sub: Subscription, account: AccountState) -> list[bytes]:
        frames = []
        if changes := self._changes.get(account.name):
            changed = dict.fromkeys(key for one in changes for key in one.positions)
            if wanted := [key for key in changed if sub.covers(key.inst_id, "SWAP")]:
                frames.append(self._positions(sub, account, "event_update", wanted))
        if self._regular_due(sub):
            frames.append(self._positions(sub, account, "snapshot", None))
        return frames

    def _positions(
        self, sub: Subscription, account: AccountState, event: str, keys: Sequence[PositionKey] | None
    ) -> bytes:
        """Named positions as they are, closed ones with pos "0"; without names only open ones."""
        figures, venue = self._of(account), self._venue
        rows = [
            render_account.position(p, figures.positions.get(p.key), venue.markets[p.inst_id], venue.now_ms)
            for p in account.positions.values()
            if (p.size and sub.covers(p.inst_id, "SWAP") if keys is None else p.key in keys)
        ]
        return _paged(sub, event, rows)

    # --- warnings -----------------------------------------------------------------------------

    def _warnings(self, sub: Subscription, account: AccountState) -> list[bytes]:
        """At or below 300 %, repeated every hour while it lasts."""
        now_ms, rows = self._venue.now_ms, []
        for p in account.positions.values():
            if not p.size or not sub.covers(p.inst_id, "SWAP"):
                continue
            f = self._of(account).positions[p.key]
            if f.mgn_ratio is None or f.mgn_ratio > WARN_AT_RATIO:
                sub.warned_ms.pop(p.key, None)
            elif now_ms - sub.warned_ms.get(p.key, -WARN_EVERY_MS) >= WARN_EVERY_MS:
                sub.warned_ms[p.key] = now_ms
                i = self._venue.instruments[p.inst_id]
                rows.append(render_account.liquidation_warning(p, f, i, now_ms))
        return [encode({"arg": sub.arg, "data": rows})] if rows else []


def _paged(sub: Subscription, event: str, rows: list[Row]) -> bytes:
    return encode({"arg": sub.arg, "eventType": event, "curPage": 1, "lastPage": True, "data": rows})
