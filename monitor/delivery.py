"""Getting messages out: a bounded outbox, a courier per channel, and the thread they work in.

The thread has an event loop on real time. The engine's own loop may run on a venue's accelerated clock,
where "try again in 30 s" would pass in milliseconds and a timeout would fire before the answer; and a
slow name server or a dead chat service must not cost the engine a millisecond.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from monitor.habits import Habits, digest, shown
from monitor.keepsake import Keepsake
from monitor.outbox import Message, Outbox, reaches
from monitor.redaction import Redactor

log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]

FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 60.0
OPEN_AFTER = 5  # failures in a row that open the circuit
KEEP_EVERY_S = 0.5  # what waits is written down at most so often
LOOK_EVERY_S = 60.0  # whether it is still quiet: a clock may have been put right


def real_ms() -> int:
    """Real UTC: ages and quiet hours are those of people, whatever clock the engine lives by."""
    return time.time_ns() // 1_000_000


class ChannelBusy(Exception):
    """Not delivered: the service asks to wait `retry_after_s`."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"asked to wait {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class ChannelDown(Exception):
    """Perhaps not delivered: no usable answer. Worth another try."""


class ChannelRefused(Exception):
    """Not delivered and never will be: wrong token, unknown chat, text not accepted."""


class Channel(Protocol):
    """One place messages go to. `pace_s` is the least time between two sends."""

    @property
    def name(self) -> str: ...

    @property
    def pace_s(self) -> float: ...

    @property
    def max_chars(self) -> int: ...

    async def send(self, text: str, level: str) -> None:
        """Deliver one text within seconds, or raise ChannelBusy, ChannelDown or ChannelRefused.

        level  of the most urgent message in it.
        """
        ...

    async def close(self) -> None: ...


class Courier:
    """Carries one outbox to one channel: pace, backoff, the service's own waiting time, circuit, quiet."""

    def __init__(
        self,
        channel: Channel,
        redact: Redactor,
        sleep: Sleep = asyncio.sleep,
        habits: Habits | None = None,
        wall_ms: Callable[[], int] = real_ms,
    ) -> None:
        self.channel, self.outbox = channel, Outbox()
        self.delivered = self.undelivered = self.failures = 0
        self.news = asyncio.Event()
        self.closing = False
        self.on_change: Callable[[], None] = lambda: None
        self._redact, self._sleep, self._wall_ms = redact, sleep, wall_ms
        self._habits = habits or Habits()
        self._least = self._habits.least.get(channel.name, "info")
        self._may_send_s = 0.0  # loop time before which the channel's pace forbids another send
        self._in_hand: tuple[Message, ...] = ()
        self._held_back = False  # through quiet hours: what waits comes as one digest

    @property
    def is_open(self) -> bool:
        """The circuit is open: deliveries keep failing, only a probe a minute is made."""
        return self.failures >= OPEN_AFTER

    def put(self, message: Message) -> None:
        if not reaches(message.level, self._least):
            return
        if self.closing:
            self._give_up((message,), "the engine is stopping")
        elif given := self.outbox.put(message):
            self._give_up((given,), "the queue is full")

    def important(self) -> tuple[Message, ...]:
        """What is not delivered yet and must not be lost by a restart."""
        return tuple(m for m in (*self._in_hand, *self.outbox.waiting()) if reaches(m.level, "warning"))

    async def serve(self) -> None:
        """Deliver whatever comes, until closing and empty."""
        while True:
            await self.deliver()
            if self.closing:
                return
            await self._wait()
            self.news.clear()

    async def _wait(self) -> None:
        """For news; while something is held back also for the end of the quiet."""
        if not self._held_back:
            await self.news.wait()
            return
        quiet_s = min(LOOK_EVERY_S, self._quiet_ms() / 1000)
        waits = [asyncio.ensure_future(wait) for wait in (self.news.wait(), self._sleep(quiet_s))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def deliver(self) -> None:
        """Send until nothing waits that may go. A channel that fails is waited for, never given up on."""
        loop = asyncio.get_running_loop()
        while self._may_go():
            if (early_s := self._may_send_s - loop.time()) > 0:
                await self._sleep(early_s)
            pause_s = await self._send(*self._take())
            self._may_send_s = loop.time() + self.channel.pace_s
            self.on_change()
            if pause_s:
                await self._sleep(pause_s)

    def _quiet_ms(self) -> int:
        quiet = self._habits.quiet
        return quiet.left_ms(self._wall_ms()) if quiet is not None else 0

    def _may_go(self) -> bool:
        if not self._quiet_ms():
            return bool(len(self.outbox))
        urgent = bool(self.outbox.waiting("critical"))
        self._held_back = self._held_back or (len(self.outbox) > 0 and not urgent)
        return urgent

    def _take(self) -> tuple[tuple[Message, ...], str]:
        """The next batch and its text."""
        most, now_ms = self.channel.max_chars, self._wall_ms()

        def say(message: Message) -> str:
            return shown(message, now_ms, self._habits.language)

        if self._quiet_ms():
            batch = self.outbox.take(most, "critical")
        elif self._held_back and not self.outbox.waiting("critical"):
            batch = self.outbox.take_all()
            return batch, digest(batch, most, self._habits.language, say)
        else:
            batch = self.outbox.take(most, "critical" if self._held_back else "info")
        return batch, "\n".join(map(say, batch))

    async def _send(self, batch: tuple[Message, ...], text: str) -> float:
        # Returns how long to wait before trying again, 0 when this batch is done with.
        self._in_hand = batch
        try:
            await self.channel.send(text[: self.channel.max_chars], batch[0].level)
        except ChannelRefused as error:
            self.failures += 1
            self._give_up(batch, str(error))
            self._done_with(batch)
            return 0
        except ChannelBusy as error:
            self.outbox.put_back(batch)
            return error.retry_after_s
        except asyncio.CancelledError:
            self.outbox.put_back(batch)
            raise
        except Exception as error:  # noqa: BLE001  # also what a library raises that its channel forgot
            self.outbox.put_back(batch)
            self.failures += 1
            if self.failures in (1, OPEN_AFTER):  # the first failure and the verdict, not every probe
                self._log(logging.WARNING, "channel_down", f"failures={self.failures} error={error!r}")
            return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** (self.failures - 1))
        finally:
            self._in_hand = ()
        self.failures = 0
        self.delivered += len(batch)
        self._done_with(batch)
        return 0

    def _done_with(self, batch: Sequence[Message]) -> None:
        # Through quiet hours only critical ones leave; with any other the digest is out.
        self._held_back = self._held_back and all(m.level == "critical" for m in batch)

    def give_up_rest(self, is_kept: bool = False) -> None:
        """Count and log whatever still waits: the process ends. What is kept the next one delivers."""
        for message in self.outbox.take_all():
            if is_kept and reaches(message.level, "warning"):
                self._log(logging.INFO, "message_kept", f"text={message.text!r}")
            else:
                self._give_up((message,), "the engine stopped first")

    async def close(self) -> None:
        try:
            await self.channel.close()
        except Exception as error:  # noqa: BLE001  # the process ends; there is nothing to save here
            self._log(logging.WARNING, "channel_close_failed", f"error={error!r}")

    def _give_up(self, batch: Sequence[Message], why: str) -> None:
        self.undelivered += len(batch)
        for message in batch:
            level = logging.ERROR if message.level == "critical" else logging.WARNING
            self._log(level, "message_undelivered", f"reason={why!r} text={message.text!r}")

    def _log(self, level: int, event: str, rest: str) -> None:
        log.log(level, "%s", self._redact(f"{event} channel={self.channel.name} {rest}"))


class PostOffice:
    """The thread the couriers work in. Started and stopped once.

    keepsake  where what matters is written down until it is delivered.
    """

    def __init__(self, couriers: Sequence[Courier], keepsake: Keepsake | None = None) -> None:
        self._couriers, self._keepsake = couriers, keepsake
        self._thread = threading.Thread(target=self._open, name="notifier", daemon=True)
        self._started = threading.Event()
        self._closing, self._changed = asyncio.Event(), asyncio.Event()
        self._patience_s = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        for courier in couriers:
            courier.on_change = self._changed.set

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def wake(self) -> None:
        """There is news in the outboxes. Before the start and after the end nobody needs to hear it."""
        loop = self._loop  # the other thread may clear it meanwhile
        if loop is not None:
            loop.call_soon_threadsafe(self._ring)

    def stop(self, patience_s: float) -> None:
        """Let the couriers finish for at most `patience_s` real seconds. Blocks: call it from a thread."""
        if self._loop is None:
            for courier in self._couriers:
                courier.closing = True
            self._give_up_rest()
            return
        self._patience_s = patience_s
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _ring(self) -> None:
        self._changed.set()  # first, so that what matters is written down before it is on its way
        for courier in self._couriers:
            courier.news.set()

    def _open(self) -> None:
        asyncio.run(self._work())

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        keeping = asyncio.create_task(self._keep())
        rounds = [asyncio.create_task(courier.serve()) for courier in self._couriers]
        self._changed.set()
        self._started.set()
        await self._closing.wait()
        for courier in self._couriers:
            courier.closing = True
        self._ring()
        if rounds:
            await asyncio.wait(rounds, timeout=self._patience_s)
        for task in (*rounds, keeping):
            task.cancel()
        await asyncio.gather(*rounds, keeping, return_exceptions=True)
        self._give_up_rest()
        for courier in self._couriers:
            await courier.close()
        self._loop = None

    async def _keep(self) -> None:
        """Write down what matters whenever it changes."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._save()
            await asyncio.sleep(KEEP_EVERY_S)

    def _save(self) -> None:
        if self._keepsake is not None:
            self._keepsake.save({c.channel.name: c.important() for c in self._couriers})

    def _give_up_rest(self) -> None:
        self._save()
        for courier in self._couriers:
            courier.give_up_rest(is_kept=self._keepsake is not None)
