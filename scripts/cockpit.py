"""The daemon's HTTP API: what of the engine the web may see, and how its commands reach it.

A command goes the way of every operator's: a file in the data folder and the doorbell, so that it is the
same fact in the journal wherever it came from, and waits while the engine is busy or restarts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from config.monitor import Web
from config.schema import Settings
from config.secrets import Secrets
from core.errors import UsageError
from core.facts import Kind
from core.journal import FILE_NAME as JOURNAL
from core.ports import Clock, Notifier
from monitor.figures import Figures
from monitor.logs import FILE_NAME as LOG_FILE
from monitor.status import Status
from monitor.web.answers import Form, Reconfigured
from monitor.web.audit import Refusals
from monitor.web.door import Refusal
from scripts.commands import Command, Verb, send
from scripts.compose import App
from scripts.reconfiguration import APPLIES, Reconfiguration
from scripts.version import VERSION

# Whose things are whose is told on the host; a change of the configuration has a question of its own.
SAID_BY_WEB: Final = frozenset(Verb) - {Verb.ADOPT, Verb.REFUSE, Verb.CONFIGURE}
TAIL_BYTES: Final = 1_000_000  # of the log file, at most, to answer one question
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class EngineDesk:
    """Implements monitor.web.desk.Desk for the engine of one data folder."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        status: Callable[[], Status | None],
        changes: Reconfiguration,
        figures: Callable[[], Figures | None] = lambda: None,
    ) -> None:
        self._folder, self._settings, self._status = folder, settings, status
        self._changes, self._figures = changes, figures

    def status(self) -> Status | None:
        return self._status()

    def figures(self) -> Figures | None:
        return self._figures()

    def settings(self) -> Mapping[str, Any]:
        return self._settings.model_dump(mode="json")

    def form(self) -> Form:
        return self._changes.form()

    def configure(self, version: int, changes: Mapping[str, str | None], reason: str) -> Reconfigured:
        proposal = self._changes.propose(version, changes)
        send(self._folder, Command(Verb.CONFIGURE, f"{reason} (web)", "", version, changes))
        return Reconfigured(proposal.overlay.version, proposal.diff, APPLIES)

    def command(self, verb: str, reason: str, instrument: str = "") -> None:
        if verb not in SAID_BY_WEB:
            allowed = ", ".join(sorted(SAID_BY_WEB))
            raise UsageError(f"command {verb!r}: allowed are {allowed}")
        send(self._folder, Command(Verb(verb), f"{reason} (web)", instrument))

    def log_lines(self, most: int) -> Sequence[str]:
        try:
            with (self._folder / "logs" / LOG_FILE).open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - TAIL_BYTES))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return ()
        whole = lines if size <= TAIL_BYTES else lines[1:]
        return whole[-most:]


def check_web(web: Web, secrets: Secrets) -> None:
    """Raises UsageError where others could reach a page that asks for no token."""
    if web.enabled and not web.is_private and secrets.web_token is None:
        raise UsageError(
            f"monitor.yaml web.host {web.host}: beyond this host (127.0.0.1, ::1) "
            "WEB_TOKEN (or its _FILE) is needed"
        )


def journal_refusals(app: App, refusals: Refusals, clock: Clock) -> Callable[[], None]:
    """Write who was turned away whenever the engine comes round; return what writes the rest at its end."""

    def write(is_last: bool) -> None:
        for body in refusals.due(is_last):
            app.journal.append(Kind.NOTE, clock.now_ms(), body)

    def come_round(before: Callable[[], None] = app.engine.on_round) -> None:
        before()
        write(False)

    app.engine.on_round = come_round
    return lambda: write(True)


@contextmanager
def open_web(
    web: Web,
    secrets: Secrets,
    desk: EngineDesk,
    folder: Path,
    notifier: Notifier,
    redact: Callable[[str], str],
    on_url: Callable[[str], None],
    refusals: Refusals,
) -> Iterator[None]:
    """While inside, visitors may come. A port that cannot be had is told, and keeps nobody from trading.

    on_url    is told where the page is.
    refusals  counts who is turned away; the log has the first of each kind.
    """
    from monitor.web.serving import serve_web  # its libraries take half a second: only for who has a page

    token = secrets.web_token.get_secret_value() if secrets.web_token else None
    log = structlog.get_logger("web")

    def on_refusal(address: str, method: str, path: str, no: Refusal) -> None:
        if refusals.note(address, method, path, no):
            log.warning("refused", address=address, method=method, path=path, status=no.status, why=no.error)

    try:
        server = serve_web(
            web.host,
            web.port,
            LOCAL | {web.host} | set(web.names),
            token,
            desk,
            folder / JOURNAL,
            VERSION,
            redact,
            time.monotonic,
            on_refusal,
        )
    except UsageError as error:
        notifier.tell("trouble", "warning", {"what": "web page", "detail": str(error)})
        yield
        return
    on_url(server.url)
    try:
        yield
    finally:
        server.stop()
