"""The operator gives up one hedge and keeps the other."""

from __future__ import annotations

from pathlib import Path

from config.schema import Instruments, Settings
from core.events import On, State
from core.facts import Kind
from core.types import ZERO
from tests.safety.stage import Stage, play
from tests.safety.test_unclear import check

BOTH = ("BTC-USDT", "ETH-USDT")
TWO_COINS = Settings(instruments=Instruments(instruments=BOTH))


def give_up(stage: Stage, name: str) -> bool:
    """What the daemon does when the command lies in its box."""
    asked = stage.app.giving_up.ask(name, "too crowded", stage.state)
    if asked:
        stage.app.engine.tick(On.SCAN, None)
    return asked


def held(stage: Stage) -> set[str]:
    """What the venue holds short of ours."""
    return {name for name in BOTH if stage.short(name.removesuffix("-USDT"))}


async def hold_both(stage: Stage) -> None:
    await stage.start()
    await stage.running(hedges=2)


def test_one_hedge_is_given_up_at_once_with_both_legs_and_the_other_stays(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await hold_both(stage)
        asked_ms = stage.clock.now_ms()
        assert give_up(stage, "BTC-USDT")
        await stage.until(lambda: held(stage) == {"ETH-USDT"}, 30, 0.2)
        assert stage.clock.now_ms() - asked_ms < 10_000
        await stage.wait(1_200)
        assert held(stage) == {"ETH-USDT"} and stage.state is State.RUNNING  # it is not opened again soon
        (end,) = stage.app.books.rounds
        assert end.instrument == "BTC-USDT" and end.reason == "the operator gave it up: too crowded"

    stage = play(tmp_path, story, TWO_COINS)
    check(stage)


def test_what_is_not_held_or_stopped_is_not_given_up_and_told(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await hold_both(stage)
        before = len(stage.rows(Kind.HEDGE))
        assert not give_up(stage, "SOL-USDT")
        stage.halt()
        await stage.until(lambda: stage.state is State.STOPPED, 60, 0.5)
        assert not give_up(stage, "BTC-USDT")
        told = [
            str(fields["detail"]) for topic, _, fields in stage.told if fields.get("what") == "close refused"
        ]
        assert told == [
            "SOL-USDT: no hedge is held", "BTC-USDT: the engine is stopped: flatten or resume it",
        ]  # fmt: skip
        assert len(stage.rows(Kind.HEDGE)) == before
        assert all(target > ZERO for target in map(stage.app.books.target_of, BOTH))

    play(tmp_path, story, TWO_COINS)


def test_a_flatten_that_went_well_stops_with_the_reason_it_was_asked_with(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await hold_both(stage)
        stage.halt(flatten=True)
        await stage.until(lambda: stage.state is State.STOPPED, 60, 0.5)
        assert [fields["reason"] for topic, _, fields in stage.told if topic == "stop"] == ["test"]

    play(tmp_path, story, TWO_COINS)
