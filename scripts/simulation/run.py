"""One seed from its quiet beginning through chaos to the last look: play a story, and say what was wrong."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any, Final

from config.loader import load
from config.schema import Settings
from exchange.sim.exchange import Exchange
from exchange.sim.faults.reading import Known, plan_of
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.model import Reject
from exchange.sim.seam import OrderParams
from exchange.sim.surface.premises import Premises, premises_of
from scripts.commands import Command, Verb
from scripts.compose import App
from scripts.simulation.crossings import Crossings
from scripts.simulation.faults import faults_of
from scripts.simulation.findings import Violation
from scripts.simulation.oracles import Oracles
from scripts.simulation.story import Story, Trouble
from scripts.simulation.truth import ZERO
from scripts.simulation.world import World

HISTORY_DAYS: Final = 4
TWICE_EVERY: Final = 50  # seeds: what is nondeterministic shows in any story that trades
MOST_BOOTS: Final = 25
PATIENCE_MS: Final = 3_000  # of whoever waits for the answer to an order
LATEST_MS: Final = 8_000 + PATIENCE_MS  # an order held up arrives by then, and another may be waited for
DOWN_MS: Final = (0, 1_000, 5_000, 60_000)  # how long a dead process may stay away
AFTER_HEALING_MS: Final = 2 * 60_000  # a human answers the alarms
AFTER_ERROR_MS: Final = 10_000  # as the service manager waits before it starts one again; longer each time
LONGEST_PAUSE_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Result:
    """What one seed came to. `crash_points` and `faults` are how often each struck, by name and by
    `Trouble.point`; what never struck is not among them."""

    seed: int
    violations: tuple[Violation, ...]
    virtual_ms: int
    boots: int
    faults: Counter[str]
    crash_points: Counter[str]
    naked_ms: tuple[int, ...]
    trace: str
    cpu_s: float
    state: str = ""
    errors: tuple[str, ...] = ()


@cache
def settings_of(folder: Path) -> Settings:
    return load(folder)


def play(story: Story, config: Path = Path("config"), trace: Callable[[str], None] | None = None) -> Result:
    """Play a story in a folder of its own, which is removed afterwards.

    trace  is told, line by line, what the venue's log and the engine's messages say.
    """
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=_ram()))
    try:
        return _Play(story, settings_of(config), folder, trace).result()
    finally:
        shutil.rmtree(folder)


def judged(story: Story, config: Path = Path("config")) -> Result:
    """Play a story; one seed in fifty is played a second time and must go the same way (INV-17)."""
    result = play(story, config)
    if story.seed % TWICE_EVERY:
        return result
    again = play(story, config)
    cpu_s = result.cpu_s + again.cpu_s
    if again.trace == result.trace:
        return replace(result, cpu_s=cpu_s)
    odd = Violation("INV-17", 0, "the same story went another way the second time")
    return replace(result, cpu_s=cpu_s, violations=(*result.violations, odd))


def _ram() -> str | None:
    """A folder in memory where the system has one: nobody needs these files after a crash of the host."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass(slots=True)
class _Play:
    story: Story
    settings: Settings
    folder: Path
    trace: Callable[[str], None] | None = None
    errors: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    on_order: dict[int, Callable[[], object]] = field(default_factory=dict)  # what strikes as the nth leaves

    def result(self) -> Result:
        began = time.process_time()
        story = self.story
        market = GeneratedMarket(
            story.seed,
            story.coins,
            regime=story.regime,
            history_days=HISTORY_DAYS,
            turns=dict(story.turns),
        )
        venue = Exchange(market, story.seed, profile=story.profile)
        start_ms = venue.now_ms
        premises = premises_of(venue)
        settings = _for_story(self.settings, story)
        shuffle = random.Random(f"shuffle {story.seed}") if story.shuffle else None
        world = World(
            premises,
            settings,
            self.folder,
            Crossings(story.crash_points),
            story.latency,
            shuffle,
            story.loud(start_ms),
            wall_off_ms=0 if any(t.kind == "wall" for t in story.troubles) else None,
        )
        oracles = Oracles(world, venue, story.coins)
        self._arrange(premises, world, oracles, venue, start_ms)
        last: list[App] = []
        if self.trace is not None:
            world.messages.trace = self.trace
        world.ears.on_step = oracles.step
        world.ears.on_order = partial(self._ordered, oracles)
        world.ears.on_reply = oracles.replied
        world.ears.on_news = oracles.seen

        def booted(app: App) -> None:
            last[:] = [app]
            oracles.booted(app)

        world.ears.on_app = booted
        end_ms = start_ms + story.warm_ms + story.chaos_ms + story.settle_ms
        self._live(world, oracles, end_ms, last)
        if last:
            oracles.journal(self.folder, last[0].books)
        # A second start on the same files: what is known must be known again.
        last.clear()
        self._live(world, oracles, world.now_ms + 10 * 60_000, last)
        head = oracles.journal(self.folder, last[0].books if last else None)
        for point in world.crossings.hit:
            self.faults[f"crash {point.name} {point.side}"] += 1
        digest = premises.log.digest
        return Result(
            story.seed,
            tuple(oracles.findings.violations),
            world.now_ms - start_ms,
            world.boots,
            self.faults,
            Counter({str(point): 1 for point in world.crossings.hit}),
            tuple(oracles.findings.naked_ms),
            hashlib.sha256(f"{digest} {head}".encode()).hexdigest(),
            time.process_time() - began,
            last[0].engine.state.value if last else "never up",
            tuple(self.errors),
        )

    def _live(self, world: World, oracles: Oracles, end_ms: int, last: list[App]) -> None:
        """Start the engine, and again whenever it has died, until the end."""
        rng = random.Random(f"downtime {self.story.seed}")
        errors = 0  # starts in a row that came to nothing: the service manager tries ever more seldom
        while world.now_ms < end_ms:
            if world.boots >= MOST_BOOTS:
                oracles.fail("INV-18", f"{world.boots} starts and no rest: {'; '.join(self.errors[-3:])}")
                return
            ended = world.live(end_ms - world.now_ms)
            if ended.facts is not None and world.now_ms >= end_ms:
                oracles.settled(last[0])
            else:
                last.clear()  # killed: it knew rows that never reached the disk
            oracles.ended()
            oracles.disturbed()
            if ended.error:
                self.errors.append(ended.error)
                world.wait(min(AFTER_ERROR_MS * 2**errors, LONGEST_PAUSE_MS))
                errors += 1
                continue
            errors = 0
            if ended.crash:
                world.wait(rng.choice(DOWN_MS))

    # --- troubles -------------------------------------------------------------------------------

    def _arrange(
        self, premises: Premises, world: World, oracles: Oracles, venue: Exchange, start_ms: int
    ) -> None:
        """Enter every trouble where it belongs: the venue's fault plan, or the venue's agenda."""
        heal_ms = start_ms + self.story.warm_ms + self.story.chaos_ms
        for trouble in self.story.troubles:
            at_ms = start_ms + trouble.at_ms
            until_ms = min(start_ms + trouble.until_ms, heal_ms)
            match trouble.kind:
                case "rule":
                    continue
                case "venue":
                    world.board.agenda.add(at_ms, partial(oracles.disturbed, until_ms + 1_000))
                case _:
                    self._enter(trouble, at_ms, until_ms, world, oracles, venue)
        known = Known(start_ms, venue.accounts, venue.instruments)
        premises.plan = plan_of(faults_of(self.story, start_ms), known)
        world.board.faults.plan = premises.plan
        premises.log.sink = partial(self._heard, oracles)
        world.board.agenda.add(heal_ms + AFTER_HEALING_MS, partial(self._answered, world, oracles))

    def _answered(self, world: World, oracles: Oracles) -> None:
        """When everything is well again a human answers whatever alarms there were."""
        for verb in (Verb.UNPAUSE, Verb.RESUME):
            self._say(verb, world, oracles)
        oracles.healed()

    def _say(self, verb: Verb, world: World, oracles: Oracles) -> None:
        oracles.told(verb)
        world.command(Command(verb, "simulated operator"))

    def _enter(
        self, trouble: Trouble, at_ms: int, until_ms: int, world: World, oracles: Oracles, venue: Exchange
    ) -> None:
        def at(when_ms: int, act: Callable[[], object]) -> None:
            def strike() -> None:
                self.faults[trouble.point] += 1
                oracles.disturbed()
                act()

            if (nth := trouble.what.get("nth_order")) is not None:
                self.on_order[nth] = strike
            else:
                world.board.agenda.add(when_ms, strike)

        match trouble.kind:
            case "disk":
                error = OperationalError(trouble.what["error"])
                at(at_ms, lambda: setattr(world.disk, "fault", error))
                world.board.agenda.add(until_ms, lambda: setattr(world.disk, "fault", None))
            case "operator":
                verb = Verb(trouble.what["verb"])
                at(at_ms, lambda: self._say(verb, world, oracles))
            case "wall":
                at(at_ms, lambda: setattr(world, "wall_off_ms", trouble.what["ms"]))
                world.board.agenda.add(until_ms, lambda: setattr(world, "wall_off_ms", 0))
            case "restart":
                at(at_ms, lambda: world.end_process("restarted on purpose"))
            case "hand":
                at(at_ms, lambda: _by_hand(trouble.what, venue, oracles))

    def _ordered(self, oracles: Oracles, order: Mapping[str, str]) -> None:
        oracles.ordered(order)
        self.orders += 1
        self.on_order.pop(self.orders, lambda: None)()

    def _heard(self, oracles: Oracles, line: bytes) -> None:
        """Every line of the venue's log: faults are disturbances."""
        if self.trace is not None:
            self.trace(line.decode().rstrip())
        if b'"kind":"fault"' in line:
            told = json.loads(line)
            n = int(str(told["rule"]).rpartition("-")[2])  # its place in the story, as faults_of names it
            self.faults[self.story.troubles[n].point] += 1
            is_lost = b'"place":"rest"' in line  # the sender waits before it knows
            known_ms = oracles.now_ms + (LATEST_MS if told["what"] == "delay" else PATIENCE_MS)
            oracles.disturbed(known_ms if is_lost else None)


def _for_story(settings: Settings, story: Story) -> Settings:
    """The configured settings, with the story's coins and its own changes."""
    plain = settings.model_dump()
    plain["instruments"]["instruments"] = tuple(f"{coin}-USDT" for coin in story.coins)
    for name, value in story.changes:
        *sections, key = name.split(".")
        place = plain
        for section in sections:
            place = place[section]
        place[key] = value
    return Settings.model_validate(plain)


def _by_hand(what: dict[str, Any], venue: Exchange, oracles: Oracles) -> None:
    """A human trades the engine's account from elsewhere, at the market."""
    coin, share, account = what["coin"], Decimal(what["share"]), venue.accounts["demo"]
    spot, swap = venue.instruments[f"{coin}-USDT"], venue.instruments[f"{coin}-USDT-SWAP"]
    oracles.truth.look()
    owned = oracles.truth.owned[coin]
    match what["does"]:
        case "sell spot":
            inst, mode, side, size, reduces = spot, "cash", "sell", owned.spot * share, False
        case "close short":
            inst, mode, side, size, reduces = swap, "cross", "buy", owned.contracts * share, True
        case "short more":
            inst, mode, side, size, reduces = swap, "cross", "sell", swap.min_size * 10, False
            oracles.cash_moved = True  # one position has one entry price: what ours gain is the human's too
        case _:
            inst, mode, side, size, reduces = spot, "cash", "buy", spot.min_size * 100, False
    size = size // inst.lot * inst.lot
    if size < inst.min_size:
        return
    price = venue.markets[inst.inst_id].last * (Decimal("1.01") if side == "buy" else Decimal("0.99"))
    price = price // inst.tick * inst.tick
    params = OrderParams(inst.inst_id, mode, side, "ioc", size, price, reduce_only=reduces)
    cash = oracles.truth.cash(coin)
    try:
        venue.place(account, params)
    except Reject:
        return
    if what["does"] == "buy spot":
        oracles.external[coin] += max(ZERO, oracles.truth.cash(coin) - cash)
