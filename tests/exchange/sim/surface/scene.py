"""The protocol on a venue with real economics, whose market goes where a test tells it."""

from __future__ import annotations

from typing import Any

from exchange.sim.exchange import Exchange
from exchange.sim.profile import VenueProfile
from tests.exchange.sim.surface.client import Rest, Stream
from tests.exchange.sim.worlds import MINUTE_MS, StillMarket


class Scene:
    """A venue with a market that goes where it is told, and the demo account's client."""

    def __init__(self, **profile: object) -> None:
        self.market = StillMarket()
        self.venue = Exchange(self.market, seed=1, profile=VenueProfile(**profile))  # type: ignore[arg-type]
        self.rest = Rest(self.venue)  # type: ignore[arg-type]

    def move(self, spot: float) -> None:
        self.market.spot["BTC"] = spot
        until_ms = self.venue.now_ms + MINUTE_MS
        while self.venue.now_ms < until_ms:
            self.venue.advance(until_ms)

    def ack(self, path: str, body: object) -> dict[str, Any]:
        answer = self.rest.post(path, body)[1]
        ack: dict[str, Any] = answer["data"][0]
        assert answer["code"] == ("0" if ack["sCode"] == "0" else "1"), answer
        return ack

    def business(self, **arg: str) -> tuple[Stream, list[dict[str, Any]]]:
        stream = Stream(self.rest, "business")
        stream.login()
        return stream, stream.subscribe(**arg)
