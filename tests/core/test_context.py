"""What is worked out once, and for which context."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.context import Context
from core.events import Plan
from core.types import ZERO, Side
from core.verdict import Verdict
from risk.measures import Opening, opening_of
from tests.risk import scenes


def test_a_figure_is_worked_out_once_for_a_context() -> None:
    asked: list[Context] = []

    def work(ctx: Context) -> None:  # even when there is nothing to tell
        asked.append(ctx)

    ctx = scenes.scene(plan=scenes.opening())
    ctx.once(work)
    ctx.once(work)
    assert len(asked) == 1
    assert ctx.margin_ratio is ctx.margin_ratio
    assert opening_of(ctx) is opening_of(ctx)


def test_a_changed_context_knows_nothing_of_the_one_it_was_made_from() -> None:
    ctx = scenes.scene(plan=scenes.opening("0.2"))
    before, equity, hedges = opening_of(ctx), ctx.backing_equity, ctx.open_hedges
    other = ctx.with_plan(scenes.opening("0.1"))
    after = opening_of(other)
    assert isinstance(before, Opening) and isinstance(after, Opening)
    assert after.contracts < before.contracts
    assert opening_of(ctx.with_plan(Plan())) is None
    assert (replace(ctx, account=None).backing_equity, ctx.backing_equity) == (ZERO, equity)
    assert (replace(ctx, hedges={}).open_hedges, ctx.open_hedges) == ((), hedges)


def test_what_is_known_already_does_not_tell_two_contexts_apart() -> None:
    asked, fresh = scenes.scene(), scenes.scene()
    assert asked.swap_notional >= 0
    assert asked == fresh


@given(st.sampled_from(Side), st.decimals(Decimal(0), Decimal(40), places=1))
def test_depth_is_every_level_up_to_the_band_and_none_beyond(side: Side, bps: Decimal) -> None:
    book = scenes.book("BTC-USDT", Decimal(50_000), Decimal(2))
    reach = book.mid * bps / 10_000
    levels = book.asks if side is Side.BUY else book.bids
    within = [size for price, size in levels if abs(price - book.mid) <= reach]
    assert book.depth_within(side, bps) == sum(within)


def test_verdicts_of_other_figures_are_other_verdicts_though_they_hash_alike() -> None:
    one, two = (Verdict(True, "liquid", "well", (("depth_usdt", Decimal(n)),)) for n in (1, 2))
    assert hash(one) == hash(two) and one != two
    assert list(dict.fromkeys((one, two, one))) == [one, two]
