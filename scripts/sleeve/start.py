"""The sleeve of a daemon: what it needs is looked at before the start, then it is hung beside the engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from config.schema import Settings
from config.secrets import Secrets
from core.errors import UsageError, VenueDown
from core.ports import Clock, Notifier
from core.types import Pair
from exchange.okx.endpoints import Credentials, Endpoints
from scripts.compose import App
from scripts.door import sleeve_key_of
from scripts.options import Mode
from strategy.auxiliary.sleeve import sleeve

if TYPE_CHECKING:
    from scripts.sleeve.compose import SleevePorts  # imports what the modules compute with

COMPUTED_WITH: Final = ("numpy", "talib")
DEMO_EVERY_S: Final = 60.0  # missing candles are looked for; each look makes a leaping clock stop
ACCOUNT: Final = "sleeve"  # its name at the simulated venue


def check_sleeve(settings: Settings) -> None:
    """Raises UsageError for a configuration whose modules cannot run, naming what is allowed."""
    if not settings.strategy.auxiliary.enabled:
        return
    try:
        budget = sleeve(settings.account)
    except ValueError as error:
        raise UsageError(f"account.yaml {error}; strategy.yaml auxiliary.enabled is true") from error
    if not budget:
        raise UsageError(
            "strategy.yaml auxiliary.enabled is true, and account.yaml auxiliary_ratio is 0: the modules "
            "have nothing to trade with; 0.2 to 0.3 is allowed, or enabled: false"
        )
    if missing := [name for name in COMPUTED_WITH if importlib.util.find_spec(name) is None]:
        raise UsageError(
            f"strategy.yaml auxiliary.enabled is true, and {', '.join(missing)} is not installed: the signal "
            "modules compute with it; `make auxiliary` installs it, or enabled: false"
        )
    from strategy.auxiliary.configured import configured  # not before: it imports what they compute with

    configured(settings.strategy.auxiliary)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a sleeve is to stand. `base_url` of a demo's venue, None for the real one."""

    settings: Settings
    secrets: Secrets
    endpoints: Endpoints
    base_url: str | None
    folder: Path
    clock: Clock
    notifier: Notifier
    mode: Mode
    linger_s: float
    silence_s: Callable[[], float] | None


def add_sleeve(app: App, site: Site) -> None:
    """Hang the sleeve beside the engine, where the configuration asks for one. A dry run has none: it has
    no account of its own to trade on paper with.
    """
    if not site.settings.strategy.auxiliary.enabled:
        return
    if site.mode is Mode.DRY_RUN:
        told = {"what": "sleeve", "detail": "the signal modules do not trade in a dry run"}
        site.notifier.tell("trouble", "info", told)
        return
    from exchange.okx.candle_feed import OkxCandles
    from scripts.scanning.apart import Apart
    from scripts.scanning.upkeep import EVERY_S
    from scripts.sleeve.house import Doors, OnCandle, SleeveHouse
    from scripts.sleeve.okx_ports import okx_sleeve_ports
    from strategy.auxiliary.configured import configured

    async def connect(pairs: Mapping[str, Pair]) -> SleevePorts:
        credentials = sleeve_key_of(site.secrets, site.base_url)
        assert credentials is not None  # asked for before the start
        if site.base_url is not None:
            await _make_account(site.base_url, credentials, site.settings)
        taken = (await app.trading.account_config()).uid
        refusals = site.settings.risk.degradation.max_key_refusals
        return await okx_sleeve_ports(
            site.endpoints, credentials, pairs, site.clock, refusals, taken, silence_s=site.silence_s
        )

    async def candles(
        wanted: Iterable[tuple[str, str]], on_candle: OnCandle
    ) -> Callable[[], Awaitable[None]]:
        feed = OkxCandles(site.endpoints, wanted, on_candle, site.clock, trouble, site.silence_s)
        await feed.start()
        return feed.stop

    def trouble(what: str) -> None:
        site.notifier.tell("trouble", "warning", {"what": "candles", "detail": what})

    house = SleeveHouse(
        site.settings,
        configured(site.settings.strategy.auxiliary),
        Doors(connect, candles, Apart),
        site.folder,
        site.clock,
        site.notifier,
        site.mode.value,
        app.market,
        app.markets.views,
        site.linger_s,
        EVERY_S if site.base_url is None else DEMO_EVERY_S,
    )
    app.engine.chores.append(house.run)
    app.engine.listeners.append(house.on_decision)


async def _make_account(base_url: str, credentials: Credentials, settings: Settings) -> None:
    """A demo's sleeve begins with its share of the capital; an account that is there already is taken."""
    body = {
        "name": ACCOUNT,
        "main": "demo",
        "key": credentials.key,
        "secret": credentials.secret,
        "passphrase": credentials.passphrase,
        "cash": {"USDT": f"{sleeve(settings.account):f}"},
    }
    try:
        async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
            known = {account["name"] for account in (await client.get("/sim/accounts")).json()}
            if ACCOUNT not in known:
                (await client.post("/sim/accounts", json=body)).raise_for_status()
    except httpx.HTTPError as error:
        raise VenueDown(f"no account for the sleeve at {base_url}: {error}") from error
