"""Lists that the venue gives in pages, newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from core.errors import VenueDown
from exchange.okx.rest import OkxRest

A_PAGE: Final = 100
MOST_PAGES: Final = 200

W = TypeVar("W")
R = TypeVar("R")


async def all_pages(
    rest: OkxRest,
    call: Callable[..., Any],
    row: type[W],
    parser: Callable[[W], R],
    cursor: Callable[[R], str],
    enough: Callable[[R], bool] = lambda _: False,
    **params: str,
) -> list[R]:
    """Walk a list backwards by its cursor to its end, or until a row says it is enough.

    Raises VenueDown when the list has no end: a part of it must not pass for the whole.
    """
    rows: list[R] = []
    after = ""
    for _ in range(MOST_PAGES):
        page = await rest.read(call, row, parser, limit=str(A_PAGE), after=after, **params)
        rows.extend(page)
        if len(page) < A_PAGE or enough(page[-1]):
            return rows
        after = cursor(page[-1])
        if not after:
            break
    raise VenueDown(f"{call.__name__}: more than {len(rows)} rows")
