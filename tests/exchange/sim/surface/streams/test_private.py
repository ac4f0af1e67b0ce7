import json
from typing import Any

import pytest

from exchange.sim.events import AccountChanged
from exchange.sim.model import Reject
from tests.exchange.sim.surface.client import Rest, Stream, channels, sign
from tests.exchange.sim.surface.stub_venue import HOUR_MS, SECRET, START_MS, D

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


def private(rest: Rest | None = None) -> Stream:
    stream = Stream(rest or Rest(), "private")
    [answer] = stream.login()
    assert (answer["event"], answer["code"]) == ("login", "0")
    return stream


# --- login ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"apiKey": "nobody"}, "60005"),
        ({"passphrase": "wrong"}, "60024"),
        ({"sign": "AAAA"}, "60007"),
        ({"timestamp": "soon"}, "60004"),
        ({"timestamp": str(START_MS // 1000 - 31)}, "60006"),
        ({"timestamp": str(START_MS)}, "60004"),
        ({"sign": ""}, "60009"),
    ],
)
def test_a_wrong_login_is_told_and_the_connection_ended(changed: dict[str, str], code: str) -> None:
    stream = Stream(Rest(), "private")
    [answer] = stream.login(**changed)
    assert (answer["event"], answer["code"]) == ("error", code)
    assert stream.session.closing is not None and stream.session.closing[0] == 4001
    assert stream.session.account is None


def test_a_login_counts_in_epoch_seconds_of_the_venue() -> None:
    stream = Stream(Rest(), "private")
    seconds = START_MS // 1000 + 30
    arg = {
        "apiKey": "demo-key",
        "passphrase": "demo-pass",
        "timestamp": seconds,
        "sign": sign(SECRET, f"{seconds}GET/users/self/verify"),
    }
    assert stream.say(op="login", args=[arg])[0]["event"] == "login"


def test_a_second_login_is_60031_and_changes_nothing() -> None:
    stream = private()
    assert stream.login()[0]["code"] == "60031"
    assert stream.session.closing is None and stream.session.account is not None


def test_private_channels_need_a_login() -> None:
    [answer] = Stream(Rest(), "private").subscribe(channel="account")
    assert (answer["event"], answer["code"]) == ("error", "60011")


def test_public_channels_are_not_on_the_private_endpoint() -> None:
    assert private().subscribe(channel="tickers", instId=SPOT)[0]["code"] == "60018"


def test_a_subscription_tells_how_many_connections_the_channel_has() -> None:
    rest = Rest()
    first, second = private(rest), private(rest)
    assert first.subscribe(channel="orders", instType="ANY")[1]["connCount"] == "1"
    count = second.subscribe(channel="orders", instType="ANY")[1]
    assert (count["event"], count["channel"], count["connCount"]) == ("channel-conn-count", "orders", "2")


def test_connections_are_counted_per_account() -> None:
    rest = Rest()
    rest.venue.create_account("two", "two-key", "two-secret", "demo-pass", {"USDT": D(1)})
    private(rest).subscribe(channel="orders", instType="ANY")
    other = Stream(rest, "private")
    other.login("two-secret", "two-key")
    assert other.subscribe(channel="orders", instType="ANY")[1]["connCount"] == "1"


def test_the_thirty_first_connection_of_a_channel_is_dropped() -> None:
    rest = Rest()
    streams = [private(rest) for _ in range(31)]
    answers = [stream.subscribe(channel="orders", instType="ANY") for stream in streams]
    assert [answer[1]["event"] for answer in answers] == ["channel-conn-count"] * 30 + [
        "channel-conn-count-error"
    ]
    rest.order()
    heard = [session for session, _ in rest.hub.drain()]
    assert streams[29].session in heard and streams[30].session not in heard


# --- orders ---------------------------------------------------------------------------------------


def test_orders_have_no_snapshot_and_one_message_per_change() -> None:
    stream = private()
    rest = stream.rest
    rest.order()
    rest.hub.drain()
    assert len(stream.subscribe(channel="orders", instType="ANY")) == 2  # ack and count
    first, second = rest.order(clOrdId="a"), rest.order(ordType="ioc", clOrdId="b")
    rest.post("/trade/cancel-order", {"instId": SWAP, "ordId": first["ordId"]})
    messages = stream.news()
    assert [(m["data"][0]["ordId"], m["data"][0]["state"]) for m in messages] == [
        (first["ordId"], "live"),
        (second["ordId"], "filled"),
        (first["ordId"], "canceled"),
    ]
    assert messages[0]["arg"] == {"channel": "orders", "instType": "ANY", "uid": "uiddemo"}
    assert messages[2]["data"][0]["cancelSource"] == "1"


def test_an_order_push_tells_its_fill_or_that_there_is_none() -> None:
    stream = private()
    stream.subscribe(channel="orders", instType="ANY")
    stream.rest.order()
    stream.rest.order(ordType="ioc", sz="2")
    resting, filled = (message["data"][0] for message in stream.news())
    assert (resting["tradeId"], resting["fillSz"], resting["avgPx"], resting["fillFee"]) == (
        "",
        "0",
        "0",
        "0",
    )
    assert (filled["fillSz"], filled["fillPx"], filled["avgPx"], filled["execType"]) == (
        "2", "60000", "60000", "T",
    )  # fmt: skip
    assert (filled["fillFee"], filled["fillFeeCcy"], filled["fillMarkPx"]) == ("-0.6", "USDT", "60005")
    assert (filled["notionalUsd"], filled["fillNotionalUsd"]) == ("1220", "1200")
    assert (filled["code"], filled["lastPx"]) == ("0", "60000.1")


def test_a_spot_market_order_ends_with_a_message_that_is_no_fill() -> None:
    stream = private()
    stream.subscribe(channel="orders", instType="ANY")
    stream.rest.order(instId=SPOT, tdMode="cash", ordType="market", px="", side="sell", sz="0.1")
    fill, final = (message["data"][0] for message in stream.news())
    assert fill["tradeId"] != "" and fill["fillSz"] == "0.1" and fill["state"] == "partially_filled"
    assert (final["tradeId"], final["fillSz"], final["state"]) == ("", "0", "filled")
    assert final["accFillSz"] == "0.1" and final["fee"] == "-3"


def test_swap_market_and_spot_limit_orders_have_no_extra_message() -> None:
    stream = private()
    stream.subscribe(channel="orders", instType="ANY")
    stream.rest.order(ordType="market", px="")
    stream.rest.order(instId=SPOT, tdMode="cash", ordType="ioc", sz="0.1")
    assert [message["data"][0]["state"] for message in stream.news()] == ["filled", "filled"]


@pytest.mark.parametrize(
    ("arg", "count"),
    [
        ({"instType": "SPOT"}, 1),
        ({"instType": "SWAP"}, 1),
        ({"instType": "ANY", "instFamily": "BTC-USDT"}, 2),
        ({"instType": "SWAP", "instId": "ETH-USDT-SWAP"}, 0),
        ({"instType": "SWAP", "instId": SWAP}, 1),
    ],
)
def test_orders_are_filtered_by_the_subscription(arg: dict[str, str], count: int) -> None:
    stream = private()
    stream.subscribe(channel="orders", **arg)
    stream.rest.order()
    stream.rest.order(instId=SPOT, tdMode="cash")
    assert len(stream.news()) == count


def test_nobody_hears_of_another_account() -> None:
    rest = Rest()
    rest.venue.create_account("two", "two-key", "two-secret", "demo-pass", {"USDT": D(1)})
    other = Stream(rest, "private")
    assert other.login("two-secret", "two-key")[0]["event"] == "login"
    for arg in ({"channel": "orders", "instType": "ANY"}, {"channel": "account"}):
        other.subscribe(**arg)
    other.subscribe(channel="positions", instType="ANY")
    other.subscribe(channel="balance_and_position")
    rest.order(ordType="ioc")
    assert other.news() == []


# --- account and positions ------------------------------------------------------------------------


def test_the_account_channel_begins_with_everything_and_goes_on_with_what_changed() -> None:
    stream = private()
    snapshot = stream.subscribe(channel="account")[2]
    assert (snapshot["eventType"], snapshot["curPage"], snapshot["lastPage"]) == ("snapshot", 1, True)
    assert [one["ccy"] for one in snapshot["data"][0]["details"]] == ["USDT", "BTC"]
    assert snapshot["data"][0]["details"][1]["coinUsdPrice"] == "60000"
    stream.rest.order(ordType="ioc")
    [event] = stream.news()
    assert event["eventType"] == "event_update"
    assert [one["ccy"] for one in event["data"][0]["details"]] == ["USDT"]
    assert event["data"][0]["totalEq"] == "129999.7"


def test_several_changes_of_a_round_are_one_account_message() -> None:
    stream = private()
    stream.subscribe(channel="account")
    for _ in range(3):
        stream.rest.order(ordType="ioc")
    stream.rest.order(instId=SPOT, tdMode="cash", ordType="ioc", sz="0.1")
    [event] = stream.news()
    assert [one["ccy"] for one in event["data"][0]["details"]] == ["USDT", "BTC"]


def test_a_subscription_to_one_currency_hears_only_of_it() -> None:
    stream = private()
    snapshot = stream.subscribe(channel="account", ccy="BTC")[2]
    assert [one["ccy"] for one in snapshot["data"][0]["details"]] == ["BTC"]
    stream.rest.order(ordType="ioc")  # USDT only
    assert stream.news() == []


def test_regular_pushes_repeat_everything_every_five_seconds() -> None:
    stream = private()
    stream.subscribe(channel="account")
    stream.subscribe(channel="positions", instType="SWAP")
    venue = stream.rest.venue
    venue.now_ms += 4_999
    assert stream.news() == []
    venue.now_ms += 1
    assert [(m["arg"]["channel"], m["eventType"]) for m in stream.news()] == [
        ("account", "snapshot"),
        ("positions", "snapshot"),
    ]
    venue.now_ms += 4_999
    assert stream.news() == []


def test_an_update_interval_of_zero_means_events_only() -> None:
    stream = private()
    extra = json.dumps({"updateInterval": "0"})
    stream.subscribe(channel="account", extraParams=extra)
    stream.rest.venue.now_ms += HOUR_MS
    assert stream.news() == []
    stream.rest.order(ordType="ioc")
    assert [m["eventType"] for m in stream.news()] == ["event_update"]


def test_positions_may_come_faster_and_the_account_may_not() -> None:
    stream = private()
    extra = json.dumps({"updateInterval": "2000"})
    ack = stream.subscribe(channel="positions", instType="ANY", extraParams=extra)[0]
    assert ack["event"] == "subscribe"
    stream.rest.venue.now_ms += 2_000
    assert channels(stream.news()) == ["positions"]
    assert stream.subscribe(channel="account", extraParams=extra)[0]["code"] == "60013"
    assert stream.subscribe(channel="account", extraParams="{")[0]["code"] == "60013"
    assert stream.subscribe(channel="account", extraParams='{"updateInterval":"x"}')[0]["code"] == "60013"


def test_an_event_comes_before_the_regular_push_of_the_same_round() -> None:
    stream = private()
    stream.subscribe(channel="account")
    stream.rest.order(ordType="ioc")
    stream.rest.venue.now_ms += 5_000
    assert [m["eventType"] for m in stream.news()] == ["event_update", "snapshot"]


def test_a_position_is_pushed_when_it_changes_and_once_when_it_is_gone() -> None:
    stream = private()
    assert stream.subscribe(channel="positions", instType="SWAP")[2]["data"] == []
    stream.rest.order(ordType="ioc", sz="2")
    [event] = stream.news()
    assert (event["eventType"], event["data"][0]["pos"], event["data"][0]["upl"]) == (
        "event_update",
        "-2",
        "10.5",
    )
    stream.rest.post("/trade/close-position", {"instId": SWAP, "mgnMode": "cross"})
    [event] = stream.news()
    assert (event["data"][0]["pos"], event["data"][0]["upl"]) == ("0", "")
    stream.rest.venue.now_ms += 5_000
    [regular] = stream.news()
    assert regular["data"] == []


def test_figures_are_asked_once_per_round_however_many_listen() -> None:
    rest = Rest()
    streams = [private(rest) for _ in range(3)]
    for stream in streams:
        stream.subscribe(channel="account")
        stream.subscribe(channel="positions", instType="ANY")
    rest.order(ordType="ioc")
    rest.venue.figures_asked = 0
    assert len(rest.hub.drain()) == 3
    assert rest.venue.figures_asked == 1


def test_a_snapshot_shows_what_a_command_has_just_changed() -> None:
    stream = private()
    stream.subscribe(channel="account")
    stream.rest.order(ordType="ioc")  # not drained yet
    positions = stream.subscribe(channel="positions", instType="SWAP")[2]
    assert [(row["pos"], row["upl"]) for row in positions["data"]] == [("-1", "10.5")]


# --- balance and position -------------------------------------------------------------------------


def test_balance_and_position_begins_with_a_snapshot() -> None:
    stream = private()
    stream.rest.order(ordType="ioc")
    stream.rest.hub.drain()
    message = stream.subscribe(channel="balance_and_position")[2]
    [data] = message["data"]
    assert data["eventType"] == "snapshot"
    assert {one["ccy"]: one["cashBal"] for one in data["balData"]} == {"USDT": "99999.7", "BTC": "0.5"}
    assert [(one["instId"], one["pos"]) for one in data["posData"]] == [(SWAP, "-1")]


def test_balance_and_position_tells_the_reason_and_the_trades() -> None:
    stream = private()
    stream.subscribe(channel="balance_and_position")
    stream.rest.order(ordType="ioc")
    stream.rest.venue.outbox.append(AccountChanged("demo", "funding_fee", ("USDT",), (SWAP,)))
    filled, funding = (message["data"][0] for message in stream.news())
    assert (filled["eventType"], funding["eventType"]) == ("filled", "funding_fee")
    assert [one["instId"] for one in filled["trades"]] == [SWAP]
    assert filled["trades"][0]["tradeId"] == filled["posData"][0]["tradeId"]
    assert funding["trades"] == [] and funding["balData"][0]["ccy"] == "USDT"


def test_neighbouring_fills_are_joined_and_keep_every_trade() -> None:
    stream = private()
    stream.subscribe(channel="balance_and_position")
    stream.rest.order(ordType="ioc")
    stream.rest.order(ordType="ioc")
    [message] = stream.news()
    assert len(message["data"][0]["trades"]) == 2
    assert [one["pos"] for one in message["data"][0]["posData"]] == ["-2"]


def test_private_channels_speak_in_the_venues_order() -> None:
    stream = private()
    for arg in (
        {"channel": "positions", "instType": "ANY"},
        {"channel": "account"},
        {"channel": "balance_and_position"},
        {"channel": "orders", "instType": "ANY"},
    ):
        stream.subscribe(**arg)
    stream.rest.order(ordType="ioc")
    assert channels(stream.news()) == ["orders", "balance_and_position", "account", "positions"]


# --- warnings -------------------------------------------------------------------------------------


def test_a_liquidation_warning_comes_at_300_percent_and_again_every_hour() -> None:
    stream = private()
    stream.subscribe(channel="liquidation-warning", instType="SWAP")
    venue = stream.rest.venue
    stream.rest.order(ordType="ioc")
    assert stream.news() == []
    venue.margin_ratio = D(3)
    [message] = stream.news()
    assert (message["data"][0]["instId"], message["data"][0]["mgnRatio"]) == (SWAP, "3")
    venue.now_ms += HOUR_MS - 1
    assert stream.news() == []
    venue.now_ms += 1
    assert len(stream.news()) == 1
    venue.margin_ratio = D("3.1")
    assert stream.news() == []
    venue.margin_ratio = D(2)
    assert len(stream.news()) == 1  # a new time, not a repetition


def test_algo_orders_are_accepted_and_silent_on_the_business_endpoint() -> None:
    stream = Stream(Rest(), "business")
    assert stream.subscribe(channel="orders-algo", instType="SWAP")[0]["code"] == "60011"
    stream.login()
    assert [m["event"] for m in stream.subscribe(channel="orders-algo", instType="SWAP")] == ["subscribe"]
    stream.rest.order(ordType="ioc")
    assert stream.news() == []


def test_private_channels_that_need_a_type_are_refused_without() -> None:
    stream = private()
    for channel in ("orders", "positions", "liquidation-warning"):
        assert stream.subscribe(channel=channel)[0]["code"] == "60018"


def test_what_is_unsubscribed_stays_silent() -> None:
    stream = private()
    stream.subscribe(channel="orders", instType="ANY")
    [answer] = stream.say(op="unsubscribe", args=[{"channel": "orders", "instType": "ANY"}])
    assert answer["event"] == "unsubscribe"
    stream.rest.order()
    assert stream.news() == []


# --- order operations -----------------------------------------------------------------------------


def operate(stream: Stream, op: str, *args: dict[str, Any], **more: object) -> dict[str, Any]:
    [answer] = stream.say(**{"id": "1", "op": op, "args": list(args), **more})
    return answer


def order(**changed: object) -> dict[str, Any]:
    return {
        "instIdCode": 10459, "side": "sell", "tdMode": "cross", "ordType": "limit", "px": "61000",
        "sz": "1", **changed,
    }  # fmt: skip


def test_an_order_over_the_stream_names_its_instrument_by_code() -> None:
    stream = private()
    answer = operate(stream, "order", order(clOrdId="c1"))
    assert (answer["id"], answer["op"], answer["code"], answer["msg"]) == ("1", "order", "0", "")
    assert answer["data"][0]["sCode"] == "0" and int(answer["inTime"]) // 1000 == START_MS
    assert stream.rest.venue.demo.orders[answer["data"][0]["ordId"]].inst_id == SWAP
    missing = operate(stream, "order", order(instIdCode="", instId=SWAP))
    assert (missing["code"], missing["data"][0]["sCode"]) == ("1", "50014")
    assert "instIdCode" in missing["data"][0]["sMsg"]


def test_orders_are_cancelled_and_amended_over_the_stream() -> None:
    stream = private()
    operate(stream, "order", order(clOrdId="c1"))
    amended = operate(stream, "amend-order", {"instId": SWAP, "clOrdId": "c1", "newSz": "2"})
    assert amended["code"] == "0"
    cancelled = operate(stream, "batch-cancel-orders", {"instId": SWAP, "clOrdId": "c1"})
    assert cancelled["data"][0]["sCode"] == "0"
    assert not stream.rest.venue.demo.open_orders


def test_a_refused_order_over_the_stream_tells_why() -> None:
    stream = private()
    stream.rest.venue.refuse = Reject("51008", "Insufficient")
    answer = operate(stream, "batch-orders", order(), order())
    assert (answer["code"], answer["msg"]) == ("2", "")
    assert [ack["sCode"] for ack in answer["data"]] == ["51008", "0"]
    stream.rest.venue.refuse = Reject("51008", "Insufficient")
    answer = operate(stream, "order", order())
    assert (answer["code"], answer["msg"]) == ("1", "")  # a client looks at the items when this is empty


def test_order_operations_need_login_id_arguments_and_permission() -> None:
    assert operate(Stream(Rest(), "private"), "order", order())["code"] == "60011"
    stream = private()
    assert operate(stream, "order", order(), id="a-b")["code"] == "60013"
    assert operate(stream, "order")["code"] == "60013"
    assert operate(stream, "order", order(), order())["code"] == "60013"
    assert operate(stream, "order", order(), expTime=str(START_MS - 1))["code"] == "50036"
    stream.rest.venue.demo.permissions = "read_only"
    assert operate(stream, "order", order())["code"] == "50120"
    assert not stream.rest.venue.demo.orders


def test_order_operations_exist_only_on_the_private_endpoint() -> None:
    assert operate(Stream(Rest(), "public"), "order", order())["code"] == "60012"


def test_rest_and_stream_share_one_order_limit() -> None:
    stream = private(Rest(rate_limits=True))
    for _ in range(60):
        assert stream.rest.order()["sCode"] == "0"
    assert operate(stream, "order", order())["code"] == "50011"
