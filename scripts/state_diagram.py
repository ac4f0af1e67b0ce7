"""Write the state diagram and the transition table into docs/architecture.md, from core/table.py alone.

    python scripts/state_diagram.py

Only what stands between the two markers of the page is replaced. Run by `make docs`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.events import On, State
from core.table import EVERY, IGNORED, LIVE, MAY_WE, TABLE, Act, Row

PAGE: Final = ROOT / "docs" / "architecture.md"
BEGIN: Final = "<!-- generated from core/table.py by `make docs`: begin -->\n"
END: Final = "<!-- generated: end -->\n"


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


def transition_table() -> str:
    """Return every row of the table as Markdown, in the order in which rows are tried."""
    head = "| event | from | to | if all of these say yes | hands to execution |\n|---|---|---|---|---|\n"
    return head + "".join(map(_line, TABLE))


def _line(row: Row) -> str:
    dest = "stays" if row.dest is None else row.dest
    act = "" if row.act is Act.NOTHING else row.act.value
    return f"| `{row.on}` | {_named(row.sources)} | {dest} | {_guards(row.guards)} | {act} |\n"


def _guards(names: tuple[str, ...]) -> str:
    """The seven guards of "may we" are one phrase, explained below the table."""
    if names[-len(MAY_WE) :] == MAY_WE:
        names = (*names[: -len(MAY_WE)], "may we")
    return ", ".join(f"`{name}`" if name != "may we" else "**may we**" for name in names)


def ignored_list() -> str:
    """Return the events that are recorded and dropped, with the states in which they are."""
    lines = (
        f"- `{on}` in {_named(tuple(s for s in EVERY if (s, on) in IGNORED))}\n"
        for on in On
        if any(event is on for _, event in IGNORED)
    )
    return "".join(lines)


def _named(states: Iterable[State]) -> str:
    chosen = tuple(states)
    return {EVERY: "any", LIVE: "any but STOPPED"}.get(chosen, ", ".join(chosen))


def block() -> str:
    """Return everything between the markers."""
    may_we = ", ".join(f"`{name}`" for name in MAY_WE)
    return (
        f"\n{diagram()}\n{transition_table()}\n**may we**: {may_we}.\n\n"
        f"Recorded and dropped, because the machine is busy or they have come too late:\n\n{ignored_list()}\n"
    )


def put_into(page: str) -> str:
    """Return the page with its generated part replaced. Raises ValueError for a page without the markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks one of its markers: {BEGIN.strip()} ... {END.strip()}")
    return before + BEGIN + block() + END + after


if __name__ == "__main__":
    PAGE.write_text(put_into(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
