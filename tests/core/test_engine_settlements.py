"""The engine at settlements: each has its tick, and its bills are read before anything is judged."""

from __future__ import annotations

import pytest

from core.events import On
from core.facts import Kind
from core.types import HOUR_MS
from tests.core.test_engine import Rig, play
from tests.fakes import START_MS


@pytest.mark.parametrize(
    ("scan_at_s", "armed"),
    [
        (-1, [HOUR_MS]),  # the quote is still of this settlement
        (2, [HOUR_MS]),  # its tick comes in 28 s, the quote is of the next one already
        (300, [HOUR_MS, 2 * HOUR_MS]),  # its tick was lost: no reason to miss the next one too
    ],
)
def test_the_next_settlement_is_armed_once_the_tick_of_this_one_has_come(
    scan_at_s: int, armed: list[int]
) -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.funding_ms = {"BTC-USDT": START_MS + HOUR_MS}
        rig.post(On.SCAN)
        await rig.settle()
        await rig.clock.sleep_until(START_MS + HOUR_MS + scan_at_s * 1000)
        if scan_at_s > 0:
            rig.world.funding_ms = {"BTC-USDT": START_MS + 2 * HOUR_MS}
        rig.post(On.SCAN)
        await rig.settle()
        assert sorted({at_ms - START_MS for at_ms in rig.quiet.armed}) == armed
        rig.engine.tick(On.SETTLE, "BTC-USDT")
        await rig.settle()
        assert rig.quiet.settled == [START_MS + armed[-1]]
        assert rig.quiet.armed[-1] == max(rig.world.funding_ms.values())

    play(scenario)


def test_a_settlement_is_booked_before_it_is_judged() -> None:
    async def scenario(rig: Rig) -> None:
        rig.engine.tick(On.SETTLE, "BTC-USDT")
        assert rig.journal.of(Kind.DECISION) == []
        await rig.settle()
        assert rig.quiet.errands == ["settle BTC-USDT"]
        [row] = rig.journal.of(Kind.DECISION)
        assert (row.body["on"], row.body["instrument"]) == ("settle", "BTC-USDT")

    play(scenario)
