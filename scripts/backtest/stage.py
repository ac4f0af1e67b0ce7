"""The engine on a venue in the same process, on virtual time: everything of production but the network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from config.schema import Settings
from core.clock import VirtualClock, VirtualLoop
from core.inline import open_in_line
from core.ports import OrderSink, Planner, Streams
from core.scheduler import WalkingTicker
from exchange.direct.desk import DirectTrading
from exchange.direct.line import DirectLine, DirectStreams, DirectTime
from exchange.direct.stores import DirectAccount, DirectMarkets
from exchange.direct.window import DirectMarket
from exchange.sim.exchange import Exchange
from monitor.summary import RunFacts
from scripts.backtest.operator import Operator
from scripts.compose import App
from scripts.ports import Ports, pairs_of
from scripts.session import Session

LINGER_S: Final = 3_600.0  # of venue time: nobody waits for a row, and a broken run is run again
LOOK_S: Final = 300.0  # every look stops the venue; each event looks anyway
ACCOUNT: Final = "demo"


class Leaps(Protocol):
    """Who passes a longer time at once where nothing can happen (scripts/backtest/leaper.py)."""

    leapt_ms: int  # where the last leap ended

    def leap(self) -> bool: ...

    def hears(self) -> bool: ...


class Nobody:
    """The human side of a backtest. Implements core.ports.Notifier; what it is told is in the journal too."""

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        """Nobody listens."""


def play(
    venue: Exchange,
    settings: Settings,
    folder: Path,
    on_app: Callable[[App], None] = lambda app: None,
    on_time: Callable[[int], None] = lambda now_ms: None,
    strategy: Planner | None = None,
    leaper: Leaps | None = None,
    operator: Operator | None = None,
    for_ms: int | None = None,
) -> RunFacts:
    """Run the engine from the venue's first instant to the end of its market data.

    The journal is written into `folder`. `on_time` is told how far it is. Raises EngineError when a part
    failed.

    strategy  instead of the main one.
    leaper    passes by what it vouches for; None lets the engine look at everything.
    operator  says `resume` where the engine waits for it; None: nobody does.
    for_ms    end after so long, which a generated market, that never ends, needs.
    """
    account = venue.accounts[ACCOUNT]
    store = DirectAccount(venue, account)
    streams = DirectStreams(venue, account, store)
    keeper = DirectTime(venue, streams)
    keeper.on_time = on_time
    if leaper is not None:
        keeper.leap, keeper.hears = leaper.leap, leaper.hears
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(keeper)) as runner:
        facts = runner.run(
            _run(venue, settings, folder, keeper, streams, store, on_app, strategy, leaper, operator, for_ms)
        )
    assert facts is not None, "no signal is heard here, so no run ends before it began"
    return facts


async def _run(
    venue: Exchange,
    settings: Settings,
    folder: Path,
    keeper: DirectTime,
    streams: DirectStreams,
    store: DirectAccount,
    on_app: Callable[[App], None],
    strategy: Planner | None,
    leaper: Leaps | None,
    operator: Operator | None,
    for_ms: int | None,
) -> RunFacts | None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = VirtualClock(loop, keeper)
    session = Session(
        settings,
        folder,
        clock,
        WalkingTicker(clock) if leaper is None else WalkingTicker(clock, lambda: leaper.leapt_ms),
        Nobody(),
        "backtest",
        for_ms,
        lambda: (),
        linger_s=LINGER_S,
        signals=False,
        open_database=open_in_line,
        look_every_s=LOOK_S,
        strategy=strategy,
    )
    if operator is not None:
        operator.give = session.hear
    keeper.on_end = lambda: session.end("the market data has ended")
    return await session.run(lambda: _connect(venue, settings, streams, store), on_app)


async def _connect(
    venue: Exchange, settings: Settings, streams: DirectStreams, store: DirectAccount
) -> Ports:
    market = DirectMarket(venue)
    trading = DirectTrading(venue, venue.accounts[ACCOUNT], store, streams.deliver)

    def listening(
        orders: OrderSink, on_resync: Callable[[], Awaitable[None]], on_trouble: Callable[[str], None]
    ) -> Streams:
        streams.orders = orders
        return streams

    return Ports(
        rest=DirectLine(venue),
        market=market,
        trading=trading,
        markets=DirectMarkets(venue, await pairs_of(market, settings, {})),
        account=store,
        streams=listening,
        seed=_nothing,
        mend=_nothing,
    )


async def _nothing() -> None:
    """Nothing to fill or to mend: the stores look at the venue."""
