"""The REST client against a venue that checks signatures, refuses, breaks off and stalls."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.errors import AuthFailed, RateLimited, VenueDown, VenueRejected
from exchange.okx import wire
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.rest import THREADS, OkxRest
from exchange.okx.sdk import Sdk, iso_time
from tests.exchange.okx.stream_venue import eventually
from tests.exchange.okx.support import KEY, NOW_MS, Answer, Asked, HttpVenue, StillClock

ORDER = "/api/v5/trade/order"
CONFIG = "/api/v5/account/config"
TIME = "/api/v5/public/time"
HTML = "<html><body>502 Bad Gateway</body></html>"
ACK = {"ordId": "77", "clOrdId": "h1a", "sCode": "0", "sMsg": "Order placed"}


def uid(row: wire.Config) -> str:
    return row.uid or ""


async def ask(rest: OkxRest) -> list[str]:
    return await rest.read(rest.sdk.account.get_account_config, wire.Config, uid)


async def place(rest: OkxRest, **params: Any) -> str:
    order = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "ioc", "sz": "1"} | params
    return await rest.send(
        rest.sdk.trade.place_order, wire.Ack, lambda row: row.ord_id or "", scope="BTC-USDT", **order
    )


async def test_a_signed_read_is_accepted(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[CONFIG] = Answer([{"uid": "777", "something new": 1}])
    assert await ask(rest) == ["777"]
    assert venue.asked[0].headers["x-simulated-trading"] == "1"
    assert venue.asked[0].headers["ok-access-timestamp"] == iso_time(NOW_MS)


async def test_a_query_is_signed_as_it_is_sent(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[ORDER] = Answer([{"ordId": "5"}])
    rows = await rest.read(
        rest.sdk.trade.get_order, wire.Order, lambda row: row.ord_id, instId="BTC-USDT", clOrdId="h1a"
    )
    assert rows == ["5"]
    assert venue.asked[0].query == {"instId": "BTC-USDT", "clOrdId": "h1a"}


async def test_what_would_be_encoded_differently_than_signed_is_never_sent(
    rest: OkxRest, venue: HttpVenue
) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        await place(rest, clOrdId="a b")
    assert not venue.asked


async def test_unset_fields_of_a_post_are_not_sent(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[ORDER] = Answer([ACK])
    assert await place(rest, reduceOnly=True, px="") == "77"
    assert venue.asked[0].body == {
        "instId": "BTC-USDT",
        "tdMode": "cash",
        "side": "buy",
        "ordType": "ioc",
        "sz": "1",
        "reduceOnly": True,
    }


async def test_the_live_flag_is_said_explicitly(venue: HttpVenue, clock: StillClock) -> None:
    live = Endpoints(venue.endpoints.rest_url, "", demo=False)
    client = OkxRest(live, KEY, clock)
    venue.script[CONFIG] = Answer([{"uid": "1"}])
    await ask(client)
    await client.close()
    assert venue.asked[0].headers["x-simulated-trading"] == "0"


async def test_public_calls_do_not_carry_the_key(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[TIME] = Answer([{"ts": str(NOW_MS)}])
    await rest.measure_offset()
    assert all("ok-access-key" not in asked.headers for asked in venue.asked)


async def test_without_a_key_private_calls_are_refused_by_the_venue(
    venue: HttpVenue, clock: StillClock
) -> None:
    client = OkxRest(venue.endpoints, None, clock)
    with pytest.raises(AuthFailed):
        await ask(client)
    await client.close()


async def test_requests_are_signed_with_the_measured_time(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    venue.now_ms = NOW_MS + 45_000
    venue.script[TIME] = Answer([{"ts": str(venue.now_ms)}])
    venue.script[ORDER] = Answer([ACK])
    await rest.measure_offset()
    assert await place(rest) == "77"
    assert rest.health_figures(clock.now).clock_offset_ms == 45_000


async def test_a_refused_timestamp_is_mended_and_the_order_sent_once_more(
    rest: OkxRest, venue: HttpVenue
) -> None:
    venue.now_ms = NOW_MS - 90_000
    venue.script[TIME] = Answer([{"ts": str(venue.now_ms)}])
    venue.script[ORDER] = Answer([ACK])
    assert await place(rest) == "77"
    assert venue.paths() == [ORDER, TIME, TIME, TIME, ORDER]


async def test_a_clock_that_cannot_be_mended_is_not_tried_for_ever(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[TIME] = Answer([{"ts": str(NOW_MS)}])
    venue.script[ORDER] = Answer(code="50102", msg="Timestamp request expired", status=401)
    with pytest.raises(AuthFailed, match="50102"):
        await place(rest)
    assert venue.paths().count(ORDER) == 2


async def test_a_wrong_passphrase_stops_at_the_first_answer(venue: HttpVenue, clock: StillClock) -> None:
    client = OkxRest(venue.endpoints, Credentials(KEY.key, KEY.secret, "another"), clock)
    with pytest.raises(AuthFailed, match="50105"):
        await ask(client)
    await client.close()
    assert len(venue.asked) == 1


@pytest.mark.fault("RE4")
async def test_the_item_code_counts_although_the_top_says_success(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[ORDER] = Answer([ACK | {"ordId": "", "sCode": "51008", "sMsg": "Insufficient USDT balance"}])
    with pytest.raises(VenueRejected, match="Insufficient") as caught:
        await place(rest)
    assert caught.value.code == "51008"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(text=HTML, status=502),
        Answer(text="", status=503),
        Answer(code="50004", msg="Endpoint request timeout"),
        Answer(code="50026", msg="System error", status=500),
        Answer([ACK | {"sCode": "51149", "sMsg": "Order timed out"}], code="1"),
        Answer([ACK | {"sCode": "51016", "sMsg": "Client order ID already exists."}], code="1"),
        Answer([]),
        Answer([ACK, ACK]),
        Answer([], code="1", msg="All operations failed"),
        Answer(text='{"code":"0","data":[{"ordId":5}]}'),
        Answer(text='{"code":"0","data":{}}'),
        Answer(text='{"answer":42}'),
        Answer(hang_up=True),
    ],
    ids=lambda answer: answer.text or answer.code,
)
@pytest.mark.fault("RE1", "RE2", "RE3", "RE5")
async def test_an_order_without_a_clear_answer_is_unknown_and_sent_once(
    rest: OkxRest, venue: HttpVenue, answer: Answer
) -> None:
    venue.script[ORDER] = answer
    with pytest.raises(VenueDown):
        await place(rest)
    assert venue.paths() == [ORDER]


@pytest.mark.fault("RE1", "RE6")
async def test_an_order_whose_answer_does_not_come_is_unknown(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[ORDER] = Answer([ACK], stall=True)
    rest.sdk.trade.timeout = httpx.Timeout(0.1)
    with pytest.raises(VenueDown, match="ReadTimeout"):
        await place(rest)
    assert venue.paths() == [ORDER]


@pytest.mark.fault("RE13")
async def test_nobody_listening_is_an_unknown_outcome(clock: StillClock) -> None:
    client = OkxRest(Endpoints("http://127.0.0.1:1", "", demo=True), KEY, clock)
    with pytest.raises(VenueDown, match="ConnectError"):
        await place(client)
    await client.close()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(code="50011", msg="Too Many Requests", status=429),
        Answer(code="50011", msg="Too Many Requests", status=200),
        Answer(text="slow down", status=429),
    ],
)
async def test_too_many_requests_means_nothing_happened(
    rest: OkxRest, venue: HttpVenue, answer: Answer
) -> None:
    venue.script[ORDER] = answer
    with pytest.raises(RateLimited):
        await place(rest)
    assert venue.paths() == [ORDER]
    assert rest.health_figures(NOW_MS).rate_use_ratio > Decimal("0.9")  # the venue's count is believed


@pytest.mark.fault("RE3")
async def test_a_read_is_tried_again_after_trouble(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    venue.script[CONFIG] = [Answer(text=HTML, status=502), Answer(hang_up=True), Answer([{"uid": "777"}])]
    assert await ask(rest) == ["777"]
    assert clock.slept == [0.2, 1.0]


async def test_a_read_gives_up_after_three_tries(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[CONFIG] = Answer(text=HTML, status=502)
    with pytest.raises(VenueDown):
        await ask(rest)
    assert len(venue.asked) == 3


async def test_a_refused_read_is_not_tried_again(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[CONFIG] = Answer(code="51001", msg="Instrument ID does not exist")
    with pytest.raises(VenueRejected):
        await ask(rest)
    assert len(venue.asked) == 1


async def test_reads_and_orders_are_counted_for_health(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    venue.script[CONFIG] = Answer(text=HTML, status=502)
    venue.script[ORDER] = Answer([ACK | {"sCode": "51008", "sMsg": "no"}], code="1")
    with pytest.raises(VenueDown):
        await ask(rest)
    with pytest.raises(VenueRejected):
        await place(rest)
    now = rest.health_figures(clock.now)
    assert (now.requests, now.errors_1m, now.rejects_1m) == (4, 3, 1)
    later = rest.health_figures(clock.now + 60_001)
    assert (later.requests, later.errors_1m, later.rejects_1m) == (4, 0, 0)


async def test_the_busiest_order_bucket_is_reported(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    venue.script[ORDER] = Answer([ACK])
    assert rest.health_figures(clock.now).rate_use_ratio == 0
    await place(rest)
    assert Decimal(0) < rest.health_figures(clock.now).rate_use_ratio < Decimal("0.1")


async def test_latency_is_the_median_round_trip(rest: OkxRest, venue: HttpVenue, clock: StillClock) -> None:
    def slow(_: Asked) -> Answer:
        clock.now += 40
        return Answer([{"uid": "1"}])

    venue.script[CONFIG] = slow
    await ask(rest)
    assert rest.health_figures(clock.now).latency_ms == 40


async def test_the_offset_is_that_of_the_fastest_sample_at_its_middle(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    legs_ms = iter([(0, 300), (50, 50), (400, 0)])

    def tell(_: Asked) -> Answer:
        there_ms, back_ms = next(legs_ms)
        clock.now += there_ms
        venue_ms = clock.now + 1_000
        clock.now += back_ms
        return Answer([{"ts": str(venue_ms)}])

    venue.script[TIME] = tell
    assert await rest.measure_offset() == 1_000


@pytest.mark.fault("RE7")
async def test_slow_queries_do_not_hold_up_an_order(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[CONFIG] = Answer(stall=True)
    venue.script[ORDER] = Answer([ACK])
    queries = [asyncio.create_task(ask(rest)) for _ in range(THREADS)]
    await eventually(lambda: len(venue.asked) == THREADS)
    assert await place(rest) == "77"
    assert rest.health_figures(NOW_MS).errors_1m == 0  # no query had to be given up first
    venue.script[CONFIG] = Answer([{"uid": "1"}])
    venue.released.set()
    assert await asyncio.gather(*queries) == [["1"]] * THREADS


def test_orders_are_given_up_sooner_than_queries(venue: HttpVenue, clock: StillClock) -> None:
    sdk = Sdk(venue.endpoints, KEY, clock.now_ms)
    assert (sdk.trade.timeout.connect, sdk.trade.timeout.read) == (2, 3)
    assert (sdk.account.timeout.connect, sdk.account.timeout.read) == (3, 5)
    sdk.close()


@pytest.mark.fault("SE1")
async def test_no_secret_shows_in_reprs_or_errors(rest: OkxRest, venue: HttpVenue) -> None:
    venue.script[ORDER] = Answer(text=HTML, status=502)
    with pytest.raises(VenueDown) as caught:
        await place(rest)
    shown = f"{rest!r} {rest.sdk!r} {rest.sdk.trade!r} {KEY!r} {caught.value!r} {caught.getrepr()}"
    assert "canary" not in shown


async def test_proxies_of_the_environment_are_ignored(
    venue: HttpVenue, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client = OkxRest(venue.endpoints, KEY, clock)
    venue.script[CONFIG] = Answer([{"uid": "777"}])
    assert await ask(client) == ["777"]
    await client.close()


def test_the_signature_time_has_milliseconds_and_a_z() -> None:
    assert iso_time(1_767_604_137_007) == "2026-01-05T09:08:57.007Z"
