"""What happens to the venue itself, at an instant or for a while, as a client sees it."""

from itertools import pairwise

import pytest

from tests.exchange.sim.faults.lab import PLACING, SPOT, SWAP, Lab, Row, order
from tests.exchange.sim.worlds import MINUTE_MS, START_MS, D

TIME = "/api/v5/public/time"


def book(lab: Lab, inst_id: str = SWAP) -> tuple[list[Row], list[Row]]:
    [row] = lab.get("/api/v5/market/books", f"instId={inst_id}&sz=5")[1]["data"]
    return row["bids"], row["asks"]


def ticker(lab: Lab, inst_id: str = SWAP) -> Row:
    [row] = lab.get("/api/v5/market/ticker", f"instId={inst_id}")[1]["data"]
    found: Row = row
    return found


def test_sequence_numbers_begin_anew_and_the_chain_holds_across() -> None:
    lab = Lab()
    stream = lab.stream()
    stream.follow("books", instId=SWAP)
    lab.fault({"seq_reset": {"inst_id": SWAP}}, at="90s")
    lab.wait(3 * MINUTE_MS)
    updates = [frame["data"][0] for frame in stream.heard() if frame.get("action") == "update"]
    assert updates[0]["seqId"] > 1_000_000 > updates[-1]["seqId"]
    resets = [row for row in updates if row["seqId"] < row["prevSeqId"]]
    assert len(resets) == 1
    assert all(b["prevSeqId"] == a["seqId"] for a, b in pairwise(updates))


@pytest.mark.parametrize(
    ("shape", "has_bids", "has_asks"),
    [("empty", False, False), ("no_bids", False, True), ("no_asks", True, False)],
)
def test_a_book_is_empty_or_one_sided_for_a_while(shape: str, has_bids: bool, has_asks: bool) -> None:
    lab = Lab()
    lab.fault({"book": {"inst_id": SWAP, "shape": shape, "lasts": "90s"}})
    bids, asks = book(lab)
    assert (bool(bids), bool(asks)) == (has_bids, has_asks)
    lab.wait(90_000)
    assert all(book(lab))


def test_a_book_is_crossed_and_trading_goes_on_behind_it() -> None:
    lab = Lab()
    stream = lab.stream()
    stream.follow("books5", instId=SWAP)
    lab.fault({"book": {"inst_id": SWAP, "shape": "crossed"}})
    bids, asks = book(lab)
    assert D(bids[0][0]) > D(asks[0][0])  # type: ignore[index]
    lab.wait(1_000)
    pushed = stream.heard()[-1]["data"][0]
    assert D(pushed["bids"][0][0]) > D(pushed["asks"][0][0])
    assert lab.place(clOrdId="a")["sCode"] == "0" and lab.contracts() == -1
    made = next(iter(lab.venue.accounts["demo"].orders.values()))
    assert made.avg_px < 60_001


def test_a_wick_is_shown_for_one_tick() -> None:
    lab = Lab()
    stream = lab.stream()
    stream.follow("tickers", instId=SWAP)
    stream.follow("mark-price", instId=SWAP)
    lab.fault({"spike": {"inst_id": SWAP, "change": 0.2, "of": "last"}}, at="30s")
    lab.wait(30_000)
    shown = {frame["arg"]["channel"]: frame["data"][0] for frame in stream.heard()}
    assert shown["tickers"]["last"] == "72000" and ticker(lab)["last"] == "72000"
    assert lab.venue.markets[SWAP].mark_px == 60_000
    lab.wait(1_000)
    assert ticker(lab)["last"] == "60000"


def test_a_spike_of_everything_moves_mark_and_book_too_and_liquidates_nobody() -> None:
    lab = Lab()
    lab.place(sz="300")
    lab.fault({"spike": {"inst_id": SWAP, "change": 0.5, "lasts": "1m"}})
    assert lab.venue.markets[SWAP].mark_px == 90_000
    assert D(book(lab)[0][0][0]) > 80_000  # type: ignore[index]
    lab.wait(2 * MINUTE_MS)
    assert lab.contracts() == -300


def test_the_venues_clock_is_off_for_a_while() -> None:
    lab = Lab()
    lab.fault({"clock": {"ms": 45_000, "lasts": "10m"}}, at="1m")
    lab.wait(MINUTE_MS)
    assert lab.get(TIME)[1]["data"][0]["ts"] == str(START_MS + MINUTE_MS + 45_000)
    assert lab.get("/api/v5/account/balance")[1]["code"] == "50102"
    [answer] = lab.stream("private").login()
    assert answer["code"] == "60006"
    lab.wait(10 * MINUTE_MS)
    assert lab.get("/api/v5/account/balance")[1]["code"] == "0"


def test_an_instrument_is_suspended_and_resumes() -> None:
    lab = Lab()
    lab.fault({"suspend": {"inst_id": SWAP, "lasts": "5m"}}, at="1m")
    assert lab.place()["sCode"] == "0"
    lab.wait(MINUTE_MS)
    assert lab.place()["sCode"] == "51022"
    lab.wait(5 * MINUTE_MS)
    assert lab.place()["sCode"] == "0"


def test_a_delisting_is_announced_and_comes() -> None:
    lab = Lab()
    lab.place()
    lab.fault({"delist": {"inst_id": SWAP, "after": "2h"}})
    query = f"instType=SWAP&instId={SWAP}"
    [row] = lab.get("/api/v5/public/instruments", query)[1]["data"]
    assert row["expTime"] == str(START_MS + 2 * 60 * MINUTE_MS)
    lab.wait(2 * 60 * MINUTE_MS)
    assert lab.contracts() == 0 and lab.place()["sCode"] == "51027"


def test_maintenance_is_announced_begins_and_ends() -> None:
    lab = Lab()
    lab.fault({"maintenance": {"after": "10m", "lasts": "5m", "title": "Upgrade"}})
    [window] = lab.get("/api/v5/system/status")[1]["data"]
    assert (window["title"], window["state"]) == ("Upgrade", "scheduled")
    assert lab.place()["sCode"] == "0"
    lab.wait(10 * MINUTE_MS)
    _, refused = lab.post("/api/v5/trade/order", order())
    assert "50001" in (refused["code"], *(ack["sCode"] for ack in refused["data"]))
    lab.wait(5 * MINUTE_MS)
    assert lab.place()["sCode"] == "0"


def test_a_revoked_key_is_unknown_and_its_streams_are_closed() -> None:
    lab = Lab()
    private, public = lab.private(), lab.stream()
    lab.fault({"revoke": {"account": "demo"}}, at="1m")
    lab.wait(MINUTE_MS)
    assert private.closed is not None and private.closed[0] == 4007 and public.closed is None
    assert lab.get("/api/v5/account/balance")[1]["code"] == "50119"


def test_an_account_is_edited_behind_its_clients_back() -> None:
    lab = Lab()
    private = lab.private()
    private.follow("account")
    lab.fault({"account": {"account": "demo", "set": {"cash": {"USDT": "5"}}}}, at="1s")
    lab.wait(1_000)
    [pushed] = private.heard()
    assert pushed["data"][0]["details"][0]["cashBal"] == "5"


def test_a_position_is_taken_away_by_deleveraging() -> None:
    lab = Lab()
    lab.place(sz="4")
    lab.fault({"adl": {"account": "demo", "inst_id": SWAP, "fraction": 0.5}}, at="1s")
    lab.wait(1_000)
    assert lab.contracts() == -2
    forced = list(lab.venue.accounts["demo"].orders.values())[-1]
    assert forced.category == "adl"


def test_an_instrument_is_edited_as_the_control_interface_does() -> None:
    lab = Lab()
    lab.fault({"instrument": {"inst_id": SWAP, "set": {"funding_interval_h": 4}}})
    assert lab.log("edit")[0]["set"] == {"funding_interval_h": 4}


def test_an_edit_that_makes_no_sense_any_more_is_recorded_as_failed() -> None:
    lab = Lab()
    lab.fault({"adl": {"account": "demo", "inst_id": SWAP}}, at="1s")
    lab.wait(1_000)
    [struck] = lab.log("fault")
    assert struck["what"] == "adl" and "position" in struck["failed"]


def test_what_lasts_ends_even_when_its_rule_is_gone() -> None:
    lab = Lab()
    rule = lab.fault({"suspend": {"inst_id": SPOT, "lasts": "5m"}})
    assert lab.venue.instruments[SPOT].state == "suspend"
    lab.control("DELETE", f"/sim/faults/{rule}")
    lab.wait(5 * MINUTE_MS)
    assert lab.venue.instruments[SPOT].state == "live"


def test_time_stops_where_a_fault_is_due() -> None:
    lab = Lab()
    lab.fault({"clock": {"ms": 1}}, at=12_345)
    assert lab.board.next_ms() == START_MS + 12_345
    lab.fault({"delay": {"ms": 5}}, PLACING)
    lab.board.advance(START_MS + MINUTE_MS)
    assert lab.board.now_ms == START_MS + 12_345
