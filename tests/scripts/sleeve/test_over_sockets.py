"""The sleeve as it is composed for real: an account on the simulated venue, over sockets, a real file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from decimal import Decimal
from pathlib import Path

import pytest

from config.schema import Account, Settings
from core.errors import SelfCheckRefused
from core.events import State
from core.facts import Kind
from core.journal_reader import JournalReader
from core.types import Side
from exchange.okx.market import OkxMarket
from exchange.okx.trading import OkxTrading
from scripts.sleeve.compose import FOLDER, SleeveApp, compose_sleeve
from scripts.sleeve.okx_ports import okx_sleeve_ports
from strategy.auxiliary.exit_plan import ExitPlan, Measures
from strategy.auxiliary.language import Signal
from strategy.auxiliary.presets import PRESETS
from tests.exchange.okx.house import KEY, House, client_of, open_house

D = Decimal
BTC = "BTC-USDT"
CAPITAL = D(60_000)
SETTINGS = Settings(account=Account(total_capital=CAPITAL, core_ratio=D("0.7"), auxiliary_ratio=D("0.25")))


class HouseClock:
    """The venue's time, as the engine's clock: a sleep is over when the venue has come so far."""

    def __init__(self, house: House) -> None:
        self._house = house

    def now_ms(self) -> int:
        return self._house.now_ms()

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.now_ms() + round(seconds * 1000))

    async def sleep_until(self, at_ms: int) -> None:
        while self.now_ms() < at_ms:  # noqa: ASYNC110  the venue's time is moved from outside
            await asyncio.sleep(0.002)

    def holding(self) -> AbstractContextManager[None]:
        return nullcontext()


class Silent:
    """Nobody is told; what would have been is kept."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def tell(self, topic: str, level: str, fields: object) -> None:
        self.told.append((topic, fields))


@asynccontextmanager
async def running(house: House, folder: Path, notifier: Silent | None = None) -> AsyncIterator[SleeveApp]:
    async with client_of(house) as rest:
        [pair] = await OkxMarket(rest, house, demo=True).pairs((BTC,))
    clock = HouseClock(house)
    ports = await okx_sleeve_ports(house.endpoints, KEY, {BTC: pair}, clock, 3, "another", silence_s=None)
    app = await compose_sleeve(SETTINGS, ports, folder, clock, notifier or Silent(), "demo", 0.01)
    life = asyncio.create_task(app.run())
    try:
        await until(lambda: app.engine.is_up, house)
        yield app
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life
        await app.feed.stop()
        await app.journal.close()
        await ports.close()


async def until(done: object, house: House | None = None) -> None:
    """Wait in wall time for what crosses sockets, while the venue's clock goes on in small steps."""
    assert callable(done)
    async with asyncio.timeout(90):  # a busy machine
        while not done():
            if house is not None:
                await house.wait(100)
            await asyncio.sleep(0.01)


def is_protected(app: SleeveApp, house: House) -> bool:
    """Nothing is under way, and one stop stands for all that is held: what crosses sockets has arrived."""
    return not app.engine.busy and [one.size for one in app.books.standing(BTC)] == [abs(house.contracts)]


def signal(house: House, plan: ExitPlan, side: Side = Side.BUY) -> Signal:
    px = D(str(house.market.spot["BTC"]))
    return Signal(
        module="trend_breakout",
        instrument=BTC,
        side=side,
        strength=D(90),
        px=px,
        at_ms=house.now_ms(),
        valid_until_ms=house.now_ms() + 600_000,
        evidence=tuple(
            (name, D("0.5")) for name in ("trend", "liquidity", "volatility")
        ),  # ATS asks for them
        plan=plan,
        measures=Measures(atr=px * D("0.01"), support=px * (1 - side.sign * D("0.02"))),
    )


async def test_a_position_lives_from_signal_to_last_target_on_the_venue(tmp_path: Path) -> None:
    notifier = Silent()
    async with open_house() as house, running(house, tmp_path, notifier) as app:
        judged = await app.offer(signal(house, PRESETS["vs"].plan))
        assert judged is not None and judged.fate == "executed", judged
        await until(lambda: app.engine.state(BTC) is State.RUNNING, house)
        await until(lambda: len(app.books.standing(BTC)) == 1 and not app.engine.busy, house)
        entered = house.contracts
        assert entered > 0 and app.books.held(BTC) == entered * D("0.01")
        await house.move(61_000)
        await house.move(63_100)
        await until(lambda: 0 < house.contracts < entered and is_protected(app, house), house)
        [stop] = app.books.standing(BTC)
        assert stop.size == house.contracts
        for px in (64_500, 66_200, 67_000):
            await house.move(px)
        await house.move(60_000)
        await until(lambda: app.engine.state(BTC) is State.IDLE, house)
        assert house.contracts == 0 and app.books.standing(BTC) == ()
        [closed] = app.books.closed
        assert closed.net > 0
        await app.engine.compare()
        assert app.books.ledger.cash["USDT"] == house.cash
    with JournalReader(tmp_path / FOLDER / "journal.db") as reader:
        assert reader.verify().ok
        events = [row.body["event"] for row in reader.rows(Kind.POSITION)]
    assert events[:2] == ["entering", "begun"] and events[-1] == "closed"
    assert [topic for topic, _ in notifier.told] == ["sleeve_entering", "sleeve_closed"]


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize("preset", sorted(PRESETS))
async def test_every_preset_takes_its_first_target_and_leaves_on_the_way_back(
    preset: str, side: Side, tmp_path: Path
) -> None:
    """Signal, entry, first target, stop at the venue for what is left, and the end, with all money told."""
    async with open_house() as house, running(house, tmp_path) as app:
        plan = PRESETS[preset].plan
        judged = await app.offer(signal(house, plan, side))
        assert judged is not None and judged.fate == "executed", judged
        await until(lambda: app.engine.state(BTC) is State.RUNNING and not app.engine.busy, house)
        entered = abs(house.contracts)
        for step in range(1, 60):
            await house.move(60_000 * (1 + side.sign * 0.005 * step))
            await until(lambda: not app.engine.busy, house)
            if abs(house.contracts) < entered:
                break
        assert abs(house.contracts) < entered
        if house.contracts:
            await until(lambda: is_protected(app, house), house)
            [stop] = app.books.standing(BTC)
            assert stop.size == abs(house.contracts) and stop.side is side.opposite
        while house.contracts:
            await house.move(house.market.spot["BTC"] * (1 - side.sign * 0.005))
            await until(lambda: not app.engine.busy, house)
        await until(lambda: app.engine.state(BTC) is State.IDLE and not app.engine.busy, house)
        assert not house.contracts and app.books.standing(BTC) == ()
        await app.engine.compare()
        assert app.books.ledger.cash["USDT"] == house.cash


@pytest.mark.parametrize("request_line", ["POST /api/v5/trade/order", "* /api/v5/trade/order-algo"])
async def test_a_request_without_an_answer_leaves_no_second_order_and_no_second_stop(
    request_line: str, tmp_path: Path
) -> None:
    """Neither the request nor the questions about a stop are answered: nothing is sent beside it."""
    async with open_house() as house, running(house, tmp_path) as app:
        rule = {"what": {"ack_lost": {"answer": "reset"}}, "where": {"rest": request_line}}
        await house.control("faults", {"rules": [rule]})
        await app.offer(signal(house, PRESETS["vs"].plan))
        await until(lambda: app.engine.state(BTC) is State.RUNNING, house)
        await house.wait(20_000)
        assert len(app.books.sent.orders) == 1 and len(app.books.stops) <= 2
        await house.forget_faults()
        await until(lambda: not app.engine.busy, house)
        [stop] = app.books.standing(BTC)
        assert stop.status == "placed" and stop.size == house.contracts
        assert house.contracts * D("0.01") == app.books.held(BTC)
        assert app.permissions.causes == {}


async def test_a_new_process_takes_the_position_up_with_its_plan_and_its_stop(tmp_path: Path) -> None:
    async with open_house() as house:
        async with running(house, tmp_path) as app:
            await app.offer(signal(house, PRESETS["vs"].plan))
            await until(lambda: app.engine.state(BTC) is State.RUNNING and not app.engine.busy, house)
            entered = house.contracts
        async with running(house, tmp_path) as app:
            assert app.engine.state(BTC) is State.RUNNING and app.books.held(BTC) == entered * D("0.01")
            await house.move(63_100)
            await until(lambda: house.contracts < entered and not app.engine.busy, house)
        await house.move(57_500)  # nobody is there: the venue's own stop does what it is there for
        assert house.contracts == 0
        async with running(house, tmp_path) as app:
            await until(lambda: app.engine.state(BTC) is State.IDLE, house)
            assert app.books.ledger.cash["USDT"] == house.cash and len(app.books.closed) == 1


async def test_the_account_of_the_hedges_is_refused_as_the_sleeve_s(tmp_path: Path) -> None:
    async with open_house() as house, client_of(house) as rest:
        [pair] = await OkxMarket(rest, house, demo=True).pairs((BTC,))
        uid = (await OkxTrading(rest, house, isolated=True).account_config()).uid
        ports = await okx_sleeve_ports(house.endpoints, KEY, {BTC: pair}, HouseClock(house), 3, uid)
        with pytest.raises(SelfCheckRefused, match="holds the hedges"):
            await compose_sleeve(SETTINGS, ports, tmp_path, HouseClock(house), Silent(), "demo")
        await ports.close()
