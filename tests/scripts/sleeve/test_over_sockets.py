"""The sleeve as it is composed for real: its own account on the simulated venue, over sockets, a real file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from decimal import Decimal
from pathlib import Path

from config.schema import Account, Settings
from core.events import State
from core.facts import Kind
from core.journal_reader import JournalReader
from core.types import Side
from exchange.okx.market import OkxMarket
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
        while self.now_ms() < at_ms:
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
    async with asyncio.timeout(20):
        while not done():
            if house is not None:
                await house.wait(100)
            await asyncio.sleep(0.01)


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
        evidence=(("ma_cross_ratio", D("0.01")),),
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
        await until(lambda: 0 < house.contracts < entered and not app.engine.busy, house)
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
