import io
from dataclasses import replace
from typing import Literal

import pytest
from rich.cells import cell_len
from rich.console import Console

from core.events import State
from core.verdict import Verdict
from monitor.console import LiveScreen, PlainScreen, open_screen, summary_line
from monitor.health_check import Condition
from monitor.status import Status, Totals, build_status
from monitor.view import Note, StatusView
from monitor.words import sentence
from tests.monitor import samples
from tests.monitor.samples import NOW_MS

WARNINGS = tuple(Condition(f"c{n}", "warning", NOW_MS, f"condition number {n}") for n in range(9))
NOTES: tuple[Note, ...] = tuple((NOW_MS + n, "info", f"message {n}") for n in range(12))


def status(warnings: tuple[Condition, ...] = ()) -> Status:
    return build_status(samples.context(), "demo", samples.TOTALS, samples.DECISIONS * 3, warnings)


def crowded() -> Status:
    names = [f"C{n}-USDT" for n in range(40)]
    base = status(WARNINGS)
    return replace(
        base,
        hedges=tuple(replace(base.hedges[0], instrument=n) for n in names[:12]),
        candidates=tuple(replace(base.candidates[0], instrument=n) for n in names),
    )


def drawn(
    s: Status, language: Literal["en", "zh"] = "en", notes: tuple[Note, ...] = (), height: int = 30
) -> list[str]:
    console = Console(
        width=100, height=height, record=True, file=io.StringIO(), color_system=None, force_terminal=True
    )
    console.print(StatusView(s, language, notes))
    return console.export_text().splitlines()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("height", [30, 40, 60])
@pytest.mark.parametrize("crowd", [False, True])
def test_the_view_fits_the_terminal(language: Literal["en", "zh"], height: int, crowd: bool) -> None:
    lines = drawn(crowded() if crowd else status(), language, NOTES, height=height)
    assert len(lines) <= height
    assert {cell_len(line) for line in lines} == {100}


def test_the_view_shows_what_matters() -> None:
    text = "\n".join(drawn(status(WARNINGS[:1]), notes=NOTES[:1]))
    for part in (
        "RUNNING", "permission FULL", "equity 100,212.44", "today +14.20", "margin 98.04 %",
        "BTC-USDT", "0.4", "+43.21", "2d 3h", "0.0125 %", "7h 55m", "+3.25",
        "Net carry: expected carry", "SOL-USDT Net carry: expected", "BTC-USDT funding booked",
        "condition number 0", "message 0", "private 1s",
    ):  # fmt: skip
        assert part in text, part


def test_verdicts_reasons_and_the_breaker_are_said_in_the_chosen_language() -> None:
    base = status()
    spread = Verdict(False, "liquid", "spot spread is too wide")
    idle = replace(base.decisions[0], instrument=None, refused=(), reason="a better coin pays for the change")
    stays = replace(
        base.decisions[0], refused=(Verdict(False, "adjustment_due", "something held must change"),)
    )
    shown = replace(
        base,
        breaker="too much lost today",
        candidates=(replace(base.candidates[0], refusal=spread),),
        decisions=(idle, stays),
    )
    chinese, english = "".join(drawn(shown, "zh")), "".join(drawn(shown))
    for part in (
        "熔断中: 当日亏损过多",
        "流动性：现货价差过大",
        "换到更好的币种足以覆盖成本",
        "需要调整：持仓无需变动",
    ):
        assert part in chinese, part
    for part in (
        "breaker open: too much lost today", "Liquidity: spot spread is too wide",
        "a better coin pays for the change", "Adjustment due: nothing that is held needs a change",
    ):  # fmt: skip
        assert part in english, part
    for part in ("spread", "better coin", "must change", "lost today", "liquid"):
        assert part not in chinese, part


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "open BTC-USDT: balanced with 0.2174 coins and 21.74 contracts short, target 0.2174 coins "
            "(expected carry pays the round trip)",
            "开仓 BTC-USDT：两腿平衡，现货 0.2174 枚，合约空头 21.74 张，目标 0.2174 枚"
            "（预期收益足以覆盖往返成本）",
        ),
        ("top_up of 8955.52 USDT: success", "补充保证金 8955.52 USDT：成功"),
        ("margin_emergency: margin ratio is an emergency", "保证金紧急：保证金率低于紧急线"),
        ("operator", "操作员"),
        ("OPENING took too long", "开仓中超时"),
        (
            "a price of BTC-USDT, ETH-USDT has jumped and is not confirmed yet",
            "BTC-USDT、ETH-USDT 的价格跳变，尚未确认",
        ),
        ("I am on a plane", "I am on a plane"),
    ],
)
def test_what_execution_reports_is_said_in_chinese_with_its_figures(reason: str, said: str) -> None:
    assert sentence(reason, "zh") == said
    assert sentence(reason, "en") == reason


def test_the_newest_message_stays_when_warnings_crowd() -> None:
    text = "\n".join(drawn(crowded(), notes=NOTES))
    assert "message 11" in text
    assert "warnings 9" in text


def test_what_is_not_shown_is_counted() -> None:
    assert "/40" in "\n".join(drawn(crowded()))


def test_an_empty_engine_says_so() -> None:
    ctx = samples.context(hedges={}, state=State.IDLE, account=None, markets={})
    s = build_status(replace(ctx, plan=replace(ctx.plan, verdicts=())), "live", Totals())
    text = "\n".join(drawn(s))
    for part in ("IDLE", "nothing held", "not judged yet", "none yet", "all well", "margin –"):
        assert part in text, part


def test_a_stopped_engine_is_not_called_well() -> None:
    s = replace(status(), state=State.STOPPED)
    text = "\n".join(drawn(s))
    assert "STOPPED · messages" in text and "all well" not in text


def test_refusals_are_told_in_the_language_of_the_screen() -> None:
    base = status()
    no = Verdict(False, "not_held", "a hedge is held already")
    told = replace(base, candidates=(replace(base.candidates[0], refusal=no),))
    assert "Not held yet: a hedge is held already" in "\n".join(drawn(told))
    assert "尚未持有：已持有对冲" in "\n".join(drawn(told, "zh"))


def test_square_brackets_in_reasons_are_text_not_markup() -> None:
    base = status()
    odd = replace(base.candidates[0], refusal=Verdict(False, "band", "rate in [red] zone"))
    assert "rate in [red] zone" in "\n".join(drawn(replace(base, candidates=(odd,))))


def test_a_pipe_gets_plain_lines_and_a_terminal_the_screen() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert isinstance(open_screen(io.StringIO(), status, "en", 12), PlainScreen)
    assert isinstance(open_screen(Terminal(), status, "en", 12), LiveScreen)


def test_the_live_screen_leaves_its_last_view_behind_also_after_ctrl_c() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=30)
    with pytest.raises(KeyboardInterrupt), LiveScreen(console, status, "en") as screen:
        screen.note(NOW_MS, "info", "opened something")
        raise KeyboardInterrupt
    text = out.getvalue()
    entered, left = text.index("\x1b[?1049h"), text.index("\x1b[?1049l")
    shown = text.rindex("\x1b[?25h")  # the cursor is back
    assert entered < left
    assert entered < shown
    assert "opened something" in text[left:]


def test_the_live_screen_waits_for_the_first_status() -> None:
    out = io.StringIO()
    with LiveScreen(Console(file=out, force_terminal=True, width=100, height=30), lambda: None, "zh"):
        pass
    assert "启动中" in out.getvalue()


def test_messages_are_one_plain_line_each() -> None:
    out = io.StringIO()
    PlainScreen(out, status, "en", 12).note(NOW_MS, "critical", "ALARM: hedge broken: gap")
    assert out.getvalue() == "2026-03-12 08:05:00Z critical ALARM: hedge broken: gap\n"


def test_a_summary_line_comes_once_per_so_many_scans() -> None:
    out, seen = io.StringIO(), [status()]

    def scans(count: int) -> None:
        seen[0] = replace(seen[0], totals=replace(seen[0].totals, scans=count))

    screen = PlainScreen(out, lambda: seen[0], "en", 12)
    for count in (0, 11, 12, 13, 23, 24, 24, 60):
        scans(count)
        screen.look()
    assert [line.split("scans ")[1].split(" ")[0] for line in out.getvalue().splitlines()] == [
        "12",
        "24",
        "60",
    ]


def test_leaving_the_plain_screen_ends_its_thread_and_tells_the_last() -> None:
    out = io.StringIO()
    with PlainScreen(out, status, "en", 12):
        pass
    assert out.getvalue().count("scans 612") == 1


def test_the_summary_line_in_both_languages() -> None:
    assert summary_line(status(WARNINGS), "en") == (
        "2026-03-12 08:05:00Z info     RUNNING · scans 612 · equity 100,212.44 · today +14.20 · "
        "funding +55.71 · BTC-USDT 0.4, ETH-USDT 4 · margin 98.04 % · warnings 9"
    )
    assert "运行中 · 扫描 612 · 权益 100,212.44" in summary_line(status(), "zh")
