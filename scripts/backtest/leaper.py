"""Leaps over what the vigil vouches for, and books what the venue charges on the way.

The venue stops at every settlement and charges it as ever. Its bill becomes a row with the time of the
hourly review that would have fetched it, and equity is written as that review would have written it. Reviews
without a settlement leave a row only where the books need it: where equity is at its highest, and the last of
them. Open interest is sampled as long back as anybody looks. So the books at the end of a leap are those of
an engine that had looked all the time, and found nothing to do.

Needs numpy, which the engine does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Protocol

import numpy as np

from core.context import Context, HedgeView
from core.events import State
from core.types import DAY_MS, HOUR_MS, BillKind
from exchange.direct import words
from exchange.direct.stores import DirectMarkets
from exchange.sim.exchange import Exchange
from exchange.sim.model import AccountState, BillRow
from scripts.backtest.operator import Operator
from scripts.backtest.vigil import Outlook
from scripts.compose import App
from strategy.forecast_range import Floats, Ints

REVIEW_MS: Final = 20_000  # after the full hour, core/scheduler.py
SETTLE_MS: Final = 30_000  # after a settlement
ROUND_MS: Final = 45_000  # so long reviews and settlements take that begin with a full hour, or a charge
END_MS: Final = HOUR_MS  # before the end of the data the engine is there
QUIET: Final = frozenset({State.IDLE, State.RUNNING, State.STOPPED})
STANDING: Final = frozenset({"breaker", "maintenance"})  # causes the vigil knows of
TIE: Final = 1e-8  # USDT: what floats may be off


class Soil(Protocol):
    """What equity on the way is made of, of one coin; terrain.Ground says more."""

    @property
    def paid_ms(self) -> Ints: ...

    @property
    def paid(self) -> Floats: ...

    @property
    def ticks(self) -> float: ...

    def spot_at(self, at_ms: Ints) -> Floats: ...

    def mark_at(self, at_ms: Ints) -> Floats: ...


class Land(Protocol):
    """What a leap is measured on; terrain.Terrain says more."""

    @property
    def end_of_data_ms(self) -> int: ...

    @property
    def grounds(self) -> Mapping[str, Soil]: ...

    def is_closed(self, at_ms: int) -> bool: ...


class Watcher(Protocol):
    """Who vouches that nothing can happen (vigil.Vigil, for the main strategy)."""

    def outlook(self, ctx: Context, limit_ms: int) -> Outlook: ...

    def unmoved_until_ms(self, ctx: Context) -> int: ...


class Leaper:
    """One engine's; `engage` hands it in once it is composed.

    looks_back_ms  how long before its end somebody may look back at open interest.
    """

    def __init__(
        self,
        venue: Exchange,
        account: AccountState,
        terrain: Land,
        vigil: Watcher,
        operator: Operator | None = None,
        looks_back_ms: int = DAY_MS + 2 * HOUR_MS,
    ) -> None:
        self._operator = operator or Operator(None)
        self._looks_back_ms = looks_back_ms
        self._venue, self._account = venue, account
        self._terrain, self._vigil = terrain, vigil
        self._end_ms = terrain.end_of_data_ms - END_MS
        self._app: App | None = None
        self._retry_ms = 0
        self._known: tuple[object, ...] = ()
        self._unmoved_ms = 0  # what is known then can be woken by no push before
        self.leapt_ms = 0  # where the last leap ended
        self.leaps = 0

    def engage(self, app: App) -> None:
        """From now on this engine is watched."""
        self._app = app

    def leap(self) -> bool:
        """Called when everything waits for time to pass. True when time has passed."""
        app, now_ms = self._app, self._venue.now_ms
        if app is None or now_ms >= self._end_ms or not self._is_quiet(app):
            return False
        known = self._knowledge(app)
        if known == self._known and now_ms < self._retry_ms:
            return False
        ctx = app.engine.glance()
        if now_ms % HOUR_MS < ROUND_MS or not self._is_understood(ctx):
            return False
        self._unmoved_ms = self._vigil.unmoved_until_ms(ctx)
        outlook = self._vigil.outlook(ctx, self._limit_ms(app, ctx))
        self._known, self._retry_ms = known, outlook.retry_ms
        if outlook.until_ms <= now_ms:
            return False
        self._go(app, ctx, outlook.until_ms)
        return True

    def hears(self) -> bool:
        """Whether what the account is worth now could wake the engine; else nobody has to be told."""
        app = self._app
        if app is None or self._venue.now_ms >= self._unmoved_ms or not self._is_quiet(app):
            return True
        return self._knowledge(app) != self._known

    @staticmethod
    def _knowledge(app: App) -> tuple[object, ...]:
        """What an outlook holds for: another state, trade, transfer or cause makes another one."""
        books = app.books
        causes = tuple(app.permissions.causes)
        return (app.engine.state, len(books.ledger.trades), len(books.transfers), causes)

    def _limit_ms(self, app: App, ctx: Context) -> int:
        """The end of the data, or what is known to come before: the operator; or the next review while it has
        a bill to book that changes the books, as what a trade was is in them with its fill, but money moved
        comes with the bill."""
        limits = [self._end_ms]
        if (due_ms := self._operator.due_ms(ctx)) is not None:
            limits.append(due_ms)
        if any(words.bill(row).kind is not BillKind.TRADE for row in self._unseen(app)):
            limits.append((self._venue.now_ms // HOUR_MS + 1) * HOUR_MS)
        return min(limits)

    # --- whether --------------------------------------------------------------------------------

    def _is_quiet(self, app: App) -> bool:
        """Nothing is decided, done or waited for."""
        engine, world = app.engine, self._venue.world
        return (
            engine.state in QUIET
            and engine.totals.scans > 0
            and not engine.has_work
            and not app.bookkeeper.awaits_bills
            and not app.books.pending_transfer
            and not world.owners
            and not world.waiting
            and not world.under_way
            and not world.moving
            and not world.frozen
            and not app.dead_man.is_armed
            and STANDING.issuperset(app.permissions.causes)
        )

    def _is_understood(self, ctx: Context) -> bool:
        """What is held is as it should be, and nothing is pending."""
        if ctx.unexplained or ctx.stopping or ctx.repairs or ctx.unresolved_orders or ctx.doubtful:
            return False
        if "maintenance" in ctx.causes and not self._terrain.is_closed(ctx.now_ms):
            return False
        if not ctx.open_hedges:
            return True
        return ctx.state is State.RUNNING and all(
            hedge.target_base > 0
            and not self._charged(hedge, ctx.now_ms - ROUND_MS, ctx.now_ms + 1)
            and abs(hedge.net_delta) < ctx.markets[hedge.instrument].pair.swap.step
            and ctx.markets[hedge.instrument].is_quoted
            for hedge in ctx.open_hedges
        )

    # --- how ------------------------------------------------------------------------------------

    def _go(self, app: App, ctx: Context, until_ms: int) -> None:
        assert isinstance(app.markets, DirectMarkets)
        stops = self._stops(app, ctx, until_ms)
        charged = set(stops)
        for hedge in ctx.open_hedges:
            charged.update(self._charged(hedge, ctx.now_ms, until_ms))
        sampled_ms = until_ms - self._looks_back_ms
        for at_ms in (*stops, until_ms):
            while self._venue.now_ms < at_ms:
                self._venue.leap(at_ms)
                if self._venue.now_ms in charged:
                    self._book_bills(app)
            if at_ms == until_ms:
                break
            self._write_equity(app, at_ms)
            if at_ms >= sampled_ms:
                self._venue.leap(at_ms + REVIEW_MS)
                for name in app.markets.names:
                    swap = self._venue.markets[f"{name}-SWAP"]
                    app.markets.on_open_interest(name, swap.open_interest * swap.instrument.ct_val)
        self._venue.outbox.clear()
        self.leapt_ms = until_ms
        self.leaps += 1

    def _charged(self, hedge: HedgeView, begin_ms: int, end_ms: int) -> list[int]:
        """When a hedge is charged from one instant to another."""
        paid_ms = self._terrain.grounds[hedge.instrument].paid_ms
        first, last = np.searchsorted(paid_ms, (begin_ms, end_ms), side="left")
        return [int(at_ms) for at_ms in paid_ms[first:last]]

    def _unseen(self, app: App) -> list[BillRow]:
        """Bills the books do not have yet, oldest first."""
        fresh = []
        for row in reversed(self._account.bills):
            if app.books.has_bill(row.bill_id):
                break
            fresh.append(row)
        return fresh[::-1]

    def _book_bills(self, app: App) -> None:
        """What the next errand would have fetched: a review's at a full hour, else a settlement's."""
        now_ms = self._venue.now_ms
        at_ms = now_ms + (SETTLE_MS if now_ms % HOUR_MS else REVIEW_MS)
        for row in self._unseen(app):
            app.bookkeeper.book_bill(words.bill(row), row.inst_id.removesuffix("-SWAP"), at_ms)

    def _write_equity(self, app: App, hour_ms: int) -> None:
        prices = {name: self._prices(name) for name in app.markets.names}
        app.bookkeeper.book_equity(prices, hour_ms + REVIEW_MS)

    def _prices(self, name: str) -> tuple[Decimal, Decimal]:
        """Spot mid and swap mark, as a view would show them."""
        book, swap = self._venue.world.markets[name].book, self._venue.world.markets[f"{name}-SWAP"]
        bid, ask = book.best("buy"), book.best("sell")
        assert bid is not None and ask is not None, "nobody has eaten a book within a leap"
        return (bid + ask) / 2, swap.mark_px

    def _stops(self, app: App, ctx: Context, until_ms: int) -> list[int]:
        """The full hours after which a row is written: those of settlements, of the highest equity, of the
        last reviews."""
        first = (ctx.now_ms // HOUR_MS + 1) * HOUR_MS
        hours = np.arange(first, until_ms - REVIEW_MS, HOUR_MS, dtype=np.int64)
        if not len(hours):
            return []
        chosen = hours >= min(int(hours[-1]), until_ms - self._looks_back_ms)
        chosen[0] |= bool(self._unseen(app))
        for hedge in ctx.open_hedges:
            paid_ms = np.array(self._charged(hedge, first, int(hours[-1]) + 1), dtype=np.int64)
            chosen[(paid_ms[paid_ms % HOUR_MS == 0] - first) // HOUR_MS] = True
        equity, room = self._equity(app, ctx, hours)
        top = float(equity.max())
        if room and top > float(ctx.breaker.peak_equity) - room:
            chosen |= equity >= top - room
        return [int(hour) for hour in hours[chosen]]

    def _equity(self, app: App, ctx: Context, hours: Ints) -> tuple[Floats, float]:
        """Equity at each full hour, and how far prices not rounded to ticks may have put it off; 0 where it
        stands still, and the last row is as high as any."""
        equity: Floats = np.full(len(hours), float(ctx.equity))
        room, ledger = 0.0, app.books.ledger
        for name, tally in ledger.tallies.items():
            market, ground = ctx.markets.get(name), self._terrain.grounds.get(name)
            position = ledger.positions.get(name)
            coins, short = float(tally.spot_base), -float(position.base) if position else 0.0
            if market is None or ground is None or not (coins or short):
                continue
            assert market.spot is not None and market.mark_px is not None  # the market is quoted
            lo = int(np.searchsorted(ground.paid_ms, ctx.now_ms, side="right"))
            to = np.searchsorted(ground.paid_ms, hours, side="right")
            paid = np.concatenate(([0.0], np.cumsum(ground.paid[lo:])))[np.maximum(to - lo, 0)]
            equity += coins * (ground.spot_at(hours) - float(market.spot.mid))
            equity += short * (paid - ground.mark_at(hours) + float(market.mark_px))
            room += (abs(coins) + abs(short)) * ground.ticks + TIE
        return equity, room
