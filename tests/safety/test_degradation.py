"""The permission follows the world by itself, and comes back by itself: the whole engine on the venue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from config.schema import Instruments, Settings
from core.context import Permission
from core.events import State
from core.facts import Kind
from core.types import ZERO
from exchange.sim.model import PositionKey
from scripts.questions import read_books, status
from tests.safety.stage import CALM, LOT, D, Stage, play

MINUTE_S = 60.0
SWAP = "BTC-USDT-SWAP"


def causes(stage: Stage) -> Mapping[str, str]:
    return {name: view.level.name for name, view in stage.app.permissions.causes.items()}


def at_once(what: object) -> dict[str, Any]:
    """Something that happens to the venue itself, in a second."""
    return {"what": what, "when": {"at": "1s"}}


def told(stage: Stage, cause: str) -> list[str]:
    """How loudly a cause was told, beginnings and ends in order."""
    return [
        level for topic, level, fields in stage.told if topic == "permission" and fields["cause"] == cause
    ]


@pytest.mark.fault("VE1")
def test_maintenance_is_seen_coming_lived_through_in_silence_and_followed_by_a_comparison(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.faults(at_once({"maintenance": {"after": "40m", "lasts": "10m"}}))
        await stage.until(lambda: causes(stage) == {"maintenance": "NO_NEW_RISK"}, 20 * MINUTE_S)
        await stage.until(lambda: causes(stage).get("maintenance") == "REDUCE_ONLY", 45 * MINUTE_S)
        begun_ms = stage.clock.now_ms()
        await stage.wait(8 * MINUTE_S)
        asked = [what for at, what, _ in stage.post.log if at > begun_ms + 1_000]
        assert set(asked) == {"GET /api/v5/system/status"}
        assert len(asked) <= 8 * 2 + 1
        reconciled = len([r for r in stage.rows(Kind.NOTE) if r.body["what"] == "reconciled"])
        await stage.until(lambda: not causes(stage), 10 * MINUTE_S)
        await stage.wait(5)
        after = len([r for r in stage.rows(Kind.NOTE) if r.body["what"] == "reconciled"])
        assert after > reconciled
        assert abs(stage.delta("BTC")) < LOT["BTC"]

    stage = play(tmp_path, story, **CALM)
    assert told(stage, "maintenance") == ["warning", "warning", "info"]


@pytest.mark.fault("AU1")
def test_a_clock_that_is_off_opens_nothing_and_closes_all_the_same(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.faults(at_once({"clock": {"ms": 45_000}}))
        await stage.until(lambda: causes(stage) == {"clock": "NO_NEW_RISK"}, 10 * MINUTE_S)
        stage.halt(flatten=True)
        await stage.until(lambda: stage.state is State.STOPPED)
        assert stage.short("BTC") == ZERO and stage.coins("BTC") < LOT["BTC"]

    assert told(play(tmp_path, story, **CALM), "clock") == ["critical"]


@pytest.mark.fault("AU3")
def test_a_revoked_key_halts_within_minutes_and_is_not_tried_again(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.faults(at_once({"revoke": {"account": "demo"}}))
        await stage.until(lambda: causes(stage).get("key") == "HALTED", 5 * MINUTE_S)
        halted_ms = stage.clock.now_ms()
        await stage.wait(70 * MINUTE_S)  # a review falls into it
        signed = [w for at, w, _ in stage.post.log if at > halted_ms and ("/account/" in w or "/trade/" in w)]
        assert signed == []
        assert any("/public/time" in what for at, what, _ in stage.post.log if at > halted_ms)
        assert stage.app.markets.view("BTC-USDT").is_quoted  # public data goes on
        stage.app.engine.ask_resume()
        await stage.wait(30)
        assert causes(stage).get("key") == "HALTED"  # the self-check asked once, and says no
        assert stage.said("resume refused") == 1

    stage = play(tmp_path, story, **CALM)
    assert told(stage, "key") == ["critical"]
    answer = status(tmp_path)
    assert "HALTED" in answer.text and "ends by `resume`" in answer.text
    assert answer.data["causes"]["key"]["level"] == "HALTED"


@pytest.mark.fault("MG7")
def test_a_usdt_that_loses_its_dollar_blocks_openings_and_then_everything_but_reducing(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        held = stage.short("BTC")
        for worth, level in ((0.985, "NO_NEW_RISK"), (0.96, "REDUCE_ONLY")):
            stage.market.usd = lambda at_ms, worth=worth: worth  # type: ignore[method-assign,misc]
            await stage.until(lambda level=level: causes(stage).get("depeg") == level, 10 * MINUTE_S)  # type: ignore[misc]
        assert stage.short("BTC") == held  # a depeg closes nothing by itself
        stage.market.usd = lambda at_ms: 1.0  # type: ignore[method-assign]
        await stage.until(lambda: not causes(stage), 10 * MINUTE_S)

    assert told(play(tmp_path, story, **CALM), "depeg") == ["critical", "critical", "info"]


@pytest.mark.fault("AC1", "AC3")
def test_in_long_short_mode_nothing_is_opened_and_what_is_held_can_be_closed(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        size = stage.short("BTC")
        # As after a human closed, switched and sold again, between two looks
        stage.edit(position={SWAP: "0"})
        stage.me.pos_mode = "long_short_mode"
        stage.edit(position={SWAP: str(-size)})
        stage.halt(flatten=True)
        await stage.until(lambda: stage.state is State.STOPPED, 5 * MINUTE_S)
        side = stage.me.positions.get(PositionKey(SWAP, "cross", "short"))
        assert side is None or side.size == ZERO
        assert stage.coins("BTC") < LOT["BTC"]
        assert any(body.get("posSide") == "short" for body in stage.sent())
        settings = ("set-position-mode", "set-account-level")  # a human's business, with exposure or without
        assert not [what for _, what, _ in stage.post.log if what.endswith(settings)]
        await stage.until(lambda: causes(stage).get("position_mode") == "NO_NEW_RISK", 65 * MINUTE_S)

    play(tmp_path, story, **CALM)


@pytest.mark.fault("RL3")
def test_an_address_ban_is_waited_out_with_few_requests(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.faults({"where": {"rest": "*"}, "what": {"http": {"status": 403}}})
        await stage.until(lambda: "shut_out" in causes(stage), 10 * MINUTE_S)
        banned_ms = stage.clock.now_ms()
        await stage.wait(10 * MINUTE_S)
        asked = [what for at, what, _ in stage.post.log if at > banned_ms]
        assert len(asked) <= 25  # a try a minute, by whoever comes first
        stage.heal()
        await stage.until(lambda: not causes(stage), 10 * MINUTE_S)
        assert abs(stage.delta("BTC")) < LOT["BTC"]

    assert told(play(tmp_path, story, **CALM), "shut_out")[0] == "critical"


@pytest.mark.fault("MD1")
def test_books_that_stand_still_are_noticed_between_scans_and_subscribed_anew(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        frames = len([f for f in stage.told if f[0] == "trouble"])
        stage.faults({"where": {"stream": "public", "channel": "books"}, "what": "stale"})
        await stage.until(lambda: causes(stage) == {"books": "NO_NEW_RISK"}, 2 * MINUTE_S)
        stage.heal()
        await stage.until(lambda: not causes(stage), 4 * MINUTE_S)
        assert len([f for f in stage.told if f[0] == "trouble"]) == frames

    assert told(play(tmp_path, story), "books") == ["warning", "info"]


@pytest.mark.fault("CR4")
def test_a_crash_loop_halts_before_it_sends_anything_and_waits_for_the_operator(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        for _ in range(3):
            await stage.start()
            assert "crash_loop" not in causes(stage)
            await stage.stop()
        await stage.start()
        assert causes(stage) == {"crash_loop": "HALTED"}
        await stage.wait(20 * MINUTE_S)
        assert stage.sent() == []
        stage.app.engine.ask_resume()
        await stage.running()

    stage = play(tmp_path, story, **CALM)
    assert told(stage, "crash_loop") == ["critical", "info"]
    assert read_books(tmp_path).permission.level is Permission.FULL
    assert stage.short("BTC") > D(0)


@pytest.mark.fault("CF3", "CF4")
def test_a_hedge_whose_coin_was_taken_out_of_the_configuration_is_looked_after_all_the_same(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        await stage.stop()
        stage.settings = Settings(instruments=Instruments(instruments=("ETH-USDT",)))
        await stage.start()
        assert stage.state is State.RUNNING
        assert set(stage.app.markets.names) == {"BTC-USDT", "ETH-USDT"}
        stage.halt(flatten=True)
        await stage.until(lambda: stage.state is State.STOPPED)
        assert stage.short("BTC") == ZERO and stage.coins("BTC") < LOT["BTC"]

    stage = play(tmp_path, story, **CALM)
    prints = [row.body["fingerprint"] for row in stage.rows(Kind.BOOT)]
    assert len(set(prints)) == 2  # each process says which configuration it ran with, once
