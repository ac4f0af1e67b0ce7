"""The process beside the engine: watches its heartbeat, its clock and its legs, and can only reduce.

Silent and cheap while all is well: a look at a file twice a second, and at the account every few
seconds while something is held. Once it has taken over it keeps what is ours flat until `resume`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from config.loader import load
from config.schema import Settings
from config.secrets import Secrets, load_secrets
from core.clock import SystemClock
from core.errors import JournalFailed, UsageError, VenueError
from core.halt import Halt
from core.heartbeat import Beat, Phase, read
from core.ids import ReducerIds, next_epoch
from core.lock import holder
from core.ports import Clock, Notifier
from execution.reduction import Owned, Stock
from monitor.keepsake import Keepsake
from monitor.notifier import QueueNotifier
from monitor.redaction import Redactor
from risk.vigilance import FINE, Judgement, Look, Opinion, Patience, consider
from scripts.channels import channels_of, habits_of
from scripts.door import door_of
from scripts.folders import DATA
from scripts.options import Mode, RunOptions
from scripts.standing import still_of
from scripts.takeover import Booked, Hands, Proof, is_fatal

NAME: Final = "watchdog"
POLL_S: Final = 0.5
LOOK_S: Final = 3.0  # between two questions to the venue while something is held
FLAT_LOOK_S: Final = 60.0  # what is flat and halted is looked at ever more rarely, up to this
CLOCK_LOOKS: Final = 5  # every so many looks the venue's clock is measured too
GAP_MS: Final = 3_000  # longer between two polls: it was us who were away, and all counts begin anew
STARTING_MS: Final = 120_000  # for so long a starting engine is believed to be on its way
NAKED_SHARE: Final = Decimal("0.01")
REDUCERS: Final = ("watchdog", "close_all")


@dataclass(frozen=True, slots=True)
class Seen:
    """The last beat, and when by our own clock its counter moved and its phase began."""

    beat: Beat | None = None
    moved_ms: int = 0
    phase_ms: int = 0

    def after(self, beat: Beat | None, now_ms: int) -> Seen:
        if beat is None:
            return replace(self, beat=None)
        old = self.beat
        same_process = old is not None and (old.pid, old.epoch) == (beat.pid, beat.epoch)
        phase_ms = self.phase_ms if same_process and old and old.phase is beat.phase else now_ms
        moved = not same_process or old is None or old.counter != beat.counter
        return Seen(beat, now_ms if moved else self.moved_ms, phase_ms)

    def quiet_ms(self, now_ms: int) -> int:
        starting_ms = now_ms - self.phase_ms
        if self.beat is not None and self.beat.phase is Phase.STARTING and starting_ms > STARTING_MS:
            return starting_ms - STARTING_MS
        return now_ms - self.moved_ms


class Watchdog:
    """One data folder's onlooker. `say` hears each event once, as a name and its fields."""

    def __init__(
        self,
        folder: Path,
        hands: Hands,
        patience: Patience,
        patience_s: float,
        clock: Clock,
        say: Callable[[str, dict[str, Any]], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._hands, self._patience = folder, hands, patience
        self._patience_s, self._clock, self._say, self._monotonic = patience_s, clock, say, monotonic
        self._seen = Seen()
        self._opinion: Opinion = FINE
        self._last_poll_ms = self._now_ms()
        self._looked_ms = self._last_poll_ms - int(LOOK_S * 1000)
        self._looks = 0
        self._flat_looks_ms = int(LOOK_S * 1000)
        self._clock_off_ms: int | None = None
        self._is_naked: bool | None = None
        self._is_blind = False

    async def run(self) -> None:
        """Watch until cancelled. Raises AuthFailed when the venue no longer takes the key."""
        while True:
            await self.poll()
            await self._clock.sleep(POLL_S)

    async def poll(self) -> None:
        """Look once, and act if that is due."""
        now_ms = self._now_ms()
        if now_ms - self._last_poll_ms > GAP_MS:
            self._seen, self._opinion = Seen(), FINE
        self._last_poll_ms = now_ms
        self._seen = self._seen.after(read(self._folder), now_ms)
        halt = self._hands.halt.read()
        if halt is not None:
            await self._keep_flat(halt, now_ms)
            return
        beat = self._seen.beat
        if beat is None:
            self._opinion = FINE
            return
        if beat.has_something and now_ms - self._looked_ms >= LOOK_S * 1000:
            self._looked_ms = now_ms
            await self._ask_venue(beat)
        before, self._opinion = self._opinion, consider(self._opinion, self._look(beat), self._patience)
        self._tell_change(before, self._opinion)
        if self._opinion.judgement is Judgement.TAKE_OVER:
            await self._strike(Halt(NAME, self._opinion.why, self._clock.now_ms()))

    # --- looking ------------------------------------------------------------------------------------

    def _look(self, beat: Beat) -> Look:
        now_ms = self._now_ms()
        return Look(
            now_ms=now_ms,
            quiet_ms=self._seen.quiet_ms(now_ms),
            signed_off=beat.phase is Phase.ENDED,
            has_process=holder(self._folder) is not None,
            holds=beat.has_something,
            clock_off_ms=self._clock_off_ms,
            is_naked=self._is_naked,
        )

    async def _ask_venue(self, beat: Beat) -> None:
        """The venue's account against the beat; what it does not answer is not known."""
        self._is_naked = None
        try:
            if self._looks % CLOCK_LOOKS == 0:
                self._clock_off_ms = await self._clock_off(beat)
            self._looks += 1
            stocks = await self._hands.stocks(booked_of(beat))
        except VenueError as error:
            if is_fatal(error):
                raise
            self._blind(str(error))
        else:
            self._is_naked = any(is_naked(stock) for stock in stocks)
            self._blind("")

    async def _clock_off(self, beat: Beat) -> int | None:
        """The engine's idea of the venue's time less the venue's; the beat's own age taken off."""
        venue_ms = await self._hands.venue_now_ms()
        if beat.on_venue_clock:
            return 0
        return beat.venue_ms + self._seen.quiet_ms(self._now_ms()) - venue_ms

    def _blind(self, why: str) -> None:
        if bool(why) is not self._is_blind:
            self._is_blind = bool(why)
            self._say("blind" if why else "sighted", {"detail": why})

    def _tell_change(self, before: Opinion, after: Opinion) -> None:
        if before.judgement is after.judgement:
            return
        if after.judgement is Judgement.SUSPECT:
            self._say("suspects", {"why": after.why})
        elif after.judgement is Judgement.HEALTHY:
            self._say("calm", {})

    # --- acting -------------------------------------------------------------------------------------

    async def _strike(self, halt: Halt) -> None:
        self._say("strikes", {"why": halt.reason})
        try:
            proof = await self._hands.take_over(halt, self._patience_s)
        except (VenueError, JournalFailed) as error:
            if is_fatal(error):
                raise
            self._say("not_flat", {"detail": str(error)})
        else:
            self._say("flat" if proof.is_flat else "not_flat", _fields(proof))
        self._opinion, self._looked_ms = FINE, self._now_ms()
        self._flat_looks_ms = int(LOOK_S * 1000)

    async def _keep_flat(self, halt: Halt, now_ms: int) -> None:
        """Under a marker of ours nothing may be held: an order that was on its way is undone too.

        A marker somebody made by hand stops the engine, and is no order to close anything.
        """
        self._opinion = FINE
        if halt.by not in REDUCERS or now_ms - self._looked_ms < self._flat_looks_ms:
            return
        self._looked_ms = now_ms
        self._flat_looks_ms = min(2 * self._flat_looks_ms, int(FLAT_LOOK_S * 1000))
        try:
            proof = await self._hands.prove()
        except (VenueError, JournalFailed) as error:
            if is_fatal(error):
                raise
            self._blind(str(error))
            return
        self._blind("")
        if not proof.is_flat:
            await self._strike(halt)

    def _now_ms(self) -> int:
        return int(self._monotonic() * 1000)


def booked_of(beat: Beat) -> Booked:
    owned = {h.instrument: Owned(h.spot_base, h.contracts) for h in beat.hedges}
    return Booked("heartbeat", beat.epoch, owned, beat.booked_ms, frozenset(beat.fills))


def is_naked(stock: Stock) -> bool:
    """Legs unequal by more than an order can mend, and by more than a hundredth of the hedge."""
    hedge = max(stock.spot, stock.pair.swap.to_base(stock.short))
    return abs(stock.delta) >= max(stock.tolerance, NAKED_SHARE * hedge)


def _fields(proof: Proof) -> dict[str, Any]:
    words = "; ".join((proof.in_words(), *proof.remarks))
    return {"detail": words, "orders": proof.orders, "proof": proof.as_json()}


# --- the process ----------------------------------------------------------------------------------------


def watch(options: RunOptions, after_ms: int | None) -> int:
    """Run until a signal comes; return the exit code.

    Raises UsageError, SelfCheckRefused for a key that may withdraw or may not trade, EngineError.
    """
    if options.mode is Mode.DRY_RUN:
        raise UsageError("--mode dry-run has no orders at the venue: live or demo is allowed")
    if options.mode is Mode.DEMO and options.venue is None:
        raise UsageError("--mode demo needs --venue: a demo's own venue ends with its daemon")
    settings, secrets = load(options.config), load_secrets()
    if options.mode is Mode.LIVE and (missing := secrets.missing(settings, trading=True)):
        raise UsageError(f"--mode live needs {', '.join(missing)} in the environment, in .env or as *_FILE")
    return asyncio.run(_main(options, settings, secrets, after_ms))


async def _main(options: RunOptions, settings: Settings, secrets: Secrets, after_ms: int | None) -> int:
    folder = options.data or DATA / options.mode.value
    clock, limits = SystemClock(), settings.risk.watchdog
    redact = Redactor(secrets.values())
    base_url = options.venue.rstrip("/") if options.venue else None
    endpoints, credentials = door_of(options, settings, secrets, base_url)
    ids = ReducerIds(next_epoch(0, clock.now_ms()), os.getpid())
    hands = Hands(endpoints, credentials, settings, folder, clock, ids, still_of(base_url))
    notifier = QueueNotifier(
        channels_of(settings.monitor, secrets),
        clock,
        settings.monitor.language,
        redact,
        None if options.json else lambda _, __, text: print(text, flush=True),
        habits=habits_of(settings.monitor),
        keepsake=Keepsake(folder / f"{NAME}_messages.json"),
    )
    after_s = after_ms / 1000 if after_ms is not None else float(limits.after_s)
    patience = Patience(
        int(after_s * 1000),
        int(max(after_s, float(limits.after_exit_s)) * 1000),
        int(limits.max_clock_offset_s * 1000),
    )
    voice = Voice(notifier, clock, sys.stdout if options.json else None)
    dog = Watchdog(folder, hands, patience, float(limits.patience_s), clock, voice.say)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    notifier.start()
    try:
        await _checked(hands, clock, voice, over)
        voice.say("watches", {"folder": str(folder), "after_s": f"{after_s:g}"})
        ends = {asyncio.create_task(dog.run()), asyncio.create_task(over.wait())}
        done, waiting = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()
    finally:
        await hands.close()
        await notifier.stop()
    return 0


async def _checked(hands: Hands, clock: Clock, voice: Voice, over: asyncio.Event) -> None:
    """Refuse a key that may too much or too little. A venue that does not answer yet is waited for."""
    while not over.is_set():
        try:
            await hands.venue_now_ms()
            await hands.check_key()
        except VenueError as error:
            if is_fatal(error):
                raise
            voice.say("blind", {"detail": str(error)})
            await clock.sleep(LOOK_S)
        else:
            return


class Voice:
    """Tells people through the notifier, and programs one JSON object a line."""

    LEVELS: Final = {
        "watches": "info",
        "calm": "info",
        "sighted": "info",
        "flat": "warning",
        "suspects": "warning",
        "blind": "warning",
    }

    def __init__(self, notifier: Notifier, clock: Clock, out: Any) -> None:
        self._notifier, self._clock, self._out = notifier, clock, out

    def say(self, event: str, fields: dict[str, Any]) -> None:
        if self._out is not None:
            line = {"event": event, "at_ms": self._clock.now_ms(), **fields}
            print(json.dumps(line), file=self._out, flush=True)
        self._notifier.tell(f"watchdog.{event}", self.LEVELS.get(event, "critical"), fields)
