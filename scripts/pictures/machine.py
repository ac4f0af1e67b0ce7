"""How it decides: states, guards, permission, recovery, journal."""

from __future__ import annotations

from typing import Final

from core.context import Permission
from core.events import State
from core.table import MAY_WE, TABLE
from exchange.sim.markets.generated import START_MS
from scripts.pictures.stories import Story
from scripts.pictures.svg import Language, Point, Sheet, Words

PLACES: Final[dict[State, Point]] = {
    State.IDLE: (120, 200),
    State.OPENING: (380, 70),
    State.RUNNING: (640, 200),
    State.REBALANCING: (380, 330),
    State.STOPPED: (380, 480),
}
MEANS: Final[dict[State, Words]] = {
    State.IDLE: ("nothing held", "空仓"),
    State.OPENING: ("bringing a hedge to its target", "开仓中"),
    State.RUNNING: ("hedges held, funding comes in", "持有对冲，收资金费"),
    State.REBALANCING: ("changing what is held", "调整持仓"),
    State.STOPPED: ("waits for the operator", "等待操作员"),
}
HALF: Final = (92, 30)  # of a state's box
# Where the words of an arrow stand, beside its middle, and how far the arrow bends to its left.
BENDS: Final[dict[tuple[State, State], tuple[float, float, float]]] = {
    (State.IDLE, State.OPENING): (26, -12, -10),
    (State.OPENING, State.IDLE): (26, 8, 22),
    (State.OPENING, State.RUNNING): (26, 40, -14),
    (State.RUNNING, State.OPENING): (26, -28, 8),
    (State.RUNNING, State.REBALANCING): (26, 54, 14),
    (State.REBALANCING, State.RUNNING): (26, -30, -2),
    (State.REBALANCING, State.IDLE): (26, -34, 26),
    (State.IDLE, State.REBALANCING): (26, 34, -8),
    (State.OPENING, State.REBALANCING): (0, 0, -22),
    (State.REBALANCING, State.STOPPED): (14, 0, 0),
    (State.STOPPED, State.REBALANCING): (14, 0, 0),
}
ALLOWS: Final[dict[Permission, Words]] = {
    Permission.FULL: ("everything the guards let through", "守卫允许的一切"),
    Permission.NO_NEW_RISK: (
        "hedge, repair, reduce, close; open nothing",
        "对冲、补腿、减仓、平仓；不开新仓",
    ),
    Permission.REDUCE_ONLY: ("only orders that make exposure smaller", "只允许减小敞口的订单"),
    Permission.HALTED: ("no order at all", "不发任何订单"),
}
ASKS: Final[dict[str, Words]] = {
    "carry_pays": ("does it pay?", "划算吗？"),
    "venue_up": ("is the venue well?", "交易所正常吗？"),
    "not_tripped": ("breaker closed?", "未熔断？"),
    "margin_ok": ("enough margin after it?", "开仓后保证金够吗？"),
    "funds_ok": ("money for both legs?", "两腿资金够吗？"),
    "liquid": ("do the books carry it?", "盘口承受得住吗？"),
    "red_lines": ("no red line crossed?", "未碰红线？"),
    "may_add_risk": ("permission FULL?", "权限为 FULL？"),
}
STEPS: Final[tuple[tuple[Words, Words], ...]] = (
    (
        ("lock, hash chain, replay", "加锁，验哈希链，重放"),
        ("the books as the last row left them", "账本回到最后一行"),
    ),
    (("orders in doubt", "结果未知的订单"), ("asked for by id, never sent again", "按编号查询，绝不重发")),
    (
        ("fills and bills since", "此后的成交与账单"),
        ("taken over from the venue, all pages", "逐页从交易所补齐"),
    ),
    (
        ("books against venue", "账本对照交易所"),
        ("every difference explained, or STOPPED", "差异逐项解释，否则 STOPPED"),
    ),
    (
        ("boot", "启动判定"),
        ("flat: IDLE, whole: RUNNING, broken: repaired", "空仓 IDLE，完整 RUNNING，失衡先修"),
    ),
)


def state_machine(language: Language) -> Sheet:
    """Every way of the table but those into STOPPED by halt, which every state has, and those of a start."""
    sheet = Sheet(language, ("The state machine", "状态机"), height=550)
    ways: dict[tuple[State, State], list[str]] = {}
    for row in TABLE:
        for source in row.sources:
            skipped = row.on == "boot" or row.dest is None or (row.dest is State.STOPPED and row.on == "halt")
            if not skipped and row.dest is not None and source is not row.dest:
                names = ways.setdefault((source, row.dest), [])
                names += [] if row.on.value in names else [row.on.value]
    for (source, dest), names in ways.items():
        _way(sheet, source, dest, names)
    for state, (x, y) in PLACES.items():
        edge = {State.STOPPED: "bad", State.RUNNING: "long", State.IDLE: "calm"}.get(state, "dim")
        sheet.box(x - HALF[0], y - HALF[1], 2 * HALF[0], 2 * HALF[1], "soft", edge, 10)
        sheet.text(x, y - 4, state.value, "ink", "middle", 14, bold=True)
        sheet.text(x, y + 16, MEANS[state], "dim", "middle", 12 if language == "zh" else 11)
    sheet.text(20, 24, ("green: normal life, red: stops", "绿色：日常；红色：停止"), "dim", size=12)
    sheet.text(
        20,
        524,
        ("halt leads from every state to STOPPED;", "任何状态遇到 halt 都进入 STOPPED；"),
        "dim",
        size=12,
    )
    sheet.text(
        20,
        542,
        ("a start (boot) begins where reconciliation finds it", "启动（boot）按对账结果决定起点"),
        "dim",
        size=12,
    )
    return sheet


def _way(sheet: Sheet, source: State, dest: State, names: list[str]) -> None:
    """One bent arrow; the words stand beside its middle."""
    (x0, y0), (x1, y1) = PLACES[source], PLACES[dest]
    if dest is State.STOPPED and source in (State.IDLE, State.OPENING):
        _around(sheet, source, names)
        return
    if source is State.STOPPED and dest in (State.IDLE, State.RUNNING):
        _back(sheet, dest, names)
        return
    bend, dx, dy = BENDS.get((source, dest), (20, 0, 0))
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    nx, ny = (y1 - y0) / length, -(x1 - x0) / length
    middle = ((x0 + x1) / 2 + nx * bend, (y0 + y1) / 2 + ny * bend)
    start, end = _edge((x0, y0), middle), _edge((x1, y1), middle)
    colour = "bad" if dest is State.STOPPED else "long" if State.STOPPED is not source else "calm"
    sheet.curve(
        f"M{start[0]:.0f} {start[1]:.0f} Q{middle[0]:.0f} {middle[1]:.0f} {end[0]:.0f} {end[1]:.0f}", colour
    )
    sheet.head(middle, end, colour)
    anchor = "middle"
    at = ((start[0] + 2 * middle[0] + end[0]) / 4 + dx, (start[1] + 2 * middle[1] + end[1]) / 4 + dy)
    if x0 == x1:
        anchor = "start" if nx > 0 else "end"
        at = (at[0] + (8 if nx > 0 else -8), at[1] + 4)
    for n, part in enumerate(_lines(names, narrow=x0 == x1)):
        sheet.text(at[0], at[1] + 14 * n, part, colour, anchor, 11)


def _lines(names: list[str], narrow: bool) -> list[str]:
    """Several lines where one would be long."""
    each = 2 if narrow else 3
    parts = [", ".join(names[n : n + each]) for n in range(0, len(names), each)]
    return [part + "," for part in parts[:-1]] + parts[-1:]


def _around(sheet: Sheet, source: State, names: list[str]) -> None:
    """Into STOPPED on the left side, clear of the others."""
    if source is State.IDLE:
        sheet.curve("M70 230 C 60 400, 160 480, 282 486", "bad")
        sheet.head((200, 480), (286, 486), "bad")
        sheet.text(104, 360, ", ".join(names), "bad", size=11)
    else:
        sheet.curve("M288 62 C -60 20, -60 500, 282 500", "bad")
        sheet.head((180, 500), (286, 500), "bad")
        sheet.text(150, 54, ", ".join(names), "bad", "middle", 11)


def _back(sheet: Sheet, dest: State, names: list[str]) -> None:
    """Out of STOPPED, by the operator only."""
    if dest is State.RUNNING:
        sheet.curve("M472 486 C 640 480, 700 380, 680 234", "calm")
        sheet.head((690, 300), (680, 232), "calm")
        sheet.text(680, 420, ", ".join(names), "calm", "middle", 11)
    else:
        sheet.curve("M300 452 C 230 420, 160 330, 140 234", "calm")
        sheet.head((150, 270), (139, 232), "calm")
        sheet.text(204, 400, ", ".join(names), "calm", "end", 11)


def _edge(centre: Point, towards: Point) -> Point:
    """Where the way from a box's centre leaves the box."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    scale = min(HALF[0] / abs(dx) if dx else 1e9, HALF[1] / abs(dy) if dy else 1e9)
    return centre[0] + dx * scale, centre[1] + dy * scale


def guards(language: Language) -> Sheet:
    """The gates of an opening, in the order in which they speak, and the ladder of permission."""
    opening = next(row for row in TABLE if row.act == "open")
    below = 54 + 76 * ((len(opening.guards) + 3) // 4)
    title: Words = ("The guards of an opening, and the permission", "开仓的守卫与权限阶梯")
    sheet = Sheet(language, title, height=below + 220)
    sheet.text(20, 28, ("scan: every one of these has to say yes", "扫描：必须全部同意"), "dim", size=12)
    for n, name in enumerate(opening.guards):
        x, y = 20 + (n % 4) * 184, 42 + (n // 4) * 76
        sheet.box(x, y, 168, 58, "soft", "long" if name in MAY_WE else "gain")
        sheet.text(x + 84, y + 24, name, "ink", "middle", bold=True)
        sheet.text(x + 84, y + 44, ASKS.get(name, ""), "dim", "middle", 12)
    ends: Words = (
        "all say yes: an order. One says no: the refusal is written down, with its figures.",
        "全部同意才下单；只要一个拒绝，就把理由和数据写进账本。",
    )
    sheet.text(20, below + 10, ends, "dim", size=12)
    for n, level in enumerate(sorted(Permission, reverse=True)):
        x, y = 20 + n * 60, below + 34 + n * 46
        colour = ("long", "gain", "short", "bad")[n]
        sheet.box(x, y, 150, 34, "soft", colour)
        sheet.text(x + 75, y + 22, level.name, colour, "middle", bold=True)
        sheet.text(x + 164, y + 22, ALLOWS[level])
    return sheet


def recovery(language: Language) -> Sheet:
    """From a dead process to the first decision."""
    sheet = Sheet(language, ("Recovery after a restart", "重启后的恢复"), height=330)
    for n, (what, how) in enumerate(STEPS):
        y = 20 + n * 60
        sheet.box(20, y, 260, 42, "soft", "calm" if n < len(STEPS) - 1 else "long")
        sheet.text(150, y + 26, what, "ink", "middle", bold=True)
        sheet.text(300, y + 26, how)
        if n:
            sheet.arrow((150, y - 18), (150, y - 2))
    return sheet


def journal(story: Story, language: Language) -> Sheet:
    """The rows that an opening leaves, in their order: what was decided, meant, done, and what came of it."""
    words: dict[str, Words] = {
        "decision": ("decided, with every verdict", "决定，及全部守卫结论"),
        "hedge": ("opened, with its target", "对冲建立及其目标"),
        "intent": ("an order about to leave", "即将发出的订单"),
        "ack": ("the venue has it", "交易所已受理"),
        "order": ("its final state", "订单最终状态"),
        "fill": ("what was traded", "成交"),
        "report": ("what execution did", "执行结果"),
    }
    opened = story.opening.at_ms
    rows = [row for row in story.rows if row.at_ms == opened and row.kind.value in words][:12]
    sheet = Sheet(language, ("The journal of one opening", "一次开仓的账本"), height=60 + 28 * len(rows))
    after_s = (opened - START_MS) / 1000
    head: Words = (
        f"{after_s:.0f} s after the start; each row's hash covers the row before",
        f"启动后 {after_s:.0f} 秒；每行哈希覆盖上一行",
    )
    sheet.text(20, 28, head, "dim", size=12)
    for n, row in enumerate(rows):
        y = 44 + n * 28
        kind = row.kind.value
        colour = {"decision": "calm", "intent": "gain", "fill": "long"}.get(kind, "dim")
        sheet.box(56, y, 130, 22, "soft", colour, 4)
        sheet.text(46, y + 16, str(row.seq), "dim", "end", 12)
        sheet.text(121, y + 16, kind, "ink", "middle", 12, bold=True)
        sheet.text(204, y + 16, words[kind], "ink", size=12)
        detail = _detail(row.kind.value, row.body)
        sheet.text(430, y + 16, detail, "dim", size=12)
        if n:
            sheet.line(((121, y - 6), (121, y)), "dim", 1.5)
    return sheet


def _detail(kind: str, body: object) -> str:
    """One line of a row's own words, as they stand in it."""
    assert isinstance(body, dict)
    match kind:
        case "decision":
            return f"{body['on']}: {body['src']} → {body['dst']}, {len(body['verdicts'])} verdicts"
        case "intent":
            return f"{body['order']['side']} {body['order']['size']} {body['order']['inst_id']}"
        case "fill":
            return f"{body['fill']['size']} @ {body['fill']['px']}"
        case "ack":
            return f"{body['outcome']} {body['cl_id']}"
        case "order":
            return f"{body['status']} {body['filled']}"
        case "hedge":
            return f"{body['instrument']} {body['target_base']}"
        case _:
            return str(body["report"]["outcome"])
