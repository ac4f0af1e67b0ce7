"""Whatever is asked of the API, the answer is one its description has."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from core.journal import FILE_NAME
from monitor.web.api import build_api
from monitor.web.archive import Archive
from monitor.web.examples import UNTOLD
from monitor.web.library import Library
from tests.monitor.web.shelf import Shelf
from tests.monitor.web.test_api import FakeDesk
from tests.scripts.test_questions import running_story


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The API of an engine with a history. The stream is left out: it never ends."""
    folder: Path = tmp_path_factory.mktemp("journal")
    asyncio.run(Shelf(folder).write(running_story()))
    journal = folder / FILE_NAME
    api = build_api(FakeDesk(), Library(journal), Archive(journal), "0")
    return schemathesis.openapi.from_asgi("/openapi.json", api)


# What these take must also mean something: a word typed out, a key that exists, a value within its bounds.
JUDGED = ("/api/halt", "/api/config", "/api/positions/{instrument}/close")
OPERATIONS = [
    (path, method.upper())
    for path, methods in build_api(FakeDesk(), Library(Path()), Archive(Path()), "0")
    .openapi()["paths"]
    .items()
    for method in methods
    if path != "/api/stream"
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_of_those_described(described: Any, path: str, method: str) -> None:
    @given(case=described[path][method].as_strategy())
    @settings(max_examples=20, deadline=None, derandomize=True, database=None)
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if path in JUDGED else [])

    ask()


@pytest.mark.parametrize(("path", "method"), [one for one in OPERATIONS if one[0] not in UNTOLD])
def test_every_operation_shows_an_answer_of_the_shape_it_describes(path: str, method: str) -> None:
    described = build_api(FakeDesk(), Library(Path()), Archive(Path()), "0").openapi()
    responses = described["paths"][path][method.lower()]["responses"]
    good = next(told for code, told in responses.items() if code.startswith("2"))["content"][
        "application/json"
    ]
    shape = {**good["schema"], "components": described["components"]}
    jsonschema_rs.validate(shape, good["example"])
