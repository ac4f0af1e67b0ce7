"""The best sets through the whole engine: the same backtest as `main.py backtest`, each set in its turn."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.schema import Settings, Strategy
from monitor.summary import summary
from scripts.backtest import command as backtest
from scripts.backtest.command import BacktestOptions
from scripts.sweep.pool import local
from scripts.sweep.space import Values, as_text

Task = tuple[int, Strategy]


@dataclass(frozen=True, slots=True)
class Engine:
    """What is played: the tape and everything of the settings but the strategy. `out` None keeps no files."""

    options: BacktestOptions
    settings: Settings
    out: Path | None

    def __call__(self, task: Task) -> dict[str, Any]:
        """Play one set; return the summary of its run."""
        place, strategy = task
        settings = self.settings.model_copy(update={"strategy": strategy})
        if self.out is None:
            with tempfile.TemporaryDirectory(prefix="confirm-") as passing:
                return summary(backtest.run(self.options, settings, Path(passing)).facts)
        folder = self.out / f"confirmed-{place + 1}"
        shutil.rmtree(folder, ignore_errors=True)  # of the same sweep, which was cut short or goes on
        folder.mkdir()
        outcome = backtest.run(self.options, settings, folder)
        backtest.write(outcome, folder)
        return summary(outcome.facts)


def confirmed(
    engine: Engine, sets: Sequence[Values], strategy_of: Callable[[Values], Strategy], workers: int
) -> tuple[dict[str, Any], ...]:
    """Play these sets, on this machine; in their order, with what each came to. Raises EngineError."""
    tasks = [(n, strategy_of(values)) for n, values in enumerate(sets)]
    if not tasks:
        return ()
    most = min(workers, len(tasks))
    with closing(local(engine, most)) as runner:
        done = dict(runner.run(tasks))
    return tuple({"set": as_text(values), "summary": done[n]} for n, values in enumerate(sets))
