"""The project as a whole: what may not stand in any file, and what decision code may not reach for."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
HASHED = ("requirements/",)
BINARY = {".png", ".ico", ".woff2", ".gz", ".db", ".sqlite"}

FORBIDDEN_TEXT = {
    "a path of one machine": r"(?<![\w.])/(?:home|Users)/[a-z][\w.-]*/|(?<![\w.])/(?:root|work)/\w",
    "an address of a package registry": r"pypi\.org|pythonhosted|registry\.npmjs|--(?:extra-)?index-url\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a chat bot token": r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b",
    "a venue key": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "a cloud key": r"\bAKIA[0-9A-Z]{16}\b|\bsk-[A-Za-z0-9]{20,}|\bgh[pousr]_[A-Za-z0-9]{30,}",
    "a webhook with its token": r"access_token=[0-9a-f]{20,}",
}
FORBIDDEN_MODULES = {"random", "uuid", "secrets"}
FORBIDDEN_CALLS = {
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "sleep"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("asyncio", "sleep"),
    ("asyncio", "to_thread"),
    ("os", "urandom"),
}
SWALLOWED = re.compile(r"except[^:\n]*:\s*(?:pass|\.\.\.)\s*(?:#.*)?$", re.M)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b|NotImplementedError")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: there is no list of tracked files")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and path.suffix not in BINARY]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def keeps_time(path: Path) -> bool:
    return name_of(path).startswith("core/clock") or name_of(path) == "core/scheduler.py"


DECIDING = [p for p in sources("core", "risk", "strategy", "execution") if not keeps_time(p)]


def reaches_outside(tree: ast.AST) -> list[str]:
    """Return what a module imports or calls of clocks, chance and waiting."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.partition(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom):
            pairs = {(node.module or "", alias.name) for alias in node.names}
            found += [f"{m}.{n}" for m, n in pairs if m in FORBIDDEN_MODULES or (m, n) in FORBIDDEN_CALLS]
        elif isinstance(node, ast.Attribute):
            owner = (
                node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            )
            if (owner, node.attr) in FORBIDDEN_CALLS:
                found.append(f"{owner}.{node.attr}")
    return found


@pytest.mark.parametrize("what", FORBIDDEN_TEXT)
def test_no_tracked_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN_TEXT[what])
    held = []
    for path in tracked():
        if path == Path(__file__) or (what == "a venue key" and name_of(path).startswith(HASHED)):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if found := pattern.search(line):
                held.append(f"{name_of(path)}:{number} {found[0][:12]}...")
    assert not held, f"{what}: {held}"


@pytest.mark.fault("SE2")
def test_no_secret_file_is_tracked() -> None:
    names = {name_of(path) for path in tracked()}
    assert ".env.example" in names
    assert not [n for n in names if n.rpartition("/")[2] == ".env" or n.endswith((".pem", ".key"))]
    for line in (ROOT / ".env.example").read_text().splitlines():
        assert line.startswith("#") or not line.partition("=")[2], f"{line}: an example holds no value"


@pytest.mark.parametrize("path", DECIDING, ids=name_of)
def test_deciding_code_reaches_for_no_clock_chance_or_waiting(path: Path) -> None:
    assert reaches_outside(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import random",
        "from random import choice",
        "import time\ntime.time()",
        "from time import monotonic",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\nnow = datetime.now",
        "import asyncio\nawait asyncio.sleep(1)",
        "from asyncio import to_thread",
        "from uuid import uuid4",
    ],
)
def test_the_check_on_deciding_code_sees(code: str) -> None:
    assert reaches_outside(ast.parse(code))


def test_no_error_is_swallowed_and_nothing_is_unfinished() -> None:
    code = [p for p in tracked() if p.suffix == ".py" and p != Path(__file__)]
    found = [name_of(p) for p in code if SWALLOWED.search(p.read_text()) or UNFINISHED.search(p.read_text())]
    assert not found


def test_no_module_is_longer_than_500_lines() -> None:
    long = [name_of(p) for p in tracked() if p.suffix == ".py" and len(p.read_text().splitlines()) > 500]
    assert not long


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;\\]+)", text, re.M))


def direct(group: str | None) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = project["dependency-groups"][group] if group else project["project"]["dependencies"]
    found = [Requirement(line) for line in listed if isinstance(line, str)]
    for line in listed:
        found += [] if isinstance(line, str) else direct(line["include-group"])
    return found


@pytest.mark.parametrize(
    ("file", "group"),
    [
        ("runtime", None),
        ("dev", None),
        ("dev", "dev"),
        ("parquet", "parquet"),
        ("search", "search"),
        ("cluster", "cluster"),
        ("docs", "docs"),
    ],
)
@pytest.mark.fault("DP2")
def test_every_dependency_is_pinned_at_a_version_the_project_allows(file: str, group: str | None) -> None:
    pinned = pins(file)
    for wanted in direct(group):
        name = wanted.name.lower().replace("_", "-")
        assert name in pinned, f"{wanted} is not in requirements/{file}.txt: run `make requirements`"
        assert Version(pinned[name]) in wanted.specifier, f"{wanted} is pinned at {pinned[name]}"


@pytest.mark.parametrize("file", ["runtime", "search", "cluster", "docs"])
def test_development_pins_the_same_versions_as(file: str) -> None:
    used, dev = pins(file), pins("dev")
    assert {name: dev.get(name) for name in used} == used


@pytest.mark.parametrize("file", ["runtime", "search", "cluster", "docs", "parquet", "dev", "uv"])
@pytest.mark.fault("DP2")
def test_every_pin_carries_its_hashes(file: str) -> None:
    text = (ROOT / "requirements" / f"{file}.txt").read_text()
    blocks = re.split(r"^(?=\S)", text, flags=re.M)[1:]
    assert blocks and all("--hash=sha256:" in block for block in blocks)
    assert "http" not in re.sub(r"httpx|httpcore|httptools|aiohttp", "", text)


def test_the_readme_starts_with_the_two_commands() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        commands = re.findall(r"^make (?:run|test)$", text, re.M)
        assert commands[:2] == ["make run", "make test"], name
    assert (ROOT / ".ci" / "run").read_text().count("make test") == 1
