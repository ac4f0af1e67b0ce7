"""Keeps a lock-step venue's time still while somebody without a clock of its own asks it signed questions.

A signature is good for thirty seconds of the venue's time, which an accelerated demo lives in milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import httpx

from core.errors import VenueDown
from exchange.lockstep import LockstepKeeper

# Where nobody moves time, whoever was here before has used up budgets that time alone fills again.
BUDGET_MS = 2_000

Still = Callable[[], AbstractContextManager[int | None]]  # inside: the time that stands, None if none does


def still_of(base_url: str | None) -> Still:
    """What to enter around questions: nothing for a venue on the wall's clock."""
    return nullcontext if base_url is None else lambda: _held(base_url)


@contextmanager
def _held(base_url: str) -> Iterator[int | None]:
    """Attach to the clock and never be idle: time stands until we leave. A free-running venue runs on.

    Raises VenueDown when the venue does not answer.
    """
    try:
        clock = httpx.get(f"{base_url}/sim/clock", trust_env=False, timeout=3.0).json()
    except (httpx.HTTPError, ValueError) as error:
        raise VenueDown(f"no venue at {base_url}: {error}") from error
    if clock["driver"] != "lock-step":
        yield None
        return
    keeper = LockstepKeeper(base_url.replace("http", "ws", 1) + "/sim/clock", None)
    try:
        if not clock["clients"]:
            keeper.live(BUDGET_MS)
        yield keeper.now_ms()
    finally:
        keeper.close()
