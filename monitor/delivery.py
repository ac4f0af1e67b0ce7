"""Getting messages out: a bounded outbox, a courier per channel, and the thread they work in.

The thread has an event loop on real time. The engine's own loop may run on a venue's accelerated clock,
where "try again in 30 s" would pass in milliseconds and a timeout would fire before the answer; and a
slow name server or a dead chat service must not cost the engine a millisecond.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from monitor.redaction import Redactor

log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]

LEVELS: Final = ("critical", "warning", "info")  # most urgent first

CAPACITY = 200  # messages waiting per channel
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 60.0
OPEN_AFTER = 5  # failures in a row that open the circuit


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

    async def send(self, text: str) -> None:
        """Deliver one text within seconds, or raise ChannelBusy, ChannelDown or ChannelRefused."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Message:
    level: str  # one of LEVELS
    text: str


@dataclass(slots=True)
class Outbox:
    """Messages waiting for one channel, the most urgent first. Thread-safe, bounded, never blocks."""

    capacity: int = CAPACITY
    _lanes: Mapping[str, deque[Message]] = field(default_factory=lambda: {x: deque() for x in LEVELS})
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def put(self, message: Message) -> Message | None:
        """Queue a message; return the one that had to give way, None while there is room.

        The oldest of the least urgent gives way. A full box of critical ones keeps what it has: the
        first of a series names the cause.
        """
        with self._lock:
            if len(self) < self.capacity:
                self._lanes[message.level].append(message)
                return None
            least = next(level for level in reversed(LEVELS) if self._lanes[level])
            if least == "critical" or LEVELS.index(message.level) > LEVELS.index(least):
                return message
            self._lanes[message.level].append(message)
            return self._lanes[least].popleft()

    def take(self, max_chars: int) -> tuple[Message, ...]:
        """Take what fits into one send: urgent first, in order of arrival, at least one if any wait."""
        batch: list[Message] = []
        room = max_chars
        with self._lock:
            for lane in self._lanes.values():
                while lane and (not batch or len(lane[0].text) < room):
                    room -= len(lane[0].text) + 1
                    batch.append(lane.popleft())
                if lane:
                    break  # what waits here is more urgent than anything behind it
        return tuple(batch)

    def put_back(self, batch: Sequence[Message]) -> None:
        """Return an undelivered batch to the front; it was inside the bound before."""
        with self._lock:
            for message in reversed(batch):
                self._lanes[message.level].appendleft(message)


class Courier:
    """Carries one outbox to one channel: pace, backoff, the service's own waiting time, circuit."""

    def __init__(self, channel: Channel, redact: Redactor, sleep: Sleep = asyncio.sleep) -> None:
        self.channel, self.outbox = channel, Outbox()
        self.delivered = self.undelivered = self.failures = 0
        self.news = asyncio.Event()
        self.closing = False
        self._redact, self._sleep = redact, sleep
        self._may_send_s = 0.0  # loop time before which the channel's pace forbids another send

    @property
    def is_open(self) -> bool:
        """The circuit is open: deliveries keep failing, only a probe a minute is made."""
        return self.failures >= OPEN_AFTER

    def put(self, message: Message) -> None:
        if self.closing:
            self._give_up((message,), "the engine is stopping")
        elif given := self.outbox.put(message):
            self._give_up((given,), "the queue is full")

    async def serve(self) -> None:
        """Deliver whatever comes, until closing and empty."""
        while True:
            await self.deliver()
            if self.closing:
                return
            await self.news.wait()
            self.news.clear()

    async def deliver(self) -> None:
        """Send until the outbox is empty. A channel that fails is waited for, never given up on."""
        loop = asyncio.get_running_loop()
        while len(self.outbox):
            if (early_s := self._may_send_s - loop.time()) > 0:
                await self._sleep(early_s)
            pause_s = await self._send(self.outbox.take(self.channel.max_chars))
            self._may_send_s = loop.time() + self.channel.pace_s
            if pause_s:
                await self._sleep(pause_s)

    async def _send(self, batch: Sequence[Message]) -> float:
        # Returns how long to wait before trying again, 0 when this batch is done with.
        try:
            text = "\n".join(message.text for message in batch)
            await self.channel.send(text[: self.channel.max_chars])
        except ChannelRefused as error:
            self.failures += 1
            self._give_up(batch, str(error))
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
        self.failures = 0
        self.delivered += len(batch)
        return 0

    def give_up_rest(self) -> None:
        """Count and log whatever still waits: the process ends."""
        while batch := self.outbox.take(self.channel.max_chars):
            self._give_up(batch, "the engine stopped first")

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
    """The thread the couriers work in. Started and stopped once."""

    def __init__(self, couriers: Sequence[Courier]) -> None:
        self._couriers = couriers
        self._thread = threading.Thread(target=self._open, name="notifier", daemon=True)
        self._started = threading.Event()
        self._closing = asyncio.Event()
        self._patience_s = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

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
                courier.give_up_rest()
            return
        self._patience_s = patience_s
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _ring(self) -> None:
        for courier in self._couriers:
            courier.news.set()

    def _open(self) -> None:
        asyncio.run(self._work())

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        rounds = [asyncio.create_task(courier.serve()) for courier in self._couriers]
        self._started.set()
        await self._closing.wait()
        for courier in self._couriers:
            courier.closing = True
        self._ring()
        await asyncio.wait(rounds, timeout=self._patience_s)
        for task in rounds:
            task.cancel()
        await asyncio.gather(*rounds, return_exceptions=True)
        for courier in self._couriers:
            courier.give_up_rest()
            await courier.close()
        self._loop = None
