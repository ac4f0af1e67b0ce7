"""The tutorials are carried out as they stand: their files written, their edits made, their programs run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("config", "core", "exchange", "execution", "monitor", "risk", "scripts", "strategy", "tests")
TUTORIALS = ("add-a-guard", "add-a-module", "add-a-strategy", "add-a-venue")
BLOCK = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.M | re.S)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Language, title and text of every block of a page that has a title."""
    return BLOCK.findall((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"))


def edit(path: Path, diff: str) -> None:
    """Make the changes of a diff without line numbers; `@@` stands between two places."""
    text = path.read_text(encoding="utf-8")
    for place in diff.split("@@\n"):
        lines = place.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, f"{path.name} has not once: {before}"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project to work in, without the planted secrets, which may be in no file."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "canaries.py")
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def follow(page: str, project: Path) -> dict[str, tuple[str, str]]:
    """Do what the page says; return for each program what it should print and what it printed."""
    printed = {}
    for language, title, text in blocks(page):
        if language == "python":
            path = project / title
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif language == "diff":
            edit(project / title, text)
        else:
            printed[title] = (text, run(project, title.removeprefix("output of ")))
    return printed


def run(project: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=project, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("page", TUTORIALS)
def test_a_tutorial_does_what_it_says(page: str, project: Path) -> None:
    printed = follow(page, project)
    assert printed
    for title, (promised, found) in printed.items():
        assert found == promised, title
    added = [title for language, title, _ in blocks(page) if language == "python"]
    run(project, "-m", "ruff", "check", "--no-cache", *added)
    run(project, "-m", "ruff", "format", "--check", "--no-cache", *added)
    own = [title for title in added if "/" in title and not title.startswith("tests/")]
    run(project, "-m", "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache" / "tutorials"), *own)


def test_the_test_of_the_guard_passes_and_sees(project: Path) -> None:
    follow("add-a-guard", project)
    test = "tests/risk/test_weekday_guard.py"
    asked = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", test)
    assert "5 passed" in run(project, *asked)
    edit(project / "risk" / "weekday_guard.py", "-        ok = day < SATURDAY\n+        ok = True\n")
    with pytest.raises(AssertionError, match="2 failed"):
        run(project, *asked)


@pytest.mark.parametrize("page", TUTORIALS)
def test_the_chinese_tutorial_has_the_same_code(page: str) -> None:
    assert blocks(f"{page}.zh") == blocks(page)
