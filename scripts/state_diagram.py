"""Write the state diagram and the transition table into the architecture pages, from core/table.py alone.

    python scripts/state_diagram.py

Only what stands between the two markers of a page is replaced, in the page's language. Run by `make docs`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.events import On, State
from core.table import EVERY, IGNORED, LIVE, MAY_WE, TABLE, Row

PAGES: Final = {
    "en": ROOT / "docs" / "architecture.md",
    "zh": ROOT / "docs" / "architecture.zh.md",
}
BEGIN: Final = "<!-- generated from core/table.py by `make docs`: begin -->\n"
END: Final = "<!-- generated: end -->\n"
MAY: Final = "may we"
CHINESE: Final = {
    "event": "事件",
    "from": "从",
    "to": "到",
    "if all of these say yes": "须全部同意",
    "hands to execution": "交给执行",
    "stays": "不变",
    "any": "任意",
    "any but STOPPED": "除 STOPPED 外",
    MAY: "能不能",
    "in": "于",
    "Recorded and dropped, because the machine is busy or they have come too late:": (
        "只记录、不处理，因为机器正忙，或来得太晚："
    ),
}


def diagram() -> str:
    """Return the Mermaid state diagram: one arrow per pair of states, with the events that take it.

    A start may follow any state, so `boot` comes from outside. Rows without a destination are no arrows.
    """
    events: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        for source in _sources_drawn(row):
            if row.dest is not None and row.on.value not in events.setdefault((source, row.dest), []):
                events[source, row.dest].append(row.on.value)
    arrows = "".join(f"    {src} --> {dst} : {', '.join(names)}\n" for (src, dst), names in events.items())
    return f"```mermaid\nstateDiagram-v2\n{arrows}```\n"


def _sources_drawn(row: Row) -> Iterator[str]:
    if row.on is On.BOOT:
        yield "[*]"
    else:
        yield from row.sources


def said(words: str, language: str) -> str:
    """The page's word for it."""
    return CHINESE[words] if language == "zh" else words


def transition_table(language: str = "en") -> str:
    """Return every row of the table as Markdown, in the order in which rows are tried."""
    heads = ("event", "from", "to", "if all of these say yes", "hands to execution")
    head = f"| {' | '.join(said(one, language) for one in heads)} |\n|---|---|---|---|---|\n"
    return head + "".join(_line(row, language) for row in TABLE)


def _line(row: Row, language: str) -> str:
    dest = said("stays", language) if row.dest is None else row.dest
    act = "" if row.act is None else row.act.value
    sources, guards = _named(row.sources, language), _guards(row.guards, language)
    return f"| `{row.on}` | {sources} | {dest} | {guards} | {act} |\n"


def _guards(names: tuple[str, ...], language: str) -> str:
    """The seven guards of "may we" are one phrase, explained below the table."""
    if names[-len(MAY_WE) :] == MAY_WE:
        names = (*names[: -len(MAY_WE)], MAY)
    return ", ".join(f"`{name}`" if name != MAY else f"**{said(MAY, language)}**" for name in names)


def ignored_list(language: str = "en") -> str:
    """Return the events that are recorded and dropped, with the states in which they are."""
    where = said("in", language)
    lines = (
        f"- `{on}` {where} {_named(tuple(s for s in EVERY if (s, on) in IGNORED), language)}\n"
        for on in On
        if any(event is on for _, event in IGNORED)
    )
    return "".join(lines)


def _named(states: Iterable[State], language: str) -> str:
    chosen = tuple(states)
    many = {EVERY: "any", LIVE: "any but STOPPED"}.get(chosen)
    return said(many, language) if many else ", ".join(chosen)


def block(language: str = "en") -> str:
    """Return everything between the markers."""
    may_we = ", ".join(f"`{name}`" for name in MAY_WE)
    dropped = said("Recorded and dropped, because the machine is busy or they have come too late:", language)
    colon, stop = ("：", "。") if language == "zh" else (": ", ".")
    return (
        f"\n{diagram()}\n{transition_table(language)}\n**{said(MAY, language)}**{colon}{may_we}{stop}\n\n"
        f"{dropped}\n\n{ignored_list(language)}\n"
    )


def put_into(page: str, language: str = "en") -> str:
    """Return the page with its generated part replaced. Raises ValueError for a page without the markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks one of its markers: {BEGIN.strip()} ... {END.strip()}")
    return before + BEGIN + block(language) + END + after


if __name__ == "__main__":
    for language, path in PAGES.items():
        path.write_text(put_into(path.read_text(encoding="utf-8"), language), encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
