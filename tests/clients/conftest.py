from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.clients.house import House, Punctual, ccxt_client, ccxt_pro_client, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as house:
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[Any]:
    """ccxt for the demo account."""
    async with ccxt_client(house) as client:
        await client.load_markets()
        yield client


@pytest.fixture
async def pro(house: House) -> AsyncIterator[Punctual]:
    """ccxt.pro for the demo account."""
    async with ccxt_pro_client(house) as client:
        await client.load_markets()
        yield client
