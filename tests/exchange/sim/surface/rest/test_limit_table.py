"""The limits of our routes, held against the table of the venue's fact sheet."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.sim.surface.client import Rest

SHEET = Path(__file__).parents[5].parent / "shared" / "okx" / "api-v5.md"

Scope = tuple[int, int, tuple[str, ...]]  # count, window in ms, parameters counted apart


def table() -> Iterator[tuple[str, Scope]]:
    """Pairs of cells such as `GET account/balance, positions` and `10/2s UID`; batches are left out."""
    text = SHEET.read_text().split("Master table of REST limits")[1].split("## 2. ")[0]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for names, limit in zip(cells[0::2], cells[1::2], strict=False):
            found = re.match(r"(\d+)/(\d*)s \w+((?:\+\w+)*)", limit)
            if not found:
                continue
            verb, _, paths = re.sub(r"\(.*?\)", "", names).partition(" ")
            folder = paths.split("/")[0]
            for path in paths.split(","):
                full = path.strip() if "/" in path else f"{folder}/{path.strip()}"
                per = tuple(found[3].split("+")[1:])
                yield f"{verb} /{full}", (int(found[1]), int(found[2] or 1) * 1000, per)


@pytest.mark.skipif(not SHEET.is_file(), reason="the fact sheet of the venue is not at hand")
def test_every_route_has_the_limit_of_the_venues_table() -> None:
    ours = {
        f"{route.method} {route.path}": (route.limit.count, route.limit.window_ms, route.limit.per)
        for route in Rest().api.routes
        if route.limit is not None  # order entry counts in buckets of its own
    }
    asked = {name: scope for name, scope in table() if name in ours}
    assert len(asked) > 40
    assert {name: ours[name] for name in asked} == asked
