"""Funding that changes its sign or its rhythm: booked as paid, and no reason to run in circles."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from core.facts import Kind
from core.types import HOUR_MS
from tests.safety.stage import CALM, D, Stage, play

SWAP = "BTC-USDT-SWAP"


def booked(stage: Stage) -> list[tuple[int, bool]]:
    """Instants of the funding booked, and whether it was received."""
    bills = [row.body["bill"] for row in stage.rows(Kind.BILL) if row.body["bill"]["kind"] == "funding"]
    return [(bill["ts_ms"], D(bill["change"]) > 0) for bill in bills]


@pytest.mark.fault("FU2")
def test_an_interval_that_becomes_shorter_is_followed_and_every_settlement_booked(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.market.step_ms = HOUR_MS // 4
        stage.instrument(SWAP, funding_interval_h=1)
        await stage.until(lambda: len(booked(stage)) >= 3, 5 * 3_600, 300)
        times = [at for at, _ in booked(stage)]
        assert [later - at for at, later in pairwise(times)] == [HOUR_MS] * 2
        hedge = stage.app.books.hedge("BTC-USDT")
        assert hedge is not None and hedge.tally.settlements == 3

    play(tmp_path, story, **CALM)


@pytest.mark.fault("FU1", "OL16")
def test_a_sign_that_flips_just_before_the_settlement_is_paid_once_and_not_run_from(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.market.step_ms = HOUR_MS // 4
        stage.instrument(SWAP, funding_interval_h=1)
        for rate in ("-0.0001", "0.0005"):
            await stage.until(lambda: stage.clock.now_ms() % HOUR_MS > 0.9 * HOUR_MS, 3_600, 120)
            stage.market.rate = D(rate)
            await stage.until(lambda: stage.clock.now_ms() % HOUR_MS < 0.1 * HOUR_MS, 3_600, 120)
            await stage.wait(200)
        assert [received for _, received in booked(stage)] == [False, True]

    stage = play(tmp_path, story, **CALM)
    assert stage.sides() == ["buy BTC-USDT", "sell BTC-USDT-SWAP"]


@pytest.mark.fault("FU3")
def test_only_what_was_paid_is_booked_whatever_the_estimate_had_said(tmp_path: Path) -> None:
    """Until seconds before the settlement 0.05 % are announced; what is settled is -0.03 %."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.market.step_ms = HOUR_MS // 4
        stage.instrument(SWAP, funding_interval_h=1)
        await stage.until(lambda: stage.clock.now_ms() % HOUR_MS > HOUR_MS - 20_000, 3_600, 5)
        assert stage.app.books.ledger.terms({}).funding == 0, "an estimate is not money"
        stage.market.rate = D("-0.0003")
        await stage.until(lambda: stage.clock.now_ms() % HOUR_MS < HOUR_MS // 2, 60, 5)
        await stage.wait(200)
        paid = stage.short("BTC") * D("0.01") * 60_000 * D("0.0003")
        assert abs(stage.app.books.ledger.terms({}).funding + paid) < D("0.000001")
        [(_, received)] = booked(stage)
        assert not received
        assert stage.app.bookkeeper.unexplained == 0

    play(tmp_path, story, **CALM)


@pytest.mark.fault("FU8")
def test_nothing_is_opened_that_might_not_be_whole_two_minutes_before_a_settlement(tmp_path: Path) -> None:
    """The scan five minutes ahead may open, the one at the settlement may not."""

    async def story(stage: Stage) -> None:
        stage.market.rate = D(0)
        stage.instrument(SWAP, funding_interval_h=1)
        await stage.start()
        await stage.until(lambda: stage.clock.now_ms() % HOUR_MS > 0.85 * HOUR_MS, 3_600, 60)
        stage.market.rate = D("0.0005")
        await stage.wait(900)
        sent_ms = [at for at, what, _ in stage.post.log if what == "POST /api/v5/trade/order"]
        left = [HOUR_MS - at % HOUR_MS for at in sent_ms]
        assert left and all(180_000 < ms < HOUR_MS - 60_000 for ms in left), left

    play(tmp_path, story, **CALM)


@pytest.mark.fault("FU4")
def test_the_last_funding_of_a_round_closed_seconds_after_the_settlement_is_in_its_result(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.market.step_ms = HOUR_MS // 4
        stage.instrument(SWAP, funding_interval_h=1)
        await stage.until(lambda: stage.clock.now_ms() % HOUR_MS > HOUR_MS - 5_000, 3_600, 1)
        await stage.until(lambda: stage.clock.now_ms() % HOUR_MS < 10_000, 60, 1)
        stage.halt(flatten=True)
        await stage.until(lambda: bool(stage.app.books.rounds), 20)
        assert booked(stage) == [], "the bill must still be unread for this story"
        await stage.wait(120)
        [(_, received)] = booked(stage)
        [ended] = stage.app.books.rounds
        assert received and ended.tally.settlements == 1
        assert ended.closing_terms.funding == stage.app.books.ledger.terms({}).funding > 0
        assert stage.app.bookkeeper.unexplained == 0

    play(tmp_path, story, **CALM)


def test_the_quote_of_the_next_settlement_does_not_take_the_place_of_the_one_just_due(
    tmp_path: Path,
) -> None:
    """It is pushed right after the instant, and a scan comes two seconds after it."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.instrument(SWAP, funding_interval_h=1)
        await stage.until(lambda: stage.clock.now_ms() % HOUR_MS > HOUR_MS - 60_000, 3_600, 30)
        stage.market.step_ms = 1_000
        settled_ms = stage.clock.now_ms() // HOUR_MS * HOUR_MS + HOUR_MS
        await stage.wait(120)
        decided = [row.body for row in stage.rows(Kind.DECISION) if row.body["on"] == "settle"]
        at_ms = [body["at_ms"] - settled_ms for body in decided if body["instrument"] == "BTC-USDT"]
        assert len(at_ms) == 1 and 30_000 <= at_ms[0] < 32_000, at_ms

    play(tmp_path, story, **CALM)
