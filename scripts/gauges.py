"""What of a running engine is measured: read by the web's thread, so nothing here waits or changes anything.

Frozen pictures are taken as they are; of what the engine goes on writing only counters are read, and copies
that one instruction makes.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

from config.schema import Settings
from core.context import Context
from core.journal import SqliteJournal
from core.naked import NakedTimes
from monitor.figures import ChannelFigures, Done, Figures, JournalFigures, Naked, Safekeeping, Thresholds
from monitor.notifier import QueueNotifier
from scripts.backup import FOLDER, MANIFEST
from scripts.compose import App
from scripts.course import capture_of
from scripts.version import VERSION
from scripts.watch import Watch


class Gauges:
    """`figures` may be called from any thread.

    folder  of the books.
    parts   the engine and who looks over its shoulder, None before it is put together.
    wall_s  the machine's own clock: files are dated by it.
    """

    def __init__(
        self,
        settings: Settings,
        mode: str,
        folder: Path,
        notifier: QueueNotifier,
        parts: Callable[[], tuple[App, Watch] | None],
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        risk = settings.risk
        self._mode, self._notifier, self._parts = mode, notifier, parts
        self._folder, self._wall_s = folder, wall_s
        copies = settings.monitor.backup.folder
        self._copies = Path(copies) if copies else folder / FOLDER
        self._thresholds = Thresholds(
            rebalance_below=risk.margin.rebalance_below,
            emergency_below=risk.margin.emergency_below,
            repair_deadline_s=float(risk.execution.repair_deadline_s),
            max_latency_s=risk.exchange.max_latency_ms / 1000,
            max_data_age_s=float(risk.degradation.max_data_age_s),
        )
        self._captured: tuple[int, Mapping[str, Decimal]] = (-1, {})

    def figures(self) -> Figures | None:
        """Everything that is measured; None before the engine is put together."""
        parts = self._parts()
        if parts is None:
            return None
        app, watch = parts
        ctx, now_ms, totals = app.lookout.seen, app.engine.pulse.now_ms(), app.engine.totals
        return Figures(
            now_ms=now_ms,
            version=VERSION,
            mode=self._mode,
            thresholds=self._thresholds,
            meters=app.meters,
            naked=_naked(app.naked),
            journal=_journal(app.journal, now_ms),
            done=Done(
                scans=totals.scans,
                opens=totals.opens,
                closes=totals.closes,
                rebalances=totals.rebalances,
                dropped=totals.dropped,
                breaches=len(app.engine.violations),
                frames=app.streams.frames,
            ),
            status=watch.status(),
            ctx=ctx,
            loop=watch.loop,
            safe=safekeeping(self._folder, self._copies, self._wall_s()),
            money=watch.money,
            capture=self._capture(app, ctx),
            queues=app.engine.waiting,
            channels=tuple(
                ChannelFigures(c.channel.name, len(c.outbox), c.delivered, c.undelivered, c.is_open)
                for c in self._notifier.couriers
            ),
        )

    def _capture(self, app: App, ctx: Context | None) -> Mapping[str, Decimal]:
        """Worked out anew when something was traded or settled since."""
        if ctx is None or not app.books.boots_ms:
            return {}
        trades, since_ms = app.books.ledger.trades.copy(), app.books.boots_ms[0]
        settled = {
            name: [one for one in market.settled if one.ts_ms >= since_ms]
            for name, market in ctx.markets.items()
        }
        seen = len(trades) + sum(len(rows) for rows in settled.values())
        if seen != self._captured[0]:
            found = {
                name: capture_of([one for one in trades if one.instrument == name], rows).ratio
                for name, rows in settled.items()
            }
            self._captured = (seen, {name: ratio for name, ratio in found.items() if ratio is not None})
        return self._captured[1]


def safekeeping(folder: Path, copies: Path, wall_s: float) -> Safekeeping | None:
    """A folder's disk and its youngest backup, the timer's included; None when the disk cannot be asked."""
    try:
        disk = shutil.disk_usage(folder)
        made = [path.stat().st_mtime for path in copies.rglob(MANIFEST)]
    except OSError:  # a folder that is gone is the journal's alarm, not a scraper's error
        return None
    return Safekeeping(disk.free, disk.total, max(0.0, wall_s - max(made)) if made else None)


def _naked(naked: NakedTimes) -> Naked:
    return Naked(naked.standing(), naked.lasted_s.read(), naked.repairs_s.read())


def _journal(journal: SqliteJournal, now_ms: int) -> JournalFigures:
    oldest_ms = journal.oldest_ms
    return JournalFigures(
        rows=journal.seq,
        waiting=journal.lag,
        lag_s=0.0 if oldest_ms is None else max(0, now_ms - oldest_ms) / 1000,
        commits_s=journal.commits_s.read(),
        failed=journal.failed is not None,
        on_reserve=journal.on_reserve,
    )
