"""At a glance: what the engine is doing, what it may do, and what is not as it should be."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import Final

from core.context import Permission
from core.events import State
from monitor.figures import Figures
from monitor.metrics.metric import Metric, Sample, each, flags, one


def _build(f: Figures) -> Iterator[Sample]:
    yield (f.version, f.mode, platform.python_version()), 1


def _state(f: Figures) -> Iterator[Sample]:
    if f.status is not None:
        yield from flags([state.value for state in State], f.status.state.value)


def _state_seconds(f: Figures) -> Iterator[Sample]:
    if f.status is not None:
        yield (), max(0, f.now_ms - f.status.state_since_ms) / 1000


def _permission(f: Figures) -> Iterator[Sample]:
    if f.ctx is not None:
        yield from flags([level.name for level in Permission], f.ctx.permission.level.name)


def _permission_seconds(f: Figures) -> Iterator[Sample]:
    if f.ctx is not None and f.ctx.permission.since_ms:
        yield (), max(0, f.now_ms - f.ctx.permission.since_ms) / 1000


def _causes(f: Figures) -> Iterator[Sample]:
    if f.ctx is not None:
        for cause, view in sorted(f.ctx.causes.items()):
            yield (cause, view.level.name), 1


def _conditions(f: Figures) -> Iterator[Sample]:
    for condition in f.status.warnings if f.status else ():
        yield (condition.name, condition.level), 1


def _condition_seconds(f: Figures) -> Iterator[Sample]:
    for condition in f.status.warnings if f.status else ():
        yield (condition.name,), max(0, f.now_ms - condition.since_ms) / 1000


def _picture_age(f: Figures) -> Iterator[Sample]:
    if f.ctx is not None:
        yield (), max(0, f.now_ms - f.ctx.now_ms) / 1000


STATE_METRICS: Final = (
    Metric("build_info", "gauge", "Always 1; what is running, in the labels.", _build,
           ("version", "mode", "python")),
    Metric("state", "gauge", "1 for the state the engine is in, 0 for every other.", _state, ("state",)),
    Metric("state_seconds", "gauge", "How long it has been in that state.", _state_seconds),
    Metric("permission", "gauge", "1 for the permission in force, 0 for every other.", _permission,
           ("permission",)),
    Metric("permission_seconds", "gauge", "How long a lowered permission has been in force.",
           _permission_seconds),
    Metric("permission_cause", "gauge", "1 for every cause that lowers the permission now; `level` is what "
           "it allows at most.", _causes, ("cause", "level")),
    Metric("condition", "gauge", "1 for every health condition that holds now; `level` is info, warning or "
           "critical.", _conditions, ("condition", "level")),
    Metric("condition_seconds", "gauge", "How long a health condition has held.", _condition_seconds,
           ("condition",)),
    Metric("breaker_tripped", "gauge", "1 while the circuit breaker is open.",
           lambda f: one(int(bool(f.ctx.breaker.tripped)) if f.ctx else None)),
    Metric("losing_rounds", "gauge", "Losing rounds in a row, as the breaker counts them.",
           lambda f: one(f.ctx.breaker.losing_rounds if f.ctx else None)),
    Metric("repairs_in_a_row", "gauge", "Repairs in a row that did not make the legs equal; three end in "
           "STOPPED.", lambda f: one(f.ctx.repairs if f.ctx else None)),
    Metric("picture_age_seconds", "gauge", "Age of the picture the other gauges are read from, on the "
           "engine's clock: it takes one every few seconds and at every event.", _picture_age),
    Metric("scans_total", "counter", "Scans decided by this process.", lambda f: one(f.done.scans)),
    Metric("opens_total", "counter", "Hedges opened by this process.", lambda f: one(f.done.opens)),
    Metric("closes_total", "counter", "Hedges closed by this process.", lambda f: one(f.done.closes)),
    Metric("rebalances_total", "counter", "Adjustments by this process: margin, size, legs.",
           lambda f: one(f.done.rebalances)),
    Metric("ticks_dropped_total", "counter", "Ticks that found the machine busy and were dropped.",
           lambda f: one(f.done.dropped)),
    Metric("breaches_total", "counter", "Breaches by which this process began to unwind everything.",
           lambda f: one(f.done.breaches)),
    Metric("queue_depth", "gauge", "What waits in a queue: `mailbox` events, `jobs` for execution, `errands` "
           "beside the consumer.", lambda f: each(f.queues), ("queue",)),
)  # fmt: skip
