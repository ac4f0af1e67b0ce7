"""A running demo and a browser that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, Final

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.canaries import CANARIES
from tests.e2e.rig import ROOT

CHROMIUM: Final = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Nothing is expected to take as long: a machine that has other things to do may. The page itself waits up to
# 18 s before it tries a lost connection again.
PATIENCE_MS: Final = 60_000
TOKEN: Final = CANARIES["WEB_TOKEN"]
WCAG: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
# Each page, and a heading that only it has.
PAGES: Final = {
    "/": "Hedges",
    "/earnings": "From what",
    "/candidates": "Candidates",
    "/decisions": "Timeline",
    "/risk": "Circuit breaker",
    "/journal": "Orders",
    "/configuration": "account.yaml",
    "/logs": "Logs",
}


@dataclass(frozen=True, slots=True)
class Daemon:
    """A demo that trades, as its operator's own programs see it."""

    url: str
    process: subprocess.Popen[str]
    client: httpx.Client
    config: Path

    def ask(self, path: str, **parameters: Any) -> Any:
        answer = self.client.get(path, params=parameters)
        answer.raise_for_status()
        return answer.json()

    def command(self, path: str, **body: Any) -> None:
        assert self.client.post(path, json={"reason": "a test wants it", **body}).status_code == 202

    def status_when(self, holds: Any) -> dict[str, Any]:
        """The first picture on the stream of which this holds."""
        with self.client.stream("GET", "/api/stream") as news:
            for line in news.iter_lines():
                if line.startswith("data: ") and holds(seen := json.loads(line.removeprefix("data: "))):
                    found: dict[str, Any] = seen
                    return found
        raise AssertionError("the stream ended before it")

    def hold_both(self) -> None:
        """Bring it to where both instruments are held, from wherever the test before has left it."""
        self.status_when(lambda seen: seen["state"] in ("IDLE", "RUNNING", "STOPPED"))
        status = self.ask("/api/status")
        if status["state"] == "STOPPED":
            self.command("/api/resume")
        if status["causes"]:
            self.command("/api/unpause")
        self.status_when(lambda seen: seen["state"] == "RUNNING" and len(seen["hedges"]) == 2)


@contextmanager
def demo(folder: Path, speed: int) -> Iterator[Daemon]:
    """A demo on any free port, which asks for the planted token."""
    config = folder / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monitor = config / "monitor.yaml"
    monitor.write_text(monitor.read_text().replace("port: 8788", "port: 0"))
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "run", "--web", "--speed", str(speed),
         "--data", str(folder / "data"), "--config", str(config)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
    )  # fmt: skip
    said: Queue[str] = Queue()
    listener = Thread(target=_listen, args=(process, said), daemon=True)
    listener.start()
    try:
        url = _url(process, said)
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
            yield Daemon(url, process, client, config)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
    finally:
        process.kill()
        process.wait()
        listener.join()


def _listen(process: subprocess.Popen[str], said: Queue[str]) -> None:
    """Hand on what the daemon says, to its end: a pipe that nobody reads fills up and stops it."""
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            said.put(line)
    said.put("")


def _url(process: subprocess.Popen[str], said: Queue[str]) -> str:
    """Where the daemon says that it answers."""
    told: list[str] = []
    while line := said.get():
        if "API: " in line:
            return line.split("API: ")[1].strip().rstrip("/")
        told.append(line)
    raise AssertionError(f"the demo ended with {process.wait()}: {''.join(told)[-2000:]}")


@dataclass(slots=True)
class Visitor:
    """Somebody in front of the page. `complaints`: what the browser's console has said against it."""

    page: Page
    daemon: Daemon
    complaints: list[str]

    def visit(self, path: str) -> None:
        self.page.goto(f"{self.daemon.url}{path}")
        expect(self.page.get_by_test_id("link")).to_have_attribute("data-link", "live")

    def state(self, word: str) -> None:
        expect(self.page.get_by_test_id("state")).to_contain_text(word)

    def do(self, button: str, reason: str = "a test wants it", word: str = "") -> None:
        """Give one command of the controls, as a person does."""
        self.page.get_by_role("button", name="Controls").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("button", name=button).first.click()
        self.confirm(button, reason, word)

    def confirm(self, button: str, reason: str = "a test wants it", word: str = "") -> None:
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill(reason)
        if word:
            dialog.get_by_label(f"Type {word} to confirm").fill(word)
        dialog.get_by_role("button", name=button, exact=True).click()

    def outcome(self, text: str) -> None:
        """What came of a command stands in the dialog, which is then closed."""
        dialog = self.page.get_by_role("dialog")
        expect(dialog.locator("[data-outcome=done]")).to_have_text(text)
        dialog.get_by_role("button", name="Close", exact=True).last.click()
        expect(dialog).to_have_count(0)

    def violations(self, *rules: str) -> list[str]:
        """What axe holds against the page: rule and place, the serious and the critical ones.

        rules  only these; all of WCAG 2.1 A and AA without any.
        """
        only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": WCAG}
        options = {"runOnly": only, "resultTypes": ["violations"], "iframes": False}
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{one['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"][:3]
        ]

    def overflow_px(self) -> int:
        """By how much the page is wider than the screen."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(wide))


@contextmanager
def visitor(browser: Browser, daemon: Daemon, token: str = TOKEN, **look: Any) -> Iterator[Visitor]:
    """look  what the browser is like: viewport, color_scheme, locale.

    Nothing fades or slides: on a slow machine a colour would be measured, or a place clicked, half-way.
    """
    desk = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "reduced_motion": "reduce"}
    context = browser.new_context(**{**desk, **look})
    context.set_default_timeout(PATIENCE_MS)
    if token:
        kept = json.dumps(token)
        context.add_init_script(f"sessionStorage.setItem('funding-engine-token', {kept})")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    try:
        yield Visitor(page, daemon, complaints)
    finally:
        context.close()


def why_not() -> str | None:
    """Why there can be no browser here, if so."""
    if not os.access(CHROMIUM, os.X_OK):
        return "Chromium is not installed: apt-get install chromium"
    return None
