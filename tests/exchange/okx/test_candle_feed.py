"""Candles by push: what closed arrives under the engine's words, what is forming does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.types import Candle
from exchange.okx.candle_feed import OkxCandles
from exchange.okx.endpoints import Endpoints
from exchange.okx.session import StreamTimes
from tests.exchange.okx.stream_venue import StreamVenue, eventually
from tests.exchange.okx.support import StillClock

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
WANTED = [(SPOT, "1H"), (SPOT, "1D"), (SWAP, "5m"), (SPOT, "1H")]


def row(ts_ms: int, confirm: str = "1", close: str = "2") -> list[str]:
    return [str(ts_ms), "1", "3", "1", close, "500", "5", "1000", confirm]


class Desk:
    def __init__(self, venue: StreamVenue, clock: StillClock, a_connection: int) -> None:
        self.seen: list[tuple[str, str, Candle]] = []
        self.troubles: list[str] = []
        self.feed = OkxCandles(
            venue.endpoints,
            WANTED,
            lambda inst_id, bar, candle: self.seen.append((inst_id, bar, candle)),
            clock,
            self.troubles.append,
            silence_s=None,
            times=StreamTimes(answer_within_s=1.0),
            a_connection=a_connection,
        )


@asynccontextmanager
async def running(venue: StreamVenue, clock: StillClock, a_connection: int = 800) -> AsyncIterator[Desk]:
    desk = Desk(venue, clock, a_connection)
    await desk.feed.start()
    try:
        yield desk
    finally:
        await desk.feed.stop()


@pytest.fixture
async def venue() -> AsyncIterator[StreamVenue]:  # type: ignore[override]
    async with StreamVenue() as started:
        yield started


async def test_every_candle_is_subscribed_once_in_one_operation(
    venue: StreamVenue, clock: StillClock
) -> None:
    async with running(venue, clock) as desk:
        assert venue.line("business").subscribed == [
            {"channel": "candle1H", "instId": SPOT},
            {"channel": "candle1Dutc", "instId": SPOT},
            {"channel": "candle5m", "instId": SWAP},
        ]
        assert venue.line("business").ops() == ["subscribe"]
        assert [health.live for health in desk.feed.health().values()] == [True]


async def test_subscriptions_are_dealt_out_over_connections(venue: StreamVenue, clock: StillClock) -> None:
    async with running(venue, clock, a_connection=2) as desk:
        assert [len(line.subscribed) for line in venue.lines] == [2, 1]
        assert list(desk.feed.health()) == ["candles 1", "candles 2"]


async def test_only_what_has_closed_arrives_with_the_volume_in_coins(
    venue: StreamVenue, clock: StillClock
) -> None:
    async with running(venue, clock) as desk:
        line = venue.line("business")
        await line.push("candle1H", SPOT, [row(3_600_000, "0"), row(0)])
        await line.push("candle5m", SWAP, [row(0)])
        await line.push("candle1Dutc", SPOT, [row(0)])
        await eventually(lambda: len(desk.seen) == 3)
        assert [(inst_id, bar) for inst_id, bar, _ in desk.seen] == [(SPOT, "1H"), (SWAP, "5m"), (SPOT, "1D")]
        assert all(candle.closed and candle.ts_ms == 0 for _, _, candle in desk.seen)
        assert [int(candle.volume) for _, _, candle in desk.seen] == [500, 5, 500]
        assert not desk.troubles


async def test_what_cannot_be_read_is_told_and_what_follows_still_counts(
    venue: StreamVenue, clock: StillClock
) -> None:
    async with running(venue, clock) as desk:
        line = venue.line("business")
        await line.push("candle1H", SPOT, [row(0, close="nothing"), ["1"], row(3_600_000)])
        await line.push("candle3m", SPOT, [row(0)])
        await line.push("candle1H", SPOT, [row(7_200_000)])
        await eventually(lambda: len(desk.seen) == 2)
        assert [candle.ts_ms for _, _, candle in desk.seen] == [3_600_000, 7_200_000]
        assert any("never asked for: 'candle3m'" in trouble for trouble in desk.troubles)
        assert venue.count("business") == 1


def test_a_length_without_a_channel_is_refused(clock: StillClock) -> None:
    endpoints = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1/ws/v5", demo=True)
    with pytest.raises(ValueError, match="candles of 2H, D, allowed: 1m, 3m, 5m, 15m, 1H, 4H, 1D"):
        OkxCandles(endpoints, [(SPOT, "2H"), (SPOT, "D")], lambda *_: None, clock, lambda _: None)
