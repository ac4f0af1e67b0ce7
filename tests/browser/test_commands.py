"""What a person does on the page, and what comes of it in the engine and in its journal.

In this order, so that nobody waits for a hedge to be opened again: the last test ends the engine.
"""

from __future__ import annotations

import json

from playwright.sync_api import Browser, expect

from scripts.daemon import DEMO_LINGER_S
from tests.browser.rig import TOKEN, Daemon, Visitor, visitor

LINGER_MS = int(DEMO_LINGER_S * 1000)  # so long a row of a demo may wait for the disk


def written(daemon: Daemon) -> None:
    """Wait until what has happened so far is on the disk, where questions about the past look."""
    told_ms = daemon.ask("/api/status")["now_ms"]
    daemon.status_when(lambda seen: seen["now_ms"] > told_ms + LINGER_MS)


def journalled(daemon: Daemon, text: str) -> list[dict[str, object]]:
    written(daemon)
    found: list[dict[str, object]] = daemon.ask("/api/journal", find=text)
    return found


def test_a_wrong_token_is_told_and_the_right_one_lets_in(browser: Browser, daemon: Daemon) -> None:
    with visitor(browser, daemon, token="") as stranger:
        page = stranger.page
        page.goto(daemon.url)
        field = page.get_by_label("Token")
        expect(field).to_be_visible()
        page.get_by_role("button", name="Enter").click()
        expect(page.get_by_text("Type the token.")).to_be_visible()
        field.fill("not the token")
        page.keyboard.press("Enter")
        expect(page.get_by_text("This is not the token.")).to_be_visible()
        assert stranger.violations() == []
        field = page.get_by_label("Token")
        field.fill(TOKEN)
        page.keyboard.press("Enter")
        stranger.state("Running")
        kept = page.evaluate("JSON.stringify([{...localStorage}, document.cookie])")
        assert TOKEN not in json.dumps(kept)
        page.reload()
        stranger.state("Running")


def test_a_command_without_reason_or_confirmation_does_not_leave_the_page(
    desk: Visitor, daemon: Daemon
) -> None:
    daemon.hold_both()
    desk.visit("/")
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    desk.do("Halt", reason="no", word="HALT")
    expect(desk.page.get_by_text("Say why, in 3 to 200 characters.")).to_be_visible()
    desk.page.get_by_role("dialog").get_by_label("Type HALT to confirm").fill("halt")
    desk.confirm("Halt", reason="a good reason")
    expect(desk.page.get_by_text("Type exactly HALT.")).to_be_visible()
    desk.page.keyboard.press("Escape")
    assert sent == []
    desk.state("Running")


def test_a_refusal_of_the_engine_is_shown_in_its_words(desk: Visitor, daemon: Daemon) -> None:
    daemon.hold_both()
    desk.visit("/")
    desk.page.route(
        "**/api/pause",
        lambda route: route.continue_(post_data=json.dumps({"reason": ""})),
    )
    desk.do("Pause openings", "a good reason")
    expect(desk.page.get_by_role("alert")).to_contain_text("Refused: body.reason")


def test_a_pause_is_given_with_its_reason_and_taken_back(desk: Visitor, daemon: Daemon) -> None:
    daemon.hold_both()
    desk.visit("/")
    desk.do("Pause openings", "I am on a plane")
    desk.outcome("No new risk is taken.")
    desk.state("No new risk")
    expect(desk.page.get_by_text("I am on a plane (web)").first).to_be_visible()
    assert journalled(daemon, "I am on a plane")
    desk.do("Unpause", "landed again")
    desk.outcome("The pause has ended.")


def test_a_scan_is_asked_for_and_its_time_is_told(desk: Visitor, daemon: Daemon) -> None:
    daemon.hold_both()
    desk.visit("/candidates")
    desk.page.get_by_role("button", name="Scan now").click()
    desk.confirm("Scan now")
    expect(desk.page.get_by_role("dialog").locator("[data-outcome=done]")).to_contain_text("Scanned at")


def test_red_lines_are_shown_and_locked(desk: Visitor) -> None:
    desk.visit("/configuration")
    page = desk.page
    expect(page.get_by_label("account.venue")).to_have_count(0)
    expect(page.get_by_text("Red line: not changed from here").first).to_be_attached()
    expect(page.get_by_label("account.total_capital")).to_be_editable()


def test_what_two_keys_say_against_each_other_is_told_by_the_engine(desk: Visitor, daemon: Daemon) -> None:
    desk.visit("/configuration")
    page = desk.page
    page.get_by_role("tab", name="risk").click()
    page.get_by_label("risk.margin.emergency_below").fill("0.95")
    page.get_by_role("button", name="Review one change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("a test wants it")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("alert")).to_contain_text("emergency_below")


def test_a_reader_of_chinese_is_told_in_chinese_why_not(browser: Browser, daemon: Daemon) -> None:
    with visitor(browser, daemon) as reader:
        reader.visit("/configuration")
        page = reader.page
        page.get_by_label("Language").select_option("zh")
        page.get_by_role("tab", name="risk").click()
        page.get_by_label("risk.margin.emergency_below").fill("0.95")
        page.get_by_role("button", name="检查 1 项修改").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("原因").fill("测试需要")
        dialog.get_by_role("button", name="应用").click()
        refused = dialog.get_by_role("alert")
        expect(refused).to_contain_text("处问题：")
        expect(refused).to_contain_text("须满足 emergency_below < rebalance_below")
        expect(refused).not_to_contain_text("problem")


def test_what_was_edited_in_the_files_is_named_with_every_change(desk: Visitor, daemon: Daemon) -> None:
    file = daemon.config / "strategy.yaml"
    shipped = file.read_text()
    try:
        desk.visit("/configuration")
        page = desk.page
        page.get_by_role("tab", name="strategy").click()
        page.get_by_label("strategy.exit.cooldown_hours").fill("12")
        file.write_text(shipped.replace("horizon_hours: 720", "horizon_hours: 700"))
        page.get_by_role("button", name="Review one change").click()
        dialog = page.get_by_role("dialog")
        along = dialog.get_by_role("status")
        expect(along).to_contain_text("Edited in the files since the engine started")
        expect(along.get_by_role("listitem")).to_have_text(["strategy.forecast.horizon_hoursNow720Then700"])
        assert desk.violations() == []
        file.write_text(shipped.replace("horizon_hours: 720", "horizon_hours: often"))
        desk.visit("/configuration")
        expect(page.get_by_role("alert")).to_contain_text("strategy.yaml")
    finally:
        file.write_text(shipped)


def test_a_bad_value_is_marked_and_a_good_one_starts_the_engine_with_it(
    desk: Visitor, daemon: Daemon
) -> None:
    daemon.hold_both()
    desk.visit("/configuration")
    page = desk.page
    page.get_by_role("tab", name="strategy").click()
    field = page.get_by_label("strategy.exit.cooldown_hours")
    before = field.input_value()
    field.fill("1e3")
    expect(page.get_by_text("1e3 is not allowed here: a number in plain decimal digits")).to_be_visible()
    expect(page.get_by_role("button", name="Review one change")).to_be_disabled()
    field.fill("-1")
    expect(page.get_by_text("-1 is not allowed here")).to_be_visible()
    field.fill("12")
    page.get_by_role("button", name="Review one change").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("strategy.exit.cooldown_hours")
    expect(dialog).to_contain_text(before)
    dialog.get_by_label("Reason").fill("a longer rest")
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Version 1 is in force.")).to_be_visible()
    assert daemon.ask("/api/config")["strategy"]["exit"]["cooldown_hours"] == "12"
    page.get_by_role("tab", name="strategy").click()
    expect(page.get_by_label("strategy.exit.cooldown_hours")).to_have_value("12")
    expect(page.get_by_text("Changed from here, over what the file says.")).to_be_visible()


def test_a_halt_holds_what_is_held_and_resume_goes_on(desk: Visitor, daemon: Daemon) -> None:
    daemon.hold_both()
    desk.visit("/")
    desk.do("Halt", "the venue looks odd", word="HALT")
    desk.outcome("The engine is stopped.")
    desk.state("Stopped")
    status = daemon.ask("/api/status")
    assert status["state"] == "STOPPED" and len(status["hedges"]) == 2
    machine = desk.page.get_by_role("img", name="State machine")
    expect(machine).to_have_attribute("data-state", "STOPPED")
    expect(desk.page.get_by_text("Stopped: nothing is traded until you resume.")).to_be_visible()
    expect(desk.page.get_by_text("All is well", exact=True)).to_have_count(0)
    assert journalled(daemon, "the venue looks odd")
    desk.do("Resume", "it was nothing")
    desk.outcome("The engine is Running.")
    desk.state("Running")


def test_one_hedge_is_closed_by_typing_its_name(desk: Visitor, daemon: Daemon) -> None:
    daemon.hold_both()
    desk.visit("/")
    desk.page.get_by_role("button", name="Close hedge ETH-USDT").click()
    desk.confirm("Close ETH-USDT", word="ETH-USDT")
    desk.outcome("ETH-USDT is no longer held.")
    written(daemon)
    closed = daemon.ask("/api/performance")["rounds"]
    assert [one["instrument"] for one in closed][:1] == ["ETH-USDT"]
    desk.visit("/earnings")
    rounds = desk.page.get_by_role("region", name="Closed rounds", exact=True).last
    expect(rounds.get_by_text("ETH-USDT").first).to_be_visible()


def test_flatten_gives_up_both_legs_of_everything(desk: Visitor, daemon: Daemon) -> None:
    daemon.status_when(lambda seen: seen["state"] == "RUNNING")  # one hedge or two
    desk.visit("/")
    desk.do("Flatten", "out of here", word="FLATTEN")
    desk.outcome("Nothing is held, and the engine is stopped.")
    status = daemon.ask("/api/status")
    assert (status["state"], status["hedges"]) == ("STOPPED", [])
    expect(desk.page.get_by_text("Nothing is held.", exact=True)).to_be_visible()
    desk.visit("/journal")
    expect(desk.page.get_by_text("flatten").first).to_be_visible()


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
    desk.visit("/risk")
    expect(desk.page.get_by_role("heading", name="Circuit breaker")).to_be_visible()
    daemon.process.terminate()
    lost = desk.page.get_by_test_id("lost")
    expect(lost).to_contain_text("Connection lost")
    expect(lost).to_contain_text("Figures are as of 2026-01-")
    expect(desk.page.get_by_test_id("link")).to_have_attribute("data-link", "lost")
    expect(desk.page.get_by_role("heading", name="Circuit breaker")).to_be_visible()
