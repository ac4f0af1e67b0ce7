"""Door, pages, API and thread put together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitor.web.api import build_api
from monitor.web.archive import Archive
from monitor.web.desk import Desk
from monitor.web.door import Door, Refusal, Rules
from monitor.web.library import Library
from monitor.web.pages import Pages
from monitor.web.server import WebServer


def serve_web(
    host: str,
    port: int,
    names: frozenset[str] | set[str],
    token: str | None,
    desk: Desk,
    journal: Path,
    version: str,
    redact: Callable[[str], str],
    now_s: Callable[[], float],
    on_refusal: Callable[[str, str, str, Refusal], None],
) -> WebServer:
    """Serve until `stop`. Raises UsageError when the address cannot be had."""

    def build() -> Any:
        api = build_api(desk, Library(journal), Archive(journal), version, redact)
        rules = Rules(frozenset(name.lower() for name in names), token)
        return Door(Pages(api), rules, now_s, on_refusal)

    server = WebServer(build, host, port)
    server.start()
    return server
