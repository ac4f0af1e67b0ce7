"""The self-check: what it refuses, what it only warns of, and that one run answers everything."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

import pytest
from pydantic import SecretStr
from rich.console import Console

from config.schema import Settings, Strategy
from config.secrets import Secrets
from core.errors import AuthFailed, RateLimited, VenueDown, VenueError, VenueRejected
from core.ports import Clock, Market, Trading
from core.types import (
    AccountConfig,
    AccountMode,
    AccountSnapshot,
    Balance,
    Contracts,
    OrderRecord,
    OrderStatus,
    Pair,
    Position,
    Side,
    SpotSpec,
    SwapSpec,
)
from scripts.bootstrap import EXIT_REFUSED, run
from scripts.options import Mode
from scripts.self_check import Check, HostFacts, JournalFacts, Parts, Result, passed, self_check

D = Decimal
GOOD_KEY = AccountConfig(
    "1", AccountMode.FUTURES, True, frozenset({"read_only", "trade"}), True, False, False
)


def pair(name: str, *, state: str = "live", delisted_ms: int | None = None) -> Pair:
    base = name.removesuffix("-USDT")
    spot = SpotSpec(name, base, "USDT", D("0.1"), D("0.0001"), D("0.0001"), D(100), state)
    swap = SwapSpec(
        f"{name}-SWAP", D("0.01"), D("0.1"), D(1), D(1), D(1000), D(100), state, exp_time_ms=delisted_ms
    )
    return Pair(name, spot, swap)


@dataclass
class FakeClock:
    """Moves on by `step_ms` at every look, unless `steps_ms` says otherwise."""

    at_ms: int = 1_700_000_000_000
    step_ms: int = 10
    steps_ms: list[int] = field(default_factory=list)

    def now_ms(self) -> int:
        self.at_ms += self.steps_ms.pop(0) if self.steps_ms else self.step_ms
        return self.at_ms


@dataclass
class FakeMarket:
    clock: FakeClock
    offset_ms: int = 0
    answer: VenueError | None = None
    listed: dict[str, Pair] = field(default_factory=lambda: {n: pair(n) for n in ("BTC-USDT", "ETH-USDT")})

    async def server_time_ms(self) -> int:
        if self.answer:
            raise self.answer
        return self.clock.at_ms + self.clock.step_ms // 2 + self.offset_ms

    async def pairs(self, names: Iterable[str]) -> tuple[Pair, ...]:
        for name in names:
            if name not in self.listed:
                raise VenueRejected("Instrument ID does not exist", "51001")
        return tuple(self.listed[name] for name in names)


@dataclass
class FakeTrading:
    config: AccountConfig = GOOD_KEY
    positions: Mapping[str, Decimal] = field(default_factory=dict)
    coins: Mapping[str, Decimal] = field(default_factory=dict)
    orders: tuple[OrderRecord, ...] = ()
    leverages: Mapping[str, Decimal] = field(default_factory=dict)
    answer: VenueError | None = None
    asked: list[str] = field(default_factory=list)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.answer:
            raise self.answer

    async def account_config(self) -> AccountConfig:
        self._ask("account_config")
        return self.config

    async def leverage(self, inst_id: str) -> Decimal:
        self._ask("leverage")
        return self.leverages.get(inst_id, D(3))

    async def open_orders(self) -> tuple[OrderRecord, ...]:
        self._ask("open_orders")
        return self.orders

    async def account(self) -> AccountSnapshot:
        self._ask("account")
        held = {i: Position(i, Contracts(n), D(1), D(1), D(0), D(3)) for i, n in self.positions.items()}
        cash = {ccy: Balance(ccy, n, n, n) for ccy, n in self.coins.items()}
        return AccountSnapshot(AccountMode.FUTURES, cash, held, D(0), 0, 0)


@dataclass
class World:
    """Everything well; a test spoils one thing."""

    clock: FakeClock = field(default_factory=FakeClock)
    trading: FakeTrading | None = field(default_factory=FakeTrading)
    mode: Mode = Mode.LIVE
    settings: Settings = field(default_factory=lambda: Settings(strategy=Strategy(dry_run=False)))
    journal: JournalFacts = field(default_factory=lambda: JournalFacts(True, "12 rows", clean_stop=True))
    host: HostFacts = field(default_factory=lambda: HostFacts(50_000_000_000))
    secrets: Mapping[str, str] = field(
        default_factory=lambda: {"okx_api_key": "k", "okx_api_secret": "hunter2", "okx_passphrase": "p"}
    )

    def __post_init__(self) -> None:
        self.market = FakeMarket(self.clock)

    def parts(self) -> Parts:
        given = {name: SecretStr(value) for name, value in self.secrets.items()}
        return Parts(
            self.mode,
            self.settings,
            Secrets.model_construct(**cast(Any, given)),
            cast(Market, self.market),
            cast(Trading, self.trading) if self.trading else None,
            cast(Clock, self.clock),
            self.journal,
            self.host,
        )

    async def checks(self) -> dict[str, Check]:
        return {check.name: check for check in await self_check(self.parts())}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def trading(world: World) -> FakeTrading:
    assert world.trading is not None
    return world.trading


def order(cl_id: str) -> OrderRecord:
    return OrderRecord(
        cl_id, "9", "BTC-USDT", Side.BUY, OrderStatus.LIVE, D(1), D(0), None, D(0), "USDT", updated_ms=0
    )


async def test_when_all_is_well_every_check_passes(world: World) -> None:
    checks = await world.checks()
    assert {check.result for check in checks.values()} == {Result.PASS}
    assert set(checks) == {
        "configuration",
        "secrets",
        "data folder",
        "disk",
        "journal",
        "last exit",
        "venue",
        "clock",
        "instruments",
        "key",
        "key binding",
        "account mode",
        "position mode",
        "auto loan",
        "fee",
        "leverage",
        "positions",
        "orders",
    }


# --- this machine -----------------------------------------------------------------------------


async def test_live_is_refused_while_the_configuration_says_dry_run(world: World) -> None:
    world.settings = Settings()
    assert (await world.checks())["configuration"].result is Result.FAIL
    world.mode = Mode.DRY_RUN
    assert (await world.checks())["configuration"].result is Result.PASS


async def test_missing_secrets_are_named_and_only_live_needs_the_venues(world: World) -> None:
    world.secrets = {"okx_api_key": "k"}
    check = (await world.checks())["secrets"]
    assert check.result is Result.FAIL and "OKX_API_SECRET, OKX_PASSPHRASE" in check.found
    world.mode = Mode.DEMO
    assert (await world.checks())["secrets"].result is Result.PASS


@pytest.mark.parametrize(
    ("free", "result"),
    [
        (1_000_000_000, Result.PASS),
        (999_999_999, Result.WARN),
        (200_000_000, Result.WARN),
        (199_999_999, Result.FAIL),
    ],
)
async def test_a_full_disk_refuses_and_a_filling_one_warns(world: World, free: int, result: Result) -> None:
    world.host = HostFacts(free)
    assert (await world.checks())["disk"].result is result


async def test_a_data_folder_somebody_holds_refuses(world: World) -> None:
    world.host = replace(world.host, lock_holder="process 4711")
    check = (await world.checks())["data folder"]
    assert check.result is Result.FAIL and "4711" in check.found


async def test_a_broken_journal_refuses(world: World) -> None:
    world.journal = JournalFacts(False, "row 7 does not follow row 6")
    check = (await world.checks())["journal"]
    assert check.result is Result.FAIL and "row 7" in check.found and "journal verify" in check.todo


async def test_a_crash_warns_and_does_not_refuse(world: World) -> None:
    world.journal = replace(world.journal, clean_stop=False)
    checks = await world.checks()
    assert checks["last exit"].result is Result.WARN and passed(checks.values())
    world.journal = replace(world.journal, clean_stop=None)
    assert (await world.checks())["last exit"].result is Result.PASS


# --- the venue --------------------------------------------------------------------------------


async def test_a_silent_venue_refuses_and_nothing_more_is_asked(world: World, trading: FakeTrading) -> None:
    world.market.answer = VenueDown("no route to host")
    checks = await world.checks()
    assert checks["venue"].result is Result.FAIL and "no route" in checks["venue"].found
    assert checks["account"].result is Result.SKIP
    assert trading.asked == []


@pytest.mark.parametrize("offset_ms", [1_001, -1_001, 60_000])
async def test_a_clock_that_is_off_refuses(world: World, offset_ms: int) -> None:
    world.market.offset_ms = offset_ms
    check = (await world.checks())["clock"]
    assert check.result is Result.FAIL and f"{offset_ms:+d} ms" in check.found


@pytest.mark.parametrize("offset_ms", [1_000, -1_000, 0])
async def test_a_clock_within_its_bound_passes(world: World, offset_ms: int) -> None:
    world.market.offset_ms = offset_ms
    assert (await world.checks())["clock"].result is Result.PASS


async def test_one_slow_answer_does_not_pass_for_a_clock_that_is_off(world: World) -> None:
    world.clock.steps_ms = [0, 9_000, 0, 10, 0, 8_000]  # before and after each of three questions
    check = (await world.checks())["clock"]
    assert check.result is Result.PASS and "+0 ms" in check.found


async def test_every_ailing_instrument_is_named(world: World) -> None:
    world.market.listed = {"ETH-USDT": pair("ETH-USDT", state="suspend", delisted_ms=1_800_000_000_000)}
    check = (await world.checks())["instruments"]
    assert check.result is Result.FAIL
    assert all(
        part in check.found
        for part in ("BTC-USDT is unknown", "ETH-USDT is suspend", "ETH-USDT-SWAP is delisted on 2027-01-15")
    )


async def test_an_ailing_instrument_we_hold_does_not_keep_us_from_closing_it(world: World) -> None:
    world.market.listed["BTC-USDT"] = pair("BTC-USDT", delisted_ms=1_800_000_000_000)
    assert (await world.checks())["instruments"].result is Result.FAIL
    world.journal = replace(world.journal, contracts={"BTC-USDT-SWAP": D(5)})
    assert (await world.checks())["instruments"].result is Result.WARN
    world.market.listed["ETH-USDT"] = pair("ETH-USDT", state="preopen")
    assert (await world.checks())["instruments"].result is Result.FAIL


# --- the account ------------------------------------------------------------------------------


@pytest.mark.fault("AC1", "AC2", "AC3", "MG8")
@pytest.mark.parametrize(
    ("spoilt", "name", "result"),
    [
        ({"permissions": frozenset({"trade", "withdraw"})}, "key", Result.FAIL),
        ({"permissions": frozenset({"read_only"})}, "key", Result.FAIL),
        ({"ip_bound": False}, "key binding", Result.WARN),
        ({"mode": AccountMode.SPOT}, "account mode", Result.FAIL),
        ({"mode": AccountMode.PORTFOLIO}, "account mode", Result.FAIL),
        ({"mode": AccountMode.MULTI}, "account mode", Result.PASS),
        ({"net_positions": False}, "position mode", Result.FAIL),
        ({"auto_loan": True}, "auto loan", Result.FAIL),
        ({"fee_in_quote": True}, "fee", Result.WARN),
    ],
)
@pytest.mark.fault("SE3")
async def test_what_the_key_and_the_account_may_be(
    world: World, trading: FakeTrading, spoilt: dict[str, Any], name: str, result: Result
) -> None:
    trading.config = replace(GOOD_KEY, **spoilt)
    checks = await world.checks()
    assert checks[name].result is result
    assert (checks[name].todo == "") is (result is Result.PASS)
    assert [c.name for c in checks.values() if c.result is not Result.PASS and c.name != name] == []


@pytest.mark.fault("MG9")
async def test_leverage_above_three_refuses(world: World, trading: FakeTrading) -> None:
    trading.leverages = {"ETH-USDT-SWAP": D("3.01")}
    check = (await world.checks())["leverage"]
    assert check.result is Result.FAIL and "ETH-USDT-SWAP at 3.01x" in check.found


async def test_a_position_our_books_do_not_know_is_named_and_left_to_recovery(
    world: World, trading: FakeTrading
) -> None:
    trading.positions = {"DOGE-USDT-SWAP": D(10), "BTC-USDT-SWAP": D(-5)}
    world.journal = replace(world.journal, contracts={"BTC-USDT-SWAP": D(5)})
    check = (await world.checks())["positions"]
    assert check.result is Result.WARN
    assert "DOGE-USDT-SWAP +10" in check.found and "BTC" not in check.found


async def test_our_own_position_passes_and_a_difference_in_it_is_left_to_recovery(
    world: World, trading: FakeTrading
) -> None:
    trading.positions = {"BTC-USDT-SWAP": D(-5)}
    world.journal = replace(world.journal, contracts={"BTC-USDT-SWAP": D(5), "ETH-USDT-SWAP": D(0)})
    assert (await world.checks())["positions"].result is Result.PASS
    trading.positions = {"BTC-USDT-SWAP": D(-4)}
    check = (await world.checks())["positions"]
    assert check.result is Result.WARN and "-4 contracts, books -5" in check.found
    trading.positions = {}
    assert (await world.checks())["positions"].result is Result.WARN


async def test_coins_our_books_own_and_the_account_lacks_are_told(world: World, trading: FakeTrading) -> None:
    world.journal = replace(world.journal, coins={"BTC": D("0.05")})
    trading.coins = {"BTC": D("0.049")}
    assert (await world.checks())["positions"].result is Result.WARN
    trading.coins = {"BTC": D("7")}  # the operator's own coins are none of our business
    assert (await world.checks())["positions"].result is Result.PASS


async def test_an_order_of_unknown_outcome_may_explain_a_position(world: World, trading: FakeTrading) -> None:
    trading.positions = {"BTC-USDT-SWAP": D(-5)}
    world.journal = replace(world.journal, unresolved=1)
    assert (await world.checks())["positions"].result is Result.WARN


async def test_an_order_we_never_meant_to_send_refuses(world: World, trading: FakeTrading) -> None:
    trading.orders = (order("ours1"), order("stranger"))
    world.journal = replace(world.journal, known_orders=frozenset({"ours1"}))
    assert (await world.checks())["orders"].result is Result.FAIL
    trading.orders = (order("ours1"),)
    assert (await world.checks())["orders"].result is Result.WARN


@pytest.mark.fault("AU4", "AU5")
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("50105", "passphrase"),
        ("50110", "address"),
        ("50101", "okx-demo"),
        ("50119", "region"),
        ("59999", "region"),
    ],
)
async def test_a_refused_key_says_what_to_look_at(
    world: World, trading: FakeTrading, code: str, says: str
) -> None:
    trading.answer = AuthFailed("refused", code)
    check = (await world.checks())["key"]
    assert check.result is Result.FAIL and code in check.found and says in check.todo


@pytest.mark.parametrize(
    "error", [VenueDown("timeout"), RateLimited("slow down"), VenueRejected("no", "51000")]
)
@pytest.mark.fault("DP1")
async def test_no_venue_error_ends_the_self_check(
    world: World, trading: FakeTrading, error: VenueError
) -> None:
    trading.answer = error
    checks = await world.checks()
    assert [checks[n].result for n in ("key", "leverage", "positions", "orders")] == [Result.FAIL] * 4


async def test_without_an_account_the_rest_is_still_asked(world: World) -> None:
    world.trading, world.mode = None, Mode.DRY_RUN
    checks = await world.checks()
    assert checks["instruments"].result is Result.PASS and checks["account"].result is Result.SKIP
    assert passed(checks.values())


# --- what people and programs see -------------------------------------------------------------


async def printed(world: World, *, as_json: bool) -> tuple[int, str]:
    out = io.StringIO()
    code = await run(world.parts(), Console(file=out, width=60), as_json=as_json)
    return code, out.getvalue()


async def test_the_exit_code_is_three_when_refused(world: World, trading: FakeTrading) -> None:
    assert (await printed(world, as_json=False))[0] == 0
    trading.config = replace(GOOD_KEY, auto_loan=True)
    assert (await printed(world, as_json=False))[0] == EXIT_REFUSED == 3


async def test_json_is_one_object_on_one_line_with_every_check(world: World, trading: FakeTrading) -> None:
    trading.config = replace(GOOD_KEY, mode=AccountMode.SPOT)
    _, text = await printed(world, as_json=True)
    (line,) = text.splitlines()
    told = json.loads(line)
    assert told["ok"] is False
    assert [c["name"] for c in told["checks"] if c["result"] == "fail"] == ["account mode"]


async def test_the_table_tells_what_to_do_and_no_secret(world: World, trading: FakeTrading) -> None:
    trading.config = replace(GOOD_KEY, ip_bound=False)
    _, text = await printed(world, as_json=False)
    assert "key binding" in text and "14 days" in " ".join(text.split())
    assert "hunter2" not in text
