"""The venue's history: pages to windows, what a row must be, and how long an answer is waited for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.errors import VenueDown, VenueRejected
from exchange.okx.history import PATIENCE_S, OkxHistory, Series
from exchange.okx.rest import OkxRest
from tests.exchange.okx.support import Answer, Asked, HttpVenue, StillClock

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
T0 = 1_767_571_200_000
SWAP = "BTC-USDT-SWAP"
PERP = Series("perp", SWAP, "1m", MINUTE_MS)
CANDLES = "/api/v5/market/history-candles"


@pytest.fixture
def history(rest: OkxRest, clock: StillClock) -> OkxHistory:
    return OkxHistory(rest, clock)


def candle_at(ts_ms: int, confirm: str = "1") -> list[str]:
    return [str(ts_ms), "60000.10", "60100", "59900", "60050", "250", "2.50", "150125", confirm]


def past(
    times: list[int],
    most: int = 300,
    row: Callable[[int], object] = candle_at,
    words: tuple[str, str] = ("before", "after"),
) -> Callable[[Asked], Answer]:
    """A venue that has these instants, and gives a page of `most`."""

    def answer(asked: Asked) -> Answer:
        newer, older = int(asked.query[words[0]]), int(asked.query[words[1]])
        kept = [at for at in sorted(times, reverse=True) if newer < at < older]
        return Answer([row(at) for at in kept[: min(most, int(asked.query["limit"]))]])

    return answer


def minutes(*numbers: int) -> list[int]:
    return [T0 + n * MINUTE_MS for n in numbers]


async def test_a_window_is_one_question_and_comes_oldest_first(history: OkxHistory, venue: HttpVenue) -> None:
    venue.script[CANDLES] = past(minutes(*range(-400, 400)))
    rows = await history.window(PERP, T0, T0 + history.window_ms(PERP))
    assert [row.ts_ms for row in rows] == minutes(*range(300))
    assert len(venue.asked) == 1
    assert venue.asked[0].query["bar"] == "1m"


async def test_a_page_shorter_than_promised_is_asked_on(history: OkxHistory, venue: HttpVenue) -> None:
    venue.script[CANDLES] = past(minutes(*range(300)), most=100)
    rows = await history.window(PERP, T0, T0 + 300 * MINUTE_MS)
    assert [row.ts_ms for row in rows] == minutes(*range(300))


async def test_a_swap_keeps_its_coins_and_the_digits_it_came_in(
    history: OkxHistory, venue: HttpVenue
) -> None:
    venue.script[CANDLES] = past(minutes(0))
    [row] = await history.window(PERP, T0, T0 + MINUTE_MS)
    assert row.cells == ("60000.10", "60100", "59900", "60050", "2.50")
    [spot] = await history.window(Series("spot", "BTC-USDT", "1m", MINUTE_MS), T0, T0 + MINUTE_MS)
    assert spot.cells[-1] == "250"


async def test_a_bar_that_is_still_forming_is_left_out(history: OkxHistory, venue: HttpVenue) -> None:
    venue.script[CANDLES] = Answer([candle_at(T0 + MINUTE_MS, "0"), candle_at(T0)])
    assert [row.ts_ms for row in await history.window(PERP, T0, T0 + 2 * MINUTE_MS)] == [T0]


async def test_where_a_market_begins_is_found_in_few_questions(history: OkxHistory, venue: HttpVenue) -> None:
    year = 365 * 24 * 60
    venue.script[CANDLES] = past(minutes(*range(year - 1000, year)))
    begin_ms = await history.begin_ms(PERP, T0, T0 + year * MINUTE_MS)
    first_ms = T0 + (year - 1000) * MINUTE_MS
    assert begin_ms is not None and first_ms - history.window_ms(PERP) < begin_ms <= first_ms
    assert len(venue.asked) < 20
    assert await history.begin_ms(PERP, T0, first_ms) is None


async def test_every_kind_is_asked_at_its_own_place(history: OkxHistory, venue: HttpVenue) -> None:
    venue.script["/api/v5/market/history-mark-price-candles"] = past(
        [T0], row=lambda at: [str(at), "1", "2", "0.5", "1.5", "1"]
    )
    venue.script["/api/v5/public/funding-rate-history"] = past(
        [T0, T0 + 8 * HOUR_MS],
        row=lambda at: {
            "fundingTime": str(at),
            "fundingRate": "0.0002",
            "realizedRate": "0.00010" if at == T0 else "",
        },
    )
    venue.script["/api/v5/rubik/stat/contracts/open-interest-history"] = past(
        [T0], row=lambda at: [str(at), "5000", "50", "3000000"], words=("begin", "end")
    )
    cells = {}
    for kind, bar, step_ms in (
        ("mark", "1h", HOUR_MS),
        ("funding", "", HOUR_MS),
        ("open_interest", "1h", HOUR_MS),
    ):
        rows = await history.window(Series(kind, SWAP, bar, step_ms), T0, T0 + 10 * HOUR_MS)
        cells[kind] = [row.cells for row in rows]
    assert cells["mark"] == [("1", "2", "0.5", "1.5")]
    assert cells["funding"] == [("0.00010",), ("0.0002",)]  # where nothing was realised, the announced rate
    assert cells["open_interest"] == [("5000", "50")]
    assert {asked.query.get("bar", asked.query.get("period")) for asked in venue.asked} == {"1H", None}


@pytest.mark.parametrize(
    "row",
    [
        candle_at(T0)[:8],
        [str(T0), "0", "60100", "59900", "60050", "250", "2.5", "1", "1"],
        [str(T0), "60000", "60100", "nan", "60050", "250", "2.5", "1", "1"],
        [str(T0), "60000", "60100", "59900", "60050", "250", "", "1", "1"],
        [str(T0), "60000", "60100", "59900", "60050", "250", "2.5", "1", "maybe"],
    ],
)
async def test_a_row_that_cannot_be_read_reaches_no_file(
    row: list[str], history: OkxHistory, venue: HttpVenue
) -> None:
    venue.script[CANDLES] = Answer([row])
    with pytest.raises(VenueDown, match="unreadable answer"):
        await history.window(PERP, T0, T0 + MINUTE_MS)


async def test_too_many_is_waited_out_with_growing_pauses(
    rest: OkxRest, venue: HttpVenue, clock: StillClock
) -> None:
    waits: list[float] = []
    history = OkxHistory(rest, clock, lambda error, pause_s: waits.append(pause_s))
    busy = Answer(code="50011", msg="Too Many Requests", status=429)
    calls = iter(range(100))
    good = past(minutes(0))
    venue.script[CANDLES] = lambda asked: busy if next(calls) < 7 else good(asked)
    rows = await history.window(PERP, T0, T0 + MINUTE_MS)
    assert len(rows) == 1 and waits == [1.0, 2.0]  # each stands for three tries


async def test_patience_has_an_end(rest: OkxRest, venue: HttpVenue, clock: StillClock) -> None:
    history = OkxHistory(rest, clock)
    venue.script[CANDLES] = Answer(hang_up=True)
    with pytest.raises(VenueDown):
        await history.window(PERP, T0, T0 + MINUTE_MS)
    assert clock.slept[2::3] == list(PATIENCE_S)  # between any two of them, the client's own two tries
    with pytest.raises(VenueRejected):  # a refusal is not waited out
        venue.script[CANDLES] = Answer(code="51001", msg="Instrument ID does not exist.")
        await history.window(PERP, T0, T0 + MINUTE_MS)
