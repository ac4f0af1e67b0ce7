"""One browser and one demo for all tests of a file: both end before the next file begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.rig import CHROMIUM, FLAGS, PATIENCE_MS, Daemon, Visitor, demo, visitor, why_not

FOLDER = Path(__file__).parent
LONGEST_S = (
    300  # of one test: several waits of PATIENCE_MS may follow each other before it is clear which failed
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LONGEST_S))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def daemon(
    browser: Browser, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Daemon]:
    """Only as quick as a file needs it (its SPEED): the demo and the browser share the machine."""
    with demo(tmp_path_factory.mktemp("demo"), getattr(request.module, "SPEED", 900)) as running:
        running.hold_both()
        yield running


@pytest.fixture
def desk(browser: Browser, daemon: Daemon) -> Iterator[Visitor]:
    """A visitor at a desk, with the right token."""
    with visitor(browser, daemon) as person:
        yield person
