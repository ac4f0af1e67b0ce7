"""Compares the account with the books and keeps what follows: what is external, what is unexplained.

Looks only at moments at which both were still: with an order under way, or a fill booked between question
and answer, nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from core.adoption import adopted_body
from core.context import MarketView, Permission
from core.explanation import fill_body
from core.facts import Kind, plain
from core.observer import MarketStore, prices_of
from core.ownership import USDT, Holding, external, undecided
from core.permission import Permissions
from core.ports import Clock, Ids, Journal, Notifier
from core.projections import Books
from core.types import ZERO, AccountSnapshot, Fill, Pair, Side

UNEXPLAINED_USDT: Final = Decimal("0.000001")
EXTERNAL: Final = "external_position"
UNEXPLAINED: Final = "unexplained_balance"


class Survey:
    """`look` after every answer of the venue about the whole account."""

    def __init__(
        self,
        books: Books,
        markets: MarketStore,
        permissions: Permissions,
        journal: Journal,
        clock: Clock,
        notifier: Notifier,
    ) -> None:
        self._books, self._markets, self._permissions = books, markets, permissions
        self._journal, self._clock, self._notifier = journal, clock, notifier
        self.unexplained = ZERO
        self._suspected = False
        # The last answers, and what they were worked out of: when many instruments settle at one instant,
        # nothing of it has changed from one to the next.
        self._found: tuple[AccountSnapshot, int, tuple[Pair, ...], Holding] | None = None
        self._balanced: tuple[AccountSnapshot, int, Mapping[str, MarketView]] | None = None

    def mark(self) -> int | None:
        """The state of the books before the venue is asked; None while an order is under way."""
        return None if self._books.unresolved_orders() else len(self._books.ledger.trades)

    def look(self, snapshot: AccountSnapshot, mark: int | None) -> None:
        """Write what is external when it has changed, and hold new risk while it stands in our swaps."""
        if mark is None or mark != self.mark():
            return
        found = self._external(snapshot)
        if found != self._books.external:
            self._append({"event": "seen", **plain(found)})
        self._judge()

    def differs(self, snapshot: AccountSnapshot) -> bool:
        """Whether a push shows external contracts that nobody has looked at; cheap, asked at every push."""
        if self._books.unresolved_orders():
            return False
        return self._external(snapshot).contracts != self._books.external.contracts

    def _external(self, snapshot: AccountSnapshot) -> Holding:
        known, changes, pairs = self._found, self._books.changes, self.pairs()
        if known is None or known[0] is not snapshot or known[1:3] != (changes, pairs):
            known = self._found = snapshot, changes, pairs, external(self._books, snapshot, pairs)
        return known[3]

    def balance(self, snapshot: AccountSnapshot, mark: int | None) -> bool:
        """Compare cash with the bills, by currency. False when a second look is due: bills may be late.

        A difference seen twice is told, with the currencies and types of bills that do not close.
        """
        if mark is None or mark != self.mark():
            return True
        views, known, changes = self._markets.views(), self._balanced, self._books.changes
        if known is None or known[0] is not snapshot or known[1] != changes or known[2] is not views:
            self.unexplained = self._books.ledger.unexplained(snapshot, prices_of(views))
            self._balanced = snapshot, changes, views
        condition = {"condition": "unexplained balance", "what": "unexplained balance"}
        if abs(self.unexplained) <= UNEXPLAINED_USDT:
            self._suspected = False
            self._permissions.lift(UNEXPLAINED)
            self._notifier.tell("recovered", "info", condition)
            return True
        if not self._suspected:
            self._suspected = True
            return False
        items = "; ".join(self._books.ledger.open_items(snapshot))
        self._notifier.tell(
            "trouble", "warning", {**condition, "detail": f"{self.unexplained:f} USDT: {items}"}
        )
        self._permissions.lower(
            UNEXPLAINED, Permission.NO_NEW_RISK, "the venue's cash and our books differ without a bill"
        )
        return True

    def adopt(self, instrument: str, snapshot: AccountSnapshot, ids: Ids) -> str:
        """Take the external short of one pair into the books, with as many external coins as hedge it.

        Return what was taken, or why nothing was, in words. Only an operator may ask for it.
        """
        pair = next((p for p in self.pairs() if p.name == instrument), None)
        if pair is None:
            return f"nothing adopted: {instrument} is none of {', '.join(self._markets.names)}"
        if self.mark() is None:
            return "nothing adopted: an order is under way, say it again"
        found = external(self._books, snapshot, (pair,))
        short = -found.contracts.get(pair.swap.inst_id, ZERO)
        if short < 0:
            return f"nothing adopted: {pair.swap.inst_id} is long, a hedge is short"
        hedge = self._books.hedge(pair.name)
        owned, owned_short = (hedge.spot_base, hedge.contracts) if hedge else (ZERO, ZERO)
        wanted = pair.swap.to_base(owned_short + short) - owned
        coins = max(ZERO, min(found.coins.get(pair.spot.base_ccy, ZERO), wanted))
        if not short and not coins:
            return f"nothing adopted: nothing external in {pair.name}"
        hedge_id = hedge.hedge_id if hedge else ids.hedge_id(pair.name)
        self._write_adopted(pair, hedge_id, snapshot, short, coins)
        held = self._books.hedge(pair.name)
        assert held is not None
        body = adopted_body(pair, hedge_id, held.spot_base, held.contracts, "adopted by the operator")
        self._journal.append(Kind.HEDGE, self._clock.now_ms(), body)
        self.look(snapshot, self.mark())
        return f"adopted {short:f} contracts short and {coins:f} {pair.spot.base_ccy} as {hedge_id}"

    def refuse(self, snapshot: AccountSnapshot) -> str:
        """Leave what is external now, and cash that nothing explains, for ever as somebody else's."""
        found = external(self._books, snapshot, self.pairs())
        gaps = self._books.ledger.differences(snapshot)
        self._append({"event": "refused", **plain(found), "written_off": plain(gaps)})
        if found != self._books.external:
            self._append({"event": "seen", **plain(found)})
        self._judge()
        self._suspected, self.unexplained, self._balanced = False, ZERO, None
        self._permissions.lift(UNEXPLAINED)
        return f"left as foreign: {found}" if str(found) else "nothing external is left"

    def pairs(self) -> tuple[Pair, ...]:
        return tuple(self._markets.pair(name) for name in self._markets.names)

    def _write_adopted(
        self, pair: Pair, hedge_id: str, snapshot: AccountSnapshot, short: Decimal, coins: Decimal
    ) -> None:
        """The short comes in at its average price, as if sold there; coins at today's, as a deposit."""
        now_ms = self._clock.now_ms()
        body = adopted_body(pair, hedge_id, coins, short, "adopted by the operator")
        self._journal.append(Kind.HEDGE, now_ms, body)
        view = self._markets.view(pair.name)
        if short:
            position = snapshot.positions[pair.swap.inst_id]
            px = self._entry_px(pair, position.avg_px, -Decimal(position.contracts), short)
            key = f"adopted-{len(self._books.ledger.trades) + 1}"
            fill = Fill(pair.swap.inst_id, key, "", "", Side.SELL, px, short, ZERO, USDT, now_ms)
            self._journal.append(Kind.FILL, now_ms, fill_body(fill, pair, hedge_id, px))
        if coins:
            px = view.spot.mid if view.spot is not None and view.spot.is_sane else ZERO
            px = px or self._books.ledger.prices.get(pair.name, (ZERO, ZERO))[0]
            self._append(
                {"event": "adopted", "instrument": pair.name, "hedge_id": hedge_id, "coins": coins, "px": px}
            )

    def _entry_px(self, pair: Pair, avg_px: Decimal, total: Decimal, short: Decimal) -> Decimal:
        """The average price of the external part, which the venue tells mixed with ours."""
        booked = self._books.ledger.positions.get(pair.name)
        ours = total - short
        if booked is None or not ours:
            return avg_px
        return (avg_px * total - booked.avg_px * ours) / short

    def _judge(self) -> None:
        open_ones = undecided(self._books.external, self._books.refused, self.pairs())
        if open_ones:
            if EXTERNAL not in self._permissions.causes:
                fields = {"what": "external position", "detail": str(self._books.external)}
                self._notifier.tell("alarm", "critical", fields)
            self._permissions.lower(
                EXTERNAL, Permission.NO_NEW_RISK, "a position that is not ours stands in our swap"
            )
        else:
            self._permissions.lift(EXTERNAL)

    def _append(self, body: dict[str, object]) -> None:
        self._journal.append(Kind.OWNERSHIP, self._clock.now_ms(), body)
