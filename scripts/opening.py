"""The first half of a start: the books opened and replayed, the account looked at, nothing traded yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from config.loader import fingerprint
from config.schema import Settings
from core import storage
from core.adoption import LOOK_BACK_MS, Lost, rebuild
from core.facts import Kind
from core.ids import JournalIds, next_epoch
from core.journal import SqliteJournal
from core.naked import NakedTimes
from core.permission import Permissions
from core.ports import Clock, Notifier, Trading
from core.projections import Books
from core.sentinel import refuse_company
from core.types import GONE, ZERO, AccountSnapshot, FeeRates, Pair
from scripts.ports import Ports
from scripts.version import VERSION
from scripts.vigilance import hold_in_a_crash_loop


@dataclass(frozen=True, slots=True)
class Opened:
    """What a start knows before its parts are connected."""

    books: Books
    permissions: Permissions
    naked: NakedTimes
    pairs: Mapping[str, Pair]
    ids: JournalIds
    fees: dict[str, FeeRates]


async def opened(
    settings: Settings,
    venue: Ports,
    journal: SqliteJournal,
    clock: Clock,
    notifier: Notifier,
    mode: str,
    take_over: bool,
) -> Opened:
    """Replay the journal, learn the account, and write the boot row.

    Raises SelfCheckRefused when another engine is active on the account, unless `take_over`.
    """
    account = settings.account
    books = Books(margin_per_spot=account.futures_ratio / account.spot_ratio)
    permissions = Permissions(journal, clock, notifier)
    pairs = {name: venue.markets.pair(name) for name in venue.markets.names}
    naked = NakedTimes(books.ledger.tallies, lambda name: pairs[name].swap.step if name in pairs else ZERO)
    async for row in journal.rows():
        books.apply(row)
        naked.apply(row)
        permissions.fold(row)
    journal.listeners += [books.apply, naked.apply]
    storage.follow(journal, permissions)
    if venue.paper is not None and books.boots_ms:
        venue.paper.restore(books.ledger)

    await venue.seed()
    if not take_over:
        await refuse_company(venue.trading, books, clock.now_ms())
    snapshot = await venue.trading.account()
    venue.account.replace(snapshot)
    epoch = next_epoch(books.epoch, clock.now_ms())
    lost = await _lost(venue, books, snapshot, clock.now_ms())
    body = {"mode": mode, "version": VERSION, "fingerprint": fingerprint(settings), "epoch": epoch}
    journal.append(Kind.BOOT, clock.now_ms(), body | ({"opening_cash": lost.opening_cash} if lost else {}))
    for kind, fact in lost.rows if lost else ():
        journal.append(kind, clock.now_ms(), fact)
    hold_in_a_crash_loop(books, permissions, settings.risk.degradation, clock.now_ms())
    ids = JournalIds(epoch, (*books.orders, *books.transfers))
    known = {name: pair for name, pair in pairs.items() if pair.swap.state != GONE}
    fees = {name: await venue.trading.fee_rates(pair) for name, pair in known.items()}
    fees |= {name: FeeRates(ZERO, ZERO, ZERO, ZERO) for name in pairs.keys() - known}  # never traded
    for pair in known.values():
        await _set_leverage(venue.trading, pair, account.leverage)
    return Opened(books, permissions, naked, pairs, ids, fees)


async def _lost(venue: Ports, books: Books, snapshot: AccountSnapshot, now_ms: int) -> Lost | None:
    """What a new journal begins with: the account's cash, and hedges whose journal was lost."""
    if books.boots_ms:
        return None
    pairs = tuple(venue.markets.pair(name) for name in venue.markets.names)
    fills = await venue.trading.fills(max(0, now_ms - LOOK_BACK_MS))
    return rebuild(fills, pairs, snapshot)


async def _set_leverage(trading: Trading, pair: Pair, wanted: Decimal) -> None:
    """Bring the venue's leverage setting to the configured one; it only bounds what margin is locked."""
    wanted = min(wanted, pair.swap.max_leverage)
    if await trading.leverage(pair.swap.inst_id) != wanted:
        await trading.set_leverage(pair.swap.inst_id, wanted)
