"""The self-check: may the engine start on this machine, with this key, on this account, now?

Every question is asked, so that one run shows everything there is to do. A failed check refuses the start;
a warning does not. Nothing is changed anywhere: the self-check only looks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from config.loader import fingerprint
from config.schema import MAX_LEVERAGE, Settings
from core.errors import AuthFailed, VenueError, VenueRejected
from core.ids import is_ours
from core.ports import Clock, Market, Trading
from core.types import ZERO, AccountConfig, AccountMode, Pair
from scripts.options import Mode

if TYPE_CHECKING:
    from config.secrets import Secrets

MIN_FREE_BYTES: Final = 200_000_000
LOW_FREE_BYTES: Final = 1_000_000_000
CLOCK_SAMPLES: Final = 3


class Result(StrEnum):
    PASS = "pass"
    WARN = "warn"  # start, but read it
    FAIL = "fail"  # do not start
    SKIP = "skip"  # could not be asked; what kept it from being asked has failed itself, or needs no answer


@dataclass(frozen=True, slots=True)
class Check:
    """One question: what was found, and what to do when it is not well."""

    name: str
    result: Result
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class JournalFacts:
    """What the journal on this machine says about before.

    clean_stop    whether the last process ended on purpose; None when there was none.
    contracts     contracts short by our books, by swap id, >= 0.
    coins         coins owned by our hedges, by currency.
    held          pairs our hedges are on, with the rules our own fills imply.
    known_orders  client ids of every order this engine ever meant to send.
    unresolved    orders whose outcome is still unknown; recovery will ask for them.
    """

    intact: bool
    detail: str
    clean_stop: bool | None = None
    contracts: Mapping[str, Decimal] = field(default_factory=dict)
    coins: Mapping[str, Decimal] = field(default_factory=dict)
    held: Mapping[str, Pair] = field(default_factory=dict)
    known_orders: Container[str] = frozenset()
    unresolved: int = 0


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The machine: free space where the data folder is, and who else holds the folder (empty: nobody)."""

    free_bytes: int
    lock_holder: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the self-check looks at, already built. Without keys there is no `trading`."""

    mode: Mode
    settings: Settings
    secrets: Secrets
    market: Market
    trading: Trading | None
    clock: Clock
    journal: JournalFacts
    host: HostFacts


async def self_check(parts: Parts) -> tuple[Check, ...]:
    """Ask every question, in the order in which one would mend the answers. Never raises VenueError."""
    checks = [_configuration(parts), _secrets(parts), _lock(parts), _disk(parts)]
    checks += [_journal(parts), _last_exit(parts)]
    reachable = await _asked("venue", lambda: _clock(parts))
    checks += reachable
    if any(check.result is Result.FAIL and check.name == "venue" for check in reachable):
        return (*checks, Check("account", Result.SKIP, "the venue did not answer"))
    checks += await _asked("instruments", lambda: _instruments(parts))
    trading = parts.trading
    if trading is None:
        why = "no keys are needed in this mode" if parts.mode is not Mode.LIVE else "no keys, no account"
        return (*checks, Check("account", Result.SKIP, why))
    checks += await _asked("key", lambda: _account(trading))
    checks += await _asked("leverage", lambda: _leverage(parts, trading))
    checks += await _asked("positions", lambda: _positions(parts, trading))
    checks += await _asked("orders", lambda: _orders(parts, trading))
    return tuple(checks)


async def recheck(market: Market, trading: Trading | None) -> tuple[Check, ...]:
    """What speaks against going on when the operator says so: no answer, or a key that may not trade, or
    may withdraw. Everything else has causes of its own, and must not keep anybody from closing."""

    async def reachable() -> list[Check]:
        await market.server_time_ms()
        return []

    found = await _asked("venue", reachable)
    if trading is not None:
        found += await _asked("key", lambda: _only_key(trading))
    return tuple(check for check in found if check.result is Result.FAIL)


async def _only_key(trading: Trading) -> list[Check]:
    return _key(await trading.account_config())


def passed(checks: Iterable[Check]) -> bool:
    """Whether the engine may start: nothing failed."""
    return not any(check.result is Result.FAIL for check in checks)


# --- this machine -----------------------------------------------------------------------------


def _configuration(parts: Parts) -> Check:
    settings = parts.settings
    if parts.mode is Mode.LIVE and settings.strategy.dry_run:
        todo = "set dry_run: false in strategy.yaml once the dry run is as it should be"
        return Check("configuration", Result.FAIL, "strategy.dry_run is true in live mode", todo)
    venue = "a simulated venue" if parts.mode is Mode.DEMO else settings.account.venue
    found = f"{parts.mode} on {venue}, {fingerprint(settings)[:12]}"
    return Check("configuration", Result.PASS, found)


def _secrets(parts: Parts) -> Check:
    missing = parts.secrets.missing(parts.settings, trading=parts.mode is Mode.LIVE)
    if missing:
        todo = "put them into .env (see .env.example), or name files with <NAME>_FILE"
        return Check("secrets", Result.FAIL, f"missing: {', '.join(missing)}", todo)
    return Check("secrets", Result.PASS, "all that this configuration needs")


def _lock(parts: Parts) -> Check:
    holder = parts.host.lock_holder
    if holder:
        return Check("data folder", Result.FAIL, f"held by {holder}", "stop the other engine, or use --data")
    return Check("data folder", Result.PASS, "free")


def _disk(parts: Parts) -> Check:
    free = parts.host.free_bytes
    found = f"{free / 1e9:.1f} GB free"
    if free >= LOW_FREE_BYTES:
        return Check("disk", Result.PASS, found)
    result = Result.WARN if free >= MIN_FREE_BYTES else Result.FAIL
    return Check("disk", result, found, "make room: without a journal nothing may be traded")


def _journal(parts: Parts) -> Check:
    if parts.journal.intact:
        return Check("journal", Result.PASS, parts.journal.detail)
    todo = "`python main.py journal verify` says where; `python main.py restore FROM` puts a backup back"
    return Check("journal", Result.FAIL, parts.journal.detail, todo)


def _last_exit(parts: Parts) -> Check:
    clean = parts.journal.clean_stop
    if clean is None:
        return Check("last exit", Result.PASS, "first start")
    if clean:
        return Check("last exit", Result.PASS, "on purpose")
    # not a refusal: only a start can find out what a crash left behind, and repair a naked leg
    todo = "read the last log; recovery reconciles with the venue before anything is decided"
    return Check("last exit", Result.WARN, "abnormal: no stop was recorded", todo)


# --- the venue --------------------------------------------------------------------------------


async def _clock(parts: Parts) -> list[Check]:
    """The sample with the shortest round trip tells the offset best."""
    samples = []
    for _ in range(CLOCK_SAMPLES):
        before_ms = parts.clock.now_ms()
        venue_ms = await parts.market.server_time_ms()
        after_ms = parts.clock.now_ms()
        samples.append((after_ms - before_ms, venue_ms - (before_ms + after_ms) // 2))
    round_trip_ms, offset_ms = min(samples)
    limit_ms = parts.settings.risk.exchange.max_clock_offset_ms
    found = f"venue is {offset_ms:+d} ms from here, at most {limit_ms} ms"
    off = abs(offset_ms) > limit_ms
    todo = "switch time synchronisation on (NTP): signatures and settlements depend on it" if off else ""
    return [
        Check("venue", Result.PASS, f"answers in {round_trip_ms} ms"),
        Check("clock", Result.FAIL if off else Result.PASS, found, todo),
    ]


async def _instruments(parts: Parts) -> list[Check]:
    """An ailing instrument refuses the start, unless we hold it: then starting is the way out of it."""
    ailing: list[str] = []
    held: list[str] = []
    names = await _names(parts)
    for name in names:
        try:
            (pair,) = await parts.market.pairs((name,))
        except VenueRejected as error:
            mine = parts.journal.contracts.get(f"{name}-SWAP", ZERO) > 0
            (held if mine else ailing).append(f"{name} is unknown ({error})")
            continue
        mine = parts.journal.contracts.get(pair.swap.inst_id, ZERO) > 0
        (held if mine else ailing).extend(_ailments(pair))
    todo = "take it out of instruments.yaml"
    if ailing:
        return [Check("instruments", Result.FAIL, "; ".join(ailing + held), todo)]
    if held:
        return [Check("instruments", Result.WARN, "; ".join(held), "held: close it, then " + todo)]
    return [Check("instruments", Result.PASS, ", ".join(names))]


async def _names(parts: Parts) -> tuple[str, ...]:
    """What may be hedged: the list, or the first of the venue's ranking."""
    universe = parts.settings.instruments.universe
    if not universe.enabled:
        return parts.settings.instruments.instruments
    ranked = await parts.market.ranked_pairs(universe.size + len(universe.exclude))
    return tuple(p.name for p in ranked if p.name not in universe.exclude)[: universe.size]


def _ailments(pair: Pair) -> list[str]:
    found = []
    for spec in (pair.spot, pair.swap):
        if spec.state != "live":
            found.append(f"{spec.inst_id} is {spec.state}")
        if spec.exp_time_ms is not None:
            day = datetime.fromtimestamp(spec.exp_time_ms / 1000, UTC).date().isoformat()
            found.append(f"{spec.inst_id} is delisted on {day}")
    return found


# --- the account ------------------------------------------------------------------------------


async def _account(trading: Trading) -> list[Check]:
    config = await trading.account_config()
    return [*_key(config), *_account_settings(config)]


def _key(config: AccountConfig) -> list[Check]:
    permissions = ", ".join(sorted(config.permissions)) or "none"
    if "withdraw" in config.permissions:
        todo = "make a key without withdrawal: whoever gets hold of this one can empty the account"
        key = Check("key", Result.FAIL, f"may withdraw ({permissions})", todo)
    elif "trade" not in config.permissions:
        key = Check("key", Result.FAIL, f"may not trade ({permissions})", "give the key the trade permission")
    else:
        key = Check("key", Result.PASS, permissions)
    if config.ip_bound:
        return [key, Check("key binding", Result.PASS, "bound to addresses")]
    todo = "bind it to this machine's address; an unbound key also expires after 14 days without use"
    return [key, Check("key binding", Result.WARN, "works from any address", todo)]


def _account_settings(config: AccountConfig) -> list[Check]:
    mode_fits = config.mode in (AccountMode.FUTURES, AccountMode.MULTI)
    wanted = (
        ("account mode", mode_fits, f"{config.mode.value} mode", "choose futures or multi-currency mode"),
        (
            "position mode",
            config.net_positions,
            "net" if config.net_positions else "long/short",
            "choose net (one-way) mode; the venue allows it without positions and orders only",
        ),
        (
            "auto loan",
            not config.auto_loan,
            "on" if config.auto_loan else "off",
            "switch it off: a negative balance costs more interest than funding earns",
        ),
    )
    checks = [
        Check(name, Result.PASS if fits else Result.FAIL, found, "" if fits else f"at the venue: {todo}")
        for name, fits, found, todo in wanted
    ]
    if config.fee_in_quote:
        fee = Check("fee", Result.WARN, "taken in USDT", "sizing expects the fee of a buy in the coin")
    else:
        fee = Check("fee", Result.PASS, "taken in what was received")
    return [*checks, fee]


async def _leverage(parts: Parts, trading: Trading) -> list[Check]:
    above = []
    for name in await _names(parts):
        swap_id = f"{name}-SWAP"
        leverage = await trading.leverage(swap_id)
        if leverage > MAX_LEVERAGE:
            above.append(f"{swap_id} at {leverage:f}x")
    if above:
        return [
            Check("leverage", Result.FAIL, ", ".join(above), f"at the venue: set at most {MAX_LEVERAGE}x")
        ]
    return [Check("leverage", Result.PASS, f"at most {MAX_LEVERAGE}x")]


async def _positions(parts: Parts, trading: Trading) -> list[Check]:
    """Positions that are not in the books do not refuse the start: recovery takes over what our ids prove,
    and holds new risk until the operator has decided about the rest."""
    account = await trading.account()
    ours = {inst_id: -short for inst_id, short in parts.journal.contracts.items() if short}
    theirs = {inst_id: p.contracts for inst_id, p in account.positions.items() if p.contracts}
    pending = parts.journal.unresolved
    foreign = [f"{i} {theirs[i]:+f} contracts" for i in theirs if i not in ours and not pending]
    if foreign:
        todo = "recovery adopts what our order ids prove; for the rest: `main.py adopt` or `main.py refuse`"
        return [Check("positions", Result.WARN, f"not in our books: {', '.join(foreign)}", todo)]
    differing = [
        f"{i} {theirs.get(i, ZERO):+f} contracts, books {ours.get(i, ZERO):+f}"
        for i in sorted(ours.keys() | theirs.keys())
        if theirs.get(i, ZERO) != ours.get(i, ZERO)
    ]
    differing += [
        f"{ccy} {account.cash(ccy):f}, books {owned:f}"
        for ccy, owned in parts.journal.coins.items()
        if account.cash(ccy) < owned
    ]
    if differing or pending:
        found = "; ".join([*differing, *([f"{pending} orders of unknown outcome"] if pending else [])])
        todo = "recovery explains it from fills and bills, or stops the engine"
        return [Check("positions", Result.WARN, found, todo)]
    return [Check("positions", Result.PASS, "as in our books" if ours else "none")]


async def _orders(parts: Parts, trading: Trading) -> list[Check]:
    orders = await trading.open_orders()
    foreign = [
        f"{o.inst_id} {o.side.value} {o.size:f}"
        for o in orders
        if o.cl_id not in parts.journal.known_orders and not is_ours(o.cl_id)
    ]
    if foreign:
        todo = "cancel them by hand, or give the engine a subaccount of its own"
        return [Check("orders", Result.FAIL, f"not ours: {', '.join(foreign)}", todo)]
    if orders:
        return [Check("orders", Result.WARN, f"{len(orders)} of ours still open", "recovery cancels them")]
    return [Check("orders", Result.PASS, "none open")]


# --- errors -----------------------------------------------------------------------------------

_AUTH_ADVICE: Final = {
    "50101": "the key belongs to the other of okx and okx-demo: see venue in account.yaml",
    "50102": "the clock of this machine is off: switch time synchronisation on",
    "50105": "wrong passphrase: the one chosen for this key, not the login password",
    "50110": "this machine's address is not among those the key is bound to",
    "50111": "unknown key: copy it again",
    "50113": "wrong secret: copy it again",
    "50119": "no such key here: perhaps it belongs to another region, see region in account.yaml",
    "50120": "the key lacks a permission",
}


async def _asked(name: str, question: Callable[[], Awaitable[list[Check]]]) -> list[Check]:
    """Ask; an error of the venue is an answer too."""
    try:
        return await question()
    except AuthFailed as error:
        todo = _AUTH_ADVICE.get(error.code, "check key, secret, passphrase, region and venue")
        return [Check(name, Result.FAIL, str(error), todo)]
    except VenueError as error:
        todo = "check network, region and proxy settings; then try again"
        return [Check(name, Result.FAIL, f"no usable answer: {error}", todo)]
