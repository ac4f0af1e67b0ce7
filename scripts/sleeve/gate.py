"""The last word before every order of the sleeve, whoever wants it sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from core.context import Permission
from core.halt import HaltMarker
from core.permission import Permissions
from core.sleeve.books import SleeveBooks
from core.types import ZERO, Base, OrderRequest, Pair, Usdt
from core.verdict import Verdict
from strategy.auxiliary.red_lines.monitor import Exposure, order_allowed


class SleeveGate:
    """The HALT marker, the permission, the red lines. What only reduces waits for the marker alone.

    mark_of  instrument -> its last mark price, None before the first.
    """

    def __init__(
        self,
        books: SleeveBooks,
        permissions: Permissions,
        pairs: Mapping[str, Pair],
        mark_of: Callable[[str], Decimal | None],
        halt: HaltMarker,
    ) -> None:
        self._books, self._permissions, self._pairs = books, permissions, pairs
        self._mark_of, self._halt = mark_of, halt

    def check(self, order: OrderRequest) -> Verdict:
        name = order.instrument
        if self._halt.is_set():  # asked of the disk: it may have come while this process was stopped
            return Verdict(False, "halt_marker", "a HALT marker is set", (), name)
        view = self._permissions.view
        if view.level is Permission.HALTED:
            return Verdict(False, "permission", "halted: no automatic order", (), name)
        if not order.reduce_only and view.level is not Permission.FULL:
            return Verdict(False, "permission", "nothing new is entered now", (("cause", view.reason),), name)
        before, after = self._exposures(order)
        return order_allowed(before, after, self._mark_of(name))

    def _exposures(self, order: OrderRequest) -> tuple[Exposure, Exposure]:
        """What is held, and what would be if all of the order filled at its limit."""
        name, position = order.instrument, self._books.position(order.instrument)
        if position is None:  # nothing was granted: nothing protects it
            return Exposure(name, Base(ZERO)), Exposure(name, Base(order.size * order.side.sign))
        held, sign = position.held, position.side.sign
        entry_px = position.entry_px if position.entered else order.limit_px
        leverage, stop_px = Decimal(position.wanted["leverage"]), Decimal(position.wanted["trigger_px"])
        change = order.size * self._pairs[name].swap.ct_val * order.side.sign
        if order.reduce_only:
            change = max(-held, min(held, change)) if held > 0 else ZERO
        net = held * sign + change
        cost = held * entry_px + max(ZERO, change * sign) * order.limit_px
        px = cost / abs(net) if net * sign > held else entry_px
        before = Exposure(name, Base(held * sign), entry_px, Usdt(held * entry_px / leverage), stop_px)
        after = Exposure(name, Base(net), px, Usdt(abs(net) * px / leverage), stop_px)
        return before, after
