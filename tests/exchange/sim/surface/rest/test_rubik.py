"""The history of open interest by REST."""

import pytest

from tests.exchange.sim.surface.client import Rest
from tests.exchange.sim.surface.scene import Scene
from tests.exchange.sim.surface.stub_venue import HOUR_MS, START_MS, D

PATH = "/rubik/stat/contracts/open-interest-history"
SWAP = "BTC-USDT-SWAP"


def test_rows_are_instant_contracts_coins_and_dollars_newest_first() -> None:
    rows = Rest().rows(PATH, instId=SWAP, period="1H", limit=2)
    assert rows == [[str(START_MS - n * HOUR_MS), "5000", "50", "3000000"] for n in range(2)]


def test_five_minutes_and_a_hundred_rows_unless_asked_otherwise() -> None:
    rows = Rest().rows(PATH, instId=SWAP, limit=999)
    assert len(rows) == 100 and int(rows[0][0]) - int(rows[1][0]) == 300_000


def test_begin_and_end_leave_out_their_own_instants() -> None:
    newest, oldest = START_MS - HOUR_MS, START_MS - 4 * HOUR_MS
    rows = Rest().rows(PATH, instId=SWAP, period="1H", begin=oldest, end=newest)
    assert [int(row[0]) for row in rows] == [START_MS - 2 * HOUR_MS, START_MS - 3 * HOUR_MS]


def test_it_reaches_back_1440_entries() -> None:
    rest = Rest()
    last = START_MS - 1439 * HOUR_MS
    assert [int(row[0]) for row in rest.rows(PATH, instId=SWAP, period="1H", end=last + 1)] == [last]
    assert rest.rows(PATH, instId=SWAP, period="1H", end=last) == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "50014"),
        ({"instId": "NO-USDT-SWAP"}, "51001"),
        ({"instId": "BTC-USDT"}, "51000"),
        ({"instId": SWAP, "period": "1m"}, "51000"),
        ({"instId": SWAP, "period": "1h"}, "51000"),
    ],
)
def test_what_it_does_not_have_is_refused(asked: dict[str, str], code: str) -> None:
    assert Rest().get(PATH, **asked)[1]["code"] == code


def test_its_newest_entry_is_the_open_interest_of_that_instant() -> None:
    scene = Scene()
    [row] = scene.rest.rows(PATH, instId=SWAP, period="5m", limit=1)
    market = scene.venue.markets[SWAP]
    assert int(row[0]) == market.ts_ms
    assert D(row[2]) == D(row[1]) * market.instrument.ct_val
    assert D(row[3]) == D(row[2]) * scene.venue.markets[SWAP].mark_bars(300_000, None, 1)[0].open
