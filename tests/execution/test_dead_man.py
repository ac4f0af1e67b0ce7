"""The venue's switch is on while an order of ours may rest, and off when nothing does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pytest

from core.events import Purpose
from core.types import OrderKind
from execution.dead_man import DeadMan
from execution.order_manager import OrderManager
from execution.orders import Rest
from tests.execution.bench import Bench
from tests.fakes import D

TIMEOUT_S = 30


class Told:
    def __init__(self) -> None:
        self.said: list[str] = []

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.said.append(topic)


class Guarded:
    def __init__(self) -> None:
        self.bench, self.told = Bench(), Told()
        bench = self.bench
        self.dead_man = DeadMan(bench.venue, bench.clock, self.told, TIMEOUT_S, lambda: bench.orders.rests())
        bench.orders = OrderManager(
            bench.venue, bench.journal, bench.clock, bench.settings.risk.execution, bench.gate, bench.books,
            lambda _: bench.pair, lambda *_: None, self.dead_man.guard,
        )  # fmt: skip
        bench.venue.sink = bench.orders

    async def make(self, wait_s: int) -> None:
        """Let a post-only order rest for so long, the switch's task beside it."""
        keeping = asyncio.create_task(self.dead_man.run())
        order = replace(self.bench.order(kind=OrderKind.POST_ONLY), limit_px=D(59_000))
        rest = Rest(D(wait_s), D(wait_s), lambda: False)
        await self.bench.orders.execute(order, "h1", Purpose.OPEN, self.bench.pair, rest)
        await self.bench.clock.sleep(TIMEOUT_S)
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def test_the_switch_is_armed_before_an_order_rests_renewed_and_switched_off() -> None:
    scene = Guarded()
    await scene.make(wait_s=25)
    assert scene.bench.venue.switched == [TIMEOUT_S, TIMEOUT_S, TIMEOUT_S, 0]
    assert not scene.dead_man.is_armed and scene.told.said == []


async def test_orders_that_never_rest_leave_it_off() -> None:
    scene = Guarded()
    order = scene.bench.order(kind=OrderKind.IOC)
    await scene.bench.orders.execute(order, "h1", Purpose.OPEN, scene.bench.pair)
    assert scene.bench.venue.switched == []


async def test_a_missed_renewal_is_told_once_and_its_end_once() -> None:
    scene = Guarded()
    scene.bench.venue.outages.extend([True])  # the arming itself
    await scene.make(wait_s=15)
    assert scene.told.said == ["trouble", "recovered"]
    assert scene.bench.venue.sent  # an order that waits without a switch goes out all the same


async def test_at_the_end_it_stays_on_while_something_rests() -> None:
    scene = Guarded()
    await scene.dead_man.guard()
    scene.dead_man._rests = lambda: True
    await scene.dead_man.disarm()
    assert scene.dead_man.is_armed and scene.bench.venue.switched == [TIMEOUT_S]
    scene.dead_man._rests = lambda: False
    await scene.dead_man.disarm()
    assert not scene.dead_man.is_armed and scene.bench.venue.switched == [TIMEOUT_S, 0]


@pytest.mark.parametrize("again_s", [0, 9])
async def test_several_orders_at_once_arm_it_once(again_s: int) -> None:
    scene = Guarded()
    await scene.dead_man.guard()
    await scene.bench.clock.sleep(again_s)
    await scene.dead_man.guard()
    assert scene.bench.venue.switched == [TIMEOUT_S]
