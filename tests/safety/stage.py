"""The composed engine on the simulated venue, in one process and on one clock: no sockets, no waiting.

Real parts throughout: the engine as `scripts.compose` wires it, the real OKX client, venue and journal. A
scenario moves the market, injects faults and asks the venue itself how the legs stand.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from config.schema import Instruments, Settings
from core.events import Event, On, State
from core.facts import Kind, Row
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.ports import Clock
from core.scheduler import WalkingTicker
from core.types import Base, Contracts
from exchange.okx.errors import HttpReply
from exchange.okx.sdk import Prepared
from exchange.sim.exchange import Exchange
from exchange.sim.markets.source import Forecast, Quote
from exchange.sim.model import PositionKey, Settled
from exchange.sim.profile import VenueProfile
from exchange.sim.surface.inprocess import InProcess
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.switchboard import Switchboard
from scripts.compose import App, compose
from scripts.okx_ports import Lines, okx_ports
from scripts.orphans import pairs_held
from scripts.questions import read_books
from scripts.simulation.crossings import Crossings
from scripts.simulation.disk import Disk
from scripts.simulation.time import SimClock, SimLoop
from scripts.simulation.way import Latency, Way
from scripts.simulation.world import CREDENTIALS, ENDPOINTS, simulated_sdk
from tests.exchange.sim.worlds import HOUR_MS, MINUTE_MS, StillMarket

D = Decimal
SECOND_MS = 1_000
CT_VAL = {"BTC": D("0.01"), "ETH": D("0.1")}
LOT = {"BTC": D("0.0001"), "ETH": D("0.001")}  # one lot of the swap, in coins
WAY = Latency(request_ms=20, answer_ms=20, push_ms=15)
EIGHT_HOURS_MS = 8 * HOUR_MS
# Of a scene in which no price runs: the market moves at its own steps and once a minute, not at every instant
# that somebody waits for. Hours of it take a fifth of the time.
CALM: Final = {"pulse_ms": MINUTE_MS}


class StagedMarket(StillMarket):
    """Stands still, pays funding, and goes where a scenario sends it, second by second."""

    def __init__(self) -> None:
        super().__init__()
        self.start_ms += 9 * MINUTE_MS + 50 * SECOND_MS  # a scan is twelve seconds away
        self.rate = D("0.0005")
        self.rates: dict[str, Decimal] = {}  # of coins that pay something else
        self.step_ms = MINUTE_MS  # while nothing moves
        self._ramps: dict[str, tuple[int, int, float, float]] = {}  # from ms, to ms, from px, to px

    def ramp(self, coin: str, now_ms: int, change: float, lasts_ms: int) -> None:
        """Let the price change by a fraction, evenly, over a while."""
        start = self.quote(coin, now_ms).spot
        self._ramps[coin] = (now_ms, now_ms + lasts_ms, start, start * (1 + change))

    def quote(self, coin: str, at_ms: int) -> Quote:
        if coin in self._ramps:
            begin, end, old, new = self._ramps[coin]
            share = min(1.0, max(0.0, (at_ms - begin) / max(1, end - begin)))
            self.spot[coin] = old + (new - old) * share
        return super().quote(coin, at_ms)

    def next_ms(self, after_ms: int, every_turn: bool = False) -> int | None:
        """A step a second while prices run, ten seconds where they take long for it, a minute when still."""
        spans = [end - begin for begin, end, _, _ in self._ramps.values() if begin <= after_ms < end]
        step_ms = self.step_ms
        if spans:
            step_ms = SECOND_MS if min(spans) <= 10 * MINUTE_MS else 10 * SECOND_MS
        return after_ms // step_ms * step_ms + step_ms

    def forecast(self, coin: str, at_ms: int, settle_ms: int, interval_ms: int) -> Forecast:
        told = super().forecast(coin, at_ms, settle_ms, interval_ms)
        return Forecast(self.rates.get(coin, told.rate), told.premium)

    def settled(self, coin: str, before_ms: int, count: int) -> list[Settled]:
        last_ms = (before_ms - 1) // EIGHT_HOURS_MS * EIGHT_HOURS_MS
        rate = self.rates.get(coin, self.rate or D(0))
        return [Settled(last_ms - n * EIGHT_HOURS_MS, rate, rate) for n in reversed(range(count))]


@dataclass(slots=True)
class Truth:
    """How far apart the venue says the legs of a coin are, whenever anything may have changed it."""

    since_ms: dict[str, int] = field(default_factory=dict)
    spells: list[tuple[str, int, int, Decimal]] = field(default_factory=list)  # coin, from, to, worst coins
    worst: dict[str, Decimal] = field(default_factory=dict)
    deltas: list[tuple[int, str, Decimal]] = field(default_factory=list)  # every change


class Watched(SimLoop):
    """A loop that lets somebody look whenever the venue has moved."""

    look: Callable[[], None]

    def wait(self, timeout_s: float | None) -> None:
        super().wait(timeout_s)
        self.look()


class Post(Way):
    """Keeps what was sent, and looks at the venue around every request."""

    look: Callable[[], None]
    log: list[tuple[int, str, dict[str, Any]]]  # when, method and path, body
    hidden: set[str]  # instruments the venue's list has no more

    async def carry(self, request: Prepared, is_order: bool) -> HttpReply:
        what = f"{request.method} {request.path.partition('?')[0]}"
        self.log.append((self._board.now_ms, what, json.loads(request.body) if request.body else {}))
        try:
            reply = await super().carry(request, is_order)
        finally:
            self.look()
        if self.hidden and what == "GET /api/v5/public/instruments":
            told = json.loads(reply.body)
            told["data"] = [row for row in told["data"] if row["instId"] not in self.hidden]
            reply = reply._replace(body=json.dumps(told).encode())
        return reply


class Stage:
    """A scenario's hands and eyes. `told` is everything the engine said to people: (topic, level, fields)."""

    def __init__(self, folder: Path, settings: Settings, level: str, **profile: Any) -> None:
        self.folder, self.settings = folder, settings
        self.market = StagedMarket()
        self.venue = Exchange(self.market, seed=7, profile=VenueProfile(**profile))
        self.me = self.venue.accounts["demo"]
        self.me.level = level
        self.board = Switchboard(premises_of(self.venue))
        self.near = InProcess(self.board)
        self.truth = Truth()
        self.told: list[tuple[str, str, Mapping[str, object]]] = []
        self.loop = Watched(self.board)
        self.clock: Clock = SimClock(self.board)
        crossings = Crossings()
        self.disk = Disk(crossings)
        self.post = Post(self.board, crossings, WAY)
        self.post.log, self.post.hidden = [], set()
        self.loop.look = self.post.look = self.look
        self._app: App | None = None
        self._engine: asyncio.Task[None] | None = None

    # --- the engine ---------------------------------------------------------------------------

    @property
    def app(self) -> App:
        assert self._app is not None
        return self._app

    @property
    def state(self) -> State:
        return self.app.engine.state

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.told.append((topic, level, fields))

    async def start(self) -> None:
        """Start a process's worth of engine on what the folder holds."""
        held = pairs_held(read_books(self.folder)) if (self.folder / FILE_NAME).exists() else {}
        ports = await okx_ports(
            ENDPOINTS,
            CREDENTIALS,
            self.settings,
            self.clock,
            paper=False,
            silence_s=None,
            held=held,
            lines=Lines(self.post, self.post.connect, simulated_sdk),
        )
        self._app = app = await compose(
            self.settings,
            ports,
            self.folder,
            self.clock,
            WalkingTicker(self.clock),
            self,
            "demo",
            open_database=self.disk.open,
        )
        await app.streams.start()
        await app.bookkeeper.review()
        await app.engine.boot()
        self._engine = asyncio.create_task(app.engine.run())

    async def stop(self) -> None:
        """End as a killed process would, except that what was written stays written."""
        if self._engine is None:
            return
        self._engine.cancel()
        ended = await asyncio.gather(self._engine, return_exceptions=True)
        await self.app.streams.stop()
        await self.app.journal.close()
        self.post.cut()
        self._engine = None
        if isinstance(ended[0], Exception):
            raise ended[0]

    # --- waiting ------------------------------------------------------------------------------

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def until(self, holds: Callable[[], bool], seconds: float = 900, every_s: float = 1.0) -> None:
        """Wait for something; fails after `seconds` of venue time, saying where everything stood."""
        end_ms = self.clock.now_ms() + int(seconds * 1000)
        while not holds():
            assert self._engine is None or not self._engine.done(), self._engine.exception()
            assert self.clock.now_ms() < end_ms, f"not within {seconds} s: {self.summary()}"
            await self.clock.sleep(every_s)

    async def running(self, hedges: int = 1) -> None:
        """Wait until so many hedges are held and equal, and nothing is being done any more."""
        await self.until(
            lambda: (
                self.state is State.RUNNING
                and sum(1 for c in CT_VAL if self.short(c)) == hedges
                and all(abs(self.delta(c)) < LOT[c] for c in CT_VAL)
            )
        )
        await self.wait(3)

    # --- the venue's truth --------------------------------------------------------------------

    def coins(self, coin: str) -> Decimal:
        return self.me.trading.get(coin, D(0))

    def short(self, coin: str) -> Contracts:
        row = self.me.positions.get(PositionKey(f"{coin}-USDT-SWAP"))
        return Contracts(-row.size if row else D(0))

    def delta(self, coin: str) -> Base:
        """Coins not hedged, as the venue has them."""
        return Base(self.coins(coin) - self.short(coin) * CT_VAL[coin])

    def look(self) -> None:
        """Note how far the legs are apart now: spells begin and end here, at the venue's own instants."""
        now_ms, truth = self.board.now_ms, self.truth
        for coin in CT_VAL:
            delta = self.delta(coin)
            if not truth.deltas or delta != next((d for _, c, d in reversed(truth.deltas) if c == coin), 0):
                truth.deltas.append((now_ms, coin, delta))
            if abs(delta) < LOT[coin]:
                if coin in truth.since_ms:
                    begin = truth.since_ms.pop(coin)
                    truth.spells.append((coin, begin, now_ms, truth.worst.pop(coin)))
            else:
                truth.since_ms.setdefault(coin, now_ms)
                truth.worst[coin] = max(truth.worst.get(coin, D(0)), abs(delta))

    def naked_ms(self, after_ms: int = 0) -> int:
        """The longest spell a coin's legs stood apart, those that last still included."""
        now_ms = self.board.now_ms
        spells = [(b, e) for _, b, e, _ in self.truth.spells if e >= after_ms]
        spells += [(b, now_ms) for b in self.truth.since_ms.values()]
        return max((e - b for b, e in spells), default=0)

    # --- what goes wrong ----------------------------------------------------------------------

    def faults(self, *rules: Mapping[str, object]) -> None:
        self._ask("POST", "/sim/faults", {"rules": list(rules)})

    def orders(self, what: object, leg: str = "*", **when: object) -> None:
        """A fault on orders of one leg: "spot", "swap" or both."""
        inst = {"spot": "*-USDT", "swap": "*-SWAP", "*": "*"}[leg]
        rule: dict[str, object] = {
            "where": {"rest": "POST /api/v5/trade/order", "inst_id": inst},
            "what": what,
        }
        self.faults(rule | ({"when": when} if when else {}))

    def heal(self) -> None:
        """Forget every fault."""
        self._ask("DELETE", "/sim/faults", {})

    def edit(self, **changes: object) -> None:
        self._ask("POST", "/sim/account/demo", changes)
        self.look()

    def hide(self, inst_id: str) -> None:
        """Let the venue know an instrument no more."""
        self.venue.world.markets[inst_id].instrument.state = "expired"
        self.post.hidden.add(inst_id)

    def instrument(self, inst_id: str, **changes: object) -> None:
        self._ask("POST", f"/sim/instrument/{inst_id}", changes)

    def _ask(self, method: str, path: str, body: Mapping[str, object]) -> None:
        status, _, answer = self.near.request(method, path, body=json.dumps(body).encode())
        assert status == 200, answer

    def halt(self, flatten: bool = False) -> None:
        self.app.engine.post(Event(On.HALT, self.clock.now_ms(), "test", flatten=flatten))

    # --- what was done ------------------------------------------------------------------------

    def sent(self, since_ms: int = 0) -> list[dict[str, Any]]:
        """Bodies of the orders sent."""
        return [b for at, what, b in self.post.log if what == "POST /api/v5/trade/order" and at >= since_ms]

    def sides(self, since_ms: int = 0) -> list[str]:
        """ "buy BTC-USDT", in order."""
        return [f"{b['side']} {b['instId']}" for b in self.sent(since_ms)]

    def rows(self, *kinds: Kind) -> list[Row]:
        with JournalReader(self.folder / "journal.db") as reader:
            return list(reader.rows(*kinds))

    def topics(self, level: str | None = None) -> list[str]:
        return [topic for topic, how, _ in self.told if level in (None, how)]

    def said(self, what: str) -> int:
        """How often a message with this `what` was told."""
        return sum(1 for _, _, fields in self.told if fields.get("what") == what)

    def summary(self) -> str:
        legs = {c: (self.coins(c), self.short(c), self.delta(c)) for c in CT_VAL}
        return f"{self.state if self._app else 'not started'} {legs} {self.told[-5:]}"


Story = Callable[[Stage], Awaitable[None]]
ONE_COIN = Settings(instruments=Instruments(instruments=("BTC-USDT",)))


def play(
    folder: Path, story: Story, settings: Settings | None = None, level: str = "2", **profile: Any
) -> Stage:
    """Play a scenario from a venue on which nothing is held; return the stage for a last look."""
    stage = Stage(folder, settings or ONE_COIN, level, **profile)

    async def whole() -> None:
        try:
            await story(stage)
        finally:
            await stage.stop()

    with asyncio.Runner(loop_factory=lambda: stage.loop) as runner:
        runner.run(whole())
    return stage
