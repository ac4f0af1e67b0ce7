"""The loopback venue and a client on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from exchange.okx.rest import OkxRest
from tests.exchange.okx.support import KEY, HttpVenue, StillClock, http_venue


@pytest.fixture
def venue() -> Iterator[HttpVenue]:
    with http_venue() as running:
        yield running


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def rest(venue: HttpVenue, clock: StillClock) -> AsyncIterator[OkxRest]:
    client = OkxRest(venue.endpoints, KEY, clock)
    yield client
    venue.released.set()
    await client.close()
