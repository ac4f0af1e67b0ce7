"""What must hold, whatever goes wrong: the invariants INV-1 to INV-20 of the fault catalogue.

Some are looked at after every step of time, some as an order leaves, the rest when the world has healed
and settled, from the venue's records and from the journal as it lies on the disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.context import Permission
from core.events import State
from core.ids import PREFIX
from core.projections import Books
from core.types import TransferStatus
from exchange.sim.exchange import Exchange
from exchange.sim.surface.wires import Reply
from scripts.commands import Verb
from scripts.compose import App
from scripts.simulation.findings import SECRETS, Findings, Violation
from scripts.simulation.paper_trail import read_journal
from scripts.simulation.sights import Sights
from scripts.simulation.truth import ZERO, Truth
from scripts.simulation.world import World

NAKED_MS = 5_000  # a leg may stand unhedged so long after the last disturbance
NAKED_AFTER_BOOT_MS = 30_000
FAULT_TO_END_MS = 60_000  # an engine may give a leg up for what went wrong at most so long before
OLD_MS = 15_000  # no order rests on an older book: the engine's limit, and the time to send it
OBEYED_MS = 1_000  # a halt is heeded within this
MOST_LEVERAGE = Decimal("3.02")  # the red line, and what the price has done since the order was judged
MOST_MESSAGES_A_MINUTE = 60
DEADLINES_MS = {State.OPENING: 60_000, State.REBALANCING: 120_000}
PATIENCE_MS = 30_000  # beyond a deadline: what is under way may take so long to be told
CENT = Decimal("0.000001")


@dataclass(slots=True)
class _Naked:
    """A leg that stands unhedged: since when, how much, and how long nothing disturbed its repair."""

    since_ms: int
    most: Decimal


class Oracles:
    """`struck_ms` is told when something went wrong last; see `disturbed`."""

    def __init__(self, world: World, venue: Exchange, coins: tuple[str, ...]) -> None:
        self._world, self._venue = world, venue
        self._account = venue.accounts["demo"]
        self.truth = Truth(venue, self._account, coins)
        self.findings = Findings()
        self._coins = coins
        self._naked: dict[str, _Naked] = {}
        self._app: App | None = None
        self._boot_ms = 0
        self._struck_ms = 0
        self._blocked_until_ms = 0
        self._busy_since: tuple[State, int] | None = None
        self._halted_ms: int | None = None  # when the operator said halt or flatten, until he resumes
        self._healed_ms: int | None = None  # when everything was well and a human had seen to it
        self._latest_ms = 0  # the engine's own time as it was seen last
        self.sights = Sights()
        self.external: dict[str, Decimal] = dict.fromkeys(coins, ZERO)  # coins a human bought
        self.cash_moved = False  # money came or went without a bill
        self.throttled = 0

    @property
    def now_ms(self) -> int:
        return self._world.now_ms

    # --- what is told ---------------------------------------------------------------------------

    def booted(self, app: App) -> None:
        self._app, self._boot_ms = app, self._world.now_ms
        self._remembers(app)

    def ended(self) -> None:
        self._app = None
        self._latest_ms = 0
        self.sights.forget()

    def told(self, verb: Verb) -> None:
        """The operator has spoken."""
        if verb in (Verb.HALT, Verb.FLATTEN):
            self._halted_ms = self._world.now_ms
        elif verb is Verb.RESUME:
            self._halted_ms = None

    def healed(self) -> None:
        """Nothing fails any more, and a human has answered every alarm: from now on there is no excuse."""
        self._healed_ms = self._world.now_ms

    def disturbed(self, until_ms: int | None = None) -> None:
        """Something went wrong just now, or goes on doing so until then."""
        self._struck_ms = self._world.now_ms
        if until_ms is not None:
            self._blocked_until_ms = max(self._blocked_until_ms, until_ms)

    def fail(self, invariant: str, event: str) -> None:
        self.findings.violations.append(Violation(invariant, self._world.now_ms, event))

    # --- after every step of time ---------------------------------------------------------------

    def step(self) -> None:
        self.truth.look()
        for coin in self._coins:
            self._exposure(coin)
        self._deadline()
        if self._world.host_clock is not None:
            self._time(self._world.host_clock.now_ms())

    def _exposure(self, coin: str) -> None:
        """INV-2: a leg is not naked for longer than its repair may take, once nothing disturbs it."""
        now_ms, delta = self._world.now_ms, abs(self.truth.delta(coin))
        episode = self._naked.get(coin)
        if delta <= self.truth.tolerance(coin):
            if episode is not None:
                del self._naked[coin]
                self.findings.naked_ms.append(max(0, now_ms - self._calm_since(episode)))
            return
        if episode is None:
            episode = self._naked[coin] = _Naked(now_ms, delta)
        episode.most = max(episode.most, delta)
        patience_ms = NAKED_MS
        if max(self._boot_ms, self._healed_ms or 0) >= episode.since_ms or self._world.is_loud:
            patience_ms = NAKED_AFTER_BOOT_MS
        alone_ms = now_ms - self._calm_since(episode)
        if alone_ms > patience_ms and not self._is_excused(episode):
            what = f"{coin}: {self.truth.delta(coin):f} coins unhedged for {alone_ms} ms"
            self.fail("INV-2", f"{what} in {self._state()}")
            episode.since_ms = now_ms + 3_600_000  # told once

    def _calm_since(self, episode: _Naked) -> int:
        since_ms = max(episode.since_ms, self._struck_ms, self._blocked_until_ms, self._boot_ms)
        return max(since_ms, self._healed_ms or 0)

    def _is_excused(self, episode: _Naked) -> bool:
        """Nobody is there to repair, or the engine has given up aloud and for a reason."""
        app = self._app
        if app is None:
            return True
        troubled_ms = max(self._struck_ms, self._blocked_until_ms)
        if self._healed_ms is not None or troubled_ms < episode.since_ms - FAULT_TO_END_MS:
            return False
        reduced = app.permissions.view.level <= Permission.REDUCE_ONLY or app.engine.state is State.STOPPED
        return reduced and self._world.messages.criticals_since(episode.since_ms - 60_000) > 0

    def _deadline(self) -> None:
        """INV-13: OPENING and REBALANCING are left in time, or the permission goes down."""
        app = self._app
        state = app.engine.state if app is not None else None
        if app is None or state not in DEADLINES_MS or app.permissions.view.level <= Permission.REDUCE_ONLY:
            self._busy_since = None
            return
        assert state is not None
        now_ms = self._world.now_ms
        if self._busy_since is None or self._busy_since[0] is not state:
            self._busy_since = (state, now_ms)
        late_ms = now_ms - self._busy_since[1] - DEADLINES_MS[state] - PATIENCE_MS
        if late_ms > 0:
            self.fail("INV-13", f"{state.value} for {late_ms} ms too long at full permission")
            self._busy_since = (state, now_ms + 3_600_000)

    def _time(self, now_ms: int) -> None:
        """INV-10: the engine's time never goes back within a process, whatever its host's clock does."""
        if self._app is None:
            return  # the clock is still the dead process's, or nobody has looked at the new one's yet
        if now_ms < self._latest_ms:
            self.fail("INV-10", f"the engine's time goes back by {self._latest_ms - now_ms} ms")
        self._latest_ms = now_ms

    def _state(self) -> str:
        if self._app is None:
            return "no process"
        return f"{self._app.engine.state.value}, {self._app.permissions.view.level.name}"

    # --- as things cross ------------------------------------------------------------------------

    def ordered(self, order: Mapping[str, str]) -> None:
        """INV-7, INV-8, INV-9, INV-14: an order leaves."""
        app = self._app
        if app is None:
            return
        cl_id, inst_id = order["clOrdId"], order["instId"]
        coin = inst_id.partition("-")[0]
        size = Decimal(order["sz"])
        base = size * self.truth.swap(coin).ct_val if inst_id.endswith("-SWAP") else size
        self.truth.look()
        before = self.truth.delta(coin)
        after = before + base if order["side"] == "buy" else before - base
        shrinks = abs(after) <= max(abs(before), self.truth.tolerance(coin))
        closes = inst_id.endswith("-SWAP") and order["side"] == "buy"
        sells = not inst_id.endswith("-SWAP") and order["side"] == "sell"
        if cl_id not in self._world.disk.intents and (
            self._world.disk.fault is None or not (shrinks or closes or sells)
        ):
            self.fail("INV-7", f"{cl_id} left before its intent was on the disk")
        level = app.permissions.view.level
        if level is Permission.HALTED:
            self.fail("INV-8", f"{cl_id} left although HALTED")
        elif level is Permission.REDUCE_ONLY and not (shrinks or closes or sells):
            self.fail(
                "INV-8", f"{order['side']} {size:f} {inst_id} under REDUCE_ONLY: {before:f} to {after:f}"
            )
        if (
            inst_id.endswith("-SWAP")
            and order["side"] == "sell"
            and self._leverage(coin, base) > MOST_LEVERAGE
        ):
            self.fail("INV-14", f"{cl_id} would lever the account {self._leverage(coin, base):.2f} times")
        if closes and str(order.get("reduceOnly")).lower() != "true":
            self.fail("INV-8", f"{cl_id} buys the swap back without reduceOnly")
        if inst_id == f"{coin}-USDT" and order["side"] == "buy" and self._is_halted():
            self.fail("INV-8", f"{cl_id} buys spot although the operator has stopped the engine")
        age_ms = self.sights.age_ms(inst_id, self._world.now_ms)
        if age_ms is None or age_ms > OLD_MS:
            self.fail("INV-9", f"{cl_id} rests on a book of {inst_id} seen {age_ms} ms ago")

    def _is_halted(self) -> bool:
        """Whether the running process has had the time to hear a halt that stands."""
        if self._halted_ms is None or self._halted_ms < self._boot_ms:
            return False
        return self._world.now_ms - self._halted_ms > OBEYED_MS

    def seen(self, frame: bytes) -> None:
        self.sights.pushed(frame, self._world.now_ms)

    def _leverage(self, coin: str, more: Decimal) -> Decimal:
        """Notional of all shorts at mark, with `more` coins of one added, over the USDT that backs them."""
        notional, backing = ZERO, self._account.trading.get("USDT", ZERO)
        for row in self._account.positions.values():
            market = self._venue.world.markets[row.inst_id]
            coins = row.size * market.instrument.ct_val
            notional += abs(coins) * market.mark_px
            backing += coins * (market.mark_px - row.avg_px)
        notional += more * self._venue.world.markets[f"{coin}-USDT-SWAP"].mark_px
        return notional / backing if backing > 0 else Decimal(1_000)

    def replied(self, path: str, reply: Reply) -> None:
        """INV-15: the venue's limits are not reached."""
        self.sights.answered(path, reply, self._world.now_ms)
        if b'"50011"' in reply.body and not self._struck_now():
            self.throttled += 1
            self.fail("INV-15", f"{path} was refused for too many requests")

    def _struck_now(self) -> bool:
        return self._world.now_ms - self._struck_ms < 60_000

    # --- when the world has settled -------------------------------------------------------------

    def settled(self, app: App) -> None:
        """At the end of a process that lived on after everything was healed: INV-3, 4, 11, 16, 18, 19, 20."""
        self._orders_are_true(app)
        self._fills_are_true(app)
        self._transfers_are_true(app)
        self._remembers(app)
        if abs(app.bookkeeper.unexplained) > CENT and not self.cash_moved:
            self.fail("INV-11", f"{app.bookkeeper.unexplained:f} USDT are not explained")
        if app.engine.state in DEADLINES_MS:
            self.fail("INV-18", f"still {app.engine.state.value} after everything was healed")
        if app.books.unresolved_orders():
            self.fail("INV-18", f"orders without outcome: {', '.join(app.books.unresolved_orders())}")
        for coin in self._coins:
            if self.truth.cash(coin) < self.external[coin] - self.truth.swap(coin).ct_val / 1000:
                self.fail("INV-19", f"{coin}: the account has less than what a human bought")
        for unseen in self._world.unseen:
            self.fail("INV-13", f"a task failed unseen: {unseen}")
        self._messages()
        self._venue.audit()

    def _orders_are_true(self, app: App) -> None:
        """INV-1, INV-3: what the journal says of its orders is what the venue says, each sent once."""
        ours = [o for o in self._account.orders.values() if o.cl_id.startswith(PREFIX)]
        for cl_id, times in Counter(o.cl_id for o in ours).items():
            if times > 1:
                self.fail("INV-1", f"{cl_id} was sent {times} times")
        known = app.books.orders
        for order in ours:
            booked = known.get(order.cl_id)
            if booked is None:
                self.fail("INV-3", f"{order.cl_id} at the venue, not in the journal")
            elif order.is_open is not booked.is_unresolved:
                self.fail(
                    "INV-3", f"{order.cl_id} is {order.state} at the venue, {booked.status} in the journal"
                )

    def _transfers_are_true(self, app: App) -> None:
        """INV-1, INV-3: each transfer was made once at most, and the journal knows which were made."""
        ours = [t for t in self._account.transfers.values() if t.client_id.startswith(PREFIX)]
        for client_id, times in Counter(t.client_id for t in ours).items():
            if times > 1:
                self.fail("INV-1", f"transfer {client_id} was made {times} times")
        made = {t.client_id for t in ours if t.state == "success"}
        booked = {name for name, status in app.books.transfers.items() if status == TransferStatus.DONE}
        if made != booked:
            odd = sorted(made ^ booked)[:3]
            self.fail("INV-3", f"transfers of which venue and journal do not say the same: {odd}")

    def _remembers(self, app: App) -> None:
        """INV-7: what lowers the permission is what the journal says, in the process before as in this."""
        held, written = app.permissions.causes, app.books.causes
        if {name: view.level for name, view in held.items()} != {
            name: view.level for name, view in written.items()
        }:
            self.fail("INV-7", f"causes {sorted(held)} hold, the journal has {sorted(written)}")

    def _fills_are_true(self, app: App) -> None:
        """INV-4: our fills, and nobody else's, each once."""
        at_venue = {
            (e.inst_id, str(e.trade_id)) for e in self._account.executions if e.cl_id.startswith(PREFIX)
        }
        booked = set(app.books.ledger.fills_seen)
        if missing := at_venue - booked:
            self.fail("INV-4", f"fills not in the journal: {sorted(missing)[:3]}")
        foreign = booked - {(e.inst_id, str(e.trade_id)) for e in self._account.executions}
        if foreign:
            self.fail("INV-4", f"fills the venue does not know: {sorted(foreign)[:3]}")
        for coin in self._coins:
            hedge = app.books.hedge(f"{coin}-USDT")
            short = hedge.contracts if hedge else ZERO
            spot = (hedge.spot_base if hedge else ZERO) + app.books.dust.get(coin, ZERO)
            owned = self.truth.owned[coin]
            if short != owned.contracts or abs(spot - owned.spot) > self.truth.swap(coin).ct_val / 100:
                self.fail(
                    "INV-4",
                    f"{coin}: the books have {spot:f} and {short:f}, the venue says "
                    f"{owned.spot:f} and {owned.contracts:f} are ours",
                )

    def _messages(self) -> None:
        """INV-12, INV-16: nothing secret is told, and no flood."""
        minutes = Counter(at_ms // 60_000 for at_ms, *_ in self._world.messages.told)
        if minutes and (most := max(minutes.values())) > MOST_MESSAGES_A_MINUTE:
            self.fail("INV-16", f"{most} messages in one minute")
        for _, topic, _, fields in self._world.messages.told:
            if any(secret in str(fields) for secret in SECRETS):
                self.fail("INV-12", f"a secret in a message about {topic}")

    def journal(self, folder: Path, live: Books | None) -> str:
        """What the journal shows as it lies on the disk (read_journal); returns its head."""
        return read_journal(folder, live, self.fail)
