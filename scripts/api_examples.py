"""Write monitor/web/examples.json: what the API really answers about a day of the engine. Run by `make docs`.

The day is played from a seed, so the examples change only with the code they come from. Lists are cut to
their first entry, long mappings to their first two.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI

from config.schema import Instruments, Settings
from core.context import Context
from core.events import Decision, On
from core.journal import FILE_NAME
from core.types import DAY_MS
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import START_MS
from monitor.figures import Figures
from monitor.status import Status, Totals, build_status
from monitor.web.answers import Form, Reconfigured
from monitor.web.api import build_api
from monitor.web.archive import Archive
from monitor.web.examples import FILE, UNTOLD
from monitor.web.library import Library
from scripts.backtest.command import PROFILE
from scripts.backtest.stage import play
from scripts.compose import App
from scripts.market import market_of
from scripts.reconfiguration import Reconfiguration
from scripts.version import VERSION

ROOT: Final = Path(__file__).resolve().parents[1]
PAIRS: Final = ("BTC-USDT", "ETH-USDT")
SEED: Final = 7  # the demo's
SHOWN: Final = 4  # decisions
LINE: Final = '{"at":"2026-01-05T00:15:02.000Z","level":"info","event":"message topic=opened"}'
ASKED: Final[Mapping[str, Mapping[str, str]]] = {
    "/api/moment": {"at_ms": str(START_MS + DAY_MS // 2)},
    "/api/decisions": {"moved": "true"},
    "/api/journal": {"kind": "fill"},
}
SAID: Final[Mapping[str, Mapping[str, Any]]] = {
    "/api/halt": {"reason": "I leave for two weeks", "confirm": "HALT"},
    "/api/positions/{instrument}/close": {"reason": "too crowded", "confirm": "BTC-USDT"},
    "/api/config": {
        "reason": "calmer",
        "version": 0,
        "changes": {"strategy.exit.cooldown_hours": "12"},
    },
}


class Day:
    """A day of the engine, seen as a visitor sees it. Implements monitor.web.desk.Desk."""

    def __init__(self, folder: Path) -> None:
        self._settings = Settings(instruments=Instruments(instruments=PAIRS))
        self._changes = Reconfiguration(ROOT / "config", folder)
        self._seen: tuple[Context, tuple[Decision, ...]] | None = None
        venue = Exchange(market_of(None, SEED, PAIRS, None, None, None), SEED, profile=PROFILE)
        play(venue, self._settings, folder, self._watch, for_ms=DAY_MS)

    def _watch(self, app: App) -> None:
        def on_decision(ctx: Context, decision: Decision) -> None:
            before = self._seen[1] if self._seen else ()
            is_shown = decision.moved or decision.on is On.SCAN
            self._seen = (ctx, (*before, decision)[-SHOWN:] if is_shown else before)

        app.engine.listeners.append(on_decision)

    def status(self) -> Status | None:
        assert self._seen is not None, "a day has decisions"
        return build_status(self._seen[0], "demo", Totals(), self._seen[1])

    def figures(self) -> Figures | None:
        return None

    def settings(self) -> Mapping[str, Any]:
        return self._settings.model_dump(mode="json")

    def form(self) -> Form:
        return self._changes.form()

    def configure(self, version: int, changes: Mapping[str, str | None], reason: str) -> Reconfigured:
        proposal = self._changes.propose(version, changes)
        return Reconfigured(proposal.overlay.version, proposal.diff, self._changes.form().applies)

    def command(self, verb: str, reason: str, instrument: str = "") -> None:
        """The day is over: nobody hears."""

    def log_lines(self, most: int) -> Sequence[str]:
        return (LINE,)


async def examples(api: FastAPI) -> dict[str, dict[str, Any]]:
    """Path -> method -> what was answered."""
    found: dict[str, dict[str, Any]] = {}
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8788") as client:
        for path, methods in api.openapi()["paths"].items():
            for method in methods:
                if path in UNTOLD:
                    continue
                where = path.replace("{instrument}", PAIRS[0])
                body = SAID.get(path, {"reason": "I leave"}) if method == "post" else None
                answer = await client.request(method, where, params=ASKED.get(path), json=body)
                answer.raise_for_status()
                found.setdefault(path, {})[method] = cut(answer.json())
    return found


def cut(told: Any) -> Any:
    """As much of an answer as shows its shape."""
    match told:
        case dict() if len(told) > 1 and ("$defs" in told or "properties" in told):  # a schema of its own
            return {key: told[key] for key in ("title", "type") if key in told}
        case dict():
            keys = [key for n, key in enumerate(told) if n < 2 or (key.isidentifier() and not key.isupper())]
            return {key: cut(told[key]) for key in keys}
        case list():
            return [cut(one) for one in told[:1]] if told and isinstance(told[0], dict | list) else told
    return told


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="examples-") as folder:
        journal = Path(folder) / FILE_NAME
        api = build_api(Day(Path(folder)), Library(journal), Archive(journal), VERSION)
        told = asyncio.run(examples(api))
    FILE.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
