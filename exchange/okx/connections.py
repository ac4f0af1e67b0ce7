"""The connections of one account: made alike, started, stopped and watched together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.context import StreamHealth
from core.ports import Clock
from exchange.okx import wire
from exchange.okx.endpoints import Endpoints
from exchange.okx.session import Arg, Connect, StreamTimes
from exchange.okx.stream import Stream


class Connections:
    """Each is supervised by itself (stream.py); they share one patience and one jitter.

    on_trouble  told in words, for journal and notifier; a row that cannot be read is skipped.
    silence_s   says after how much silence a text ping goes out; None for a venue on a leaping clock,
                which is never pinged: there silence and deadlines mean nothing.
    seed        of the jitter between attempts.
    label       put before the name of each, where somebody reads of several accounts' connections.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        clock: Clock,
        on_trouble: Callable[[str], None],
        silence_s: Callable[[], float] | None,
        times: StreamTimes,
        connect: Connect,
        seed: int,
        label: str = "",
    ) -> None:
        self._endpoints, self._clock, self._on_trouble = endpoints, clock, on_trouble
        self._times, self._connect = replace(times, ping_after_s=silence_s), connect
        self._rng = random.Random(seed)
        self._label = label
        self._streams: list[Stream] = []

    def add(
        self, path: str, args: Iterable[Arg], on_push: Callable[[wire.Frame], None], **private: Any
    ) -> Stream:
        """Make one to /public, /business or /private; it is not started yet."""
        stream = Stream(
            f"{self._label}{path}",
            f"{self._endpoints.stream_url}/{path}",
            tuple(args),
            on_push,
            self._clock,
            self._rng,
            self._times,
            self._on_trouble,
            self._connect,
            **private,
        )
        self._streams.append(stream)
        return stream

    @property
    def frames(self) -> int:
        """Frames received in total."""
        return sum(stream.frames for stream in self._streams)

    async def start(self) -> None:
        """Start all; return when each is live or has failed once (it goes on trying)."""
        for stream in self._streams:
            stream.start()
        await asyncio.gather(*(stream.tried.wait() for stream in self._streams if stream.is_wanted))

    async def stop(self) -> None:
        await asyncio.gather(*(stream.stop() for stream in self._streams))

    def health(self) -> Mapping[str, StreamHealth]:
        """By name; one that is to carry nothing at present is left out."""
        return {stream.name: stream.health() for stream in self._streams if stream.is_wanted}
