"""A leg that is refused, half filled, late, unanswered or overtaken: both legs are equal again in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.schema import Opening, Strategy
from core.events import Event, On, State
from core.facts import Kind
from core.types import ZERO
from tests.safety.stage import CALM, LOT, ONE_COIN, D, Stage, play

T_H_MS = 5_000  # the house's promise for a naked leg
SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
IN_REST = ONE_COIN.model_copy(update={"strategy": Strategy(opening=Opening(maker_first=True))})


async def attempt(stage: Stage, seconds: float = 30) -> None:
    """Start, let the first scan open, and give it some time."""
    await stage.start()
    await stage.until(lambda: bool(stage.sent()), 60, 0.1)
    await stage.wait(seconds)


def healed(stage: Stage) -> bool:
    return all(abs(stage.delta(coin)) < LOT[coin] for coin in LOT) and stage.naked_ms() < T_H_MS


@pytest.mark.fault("OL1")
@pytest.mark.parametrize("code", ["51008", "51010", "50014"])
def test_a_short_that_is_refused_for_good_gives_the_spot_back(code: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.orders({"reject": {"code": code}}, "swap")
        await attempt(stage)
        assert stage.state is State.IDLE and stage.coins("BTC") < LOT["BTC"]

    stage = play(tmp_path, story)
    assert healed(stage), stage.truth.spells
    assert "sell BTC-USDT" in stage.sides()


@pytest.mark.fault("OL1", "FU6")
@pytest.mark.parametrize("code", ["51030", "50011"])
def test_a_short_refused_for_a_moment_is_tried_again(code: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.orders({"reject": {"code": code}}, "swap", first=1)
        await attempt(stage)

    stage = play(tmp_path, story)
    assert healed(stage), stage.truth.spells


@pytest.mark.fault("OL2")
@pytest.mark.parametrize("change", [0.004, -0.004])
def test_a_price_that_runs_away_between_the_legs_is_chased_or_the_leg_given_up(
    change: float, tmp_path: Path
) -> None:
    """The short comes three seconds late, and the market has moved past its bound by then."""

    async def story(stage: Stage) -> None:
        stage.orders({"delay": {"ms": 3_000, "part": "request"}}, "swap", first=1)
        await stage.start()
        await stage.until(lambda: bool(stage.sent()), 60, 0.05)
        stage.market.ramp("BTC", stage.clock.now_ms(), change, 2_000)
        await stage.wait(30)

    stage = play(tmp_path, story)
    assert healed(stage), stage.truth.spells


@pytest.mark.fault("OL2")
def test_a_resting_spot_order_that_the_market_leaves_behind_never_leaves_a_short_alone(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.until(lambda: bool(stage.sent()), 60, 0.05)
        stage.market.ramp("BTC", stage.clock.now_ms(), 0.01, 5_000)
        await stage.wait(60)

    stage = play(tmp_path, story, IN_REST)
    assert all(delta > -LOT["BTC"] for _, coin, delta in stage.truth.deltas if coin == "BTC")
    assert healed(stage), stage.truth.spells


@pytest.mark.fault("OL3")
def test_a_budget_below_the_smallest_hedge_sends_neither_leg(tmp_path: Path) -> None:
    tiny = ONE_COIN.model_copy(
        update={"account": ONE_COIN.account.model_copy(update={"max_position_value": D("5")})}
    )

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.wait(400)

    assert play(tmp_path, story, tiny).sent() == []


@pytest.mark.fault("OL4")
def test_a_hundred_scans_at_once_open_one_hedge(tmp_path: Path) -> None:
    async def flood(stage: Stage) -> None:
        await stage.start()
        await stage.wait(12.2)
        for _ in range(100):
            stage.app.engine.post(Event(On.SCAN, stage.clock.now_ms()))
        await stage.running()

    stage = play(tmp_path, flood)
    assert stage.sides() == ["buy BTC-USDT", "sell BTC-USDT-SWAP"]
    assert [r.body["event"] for r in stage.rows(Kind.HEDGE)] == ["opened"]


@pytest.mark.fault("OL5", "OL6")
@pytest.mark.parametrize("wait_s", [0.0, 0.01, 0.02, 0.03, 0.05, 0.07])
def test_a_halt_at_any_instant_of_an_opening_leaves_no_leg_alone_and_nothing_new_is_bought(
    wait_s: float, tmp_path: Path
) -> None:
    halted_ms = 0

    async def story(stage: Stage) -> None:
        nonlocal halted_ms
        await stage.start()
        await stage.until(lambda: bool(stage.sent()), 60, 0.01)
        await stage.wait(wait_s)
        halted_ms = stage.clock.now_ms()
        stage.halt()
        await stage.wait(30)
        assert stage.state is State.STOPPED

    stage = play(tmp_path, story)
    assert healed(stage), stage.truth.spells
    assert [side for side in stage.sides(halted_ms + 1) if side == "buy BTC-USDT"] == []


@pytest.mark.fault("OL7")
@pytest.mark.parametrize("leg", ["spot", "swap"])
def test_exactly_what_filled_is_hedged(leg: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.orders({"fill": {"fraction": "0.37"}}, leg, first=1)
        await attempt(stage)

    stage = play(tmp_path, story)
    assert healed(stage), stage.truth.spells
    assert stage.short("BTC") > ZERO


@pytest.mark.fault("OL7", "OL8")
def test_a_resting_order_cancelled_while_it_fills_is_counted_by_what_the_venue_says_in_the_end(
    tmp_path: Path,
) -> None:
    """The cancel is answered with 51402 (already done): the order is asked for, not believed cancelled."""

    async def story(stage: Stage) -> None:
        stage.faults(
            {"where": {"rest": "POST /api/v5/trade/cancel-order"}, "what": {"reject": {"code": "51402"}}}
        )
        await stage.start()
        await stage.until(lambda: bool(stage.sent()), 60, 0.05)
        await stage.wait(18)
        stage.market.ramp("BTC", stage.clock.now_ms(), -0.002, 2_000)  # the bid is hit as it is cancelled
        await stage.wait(120)

    stage = play(tmp_path, story, IN_REST)
    assert healed(stage), stage.truth.spells
    hedge = stage.app.books.hedge(SPOT)
    booked = hedge.spot_base if hedge else ZERO
    assert abs(stage.coins("BTC") - booked) < LOT["BTC"]


@pytest.mark.fault("OL12")
def test_an_order_that_finds_nothing_is_no_error_and_no_loss(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.orders({"fill": {"fraction": "0"}}, "spot", first=2)
        await attempt(stage, 20)
        assert stage.app.books.breaker(stage.clock.now_ms()).losing_rounds == 0
        assert stage.app.engine.totals.rejects == 0
        await stage.until(lambda: not stage.app.permissions.causes, 240)

    assert healed(play(tmp_path, story))


@pytest.mark.fault("OL13")
def test_every_order_names_its_size_in_the_markets_own_unit_and_the_venue_took_it_so(tmp_path: Path) -> None:
    """There are no market orders, whose size would be money: the venue's record equals the intent."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.halt(flatten=True)
        await stage.wait(30)

    stage = play(tmp_path, story)
    assert len(stage.sent()) == 4
    assert {body["ordType"] for body in stage.sent()} <= {"ioc", "post_only"}
    placed = {order.cl_id: order for order in stage.me.orders.values()}
    for body in stage.sent():
        assert placed[body["clOrdId"]].size == D(body["sz"])


@pytest.mark.fault("OL14", "OL15")
def test_a_closing_order_of_a_position_that_has_shrunk_closes_what_is_left_and_opens_nothing(
    tmp_path: Path,
) -> None:
    """Half of the short is closed by hand in the very instant in which all of it is bought back."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.orders({"delay": {"ms": 400, "part": "request"}}, "swap", first=1)
        stage.halt(flatten=True)
        await stage.wait(0.2)
        stage.edit(position={SWAP: "-10"})
        await stage.wait(60)

    stage = play(tmp_path, story)
    assert all(b.get("reduceOnly") for b in stage.sent() if b["side"] == "buy" and b["instId"] == SWAP)
    assert stage.short("BTC") == ZERO and stage.coins("BTC") < LOT["BTC"]


@pytest.mark.fault("OL14")
def test_closing_twice_never_turns_the_short_into_a_long(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.edit(position={SWAP: "0"})
        stage.halt(flatten=True)
        await stage.wait(60)

    stage = play(tmp_path, story)
    assert stage.short("BTC") == ZERO and stage.coins("BTC") < LOT["BTC"]


@pytest.mark.fault("VE2")
@pytest.mark.parametrize("code", ["50001", "50013"])
def test_a_halt_of_trading_between_the_legs_is_waited_for_with_the_alarm_raised_and_then_healed(
    code: str, tmp_path: Path
) -> None:
    """Reads go on. Nothing can be done for ten minutes; seconds after they are over the legs are equal."""
    over_ms = 0

    async def story(stage: Stage) -> None:
        nonlocal over_ms
        await stage.start()
        await stage.until(lambda: stage.coins("BTC") > 0, 60, 0.01)
        stage.orders({"reject": {"code": code}})
        await stage.wait(600)
        assert stage.state is State.REBALANCING
        assert stage.said("hedge broken") == 1, "told once, not every few seconds"
        assert "broken hedge" in stage.app.permissions.causes
        stage.heal()
        over_ms = stage.clock.now_ms()
        await stage.wait(30)
        await stage.until(lambda: not stage.app.permissions.causes, 240)

    stage = play(tmp_path, story)
    tries = [b for b in stage.sent() if b["side"] == "sell"]
    assert len(tries) < 600, "a bounded rate of tries"
    assert abs(stage.delta("BTC")) < LOT["BTC"]
    assert stage.truth.spells[-1][2] - over_ms < 15_000


@pytest.mark.fault("PB1")
def test_a_price_outside_the_venues_bounds_is_moved_to_the_bound_and_never_sent_twice(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.orders({"reject": {"code": "51138"}}, "swap", first=1)
        await attempt(stage)

    stage = play(tmp_path, story)
    assert healed(stage), stage.truth.spells
    asked = [what for _, what, _ in stage.post.log if what == "GET /api/v5/public/price-limit"]
    assert asked, "the bound is asked for, not guessed"


@pytest.mark.fault("PB1", "MG6")
@pytest.mark.parametrize("code", ["51135", "51136", "51137", "51138", "51006", "54084"])
def test_where_the_bound_never_lets_the_short_through_the_spot_is_sold(code: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.orders({"reject": {"code": code}}, "swap")
        await attempt(stage)

    stage = play(tmp_path, story)
    assert healed(stage), stage.truth.spells
    shorts = [(b["side"], b["px"], b["sz"]) for b in stage.sent() if b["instId"] == SWAP]
    assert len(shorts) == len(set(shorts)), "no identical resend"


@pytest.mark.fault("PB2")
def test_slippage_is_bounded_by_our_own_limit_price_in_every_order(tmp_path: Path) -> None:
    """No market order exists, so the venue's slippage protection (54084) has nothing to protect."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()

    stage = play(tmp_path, story)
    bound = 60_000 * (stage.settings.strategy.opening.max_slippage_bps + 1) / 10_000  # a bp for the mid
    assert all(abs(D(body["px"]) - 60_000) <= bound for body in stage.sent())


@pytest.mark.fault("QT8")
@pytest.mark.parametrize("code", ["51202", "51203", "51101", "51129"])
def test_an_order_refused_as_too_large_goes_on_in_smaller_pieces(code: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.orders({"reject": {"code": code}}, "swap", first=2)
        await attempt(stage)

    stage = play(tmp_path, story)
    assert healed(stage), stage.truth.spells
    sizes = [D(b["sz"]) for b in stage.sent() if b["instId"] == SWAP]
    assert len(sizes) < 2 or sizes[1] < sizes[0]


@pytest.mark.fault("QT8")
def test_a_hedge_is_never_planned_larger_than_the_smaller_legs_largest_order(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.venue.world.markets[SWAP].instrument.max_limit_size = D(5)
        await stage.start()
        await stage.running()
        assert stage.short("BTC") == 5

    stage = play(tmp_path, story)
    assert stage.app.engine.totals.rejects == 0


@pytest.mark.fault("QT8")
def test_a_hedge_larger_than_one_order_may_be_goes_in_pieces_on_both_legs_alternately(tmp_path: Path) -> None:
    """The rule changes while the hedge is held: what is naked is one piece of five contracts at most."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.venue.world.markets[SWAP].instrument.max_limit_size = D(5)
        await stage.app.bookkeeper.review()
        at_ms = stage.clock.now_ms()
        stage.halt(flatten=True)
        await stage.wait(60)
        assert stage.short("BTC") == 0 and stage.app.engine.totals.rejects == 0
        worst = max(abs(d) for at, coin, d in stage.truth.deltas if coin == "BTC" and at > at_ms)
        assert worst <= D("0.0501")

    assert healed(play(tmp_path, story))


@pytest.mark.fault("OL16")
def test_funding_that_flickers_around_the_threshold_opens_once(tmp_path: Path) -> None:
    """Ten hours with the rate on both sides of the band at every other scan: one opening, no exit."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        for turn in range(60):
            stage.market.rate = D("-0.0002") if turn % 2 else D("0.0005")
            await stage.wait(600)

    stage = play(tmp_path, story, **CALM)
    assert stage.sides() == ["buy BTC-USDT", "sell BTC-USDT-SWAP"]


@pytest.mark.fault("OL10")
def test_the_venue_takes_every_client_id_we_make(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.halt(flatten=True)
        await stage.wait(30)

    stage = play(tmp_path, story)
    for body in stage.sent():
        assert body["clOrdId"].isalnum() and len(body["clOrdId"]) <= 32
    assert stage.app.engine.totals.rejects == 0
