"""The Trading port: what is sent, what comes back, what each refusal means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from core.errors import VenueDown, VenueRejected
from core.ids import TAG
from core.types import (
    DAY_MS,
    AccountMode,
    BillKind,
    Leg,
    OrderKind,
    OrderRequest,
    OrderStatus,
    Side,
    TransferStatus,
    Wallet,
)
from exchange.okx.rest import OkxRest
from exchange.okx.trading import OkxTrading
from tests.exchange.okx.support import NOW_MS, Answer, Asked, HttpVenue, StillClock
from tests.exchange.okx.test_parse import BALANCE, BILL, CONFIG, FILL, ORDER, POSITION
from tests.fakes import btc

D = Decimal
PAIR = btc()
PATH = "/api/v5/trade/order"
CONFIG_PATH = "/api/v5/account/config"
ACK = {"ordId": "77", "clOrdId": "h1a", "sCode": "0", "sMsg": ""}
SPOT_BUY = OrderRequest(
    "h1s0",
    PAIR.name,
    PAIR.spot.inst_id,
    Leg.SPOT,
    Side.BUY,
    OrderKind.IOC,
    D("0.16010000"),
    D("60010.1"),
    False,
    D(60000),
)
SWAP_SELL = replace(
    SPOT_BUY,
    cl_id="h1p0",
    inst_id=PAIR.swap.inst_id,
    leg=Leg.SWAP,
    side=Side.SELL,
    kind=OrderKind.POST_ONLY,
    size=D("15.99"),
)
SWAP_CLOSE = replace(SWAP_SELL, side=Side.BUY, reduce_only=True)


@pytest.fixture
def trading(rest: OkxRest, venue: HttpVenue, clock: StillClock) -> OkxTrading:
    venue.script["/api/v5/account/config"] = Answer([CONFIG])
    return OkxTrading(rest, clock)


async def sent(trading: OkxTrading, venue: HttpVenue, order: OrderRequest) -> dict[str, object]:
    venue.script[PATH] = Answer([ACK])
    assert await trading.place(order) == "77"
    return venue.asked[-1].body


async def test_a_spot_order_in_futures_mode_is_paid_in_cash(trading: OkxTrading, venue: HttpVenue) -> None:
    assert await sent(trading, venue, SPOT_BUY) == {
        "instId": "BTC-USDT",
        "tdMode": "cash",
        "side": "buy",
        "ordType": "ioc",
        "sz": "0.16010000",
        "px": "60010.1",
        "clOrdId": "h1s0",
        "tag": TAG,
    }


async def test_a_swap_order_is_crossed_and_counts_contracts(trading: OkxTrading, venue: HttpVenue) -> None:
    assert await sent(trading, venue, SWAP_SELL) == {
        "instId": "BTC-USDT-SWAP",
        "tdMode": "cross",
        "side": "sell",
        "ordType": "post_only",
        "sz": "15.99",
        "px": "60010.1",
        "clOrdId": "h1p0",
        "tag": TAG,
    }


@pytest.mark.parametrize(("level", "mode"), [("1", "cash"), ("2", "cash"), ("3", "cross"), ("4", "cross")])
async def test_the_trade_mode_of_spot_follows_the_account(
    trading: OkxTrading, venue: HttpVenue, level: str, mode: str
) -> None:
    venue.script["/api/v5/account/config"] = Answer([CONFIG | {"acctLv": level}])
    assert (await sent(trading, venue, SPOT_BUY))["tdMode"] == mode
    assert (await sent(trading, venue, SWAP_SELL))["tdMode"] == "cross"


async def test_the_account_mode_is_asked_for_once(trading: OkxTrading, venue: HttpVenue) -> None:
    await sent(trading, venue, SPOT_BUY)
    await sent(trading, venue, SWAP_SELL)
    assert venue.paths() == ["/api/v5/account/config", PATH, PATH]


async def test_only_swap_closes_are_reduce_only(trading: OkxTrading, venue: HttpVenue) -> None:
    assert (await sent(trading, venue, SWAP_CLOSE))["reduceOnly"] is True
    assert "reduceOnly" not in await sent(trading, venue, SWAP_SELL)
    assert "reduceOnly" not in await sent(trading, venue, replace(SPOT_BUY, side=Side.SELL, reduce_only=True))


async def test_small_sizes_are_written_without_an_exponent(trading: OkxTrading, venue: HttpVenue) -> None:
    assert (await sent(trading, venue, replace(SPOT_BUY, size=D("1E-8"))))["sz"] == "0.00000001"


async def test_an_ack_without_an_id_is_an_unknown_outcome(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script[PATH] = Answer([ACK | {"ordId": ""}])
    with pytest.raises(VenueDown):
        await trading.place(SPOT_BUY)


async def test_a_cancel_too_late_is_refused(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/trade/cancel-order"] = Answer(
        [ACK | {"sCode": "51400", "sMsg": "already"}], code="1"
    )
    with pytest.raises(VenueRejected) as caught:
        await trading.cancel("BTC-USDT", "h1s0")
    assert caught.value.code == "51400"
    assert venue.asked[-1].body == {"instId": "BTC-USDT", "clOrdId": "h1s0"}


async def test_an_order_the_venue_does_not_know_is_none(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script[PATH] = Answer(code="51603", msg="Order does not exist")
    assert await trading.order("BTC-USDT", "h1s0") is None


@pytest.mark.fault("RE9")
@pytest.mark.parametrize(
    "answer", [Answer(status=502, text="<html>"), Answer([]), Answer([ORDER | {"state": "new"}])]
)
async def test_no_usable_answer_about_an_order_is_not_absence(
    trading: OkxTrading, venue: HttpVenue, answer: Answer
) -> None:
    venue.script[PATH] = answer
    with pytest.raises(VenueDown):
        await trading.order("BTC-USDT", "h1s0")


async def test_an_order_is_told_as_the_venue_has_it(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script[PATH] = Answer([ORDER])
    record = await trading.order("BTC-USDT", "c7o1l0001")
    assert record is not None and record.status is OrderStatus.PARTIAL and record.filled == D("0.4")


@pytest.mark.fault("RE9")
async def test_a_refused_question_is_not_absence(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script[PATH] = Answer(code="51001", msg="Instrument ID does not exist")
    with pytest.raises(VenueRejected):
        await trading.order("BTC-USDT", "h1s0")


async def test_an_order_says_until_when_the_venue_may_take_it_in_the_venues_own_time(
    trading: OkxTrading, rest: OkxRest, venue: HttpVenue
) -> None:
    venue.script[PATH] = Answer([ACK])
    rest.offset_ms = -700
    await trading.place(SPOT_BUY, NOW_MS + 2_000)
    await trading.place(SPOT_BUY)
    first, second = (asked for asked in venue.asked if asked.path == PATH)
    assert first.headers["exptime"] == str(NOW_MS + 1_300) and "expTime" not in first.body
    assert "exptime" not in second.headers


async def test_an_order_that_came_too_late_is_refused_measures_the_clock_and_is_not_sent_again(
    trading: OkxTrading, rest: OkxRest, venue: HttpVenue
) -> None:
    venue.script[PATH] = Answer(code="50036", msg="expTime is earlier than the system time")
    venue.script["/api/v5/public/time"] = Answer([{"ts": str(NOW_MS + 5_000)}])
    with pytest.raises(VenueRejected) as refused:
        await trading.place(SPOT_BUY, NOW_MS + 2_000)
    assert refused.value.code == "50036" and rest.offset_ms == 5_000
    assert len([asked for asked in venue.asked if asked.path == PATH]) == 1


async def test_a_close_overtakes_openings_that_wait_for_the_budget(
    trading: OkxTrading, venue: HttpVenue
) -> None:
    venue.script[PATH] = Answer([ACK])
    await trading.account_config()
    openings = [asyncio.create_task(trading.place(SWAP_SELL)) for _ in range(60)]
    await asyncio.sleep(0)
    await trading.place(SWAP_CLOSE)
    sides = [asked.body.get("side") for asked in venue.asked]
    assert sides.index("buy") < 45  # 36 openings fit the budget at once, the others wait
    for task in openings:
        task.cancel()
    await asyncio.gather(*openings, return_exceptions=True)


def fill_pages(count: int, newest_ms: int) -> list[dict[str, object]]:
    """`count` fills, newest first, a second apart."""
    return [
        FILL | {"tradeId": str(count - i), "billId": str(count - i), "fillTime": str(newest_ms - i * 1000)}
        for i in range(count)
    ]


def paged(rows: list[dict[str, object]], key: str) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        after = asked.query.get("after")
        older = [row for row in rows if after is None or int(str(row[key])) < int(after)]
        return Answer(older[: int(asked.query["limit"])])

    return answer


@pytest.mark.fault("RE10")
async def test_fills_are_read_through_all_pages_oldest_first(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/trade/fills"] = paged(fill_pages(250, NOW_MS), "billId")
    fills = await trading.fills(NOW_MS - DAY_MS)
    assert [int(fill.trade_id) for fill in fills] == list(range(1, 251))
    assert len(venue.asked) == 3
    assert venue.asked[0].query["begin"] == str(NOW_MS - DAY_MS)


@pytest.mark.fault("RE10")
async def test_a_full_last_page_is_not_taken_for_the_end(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/trade/fills"] = paged(fill_pages(200, NOW_MS), "billId")
    assert len(await trading.fills(NOW_MS - DAY_MS)) == 200


async def test_fills_before_the_time_asked_for_are_left_out(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/trade/fills"] = paged(fill_pages(10, NOW_MS), "billId")
    fills = await trading.fills(NOW_MS - 3000)
    assert [fill.ts_ms for fill in fills] == [NOW_MS - 3000, NOW_MS - 2000, NOW_MS - 1000, NOW_MS]


async def test_old_fills_come_from_the_history_of_both_markets(trading: OkxTrading, venue: HttpVenue) -> None:
    def history(asked: Asked) -> Answer:
        spot = asked.query["instType"] == "SPOT"
        return Answer(
            [FILL | {"tradeId": asked.query["instType"], "fillTime": str(NOW_MS - (9 if spot else 5))}]
        )

    venue.script["/api/v5/trade/fills-history"] = history
    fills = await trading.fills(NOW_MS - 5 * DAY_MS)
    assert [fill.trade_id for fill in fills] == ["SPOT", "SWAP"]


async def test_the_walk_through_a_long_history_ends_where_it_was_asked_to(
    trading: OkxTrading, venue: HttpVenue
) -> None:
    venue.script["/api/v5/trade/fills-history"] = paged(fill_pages(900, NOW_MS - 4 * DAY_MS), "billId")
    since = NOW_MS - 4 * DAY_MS - 150_000
    fills = await trading.fills(since)
    assert len(fills) == 2 * 151  # the same history stands for both markets here
    assert len(venue.asked) == 4


@pytest.mark.fault("RE10")
async def test_a_list_without_an_end_is_not_taken_for_the_whole(
    trading: OkxTrading, venue: HttpVenue
) -> None:
    endless = [FILL | {"billId": "", "fillTime": str(NOW_MS)}] * 100
    venue.script["/api/v5/trade/fills"] = Answer(endless)
    with pytest.raises(VenueDown, match="more than"):
        await trading.fills(NOW_MS - 1000)
    assert len(venue.asked) == 1


async def test_the_fills_of_one_order_are_oldest_first(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/trade/fills"] = Answer(fill_pages(3, NOW_MS))
    fills = await trading.order_fills("BTC-USDT", "5")
    assert [fill.trade_id for fill in fills] == ["1", "2", "3"]
    assert venue.asked[0].query["ordId"] == "5"


@pytest.mark.fault("RE10")
async def test_open_orders_are_paged_by_their_id(trading: OkxTrading, venue: HttpVenue) -> None:
    rows = [ORDER | {"ordId": str(150 - i)} for i in range(150)]
    venue.script["/api/v5/trade/orders-pending"] = paged(rows, "ordId")
    assert len(await trading.open_orders()) == 150


@pytest.mark.parametrize(
    ("age_ms", "path"), [(DAY_MS, "/api/v5/account/bills"), (8 * DAY_MS, "/api/v5/account/bills-archive")]
)
async def test_bills_come_from_where_they_are_kept(
    trading: OkxTrading, venue: HttpVenue, age_ms: int, path: str
) -> None:
    venue.script[path] = Answer([BILL | {"ts": str(NOW_MS)}])
    (bill,) = await trading.bills(NOW_MS - age_ms)
    assert bill.kind is BillKind.FUNDING
    assert venue.asked[0].query["begin"] == str(NOW_MS - age_ms)


async def test_the_account_is_balances_and_positions_together(
    trading: OkxTrading, venue: HttpVenue, clock: StillClock
) -> None:
    venue.script["/api/v5/account/balance"] = Answer([BALANCE])
    venue.script["/api/v5/account/positions"] = Answer(
        [POSITION, POSITION | {"instId": "ETH-USDT-SWAP", "pos": "0"}]
    )
    snapshot = await trading.account()
    assert snapshot.mode is AccountMode.FUTURES
    assert snapshot.cash("USDT") == D("10040.1")
    assert snapshot.contracts("BTC-USDT-SWAP") == -16 and set(snapshot.positions) == {"BTC-USDT-SWAP"}
    assert (snapshot.ts_ms, snapshot.seen_ms) == (1700000000100, clock.now)
    assert snapshot.mgn_ratio == D(222) and snapshot.funding_wallet == {}


@pytest.mark.fault("RE12")
async def test_a_failed_position_query_is_not_a_flat_account(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/account/balance"] = Answer([BALANCE])
    venue.script["/api/v5/account/positions"] = Answer(status=500, text="oops")
    with pytest.raises(VenueDown):
        await trading.account()


async def test_an_account_never_used_is_empty(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/account/balance"] = Answer([{"uTime": "", "totalEq": "", "details": []}])
    venue.script["/api/v5/account/positions"] = Answer([])
    snapshot = await trading.account()
    assert snapshot.balances == {} and snapshot.total_equity_usd == 0 and snapshot.ts_ms == NOW_MS


async def test_fee_rates_are_costs_of_the_instruments_own_group(
    trading: OkxTrading, venue: HttpVenue
) -> None:
    venue.script["/api/v5/public/instruments"] = Answer([{"groupId": "4"}])
    venue.script["/api/v5/account/trade-fee"] = [
        Answer([{"feeGroup": [{"groupId": "4", "maker": "-0.0008", "taker": "-0.001"}]}]),
        Answer([{"maker": "-9", "taker": "-9", "makerU": "0.00005", "takerU": "-0.0005"}]),
    ]
    fees = await trading.fee_rates(PAIR)
    assert (fees.spot_maker, fees.spot_taker) == (D("0.0008"), D("0.001"))
    assert (fees.swap_maker, fees.swap_taker) == (D("-0.00005"), D("0.0005"))
    assert venue.asked[-1].query == {"instType": "SWAP", "instFamily": "BTC-USDT"}


async def test_leverage_is_asked_and_set_for_the_crossed_swap(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/account/leverage-info"] = Answer([{"lever": "5"}])
    venue.script["/api/v5/account/set-leverage"] = Answer([{"lever": "3"}])
    assert await trading.leverage("BTC-USDT-SWAP") == 5
    await trading.set_leverage("BTC-USDT-SWAP", D(3))
    assert venue.asked[-1].body == {"lever": "3", "mgnMode": "cross", "instId": "BTC-USDT-SWAP"}


async def test_a_transfer_carries_our_own_id(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/asset/transfer"] = Answer([{"transId": "754147"}])
    assert await trading.transfer("t9", "USDT", D("100.50"), Wallet.FUNDING, Wallet.TRADING) == "754147"
    assert venue.asked[-1].body == {"clientId": "t9", "ccy": "USDT", "amt": "100.50", "from": "6", "to": "18"}


async def test_a_transfer_without_an_answer_is_not_sent_again(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/asset/transfer"] = Answer(hang_up=True)
    with pytest.raises(VenueDown):
        await trading.transfer("t9", "USDT", D(1), Wallet.FUNDING, Wallet.TRADING)
    assert len(venue.asked) == 1


@pytest.mark.parametrize(("which", "field"), [("754147", "transId"), ("t9", "clientId")])
async def test_a_transfer_is_found_by_either_id(
    trading: OkxTrading, venue: HttpVenue, which: str, field: str
) -> None:
    row = {
        "transId": "754147",
        "clientId": "t9",
        "ccy": "USDT",
        "amt": "5",
        "from": "18",
        "to": "6",
        "state": "pending",
    }
    venue.script["/api/v5/asset/transfer-state"] = Answer([row])
    record = await trading.transfer_state(which)
    assert record.status is TransferStatus.PENDING and record.client_id == "t9"
    assert venue.asked[-1].query == {field: which}


async def test_the_funding_wallet_by_currency(trading: OkxTrading, venue: HttpVenue) -> None:
    venue.script["/api/v5/asset/balances"] = Answer(
        [{"ccy": "USDT", "availBal": "12.5"}, {"ccy": "BTC", "availBal": "0"}]
    )
    assert await trading.wallet() == {"USDT": D("12.5"), "BTC": D(0)}


async def test_the_dead_mans_switch_is_armed_for_our_orders_only(
    trading: OkxTrading, venue: HttpVenue
) -> None:
    venue.script["/api/v5/trade/cancel-all-after"] = Answer([{"triggerTime": "1"}])
    await trading.cancel_all_after(60)
    assert venue.asked[-1].body == {"timeOut": "60", "tag": TAG}
    assert TAG.isalnum() and len(TAG) <= 16


@pytest.mark.fault("AC1")
async def test_in_long_short_mode_a_swap_order_is_about_the_short(
    trading: OkxTrading, venue: HttpVenue
) -> None:
    venue.script["/api/v5/account/config"] = Answer([CONFIG | {"posMode": "long_short_mode"}])
    assert (await sent(trading, venue, SWAP_CLOSE))["posSide"] == "short"
    assert "posSide" not in await sent(trading, venue, SPOT_BUY)


@pytest.mark.parametrize(
    ("side", "reduces", "pos_side"),
    [
        (Side.BUY, False, "long"),
        (Side.SELL, True, "long"),
        (Side.SELL, False, "short"),
        (Side.BUY, True, "short"),
    ],
)
@pytest.mark.parametrize("mode", ["net_mode", "long_short_mode"])
async def test_an_isolated_order_names_its_side_only_where_a_swap_has_two(
    rest: OkxRest, venue: HttpVenue, clock: StillClock, side: Side, reduces: bool, pos_side: str, mode: str
) -> None:
    venue.script[CONFIG_PATH] = Answer([CONFIG | {"posMode": mode}])
    trading = OkxTrading(rest, clock, isolated=True)
    body = await sent(trading, venue, replace(SWAP_SELL, side=side, reduce_only=reduces))
    assert body["tdMode"] == "isolated"
    assert body.get("posSide") == (pos_side if mode == "long_short_mode" else None)


@pytest.mark.fault("AC1")
@pytest.mark.parametrize(("then", "pos_side"), [("long_short_mode", "short"), ("net_mode", None)])
async def test_a_close_refused_for_the_position_mode_goes_once_more_in_the_new_modes_words(
    trading: OkxTrading, venue: HttpVenue, then: str, pos_side: str | None
) -> None:
    before = "net_mode" if then == "long_short_mode" else "long_short_mode"
    venue.script["/api/v5/account/config"] = Answer([CONFIG | {"posMode": before}])
    await trading.account_config()
    venue.script["/api/v5/account/config"] = Answer([CONFIG | {"posMode": then}])
    venue.script[PATH] = [
        Answer([ACK | {"sCode": "51000", "sMsg": "Parameter posSide error"}]),
        Answer([ACK]),
    ]
    assert await trading.place(SWAP_CLOSE) == "77"
    first, second = (asked.body for asked in venue.asked if asked.path == PATH)
    assert first.get("posSide") != second.get("posSide") == pos_side
    assert first["clOrdId"] == second["clOrdId"] and second["reduceOnly"] is True


@pytest.mark.fault("AC1")
@pytest.mark.parametrize("config", [Answer([CONFIG]), Answer(text="<html>", status=502)])
async def test_a_refused_parameter_for_another_reason_stays_a_refusal(
    trading: OkxTrading, venue: HttpVenue, config: Answer
) -> None:
    venue.script[CONFIG_PATH] = [Answer([CONFIG]), config]
    venue.script[PATH] = Answer([ACK | {"sCode": "51000", "sMsg": "Parameter sz error"}], code="1")
    with pytest.raises(VenueRejected, match="51000"):
        await trading.place(SWAP_SELL)
    assert [asked.path for asked in venue.asked].count(PATH) == 1
