"""What stream connections, messages and pushes go through, as a client in the same process sees it."""

from itertools import pairwise
from typing import Any

import pytest

from exchange.sim.surface.inprocess import RESET_CODE, ConnectionLost, Refused
from tests.exchange.sim.faults.lab import SPOT, SWAP, Lab, Row, Stream, order
from tests.exchange.sim.worlds import MINUTE_MS, START_MS

BOOKS = {"stream": "public", "channel": "books"}
ORDERS = {"stream": "private", "channel": "orders"}
BY_STREAM = {
    "instIdCode": 10459, "side": "sell", "tdMode": "cross", "ordType": "ioc", "px": "59500", "sz": "1",
}  # fmt: skip


def books(lab: Lab) -> Stream:
    """A public stream that follows a book, its snapshot taken."""
    stream = lab.stream()
    stream.follow("books", instId=SWAP)
    return stream


def rows(frames: list[Row]) -> list[Row]:
    return [frame["data"][0] for frame in frames if "data" in frame]


def follow_orders(lab: Lab) -> Stream:
    private = lab.private()
    private.follow("orders", instType="ANY")
    return private


# --- pushes -------------------------------------------------------------------------------------


def test_a_lost_push_is_not_seen_and_the_next_is() -> None:
    lab = Lab()
    private = follow_orders(lab)
    lab.fault("drop", ORDERS, nth=1)
    lab.place(clOrdId="a")
    assert [row["state"] for row in rows(private.heard())] == ["filled"]


def test_a_late_push_comes_later_and_those_behind_it_on_its_channel_too() -> None:
    lab = Lab()
    private = follow_orders(lab)
    lab.fault({"delay": {"ms": 700}}, ORDERS, nth=1)
    lab.place(clOrdId="a")
    assert private.heard() == [] and private.pings()
    lab.wait(699)
    assert private.heard() == []
    lab.wait(1)
    assert [row["state"] for row in rows(private.heard())] == ["live", "filled"]
    lab.place(clOrdId="b")
    assert len(private.heard()) == 2


def test_other_channels_are_not_kept_by_a_late_push() -> None:
    lab = Lab()
    private = follow_orders(lab)
    private.follow("balance_and_position")
    lab.fault({"delay": {"ms": 700}}, ORDERS)
    lab.place()
    assert {frame["arg"]["channel"] for frame in private.heard()} == {"balance_and_position"}


def test_a_push_comes_more_than_once() -> None:
    lab = Lab()
    private = follow_orders(lab)
    lab.fault({"duplicate": {"times": 2}}, ORDERS, nth=2)
    lab.place(clOrdId="a")
    assert [row["state"] for row in rows(private.heard())] == ["live", "filled", "filled", "filled"]


def test_a_push_is_passed_by_the_next_and_waits_no_longer_than_said() -> None:
    lab = Lab()
    private = follow_orders(lab)
    lab.fault("reorder", ORDERS, nth=1)
    lab.fault({"reorder": {"ms": 300}}, ORDERS, nth=4)
    lab.place(clOrdId="a")
    assert [row["state"] for row in rows(private.heard())] == ["filled", "live"]
    lab.place(clOrdId="b")
    assert [row["state"] for row in rows(private.heard())] == ["live"]
    lab.wait(300)
    assert [row["state"] for row in rows(private.heard())] == ["filled"]


def test_a_gap_breaks_the_chain_of_a_book_and_spares_its_snapshot() -> None:
    lab = Lab()
    lab.fault("gap", BOOKS, nth=2)
    stream = lab.stream()
    [snapshot] = rows(stream.follow("books", instId=SWAP))
    lab.wait(4 * MINUTE_MS)
    updates = rows(stream.heard())
    assert len(updates) == 3
    chain = [snapshot, *updates]
    joins = [new["prevSeqId"] == old["seqId"] for old, new in pairwise(chain)]
    assert joins == [True, False, True]


def test_a_stale_channel_stops_while_pings_are_answered_and_others_go_on() -> None:
    lab = Lab()
    stream = books(lab)
    stream.follow("tickers", instId=SWAP)
    lab.fault("stale", BOOKS, until="3m")
    lab.wait(2 * MINUTE_MS)
    assert {frame["arg"]["channel"] for frame in stream.heard()} == {"tickers"} and stream.pings()
    lab.wait(2 * MINUTE_MS)
    assert "books" in {frame["arg"]["channel"] for frame in stream.heard()}


def test_a_stale_channel_may_repeat_old_data() -> None:
    lab = Lab()
    stream = lab.stream()
    stream.follow("tickers", instId=SWAP)
    lab.fault({"stale": {"repeat": True}}, {"stream": "*", "channel": "tickers"}, **{"from": "90s"})
    shown = []
    for price in (61_000.0, 62_000.0, 63_000.0):
        lab.market.spot["BTC"] = price
        lab.wait(MINUTE_MS)
        shown += [row["last"] for row in rows(stream.heard())]
    assert shown == ["61000", "61000", "61000"]


def test_rules_tell_instruments_of_pushes_apart_even_where_only_rows_name_them() -> None:
    lab = Lab()
    private = follow_orders(lab)
    lab.fault("drop", {**ORDERS, "inst_id": SPOT})
    lab.place(clOrdId="a")
    lab.place(clOrdId="b", instId=SPOT, tdMode="cash", side="buy", px="60500", sz="0.01")
    assert {row["clOrdId"] for row in rows(private.heard())} == {"a"}


# --- ends of connections ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "closed"),
    [
        ("reset", (RESET_CODE, "")),
        ({"close": {"code": 1000, "reason": "bye"}}, (1000, "bye")),
        ({"close": {"code": 4006}}, (4006, "")),
    ],
)
def test_streams_end_at_an_instant_and_only_those_a_rule_means(what: object, closed: tuple[int, str]) -> None:
    lab = Lab()
    private, public = lab.private(), lab.stream()
    lab.fault(what, {"stream": "private", "account": "demo"}, at="30s")
    lab.wait(29_999)
    assert private.closed is None
    lab.wait(1)
    assert private.closed == closed and public.closed is None
    assert lab.hits() == [1]


def test_a_stream_is_reset_by_a_push_and_its_client_may_come_back() -> None:
    lab = Lab()
    stream = books(lab)
    lab.fault("reset", BOOKS, nth=1)
    lab.wait(MINUTE_MS)
    assert stream.closed == (RESET_CODE, "") and stream.heard() == []
    again = books(lab)
    lab.wait(MINUTE_MS)
    assert rows(again.heard())


def test_a_half_open_stream_stays_open_and_silent() -> None:
    lab = Lab()
    stream = books(lab)
    lab.fault("half_open", {"stream": "public"}, at="1s")
    lab.wait(5 * MINUTE_MS)
    assert stream.closed is None and stream.heard() == [] and not stream.pings()


def test_a_service_upgrade_is_announced_and_then_closes_the_stream() -> None:
    lab = Lab()
    stream = lab.stream()
    lab.fault({"notice": {"after": "60s"}}, {"stream": "public"}, at="10s")
    lab.wait(10_000)
    [notice] = stream.heard()
    assert (notice["event"], notice["code"]) == ("notice", "64008")
    lab.wait(59_999)
    assert stream.closed is None
    lab.wait(1)
    assert stream.closed is not None


# --- connecting ---------------------------------------------------------------------------------


def test_a_stream_is_refused_by_http_as_often_as_said() -> None:
    lab = Lab()
    lab.fault({"http": {"status": 503}}, {"stream": "private", "op": "connect"}, first=2)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            lab.stream("private")
        assert refused.value.reply.status == 503
    assert lab.stream("private").pings() and lab.stream("public").pings()


def test_a_connection_is_reset_or_never_answered_when_it_is_opened() -> None:
    lab = Lab()
    lab.fault("reset", {"stream": "*", "op": "connect"}, nth=1)
    lab.fault("half_open", {"stream": "*", "op": "connect"}, nth=2)
    with pytest.raises(ConnectionLost):
        lab.stream()
    silent = lab.stream()
    assert not silent.pings() and silent.closed is None
    assert lab.stream().pings()


# --- what a client says -------------------------------------------------------------------------


def test_a_login_fails_and_the_stream_is_closed() -> None:
    lab = Lab()
    lab.fault(
        {"reject": {"code": 60009, "msg": "Login failed."}}, {"stream": "private", "op": "login"}, nth=1
    )
    private = lab.stream("private")
    [answer] = private.login()
    assert (answer["event"], answer["code"]) == ("error", "60009")
    assert private.closed is not None and private.closed[0] == 4001
    assert lab.private().pings()


def test_a_subscription_is_refused_and_nothing_is_pushed() -> None:
    lab = Lab()
    lab.fault(
        {"reject": {"code": 60018, "msg": "doesn't exist"}}, {"stream": "*", "op": "subscribe"}, first=1
    )
    stream = lab.stream()
    [answer] = stream.say(op="subscribe", id="7", args=[{"channel": "books", "instId": SWAP}])
    assert (answer["event"], answer["code"], answer["id"]) == ("error", "60018", "7")
    lab.wait(MINUTE_MS)
    assert stream.heard() == [] and stream.closed is None


def test_operations_come_too_often_for_a_while() -> None:
    lab = Lab()
    lab.fault("rate_limit", {"stream": "*", "op": "*"}, until="1s")
    assert lab.stream().follow("books", instId=SWAP)[0]["code"] == "60014"


def placed(lab: Lab, what: Any, **changes: object) -> tuple[Stream, list[Row]]:
    """Place an order over a stream that a rule looks at; return the stream and what was answered."""
    private = lab.private()
    lab.fault(what, {"stream": "private", "op": "order", "inst_id": SWAP})
    return private, private.say(id="1", op="order", args=[{**BY_STREAM, **changes}])


def test_an_order_over_a_stream_is_refused_by_itself_or_with_its_request() -> None:
    lab = Lab()
    _, [ack] = placed(lab, {"reject": {"code": 51008}})
    assert (ack["code"], ack["data"][0]["sCode"], lab.orders) == ("1", "51008", [])
    lab.control("DELETE", "/sim/faults")
    _, [refusal] = placed(lab, {"reject": {"code": 50013, "msg": "Systems are busy"}})
    assert (refusal["id"], refusal["op"], refusal["code"], refusal["data"]) == ("1", "order", "50013", [])


def test_an_order_over_a_stream_is_carried_out_and_its_answer_is_lost() -> None:
    lab = Lab()
    _, answered = placed(lab, "ack_lost")
    assert answered == [] and len(lab.orders) == 1
    lab.control("DELETE", "/sim/faults")
    _, [unknown] = placed(lab, {"ack_lost": {"answer": "timeout"}})
    assert unknown["code"] == "50004" and len(lab.orders) == 2
    lab.control("DELETE", "/sim/faults")
    cut, _ = placed(lab, {"ack_lost": {"answer": "reset"}})
    assert cut.closed == (RESET_CODE, "") and len(lab.orders) == 3


def test_a_message_is_lost_or_late_or_heard_twice() -> None:
    lab = Lab()
    _, answered = placed(lab, "drop")
    assert answered == [] and lab.orders == []
    lab.control("DELETE", "/sim/faults")
    private, answered = placed(lab, {"delay": {"ms": 400, "part": "request"}})
    assert answered == [] and lab.orders == []
    lab.wait(400)
    assert private.heard()[0]["data"][0]["sCode"] == "0" and len(lab.orders) == 1
    lab.control("DELETE", "/sim/faults")
    private, answered = placed(lab, {"delay": {"ms": 400}})
    assert answered == [] and len(lab.orders) == 2
    lab.wait(400)
    assert private.heard()[0]["data"][0]["ts"] == str(START_MS + 400)
    lab.control("DELETE", "/sim/faults")
    _, answered = placed(lab, "duplicate")
    assert len(answered) == 2 and len(lab.orders) == 4


def test_a_message_ends_its_connection() -> None:
    for what, closed in (("reset", RESET_CODE), ({"close": {"code": 1000}}, 1000)):
        cut, _ = placed(Lab(), what)
        assert cut.closed is not None and cut.closed[0] == closed
    silent, answered = placed(Lab(), "half_open")
    assert answered == [] and silent.closed is None and not silent.pings()


def test_pings_may_go_unanswered() -> None:
    lab = Lab()
    lab.fault("drop", {"stream": "public", "op": "ping"}, first=1)
    stream = lab.stream()
    assert not stream.pings() and stream.pings()


def test_an_order_over_a_stream_finds_only_a_share_of_its_size() -> None:
    lab = Lab()
    placed(lab, {"fill": {"fraction": 0.5}}, sz="4")
    assert lab.contracts() == -2


def test_what_is_answered_by_rest_does_not_wait_for_what_streams_wait_for() -> None:
    lab = Lab()
    private = follow_orders(lab)
    lab.fault({"delay": {"ms": "5s"}}, {"stream": "*"})
    assert lab.place(**order(clOrdId="a"))["sCode"] == "0" and lab.board.now_ms == START_MS
    assert private.heard() == []
