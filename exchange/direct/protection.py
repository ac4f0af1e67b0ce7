"""The Protection port on a venue in this process."""

from __future__ import annotations

from collections.abc import Callable

from core.ids import TAG
from core.protection import StopRecord, StopRequest
from exchange.direct import words
from exchange.direct.desk import refusals
from exchange.okx.errors import ALREADY_OVER, refusal
from exchange.sim.algo_model import AlgoOrder, Trigger
from exchange.sim.model import AccountState
from exchange.sim.seam import AlgoParams, Venue


class DirectProtection:
    """Places and reads stops by plain calls; `after` as in DirectTrading."""

    def __init__(self, venue: Venue, account: AccountState, after: Callable[[], object]) -> None:
        self._venue, self._account, self._after = venue, account, after

    async def place_stop(self, stop: StopRequest) -> str:
        params = AlgoParams(
            inst_id=stop.inst_id,
            td_mode="isolated",
            side=stop.side.value,
            kind="conditional",
            size=stop.size,
            cl_id=stop.cl_id,
            tag=TAG,
            reduce_only=True,
            with_position=True,
            stop_loss=Trigger(stop.trigger_px, "mark", None),
        )
        with refusals():
            placed = self._venue.place_algo(self._account, params)
        self._after()
        return placed.algo_id

    async def cancel_stop(self, inst_id: str, cl_id: str) -> None:
        algo = self._find(cl_id)
        if algo is None or algo.inst_id != inst_id:
            raise refusal(ALREADY_OVER, "Order cancellation failed as the order does not exist.")
        with refusals():
            self._venue.cancel_algo(self._account, algo)
        self._after()

    async def stop(self, cl_id: str) -> StopRecord | None:
        algo = self._find(cl_id)
        return None if algo is None else words.stop(algo)

    async def stops(self) -> tuple[StopRecord, ...]:
        newest_first = reversed(self._account.open_algos.values())
        return tuple(words.stop(algo) for algo in newest_first if self._is_stop(algo))

    def _is_stop(self, algo: AlgoOrder) -> bool:
        """Of the shape `stops` tells of; see core.protection.Protection."""
        arm, is_swap = algo.stop_loss, self._venue.instruments[algo.inst_id].is_swap
        at_market = arm is not None and arm.order_px is None
        return algo.kind == "conditional" and is_swap and at_market and algo.size is not None

    def _find(self, cl_id: str) -> AlgoOrder | None:
        """The newest that carried the id."""
        return next((one for one in reversed(self._account.algos.values()) if one.cl_id == cl_id), None)
