"""The engine goes, and comes back: the page says since when, and goes on by itself."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.rig import Daemon, Visitor


def test_the_page_comes_back_by_itself(desk: Visitor, daemon: Daemon) -> None:
    page = desk.page
    page.route("**/api/stream", lambda route: route.abort())
    page.goto(daemon.url)
    expect(page.get_by_test_id("link")).to_have_attribute("data-link", "lost")
    expect(page.get_by_text("The engine does not answer.").first).to_be_visible()
    page.unroute("**/api/stream")
    expect(page.get_by_test_id("link")).to_have_attribute("data-link", "live")
    expect(page.get_by_test_id("lost")).to_have_count(0)


def test_a_lost_connection_is_told_with_its_age_and_the_last_figures_stay(
    desk: Visitor, daemon: Daemon
) -> None:
    daemon.hold_both()
    desk.visit("/")
    desk.state("Running")
    daemon.process.terminate()
    lost = desk.page.get_by_test_id("lost")
    expect(lost).to_contain_text("Connection lost")
    expect(lost).to_contain_text("Figures are as of 2026-01-")
    expect(desk.page.get_by_test_id("link")).to_have_attribute("data-link", "lost")
    expect(desk.page.get_by_role("heading", name="ETH-USDT")).to_be_visible()
