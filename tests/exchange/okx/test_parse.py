"""The parsers on payloads made by hand: absences, signs, modes, and a corpus of broken ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadPayload
from core.types import BillKind
from exchange.okx import parse_account, parse_market, wire
from exchange.okx.fields import maybe, millis, number

D = Decimal

SWAP = {
    "instType": "SWAP",
    "instId": "BTC-USDT-SWAP",
    "ctType": "linear",
    "ctVal": "0.01",
    "ctMult": "1",
    "tickSz": "0.1",
    "lotSz": "0.01",
    "minSz": "0.01",
    "maxLmtSz": "100000000",
    "lever": "100",
    "state": "live",
    "expTime": "",
    "groupId": "1",
}
LEVEL = ["60010.1", "0.5", "0", "3"]
BOOK = {
    "asks": [LEVEL],
    "bids": [["60010", "1", "0", "1"]],
    "ts": "1700000000100",
    "seqId": 7,
    "prevSeqId": -1,
}
CANDLE = ["1700000000000", "1", "3", "0.5", "2", "10", "20", "20", "1"]
FUNDING = {
    "instId": "BTC-USDT-SWAP",
    "fundingRate": "0.0001",
    "fundingTime": "1700006400000",
    "nextFundingTime": "1700035200000",
    "settState": "settled",
    "settFundingRate": "0.00007",
}
MARK = {"instId": "BTC-USDT-SWAP", "markPx": "60000.1"}
ORDER = {
    "instId": "BTC-USDT",
    "ordId": "68080001",
    "clOrdId": "c7o1l0001",
    "side": "buy",
    "state": "partially_filled",
    "sz": "1",
    "accFillSz": "0.4",
    "avgPx": "60010.1",
    "fee": "-0.0004",
    "feeCcy": "BTC",
    "uTime": "1700000000511",
    "tradeId": "555123",
    "fillPx": "60010.1",
    "fillSz": "0.1",
    "fillFee": "-0.0001",
    "fillFeeCcy": "BTC",
    "fillTime": "1700000000510",
    "execType": "T",
}
FILL = {
    "instId": "BTC-USDT",
    "tradeId": "9",
    "ordId": "5",
    "billId": "3",
    "side": "sell",
    "fillPx": "60000",
    "fillSz": "0.1",
    "fee": "-6",
    "feeCcy": "USDT",
    "ts": "1700000000000",
}
BILL = {
    "billId": "9",
    "type": "8",
    "subType": "174",
    "ccy": "USDT",
    "balChg": "0.9594",
    "ts": "1700006400000",
}
BALANCE = {
    "uTime": "1700000000100",
    "totalEq": "20109.6",
    "adjEq": "",
    "mgnRatio": "",
    "details": [
        {
            "ccy": "USDT",
            "eq": "10050.1",
            "cashBal": "10040.1",
            "availBal": "8038.2",
            "availEq": "8030",
            "mgnRatio": "222",
        },
        {"ccy": "BTC", "eq": "0.16", "cashBal": "0.16", "availBal": "0.15", "availEq": "0"},
    ],
}
POSITION = {
    "instType": "SWAP",
    "instId": "BTC-USDT-SWAP",
    "pos": "-16",
    "avgPx": "60000",
    "posSide": "net",
    "mgnMode": "cross",
}
CONFIG = {
    "uid": "7",
    "acctLv": "2",
    "posMode": "net_mode",
    "perm": "read_only,trade",
    "ip": "",
    "feeType": "0",
}
TRANSFER = {"transId": "1", "ccy": "USDT", "amt": "5", "from": "6", "to": "18", "state": "success"}
FEE = {"maker": "-0.0008", "taker": "-0.001"}

READERS: dict[str, tuple[type[Any], Callable[[Any], object], Any]] = {
    "swap": (wire.Instrument, parse_market.swap, SWAP),
    "spot": (wire.Instrument, parse_market.spot, SWAP | {"baseCcy": "BTC", "quoteCcy": "USDT"}),
    "ticker": (
        wire.Ticker,
        parse_market.turnover,
        {"instId": "BTC-USDT-SWAP", "last": "6", "volCcy24h": "2"},
    ),
    "book": (wire.BookData, lambda r: parse_market.book(r, "X", 1), BOOK),
    "change": (wire.BookData, lambda r: parse_market.book_change("update", r), BOOK),
    "candle": (wire.CandleRow, lambda r: parse_market.candle(r, "X"), CANDLE),
    "funding": (wire.FundingRate, lambda r: parse_market.funding(r, 1), FUNDING),
    "settled": (wire.FundingHistory, parse_market.settled, {"fundingTime": "1", "realizedRate": "0.1"}),
    "mark": (wire.MarkPrice, parse_market.mark, MARK),
    "interest": (wire.OpenInterest, parse_market.open_interest, {"oiCcy": "5"}),
    "time": (wire.Time, parse_market.server_time, {"ts": "5"}),
    "status": (wire.Status, parse_market.maintenance, {"begin": "5", "state": "scheduled"}),
    "order": (wire.Order, parse_account.order, ORDER),
    "pushed": (wire.Order, parse_account.pushed_fill, ORDER),
    "fill": (wire.FillRow, parse_account.fill, FILL),
    "bill": (wire.BillRow, parse_account.bill, BILL),
    "balance": (wire.AccountBalance, lambda r: parse_account.balances(r, 1), BALANCE),
    "position": (wire.PositionRow, lambda r: parse_account.position(r, 1), POSITION),
    "cash": (
        wire.BalanceAndPosition,
        lambda r: parse_account.cash(r, 1),
        {"posData": [POSITION], "balData": [{"ccy": "X", "cashBal": "1"}]},
    ),
    "config": (wire.Config, parse_account.config, CONFIG),
    "leverage": (wire.Leverage, parse_account.leverage, {"lever": "3"}),
    "transfer": (wire.Transfer, parse_account.transfer, TRANSFER),
    "wallet": (wire.FundingBalance, parse_account.wallet, {"ccy": "USDT", "availBal": "5"}),
    "fee": (wire.TradeFee, lambda r: parse_account.fee_pair(r, "1", swap=False), FEE),
}


def read(kind: str, payload: object) -> Any:
    """Decode and parse the way the adapter does: JSON of another shape is a BadPayload too."""
    row, parse, _ = READERS[kind]
    try:
        decoded = msgspec.json.decode(json.dumps(payload).encode(), type=row)
    except msgspec.DecodeError as exc:
        raise BadPayload(str(exc)) from exc
    return parse(decoded)


@pytest.mark.parametrize("kind", READERS)
def test_the_model_payload_is_read(kind: str) -> None:
    assert read(kind, READERS[kind][2]) is not None


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("swap", {"ctVal": ""}),
        ("swap", {"ctVal": "0"}),
        ("swap", {"ctMult": "-1"}),
        ("swap", {"lotSz": None}),
        ("swap", {"tickSz": "NaN"}),
        ("swap", {"minSz": "1_000"}),
        ("swap", {"maxLmtSz": "１２"}),
        ("swap", {"lever": []}),
        ("swap", {"state": ""}),
        ("swap", {"ctType": "inverse"}),
        ("swap", {"expTime": "tomorrow"}),
        ("spot", {"baseCcy": ""}),
        ("spot", {"lotSz": "Infinity"}),
        ("ticker", {"last": ""}),
        ("ticker", {"volCcy24h": "lots"}),
        ("book", {"asks": None}),
        ("book", {"asks": [["", "1"]]}),
        ("book", {"asks": [["60010.1"]]}),
        ("book", {"bids": [["NaN", "1"]]}),
        ("book", {"bids": [["60010", "-1"]]}),
        ("book", {"bids": [["-5", "1"]]}),
        ("book", {"bids": [["1e400", "1"]]}),
        ("book", {"bids": "none"}),
        ("book", {"ts": ""}),
        ("change", {"seqId": "7"}),
        ("change", {"seqId": -1}),
        ("change", {"ts": "17000000001001700000"}),
        ("funding", {"fundingRate": ""}),
        ("funding", {"nextFundingTime": ""}),
        ("funding", {"nextFundingTime": "1700006400000"}),
        ("funding", {"fundingTime": "-5"}),
        ("funding", {"settFundingRate": "?"}),
        ("settled", {"realizedRate": "", "fundingRate": ""}),
        ("mark", {"markPx": "0"}),
        ("mark", {"markPx": " 60000"}),
        ("mark", {"markPx": 60000}),
        ("mark", {"instId": ""}),
        ("interest", {"oiCcy": ""}),
        ("time", {"ts": "1700000000.5"}),
        ("status", {"begin": ""}),
        ("order", {"ordId": ""}),
        ("order", {"side": "hold"}),
        ("order", {"state": "dreaming"}),
        ("order", {"sz": ""}),
        ("order", {"avgPx": ""}),
        ("order", {"uTime": ""}),
        ("order", {"accFillSz": "0x4"}),
        ("pushed", {"fillPx": ""}),
        ("pushed", {"fillFee": "free"}),
        ("fill", {"tradeId": ""}),
        ("fill", {"fillSz": "0"}),
        ("fill", {"ts": "", "fillTime": ""}),
        ("bill", {"balChg": ""}),
        ("bill", {"billId": None}),
        ("balance", {"details": [{"ccy": "USDT"}]}),
        ("balance", {"details": [{"ccy": "", "cashBal": "1"}]}),
        ("balance", {"details": {"USDT": 1}}),
        ("balance", {"totalEq": "much"}),
        ("position", {"avgPx": ""}),
        ("position", {"instId": ""}),
        ("position", {"liqPx": "none"}),
        ("cash", {"balData": [{"ccy": "USDT", "cashBal": ""}]}),
        ("config", {"acctLv": "5"}),
        ("config", {"posMode": "sideways"}),
        ("config", {"uid": ""}),
        ("leverage", {"lever": ""}),
        ("transfer", {"from": "99"}),
        ("transfer", {"state": "lost"}),
        ("wallet", {"availBal": ""}),
        ("fee", {"maker": ""}),
    ],
)
@pytest.mark.fault("MD10")
def test_what_cannot_be_read_is_a_bad_payload(kind: str, change: dict[str, object]) -> None:
    with pytest.raises(BadPayload):
        read(kind, READERS[kind][2] | change)


@pytest.mark.parametrize(
    "row", [[], CANDLE[:8], ["x", *CANDLE[1:]], [*CANDLE[:8], "2"], [*CANDLE[:5], "", *CANDLE[6:]]]
)
def test_a_broken_candle_is_a_bad_payload(row: list[str]) -> None:
    with pytest.raises(BadPayload):
        read("candle", row)


@given(kind=st.sampled_from(sorted(k for k in READERS if k != "candle")), data=st.data())
def test_any_damage_to_one_field_is_read_or_a_bad_payload(kind: str, data: st.DataObject) -> None:
    model = READERS[kind][2]
    field = data.draw(st.sampled_from(sorted(model)))
    scalar = st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.floats(allow_nan=False)
    )
    damage = data.draw(st.one_of(scalar, st.lists(scalar, max_size=2)))
    try:
        read(kind, model | {field: damage})
    except BadPayload as exc:
        assert str(exc)


def test_the_raw_payload_is_in_the_message() -> None:
    with pytest.raises(BadPayload, match=r"state is 'dreaming' in Order\(.*68080001"):
        read("order", ORDER | {"state": "dreaming"})


@pytest.mark.fault("MD10")
def test_unknown_fields_are_ignored() -> None:
    assert read("mark", MARK | {"brandNew": {"a": [1]}}) == ("BTC-USDT-SWAP", D("60000.1"))


@pytest.mark.parametrize("absent", ["", None])
@pytest.mark.fault("RE11")
def test_absent_is_not_zero(absent: str | None) -> None:
    position, _ = read("position", POSITION | {"liqPx": absent, "mgnRatio": absent})
    assert position.liq_px is None and position.mgn_ratio is None


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=8))
def test_every_plain_number_is_read_exactly(value: Decimal) -> None:
    assert number("n", format(value, "f"), {}) == value


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_bad_payload(text: str) -> None:
    for reader in (number, maybe, millis):
        try:
            value = reader("n", text, {})
        except BadPayload:
            continue
        assert value is None or D(value).is_finite()


def test_the_multiplier_is_part_of_the_contract_value() -> None:
    assert read("swap", SWAP | {"ctMult": "10"}).ct_val == D("0.1")
    assert read("swap", SWAP | {"ctMult": ""}).ct_val == D("0.01")


def test_a_delisting_time_is_told() -> None:
    assert read("swap", SWAP | {"expTime": "1700000000000"}).exp_time_ms == 1700000000000


def test_no_settled_rate_while_the_settlement_is_in_progress() -> None:
    assert read("funding", FUNDING).settled_rate == D("0.00007")
    assert read("funding", FUNDING | {"settState": "processing"}).settled_rate is None


def test_the_push_of_a_fill_tells_only_this_fill() -> None:
    fill = read("pushed", ORDER)
    assert (fill.size, fill.fee, fill.fee_ccy, fill.ts_ms) == (D("0.1"), D("-0.0001"), "BTC", 1700000000510)
    assert not fill.maker
    assert read("pushed", ORDER | {"execType": "M"}).maker


@pytest.mark.parametrize("change", [{"tradeId": ""}, {"fillSz": "0"}, {"tradeId": "", "fillSz": ""}])
def test_a_push_about_something_else_tells_no_fill(change: dict[str, str]) -> None:
    assert read("pushed", ORDER | change) is None


def test_a_fill_whose_fee_is_not_told_waits_for_rest() -> None:
    assert read("pushed", ORDER | {"fillFee": ""}) is None
    whole = ORDER | {"fillFee": "", "accFillSz": "0.1"}
    assert read("pushed", whole).fee == D("-0.0004")


@pytest.mark.parametrize("avg_px", ["", "0"])
def test_nothing_filled_has_no_average_price(avg_px: str) -> None:
    assert read("order", ORDER | {"accFillSz": "0", "avgPx": avg_px}).avg_px is None


def test_the_margin_ratio_of_futures_mode_stands_with_usdt() -> None:
    push = read("balance", BALANCE)
    assert push.mgn_ratio == D(222) and push.tells_margin
    assert read("balance", BALANCE | {"mgnRatio": "5"}).mgn_ratio == D(5)
    silent = read("balance", BALANCE | {"details": BALANCE["details"][1:]})
    assert silent.mgn_ratio is None and not silent.tells_margin


def test_usdt_is_available_as_far_as_cash_and_margin_allow_coins_as_far_as_cash() -> None:
    usdt, btc = (balance for balance, _ in read("balance", BALANCE).balances)
    assert (usdt.available, btc.available) == (D(8030), D("0.15"))


def test_an_equity_of_zero_is_not_replaced_by_cash() -> None:
    (balance, _), *_ = read(
        "balance", BALANCE | {"details": [{"ccy": "USDT", "cashBal": "5", "eq": "0"}]}
    ).balances
    assert balance.equity == 0


def test_the_direction_of_a_position() -> None:
    assert read("position", POSITION)[0].contracts == -16
    assert read("position", POSITION | {"pos": "16", "posSide": "short"})[0].contracts == -16
    assert read("position", POSITION | {"pos": "16", "posSide": "long"})[0].contracts == 16
    assert read("position", POSITION | {"mgnMode": "isolated"})[0].isolated


def test_a_closed_position_has_no_contracts() -> None:
    closed, _ = read("position", POSITION | {"pos": "0", "avgPx": ""})
    assert closed.contracts == 0


def test_only_swaps_count_as_positions() -> None:
    rows = msgspec.json.decode(
        json.dumps([POSITION, POSITION | {"instType": "MARGIN"}]).encode(), type=list[wire.PositionRow]
    )
    assert len(parse_account.positions(rows, 1).positions) == 1


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("1", BillKind.TRANSFER),
        ("2", BillKind.TRADE),
        ("8", BillKind.FUNDING),
        ("9", BillKind.ADL),
        ("5", BillKind.LIQUIDATION),
        ("7", BillKind.INTEREST),
        ("250", BillKind.OTHER),
    ],
)
def test_bills_have_their_kind_and_keep_their_type(kind: str, meaning: BillKind) -> None:
    bill = read("bill", BILL | {"type": kind})
    assert bill.kind is meaning and bill.raw_type == f"{kind}/174" and bill.change == D("0.9594")


def test_fees_come_from_the_instruments_group_then_from_the_fields_for_usdt_swaps() -> None:
    row = msgspec.convert(
        {
            "maker": "-0.1",
            "taker": "-0.2",
            "makerU": "-0.0002",
            "takerU": "-0.0005",
            "feeGroup": [{"groupId": "2", "maker": "0.0001", "taker": "-0.0003"}],
        },
        wire.TradeFee,
    )
    assert parse_account.fee_pair(row, "2", swap=True) == (D("-0.0001"), D("0.0003"))  # a rebate is negative
    assert parse_account.fee_pair(row, "1", swap=True) == (D("0.0002"), D("0.0005"))
    assert parse_account.fee_pair(row, "1", swap=False) == (D("0.1"), D("0.2"))


def test_maintenance_without_an_end_lasts_a_day() -> None:
    window = read("status", {"begin": "5", "state": "ongoing", "title": None})
    assert window.end_ms - window.begin_ms == 86_400_000 and window.title == ""
