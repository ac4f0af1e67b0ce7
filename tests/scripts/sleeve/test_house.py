"""The sleeve hears what the engine decides, and nothing of its own can end the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from config.auxiliary import AuxiliaryModules
from config.schema import Account, Settings, Strategy
from core.context import Permission, PermissionView
from core.errors import UsageError, VenueDown
from core.events import Decision, On, State
from scripts.sleeve.house import Doors, SleeveHouse
from scripts.sleeve.start import check_sleeve
from tests.fakes import D, FakeClock, btc

TRADING = Account(core_ratio=D("0.8"), auxiliary_ratio=D("0.2"))
ON = AuxiliaryModules(enabled=True, modules=("trend_breakout",))


class Told:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, Mapping[str, object]]] = []

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.told.append((topic, level, fields))


class Market:
    async def pairs(self, names: Sequence[str]) -> tuple[object, ...]:
        return (btc(),)


class Sleeve:
    """What the house would do to a running sleeve."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.causes: dict[str, str] = {}
        self.engine = self.permissions = self

    def close(self, reason: str) -> None:
        self.closed.append(reason)

    def lower(self, cause: str, level: Permission, reason: str) -> None:
        self.causes[cause] = reason

    def lift(self, cause: str) -> None:
        self.causes.pop(cause, None)


class Seen:
    """The parts of a context the house looks at."""

    def __init__(self, stopping: str = "", level: Permission = Permission.FULL, why: str = "") -> None:
        self.stopping, self.permission = stopping, PermissionView(level, why)


def house(told: Told, clock: FakeClock, connect: Any = None) -> SleeveHouse:
    async def nobody(pairs: object) -> object:
        raise VenueDown("no answer")

    doors = Doors(connect or nobody, nobody, nobody)  # type: ignore[arg-type]
    settings = Settings(account=TRADING, strategy=Strategy(auxiliary=ON))
    market: Any = Market()
    return SleeveHouse(settings, (), doors, Path("unused"), clock, told, "demo", market, dict, 1.0, 5.0)


def decided(on: On, dst: State, reason: str = "") -> Decision:
    return Decision(on, 0, State.RUNNING, dst, True, (), (), reason)


@pytest.mark.parametrize(
    ("on", "ctx"), [(On.BREACH, Seen("margin")), (On.HALT, Seen("operator"))], ids=["breach", "flatten"]
)
def test_when_the_hedges_are_unwound_the_sleeve_is_closed_first(on: On, ctx: Seen) -> None:
    room, sleeve = house(Told(), FakeClock()), Sleeve()
    room.app = sleeve  # type: ignore[assignment]
    room.on_decision(ctx, decided(on, State.REBALANCING, ctx.stopping))  # type: ignore[arg-type]
    assert sleeve.closed == [f"the hedges are unwound: {ctx.stopping}"]


def test_a_halt_that_holds_lets_positions_be_and_enters_nothing_until_the_engine_goes_on() -> None:
    room, sleeve = house(Told(), FakeClock()), Sleeve()
    room.app = sleeve  # type: ignore[assignment]
    room.on_decision(Seen(), decided(On.HALT, State.STOPPED))  # type: ignore[arg-type]
    assert sleeve.closed == [] and sleeve.causes == {"hedges": "the engine is stopped"}
    room.on_decision(Seen(), decided(On.RESUME, State.RUNNING))  # type: ignore[arg-type]
    assert sleeve.causes == {}


def test_what_lowers_the_engine_s_permission_holds_here_too() -> None:
    room, sleeve = house(Told(), FakeClock()), Sleeve()
    room.app = sleeve  # type: ignore[assignment]
    room.on_decision(Seen("", Permission.NO_NEW_RISK, "stale data"), decided(On.SCAN, State.RUNNING))  # type: ignore[arg-type]
    assert sleeve.causes == {"hedges": "the engine's permission: stale data"}


async def test_whatever_fails_in_the_room_is_told_and_ends_nothing_else() -> None:
    async def broken(pairs: object) -> object:
        raise RuntimeError("a mistake of ours")

    told = Told()
    await house(told, FakeClock(), broken).run()
    [(topic, level, fields)] = told.told
    assert (topic, level, fields["what"]) == ("alarm", "critical", "the sleeve has ended")
    assert "a mistake of ours" in str(fields["detail"])


async def test_an_account_that_does_not_answer_is_asked_for_again_and_again() -> None:
    told, clock = Told(), FakeClock()
    life = asyncio.create_task(house(told, clock).run())
    await clock.sleep(300)
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    assert {topic for topic, _, _ in told.told} == {"trouble"} and len(told.told) > 4


@pytest.mark.parametrize(
    ("account", "section", "says"),
    [
        (Account(core_ratio=D("0.8")), ON, "auxiliary_ratio is 0"),
        (Account(core_ratio=D("0.5"), auxiliary_ratio=D("0.5")), ON, "neither 0 nor within"),
        (TRADING, AuxiliaryModules(enabled=True, modules=("unheard_of",)), "unheard_of"),
    ],
)
def test_a_sleeve_that_cannot_run_is_refused_before_the_start(
    account: Account, section: AuxiliaryModules, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        check_sleeve(Settings(account=account, strategy=Strategy(auxiliary=section)))


def test_a_sleeve_that_is_off_asks_for_nothing() -> None:
    check_sleeve(Settings())
    check_sleeve(Settings(account=TRADING, strategy=Strategy(auxiliary=ON)))
