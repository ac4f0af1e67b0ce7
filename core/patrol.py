"""Questions put to the venue now and then: what it does not push, and what somebody may have changed.

    every few minutes   its clock, its status page, what a USDT is worth
    every hour          account settings, leverage of what is held; at once when a refusal hints at a change
    every day           fee rates; at once after a fill whose fee does not fit

Answers are facts for the context; nothing is decided here. A question that fails is asked again next time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import replace
from decimal import Decimal
from statistics import mean, median
from typing import Final

from core.context import Rounds
from core.errors import VenueError
from core.facts import Kind, Row, plain
from core.observer import MarketStore
from core.ports import Clock, Journal, Market, Notifier, Trading
from core.projections import Books
from core.types import DAY_MS, HOUR_MS, ZERO, FeeRates, Leg, MaintenanceWindow, Pair

# Codes that hint at a changed account or contract: a parameter, the mode, positions in the way, steps
HINTS: Final = frozenset({"51000", "51010", "51019", "51039", "51121", "51020", "59000"})
DRIFT_WINDOW_MS: Final = 6 * HOUR_MS  # a shorter stretch cannot tell drift from jitter
DRIFT_SAMPLES: Final = 36
DRIFT_GAP_MS: Final = 20 * 60_000  # between two samples that are kept
STATUS_MS: Final = 30_000
FEE_SLACK: Final = Decimal("0.00002")  # of the trade's value: rounding of small fees


class Patrol:
    """Asks, and keeps the answers in `rounds` and `maintenance`.

    fees            rates by instrument, brought up to date in place.
    measure_offset  venue minus local time, ms, measured now.
    """

    def __init__(
        self,
        market: Market,
        trading: Trading,
        journal: Journal,
        books: Books,
        markets: MarketStore,
        fees: MutableMapping[str, FeeRates],
        clock: Clock,
        notifier: Notifier,
        measure_offset: Callable[[], Awaitable[int]],
        ask_every_s: int,
    ) -> None:
        self._market, self._trading, self._journal = market, trading, journal
        self._books, self._markets, self._fees = books, markets, fees
        self._clock, self._notifier, self._measure_offset = clock, notifier, measure_offset
        self._every_ms = ask_every_s * 1000
        self._offsets: deque[tuple[int, int]] = deque(maxlen=DRIFT_SAMPLES)
        self._asked_ms = self._status_asked_ms = self._account_asked_ms = self._fees_asked_ms = 0
        self._account_doubted = self._fees_doubted = False
        self._unanswered: set[str] = set()
        self.rounds = Rounds()
        self.maintenance: tuple[MaintenanceWindow, ...] = ()

    # --- what is heard meanwhile ----------------------------------------------------------------

    def on_row(self, row: Row) -> None:
        """A listener of the journal: refusals and fees tell of changes before the next round would."""
        if row.kind is Kind.ACK and row.body.get("code") in HINTS:
            self._account_doubted = True
        elif row.kind is Kind.FILL and row.body["fill"]["cl_id"] and not self._fee_fits(row.body):
            self._fees_doubted = True

    def note_rules(self, before: Pair, after: Pair) -> None:
        """Rules of a pair were read again: a change of the contract of what is held is remembered."""
        hedge = self._books.hedge(after.name)
        if hedge is None or not hedge.contracts:
            return
        old, new = before.swap, after.swap
        changes = [
            f"{name} {was:f} -> {now:f}"
            for name, was, now in (
                ("ctVal", old.ct_val, new.ct_val),
                ("lotSz", old.lot, new.lot),
                ("minSz", old.min_size, new.min_size),
                ("tickSz", old.tick, new.tick),
            )
            if was != now
        ]
        if changes:
            said = "; ".join(changes)
            self.rounds = replace(self.rounds, new_rules={**self.rounds.new_rules, after.name: said})
            self._note("contract changed", {"instrument": after.name, "detail": said})

    def accept(self) -> None:
        """The operator has seen it: what the account is now is what it should be."""
        self.rounds = replace(self.rounds, agreed=self.rounds.config, new_rules={})
        self._account_doubted = True

    # --- asking ---------------------------------------------------------------------------------

    async def go(self, now_ms: int, every_ms: int | None = None) -> None:
        """Ask whatever is due. `every_ms`: a shorter pace than the configured one, while something ails."""
        if now_ms - self._asked_ms >= min(every_ms or self._every_ms, self._every_ms):
            is_first, self._asked_ms = not self._asked_ms, now_ms
            if not is_first:  # at the start the clock has just been measured
                await self._try(self._ask_clock)
            await self._try(self._ask_status)
            await self._try(self._ask_dollar)
        account_every_ms = min(every_ms or HOUR_MS, HOUR_MS)  # what ails may be the key
        if self._account_doubted or now_ms - self._account_asked_ms >= account_every_ms:
            self._account_doubted, self._account_asked_ms = False, now_ms
            await self._try(self._ask_account)
        if self._fees_doubted or now_ms - self._fees_asked_ms >= DAY_MS:
            self._fees_doubted, self._fees_asked_ms = False, now_ms
            await self._try(self._ask_fees)

    async def ask_status(self, now_ms: int) -> None:
        """Only the status page, twice a minute: what may still be asked during maintenance."""
        if now_ms - self._status_asked_ms >= STATUS_MS:
            self._status_asked_ms = now_ms
            await self._try(self._ask_status)

    async def _try(self, question: Callable[[], Awaitable[None]]) -> None:
        name = question.__name__.strip("_")
        try:
            await question()
        except VenueError as error:
            if name not in self._unanswered:
                self._note("question failed", {"question": name, "detail": str(error)})
            self._unanswered.add(name)
        else:
            self._unanswered.discard(name)

    async def _ask_clock(self) -> None:
        offset_ms, now_ms = await self._measure_offset(), self._clock.now_ms()
        if not self._offsets or now_ms - self._offsets[-1][0] >= DRIFT_GAP_MS:
            self._offsets.append((now_ms, offset_ms))
            self.rounds = replace(self.rounds, drift_ms_day=drift_of(self._offsets))

    async def _ask_status(self) -> None:
        self.maintenance = await self._market.maintenance()

    async def _ask_dollar(self) -> None:
        self.rounds = replace(self.rounds, usdt_usd=await self._market.usdt_usd())

    async def _ask_account(self) -> None:
        config = await self._trading.account_config()
        self.rounds = replace(self.rounds, config=config, agreed=self.rounds.agreed or config)
        leverage = {}
        for name in self._markets.names:
            hedge = self._books.hedge(name)
            if hedge is not None and hedge.contracts:
                swap = self._markets.pair(name).swap
                leverage[swap.inst_id] = await self._trading.leverage(swap.inst_id)
        self.rounds = replace(self.rounds, leverage=leverage)

    async def _ask_fees(self) -> None:
        for name in self._markets.names:
            fresh = await self._trading.fee_rates(self._markets.pair(name))
            known = self._fees.get(name)
            if fresh == known:
                continue
            self._fees[name] = fresh
            body = {"instrument": name, "was": plain(known) if known else None, "rates": plain(fresh)}
            self._note("fees changed", body)
            detail = f"{name}: spot {fresh.spot_taker:f}, swap {fresh.swap_taker:f}"
            self._notifier.tell("trouble", "warning", {"what": "fees changed", "detail": detail})

    # --- helpers --------------------------------------------------------------------------------

    def _fee_fits(self, body: Mapping[str, object]) -> bool:
        """Whether a fill's fee is one of the rates known for its market."""
        fill, known = body["fill"], self._fees.get(str(body["instrument"]))
        if known is None or not isinstance(fill, Mapping):
            return True
        size, px, fee = (Decimal(fill[name]) for name in ("size", "px", "fee"))
        coins = size * Decimal(str(body["ct_val"]))
        value = coins if fill["fee_ccy"] == str(body["instrument"]).partition("-")[0] else coins * px
        if fill["fee_ccy"] not in ("USDT", str(body["instrument"]).partition("-")[0]) or value <= ZERO:
            return True  # in a third coin: its rate cannot be told from the amount
        rates = (
            (known.spot_maker, known.spot_taker)
            if body["leg"] == Leg.SPOT.value
            else (known.swap_maker, known.swap_taker)
        )
        return any(abs(-fee / value - rate) <= FEE_SLACK for rate in rates)

    def _note(self, what: str, body: Mapping[str, object]) -> None:
        self._journal.append(Kind.NOTE, self._clock.now_ms(), {"what": what, **body})


def drift_of(offsets: deque[tuple[int, int]]) -> Decimal | None:
    """How fast the offset grows, ms a day, between the medians of the older and the newer half of the
    samples; None before the samples span six hours."""
    if len(offsets) < 4 or offsets[-1][0] - offsets[0][0] < DRIFT_WINDOW_MS:
        return None
    rows, half = list(offsets), len(offsets) // 2
    older, newer = rows[:half], rows[-half:]
    grown_ms = median(offset for _, offset in newer) - median(offset for _, offset in older)
    apart_ms = mean(at for at, _ in newer) - mean(at for at, _ in older)
    return Decimal(round(grown_ms * DAY_MS / apart_ms))
