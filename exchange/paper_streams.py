"""A dry run's streams: the venue's public ones, and the paper account told in place of a private one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from core.context import StreamHealth
from core.ports import Clock, Streams
from exchange.account_data import AccountData
from exchange.paper import PaperAccount

EVERY_S: Final = 5.0  # how often the venue itself repeats an account that only its prices change


class PaperStreams:
    """Implements core.ports.Streams around `public`."""

    def __init__(self, public: Streams, paper: PaperAccount, account: AccountData, clock: Clock) -> None:
        self._public, self._paper, self._account, self._clock = public, paper, account, clock
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._paper.on_change = self._account.replace
        self._telling = asyncio.create_task(self._tell(), name="paper account")
        await self._public.start()

    async def stop(self) -> None:
        """Raises what broke the telling, if anything did."""
        await self._public.stop()
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling

    def health(self) -> Mapping[str, StreamHealth]:
        return self._public.health()

    def renew(self, inst_id: str) -> None:
        self._public.renew(inst_id)

    @property
    def frames(self) -> int:
        return self._public.frames

    async def _tell(self) -> None:
        while True:
            self._account.replace(self._paper.snapshot())
            await self._clock.sleep(EVERY_S)
