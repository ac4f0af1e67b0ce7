"""What is written down of a venue's life, and the digest over it."""

import json
from typing import Any

import pytest

from exchange.sim.economics.world import Unbalanced
from exchange.sim.event_log import LINES_KEPT, EventLog
from exchange.sim.model import Reject
from tests.exchange.sim.faults.lab import SWAP, Lab
from tests.exchange.sim.worlds import HOUR_MS, MINUTE_MS, START_MS, D


def lines(log: EventLog) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.after(0, 1_000)]


def log_of(lab: Lab) -> EventLog:
    assert lab.venue.log is not None
    return lab.venue.log


def test_an_order_is_written_down_as_a_command_with_its_outcome_and_as_events() -> None:
    lab = Lab()
    lab.place(clOrdId="a")
    written = lines(log_of(lab))
    assert [line["n"] for line in written] == list(range(1, len(written) + 1))
    assert {line["at_ms"] for line in written} == {START_MS}
    command, *events = written
    assert (command["kind"], command["name"], command["args"][0]) == ("command", "place", "demo")
    assert command["args"][1]["cl_id"] == "a" and command["args"][1]["size"] == "1"
    [made] = lab.venue.accounts["demo"].orders
    assert command["result"] == made
    kinds = [line["kind"] for line in events]
    assert kinds.count("OrderChanged") == 2 and "AccountChanged" in kinds
    [filled] = [line for line in events if line["kind"] == "OrderChanged" and line["execution"]]
    assert filled["execution"]["size"] == "1" and filled["order"]["state"] == "filled"
    [money] = [line for line in events if line["kind"] == "AccountChanged"]
    assert D(money["cash"]["USDT"]) == lab.venue.accounts["demo"].trading["USDT"]


def test_a_refused_command_is_written_down_with_its_code() -> None:
    lab = Lab()
    lab.place(sz="20000")
    [command] = lines(log_of(lab))
    assert command["refused"] == "51008" and "result" not in command


def test_edits_accounts_and_states_are_written_down_and_no_secret_is() -> None:
    lab = Lab()
    lab.control("POST", "/sim/accounts", {"name": "two", "secret": "hush", "passphrase": "quiet"})
    lab.control("POST", "/sim/account/two", {"cash": {"USDT": "7"}})
    lab.control("POST", f"/sim/instrument/{SWAP}", {"state": "suspend"})
    written = lines(log_of(lab))
    assert [line["kind"] for line in written] == [
        "new_account", "edit", "AccountChanged", "edit", "InstrumentChanged",
    ]  # fmt: skip
    assert written[-1]["state"] == "suspend"
    assert "hush" not in json.dumps(written) and "quiet" not in json.dumps(written)


def test_lines_are_canonical() -> None:
    log = EventLog()
    log.record(5, "b", {"z": D("1.50"), "a": None})
    assert log.after(0, 1) == [b'{"a":null,"at_ms":5,"kind":"b","n":1,"z":"1.50"}']


def test_the_log_is_read_in_pages_and_every_line_goes_to_the_sink() -> None:
    lab, taken = Lab(), list[bytes]()
    log_of(lab).sink = taken.append
    for _ in range(3):
        lab.place()
    status, page = lab.control("GET", "/sim/log", query="after=2&limit=3")
    assert status == 200 and [row["n"] for row in page["rows"]] == [3, 4, 5]
    assert page["lines"] == len(taken) and page["digest"] == log_of(lab).digest
    assert [json.loads(line)["n"] for line in taken] == list(range(1, len(taken) + 1))
    assert lab.control("GET", "/sim/log", query="after=9999")[1]["rows"] == []


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=10001", "limit="])
def test_a_senseless_page_is_refused(query: str) -> None:
    status, answer = Lab().control("GET", "/sim/log", query=query)
    assert status == 400 and answer["error"]["field"] in ("after", "limit")


def test_old_lines_are_forgotten_but_stay_in_the_digest() -> None:
    log, other = EventLog(), EventLog()
    for n in range(LINES_KEPT + 5):
        log.record(n, "x", {})
        other.record(n if n else -1, "x", {})
    assert json.loads(log.after(0, 1)[0])["n"] == 6
    assert json.loads(log.after(LINES_KEPT, 9)[0])["n"] == LINES_KEPT + 1
    assert log.after(6, 1) == other.after(6, 1) and log.digest != other.digest


def test_asking_for_the_digest_or_anything_else_does_not_change_it() -> None:
    quiet, asked = Lab(), Lab()
    for lab in (quiet, asked):
        for _ in range(5):
            lab.wait(7 * MINUTE_MS)
            lab.place()
            if lab is asked:
                lab.control("GET", "/sim/state")
                lab.get("/api/v5/trade/fills")
    assert log_of(quiet).digest == log_of(asked).digest


def test_the_digest_sees_prices_nobody_traded_at() -> None:
    still, moved = Lab(), Lab()
    moved.market.spot["ETH"] = 3_001.0
    for lab in (still, moved):
        lab.wait(HOUR_MS)
    assert log_of(still).count == log_of(moved).count == 0
    assert log_of(still).digest != log_of(moved).digest


def test_the_digest_sees_when_time_stopped() -> None:
    one, two = Lab(), Lab()
    one.wait(2_000)
    two.wait(1_000)
    two.wait(1_000)
    assert log_of(one).digest != log_of(two).digest


# --- the audit ----------------------------------------------------------------------------------


def test_money_out_of_nowhere_is_found_at_the_next_step_and_the_next_command() -> None:
    lab = Lab()
    lab.venue.accounts["demo"].trading["USDT"] += 1
    with pytest.raises(Unbalanced, match="USDT"):
        lab.wait(1)
    with pytest.raises(Unbalanced, match="USDT"):
        lab.place()


def test_a_venue_that_is_not_asked_to_looks_once_an_hour() -> None:
    lab = Lab()
    lab.venue.check = False
    lab.venue.accounts["demo"].trading["USDT"] += 1
    lab.wait(HOUR_MS - 1)
    with pytest.raises(Unbalanced):
        lab.wait(1)


def test_a_refusal_is_still_a_refusal_when_nothing_is_written_down() -> None:
    lab = Lab()
    lab.venue.log, lab.venue.check = None, False
    with pytest.raises(Reject):
        lab.venue.set_level(lab.venue.accounts["demo"], "9")
