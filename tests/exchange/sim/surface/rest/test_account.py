import pytest

from exchange.sim.model import BillRow, PositionKey, PositionRow, Reject, Transfer
from tests.exchange.sim.surface.client import Rest
from tests.exchange.sim.surface.stub_venue import HOUR_MS, START_MS, D

DAY_MS = 24 * HOUR_MS
HELD = PositionKey("BTC-USDT-SWAP")


def short(rest: Rest, size: str = "-16") -> PositionRow:
    row = PositionRow(
        HELD, "1001", D(size), D("60100"), D(5), START_MS - 50, START_MS, D("1.5"), D("-0.5"),
        D("0.96"), D("-0.1"), trade_id="77",
    )  # fmt: skip
    rest.venue.demo.positions[HELD] = row
    return row


def bill(n: int, at_ms: int, kind: str = "2", **more: str) -> BillRow:
    return BillRow(str(n), kind, more.pop("sub_type", "1"), "USDT", D("-0.5"), D(100), at_ms, **more)  # type: ignore[arg-type]


def test_the_configuration_tells_mode_permissions_and_binding() -> None:
    rest = Rest()
    rest.venue.demo.ip = "127.0.0.1"
    [row] = rest.rows("/account/config")
    assert (row["acctLv"], row["posMode"], row["perm"]) == ("2", "net_mode", "read_only,trade")
    assert (row["ip"], row["autoLoan"], row["feeType"], row["label"]) == ("127.0.0.1", False, "0", "demo")


def test_futures_mode_keeps_margin_in_the_coin_and_leaves_the_account_level_empty() -> None:
    [row] = Rest().rows("/account/balance")
    assert row["totalEq"] == "130000"
    assert [row[name] for name in ("adjEq", "imr", "mmr", "mgnRatio", "availEq", "notionalUsd")] == [""] * 6
    usdt = next(one for one in row["details"] if one["ccy"] == "USDT")
    assert (usdt["imr"], usdt["mmr"], usdt["mgnRatio"]) == ("200", "8", "50")
    assert (usdt["cashBal"], usdt["availEq"], usdt["liab"]) == ("100000", "100000", "")


def test_multi_currency_mode_has_the_account_level_and_no_margin_in_the_coin() -> None:
    rest = Rest()
    rest.venue.demo.level = "3"
    [row] = rest.rows("/account/balance")
    assert (row["adjEq"], row["imr"], row["mmr"], row["mgnRatio"]) == ("130000", "200", "8", "50")
    assert row["availEq"] == "129800"
    usdt = next(one for one in row["details"] if one["ccy"] == "USDT")
    assert (usdt["imr"], usdt["mmr"], usdt["mgnRatio"], usdt["liab"]) == ("", "", "", "0")
    assert usdt["disEq"] == "100000" and usdt["collateralEnabled"] is True


def test_spot_mode_has_neither() -> None:
    rest = Rest()
    rest.venue.demo.level = "1"
    [row] = rest.rows("/account/balance")
    assert (row["adjEq"], row["isoEq"]) == ("", "")
    assert [row["details"][0][name] for name in ("availEq", "upl", "imr", "mgnRatio", "disEq")] == [""] * 5
    assert row["details"][0]["availBal"] == "100000"


def test_balances_can_be_asked_by_currency_and_empty_coins_are_left_out() -> None:
    rest = Rest()
    rest.venue.demo.trading["ETH"] = D(0)
    [row] = rest.rows("/account/balance")
    assert [one["ccy"] for one in row["details"]] == ["USDT", "BTC"]
    [row] = rest.rows("/account/balance", ccy="BTC")
    assert [one["ccy"] for one in row["details"]] == ["BTC"]


def test_an_account_that_never_held_anything_is_all_empty() -> None:
    rest = Rest()
    rest.venue.demo.trading.clear()
    [row] = rest.rows("/account/balance")
    assert (row["totalEq"], row["isoEq"], row["details"]) == ("", "", [])


def test_a_short_has_a_negative_size_and_its_realized_result_adds_up() -> None:
    rest = Rest()
    short(rest)
    [row] = rest.rows("/account/positions")
    assert (row["pos"], row["posSide"], row["mgnMode"]) == ("-16", "net", "cross")
    assert (row["avgPx"], row["markPx"], row["liqPx"], row["lever"]) == ("60100", "60005", "80000", "5")
    assert (row["pnl"], row["fee"], row["fundingFee"], row["liqPenalty"]) == ("1.5", "-0.5", "0.96", "-0.1")
    assert row["realizedPnl"] == "1.86"
    assert row["uplLastPx"] == "15.984"  # -16 x 0.01 x (60000.1 - 60100)
    assert (row["margin"], row["adl"], row["tradeId"]) == ("", "1", "77")


def test_a_closed_position_shows_only_to_who_asks_for_it() -> None:
    rest = Rest()
    short(rest, "0")
    assert rest.rows("/account/positions") == []
    [row] = rest.rows("/account/positions", instId="BTC-USDT-SWAP")
    assert (row["pos"], row["avgPx"], row["upl"], row["mgnRatio"]) == ("0", "", "", "")


def test_positions_are_filtered_by_instrument_and_type() -> None:
    rest = Rest()
    short(rest)
    assert rest.rows("/account/positions", instType="SPOT") == []
    assert rest.rows("/account/positions", instId="ETH-USDT-SWAP") == []
    assert len(rest.rows("/account/positions", instType="SWAP", posId="1001")) == 1


def test_closed_positions_page_by_their_time() -> None:
    rest = Rest()
    for n in range(3):
        rest.venue.demo.closed_positions.append(
            {"instId": "BTC-USDT-SWAP", "uTime": str(START_MS - 10 + n), "type": "2", "pnl": "1"}
        )
    rows = rest.rows("/account/positions-history", after=START_MS - 8)
    assert [row["uTime"] for row in rows] == [str(START_MS - 9), str(START_MS - 10)]
    assert rows[0]["closeAvgPx"] == "" and rows[0]["pnl"] == "1"
    assert rest.rows("/account/positions-history", type="3") == []


def test_position_risk_has_balances_and_positions_of_one_instant() -> None:
    rest = Rest()
    short(rest)
    [row] = rest.rows("/account/account-position-risk")
    assert row["ts"] == str(START_MS) and row["adjEq"] == ""
    assert {one["ccy"]: one["eq"] for one in row["balData"]} == {"USDT": "100000", "BTC": "0.5"}
    assert [(one["instId"], one["pos"], one["notionalCcy"]) for one in row["posData"]] == [
        ("BTC-USDT-SWAP", "-16", "0.16")
    ]


def test_settings_reach_the_venue_and_its_refusals_reach_the_client() -> None:
    rest = Rest()
    assert rest.post("/account/set-position-mode", {"posMode": "long_short_mode"})[1]["code"] == "0"
    assert rest.venue.demo.pos_mode == "long_short_mode"
    assert rest.post("/account/set-account-level", {"acctLv": "3"})[1]["data"] == [{"acctLv": "3"}]
    assert rest.venue.demo.level == "3"
    rest.venue.refuse = Reject("59000", "Close all positions first")
    status, answer = rest.post("/account/set-position-mode", {"posMode": "net_mode"})
    assert (status, answer["code"], answer["msg"]) == (200, "59000", "Close all positions first")


def test_leverage_is_set_and_read_per_contract() -> None:
    rest = Rest()
    body = {"lever": "2", "mgnMode": "cross", "instId": "BTC-USDT-SWAP"}
    [row] = rest.post("/account/set-leverage", body)[1]["data"]
    assert (row["lever"], row["instId"], row["mgnMode"]) == ("2", "BTC-USDT-SWAP", "cross")
    [read] = rest.rows("/account/leverage-info", instId="BTC-USDT-SWAP", mgnMode="cross")
    assert read["lever"] == "2"
    assert rest.post("/account/set-leverage", {**body, "instId": "BTC-USDT"})[1]["code"] == "51000"
    assert rest.post("/account/set-leverage", {**body, "mgnMode": "cash"})[1]["code"] == "51000"


def test_isolated_leverage_is_set_per_side_where_sides_are_kept_apart() -> None:
    rest = Rest()
    rest.venue.demo.pos_mode = "long_short_mode"
    body = {"lever": "2", "mgnMode": "isolated", "instId": "BTC-USDT-SWAP"}
    assert rest.post("/account/set-leverage", body)[1]["code"] == "50014"
    [row] = rest.post("/account/set-leverage", {**body, "posSide": "short"})[1]["data"]
    assert row["posSide"] == "short"
    read = rest.rows("/account/leverage-info", instId="BTC-USDT-SWAP", mgnMode="isolated")
    assert [(one["posSide"], one["lever"]) for one in read] == [("long", "3"), ("short", "2")]


def test_room_for_orders() -> None:
    rest = Rest()
    short(rest)
    [most] = rest.rows("/account/max-size", instId="BTC-USDT-SWAP", tdMode="cross")
    assert (most["maxBuy"], most["maxSell"]) == ("1.6", "0.5")
    [spot] = rest.rows("/account/max-avail-size", instId="BTC-USDT", tdMode="cash")
    assert (spot["availBuy"], spot["availSell"]) == ("100000", "0.5")
    [closing] = rest.rows(
        "/account/max-avail-size", instId="BTC-USDT-SWAP", tdMode="cross", reduceOnly="true"
    )
    assert (closing["availBuy"], closing["availSell"]) == ("16", "0")
    [leave] = rest.rows("/account/max-withdrawal", ccy="USDT")
    assert (leave["ccy"], leave["maxWd"]) == ("USDT", "100000")


def test_fees_are_negative_when_paid_and_joined_by_group() -> None:
    rest = Rest()
    [spot] = rest.rows("/account/trade-fee", instType="SPOT", instId="BTC-USDT")
    assert (spot["maker"], spot["taker"], spot["makerU"]) == ("-0.0008", "-0.001", "")
    assert spot["feeGroup"] == [{"groupId": "1", "maker": "-0.0008", "taker": "-0.001", "elpMaker": ""}]
    [swap] = rest.rows("/account/trade-fee", instType="SWAP", instFamily="BTC-USDT")
    assert (swap["maker"], swap["makerU"], swap["takerU"]) == ("", "-0.0002", "-0.0005")
    assert swap["feeGroup"][0]["groupId"] == "2"


def test_isolated_margin_is_added_and_taken_out() -> None:
    rest, key = Rest(), PositionKey("BTC-USDT-SWAP", "isolated")
    body = {"instId": "BTC-USDT-SWAP", "posSide": "net", "type": "add", "amt": "7"}
    [row] = rest.post("/account/position/margin-balance", body)[1]["data"]
    assert (row["amt"], row["type"], row["leverage"], row["ccy"]) == ("7", "add", "3", "USDT")
    rest.post("/account/position/margin-balance", {**body, "type": "reduce", "amt": "2"})
    assert rest.venue.demo.margins == {key: 5}
    assert rest.post("/account/position/margin-balance", {**body, "type": "more"})[1]["code"] == "51000"


# --- ledger -------------------------------------------------------------------------------------


def test_bills_page_backwards_without_loss_or_repetition() -> None:
    rest = Rest()
    rest.venue.demo.bills.extend(bill(n, START_MS - 300 + n) for n in range(1, 251))
    seen: list[str] = []
    after: dict[str, str] = {}
    while rows := rest.rows("/account/bills", **after):
        seen += [row["billId"] for row in rows]
        after = {"after": seen[-1]}
    assert seen == [str(n) for n in range(250, 0, -1)]


def test_bills_filter_by_type_time_and_key() -> None:
    rest = Rest()
    rest.venue.demo.bills.extend(
        [
            bill(1, START_MS - 30),
            bill(2, START_MS - 20, "8", sub_type="174", inst_type="SWAP", mode="cross"),
            bill(3, START_MS - 10),
        ]
    )
    [funding] = rest.rows("/account/bills", type=8)
    assert (funding["subType"], funding["balChg"], funding["mgnMode"]) == ("174", "-0.5", "cross")
    assert [row["billId"] for row in rest.rows("/account/bills", begin=START_MS - 20)] == ["3", "2"]
    assert [row["billId"] for row in rest.rows("/account/bills", end=START_MS - 20)] == ["2", "1"]
    assert [row["billId"] for row in rest.rows("/account/bills", before=1, limit=1)] == ["3"]
    assert rest.rows("/account/bills", instType="SPOT") == []


def test_bills_are_kept_seven_days_and_archived_three_months() -> None:
    rest = Rest()
    rest.venue.demo.bills.extend(
        [bill(1, START_MS - 91 * DAY_MS), bill(2, START_MS - 8 * DAY_MS), bill(3, START_MS - DAY_MS)]
    )
    assert [row["billId"] for row in rest.rows("/account/bills")] == ["3"]
    assert [row["billId"] for row in rest.rows("/account/bills-archive")] == ["3", "2"]


# --- funding account ----------------------------------------------------------------------------


def test_the_funding_wallet() -> None:
    rest = Rest()
    rest.venue.demo.funding.update({"USDT": D("5.5"), "BTC": D(0)})
    assert rest.rows("/asset/balances") == [
        {"ccy": "USDT", "bal": "5.5", "frozenBal": "0", "availBal": "5.5"}
    ]


def test_a_transfer_is_accepted_first_and_done_later() -> None:
    rest = Rest()
    body = {"ccy": "USDT", "amt": "12.5", "from": "18", "to": "6", "clientId": "t1"}
    [ack] = rest.post("/asset/transfer", body)[1]["data"]
    assert (ack["clientId"], ack["amt"], ack["from"], ack["to"]) == ("t1", "12.5", "18", "6")
    assert rest.rows("/asset/transfer-state", transId=ack["transId"])[0]["state"] == "pending"
    rest.venue.demo.transfers[ack["transId"]].state = "success"
    assert rest.rows("/asset/transfer-state", clientId="t1")[0]["state"] == "success"
    assert rest.get("/asset/transfer-state", transId="404")[1]["code"] == "58129"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amt": "-1"}, "51000"),
        ({"amt": ""}, "50014"),
        ({"to": "18"}, "58123"),
        ({"from": "7"}, "51000"),
        ({"type": "1"}, "58129"),
        ({"clientId": "a-b"}, "51000"),
    ],
)
def test_a_senseless_transfer_is_refused(changed: dict[str, str], code: str) -> None:
    body = {"ccy": "USDT", "amt": "12.5", "from": "18", "to": "6", **changed}
    assert Rest().post("/asset/transfer", body)[1]["code"] == code


def test_the_newest_transfer_of_a_client_id_is_meant() -> None:
    rest = Rest()
    for n, state in ((1, "failed"), (2, "success")):
        rest.venue.demo.transfers[str(n)] = Transfer(str(n), "same", "USDT", D(n), "18", "6", state, START_MS)
    assert rest.rows("/asset/transfer-state", clientId="same")[0]["state"] == "success"
