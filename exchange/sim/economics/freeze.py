"""What an account may not touch for a moment after the venue reached into it. Codes 50017 to 50022.

For some seconds after a forced deleveraging or liquidation the position, its currency and the account's
settings are frozen: how long is drawn per occasion, within the profile's bounds.
"""

from __future__ import annotations

from exchange.sim.economics.chance import between
from exchange.sim.economics.world import QUOTE, Freeze, World
from exchange.sim.model import AccountState, Reject

_WHY = {True: "auto-deleveraging (ADL)", False: "forced liquidation"}


def begin(world: World, account: AccountState, inst_id: str, adl: bool) -> None:
    low, high = world.profile.freeze_s
    seconds = between(low, high, world.seed, "freeze", account.name, inst_id, world.now_ms)
    world.frozen[account.name] = Freeze(world.now_ms + 1_000 * seconds, inst_id, adl)


def check_position(world: World, account: AccountState, inst_id: str) -> None:
    """Raise 50017 or 50020 while positions in this instrument are frozen."""
    now = _of(world, account)
    if now is not None and now.inst_id == inst_id:
        raise Reject("50017" if now.adl else "50020", f"Position frozen due to {_WHY[now.adl]}.")


def check_currency(world: World, account: AccountState, ccy: str) -> None:
    """Raise 50018 or 50021 while the settlement currency is frozen."""
    now = _of(world, account)
    if now is not None and ccy == QUOTE:
        raise Reject("50018" if now.adl else "50021", f"{ccy} frozen due to {_WHY[now.adl]}.")


def check_account(world: World, account: AccountState) -> None:
    """Raise 50019 or 50022 while the account's settings are frozen."""
    now = _of(world, account)
    if now is not None:
        raise Reject("50019" if now.adl else "50022", f"Account frozen due to {_WHY[now.adl]}.")


def _of(world: World, account: AccountState) -> Freeze | None:
    now = world.frozen.get(account.name)
    return now if now is not None and world.now_ms < now.until_ms else None
