"""The engine's own machinery: decisions, journal, event loop, tasks, messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from monitor.figures import ChannelFigures, Figures
from monitor.metrics.metric import Metric, Read, Sample, each, one


def _of_channels(figure: Callable[[ChannelFigures], int]) -> Read:
    def read(f: Figures) -> Iterator[Sample]:
        for channel in f.channels:
            yield (channel.name,), figure(channel)

    return read


def _ailing(f: Figures) -> Iterator[Sample]:
    if f.loop is not None:
        yield ("dead",), len(f.loop.dead)
        yield ("stuck",), len(f.loop.stuck)


def _disk_used(f: Figures) -> Iterator[Sample]:
    if f.safe is not None and f.safe.size_bytes:
        yield (), 1 - f.safe.free_bytes / f.safe.size_bytes


def _at_work(f: Figures) -> Iterator[Sample]:
    for task in f.status.tasks if f.status else ():
        yield (task.name,), task.age_ms / 1000


MACHINERY_METRICS: Final = (
    Metric("decision_seconds", "histogram", "From taking an event to its decision being in the journal's "
           "queue and told to every listener, by event; the machine's own time.",
           lambda f: each(f.meters.decisions_s.read()), ("event",)),
    Metric("journal_rows_total", "counter", "Rows of the journal, all processes together.",
           lambda f: one(f.journal.rows)),
    Metric("journal_waiting_rows", "gauge", "Rows that are not on the disk yet.",
           lambda f: one(f.journal.waiting)),
    Metric("journal_lag_seconds", "gauge", "Age of the oldest row that is not on the disk yet.",
           lambda f: one(f.journal.lag_s)),
    Metric("journal_commit_seconds", "histogram", "How long a transaction took, fsync included.",
           lambda f: one(f.journal.commits_s)),
    Metric("journal_failed", "gauge", "1 while the journal cannot be written.",
           lambda f: one(int(f.journal.failed))),
    Metric("journal_on_reserve", "gauge", "1 while the disk is full and the journal lives on its reserve.",
           lambda f: one(int(f.journal.on_reserve))),
    Metric("disk_free_bytes", "gauge", "Room left on the disk of the data folder.",
           lambda f: one(f.safe.free_bytes if f.safe else None)),
    Metric("disk_used_ratio", "gauge", "How full that disk is, a fraction.", _disk_used),
    Metric("backup_age_seconds", "gauge", "Age of the youngest copy of the books; absent without one.",
           lambda f: one(f.safe.backup_age_s if f.safe else None)),
    Metric("loop_lag_seconds", "gauge", "How long the event loop took to answer when asked last, once a "
           "second.", lambda f: one(f.loop.lag_s if f.loop else None)),
    Metric("loop_answer_seconds", "histogram", "Every such answer.",
           lambda f: one(f.loop.lags_s if f.loop else None)),
    Metric("loop_stalls_total", "counter", "Times the event loop did not answer for five seconds.",
           lambda f: one(f.loop.stalls if f.loop else None)),
    Metric("tasks_ailing", "gauge", "Parts of the engine that are `dead` or `stuck`.", _ailing, ("how",)),
    Metric("task_work_seconds", "gauge", "How long a task has been at its present piece of work.", _at_work,
           ("task",)),
    Metric("messages_waiting", "gauge", "Messages in the outbox of a channel.",
           _of_channels(lambda c: c.waiting), ("channel",)),
    Metric("messages_delivered_total", "counter", "Messages a channel took.",
           _of_channels(lambda c: c.delivered), ("channel",)),
    Metric("messages_undelivered_total", "counter", "Messages that were given up; they are in the log.",
           _of_channels(lambda c: c.undelivered), ("channel",)),
    Metric("channel_down", "gauge", "1 while deliveries of a channel keep failing.",
           _of_channels(lambda c: int(c.down)), ("channel",)),
)  # fmt: skip
