"""What is held: the life of a hedge, and the margin behind it."""

from __future__ import annotations

from typing import Final

from config.schema import Settings
from core.events import On, Purpose
from core.facts import Kind
from core.types import HOUR_MS
from exchange.sim.markets.generated import START_MS
from scripts.pictures.stories import COIN, Story
from scripts.pictures.svg import Axis, Language, Sheet, Words

DOTS: Final[dict[Purpose, Words]] = {
    Purpose.SWEEP: ("swept to the funding wallet", "划出到资金账户"),
    Purpose.TOP_UP: ("topped up from there", "从资金账户补足"),
    Purpose.SHRINK: ("both legs made smaller", "两腿同时缩小"),
}


def hedge_life(story: Story, language: Language) -> Sheet:
    """Both legs, fill by fill: opened, broken by the venue, mended, closed."""
    fills = [row.body for row in story.of(Kind.FILL)]
    spot = short = 0.0
    steps: list[tuple[float, float, Words, str, int]] = []
    names: tuple[Words, ...] = (
        ("spot bought", "买入现货"),
        ("swap sold", "卖出合约"),
        ("ADL takes a part", "ADL 强制减仓"),
        ("mended: sold again", "补齐：再卖出"),
        ("swap bought back", "买回合约"),
        ("spot sold", "卖出现货"),
    )
    for body, words in zip(fills, names, strict=True):
        fill, sign = body["fill"], 1 if body["fill"]["side"] == "buy" else -1
        coins = float(fill["size"]) * float(body["ct_val"])
        if body["leg"] == "spot":
            fee = float(fill["fee"]) if fill["fee_ccy"] == COIN else 0.0
            spot += sign * coins + fee
        else:
            short -= sign * coins
        steps.append((spot, short, words, fill["px"], int(fill["ts_ms"])))
    sheet = Sheet(language, ("The life of a hedge, fill by fill", "一组对冲的一生，逐笔成交"), height=360)
    down = Axis(0, max(spot for spot, *_ in steps) * 1.1, 250, 50)
    sheet.text(20, 28, (f"coins of {COIN} after each fill", f"每笔成交后的 {COIN} 数量"), "dim", size=12)
    sheet.text(520, 28, ("spot", "现货"), "long", bold=True)
    sheet.text(580, 28, ("short swap", "合约空头"), "short", bold=True)
    sheet.text(680, 28, ("naked", "敞口"), "bad", bold=True)
    sheet.line(((20, 250), (740, 250)), "dim")
    for n, (coins, contracts, words, px, at_ms) in enumerate(steps):
        x = 34 + n * 120
        sheet.bar(x, down.at(coins), 34, 250 - down.at(coins), "long")
        sheet.bar(x + 38, down.at(contracts), 34, 250 - down.at(contracts), "short")
        naked = coins - contracts
        sheet.text(x + 17, down.at(coins) - 6, f"{coins:.2f}", "long", "middle", 11)
        sheet.text(x + 55, down.at(contracts) - 6, f"{contracts:.2f}", "short", "middle", 11)
        if abs(naked) >= 0.01:
            sheet.text(x + 76, 244, f"{naked:+.2f}", "bad", size=11, bold=True)
        sheet.text(x + 36, 270, words, "ink", "middle", 11 if language == "en" else 12)
        sheet.text(x + 36, 288, f"@ {px}", "dim", "middle", 11)
        sheet.text(x + 36, 306, _clock(at_ms), "dim", "middle", 11)
    note: Words = (
        "Spot goes in first, the swap comes back first: what stands alone for a moment cannot be liquidated.",
        "先买现货、先平合约：短暂单腿时留下的总是不会被强平的现货。",
    )
    sheet.text(20, 340, note, "dim", size=12)
    return sheet


def _clock(at_ms: int) -> str:
    seconds = (at_ms - START_MS) // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def margin(story: Story, language: Language) -> Sheet:
    """The margin ratio while prices climb, its thresholds, and the transfers between the wallets."""
    limits = Settings().risk.margin
    points = [
        ((ctx.now_ms - START_MS) / HOUR_MS, float(ctx.margin_ratio))
        for ctx, decision in story.decisions
        if ctx.margin_ratio is not None and decision.on in (On.SCAN, On.REVIEW, On.REBALANCED)
    ]
    end = max(hours for hours, _ in points)
    across, down = Axis(0, end, 80, 560), Axis(0.2, 1.5, 290, 40)
    sheet = Sheet(language, ("Margin while prices climb", "价格上涨时的保证金率"), height=340)
    sheet.text(
        20, 26, ("equity behind the swaps / their notional", "支撑合约的权益 / 合约名义价值"), "dim", size=12
    )
    lines: tuple[tuple[float, Words, str], ...] = (
        (float(limits.sweep_above), ("above: sweep", "以上：划出盈余"), "long"),
        (float(limits.target), ("target", "目标"), "calm"),
        (float(limits.rebalance_below), ("below: top up or shrink", "以下：补足或缩仓"), "gain"),
        (float(limits.emergency_below), ("below: unwind all", "以下：全部平仓"), "bad"),
        (1 / 3, ("3x, the red line", "3 倍，红线"), "bad"),
    )
    for level, words, colour in lines:
        sheet.line(((80, down.at(level)), (560, down.at(level))), colour, 1.2, "5 4")
        sheet.text(74, down.at(level) + 4, f"{level:.0%}", colour, "end", 12)
        sheet.text(568, down.at(level) + 4, words, colour, size=12)
    shown = [(across.at(hours), down.at(min(ratio, 1.5))) for hours, ratio in points]
    sheet.line(shown, "ink", 2)
    colours = {Purpose.SWEEP: "long", Purpose.TOP_UP: "gain", Purpose.SHRINK: "short"}
    for at_ms, target in story.upkeep:
        hour = (at_ms - START_MS) / HOUR_MS
        ratio = next((ratio for at, ratio in points if at >= hour), points[-1][1])
        sheet.dot(across.at(hour), down.at(min(ratio, 1.5)), colours[target.purpose], 5)
    for hour in range(0, int(end) + 1, 2):
        sheet.text(across.at(hour), 308, (f"{hour} h", f"{hour} 小时"), "dim", "middle", 12)
    for n, (purpose, words) in enumerate(DOTS.items()):
        count = sum(target.purpose is purpose for _, target in story.upkeep)
        sheet.dot(26 + n * 240, 326, colours[purpose], 5)
        sheet.text(38 + n * 240, 330, (f"{words[0]}: {count}", f"{words[1]}：{count}"), "dim", size=12)
    return sheet
