"""Where the money comes from: the two legs, the settlements, the costs, and when to leave."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.schema import Settings
from core.facts import Kind
from core.types import BPS, DAY_MS
from scripts.pictures.stories import COIN, Story, Year
from scripts.pictures.svg import Axis, Language, Sheet, Words

MOVES: Final = (-0.2, -0.1, 0.0, 0.1, 0.2)
SHOWN: Final = 90  # settlements of the picture of funding: thirty days
MODE_WORDS: Final[dict[str, Words]] = {
    "best": ("every rate known beforehand", "事先知道每个费率"),
    "expected_cost": ("expected_cost (default)", "expected_cost（默认）"),
    "hysteresis": ("hysteresis", "hysteresis"),
    "sign": ("sign", "sign"),
}


def cash_and_carry(story: Story, language: Language) -> Sheet:
    """Result of both legs over the price, from the fills of a real opening."""
    spot, swap = (row.body for row in story.of(Kind.FILL)[:2])
    coins = float(spot["fill"]["size"]) + float(spot["fill"]["fee"])
    contracts, ct_val = float(swap["fill"]["size"]), float(swap["ct_val"])
    bought, sold = float(spot["fill"]["px"]), float(swap["fill"]["px"])
    [funding] = [row.body["bill"] for row in story.of(Kind.BILL) if row.body["bill"]["kind"] == "funding"]
    sheet = Sheet(language, ("Cash and carry in one picture", "一张图看懂期现套利"), height=340)
    sheet.box(20, 40, 250, 76, "soft", "long")
    sheet.text(34, 64, ("spot: bought", "现货：买入"), "long", bold=True)
    sheet.text(34, 84, f"+{coins:.3f} {COIN} @ {bought:,.2f}")
    sheet.text(34, 104, ("gains when the price rises", "价格上涨时赚"), "dim")
    sheet.box(20, 132, 250, 76, "soft", "short")
    sheet.text(34, 156, ("swap: sold short", "永续合约：做空"), "short", bold=True)
    sheet.text(34, 176, f"−{contracts:.2f} × {ct_val:g} {COIN} @ {sold:,.2f}")
    sheet.text(34, 196, ("gains when the price falls", "价格下跌时赚"), "dim")
    sheet.box(20, 224, 250, 76, "soft", "gain")
    sheet.text(34, 248, ("funding: what is left to earn", "资金费：剩下的收入"), "gain", bold=True)
    sheet.text(34, 268, f"+{float(funding['change']):.2f} USDT @ 08:00 UTC")
    sheet.text(34, 288, ("the short receives a positive rate", "费率为正时由空头收取"), "dim", size=12)
    across, down = Axis(-0.2, 0.2, 350, 730), Axis(-4500, 4500, 290, 50)
    sheet.text(300, 26, ("result, USDT, as the price moves", "价格变动时的盈亏（USDT）"), "dim", size=12)
    for usdt in (-4000, -2000, 0, 2000, 4000):
        sheet.line(((350, down.at(usdt)), (730, down.at(usdt))), "line")
        sheet.text(344, down.at(usdt) + 4, f"{usdt:+,}" if usdt else "0", "dim", "end", 12)
    for move in MOVES:
        sheet.text(across.at(move), 310, f"{move:+.0%}" if move else "0 %", "dim", "middle", 12)
    long = [(m, coins * bought * m) for m in MOVES]
    short = [(m, contracts * ct_val * (sold - bought * (1 + m))) for m in MOVES]
    both = [(m, a + b) for (m, a), (_, b) in zip(long, short, strict=True)]
    for points, colour, width in ((long, "long", 2.0), (short, "short", 2.0), (both, "calm", 3.0)):
        sheet.line([(across.at(m), down.at(usdt)) for m, usdt in points], colour, width)
    sheet.text(across.at(0.12), down.at(3900), ("spot", "现货"), "long", "end")
    sheet.text(across.at(-0.12), down.at(3900), ("swap", "合约"), "short")
    sheet.text(across.at(0.19), down.at(0) - 8, ("both together", "两腿合计"), "calm", "end", bold=True)
    return sheet


def funding(year: Year, language: Language) -> Sheet:
    """Thirty days of settlements, and what the band asks for."""
    rates = [float(rate) * 100 for rate in year.rehearsal.rates[:SHOWN]]
    least = float(Settings().strategy.funding_rate_threshold.min) * 100
    sheet = Sheet(
        language, ("Thirty days of funding, every 8 hours", "三十天的资金费，每 8 小时一次"), height=300
    )
    across = Axis(0, SHOWN, 70, 730)
    down = Axis(min(0.0, min(rates)) - 0.002, max(rates) + 0.003, 260, 40)
    sheet.text(
        20, 26, ("rate of one settlement, % of notional", "单次结算费率，占名义价值 %"), "dim", size=12
    )
    for n, rate in enumerate(rates):
        top, bottom = sorted((down.at(rate), down.at(0)))
        sheet.bar(across.at(n) + 1, top, 5, bottom - top, "gain" if rate >= 0 else "bad")
    sheet.line(((70, down.at(0)), (730, down.at(0))), "dim")
    sheet.line(((70, down.at(least)), (730, down.at(least))), "calm", 1.5, "5 4")
    sheet.text(64, down.at(0) + 4, "0", "dim", "end", 12)
    sheet.text(64, down.at(least) + 4, f"{least:.2f}", "calm", "end", 12)
    sheet.text(730, 26, ("blue: least rate for an opening", "蓝线：可开仓的最低费率"), "calm", "end", 12)
    for day in range(0, 31, 5):
        sheet.text(across.at(day * 3), 284, (f"day {day}", f"第 {day} 天"), "dim", "middle", 12)
    return sheet


def net_carry(story: Story, language: Language) -> Sheet:
    """The figures of the verdict that let the hedge be opened."""
    said = next(v for v in story.opening.verdicts if v.guard == "net_carry")
    figures = {name: float(value) for name, value in said.figures if isinstance(value, Decimal)}
    ahead = dict(said.figures)["settlements_ahead"]
    funding_bps, fees, slip = figures["funding_bps"], figures["fees_bps"], figures["slippage_bps"]
    sheet = Sheet(language, ("Expected net carry of an opening", "一次开仓的预期净收益"), height=300)
    down = Axis(0, funding_bps * 1.12, 240, 40)
    steps: tuple[tuple[Words, float, float, str], ...] = (
        ((f"forecast: {ahead} settlements", f"预测：{ahead} 次结算"), 0, funding_bps, "gain"),
        (("fees, both legs, in and out", "手续费：双腿进出"), funding_bps - fees, funding_bps, "bad"),
        (("slippage and spread", "滑点与价差"), funding_bps - fees - slip, funding_bps - fees, "bad"),
        (("expected net carry", "预期净收益"), 0, figures["net_carry_bps"], "long"),
    )
    sheet.text(20, 26, ("bps of notional over 720 h", "720 小时内，占名义价值的 bps"), "dim", size=12)
    sheet.line(((40, 240), (730, 240)), "dim")
    for n, (words, low, high, colour) in enumerate(steps):
        x = 60 + n * 170
        sheet.bar(x, down.at(high), 110, max(2, down.at(low) - down.at(high)), colour)
        amount = high - low
        sign = "−" if colour == "bad" else "+"
        sheet.text(x + 55, down.at(high) - 8, f"{sign}{amount:.2f}", colour, "middle", bold=True)
        sheet.text(x + 55, 262, words, "ink", "middle", 12)
        if n < 3:
            sheet.line(
                ((x + 110, down.at(high if not n else low)), (x + 170, down.at(high if not n else low))),
                "dim",
                1,
                "3 3",
            )
    sheet.text(380, 288, ("opened, because it is above 0", "高于 0，因此开仓"), "dim", "middle", 12)
    return sheet


def stopping(year: Year, language: Language) -> Sheet:
    """A year: the forecast against the price of leaving, and who holds when, and what it brings."""
    count = len(year.rehearsal.rates)
    across = Axis(0, count, 200, 610)
    outlooks = [float(outlook.expected_sum * BPS) if outlook else 0.0 for _, outlook in year.rehearsal.looks]
    cost = float(year.rehearsal.cost.total_bps)
    down = Axis(min(-cost - 20, *outlooks), max(outlooks) * 1.05, 250, 44)
    title: Words = ("When to leave: a year of a generated market", "何时离开：生成行情的一年")
    sheet = Sheet(language, title, height=420)
    sheet.text(20, 26, ("forecast funding over 720 h, bps", "预测 720 小时资金费，bps"), "dim", size=12)
    for level, words, colour in (
        (cost, ("opens above", "高于此线可开"), "long"),
        (0.0, ("", ""), "line"),
        (-cost, ("leaves below", "低于此线离开"), "bad"),
    ):
        sheet.line(((200, down.at(level)), (610, down.at(level))), colour, 1.2, "" if not level else "5 4")
        sheet.text(192, down.at(level) + 4, f"{level:+.0f}" if level else "", "dim", "end", 12)
        sheet.text(620, down.at(level) + 4, words, colour, size=12)
    sheet.line([(across.at(n), down.at(bps)) for n, bps in enumerate(outlooks) if n % 3 == 0], "calm", 1.4)
    sheet.text(620, 280, ("net, share of best", "净收益，占最优"), "dim", size=12)
    courses = {"best": year.best, **year.courses}
    for row, (name, course) in enumerate(courses.items()):
        y = 292 + row * 26
        sheet.text(192, y + 13, MODE_WORDS[name], "ink", "end", 12)
        sheet.bar(200, y, 410, 18, "soft")
        for first, end in _stretches(course.held):
            sheet.bar(across.at(first), y, across.at(end) - across.at(first), 18, "long" if row else "gain")
        share = course.net / year.best.net
        sheet.text(620, y + 13, f"{float(course.net):.2%}   {float(share):.0%}", "ink", size=12)
    days = count * 8 * 3_600_000 / DAY_MS
    sheet.text(200, 412, ("day 0", "第 0 天"), "dim", size=12)
    sheet.text(610, 412, (f"day {days:.0f}", f"第 {days:.0f} 天"), "dim", "end", 12)
    return sheet


def _stretches(held: tuple[bool, ...]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for n, now in enumerate(held):
        if now and found and found[-1][1] == n:
            found[-1] = (found[-1][0], n + 1)
        elif now:
            found.append((n, n + 1))
    return found
