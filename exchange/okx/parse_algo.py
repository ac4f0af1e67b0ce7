"""Orders that wait for a price, as the venue tells them, to the engine's stops. Pure; raises BadPayload."""

from __future__ import annotations

from typing import Final

from core.protection import StopRecord, StopState
from core.types import Contracts, Side
from exchange.okx import wire
from exchange.okx.fields import millis, one_of, positive, word

AT_MARKET: Final = "-1"  # the venue's word for an order price
_SIDES: Final = {side.value: side for side in Side}
STATES: Final = {
    "live": StopState.LIVE,
    "pause": StopState.LIVE,
    "partially_effective": StopState.EFFECTIVE,
    "effective": StopState.EFFECTIVE,
    "order_placed": StopState.EFFECTIVE,
    "filled": StopState.EFFECTIVE,
    "canceled": StopState.CANCELED,
    "order_failed": StopState.FAILED,
    "partially_failed": StopState.FAILED,
}


def stop(row: wire.Algo) -> StopRecord:
    return StopRecord(
        cl_id=row.algo_cl_ord_id or "",
        algo_id=word("algoId", row.algo_id, row),
        inst_id=word("instId", row.inst_id, row),
        side=one_of("side", row.side, _SIDES, row),
        size=Contracts(positive("sz", row.sz, row)),
        trigger_px=positive("slTriggerPx", row.sl_trigger_px, row),
        state=one_of("state", row.state, STATES, row),
        ord_id=row.ord_id or next(iter(row.ord_id_list or []), ""),
        created_ms=millis("cTime", row.c_time, row),
    )


def listed(row: wire.Algo) -> tuple[str, StopRecord | None]:
    """Read one row of a list: its id, and the stop it is. None for a conditional order of another shape."""
    is_stop = row.inst_type == "SWAP" and row.sl_trigger_px and row.sl_ord_px == AT_MARKET and row.sz
    return word("algoId", row.algo_id, row), stop(row) if is_stop else None
