"""Every page, read: as it is meant to be, on a phone, in the dark, in Chinese, by a screen reader."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from config.meanings import MEANINGS
from tests.browser.rig import PAGES, Daemon, Visitor, visitor

IN_THE_DARK = ("/", "/earnings", "/decisions", "/configuration")  # every kind of part is on these
PHONE = {"width": 360, "height": 740}
CHINESE = {
    "/": "对冲持仓",
    "/earnings": "收益构成",
    "/decisions": "时间线",
    "/risk": "熔断",
    "/configuration": "配置",
}


def test_every_page_shows_what_it_is_for_and_the_browser_has_no_complaint(desk: Visitor) -> None:
    for path, heading in PAGES.items():
        desk.visit(path)
        expect(desk.page.get_by_role("heading", name=heading, exact=True).first).to_be_visible()
        expect(desk.page.get_by_text("Loading")).to_have_count(0)
    assert desk.complaints == []


def test_the_overview_shows_state_hedges_with_both_legs_and_what_comes_next(desk: Visitor) -> None:
    desk.visit("/")
    desk.state("Running")
    page = desk.page
    machine = page.get_by_role("img", name="State machine")
    expect(machine).to_have_attribute("data-state", "RUNNING")
    expect(machine.locator("[data-lit]")).to_contain_text("Running")
    hedge = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="ETH-USDT"))
    for label in ("Long spot", "Short swap", "Net delta", "Funding", "PnL", "Next funding"):
        expect(hedge.get_by_text(label, exact=True)).to_be_visible()
    expect(hedge.get_by_text(re.compile(r"^\d+[hm]( \d+[ms])?$"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Margin ratio .*Emergency below 50 %"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d+E[-+]\d+"))).to_have_count(0)  # no raw Decimals anywhere


def test_news_arrive_without_being_asked_for(desk: Visitor) -> None:
    asked: list[str] = []
    desk.visit("/risk")
    clock = desk.page.get_by_test_id("clock")
    expect(desk.page.get_by_text("As the latest scan saw it")).to_be_visible()
    desk.page.on("request", lambda request: asked.append(request.url))
    first = clock.inner_text()
    expect(clock).not_to_have_text(first)
    second = clock.inner_text()
    expect(clock).not_to_have_text(second)
    assert [url for url in asked if "/api/status" in url or "/api/stream" in url] == []


def test_who_was_turned_away_at_the_door_is_seen(desk: Visitor, daemon: Daemon) -> None:
    assert daemon.client.get("/api/status", headers={"origin": "http://evil.example"}).status_code == 403
    desk.visit("/risk")
    refused = desk.page.get_by_role("table", name="Turned away at the door")
    row = refused.get_by_role("row").filter(has_text="a page of another server").first
    expect(row).to_contain_text("127.0.0.1")
    expect(row).to_contain_text("GET /api/status")
    assert desk.violations() == []


def test_the_pages_follow_each_other_without_loading_and_back_leads_back(desk: Visitor) -> None:
    desk.visit("/")
    loaded: list[str] = []
    desk.page.on("framenavigated", lambda frame: loaded.append(frame.url))
    desk.page.on(
        "request", lambda request: loaded.append(request.url) if request.is_navigation_request() else None
    )
    desk.page.get_by_role("link", name="Earnings").first.click()
    expect(desk.page.get_by_role("heading", name="Earnings", level=1)).to_be_visible()
    expect(desk.page).to_have_title("Earnings · Funding engine")
    desk.page.go_back()
    expect(desk.page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    assert not [url for url in loaded if url.endswith(".js")]


def test_a_candidate_says_why_not_and_shows_everything_that_was_asked(desk: Visitor) -> None:
    desk.visit("/candidates")
    desk.page.get_by_role("button", name="All answers ETH-USDT").click()
    expect(desk.page.get_by_text("Everything that was asked about ETH-USDT")).to_be_visible()
    expect(desk.page.get_by_text("a hedge is held already").first).to_be_visible()
    expect(desk.page.get_by_role("heading", name=re.compile("Said no · \\d+"))).to_be_visible()


def test_decisions_are_filtered_and_opened_down_to_the_figures(desk: Visitor) -> None:
    desk.visit("/decisions")
    page = desk.page
    page.get_by_role("switch", name="Only moves").click()
    opening = page.get_by_role("button").filter(has_text="Idle").filter(has_text="Opening").first
    expect(opening).to_be_visible()
    opening.click()
    expect(page.get_by_text("expected carry pays the round trip").first).to_be_visible()
    expect(page.get_by_text("net carry", exact=True).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+\.\d bps$")).first).to_be_visible()
    page.get_by_label("Instrument").select_option("BTC-USDT")
    expect(page.get_by_text("Loading")).to_have_count(0)


def test_any_moment_is_shown_as_it_was(desk: Visitor) -> None:
    desk.visit("/decisions")
    page = desk.page
    page.get_by_role("tab", name="Replay").click()
    slider = page.get_by_label("Moment", exact=True)
    expect(slider).to_be_visible()
    page.get_by_label("Exact time, UTC").fill("2026-01-05 00:03:00")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_text("Nothing is held.")).to_be_visible()
    expect(page.get_by_text("Idle", exact=True).first).to_be_visible()
    page.get_by_label("Exact time, UTC").fill("2026-01-05 00:12:00")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_role("table").get_by_text("BTC-USDT", exact=True)).to_be_visible()
    expect(page.get_by_role("table").get_by_text("ETH-USDT", exact=True)).to_have_count(0)
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_role("table").get_by_text("ETH-USDT", exact=True)).to_be_visible()
    page.get_by_label("Exact time, UTC").fill("yesterday")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_text("yesterday: a time looks like 2026-01-06 08:00:05")).to_be_visible()


def test_orders_and_journal_are_searched(desk: Visitor) -> None:
    desk.visit("/journal")
    page = desk.page
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.filter(has_text="BTC-USDT-SWAP").first).to_be_visible()
    page.get_by_label("Search by id, market, purpose").fill("ETH-USDT-SWAP")
    expect(rows.filter(has_text="BTC-USDT")).to_have_count(0)
    expect(rows.filter(has_text="ETH-USDT-SWAP").first).to_be_visible()
    page.get_by_label("Search by id, market, purpose").fill("no such order")
    expect(page.get_by_text("No order fits.")).to_be_visible()
    page.get_by_role("tab", name="Journal").click()
    page.get_by_label("Kind").select_option("hedge")
    rows = page.get_by_role("listitem").get_by_role("button", expanded=False)
    of_hedges = page.get_by_text("hedge", exact=True)
    expect(rows.filter(has=of_hedges).first).to_be_visible()
    expect(rows.filter(has_not=of_hedges)).to_have_count(0)
    rows.filter(has_text="ETH-USDT").last.click()
    expect(page.locator("pre")).to_contain_text('"event": "opened"')
    with page.expect_download() as download:
        page.get_by_role("button", name="Export everything").click()
    assert download.value.suggested_filename == "journal.jsonl"


def test_an_answer_that_comes_late_does_not_replace_what_was_asked_after_it(desk: Visitor) -> None:
    held: list[Route] = []
    desk.page.route(re.compile(r"/api/orders\?most=300$"), lambda route: held.append(route))
    desk.visit("/journal")
    page = desk.page
    with page.expect_response(lambda answer: "find=ETH-USDT-SWAP" in answer.url):
        page.get_by_label("Search by id, market, purpose").fill("ETH-USDT-SWAP")
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.filter(has_text="ETH-USDT-SWAP").first).to_be_visible()
    for route in held:
        route.continue_()
    with page.expect_response(lambda answer: "/api/decisions" in answer.url):
        page.evaluate("fetch('/api/decisions?most=1')")
    expect(rows.filter(has_text="BTC-USDT")).to_have_count(0)


def test_logs_are_filtered_by_level_and_text(desk: Visitor) -> None:
    desk.visit("/logs")
    page = desk.page
    expect(page.get_by_text("Opened BTC-USDT").first).to_be_visible()
    page.get_by_label("Search the text").fill("ETH-USDT")
    expect(page.get_by_text("Opened BTC-USDT")).to_have_count(0)
    page.get_by_label("Level").select_option("critical")
    expect(page.get_by_text("No line fits.")).to_be_visible()


@pytest.mark.parametrize(("scheme", "rules"), [("light", ()), ("dark", ("color-contrast",))])
def test_axe_finds_no_serious_violation(
    browser: Browser, daemon: Daemon, scheme: str, rules: tuple[str, ...]
) -> None:
    found = {}
    with visitor(browser, daemon, color_scheme=scheme) as reader:
        for path in PAGES if scheme == "light" else IN_THE_DARK:
            reader.visit(path)
            expect(reader.page.get_by_text("Loading")).to_have_count(0)
            found[path] = reader.violations(*rules)
        reader.page.get_by_role("button", name="Controls").click()
        found["controls"] = reader.violations(*rules)
    assert not any(found.values()), found


def test_on_a_phone_every_page_fits_and_everything_can_be_reached(browser: Browser, daemon: Daemon) -> None:
    with visitor(browser, daemon, viewport=PHONE, has_touch=True, is_mobile=True) as phone:
        too_wide = {}
        for path in PAGES:
            phone.visit(path)
            expect(phone.page.get_by_text("Loading")).to_have_count(0)
            too_wide[path] = phone.overflow_px()
        assert not any(too_wide.values()), too_wide
        phone.page.get_by_role("button", name="More").click()
        phone.page.get_by_role("dialog").get_by_role("link", name="Risk").click()
        expect(phone.page.get_by_role("heading", name="Circuit breaker")).to_be_visible()
        phone.page.get_by_role("button", name="Controls").click()
        expect(phone.page.get_by_role("dialog").get_by_role("button", name="Flatten")).to_be_in_viewport()


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_it_follows_the_system_into_the_dark_and_can_be_switched(browser: Browser, daemon: Daemon) -> None:
    with visitor(browser, daemon, color_scheme="dark") as night:
        night.visit("/")
        shown = night.page.locator("html")
        expect(shown).to_have_attribute("data-theme", "dark")
        dark = background(night.page)
        night.page.get_by_label("Appearance", exact=True).select_option("light")
        expect(shown).to_have_attribute("data-theme", "light")
        body = night.page.locator("body")
        expect(body).not_to_have_css("background-color", dark)
        light = background(night.page)
        night.page.reload()
        expect(shown).to_have_attribute("data-theme", "light")
        expect(body).to_have_css("background-color", light)


def test_it_speaks_chinese_and_remembers_it(desk: Visitor) -> None:
    desk.visit("/")
    desk.page.get_by_label("Language").select_option("zh")
    for path, heading in CHINESE.items():
        desk.visit(path)
        expect(desk.page.get_by_role("heading", name=heading).first).to_be_visible()
    expect(desk.page.locator("html")).to_have_attribute("lang", "zh-CN")
    desk.state("运行中")
    desk.visit("/decisions")
    desk.page.get_by_role("switch", name="仅状态转移").click()
    opened = re.compile(
        r"开仓 BTC-USDT：两腿平衡，现货 [0-9.]+ 枚，合约空头 [0-9.]+ 张，目标 .*（预期收益足以覆盖往返成本）"
    )
    expect(desk.page.get_by_text(opened).first).to_be_visible()


def test_what_a_key_means_is_told_and_found_in_the_language_of_the_reader(desk: Visitor) -> None:
    english, chinese = MEANINGS["account.max_position_value"]
    desk.visit("/configuration")
    page = desk.page
    expect(page.get_by_text(english, exact=True)).to_be_visible()
    page.get_by_label("Language").select_option("zh")
    expect(page.get_by_text(chinese, exact=True)).to_be_visible()
    expect(page.get_by_text(english, exact=True)).to_have_count(0)
    page.get_by_label("搜索键名与说明").fill("强平")
    found = page.get_by_role("heading", level=3)
    expect(found).to_have_text(["margin.venue_ratio_warning", "margin.stress_rise_ratio"])
    for key in ("risk.margin.venue_ratio_warning", "risk.margin.stress_rise_ratio"):
        expect(page.get_by_text(MEANINGS[key][1], exact=True)).to_be_visible()
    page.get_by_label("risk.margin.stress_rise_ratio").fill("0.6")
    page.get_by_role("button", name="检查 1 项修改").click()
    expect(page.get_by_role("dialog")).to_contain_text("再以新配置重新启动，约需数秒。")


def test_the_keyboard_alone_reaches_the_content_and_the_controls(desk: Visitor) -> None:
    desk.visit("/")
    page = desk.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    controls = page.get_by_role("button", name="Controls")
    controls.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(controls).to_be_focused()
