"""What the ports say by plain calls is what they say through the protocol, on the same venue and instant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.loader import load
from core.errors import VenueRejected
from core.types import AccountSnapshot, Leg, OrderKind, OrderRequest, Side, Wallet
from exchange.direct.desk import DirectTrading
from exchange.direct.line import DirectStreams
from exchange.direct.stores import DirectAccount, DirectMarkets, Stale
from exchange.direct.window import DirectMarket
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.switchboard import Switchboard
from scripts.okx_ports import Lines, okx_ports
from scripts.ports import Ports
from scripts.simulation.crossings import Crossings
from scripts.simulation.time import SimClock, SimLoop
from scripts.simulation.way import AT_ONCE, Way
from scripts.simulation.world import CREDENTIALS, ENDPOINTS, simulated_sdk

D = Decimal
SPOT, SWAP, NAME = "BTC-USDT", "BTC-USDT-SWAP", "BTC-USDT"
DIGITS = 10
CONFIG = Path(__file__).resolve().parents[3] / "config"


@dataclass
class Twin:
    """One venue behind both kinds of ports."""

    venue: Exchange
    wired: Ports
    market: DirectMarket
    trading: DirectTrading
    markets: DirectMarkets
    account: DirectAccount

    async def order(self, leg: Leg, side: Side, size: str, kind: OrderKind, far: str = "1") -> str:
        inst_id = SPOT if leg is Leg.SPOT else SWAP
        tick = self.venue.instruments[inst_id].tick
        price = self.venue.markets[inst_id].last * D(far) // tick * tick
        cl_id = f"FEtwin{len(self.venue.accounts['demo'].orders)}"
        reduce = leg is Leg.SWAP and side is Side.BUY
        await self.trading.place(
            OrderRequest(cl_id, NAME, inst_id, leg, side, kind, D(size), price, reduce, price)
        )
        return cl_id


Run = Callable[[Callable[[Twin], Awaitable[None]]], None]


@pytest.fixture(params=["2", "3"], ids=["futures mode", "multi-currency mode"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Plays a coroutine on the venue's own time; the account holds a short, its spot and resting orders."""
    venue = Exchange(GeneratedMarket(7, ("BTC",)), 7)
    venue.set_level(venue.accounts["demo"], request.param)
    board = Switchboard(premises_of(venue))
    loop = SimLoop(board)

    async def played(test: Callable[[Twin], Awaitable[None]]) -> None:
        clock = SimClock(board)
        settings = load(CONFIG)
        one = settings.instruments.model_copy(update={"instruments": (NAME,)})
        settings = settings.model_copy(update={"instruments": one})
        way = Way(board, Crossings(), AT_ONCE)
        wired = await okx_ports(
            ENDPOINTS, CREDENTIALS, settings, clock, paper=False, silence_s=None,
            lines=Lines(way, way.connect, simulated_sdk),
        )  # fmt: skip
        account = venue.accounts["demo"]
        store = DirectAccount(venue, account)
        trading = DirectTrading(venue, account, store, DirectStreams(venue, account, store).deliver)
        market = DirectMarket(venue)
        pairs = await market.pairs([NAME])
        twin = Twin(venue, wired, market, trading, DirectMarkets(venue, pairs), store)
        await twin.order(Leg.SPOT, Side.BUY, "0.5", OrderKind.IOC, "1.01")
        await twin.order(Leg.SWAP, Side.SELL, "165", OrderKind.IOC, "0.99")
        await twin.order(Leg.SWAP, Side.SELL, "1", OrderKind.LIMIT, "1.01")
        await twin.order(Leg.SWAP, Side.BUY, "5", OrderKind.IOC, "1.01")
        await trading.transfer("FEtwinT", "USDT", D("1234.5"), Wallet.TRADING, Wallet.FUNDING)
        await clock.sleep(9 * 3600)  # past a settlement
        await test(twin)
        await wired.rest.close()

    yield lambda test: loop.run_until_complete(played(test))
    loop.close()


def test_the_public_side_says_the_same(run: Run) -> None:
    async def compare(twin: Twin) -> None:
        wired, direct = twin.wired.market, twin.market
        for ask in (
            lambda m: m.pairs([NAME]),
            lambda m: m.ranked_pairs(5),
            lambda m: m.volumes(),
            lambda m: m.server_time_ms(),
            lambda m: m.book(SPOT, 50),
            lambda m: m.book(SWAP, 50),
            *(
                lambda m, bar=bar: m.candles(SPOT, bar, 40)
                for bar in ("1m", "3m", "5m", "15m", "1H", "4H", "1D", "D")
            ),
            lambda m: m.candles(SWAP, "15m", 40),
            lambda m: m.funding(SWAP),
            lambda m: m.settled_funding(SWAP, 60),
            lambda m: m.mark_px(SWAP),
            lambda m: m.price_limits(SPOT),
            lambda m: m.price_limits(SWAP),
            lambda m: m.open_interest(SWAP),
            lambda m: m.maintenance(),
            lambda m: m.usdt_usd(),
        ):
            question: Callable[[Any], Awaitable[Any]] = ask
            assert await question(direct) == await question(wired)

    run(compare)


def test_the_account_says_the_same(run: Run) -> None:
    async def compare(twin: Twin) -> None:
        wired, direct = twin.wired.trading, twin.trading
        [pair] = await twin.market.pairs([NAME])
        for ask in (
            lambda t: t.account_config(),
            lambda t: t.fee_rates(pair),
            lambda t: t.leverage(SWAP),
            lambda t: t.open_orders(),
            lambda t: t.fills(0),
            lambda t: t.bills(0),
            lambda t: t.wallet(),
            lambda t: t.transfer_state("FEtwinT"),
            *(lambda t, n=n: t.order(SPOT if n == 0 else SWAP, f"FEtwin{n}") for n in range(4)),
            lambda t: t.order(SWAP, "FEnobody"),
        ):
            question: Callable[[Any], Awaitable[Any]] = ask
            assert await question(direct) == await question(wired)
        one_wallet = replace(await direct.account(), funding_wallet={})  # an answer has but one
        assert as_written(one_wallet) == as_written(await wired.account())
        held = twin.account.snapshot()  # what planners see: a top-up comes from the other wallet
        assert held.funding_wallet == await wired.wallet() == {"USDT": D("1234.5")}
        filled = await direct.order(SWAP, "FEtwin1")
        assert filled is not None
        fills = await wired.order_fills(SWAP, filled.ord_id)
        assert fills and await direct.order_fills(SWAP, filled.ord_id) == fills

    run(compare)


def as_written(snapshot: AccountSnapshot) -> dict[str, Any]:
    """Without the instant, which the protocol tells as that of the last change, and with no more digits than
    it writes."""
    told: dict[str, Any] = rounded(asdict(replace(snapshot, ts_ms=0, seen_ms=0)))
    return told


def rounded(value: Any) -> Any:
    if isinstance(value, Decimal):
        return round(value, DIGITS)
    return {name: rounded(one) for name, one in value.items()} if isinstance(value, dict) else value


def test_a_refusal_is_the_same_error_with_the_same_code(run: Run) -> None:
    async def compare(twin: Twin) -> None:
        order = OrderRequest(
            "FEtwinX", NAME, SWAP, Leg.SWAP, Side.SELL, OrderKind.IOC, D("0.001"), D(50_000), False, D(1)
        )
        codes = []
        for trading in (twin.trading, twin.wired.trading):
            with pytest.raises(VenueRejected) as no:
                await trading.place(order)
            codes.append(no.value.code)
        assert codes[0] == codes[1] != ""

    run(compare)


def test_candles_of_a_view_are_those_of_its_instant_or_nothing(run: Run) -> None:
    async def look(twin: Twin) -> None:
        view = twin.markets.view(NAME)
        seen = view.candles["3m"]
        assert seen == await twin.wired.market.candles(SPOT, "3m", len(seen))
        twin.venue.advance(twin.venue.now_ms + 60_000)
        assert view.candles["3m"] == seen
        with pytest.raises(Stale, match="15m"):
            view.candles["15m"]
        twin.venue.advance(twin.venue.now_ms + 600_000)
        later = twin.markets.view(NAME).candles["3m"]
        assert later == await twin.wired.market.candles(SPOT, "3m", len(later))

    run(look)
