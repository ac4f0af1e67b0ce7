"""Which coins are looked at, when the list is not written down but ranked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from config.schema import Universe
from core.types import ZERO, Pair


@dataclass(frozen=True, slots=True)
class Listing:
    """One pair as the ranking sees it.

    volume_usdt  24 h turnover of the swap.    rate_8h  current funding rate per 8 h; None when not known.
    """

    pair: Pair
    volume_usdt: Decimal
    rate_8h: Decimal | None = None


def rank(listings: Iterable[Listing], universe: Universe) -> tuple[str, ...]:
    """Return the names worth looking at, the best funding first.

    Membership is a matter of volume alone: the `size` most traded pairs above `min_volume_usdt`, live on both
    legs, without an announced delisting, not excluded. The order among them is by funding rate, an
    unknown one counting as zero, and by name between equals, so that the same rows always give the same
    answer.
    """
    fit = [item for item in listings if _is_fit(item, universe)]
    fit.sort(key=lambda item: (-item.volume_usdt, item.pair.name))
    kept = fit[: universe.size]
    kept.sort(key=lambda item: (-(item.rate_8h or ZERO), item.pair.name))
    return tuple(item.pair.name for item in kept)


def _is_fit(item: Listing, universe: Universe) -> bool:
    spot, swap = item.pair.spot, item.pair.swap
    return (
        item.pair.name not in universe.exclude
        and item.volume_usdt >= universe.min_volume_usdt
        and spot.state == swap.state == "live"
        and spot.exp_time_ms is swap.exp_time_ms is None
    )
