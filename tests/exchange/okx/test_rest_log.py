"""When REST keeps its own door closed: an address that is shut out, a key that is refused."""

from __future__ import annotations

import pytest

from core.errors import AuthFailed, RateLimited, VenueDown
from exchange.okx.rest import OkxRest
from tests.exchange.okx.support import Answer, HttpVenue, StillClock
from tests.exchange.okx.test_rest import ACK, CONFIG, HTML, ORDER, ask, place

TIME = "/api/v5/public/time"
CAPTCHA = "<!DOCTYPE html><html>are you human?</html>"


async def tell_time(rest: OkxRest) -> int:
    return await rest.measure_offset(samples=1)


@pytest.mark.fault("RL3")
@pytest.mark.parametrize("status", [403, 200, 418])
async def test_after_a_page_of_the_edge_nothing_is_sent_for_a_minute(
    rest: OkxRest, venue: HttpVenue, clock: StillClock, status: int
) -> None:
    venue.script[ORDER] = Answer(text=CAPTCHA, status=status)
    venue.script[CONFIG] = venue.script[TIME] = Answer([{"uid": "1", "ts": str(clock.now)}])
    with pytest.raises(VenueDown):  # whether it arrived is not known
        await place(rest)
    sent = len(venue.asked)
    for call in (ask, place, tell_time):
        with pytest.raises(RateLimited) as error:
            await call(rest)
        assert error.value.retry_after_s <= 5  # so that whoever waits looks around meanwhile
    assert len(venue.asked) == sent
    assert rest.health_figures(clock.now).shut_out_until_ms == clock.now + 60_000
    clock.now += 60_000
    venue.now_ms = clock.now
    assert await ask(rest) == ["1"]


@pytest.mark.fault("RL3")
async def test_an_edge_that_stays_closed_is_tried_once_a_minute(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    venue.script[CONFIG] = Answer(text=CAPTCHA, status=403)
    for _ in range(600):  # ten minutes, asked every second
        with pytest.raises((VenueDown, RateLimited)):
            await ask(rest)
        clock.now += 1_000
        venue.now_ms = clock.now
    assert len(venue.asked) <= 11


async def test_a_gateway_that_fails_is_no_ban(rest: OkxRest, venue: HttpVenue, clock: StillClock) -> None:
    venue.script[CONFIG] = [Answer(text=HTML, status=502), Answer([{"uid": "1"}])]
    assert await ask(rest) == ["1"]
    assert rest.health_figures(clock.now).shut_out_until_ms == 0


@pytest.mark.fault("AU3", "AU5")
@pytest.mark.parametrize("code", ["50111", "50110", "50105", "50113", "50120"])
async def test_a_key_refused_three_times_rests_and_public_data_goes_on(
    rest: OkxRest, venue: HttpVenue, clock: StillClock, code: str
) -> None:
    venue.script[CONFIG] = venue.script[ORDER] = Answer(code=code, msg="no", status=401)
    venue.script[TIME] = Answer([{"ts": str(clock.now)}])
    for n in range(3):
        assert rest.health_figures(clock.now).key_refusals == n
        with pytest.raises(AuthFailed):
            await ask(rest)
    for call in (ask, place):
        with pytest.raises(AuthFailed, match="refused 3 times"):
            await call(rest)
    assert len(venue.asked) == 3
    await tell_time(rest)
    assert rest.health_figures(clock.now).key_refusals == 3  # an unsigned answer says nothing about the key
    venue.script[CONFIG] = Answer([{"uid": "7"}])
    rest.forgive_key()
    assert await ask(rest) == ["7"]


async def test_a_key_that_is_accepted_in_between_is_sound(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    no, yes = Answer(code="50113", msg="no", status=401), Answer([{"uid": "1"}])
    venue.script[CONFIG] = [no, no, yes, no, no, yes]
    for works in (False, False, True, False, False, True):
        if works:
            await ask(rest)
        else:
            with pytest.raises(AuthFailed):
                await ask(rest)


@pytest.mark.fault("AU1")
async def test_a_wrong_clock_is_no_refusal_of_the_key(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    venue.script[CONFIG] = Answer(code="50102", msg="expired", status=401)
    venue.script[TIME] = Answer([{"ts": str(clock.now)}])
    for _ in range(4):
        with pytest.raises(AuthFailed):
            await ask(rest)
    assert rest.health_figures(clock.now).key_refusals == 0


@pytest.mark.fault("RE13")
async def test_silence_is_dated_from_its_first_request_and_one_answer_ends_it(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    began = clock.now
    venue.script[CONFIG] = Answer(hang_up=True)
    with pytest.raises(VenueDown):
        await ask(rest)  # three tries
    clock.now += 20_000
    assert rest.health_figures(clock.now).failing_since_ms == began
    venue.script[ORDER] = Answer([ACK | {"sCode": "51008", "sMsg": "no"}], code="1")
    venue.now_ms = clock.now
    with pytest.raises(Exception, match="51008"):
        await place(rest)  # a refusal is an answer
    assert rest.health_figures(clock.now).failing_since_ms is None


async def test_one_failure_alone_is_no_silence(rest: OkxRest, venue: HttpVenue, clock: StillClock) -> None:
    venue.script[CONFIG] = [Answer(hang_up=True), Answer([{"uid": "1"}])]
    await ask(rest)
    assert rest.health_figures(clock.now).failing_since_ms is None


@pytest.mark.fault("RL1")
async def test_what_the_venue_found_too_many_is_counted(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    venue.script[ORDER] = Answer(code="50011", msg="Too many requests", status=429)
    with pytest.raises(RateLimited):
        await place(rest)
    assert rest.health_figures(clock.now).throttled_1m == 1
    assert rest.health_figures(clock.now + 60_001).throttled_1m == 0


async def test_an_old_round_trip_says_nothing_about_now(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    def slow(_: object) -> Answer:
        clock.now += 900
        return Answer([{"uid": "1"}])

    venue.script[CONFIG] = slow
    await ask(rest)
    assert rest.health_figures(clock.now + 600_000).latency_ms == 900
    assert rest.health_figures(clock.now + 600_001).latency_ms == 0
