"""GET /metrics, for a Prometheus. Behind the same door as everything else: with WEB_TOKEN it asks for it."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client.exposition import choose_encoder

from monitor.metrics.catalogue import registry_of
from monitor.web.desk import Desk


def add_scrape(api: FastAPI, desk: Desk) -> None:
    """Serve every metric of the catalogue, in the format the scraper asks for.

    Read in the web's thread from frozen pictures and counters: the engine's loop is not asked for anything.
    """
    registry = registry_of(desk.figures)

    @api.get("/metrics", tags=["health"], response_class=PlainTextResponse)
    def metrics(request: Request) -> Response:
        """Every metric, in Prometheus' text format or as OpenMetrics: docs/metrics.md."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type, "cache-control": "no-store"})
