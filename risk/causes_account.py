"""Causes that lie with the account: somebody or the venue changed a rule the engine relies on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from config.schema import MAX_LEVERAGE
from core.context import Context, Permission
from core.ladder import Finding
from core.types import ZERO
from core.verdict import Figures

FULL, NO_NEW_RISK, REDUCE_ONLY = Permission.FULL, Permission.NO_NEW_RISK, Permission.REDUCE_ONLY
SAFE_MODES: Final = ("futures", "multi")


def account_findings(ctx: Context) -> Iterator[Finding]:
    yield _position_mode(ctx)
    yield _account_mode(ctx)
    yield _loan(ctx)
    yield _leverage(ctx)
    yield _isolated(ctx)
    yield _contract_rules(ctx)


def _position_mode(ctx: Context) -> Finding:
    """Net mode is what the engine counts in. In long/short mode closing goes on, with the side named."""
    config = ctx.venue.rounds.config
    changed = config is not None and not config.net_positions
    reason = "the account is in long/short mode"
    return Finding("position_mode", NO_NEW_RISK if changed else FULL, reason, critical=True)


def _account_mode(ctx: Context) -> Finding:
    """What backs the swaps depends on it, so the margin figures of before may not hold."""
    config, agreed = ctx.venue.rounds.config, ctx.venue.rounds.agreed
    changed = config is not None and agreed is not None and config.mode is not agreed.mode
    figures: Figures = ()
    if config is not None and agreed is not None:
        figures = (("mode", config.mode.value), ("agreed_mode", agreed.mode.value))
    unfit = config is not None and config.mode.value not in SAFE_MODES
    return Finding(
        "account_mode",
        NO_NEW_RISK if changed or unfit else FULL,
        "the account mode was changed",
        figures,
        until_operator=True,
        critical=True,
    )


def _loan(ctx: Context) -> Finding:
    config = ctx.venue.rounds.config
    balances = ctx.account.balances.values() if ctx.account else ()
    owed = {b.ccy: max(abs(b.liability), -b.equity) for b in balances if b.liability or b.equity < 0}
    lends = config is not None and config.auto_loan
    figures: Figures = (("auto_loan", lends), *((f"owed_{ccy}", sum_) for ccy, sum_ in sorted(owed.items())))
    reason = "auto-loan is on" if lends and not owed else "the account owes money and pays interest"
    return Finding("loan", NO_NEW_RISK if lends or owed else FULL, reason, figures)


def _leverage(ctx: Context) -> Finding:
    """The venue's leverage setting of what is held, by its own word on the position and by asking."""
    settings = dict(ctx.venue.rounds.leverage)
    for market in ctx.markets.values():
        swap = market.pair.swap.inst_id
        position = ctx.account.positions.get(swap) if ctx.account else None
        if position is not None and position.contracts:
            settings[swap] = max(settings.get(swap, ZERO), position.leverage)
    highest = max(settings.values(), default=ZERO)
    figures: Figures = (("leverage", highest), ("max_leverage", MAX_LEVERAGE))
    level = REDUCE_ONLY if highest > MAX_LEVERAGE else FULL
    return Finding("leverage", level, "the leverage setting is above 3", figures, samples=2, critical=True)


def _isolated(ctx: Context) -> Finding:
    """A second position in one of our swaps, isolated or on the long side: not ours, not in our figures."""
    ours = {market.pair.swap.inst_id for market in ctx.markets.values()}
    strays = sorted(
        key for key, p in (ctx.account.strays.items() if ctx.account else ()) if p.inst_id in ours
    )
    figures: Figures = (("positions", ", ".join(strays)),)
    reason = "another position stands in our swap"
    return Finding("second_position", NO_NEW_RISK if strays else FULL, reason, figures, critical=True)


def _contract_rules(ctx: Context) -> Finding:
    """ctVal or a size step of what is held is not what it was: sizes made before are not to be trusted."""
    changed = ctx.venue.rounds.new_rules
    figures: Figures = tuple(sorted(changed.items()))
    return Finding(
        "contract_rules",
        NO_NEW_RISK if changed else FULL,
        "the contract of what is held was changed",
        figures,
        until_operator=True,
        critical=True,
    )
