"""Looks at every account push: cheap, because pushes are many. Guards and planners judge what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from config.schema import Settings
from core.adl import AdlQueue
from core.facts import Kind
from core.naked import NakedTimes
from core.ports import Clock, Journal
from core.types import ZERO, AccountSnapshot, Pair
from execution.holdings import Holdings, Legs, held_of


class Wakes(Protocol):
    """The part of the engine that is told (core.engine.Engine fits)."""

    def account_changed(self) -> None: ...

    def holdings_differ(self) -> None: ...


class AccountWatch:
    """Wakes the engine when a push shows a low margin ratio, a leg smaller than the books have it, or a
    short that is first in line for forced deleveraging. Implements core.ports.AccountSink."""

    def __init__(
        self,
        settings: Settings,
        books: Holdings,
        pairs: Mapping[str, Pair],
        engine: Wakes,
        naked: NakedTimes,
        queue: AdlQueue,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._floor = settings.risk.margin.rebalance_below
        self._books, self._pairs, self._engine = books, pairs, engine
        self._naked, self._queue = naked, queue
        self._journal, self._clock = journal, clock

    def on_account(self, snapshot: AccountSnapshot) -> None:
        differs = [self._look(name, pair, snapshot) for name, pair in self._pairs.items()]
        if any(differs):
            self._engine.holdings_differ()
            return
        is_low = self._is_low(snapshot)
        if self._queue.see(snapshot) or is_low:
            self._engine.account_changed()

    def _look(self, name: str, pair: Pair, snapshot: AccountSnapshot) -> bool:
        """Whether the account has less of a hedge than the books; how long that lasts is measured."""
        hedge = self._books.hedge(name)
        booked = Legs(pair, hedge.spot_base, hedge.contracts) if hedge else Legs(pair)
        real = held_of(booked, snapshot) if hedge else booked
        lacks = real != booked
        note = self._naked.suspect(
            name, abs(real.gap) if lacks and not real.balanced else ZERO, self._clock.now_ms()
        )
        if note is not None:
            self._journal.append(Kind.NOTE, self._clock.now_ms(), note)
        return lacks and (real.contracts < booked.contracts or booked.spot - real.spot >= real.tolerance)

    def _is_low(self, snapshot: AccountSnapshot) -> bool:
        notional = ZERO
        for pair in self._pairs.values():
            position = snapshot.positions.get(pair.swap.inst_id)
            if position is not None:
                notional += abs(pair.swap.to_base(position.contracts)) * position.mark_px
        usdt = snapshot.balances.get("USDT")
        backing = snapshot.adjusted_equity_usd or (usdt.equity if usdt else ZERO)
        return bool(notional) and backing < self._floor * notional
