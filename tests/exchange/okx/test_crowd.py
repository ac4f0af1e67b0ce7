"""What the crowd holds, hour by hour: paged, oldest first, and never the hour that is not over."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import VenueDown
from core.types import HOUR_MS
from exchange.okx.crowd import OkxCrowd
from exchange.okx.rest import OkxRest
from tests.exchange.okx.support import NOW_MS, Answer, Asked, HttpVenue

D = Decimal
INTEREST = "/api/v5/rubik/stat/contracts/open-interest-history"
RATIO = "/api/v5/rubik/stat/contracts/long-short-account-ratio"
THIS_HOUR_MS = NOW_MS // HOUR_MS * HOUR_MS


def hours(count: int) -> list[int]:
    """When the newest hours began, newest first; the first of them is not over."""
    return [THIS_HOUR_MS - n * HOUR_MS for n in range(count)]


async def test_open_interest_is_paged_and_comes_oldest_first_in_coins(
    rest: OkxRest, venue: HttpVenue
) -> None:
    def answer(asked: Asked) -> Answer:
        begin, end = int(asked.query["begin"]), int(asked.query["end"])
        rows = [[str(at), "900", f"{at // HOUR_MS}.5", "1"] for at in hours(400) if begin < at < end]
        return Answer(rows[: int(asked.query["limit"])])

    venue.script[INTEREST] = answer
    since_ms = THIS_HOUR_MS - 250 * HOUR_MS
    found = await OkxCrowd(rest).open_interest_hours("BTC-USDT-SWAP", since_ms)
    assert [at for at, _ in found] == list(range(since_ms, THIS_HOUR_MS, HOUR_MS))
    assert found[0][1] == D(f"{since_ms // HOUR_MS}.5")
    assert len(venue.asked) == 3 and venue.asked[0].query["period"] == "1H"


async def test_the_ratio_is_asked_for_by_coin(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[RATIO] = Answer([[str(at), "1.25"] for at in hours(5)])
    found = await OkxCrowd(rest).long_short_hours("BTC", THIS_HOUR_MS - 3 * HOUR_MS)
    assert [at for at, _ in found] == [THIS_HOUR_MS - n * HOUR_MS for n in (3, 2, 1)]
    assert {ratio for _, ratio in found} == {D("1.25")}
    assert venue.asked[0].query["ccy"] == "BTC" and venue.asked[0].query["period"] == "1H"


async def test_a_venue_that_repeats_itself_is_not_asked_for_ever(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[INTEREST] = Answer([[str(at), "9", "8", "1"] for at in hours(100)])
    found = await OkxCrowd(rest).open_interest_hours("BTC-USDT-SWAP", 0)
    assert len(found) == 99 and len(venue.asked) == 2


@pytest.mark.parametrize("row", [["1"], ["x", "1", "2"], ["1", "1", ""]])
async def test_what_cannot_be_read_is_no_answer(rest: OkxRest, venue: HttpVenue, row: list[str]) -> None:
    venue.script[INTEREST] = Answer([row])
    venue.script[RATIO] = Answer([row[:1]])
    with pytest.raises(VenueDown):
        await OkxCrowd(rest).open_interest_hours("BTC-USDT-SWAP", 0)
    with pytest.raises(VenueDown):
        await OkxCrowd(rest).long_short_hours("BTC", 0)
