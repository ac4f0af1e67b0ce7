"""Keeps the venue's dead man's switch alive while orders of ours may rest in its books.

Orders that fill at once or not at all never rest, so the switch stays off for them. It cancels what
rests when nobody renews it; it closes nothing, and concerns only orders with our tag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from core.errors import VenueError
from core.ports import Clock, Notifier

RENEWALS: Final = 3  # within one timeout: two may be missed before the venue acts
CONDITION: Final = "dead_man"


class Switch(Protocol):
    async def cancel_all_after(self, timeout_s: int) -> None:
        """Arm the switch, or disarm it with 0. Raises VenueError."""
        ...


class DeadMan:
    """Arm before an order rests (`guard`); renewed by `run` while `rests` says so, then switched off.

    A renewal that fails is told once, and once when they succeed again.
    """

    def __init__(
        self, switch: Switch, clock: Clock, notifier: Notifier, timeout_s: int, rests: Callable[[], bool]
    ) -> None:
        self._switch, self._clock, self._notifier = switch, clock, notifier
        self._timeout_s, self._rests = timeout_s, rests
        self._wanted = asyncio.Event()
        self._armed_ms: int | None = None  # when it was last renewed
        self._is_failing = False

    @property
    def is_armed(self) -> bool:
        return self._armed_ms is not None

    async def guard(self) -> None:
        """An order is about to rest: arm first. An order that waits without a switch is better than a
        hedge that waits for one, so a failure is told and not raised."""
        period_ms = self._timeout_s * 1000 // RENEWALS
        if self._armed_ms is None or self._clock.now_ms() - self._armed_ms >= period_ms:
            await self._renew()
        self._wanted.set()

    async def run(self) -> None:
        """Renew until cancelled; costs nothing while nothing rests."""
        while True:
            await self._wanted.wait()
            await self._clock.sleep(self._timeout_s / RENEWALS)
            if self._rests():
                await self._renew()
            else:
                self._wanted.clear()
                await self.disarm()

    async def disarm(self) -> None:
        """Switch off where nothing rests; an armed switch that stays behind cancels nothing but ours."""
        if self._rests():
            return
        if self._armed_ms is None:
            self._recovered()  # nothing rests, and nothing is armed: as it should be
            return
        try:
            await self._switch.cancel_all_after(0)
        except VenueError as error:
            self._missed(error)
        else:
            self._armed_ms = None
            self._recovered()

    async def _renew(self) -> None:
        try:
            await self._switch.cancel_all_after(self._timeout_s)
        except VenueError as error:
            self._missed(error)
        else:
            self._armed_ms = self._clock.now_ms()
            self._recovered()

    def _missed(self, error: VenueError) -> None:
        if not self._is_failing:
            self._is_failing = True
            fields = {"condition": CONDITION, "what": CONDITION, "detail": str(error)}
            self._notifier.tell("trouble", "warning", fields)

    def _recovered(self) -> None:
        if self._is_failing:
            self._is_failing = False
            self._notifier.tell("recovered", "info", {"condition": CONDITION, "what": CONDITION})
