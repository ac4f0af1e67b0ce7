"""Taking over from an engine that has lost its grip: the one reducing routine of watchdog and close_all.

Put the HALT marker up, cancel what rests of ours, sell and buy back what the books own, and prove by
the venue's own figures that nothing of it is left. What is owned comes from the heartbeat file, else
from the journal read-only, and from the venue's fills of our orders that neither has heard of.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from config.schema import Settings
from core.errors import AuthFailed, EngineError, JournalFailed, SelfCheckRefused, VenueError
from core.facts import plain
from core.halt import Halt, HaltMarker
from core.heartbeat import read as read_beat
from core.ids import ReducerIds, is_ours, is_reducers
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.ports import Clock
from core.projections import Books
from core.types import ZERO, AccountConfig, AccountSnapshot, Pair
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.errors import CLOCK_CODE
from exchange.okx.market import OkxMarket
from exchange.okx.rest import OkxRest
from exchange.okx.trading import OkxTrading
from execution.reducer import Insistence, Reducer
from execution.reduction import Owned, Stock, is_of, owned_with
from scripts.standing import Still

ATTEMPT_S: Final = 10.0  # then what is owned is worked out anew
SETTLE_S: Final = 0.5  # an order of the engine that was on its way has arrived by then
PAUSE_S: Final = 0.5
OVERLAP_MS: Final = 60_000
SYNC_EVERY_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books own by pair, and which fills they have counted. `source` says which books."""

    source: str
    epoch: int  # of the process that kept them
    owned: Mapping[str, Owned]
    since_ms: int
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class PairProof:
    """One pair by the venue's word: what it holds, and what of it is ours."""

    instrument: str
    venue_contracts: Decimal  # signed, negative when short
    venue_coins: Decimal
    our_contracts: Decimal
    our_coins: Decimal
    is_flat: bool

    def __str__(self) -> str:
        ours = f"{self.our_contracts:f} contracts and {self.our_coins:f} coins are ours"
        there = f"{self.venue_contracts:f} contracts, {self.venue_coins:f} coins"
        return f"{self.instrument}: the venue has {there}, of which {ours}"


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether nothing of ours is held or resting any more, by the venue's figures alone."""

    at_ms: int  # the venue's time
    books: str  # where it was read what is ours
    pairs: tuple[PairProof, ...]
    resting: tuple[str, ...]  # client ids of ours that still rest
    orders: int = 0  # sent on the way
    remarks: tuple[str, ...] = ()

    @property
    def is_flat(self) -> bool:
        return not self.resting and all(pair.is_flat for pair in self.pairs)

    def in_words(self) -> str:
        lines = [str(pair) for pair in self.pairs] or ["the books own nothing"]
        lines.append(f"{', '.join(self.resting) or 'no order'} of ours rests")
        return "; ".join(lines)

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = plain(asdict(self))
        return {"flat": self.is_flat, **said}


class Hands:
    """A connection of its own to the venue, and a folder whose books say what may be reduced."""

    def __init__(
        self,
        endpoints: Endpoints,
        credentials: Credentials | None,
        settings: Settings,
        folder: Path,
        clock: Clock,
        ids: ReducerIds,
        still: Still = nullcontext,
    ) -> None:
        self.halt = HaltMarker(folder)
        self._folder, self._clock, self._still = folder, clock, still
        self._rest = OkxRest(endpoints, credentials, clock)
        self._trading = OkxTrading(self._rest, clock)
        self._market = OkxMarket(self._rest, clock, demo=endpoints.demo)
        bounds = settings.risk.execution
        manner = Insistence.between(
            bounds.repair_slippage_bps, bounds.flatten_slippage_bps, settings.risk.watchdog.slice_usdt
        )
        self._reducer = Reducer(self._trading, self._market, clock, ids, manner)
        self._pairs: dict[str, Pair] = {}
        self._synced_ms = -SYNC_EVERY_MS

    async def close(self) -> None:
        await self._rest.close()

    # --- looking ------------------------------------------------------------------------------------

    async def check_key(self) -> AccountConfig:
        """Ask what the key may do. Raises SelfCheckRefused for one that may withdraw or may not trade."""
        async with self._in_time():
            config = await self._trading.account_config()
        permissions = ", ".join(sorted(config.permissions)) or "none"
        if "withdraw" in config.permissions:
            raise SelfCheckRefused(f"key may withdraw ({permissions}): make a key without withdrawal")
        if "trade" not in config.permissions:
            raise SelfCheckRefused(f"key may not trade ({permissions}): give the key the trade permission")
        return config

    async def venue_now_ms(self) -> int:
        """The venue's time, measured now. Raises VenueError."""
        async with self._in_time(fresh=True):
            return self._rest.venue_now_ms()

    async def stocks(self, booked: Booked) -> tuple[Stock, ...]:
        """Every booked pair against the account as it is. Raises VenueError."""
        if not booked.owned:
            return ()
        async with self._in_time():
            pairs = await self._known(booked.owned)
            return _stocks(pairs, booked, await self._trading.account())

    async def prove(self) -> Proof:
        """Ask the venue for everything anew and say what of ours is left. Raises VenueError."""
        async with self._in_time():
            booked = await self._owned()
            pairs = await self._known(booked.owned)
            account = await self._trading.account()
            resting = [o.cl_id for o in await self._trading.open_orders() if _is_ours(o.cl_id)]
        proofs = tuple(
            PairProof(
                stock.pair.name,
                account.contracts(stock.pair.swap.inst_id),
                account.cash(stock.pair.spot.base_ccy),
                stock.short,
                stock.spot,
                stock.is_flat,
            )
            for stock in _stocks(pairs, booked, account)
        )
        return Proof(
            self._rest.venue_now_ms(),
            booked.source,
            proofs,
            tuple(resting),
            self._reducer.orders,
            tuple(self._reducer.remarks),
        )

    @asynccontextmanager
    async def _in_time(self, *, fresh: bool = False) -> AsyncIterator[None]:
        """With the venue's time known, and standing still where it is not the wall's."""
        with self._still() as stands_ms:
            now_ms = self._clock.now_ms()
            if stands_ms is not None:
                self._rest.offset_ms = stands_ms - now_ms
            elif fresh or now_ms - self._synced_ms > SYNC_EVERY_MS:
                venue_ms = await self._market.server_time_ms()
                self._synced_ms = self._clock.now_ms()
                self._rest.offset_ms = venue_ms - (now_ms + self._synced_ms) // 2
            yield

    # --- acting -------------------------------------------------------------------------------------

    async def take_over(self, halt: Halt, patience_s: float) -> Proof:
        """Mark, cancel, reduce, prove; the last proof when patience ends before everything is flat.

        Repeating it is harmless: it acts on what is left. Raises AuthFailed, and VenueError or
        JournalFailed when nothing could be proven within the patience.
        """
        remarks = self._mark(halt)
        until_ms = self._clock.now_ms() + int(patience_s * 1000)
        failure: EngineError | None = None
        proof: Proof | None = None
        while proof is None or self._clock.now_ms() < until_ms:
            try:
                with self.halt.held() as alone:
                    if alone:
                        await self._attempt(until_ms)
                    else:
                        remarks.append("another process is reducing: waited for")
                        await self._clock.sleep(PAUSE_S)
                proof = await self.prove()
                if proof.is_flat:
                    await self._clock.sleep(SETTLE_S)
                    proof = await self.prove()
                if proof.is_flat:
                    break
            except (VenueError, JournalFailed) as error:
                if is_fatal(error):
                    raise
                failure = error
                if self._clock.now_ms() >= until_ms:
                    break
                await self._clock.sleep(PAUSE_S)
        if proof is None:
            assert failure is not None
            raise failure
        return replace(proof, remarks=(*dict.fromkeys(remarks), *proof.remarks))

    def _mark(self, halt: Halt) -> list[str]:
        """A folder that takes no marker must not keep both legs open."""
        try:
            self.halt.set(halt)
        except OSError as error:
            return [f"the HALT marker could not be set ({error}): stop the engine by hand"]
        return []

    async def _attempt(self, until_ms: int) -> None:
        async with self._in_time():
            await self._reducer.cancel_ours()
            booked = await self._owned()
            pairs = await self._known(booked.owned)
            soon_ms = self._clock.now_ms() + int(ATTEMPT_S * 1000)
            await self._reducer.flatten(booked.owned, pairs, min(soon_ms, until_ms))

    async def _owned(self) -> Booked:
        """The books, brought up to now by the venue's fills of our orders."""
        booked = await asyncio.get_running_loop().run_in_executor(None, read_booked, self._folder)
        fills = await self._trading.fills(booked.since_ms) if booked.since_ms else ()
        ours = [fill for fill in fills if is_of(fill.cl_id, booked.epoch)]
        named = dict.fromkeys((*booked.owned, *(fill.inst_id.removesuffix("-SWAP") for fill in ours)))
        pairs = await self._known(named)
        owned = owned_with(booked.owned, booked.known, ours, pairs, booked.epoch)
        return replace(booked, owned=owned)

    async def _known(self, names: Mapping[str, object]) -> tuple[Pair, ...]:
        """The rules of these pairs, asked for once."""
        if missing := [name for name in names if name not in self._pairs]:
            self._pairs |= {pair.name: pair for pair in await self._market.pairs(missing)}
        return tuple(self._pairs[name] for name in names)


def is_fatal(error: EngineError) -> bool:
    """The key is not taken. A signature out of time is no such thing: the clock is measured again."""
    return isinstance(error, AuthFailed) and error.code != CLOCK_CODE


def read_booked(folder: Path) -> Booked:
    """What the books of this folder own: by the heartbeat, which needs no database, else by the journal.

    Raises JournalFailed when there is neither: then nothing is known to be ours.
    """
    beat = read_beat(folder)
    if beat is not None and beat.booked_ms:
        owned = {h.instrument: Owned(h.spot_base, h.contracts) for h in beat.hedges}
        return Booked("heartbeat", beat.epoch, owned, beat.booked_ms, frozenset(beat.fills))
    books = Books()
    with JournalReader(folder / FILE_NAME) as reader:
        for row in reader.rows():
            books.apply(row)
    views = books.hedge_views({})
    known = frozenset("/".join(key) for key in books.ledger.fills_seen)
    owned = {name: Owned(view.spot_base, max(ZERO, view.contracts)) for name, view in views.items()}
    return Booked("journal", books.epoch, owned, max(1, books.last_fill_ms - OVERLAP_MS), known)


def _stocks(pairs: Iterable[Pair], booked: Booked, account: AccountSnapshot) -> tuple[Stock, ...]:
    return tuple(Stock.of(pair, booked.owned[pair.name], account) for pair in pairs)


def _is_ours(cl_id: str) -> bool:
    return is_ours(cl_id) or is_reducers(cl_id)
