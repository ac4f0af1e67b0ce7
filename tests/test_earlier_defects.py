"""Defects an earlier attempt at such an engine had. Each has a test that would have caught it.

Those that need more than a few lines stand where they belong: an opening past the guards in
core/test_table.py, a settlement that never runs in core/test_engine.py, exits that fire right after
opening in strategy/test_exits.py, close_all that leaves the spot leg in e2e/test_crashes.py, a dry run
that crashes in e2e/test_modes.py.
"""

from __future__ import annotations

from decimal import Decimal

from core.context import BreakerView, Context, MarketView, PermissionView, VenueHealth
from core.events import State
from core.types import (
    AccountMode,
    AccountSnapshot,
    Balance,
    Base,
    Contracts,
    OrderKind,
    Position,
)
from tests.fakes import btc

D = Decimal


def test_a_size_in_coins_is_never_read_as_contracts() -> None:
    """Half a coin once became no contract at all, after the spot order had gone."""
    swap = btc().swap
    assert swap.to_contracts(Base(D("0.5"))) == 50
    assert swap.to_base(Contracts(D(50))) == D("0.5")
    assert swap.to_contracts(Base(D("0.00009"))) == 0  # below one lot, and known before anything is sent


def test_no_order_can_be_sized_in_the_wrong_currency() -> None:
    """A spot market buy without tgtCcy is sized in USDT. There is no market order: all carry a price."""
    assert {kind.value for kind in OrderKind} == {"ioc", "post_only", "limit"}


def test_the_margin_ratio_follows_the_mark_price() -> None:
    """It once was a constant, so the guard above it never moved."""
    pair = btc()

    def ratio(mark: Decimal) -> Decimal | None:
        upl = (D(50_000) - mark) * D("0.5")
        held = Position(pair.swap.inst_id, Contracts(D(-50)), D(50_000), mark, upl, D(3))
        usdt = Balance("USDT", D(25_000), D(25_000) + upl, D(0))
        account = AccountSnapshot(
            AccountMode.FUTURES, {"USDT": usdt}, {pair.swap.inst_id: held}, D(50_000), ts_ms=0, seen_ms=0
        )
        return Context(
            now_ms=0,
            state=State.RUNNING,
            state_since_ms=0,
            permission=PermissionView(),
            markets={pair.name: MarketView(pair, mark_px=mark)},
            account=account,
            fees={},
            hedges={},
            breaker=BreakerView(),
            venue=VenueHealth(),
        ).margin_ratio

    assert ratio(D(50_000)) == 1
    assert ratio(D(60_000)) == D(20_000) / D(30_000)
    assert ratio(D(40_000)) == D(30_000) / D(20_000)
