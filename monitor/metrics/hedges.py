"""What is held: both legs of every hedge, their margin, and how long legs stood apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from core.context import HedgeView, MarketView
from core.types import Position
from monitor.figures import Figures
from monitor.metrics.metric import Metric, Read, Sample, each, one

INSTRUMENT: Final = ("instrument",)


def _of_hedges(figure: Callable[[HedgeView, MarketView | None], Decimal | int | None]) -> Read:
    def read(f: Figures) -> Iterator[Sample]:
        for hedge in f.ctx.open_hedges if f.ctx else ():
            assert f.ctx is not None
            value = figure(hedge, f.ctx.markets.get(hedge.instrument))
            if value is not None:
                yield (hedge.instrument,), value

    return read


def _of_positions(figure: Callable[[Position], Decimal | int | None]) -> Read:
    def read(f: Figures) -> Iterator[Sample]:
        if f.ctx is None or f.ctx.account is None:
            return
        for name, market in f.ctx.markets.items():
            position = f.ctx.account.positions.get(market.pair.swap.inst_id)
            if position is not None and (value := figure(position)) is not None:
                yield (name,), value

    return read


def _worth(coins: Decimal, market: MarketView | None) -> Decimal | None:
    return coins * market.mark_px if market is not None and market.mark_px is not None else None


def _delta_ratio(hedge: HedgeView, _: MarketView | None) -> Decimal:
    return hedge.net_delta / hedge.size


def _delta_usdt(f: Figures) -> Iterator[Sample]:
    if f.ctx is not None:
        worth = [_worth(h.net_delta, f.ctx.markets.get(h.instrument)) for h in f.ctx.open_hedges]
        yield (), sum((one for one in worth if one is not None), Decimal(0))


def _held_seconds(f: Figures) -> Iterator[Sample]:
    for hedge in f.ctx.open_hedges if f.ctx else ():
        yield (hedge.instrument,), max(0, f.now_ms - hedge.opened_ms) / 1000


def _to_liquidation(position: Position) -> Decimal | None:
    return position.liq_px / position.mark_px - 1 if position.liq_px and position.mark_px else None


def _thresholds(f: Figures) -> Iterator[Sample]:
    yield ("rebalance",), f.thresholds.rebalance_below
    yield ("emergency",), f.thresholds.emergency_below


def _naked(f: Figures) -> Iterator[Sample]:
    names = list(f.ctx.markets) if f.ctx else []
    for name in dict.fromkeys((*names, *f.naked.standing)):
        since_ms = f.naked.standing.get(name)
        yield (name,), 0 if since_ms is None else max(0, f.now_ms - since_ms) / 1000


HEDGE_METRICS: Final = (
    Metric("hedges", "gauge", "Hedges held.", lambda f: one(len(f.ctx.open_hedges) if f.ctx else None)),
    Metric("hedge_spot_coins", "gauge", "Coins the hedge owns.", _of_hedges(lambda h, _: h.spot_base),
           INSTRUMENT),
    Metric("hedge_short_coins", "gauge", "Contracts held short, in coins.",
           _of_hedges(lambda h, _: h.short_base), INSTRUMENT),
    Metric("hedge_notional_usdt", "gauge", "The larger leg at mark price.",
           _of_hedges(lambda h, m: _worth(h.size, m)), INSTRUMENT),
    Metric("hedge_net_delta_coins", "gauge", "Spot coins minus short coins.",
           _of_hedges(lambda h, _: h.net_delta), INSTRUMENT),
    Metric("hedge_net_delta_ratio", "gauge", "Net delta as a fraction of the hedge's notional, signed.",
           _of_hedges(_delta_ratio), INSTRUMENT),
    Metric("net_delta_usdt", "gauge", "Net delta of all hedges at mark price.", _delta_usdt),
    Metric("hedge_pnl_usdt", "gauge", "What the hedge has earned since its opening, costs off.",
           _of_hedges(lambda h, _: h.pnl), INSTRUMENT),
    Metric("hedge_funding_usdt", "gauge", "Funding the hedge has received since its opening.",
           _of_hedges(lambda h, _: h.funding), INSTRUMENT),
    Metric("hedge_settlements", "gauge", "Settlements the hedge has been through.",
           _of_hedges(lambda h, _: h.settlements), INSTRUMENT),
    Metric("hedge_held_seconds", "gauge", "How long the hedge has been held.", _held_seconds, INSTRUMENT),
    Metric("hedge_liquidation_distance_ratio", "gauge", "How far the mark price may rise before the venue "
           "takes the short over, by the venue's own liquidation price.", _of_positions(_to_liquidation),
           INSTRUMENT),
    Metric("hedge_venue_margin_ratio", "gauge", "The venue's own margin ratio of the position: liquidation "
           "at 1.", _of_positions(lambda p: p.mgn_ratio), INSTRUMENT),
    Metric("hedge_adl_rank", "gauge", "Place of the short in the venue's queue for forced deleveraging, 0 to "
           "5, 5 is first in line.", _of_positions(lambda p: p.adl_rank), INSTRUMENT),
    Metric("margin_ratio", "gauge", "Equity that backs the swaps / their notional at mark: 1 is unlevered, "
           "0.33 is 3x. The account's: in cross margin all hedges share it. Absent without a swap.",
           lambda f: one(f.ctx.margin_ratio if f.ctx else None)),
    Metric("margin_ratio_threshold", "gauge", "Below which the engine acts: `rebalance` tops up or shrinks, "
           "`emergency` unwinds everything.", _thresholds, ("action",)),
    Metric("venue_margin_ratio", "gauge", "The venue's own margin ratio of the account: liquidation at 1.",
           lambda f: one(f.ctx.account.mgn_ratio if f.ctx and f.ctx.account else None)),
    Metric("naked_seconds", "gauge", "How long an instrument's legs have been apart by a lot or more; 0 "
           "while they are equal.", _naked, INSTRUMENT),
    Metric("naked_spell_seconds", "histogram", "Times in which legs stood apart, by the venue's instants, "
           "since the first start; their sum is all naked time.", lambda f: one(f.naked.lasted_s)),
    Metric("repair_seconds", "histogram", "From the moment the engine knew of unequal legs to their being "
           "equal again.", lambda f: one(f.naked.repairs_s)),
    Metric("repair_deadline_seconds", "gauge", "Within which a naked leg must be hedged or gone.",
           lambda f: one(f.thresholds.repair_deadline_s)),
    Metric("unresolved_orders", "gauge", "Orders whose outcome is not known and is being asked for.",
           lambda f: one(f.ctx.unresolved_orders if f.ctx else None)),
    Metric("orders_total", "counter", "Orders of this process by how they ended: `filled`, `partial`, "
           "`canceled` unfilled, `refused` by the venue, `denied` by our own guards, `absent` never arrived.",
           lambda f: f.meters.orders.read().items(), ("outcome", "leg")),
    Metric("order_stage_seconds", "histogram", "`work` decision to execution, `wire` order wanted to handed "
           "to the network (guards, disk); from the wire on `ack` the REST answer, `push` the first word on "
           "the stream, `fill` the first execution.", lambda f: each(f.meters.stages_s.read()), ("stage",)),
)  # fmt: skip
