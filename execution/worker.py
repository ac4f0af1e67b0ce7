"""Execution's one pair of hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from core.context import MarketView
from core.events import HedgeTarget, Outcome, Report, Target
from core.types import TransferStatus
from execution.position_manager import PositionManager
from execution.rebalancer import Transfers


class Worker:
    """Carries out targets, one at a time, and says how it ended. Never raises (core.engine.Worker).

    view   an instrument's market as it is now.
    names  every instrument that may be held, to tell "nothing held" from "held elsewhere".
    """

    def __init__(
        self,
        positions: PositionManager,
        transfers: Transfers,
        view: Callable[[str], MarketView],
        names: Iterable[str],
    ) -> None:
        self._positions = positions
        self._transfers = transfers
        self._view = view
        self._names = tuple(names)
        self._hands = asyncio.Lock()

    async def run(self, targets: tuple[Target, ...]) -> Report:
        """Work off the targets and merge what came of them into one report.

        Reductions, repairs and transfers go before anything that adds risk, and nothing is added
        after something broke or found no taker. The outcome is BROKEN if any hedge is, else BALANCED
        or FLAT for all that is held. An exception becomes a BROKEN report with its text.
        """
        async with self._hands:
            reports: list[Report] = []
            for target in sorted(targets, key=lambda t: t.purpose.adds_risk):
                if target.purpose.adds_risk and any(
                    r.outcome is Outcome.BROKEN or r.stalled for r in reports
                ):
                    continue
                reports.append(await self._try(target))
            return self._merge(reports)

    async def _try(self, target: Target) -> Report:
        try:
            if isinstance(target, HedgeTarget):
                return await self._positions.reach(target, self._view(target.instrument).pair, self._view)
            moved = await self._transfers.execute(target)
        except Exception as error:  # noqa: BLE001  the last line of defence: reported, never lost
            what = f"{target.purpose.value} failed: {type(error).__name__}: {error}"
            return Report(Outcome.BROKEN, what, errors=(what,))
        detail = f"{target.purpose.value} of {target.amount:f} {target.ccy}: {moved.status.value}"
        errors = () if moved.status is TransferStatus.DONE else (f"{detail}, {moved.message}",)
        return Report(self._standing(), detail, errors=errors)

    def _standing(self) -> Outcome:
        held = any(self._positions.holds(self._view(name).pair, self._view) for name in self._names)
        return Outcome.BALANCED if held else Outcome.FLAT

    def _merge(self, reports: list[Report]) -> Report:
        broken = any(r.outcome is Outcome.BROKEN for r in reports)
        return Report(
            Outcome.BROKEN if broken else self._standing(),
            "; ".join(r.detail for r in reports) or "nothing to do",
            sum(r.orders for r in reports),
            sum(r.rejects for r in reports),
            max((r.naked_ms for r in reports), default=0),
            tuple(e for r in reports for e in r.errors),
            broken and all(r.stalled for r in reports if r.outcome is Outcome.BROKEN),
        )
