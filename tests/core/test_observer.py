"""The same context for as long as nothing in it has changed, and another one as soon as anything has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from core.adl import AdlView
from core.context import Context, MarketView, Permission, VenueHealth
from core.events import State
from core.facts import Kind
from core.observer import Flags, Observer
from core.permission import Permissions
from core.projections import Books
from core.types import AccountSnapshot, Base, FeeRates, Pair
from tests.core.story import Story
from tests.fakes import FakeJournal
from tests.risk.scenes import FEES, NOW, market, scene

D = Decimal
NAME = "BTC-USDT"


class Clock:
    """And nobody who is told."""

    def now_ms(self) -> int:
        return NOW

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        return


@dataclass
class Scene:
    """Everything an observer looks at, each part to be changed alone."""

    markets: Mapping[str, MarketView] = field(default_factory=lambda: {NAME: market()})
    account: AccountSnapshot | None = field(default_factory=lambda: scene().account)
    books: Books = field(default_factory=Books)
    health: VenueHealth = field(default_factory=VenueHealth)
    fees: dict[str, FeeRates] = field(default_factory=lambda: {NAME: FEES})
    adl: dict[str, AdlView] = field(default_factory=dict)
    flags: Flags = field(default_factory=Flags)
    now_ms: int = NOW
    state: State = State.IDLE
    story: Story = field(default_factory=Story)

    def __post_init__(self) -> None:
        self.permissions = Permissions(FakeJournal(), Clock(), Clock())  # type: ignore[arg-type]
        self.observer = Observer(
            self,
            self,
            self.books,
            self.permissions,
            lambda: replace(self.health),
            self.fees,
            lambda: self.adl,
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.markets)

    def view(self, name: str) -> MarketView:
        return self.markets[name]

    def views(self) -> Mapping[str, MarketView]:
        return self.markets

    def pair(self, name: str) -> Pair:
        return self.markets[name].pair

    def snapshot(self) -> AccountSnapshot | None:
        return self.account

    def look(self) -> Context:
        return self.observer.look(self.now_ms, self.state, self.flags)

    # --- what may change ------------------------------------------------------------------------

    def time_passes(self) -> None:
        self.now_ms += 1

    def the_state_is_another(self) -> None:
        self.state = State.RUNNING

    def a_market_moves(self) -> None:
        self.markets = {NAME: replace(market(), mark_px=D(61_000))}

    def the_account_is_pushed(self) -> None:
        assert self.account is not None
        self.account = replace(self.account)

    def a_flag_is_set(self) -> None:
        self.flags.unexplained = "USDT"

    def something_is_booked(self) -> None:
        self.books.apply(self.story.boot({"USDT": "1000"}))

    def the_permission_is_lowered(self) -> None:
        self.permissions.lower("streams", Permission.NO_NEW_RISK, "a data stream is down")

    def the_venue_fails(self) -> None:
        self.health = VenueHealth(errors_1m=1)

    def fees_change(self) -> None:
        self.fees[NAME] = replace(FEES, spot_taker=D("0.002"))

    def a_short_comes_near_the_head_of_the_queue(self) -> None:
        self.adl = {NAME: AdlView(4, 1, NOW, NOW, Base(D(1)))}


CHANGES = (
    Scene.time_passes,
    Scene.the_state_is_another,
    Scene.a_market_moves,
    Scene.the_account_is_pushed,
    Scene.a_flag_is_set,
    Scene.something_is_booked,
    Scene.the_permission_is_lowered,
    Scene.the_venue_fails,
    Scene.fees_change,
    Scene.a_short_comes_near_the_head_of_the_queue,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_look_is_another_one_when(change: Callable[[Scene], None]) -> None:
    world = Scene()
    before = world.look()
    assert world.look() is before
    change(world)
    after = world.look()
    assert after is not before
    assert world.look() is after


def test_a_look_shows_what_has_changed() -> None:
    world = Scene()
    assert world.look().markets[NAME].mark_px != 61_000
    for change in CHANGES:
        change(world)
    ctx = world.look()
    assert (ctx.now_ms, ctx.state, ctx.unexplained) == (NOW + 1, State.RUNNING, "USDT")
    assert ctx.markets[NAME].mark_px == 61_000
    assert ctx.account is world.account
    assert ctx.equity == 1_000
    assert ctx.permission.level is Permission.NO_NEW_RISK and "streams" in ctx.causes
    assert ctx.venue.errors_1m == 1
    assert ctx.fees[NAME].spot_taker == D("0.002")
    assert ctx.adl[NAME].rank == 4


def test_what_is_only_said_changes_no_figure() -> None:
    world = Scene()
    world.something_is_booked()
    before = world.look()
    world.books.apply(world.story.add(Kind.NOTE, {"what": "notice"}))
    assert world.look() is before
