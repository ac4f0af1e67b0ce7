"""The committed bundle is what its source builds to: users need no Node, and nobody edits what was built."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.web.pages import BUNDLE, FILES

SOURCE = BUNDLE.parents[1] / "dashboard"
BESIDE = (
    ".npmrc",
    "digest.mjs",
    "index.html",
    "package-lock.json",
    "package.json",
    "tsconfig.json",
    "vite.config.ts",
)
STAMP = "built-from.txt"
PATIENCE_S = 240
UNREACHABLE = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH")


def digest(source: Path) -> str:
    """Hash every source file as monitor/dashboard/digest.mjs does."""
    below = [path.relative_to(source).as_posix() for path in (source / "src").rglob("*") if path.is_file()]
    total = hashlib.sha256()
    for name in sorted([*BESIDE, *below]):
        one = hashlib.sha256((source / name).read_bytes()).hexdigest()
        total.update(f"{name} {one}\n".encode())
    return total.hexdigest()


def test_the_committed_bundle_was_built_from_this_source() -> None:
    built_from = (BUNDLE / STAMP).read_text(encoding="utf-8").strip()
    assert built_from == digest(SOURCE), "run `npm ci && npm run build` in monitor/dashboard, and commit both"


def test_the_digest_sees_every_change_of_the_source(tmp_path: Path) -> None:
    copy = tmp_path / "dashboard"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("node_modules"))
    before = digest(copy)
    main = copy / "src" / "main.tsx"
    main.write_text(main.read_text(encoding="utf-8") + "// one more line\n", encoding="utf-8")
    changed = digest(copy)
    (copy / "src" / "new.ts").write_text("", encoding="utf-8")
    assert len({before, changed, digest(copy)}) == 3


def test_nothing_else_lies_with_the_bundle() -> None:
    assert {path.name for path in BUNDLE.iterdir()} == {*FILES, STAMP}


def test_the_lock_file_names_no_registry_and_pins_every_package() -> None:
    lock = json.loads((SOURCE / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    for name, one in packages.items():
        assert "resolved" not in one, name
        # What a package brings along inside of itself has the hash of that package.
        assert one.get("inBundle") or one["integrity"].startswith("sha512-"), name
    wanted = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version, (
            f"{name}: pinned exactly, and as locked"
        )


@pytest.mark.timeout(2 * PATIENCE_S)
def test_building_the_source_gives_the_committed_bundle_byte_for_byte(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: only the digest of the source was compared")
    copy = tmp_path / "monitor" / "dashboard"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("node_modules"))
    fetched = run(npm, "ci", "--prefer-offline", folder=copy)
    if unreachable := UNREACHABLE.search(fetched.stderr):
        pytest.skip(f"the registry cannot be reached ({unreachable[0]}): only the digest was compared")
    assert fetched.returncode == 0, fetched.stderr
    checked = run(npm, "run", "check", folder=copy)
    assert checked.returncode == 0, checked.stdout
    built = run(npm, "run", "build", folder=copy)
    assert built.returncode == 0, built.stdout + built.stderr
    for name in (*FILES, STAMP):
        made = (tmp_path / "monitor" / "web" / "static" / name).read_bytes()
        assert made == (BUNDLE / name).read_bytes(), name


def run(npm: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [npm, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
