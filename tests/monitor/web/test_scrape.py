from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from core.journal import FILE_NAME
from monitor.figures import Figures
from monitor.web.api import build_api
from monitor.web.archive import Archive
from monitor.web.library import Library
from tests.monitor.metrics.scene import figures
from tests.monitor.web.test_api import FakeDesk


class Measured(FakeDesk):
    def figures(self) -> Figures | None:
        return figures()


@pytest.mark.parametrize(
    ("accept", "kind", "parse"),
    [
        ("", "text/plain", plain_text),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", open_metrics),
    ],
)
async def test_a_scraper_gets_the_format_it_asks_for(
    tmp_path: Path, accept: str, kind: str, parse: object
) -> None:
    api = build_api(Measured(), Library(tmp_path / FILE_NAME), Archive(tmp_path / FILE_NAME), "0")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://here") as client:
        answer = await client.get("/metrics", headers={"accept": accept})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == "no-store"
    told = {family.name: family for family in parse(answer.text)}  # type: ignore[operator]
    assert told["funding_engine_margin_ratio"].samples[0].value == float(figures().ctx.margin_ratio)  # type: ignore[union-attr, arg-type]
