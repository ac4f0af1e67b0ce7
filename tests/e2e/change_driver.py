"""A daemon whose operator changes the configuration at the n-th row of funding, and lets it run on.

python tests/e2e/change_driver.py N URL FOLDER KEY=VALUE...
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.facts import Kind, Row
from scripts.commands import Command, Verb, send
from scripts.compose import App
from scripts.daemon import run_daemon
from scripts.options import RunOptions
from scripts.reconfiguration import changes_of

FOR_MS = 10 * 3_600_000


def main(count: str, url: str, folder: str, *changes: str) -> None:
    left = int(count)
    config = Path(folder) / "config"
    file = config / "strategy.yaml"

    def watch(app: App) -> None:
        def on_row(row: Row) -> None:
            nonlocal left
            left -= row.kind is Kind.BILL and row.body["bill"]["kind"] == "funding"
            if left == 0:
                left = -1
                text = file.read_text()
                file.write_text(text.replace("horizon_hours: 720", "horizon_hours: 700"))
                send(Path(folder), Command(Verb.CONFIGURE, "a test", "", 0, changes_of(changes)))

        app.journal.listeners.append(on_row)

    options = RunOptions(speed=None, venue=url, data=Path(folder), config=config, for_ms=FOR_MS, json=True)
    run_daemon(options, watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
