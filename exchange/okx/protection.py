"""The Protection port on OKX: stops by its endpoints for orders that wait for a price."""

from __future__ import annotations

from typing import Final

from core.errors import VenueRejected
from core.ids import TAG
from core.protection import StopRecord, StopRequest
from exchange.okx import parse_algo as parse
from exchange.okx import wire
from exchange.okx.errors import NO_SUCH_ORDER
from exchange.okx.fields import plain, word
from exchange.okx.paging import all_pages
from exchange.okx.rest import OkxRest
from exchange.okx.trading import ISOLATED

CONDITIONAL: Final = "conditional"


class OkxProtection:
    """Errors as in core.protection.Protection. Needs credentials and an account in net position mode."""

    def __init__(self, rest: OkxRest) -> None:
        self._rest = rest

    async def place_stop(self, stop: StopRequest) -> str:
        """Send one stop; return the venue's id. A client id that waits already raises VenueDown: ask."""
        return await self._rest.send(
            self._rest.sdk.trade.place_algo_order,
            wire.AlgoAck,
            _algo_id,
            scope=stop.inst_id,
            instId=stop.inst_id,
            tdMode=ISOLATED,
            side=stop.side.value,
            ordType=CONDITIONAL,
            sz=plain(stop.size),
            slTriggerPx=plain(stop.trigger_px),
            slTriggerPxType="mark",
            slOrdPx=parse.AT_MARKET,
            reduceOnly=True,
            # Without it a stop may outlive its position, and close a part of the next one
            cxlOnClosePos=True,
            algoClOrdId=stop.cl_id,
            tag=TAG,
        )

    async def cancel_stop(self, inst_id: str, cl_id: str) -> None:
        await self._rest.send(
            self._rest.sdk.trade.cancel_algo_order,
            wire.AlgoAck,
            _algo_id,
            scope=inst_id,
            orders_data=[{"instId": inst_id, "algoClOrdId": cl_id}],
        )

    async def stop(self, cl_id: str) -> StopRecord | None:
        try:
            return await self._rest.read_one(
                self._rest.sdk.trade.get_algo_order_details, wire.Algo, parse.stop, algoClOrdId=cl_id
            )
        except VenueRejected as exc:
            if exc.code == NO_SUCH_ORDER:
                return None
            raise

    async def stops(self) -> tuple[StopRecord, ...]:
        rows = await all_pages(
            self._rest,
            self._rest.sdk.trade.order_algos_list,
            wire.Algo,
            parse.listed,
            lambda one: one[0],
            ordType=CONDITIONAL,
        )
        return tuple(stop for _, stop in rows if stop is not None)


def _algo_id(row: wire.AlgoAck) -> str:
    return word("algoId", row.algo_id, row)
