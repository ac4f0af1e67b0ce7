"""No test is timed: a busy machine must not fail one. And none may let a planted secret out."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.canaries import CANARIES, found_in, leaks

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def compiled_once(pytestconfig: pytest.Config) -> None:
    """The many processes of a run share what the first of them compiled, also where the machine's own
    environment keeps no bytecode: that is a sixth of the time each takes to start."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(pytestconfig.rootpath / ".pytest_cache" / "bytecode"))


@pytest.fixture(autouse=True, scope="session")
def planted_secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every process a test starts has them as its keys; at the end no file of the whole run holds one."""
    before = {name: os.environ.get(name) for name in CANARIES}
    os.environ.update(CANARIES)
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
    leaked = [str(path) for path in leaks(tmp_path_factory.getbasetemp())]
    assert not leaked, f"a planted secret is in {', '.join(leaked)}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """A test that printed, logged or raised a planted secret has failed."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    said = report.longreprtext + "".join(text for _, text in report.sections)
    if found_in(said.encode(errors="replace")):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a planted secret was printed, logged or raised"
        report.sections = []
