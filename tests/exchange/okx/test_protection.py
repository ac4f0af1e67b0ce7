"""Stops: what is sent, what comes back, what each refusal means."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import VenueDown, VenueRejected
from core.ids import TAG
from core.protection import StopRecord, StopState
from core.types import Contracts, Side
from exchange.okx.protection import OkxProtection
from exchange.okx.rest import OkxRest
from tests.exchange.okx.house import stop
from tests.exchange.okx.support import Answer, Asked, HttpVenue

D = Decimal
PATH = "/api/v5/trade/order-algo"
CANCEL = "/api/v5/trade/cancel-algos"
PENDING = "/api/v5/trade/orders-algo-pending"
ACK = {"algoId": "12345", "algoClOrdId": "s1", "sCode": "0", "sMsg": ""}
ROW = {
    "instType": "SWAP",
    "instId": "BTC-USDT-SWAP",
    "algoId": "12345",
    "algoClOrdId": "s1",
    "ordType": "conditional",
    "ordId": "",
    "ordIdList": [],
    "side": "sell",
    "state": "live",
    "sz": "10",
    "slTriggerPx": "59000",
    "slTriggerPxType": "mark",
    "slOrdPx": "-1",
    "cTime": "1700000000500",
}
RECORD = StopRecord(
    "s1", "12345", "BTC-USDT-SWAP", Side.SELL, Contracts(D(10)), D(59000), StopState.LIVE, "", 1700000000500
)


@pytest.fixture
def protection(rest: OkxRest) -> OkxProtection:
    return OkxProtection(rest)


async def test_a_stop_waits_on_the_mark_reduces_only_and_goes_with_its_position(
    protection: OkxProtection, venue: HttpVenue
) -> None:
    venue.script[PATH] = Answer([ACK])
    assert await protection.place_stop(stop(Side.SELL, "59000.0")) == "12345"
    assert venue.asked[-1].body == {
        "instId": "BTC-USDT-SWAP",
        "tdMode": "isolated",
        "side": "sell",
        "ordType": "conditional",
        "sz": "10",
        "slTriggerPx": "59000.0",
        "slTriggerPxType": "mark",
        "slOrdPx": "-1",
        "reduceOnly": True,
        "cxlOnClosePos": True,
        "algoClOrdId": "s1",
        "tag": TAG,
        "attachAlgoOrds": [],
    }


async def test_a_refused_stop_is_a_refusal(protection: OkxProtection, venue: HttpVenue) -> None:
    refused = ACK | {"algoId": "", "sCode": "51058", "sMsg": "No available position"}
    venue.script[PATH] = Answer([refused], code="1")
    with pytest.raises(VenueRejected) as caught:
        await protection.place_stop(stop(Side.SELL, "59000"))
    assert caught.value.code == "51058"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(hang_up=True),
        Answer(status=502, text="<html>"),
        Answer([ACK | {"algoId": ""}]),
        Answer([ACK | {"sCode": "51065", "sMsg": "algoClOrdId already exists"}], code="1"),
    ],
)
async def test_a_stop_without_a_usable_answer_is_unknown_and_sent_once(
    protection: OkxProtection, venue: HttpVenue, answer: Answer
) -> None:
    venue.script[PATH] = answer
    with pytest.raises(VenueDown):
        await protection.place_stop(stop(Side.SELL, "59000"))
    assert venue.paths() == [PATH]


async def test_a_cancel_names_the_stop_by_our_id(protection: OkxProtection, venue: HttpVenue) -> None:
    venue.script[CANCEL] = [Answer([ACK]), Answer([ACK | {"sCode": "51400", "sMsg": "gone"}], code="1")]
    await protection.cancel_stop("BTC-USDT-SWAP", "s1")
    sent: object = venue.asked[-1].body
    assert sent == [{"instId": "BTC-USDT-SWAP", "algoClOrdId": "s1"}]
    with pytest.raises(VenueRejected):
        await protection.cancel_stop("BTC-USDT-SWAP", "s1")


async def test_a_stop_is_asked_for_by_our_id(protection: OkxProtection, venue: HttpVenue) -> None:
    venue.script[PATH] = Answer([ROW])
    assert await protection.stop("s1") == RECORD
    assert venue.asked[-1].query == {"algoClOrdId": "s1"}


@pytest.mark.parametrize(
    ("state", "means"),
    [
        ("live", StopState.LIVE),
        ("pause", StopState.LIVE),
        ("effective", StopState.EFFECTIVE),
        ("partially_effective", StopState.EFFECTIVE),
        ("order_placed", StopState.EFFECTIVE),
        ("canceled", StopState.CANCELED),
        ("order_failed", StopState.FAILED),
        ("partially_failed", StopState.FAILED),
    ],
)
async def test_what_became_of_a_stop(
    protection: OkxProtection, venue: HttpVenue, state: str, means: StopState
) -> None:
    venue.script[PATH] = Answer([ROW | {"state": state, "ordIdList": ["99"]}])
    told = await protection.stop("s1")
    assert told is not None and (told.state, told.ord_id) == (means, "99")


async def test_only_the_venue_can_say_that_there_is_no_such_stop(
    protection: OkxProtection, venue: HttpVenue
) -> None:
    venue.script[PATH] = [Answer(code="51603", msg="Order does not exist"), Answer(status=502, text="<html>")]
    assert await protection.stop("s1") is None
    with pytest.raises(VenueDown):
        await protection.stop("s1")


async def test_a_refused_question_is_not_absence(protection: OkxProtection, venue: HttpVenue) -> None:
    venue.script[PATH] = Answer(code="51000", msg="Parameter algoClOrdId error")
    with pytest.raises(VenueRejected, match="51000"):
        await protection.stop("s1")


async def test_a_state_nobody_knows_is_no_answer(protection: OkxProtection, venue: HttpVenue) -> None:
    venue.script[PATH] = Answer([ROW | {"state": "dreaming"}])
    with pytest.raises(VenueDown, match="dreaming"):
        await protection.stop("s1")


async def test_waiting_stops_are_read_through_all_pages_and_other_conditional_orders_left_out(
    protection: OkxProtection, venue: HttpVenue
) -> None:
    others: list[dict[str, object]] = [
        {"sz": "", "closeFraction": "1"},
        {"slTriggerPx": "", "slOrdPx": "", "tpTriggerPx": "70000", "tpOrdPx": "-1"},
        {"instType": "SPOT", "instId": "BTC-USDT"},
    ]
    rows = [ROW | {"algoId": str(150 - i)} | (others[i] if i < 3 else {}) for i in range(150)]

    def page(asked: Asked) -> Answer:
        older = [row for row in rows if int(str(row["algoId"])) < int(asked.query.get("after", "999"))]
        return Answer(older[: int(asked.query["limit"])])

    venue.script[PENDING] = page
    assert [int(one.algo_id) for one in await protection.stops()] == list(range(147, 0, -1))
    assert [asked.query.get("after") for asked in venue.asked] == [None, "51"]
    assert venue.asked[0].query["ordType"] == "conditional"
