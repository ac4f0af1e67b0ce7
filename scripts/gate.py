"""The last word before every single order, whoever wants it sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.context import Permission
from core.halt import HaltMarker
from core.observer import prices_of
from core.permission import Permissions
from core.projections import Books
from core.types import ZERO, Leg, OrderRequest, Pair, Side
from core.verdict import Verdict
from risk import check_order
from scripts.ports import Ports


class Gate:
    """What execution asks before every single order: permission, a stop that was accepted, red lines."""

    def __init__(
        self,
        books: Books,
        venue: Ports,
        permissions: Permissions,
        pairs: Mapping[str, Pair],
        halt: HaltMarker,
    ) -> None:
        self._books, self._venue, self._permissions, self._pairs = books, venue, permissions, pairs
        self._halt = halt
        self.stop_asked: Callable[[], bool] = lambda: True
        self.jumped: Callable[[], bool] = lambda: False

    def check(self, order: OrderRequest) -> Verdict:
        if self._halt.is_set():  # asked of the disk: it may have come while this process was stopped
            return Verdict(False, "halt_marker", "a HALT marker is set", (), order.instrument)
        level = self._permissions.view.level
        if self.jumped():
            return Verdict(False, "permission", "the clock has jumped: compare first", (), order.instrument)
        if level is Permission.HALTED:
            return Verdict(False, "permission", "halted: no automatic order", (), order.instrument)
        if order.leg is Leg.SPOT and order.side is Side.BUY and self.stop_asked():
            return Verdict(False, "stop", "a stop was accepted: nothing new is bought", (), order.instrument)
        if level is Permission.REDUCE_ONLY and self._adds_exposure(order):
            return Verdict(False, "permission", "reduce only: no leg grows", (), order.instrument)
        markets = self._venue.markets.views()
        hedges = self._books.hedge_views(prices_of(markets))
        account, pair = self._venue.account.snapshot(), self._pairs[order.instrument]
        other = sum(
            (
                abs(p.swap.to_base(account.contracts(p.swap.inst_id))) * (markets[n].mark_px or ZERO)
                for n, p in self._pairs.items()
                if account is not None and n != order.instrument
            ),
            ZERO,
        )
        return check_order(
            order,
            hedges.get(order.instrument),
            account,
            pair,
            markets[order.instrument].mark_px,
            other_notional=other,
        )

    def _adds_exposure(self, order: OrderRequest) -> bool:
        """A leg made larger without making the legs more equal."""
        if (order.leg is Leg.SPOT) is not (order.side is Side.BUY):
            return False
        hedge = self._books.hedge(order.instrument)
        delta = hedge.spot_base - hedge.short_base if hedge else ZERO
        swap = self._pairs[order.instrument].swap
        size = order.size if order.leg is Leg.SPOT else swap.to_base(order.size)
        return abs(delta + order.side.sign * size) > abs(delta)
