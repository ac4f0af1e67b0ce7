"""A thread beside the engine with an event loop on real time, for services that talk to people."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence

log = logging.getLogger(__name__)

Service = Callable[[asyncio.Event], Awaitable[None]]  # runs until the event is set


class SideThread:
    """Runs services between `start` and `stop`. One that fails is logged and takes nothing with it."""

    def __init__(self, name: str, services: Sequence[Service], redact: Callable[[str], str] = str) -> None:
        self._services, self._redact = services, redact
        self._thread = threading.Thread(target=self._open, name=name, daemon=True)
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def stop(self, patience_s: float) -> None:
        """Ask the services to end and wait for at most so many real seconds. Blocks."""
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._over.set)
            self._thread.join(patience_s)

    def _open(self) -> None:
        asyncio.run(self._work())

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(self._serve(service)) for service in self._services]
        self._started.set()
        await asyncio.gather(*tasks)
        self._loop = None

    async def _serve(self, service: Service) -> None:
        try:
            await service(self._over)
        except Exception as error:  # noqa: BLE001  # whatever ails it, the engine beside it goes on
            log.error("%s", self._redact(f"service_failed service={service!r} error={error!r}"))
