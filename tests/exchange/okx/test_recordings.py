"""Golden cases: what the engine reads out of payloads recorded from the real venue."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from core.errors import BadPayload
from core.protection import StopState
from core.types import AccountMode, BillKind, OrderStatus, Side, TransferStatus, Wallet
from exchange.local_book import LocalBook
from exchange.okx import parse_account, parse_algo, parse_market, wire
from tests.exchange.okx import recorded

pytestmark = recorded.needs_recordings
D = Decimal


def rows(name: str, row: type[Any]) -> list[Any]:
    return msgspec.json.decode(json.dumps(recorded.payload(name)["data"]).encode(), type=list[row])


def test_a_spot_instrument() -> None:
    (row,) = rows("okx_net/rest_ExchangeData_GetSymbols", wire.Instrument)
    spot = parse_market.spot(row)
    assert (spot.inst_id, spot.base_ccy, spot.quote_ccy) == ("BTC-USDT", "BTC", "USDT")
    assert (spot.tick, spot.lot, spot.min_size) == (D("0.1"), D("0.00000001"), D("0.00001"))
    assert spot.max_limit_size == D("9999999999") and spot.exp_time_ms is None


def test_linear_swaps_are_read_and_inverse_ones_refused() -> None:
    swaps = {row.inst_id: row for row in rows("nautilus_trader/http_get_instruments_swap", wire.Instrument)}
    btc = parse_market.swap(swaps["BTC-USDT-SWAP"])
    assert (btc.ct_val, btc.lot, btc.tick, btc.max_leverage) == (D("0.01"), D("0.01"), D("0.1"), D(100))
    with pytest.raises(BadPayload, match="inverse"):
        parse_market.swap(swaps["BTC-USD-SWAP"])


def test_hundreds_of_recorded_instruments_are_read_or_refused() -> None:
    for kind, parse in (("SPOT", parse_market.spot), ("SWAP", parse_market.swap)):
        envelope = recorded.gzipped(f"cryptofeed/rest_public_instruments_{kind}_20220513.json.gz")
        payload = envelope.get("payload", envelope)
        decoded = msgspec.json.decode(json.dumps(payload["data"]).encode(), type=list[wire.Instrument])
        read = []
        for row in decoded:
            try:
                read.append(parse(row).inst_id)
            except BadPayload:
                continue
        wanted = "BTC-USDT" if kind == "SPOT" else "BTC-USDT-SWAP"
        assert wanted in read and len(read) > 50


def test_turnover_is_coins_times_price() -> None:
    row = rows("okx_net/rest_ExchangeData_GetTickers", wire.Ticker)[0]
    assert parse_market.turnover(row) == ("LTC-USD-SWAP", D("2222") * D("9999.99"))


def test_funding_with_its_interval() -> None:
    (row,) = rows("okx_net/rest_ExchangeData_GetFundingRates", wire.FundingRate)
    quote = parse_market.funding(row, seen_ms=5)
    assert quote.rate == D("0.0000792386885340")
    assert quote.interval_ms == 8 * 3_600_000
    assert (quote.min_rate, quote.max_rate) == (D("-0.00375"), D("0.00375"))
    assert quote.settled_rate == D("0.0001418433662153")


def test_settled_funding_takes_what_was_charged() -> None:
    row = rows("okx_net/rest_ExchangeData_GetFundingRateHistory", wire.FundingHistory)[0]
    assert row.realized_rate != row.funding_rate
    assert parse_market.settled(row).rate == D(row.realized_rate)


def test_swap_candles_take_the_volume_in_coins() -> None:
    row = rows("hummingbot/test_okx_perpetual_candles_073", wire.CandleRow)[0]
    swap, spot = parse_market.candle(row, "X-USDT-SWAP"), parse_market.candle(row, "X-USDT")
    assert (swap.volume, spot.volume) == (D(row[6]), D(row[5]))
    assert swap.closed


def test_the_account_config() -> None:
    (row,) = rows("okx_net/rest_Account_GetAccountConfiguration", wire.Config)
    config = parse_account.config(row)
    assert config.mode is AccountMode.MULTI and config.net_positions
    assert config.permissions == {"withdraw", "trade", "read_only"}


def test_balances_of_a_multi_currency_account() -> None:
    (row,) = rows("okx_net/ws_Account_Balance", wire.AccountBalance)
    push = parse_account.balances(row, default_ms=1)
    usdt = {balance.ccy: (balance, ts_ms) for balance, ts_ms in push.balances}["USDT"]
    assert usdt[0].cash == D("4750.426970691436") and usdt[0].equity == D("4892.951170691435")
    assert usdt[0].available == D("4734.371190691435")  # the smaller of cash and margin
    assert usdt[1] == 1705564213903
    assert push.adjusted_equity_usd == D("55444.12216906034")


def test_balances_of_a_virgin_account() -> None:
    (row,) = rows("nautilus_trader/ws_account_empty", wire.AccountBalance)
    push = parse_account.balances(row, default_ms=1)
    assert push.balances == () and push.mgn_ratio is None


def test_an_order_push_tells_its_fill() -> None:
    (row,) = rows("gocryptotrader/wsOrders_003", wire.Order)
    record, fill = parse_account.order(row), parse_account.pushed_fill(row)
    assert record.status is OrderStatus.FILLED and record.side is Side.SELL
    assert fill is not None and fill.key == ("BTC-USDT", "242589207")
    assert (fill.size, fill.px, fill.fee) == (D("0.001"), D("31527.1"), D("-0.02522168"))


def test_the_extra_message_that_ends_a_market_order_is_no_fill() -> None:
    (row,) = rows("gocryptotrader/wsOrders_006", wire.Order)
    record = parse_account.order(row)
    assert record.status is OrderStatus.FILLED and record.fee == D("-0.010000249968")
    assert parse_account.pushed_fill(row) is None


def test_an_adl_is_recognised_by_its_category() -> None:
    (row,) = rows("nautilus_trader/ws_orders_adl", wire.Order)
    record, fill = parse_account.order(row), parse_account.pushed_fill(row)
    assert record.category == "adl" and record.cl_id == ""
    assert fill is not None and (fill.size, fill.fee) == (D("0.3"), D("-12.3"))


def test_a_liquidation_is_recognised_by_its_category() -> None:
    (row,) = rows("nautilus_trader/ws_orders_liquidation", wire.Order)
    assert parse_account.order(row).category == "full_liquidation"


def test_an_order_of_nobodys_stop_names_none() -> None:
    (row,) = rows("okx_net/rest_Trading_GetOrderHistory", wire.Order)
    assert parse_account.order(row).algo_cl_id == ""


@pytest.mark.parametrize(
    ("name", "algo_id"),
    [
        ("nautilus_trader/http_get_orders_algo_pending_close_fraction", "close-frac-algo"),
        ("nautilus_trader/http_get_orders_algo_pending", "123456789"),
        ("nautilus_trader/parse_023", "123"),
        ("okx_net/rest_Trading_GetAlgoOrder", "681187161907138560"),
    ],
)
def test_waiting_orders_that_are_no_stops_of_a_size_are_listed_as_none(name: str, algo_id: str) -> None:
    (row,) = rows(name, wire.Algo)
    assert parse_algo.listed(row) == (algo_id, None)


def test_a_stop_of_a_size_is_read_out_of_a_recorded_one() -> None:
    (row,) = rows("nautilus_trader/http_get_orders_algo_pending_close_fraction", wire.Algo)
    row.sz = "10"
    _, stop = parse_algo.listed(row)
    assert stop is not None and (stop.cl_id, stop.side) == ("O-close-frac-status", Side.SELL)
    assert (stop.state, stop.trigger_px, stop.created_ms) == (StopState.LIVE, D(50000), 1622559930237)


@pytest.mark.parametrize("name", ["http_place_algo_order_response", "http_cancel_algo_order_response"])
def test_the_answer_about_a_waiting_order_has_its_id(name: str) -> None:
    (row,) = rows(f"nautilus_trader/{name}", wire.AlgoAck)
    assert (row.algo_id, row.s_code) == ("12345", "0")


def test_an_isolated_position_has_margin_of_its_own() -> None:
    (row,) = rows("okx_net/rest_Account_GetAccountPositions", wire.PositionRow)
    position, _ = parse_account.position(row, 1)
    assert position.isolated and position.margin == D("0.0003896645377994")


def test_a_live_order_has_no_average_price() -> None:
    (row,) = rows("okx_net/rest_Trading_GetOrders", wire.Order)
    record = parse_account.order(row)
    assert record.status is OrderStatus.LIVE and record.avg_px is None and record.filled == 0


def test_a_fill_row() -> None:
    (row,) = rows("okx_net/rest_Trading_GetUserTrades", wire.FillRow)
    fill = parse_account.fill(row)
    assert fill.key == ("BTC-USDT", "744876980") and fill.px == D(51858) and fill.fee < 0


def test_a_bill() -> None:
    (row,) = rows("okx_net/rest_Account_GetBillArchive", wire.BillRow)
    bill = parse_account.bill(row)
    assert bill.kind is BillKind.TRADE and bill.change == D("0.0219338232210000")


def test_a_finished_transfer() -> None:
    (row,) = rows("okx_net/rest_Account_GetTransfer", wire.Transfer)
    record = parse_account.transfer(row)
    assert (record.source, record.dest) == (Wallet.TRADING, Wallet.FUNDING)
    assert record.status is TransferStatus.DONE


def test_fees_turn_the_venues_sign_around() -> None:
    (row,) = rows("okx_net/rest_Account_GetFeeRates", wire.TradeFee)
    assert parse_account.fee_pair(row, "1", swap=False) == (D("0.0008"), D("0.001"))


def test_a_maintenance_notice() -> None:
    (row,) = rows("okx_net/ws_ExchangeData_SystemStatus", wire.Status)
    window = parse_market.maintenance(row)
    assert (window.begin_ms, window.end_ms, window.state) == (1672823400000, 1672825980000, "completed")


def test_replayed_books_reproduce_the_venues_checksums() -> None:
    """The old feed carried a checksum over the best 25 levels: the proof that merging is right.

    It is older than sequence numbers, so each change is numbered here.
    """
    books: dict[str, LocalBook] = {}
    checked = 0
    for line in recorded.lines("cryptofeed/ws_public_20220513.jsonl.gz"):
        message = line["msg"]
        if message.get("arg", {}).get("channel") != "books" or "data" not in message:
            continue
        inst_id = message["arg"]["instId"]
        book = books.setdefault(inst_id, LocalBook(inst_id))
        for data in message["data"]:
            last = book.freeze()
            before = last.seq_id if last else -1
            numbered = data | {"seqId": before + 1, "prevSeqId": before}
            row = msgspec.json.decode(json.dumps(numbered).encode(), type=wire.BookData)
            assert book.apply(parse_market.book_change(message["action"], row), seen_ms=1)
            frozen = book.freeze()
            assert frozen is not None and frozen.is_sane
            assert _checksum(frozen.bids, frozen.asks) == data["checksum"]
            checked += 1
    assert checked > 150


def _checksum(bids: Any, asks: Any) -> int:
    parts = []
    for i in range(25):
        for side in (bids, asks):
            if i < len(side):
                parts += [format(side[i][0], "f"), format(side[i][1], "f")]
    value = zlib.crc32(":".join(parts).encode())
    return value - 2**32 if value >= 2**31 else value


READERS: dict[str, tuple[type[Any], Callable[[Any], object]]] = {
    "rest:/api/v5/market/books": (wire.BookData, lambda r: parse_market.book(r, "X", 1)),
    "rest:/api/v5/account/positions": (wire.PositionRow, lambda r: parse_account.position(r, 1)),
    "rest:/api/v5/trade/orders-history": (wire.Order, parse_account.order),
    "ws:orders": (wire.Order, lambda r: (parse_account.order(r), parse_account.pushed_fill(r))),
    "ws:positions": (wire.PositionRow, lambda r: parse_account.position(r, 1)),
    "ws:balance_and_position": (wire.BalanceAndPosition, lambda r: parse_account.cash(r, 1)),
    "ws:mark-price": (wire.MarkPrice, parse_market.mark),
}


@pytest.mark.parametrize("kind", READERS)
def test_every_recording_of_these_kinds_is_read(kind: str) -> None:
    row, read = READERS[kind]
    recordings = recorded.of_type(kind)
    assert recordings
    for _, payload in recordings:
        for decoded in msgspec.json.decode(json.dumps(payload["data"]).encode(), type=list[row]):
            assert read(decoded) is not None
