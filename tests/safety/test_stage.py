"""The stage itself: what it says about the venue's truth has to be right before anything is built on it."""

from pathlib import Path

from core.types import ZERO
from tests.safety.stage import LOT, Stage, play


def test_the_engine_opens_and_the_venue_says_the_legs_stood_apart_only_between_two_orders(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()

    stage = play(tmp_path, story)
    assert stage.sides() == ["buy BTC-USDT", "sell BTC-USDT-SWAP"]
    assert stage.short("BTC") > ZERO and abs(stage.delta("BTC")) < LOT["BTC"]
    assert len(stage.truth.spells) == 1 and 0 < stage.naked_ms() < 1_000


def test_a_second_engine_on_the_same_folder_holds_what_the_first_one_held(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        await stage.stop()
        await stage.start()
        await stage.running()

    stage = play(tmp_path, story)
    assert len(stage.sent()) == 2
