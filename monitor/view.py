"""A status drawn for a terminal: one screen, nothing to scroll. Pure: a Status in, a renderable out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from core.events import State
from core.verdict import Verdict
from monitor import formats
from monitor.health_check import Condition
from monitor.status import CandidateLine, CauseLine, DecisionLine, HedgeLine, Status
from monitor.verdict_words import guard_word
from monitor.words import Language, label, sentence, verdict_sentence, word

LEVEL_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
STATE_STYLES = {"RUNNING": "bold green", "IDLE": "bold cyan", "STOPPED": "bold red"}
FIXED_LINES = 17  # frames, heads, figures and streams; the rest is shared by the tables
FEWEST_ROWS = 2

Note = tuple[int, str, str]  # at_ms, level, text


class StatusView:
    """Everything at a glance, fitted to the terminal's height: small screens show fewer rows."""

    def __init__(self, status: Status, language: Language, notes: Sequence[Note] = ()) -> None:
        self._status, self._language, self._notes = status, language, notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        status = self._status
        free = (options.height or console.height) - FIXED_LINES
        hedges = min(len(status.hedges) or 1, max(FEWEST_ROWS, free // 4))
        candidates = min(len(status.candidates) or 1, max(FEWEST_ROWS, (free - hedges) // 3))
        rest = max(FEWEST_ROWS, (free - hedges - candidates) // 2)
        yield self._header()
        yield self._hedges(status.hedges[:hedges])
        yield self._candidates(status.candidates[:candidates])
        yield self._decisions(status.decisions[:rest])
        yield self._footer(rest)

    def _label(self, key: str) -> str:
        return label(key, self._language)

    def _frame(self, content: RenderableType, title: str, style: str = "dim") -> Panel:
        return Panel(content, title=f"[bold]{title}", title_align="left", border_style=style, padding=(0, 1))

    def _table(self, *heads: tuple[str, str]) -> Table:
        # heads: (label key, "left" | "right"); the last column takes what room is left
        table = Table(box=None, expand=True, padding=(0, 2, 0, 0), header_style="dim")
        for number, (key, justify) in enumerate(heads, 1):
            last = number == len(heads)
            table.add_column(
                self._label(key),
                justify="right" if justify == "right" else "left",
                no_wrap=True,
                overflow="ellipsis",
                ratio=1 if last else None,
            )
        return table

    def _header(self) -> Panel:
        s, text = self._status, self._label
        state = Text(word(s.state, self._language), STATE_STYLES.get(s.state.value, "bold yellow"))
        leave = "green" if s.permission == "FULL" else "bold red"
        first = Text.assemble(
            state,
            (f"  {text('since')} {formats.clock_time(s.state_since_ms)}", "dim"),
            f"   {text('permission')} ",
            (word(s.permission, self._language), leave),
            (f" {sentence(s.permission_reason, self._language)}" if s.permission != "FULL" else "", "dim"),
            (f"   {text('breaker')}: {sentence(s.breaker, self._language)}" if s.breaker else "", "bold red"),
        )
        totals = s.totals
        money = self._figures(
            ("equity", Text(formats.usdt(s.equity), "bold")),
            ("today", _signed(s.day_pnl)),
            ("unrealised", _signed(s.unrealised_pnl)),
            ("funding", _signed(totals.funding)),
            ("fees", Text(formats.usdt(totals.fees))),
        )
        counts = self._figures(
            (
                "margin",
                Text(formats.percent(s.margin_ratio) if s.margin_ratio is not None else formats.ABSENT),
            ),
            ("scans", Text(str(totals.scans))),
            ("settled", Text(str(totals.settlements))),
            ("orders", Text(str(totals.orders))),
            ("rejects", Text(str(totals.rejects), "red" if totals.rejects else "")),
            ("rounds", Text(str(s.rounds_today))),
        )
        for line in (first, money, counts):
            line.no_wrap, line.overflow = True, "ellipsis"
        title = f"{text('title')} · {word(s.mode, self._language)} · {formats.utc(s.now_ms)}"
        return self._frame(Group(first, money, counts), title, "green" if not s.warnings else "yellow")

    def _figures(self, *figures: tuple[str, Text]) -> Text:
        parts = [Text.assemble((self._label(key) + " ", "dim"), value) for key, value in figures]
        return Text("   ").join(parts)

    def _hedges(self, hedges: Sequence[HedgeLine]) -> Panel:
        table = self._table(
            ("instrument", "left"),
            ("spot", "right"),
            ("contracts", "right"),
            ("delta", "right"),
            ("drift", "right"),
            ("notional", "right"),
            ("funding", "right"),
            ("pnl", "right"),
            ("settled", "right"),
            ("held", "left"),
        )
        for hedge in hedges:
            table.add_row(
                Text(hedge.instrument, "bold"),
                formats.coins(hedge.spot_base),
                formats.coins(hedge.contracts),
                formats.coins(hedge.net_delta),
                formats.percent(hedge.drift_ratio),
                formats.usdt(hedge.notional) if hedge.notional is not None else formats.ABSENT,
                _signed(hedge.funding),
                _signed(hedge.pnl),
                str(hedge.settlements),
                formats.span(self._status.now_ms - hedge.opened_ms),
            )
        if not hedges:
            table = self._note_line("nothing_held")
        return self._frame(table, self._counted("hedges", len(self._status.hedges), len(hedges)))

    def _candidates(self, candidates: Sequence[CandidateLine]) -> Panel:
        next_at = {line.instrument: line for line in self._status.settlements}
        table = self._table(
            ("instrument", "left"),
            ("rate", "right"),
            ("next", "right"),
            ("expected", "right"),
            ("basis", "right"),
            ("verdict", "left"),
        )
        for line in candidates:
            coming = next_at.get(line.instrument)
            table.add_row(
                Text(line.instrument, "bold"),
                formats.rate(line.rate) if line.rate is not None else formats.ABSENT,
                formats.span(coming.at_ms - self._status.now_ms) if coming else formats.ABSENT,
                _signed(coming.expected) if coming and coming.expected is not None else formats.ABSENT,
                f"{line.basis_bps:+.1f}" if line.basis_bps is not None else formats.ABSENT,
                self._verdict(line),
            )
        if not candidates:
            table = self._note_line("not_judged")
        return self._frame(table, self._counted("candidates", len(self._status.candidates), len(candidates)))

    def _verdict(self, line: CandidateLine) -> Text:
        if line.refusal is None:
            return Text(self._label("pays"), "green")
        return self._refusal(line.refusal)

    def _refusal(self, verdict: Verdict, where: str = "") -> Text:
        guard = guard_word(verdict.guard, self._language)
        said = verdict_sentence(verdict.guard, verdict.ok, verdict.reason, self._language)
        return Text.assemble((f"{where}{guard}{'：' if self._language == 'zh' else ': '}", "yellow"), said)

    def _decisions(self, decisions: Sequence[DecisionLine]) -> Panel:
        table = self._table(("time", "left"), ("event", "left"), ("state", "left"), ("why", "left"))
        for line in decisions:
            moved = line.src is not line.dst
            path = word(line.src, self._language)
            if moved:
                path += f" → {word(line.dst, self._language)}"
            table.add_row(
                formats.clock_time(line.at_ms),
                word(line.on, self._language),
                Text(path, "bold" if moved else ""),
                self._why(line),
            )
        if not decisions:
            table = self._note_line("none_yet")
        return self._frame(table, self._label("decisions"))

    def _why(self, line: DecisionLine) -> Text:
        if line.refused:
            first = line.refused[0]
            more = f" (+{len(line.refused) - 1})" if len(line.refused) > 1 else ""
            where = f"{first.instrument} " if first.instrument else ""
            return Text.assemble(self._refusal(first, where), (more, "dim"))
        about = f"{line.instrument} " if line.instrument else ""
        return Text(about + sentence(line.reason, self._language))

    def _footer(self, rows: int) -> Panel:
        s = self._status
        shown = s.warnings[: rows - 1] if self._notes else s.warnings[:rows]
        lines = [self._cause(c) for c in s.causes[:rows]] if len(s.causes) > 1 else []
        lines += [_condition(c) for c in shown[: max(0, rows - len(lines))]]
        lines += [_note(note) for note in reversed(self._notes[len(lines) - rows :])]
        streams = Text(self._label("streams") + " ", "dim")
        for stream in s.streams:
            streams.append("● ", "green" if stream.live else "red")
            streams.append(f"{stream.name} {formats.span(stream.age_ms)}  ")
        for line in (*lines, streams):
            line.no_wrap, line.overflow = True, "ellipsis"
        critical = any(c.level == "critical" for c in s.warnings)
        is_stopped = s.state is State.STOPPED
        calm = word(s.state, self._language) if is_stopped else self._label("all_well")
        title = self._counted("warnings", len(s.warnings)) if s.warnings else calm
        style = "red" if critical or is_stopped else "yellow" if s.warnings else "dim"
        return self._frame(Group(*lines, streams), f"{title} · {self._label('messages')}", style)

    def _cause(self, line: CauseLine) -> Text:
        return Text.assemble(
            ("▼ ", "bold red" if line.level in ("REDUCE_ONLY", "HALTED") else "yellow"),
            (formats.clock_time(line.since_ms) + " ", "dim"),
            f"{word(line.level, self._language)}: {word(line.cause, self._language)}, ",
            sentence(line.reason, self._language),
        )

    def _counted(self, key: str, total: int, shown: int | None = None) -> str:
        few = shown is not None and shown < total
        return f"{self._label(key)} {shown}/{total}" if few else f"{self._label(key)} {total}"

    def _note_line(self, key: str) -> Table:
        table = Table.grid()
        table.add_row(Text(self._label(key), "dim italic"))
        return table


def _signed(value: Decimal) -> Text:
    return Text(formats.signed_usdt(value), "green" if value > 0 else "red" if value < 0 else "")


def _condition(condition: Condition) -> Text:
    return Text.assemble(
        ("▲ ", LEVEL_STYLES[condition.level]),
        (formats.clock_time(condition.since_ms) + " ", "dim"),
        condition.text,
    )


def _note(note: Note) -> Text:
    at_ms, level, text = note
    return Text.assemble(
        ("· ", LEVEL_STYLES.get(level, "")), (formats.clock_time(at_ms) + " ", "dim"), text.replace("\n", " ")
    )
