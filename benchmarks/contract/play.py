"""One run of the engine under the contract: production's state machine, guards, execution, journal and ledger
on the simulated venue, with the contract's rules in the place of the strategy.

    state machine, guard chain    every row an opening passes: venue, breaker, margin, funds, depth, red lines
    execution                     targets become orders, spot first; each order passes the red lines again
    journal, ledger, settlements  rows in SQLite; fills and the venue's own bills make the books
    venue                         order funds, matching, fees, positions, margin, liquidation, funding

The figures are the engine's: its fills, its funding bills, its fees. The venue's ledger is held against them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.contract.market import Bars, ContractMarket
from benchmarks.contract.oracle import Result
from benchmarks.contract.rules import BAR_MS, CASH, SUNK, ContractRules, settings_for
from core.context import Context
from core.events import Decision, On
from core.facts import Kind
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.types import ZERO
from exchange.sim.edits import Edits
from exchange.sim.exchange import Exchange
from exchange.sim.profile import VenueProfile
from monitor.summary import RunFacts
from scripts.backtest.command import FAST, FULL
from scripts.backtest.stage import ACCOUNT, play
from scripts.compose import App

FEES_IN_QUOTE: Final = "1"
# Takers get the close, charging takes no time, and nothing moves between two bars.
PROFILE: Final = VenueProfile(
    settlement_s=(0, 0), settlement_block=0.0, pulse_ms=BAR_MS, book_levels=1, flat_books=True
)
ENDED: Final = frozenset({On.OPENED, On.OPEN_FAILED, On.REBALANCED})


class Played(NamedTuple):
    """result       by the engine's books. Equity has swaps at their last price, as the contract wants it.
    venue_equity  the same by the venue's ledger; venue_fees what the venue earned.
    """

    result: Result
    venue_equity: Decimal
    venue_fees: Decimal
    facts: RunFacts
    run_s: float

    @property
    def complaints(self) -> tuple[str, ...]:
        """Where the engine's books and the venue's differ, and what else must not be."""
        pairs = (
            ("equity by the venue", self.venue_equity, self.result.equity),
            ("fees by the venue", self.venue_fees, self.result.fees),
            ("unexplained", self.facts.unexplained, ZERO),
            ("rejects", Decimal(self.facts.counts.rejects), ZERO),
            ("violations", Decimal(len(self.facts.violations)), ZERO),
        )
        return tuple(f"{name}: {found}, not {wanted}" for name, found, wanted in pairs if found != wanted)


def run(coins: Sequence[Bars], folder: Path, path: str = FULL) -> Played:
    """Play all bars; the journal lies in `folder` afterwards. Raises EngineError when a part failed.

    path  FULL: the engine looks at every bar; FAST: at those where its rules can decide something.
    """
    market = ContractMarket(coins)
    venue = Exchange(market, seed=7, profile=PROFILE)
    account = venue.accounts[ACCOUNT]
    Edits(venue).set_cash(account, "USDT", Decimal(CASH * len(coins)))
    venue.set_fee_type(account, FEES_IN_QUOTE)
    apps: list[App] = []
    leaper = None
    if path == FAST:
        from benchmarks.contract.fast import leaper_of  # needs numpy

        leaper = leaper_of(venue, account, coins)

    def on_app(app: App) -> None:
        apps.append(app)
        if leaper is not None:
            leaper.engage(app)
        app.engine.listeners.append(lambda ctx, decision: _look_again(app, ctx, decision))

    began_s = time.perf_counter()
    names = tuple(one.coin for one in coins)
    facts = play(venue, settings_for(names), folder, on_app, leaper=leaper, strategy=ContractRules())
    run_s = time.perf_counter() - began_s
    ledger = apps[0].books.ledger
    last = {coin: market.last(coin) for coin in names}
    result = Result(
        fills=len(ledger.trades),
        margin_exits=_sunk(folder),
        funding=sum((one.amount for one in ledger.settlements), ZERO),
        fees=sum((one.fee_usdt for one in ledger.trades), ZERO),
        equity=ledger.equity({f"{coin}-USDT": prices for coin, prices in last.items()}),
    )
    equity = account.trading["USDT"]
    for coin, (spot_px, _) in last.items():
        equity += account.trading.get(coin, ZERO) * spot_px
    for row in account.positions.values():
        if row.size:
            equity += row.size * (last[row.inst_id.partition("-")[0]][1] - row.avg_px)
    return Played(result, equity, venue.world.house.fees["USDT"], facts, run_s)


def _look_again(app: App, ctx: Context, decision: Decision) -> None:
    """A scan opens one hedge; the contract opens every pair of a settlement bar, so the engine scans on."""
    if decision.on in ENDED and any(
        market.settled and ctx.now_ms - market.settled[-1].ts_ms < BAR_MS for market in ctx.markets.values()
    ):
        app.engine.tick(On.SCAN, None)


def _sunk(folder: Path) -> int:
    """Hedges the journal says were closed for want of margin."""
    with JournalReader(folder / FILE_NAME) as reader:
        rows = reader.rows(Kind.HEDGE)
        return sum(row.body["event"] == "closed" and row.body["reason"] == SUNK for row in rows)
