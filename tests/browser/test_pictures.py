"""Pictures of the page for the documentation, made only when they are asked for:

WRITE_PICTURES=1 .venv/bin/pytest tests/browser/test_pictures.py
"""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.rig import Daemon, visitor
from tests.e2e.rig import ROOT

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("WRITE_PICTURES"), reason="no pictures are asked for: WRITE_PICTURES=1"
    ),
    pytest.mark.timeout(600),
]
SPEED = 14_400
FOLDER = ROOT / "docs" / "pictures"
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
SETTLEMENTS = 40  # a week of funding, so that there is something to see
# What it is called, where, in what language and light, and on what.
PICTURES = [
    ("dashboard", "/", "en", "light", DESK),
    ("dashboard-dark", "/", "en", "dark", DESK),
    ("dashboard.zh", "/", "zh", "light", DESK),
    ("dashboard-earnings", "/earnings", "en", "light", DESK),
    ("dashboard-earnings.zh", "/earnings", "zh", "light", DESK),
    ("dashboard-decisions", "/decisions", "en", "light", DESK),
    ("dashboard-risk", "/risk", "en", "light", DESK),
    ("dashboard-phone", "/", "en", "dark", PHONE),
    ("dashboard-phone.zh", "/", "zh", "dark", PHONE),
]


def test_the_pictures_of_the_documentation(browser: Browser, daemon: Daemon) -> None:
    daemon.status_when(lambda seen: seen["totals"]["settlements"] >= SETTLEMENTS)
    FOLDER.mkdir(exist_ok=True)
    for name, path, language, scheme, screen in PICTURES:
        with visitor(
            browser,
            daemon,
            viewport=screen,
            color_scheme=scheme,
            device_scale_factor=1,
        ) as camera:
            camera.page.add_init_script(f"localStorage.setItem('funding-engine-language', '{language}')")
            camera.visit(path)
            expect(camera.page.get_by_text("Loading")).to_have_count(0)
            expect(camera.page.get_by_text("加载中")).to_have_count(0)
            camera.page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
