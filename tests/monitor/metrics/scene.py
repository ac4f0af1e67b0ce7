"""Figures of a realistic engine: two hedges, one with its legs apart, and counters that have counted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

from core.context import Context, Permission, PermissionView, Rounds
from core.meters import LINE_BOUNDS_S, Histogram, Meters
from core.tally import Terms
from monitor.figures import (
    ChannelFigures,
    Done,
    Figures,
    JournalFigures,
    LoopFigures,
    Naked,
    Safekeeping,
    Thresholds,
)
from monitor.health_check import Condition
from monitor.status import TaskLine, build_status
from tests.monitor import samples


def reading(*values: float) -> Histogram:
    histogram = Histogram(LINE_BOUNDS_S)
    for value in values:
        histogram.add(value)
    return histogram


def context() -> Context:
    reduced = PermissionView(Permission.REDUCE_ONLY, "a leg stands alone", samples.NOW_MS - 4_000)
    ctx = samples.context(permission=reduced, causes={"broken hedge": reduced})
    assert ctx.account is not None
    short = ctx.account.positions["BTC-USDT-SWAP"]
    short = replace(short, liq_px=D(130_000), mgn_ratio=D(12), adl_rank=2)
    positions = {**ctx.account.positions, short.inst_id: short}
    return replace(
        ctx,
        account=replace(ctx.account, positions=positions, mgn_ratio=D(12)),
        breaker=replace(ctx.breaker, peak_equity=D("100500")),
        venue=replace(ctx.venue, rounds=Rounds(usdt_usd=D("0.9998"), drift_ms_day=D(86))),
    )


def figures(**changes: object) -> Figures:
    """A busy moment; name what should be different."""
    ctx, now_ms, meters = context(), samples.NOW_MS + 2_000, Meters()
    meters.stages_s.add("ack", 0.04)
    meters.stages_s.add("ack", 0.3)
    meters.orders.add("filled", "spot", amount=3)
    meters.rest_s.add("order", 0.03)
    meters.answers.add("order", "rejected")
    meters.throttle_s.add("order", amount=0.5)
    meters.pushes_s.add("books", 0.012)
    conditions = (
        Condition("unhedged", "critical", samples.NOW_MS - 3_000, "a leg of BTC-USDT stands unhedged"),
    )
    tasks = (TaskLine("consumer", 0, False, False), TaskLine("worker", 2_500, False, False))
    told = Figures(
        now_ms=now_ms,
        version="0.1.0",
        mode="demo",
        thresholds=Thresholds(D("0.8"), D("0.5"), 5.0, 0.5, 75.0),
        meters=meters,
        naked=Naked({"BTC-USDT": now_ms - 1_500}, reading(0.2, 0.4).read(), reading(0.1).read()),
        journal=JournalFigures(174, 2, 0.25, reading(0.001).read(), False, False),
        done=Done(612, 2, 0, 3, 1, 0, 3_411),
        status=build_status(ctx, "demo", samples.TOTALS, samples.DECISIONS, conditions, tasks),
        ctx=ctx,
        safe=Safekeeping(free_bytes=25, size_bytes=100, backup_age_s=3_600.0),
        loop=LoopFigures(0.0003, reading(0.0003).read(), 0, ("journal",), ()),
        money={
            "BTC-USDT": Terms(funding=D("43.21"), basis=D("-3.5"), fees=D("18.02"), slippage=D("1.1")),
            "": Terms(other=D("-0.5")),
        },
        capture={"BTC-USDT": D("0.87")},
        queues={"mailbox": 1, "jobs": 0, "errands": 2},
        channels=(ChannelFigures("telegram", 4, 120, 1, True),),
    )
    return replace(told, **changes)  # type: ignore[arg-type]
