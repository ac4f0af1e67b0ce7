"""Answers that are lost, late or doubled: what happened is found out, and nothing is sent twice."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from core.events import State
from core.facts import Kind
from core.types import ZERO
from exchange.sim.seam import OrderParams
from tests.safety.stage import LOT, D, Stage, play
from tests.safety.test_degradation import at_once
from tests.safety.test_legging import IN_REST, attempt

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
LEGS = pytest.mark.parametrize("leg", ["spot", "swap"])


def trade_by_hand(stage: Stage, side: str, inst_id: str, size: Decimal) -> None:
    """Somebody trades the account from elsewhere, at the market."""
    fair = D(stage.market.spot[inst_id.partition("-")[0]])
    price = fair * (D("1.01") if side == "buy" else D("0.99"))
    mode = "cross" if inst_id == SWAP else "cash"
    stage.venue.place(stage.me, OrderParams(inst_id, mode, side, "ioc", size, price))
    stage.look()


def check(stage: Stage) -> None:
    """Every intent once at the venue, every fill once in the books, and the books are the venue's."""
    sent = [body["clOrdId"] for body in stage.sent()]
    assert len(sent) == len(set(sent)), "no client id left twice"
    ours = [order.cl_id for order in stage.me.orders.values() if order.cl_id]
    assert max(Counter(ours).values(), default=1) == 1 and set(ours) <= set(sent)
    books = stage.app.books
    assert books.unresolved_orders() == ()
    fills = {(e.inst_id, str(e.trade_id)) for e in stage.me.executions if e.cl_id}
    assert fills == set(books.ledger.fills_seen)
    hedge = books.hedge(SPOT)
    spot, short = (hedge.spot_base, hedge.contracts) if hedge else (ZERO, ZERO)
    assert spot + books.dust.get("BTC", ZERO) == stage.coins("BTC") and short == stage.short("BTC")
    assert abs(stage.delta("BTC")) < LOT["BTC"]


@pytest.mark.fault("OL9")
def test_a_client_id_the_venue_knows_already_means_that_the_first_request_arrived(tmp_path: Path) -> None:
    """The network delivers the request twice; what comes back is the second answer, 51016."""

    async def story(stage: Stage) -> None:
        stage.orders({"duplicate": {"times": 1}}, "spot", first=1)
        await stage.start()
        await stage.until(lambda: bool(stage.sent()), 60, 0.05)
        await stage.wait(3)
        assert [o.is_open for o in stage.me.orders.values()] == [True] and len(stage.sent()) == 1
        stage.market.ramp("BTC", stage.clock.now_ms(), -0.002, 2_000)  # the bid is hit
        await stage.wait(30)

    stage = play(tmp_path, story, IN_REST)
    check(stage)
    assert stage.sides() == ["buy BTC-USDT", "sell BTC-USDT-SWAP"] and stage.state is State.RUNNING
    assert stage.rows(Kind.ACK)[0].body["outcome"] == "unknown"
    assert stage.naked_ms() < 5_000


@pytest.mark.fault("RE6")
@LEGS
def test_an_order_held_up_on_its_way_is_too_old_when_it_comes(tmp_path: Path, leg: str) -> None:
    async def story(stage: Stage) -> None:
        stage.orders({"delay": {"ms": "12s", "part": "request"}}, leg, first=1)
        await attempt(stage, 60)

    stage = play(tmp_path, story)
    check(stage)
    assert "absent" in [row.body["status"] for row in stage.rows(Kind.ORDER)]
    executed = {execution.cl_id for execution in stage.me.executions}
    absent = {row.body["cl_id"] for row in stage.rows(Kind.ORDER) if row.body["status"] == "absent"}
    assert not executed & absent


@pytest.mark.fault("RE6", "RE9", "AU1")
@LEGS
def test_an_order_that_arrives_after_it_was_proven_absent_is_evened_out_within_five_seconds(
    tmp_path: Path, leg: str
) -> None:
    """The venue's clock goes wrong, so that what is too old seems young to it."""

    async def story(stage: Stage) -> None:
        stage.orders({"delay": {"ms": "12s", "part": "request"}}, leg, first=1)
        await stage.start()
        stage.faults(at_once({"clock": {"ms": -15_000}}))
        await stage.until(lambda: bool(stage.sent()), 60, 0.05)
        await stage.wait(12 + 5)
        assert abs(stage.delta("BTC")) < LOT["BTC"]
        await stage.wait(30)

    stage = play(tmp_path, story)
    check(stage)
    assert "absent" in [row.body["status"] for row in stage.rows(Kind.ORDER)]


@pytest.mark.fault("RE1", "RE2", "RE3", "CR2")
@LEGS
@pytest.mark.parametrize(
    "what",
    [
        {"ack_lost": {"answer": "none"}},
        {"ack_lost": {"answer": "timeout"}},  # 50004: the venue does not know itself
        {"ack_lost": {"answer": "reset"}},
        {"http": {"status": 502, "executed": True}},
    ],
    ids=["silence", "50004", "reset", "gateway"],
)
def test_an_order_that_was_carried_out_without_saying_so_is_found_and_not_sent_again(
    what: dict[str, object], leg: str, tmp_path: Path
) -> None:
    async def story(stage: Stage) -> None:
        stage.orders(what, leg, first=1)
        await attempt(stage, 60)

    stage = play(tmp_path, story)
    check(stage)
    assert stage.sides() == ["buy BTC-USDT", "sell BTC-USDT-SWAP"] and stage.state is State.RUNNING
    assert stage.naked_ms() < 5_000


@pytest.mark.fault("RE9", "RE13")
@LEGS
def test_in_an_outage_no_order_is_called_missing_and_the_fill_it_had_is_found_after_it(
    leg: str, tmp_path: Path
) -> None:
    """The order is carried out; its answer, its pushes and every question are lost for forty seconds."""

    async def story(stage: Stage) -> None:
        inst_id = {"spot": SPOT, "swap": SWAP}[leg]
        stage.orders({"ack_lost": {"answer": "none"}}, leg, first=1)
        stage.faults({"where": {"stream": "private", "channel": "*"}, "what": "drop"})
        await stage.start()
        await stage.until(lambda: any(b["instId"] == inst_id for b in stage.sent()), 60, 0.005)
        await stage.wait(0.03)  # it has reached the venue
        stage.faults({"where": {"rest": "*"}, "what": {"reset": {"part": "request"}}})
        sent = len(stage.sent())
        await stage.wait(40)
        assert stage.app.books.unresolved_orders() and len(stage.sent()) == sent
        stage.heal()
        healed_ms = stage.clock.now_ms()
        await stage.until(lambda: abs(stage.delta("BTC")) < LOT["BTC"], 60, 0.1)
        assert stage.clock.now_ms() - healed_ms < 15_000
        await stage.until(lambda: not stage.app.books.unresolved_orders(), 60)
        await stage.wait(30)

    stage = play(tmp_path, story)
    check(stage)
    assert "absent" not in [row.body["status"] for row in stage.rows(Kind.ORDER)]


@pytest.mark.fault("RE10", "MI1")
def test_a_sale_by_hand_behind_a_page_of_other_trades_explains_the_missing_coins(tmp_path: Path) -> None:
    """While nobody is there half of the spot is sold, and then another coin is traded 130 times."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        await stage.stop()
        short = stage.short("BTC")
        trade_by_hand(stage, "sell", SPOT, (stage.coins("BTC") / 2).quantize(D("0.0001")))
        for _ in range(130):
            await stage.wait(0.01)
            trade_by_hand(stage, "buy", "ETH-USDT", D("0.01"))
        at_ms = stage.clock.now_ms()
        await stage.start()
        await stage.wait(60)
        asked = [w for at, w, _ in stage.post.log if at >= at_ms and w == "GET /api/v5/trade/fills"]
        assert len(asked) >= 2, "one page holds a hundred"
        assert stage.state is State.RUNNING and ZERO < stage.short("BTC") < short
        hedge = stage.app.books.hedge(SPOT)
        assert hedge is not None and hedge.contracts == stage.short("BTC")
        assert abs(stage.delta("BTC")) < LOT["BTC"]

    play(tmp_path, story)


@pytest.mark.fault("WS6")
def test_a_resting_order_that_fills_while_the_private_stream_is_away_gets_its_short(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.until(lambda: bool(stage.sent()), 60, 0.05)
        await stage.wait(1)
        stage.faults(
            {"where": {"stream": "private"}, "what": "reset"},
            {"where": {"stream": "private", "op": "connect"}, "what": {"http": {"status": 503}}},
        )
        stage.market.ramp("BTC", stage.clock.now_ms(), -0.002, 2_000)  # the bid is hit
        await stage.wait(20)
        stage.heal()
        await stage.wait(60)

    stage = play(tmp_path, story, IN_REST)
    check(stage)
    assert stage.short("BTC") > ZERO and stage.naked_ms() < 5_000
