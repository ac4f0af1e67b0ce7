"""What the endpoint files have in common: a route, and the call it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.sim.model import AccountState
from exchange.sim.surface.entry.params import Params
from exchange.sim.surface.entry.rate_limits import Limit

READ, TRADE = "read_only", "trade"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its caller known. `items` holds the body's objects: one, or a batch."""

    params: Params
    items: Sequence[dict[str, Any]]
    caller: AccountState | None

    @property
    def account(self) -> AccountState:
        """The caller of a private endpoint, which the signature check has established."""
        assert self.caller is not None
        return self.caller


@dataclass(frozen=True, slots=True)
class Route:
    """`permission` None is public. Order entry spends its own limits and stamps its answers.

    `expires`: the header expTime counts. `acks`: the rows acknowledge single orders, and the envelope's
    code sums them up.
    """

    method: str
    path: str
    answer: Callable[[Call], Sequence[Any]]
    limit: Limit | None = None
    permission: str | None = None
    batch: bool = False
    order_entry: bool = False
    acks: bool = False
    expires: bool = False
