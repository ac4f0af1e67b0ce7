"""Closed candles of many markets and lengths by push, so that none has to be asked for once it has closed.

The venue pushes a forming candle up to once a second; what is not confirmed is passed over before its prices
are read. Subscriptions are dealt out over as many connections as the venue's 64 KB of them per connection ask
for, and a connection takes all of its own in one operation. What was missed while one was away is not made up
for here: whoever keeps the candles sees the hole.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from core.context import StreamHealth
from core.errors import BadPayload
from core.ports import Clock
from core.types import Candle
from exchange.okx import parse_market, wire
from exchange.okx.endpoints import Endpoints
from exchange.okx.market import BARS
from exchange.okx.session import Connect, StreamTimes, WebSocket
from exchange.okx.stream import Stream

A_CONNECTION: Final = 800  # subscriptions; an argument is 60 characters long at most, of 64 KB in all
CONFIRMED: Final = "1"
_CONFIRM_AT: Final = 8
_ROWS: Final = msgspec.json.Decoder(list[wire.CandleRow])
_WORDS: Final = {f"candle{theirs}": ours for ours, theirs in BARS.items() if ours != "D"}  # 1D is the same


class OkxCandles:
    """Pushes to `on_candle`: the market's id, the engine's word for the length, the candle that closed.

    wanted      (market's id, length) pairs; lengths as the Market port names them.
    on_trouble  told in words; a row that cannot be read is skipped.
    silence_s   as in OkxStreams.

    Raises ValueError for a length the venue has no channel for.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        wanted: Iterable[tuple[str, str]],
        on_candle: Callable[[str, str, Candle], None],
        clock: Clock,
        on_trouble: Callable[[str], None],
        silence_s: Callable[[], float] | None = lambda: 20.0,
        *,
        times: StreamTimes | None = None,
        seed: int = 0,
        connect: Connect = WebSocket.open,
        a_connection: int = A_CONNECTION,
    ) -> None:
        wanted = tuple(dict.fromkeys(wanted))
        channels = {ours: channel for channel, ours in _WORDS.items()}
        if unknown := sorted({bar for _, bar in wanted} - channels.keys()):
            raise ValueError(f"candles of {', '.join(unknown)}, allowed: {', '.join(channels)}")
        self._on_candle = on_candle
        self._wanted = frozenset(wanted)
        args = [{"channel": channels[bar], "instId": inst_id} for inst_id, bar in wanted]
        rng = random.Random(seed)
        self._streams = [
            Stream(
                f"candles {number}",
                f"{endpoints.stream_url}/business",
                args[first : first + a_connection],
                self._route,
                clock,
                rng,
                replace(times or StreamTimes(), ping_after_s=silence_s),
                on_trouble,
                connect,
            )
            for number, first in enumerate(range(0, len(args), a_connection), 1)
        ]

    async def start(self) -> None:
        """Start all connections; return when each is live or has failed once (it goes on trying).

        One after the other: the venue takes three new ones a second.
        """
        for stream in self._streams:
            stream.start()
            await stream.tried.wait()

    async def stop(self) -> None:
        for stream in self._streams:
            await stream.stop()

    def health(self) -> Mapping[str, StreamHealth]:
        return {stream.name: stream.health() for stream in self._streams}

    @property
    def frames(self) -> int:
        """Frames received in total, all connections."""
        return sum(stream.frames for stream in self._streams)

    def _route(self, frame: wire.Frame) -> None:
        channel, inst_id = (frame.arg.channel, frame.arg.inst_id or "") if frame.arg else ("", "")
        bar = _WORDS.get(channel, "")
        if (inst_id, bar) not in self._wanted:
            raise BadPayload(f"a push of a channel never asked for: {channel!r} of {inst_id!r}")
        try:
            rows = _ROWS.decode(frame.data)
        except msgspec.DecodeError as exc:
            raise BadPayload(f"{channel}: {exc} in {bytes(frame.data)!r:.600}") from exc
        unreadable: BadPayload | None = None
        for row in rows:
            if len(row) > _CONFIRM_AT and row[_CONFIRM_AT] != CONFIRMED:
                continue
            try:
                self._on_candle(inst_id, bar, parse_market.candle(row, inst_id))
            except BadPayload as exc:
                unreadable = exc  # the rows after it still count
        if unreadable is not None:
            raise unreadable
