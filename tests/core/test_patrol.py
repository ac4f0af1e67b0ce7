"""Questions asked of the venue now and then, and what their answers become."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.errors import VenueDown
from core.facts import Kind
from core.patrol import Patrol
from core.projections import Books
from core.types import AccountConfig, AccountMode, FeeRates, MaintenanceWindow, Pair
from tests.core.story import StillClock, Story
from tests.core.test_permission import Told
from tests.fakes import FEES, FakeJournal, btc
from tests.risk.scenes import D, market

NAME, HOUR_MS, MINUTE_MS = "BTC-USDT", 3_600_000, 60_000


class Desk:
    """The venue: what it would answer, and how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.windows: tuple[MaintenanceWindow, ...] = ()
        self.dollar, self.offset_ms, self.leverage_is = D(1), 0, D(3)
        self.config = AccountConfig("1", AccountMode.FUTURES, True, frozenset({"trade"}), True, False, False)
        self.fees: FeeRates = FEES
        self.fails = False

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.fails:
            raise VenueDown("no answer")

    async def maintenance(self) -> tuple[MaintenanceWindow, ...]:
        self._ask("status")
        return self.windows

    async def usdt_usd(self) -> Decimal:
        self._ask("dollar")
        return self.dollar

    async def measure(self) -> int:
        self._ask("clock")
        return self.offset_ms

    async def account_config(self) -> AccountConfig:
        self._ask("config")
        return self.config

    async def leverage(self, inst_id: str) -> Decimal:
        self._ask(f"leverage {inst_id}")
        return self.leverage_is

    async def fee_rates(self, pair: Pair) -> FeeRates:
        self._ask("fees")
        return self.fees


class Shelf:
    """One market."""

    names = (NAME,)

    def view(self, name: str) -> object:
        return market()

    def pair(self, name: str) -> Pair:
        return market().pair


class World:
    def __init__(self, held: bool = True) -> None:
        self.desk, self.clock, self.journal, self.told = Desk(), StillClock(), FakeJournal(), Told()
        self.books, self.story = Books(), Story()
        self.story.boot({"USDT": "1000"})
        if held:
            self.story.hedge("opened", instrument=NAME)
            self.story.fill("swap", "sell", "10", "60000", instrument=NAME, fee="-0.3")
        for row in self.story.rows:
            self.books.apply(row)
        self.fees = {NAME: FEES}
        self.patrol = Patrol(
            self.desk, self.desk, self.journal, self.books, Shelf(), self.fees, self.clock, self.told,  # type: ignore[arg-type]
            self.desk.measure, 300,
        )  # fmt: skip

    async def goes(self, after_ms: int = 0, every_ms: int | None = None) -> list[str]:
        """One round; returns what was asked."""
        self.clock.ms += after_ms
        self.desk.asked.clear()
        await self.patrol.go(self.clock.now_ms(), every_ms)
        return list(self.desk.asked)


async def test_each_question_has_its_pace() -> None:
    world = World()
    quick = ["clock", "status", "dollar"]
    first = await world.goes()  # the clock was measured before anything else
    assert first == [*quick[1:], "config", "leverage BTC-USDT-SWAP", "fees"]
    assert await world.goes(5_000) == []
    account = ["config", "leverage BTC-USDT-SWAP"]
    assert await world.goes(25_000, 30_000) == [*quick, *account]  # something ails, perhaps the key
    assert await world.goes(299_999) == []
    assert await world.goes(1) == quick
    assert "config" in await world.goes(HOUR_MS)
    assert "fees" in await world.goes(24 * HOUR_MS)


async def test_without_a_hedge_no_leverage_is_asked_for() -> None:
    assert "leverage BTC-USDT-SWAP" not in await World(held=False).goes()


@pytest.mark.fault("RE13")
async def test_a_question_that_fails_keeps_the_last_answer_and_is_noted_once() -> None:
    world = World()
    world.desk.dollar = D("0.98")
    await world.goes()
    world.desk.fails = True
    for _ in range(5):
        await world.goes(30_000, 30_000)
    assert world.patrol.rounds.usdt_usd == D("0.98")
    noted = [r.body["question"] for r in world.journal.of(Kind.NOTE) if r.body["what"] == "question failed"]
    assert sorted(noted) == ["ask_account", "ask_clock", "ask_dollar", "ask_status"]


@pytest.mark.fault("AC1", "AC2", "MG9")
@pytest.mark.parametrize("code", ["51000", "51010", "59000"])
async def test_a_refusal_that_hints_at_a_changed_account_is_looked_into_at_once(code: str) -> None:
    world = World()
    await world.goes()
    world.patrol.on_row(world.story.add(Kind.ACK, {"cl_id": "x", "outcome": "rejected", "code": code}))
    world.desk.config = replace(world.desk.config, net_positions=False)
    assert await world.goes(5_000) == ["config", "leverage BTC-USDT-SWAP"]
    assert world.patrol.rounds.config != world.patrol.rounds.agreed
    world.patrol.accept()
    assert world.patrol.rounds.config == world.patrol.rounds.agreed


@pytest.mark.fault("QT6")
@pytest.mark.parametrize(
    ("leg", "side", "size", "fee", "fee_ccy", "fits"),
    [
        ("spot", "buy", "1", "-0.001", "BTC", True),
        ("spot", "buy", "1", "-0.0008", "BTC", True),  # as maker
        ("spot", "sell", "1", "-60", "USDT", True),
        ("swap", "sell", "100", "-30", "USDT", True),
        ("swap", "sell", "100", "-27", "USDT", False),
        ("spot", "buy", "1", "-0.0009", "BTC", False),
        ("swap", "sell", "100", "6", "USDT", False),  # a rebate nobody knew of
        ("spot", "buy", "1", "-0.5", "OKB", True),  # a third coin tells no rate
    ],
)
async def test_a_fee_that_does_not_fit_asks_for_the_rates(
    leg: str, side: str, size: str, fee: str, fee_ccy: str, fits: bool
) -> None:
    world = World()
    await world.goes()
    row = world.story.fill(leg, side, size, "60000", fee=fee, fee_ccy=fee_ccy, cl_id="ours")
    world.patrol.on_row(row)
    assert (await world.goes(5_000) == []) is fits


@pytest.mark.fault("QT6")
async def test_changed_rates_are_used_from_then_on_and_told_once() -> None:
    world = World()
    await world.goes()
    world.desk.fees = replace(FEES, swap_taker=D("0.00045"))
    for _ in range(3):
        await world.goes(24 * HOUR_MS)
    assert world.fees[NAME].swap_taker == D("0.00045")
    assert [topic for topic, _, fields in world.told.said if fields["what"] == "fees changed"] == ["trouble"]


@pytest.mark.fault("QT3")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ct_val": D("0.1")}, "ctVal 0.01 -> 0.1"),
        ({"lot": D("0.1")}, "lotSz 0.01 -> 0.1"),
        ({"min_size": D("1")}, "minSz 0.01 -> 1"),
        ({"tick": D("1")}, "tickSz 0.1 -> 1"),
    ],
)
def test_a_changed_contract_of_what_is_held_is_remembered(changed: dict[str, Decimal], said: str) -> None:
    before = btc()
    after = replace(before, swap=replace(before.swap, **changed))
    world = World()
    world.patrol.note_rules(before, before)
    assert world.patrol.rounds.new_rules == {}
    world.patrol.note_rules(before, after)
    world.patrol.note_rules(after, after)
    assert world.patrol.rounds.new_rules == {NAME: said}
    nothing_held = World(held=False)
    nothing_held.patrol.note_rules(before, after)
    assert nothing_held.patrol.rounds.new_rules == {}


@pytest.mark.fault("SC5")
async def test_a_clock_that_runs_away_is_known_after_six_hours() -> None:
    world = World()
    for minutes in range(0, 8 * 60, 20):
        world.desk.offset_ms = minutes * 2 + (7 if minutes % 40 else -7)  # 2 ms a minute, and jitter
        await world.goes(20 * MINUTE_MS)
        if minutes == 5 * 60:
            assert world.patrol.rounds.drift_ms_day is None
    drift = world.patrol.rounds.drift_ms_day
    assert drift is not None and abs(drift - 2880) < 150


@pytest.mark.fault("SC5")
async def test_a_steady_clock_does_not_drift_whatever_the_jitter() -> None:
    world = World()
    for n in range(30):
        world.desk.offset_ms = 300 if n == 13 else (-1) ** n * 20
        await world.goes(20 * MINUTE_MS)
    drift = world.patrol.rounds.drift_ms_day
    assert drift is not None and abs(drift) < 500  # half of what would be told


@pytest.mark.fault("VE1")
async def test_during_maintenance_the_status_page_is_asked_twice_a_minute() -> None:
    world = World()
    for _ in range(12):
        world.clock.ms += 5_000
        await world.patrol.ask_status(world.clock.now_ms())
    assert world.desk.asked == ["status"] * 2
