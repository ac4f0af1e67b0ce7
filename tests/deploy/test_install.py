"""install.sh and upgrade.sh for real, under a folder instead of /, with a stand-in for systemctl."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.facts import Kind
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from tests.deploy.names import DEPLOY, ROOT
from tests.e2e.rig import venue

pytestmark = pytest.mark.timeout(900)  # environments are built from a package registry
SHELLCHECK = shutil.which("shellcheck")
SYSTEMCTL = """#!/bin/sh
# Writes down what it is told; an engine whose version says "broken" does not come up.
echo "$*" >> {log}
case "$1" in
  start | is-active) ! grep -q broken {current}/scripts/version.py ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A host as far as the scripts see one: `root` stands for /."""

    root: Path
    source: Path

    @property
    def current(self) -> Path:
        return self.root / "opt" / "funding-engine" / "current"

    @property
    def books(self) -> Path:
        return self.root / "var" / "lib" / "funding-engine"

    @property
    def etc(self) -> Path:
        return self.root / "etc" / "funding-engine"

    def run(self, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = (
            os.environ | {"DESTDIR": str(self.root), "SYSTEMCTL": str(self.root / "systemctl")} | more
        )
        return subprocess.run(
            [self.source / "deploy" / script, *arguments], env=environment, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip

    def engine(self, *arguments: str) -> str:
        """A command of the installed program, in its own environment."""
        done = subprocess.run(
            [".venv/bin/python", "main.py", *arguments], cwd=self.current, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def told(self) -> list[str]:
        """What systemctl was told since this was asked before."""
        log = self.root / "systemctl.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def become(self, version: str) -> None:
        """Make the source tree another version's."""
        file = self.source / "scripts" / "version.py"
        file.write_text(re.sub(r'VERSION: Final = ".*"', f'VERSION: Final = "{version}"', file.read_text()))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    source, root = folder / "source", folder / "root"
    root.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a git checkout: there is no list of the project's own files")
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    control = root / "systemctl"
    current = root / "opt" / "funding-engine" / "current"
    control.write_text(SYSTEMCTL.format(log=root / "systemctl.log", current=current))
    control.chmod(0o755)
    found = Host(root, source)
    done = found.run("install.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    yield found


def test_an_installation_is_whole_and_starts_nothing(host: Host) -> None:
    assert host.told() == ["daemon-reload"]
    assert host.current.is_symlink() and (host.current / ".whole").exists()
    token = host.etc / "secrets" / "web-token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600 and len(token.read_text().strip()) == 32
    assert stat.S_IMODE((host.etc / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE(host.books.stat().st_mode) == 0o700
    shipped = {path.name for path in (ROOT / "config").glob("*.yaml")}
    assert {path.name for path in (host.etc / "config").iterdir()} == shipped
    units = {path.name for path in (host.root / "etc" / "systemd" / "system").iterdir()}
    assert units == {path.name for path in (*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer"))}


def test_what_was_installed_runs_by_itself(host: Host) -> None:
    host.engine("run", "--for", "2h", "--speed", "max", "--no-web", "--data", str(host.books))
    assert "RUNNING" in host.engine("status", "--data", str(host.books))


def test_to_install_again_changes_nothing_of_the_operators(host: Host) -> None:
    page, token = host.etc / "config" / "monitor.yaml", host.etc / "secrets" / "web-token"
    page.write_text(page.read_text().replace("language: en", "language: zh"))
    before = page.read_bytes(), token.read_bytes(), os.readlink(host.current)
    done = host.run("install.sh")
    assert done.returncode == 0 and "is there already" in done.stdout
    assert (page.read_bytes(), token.read_bytes(), os.readlink(host.current)) == before
    host.told()


def test_a_configuration_with_a_mistake_stops_it_and_names_the_place(host: Host) -> None:
    page = host.etc / "config" / "monitor.yaml"
    right = page.read_text()
    page.write_text(right.replace("language: zh", "language: fr"))
    done = host.run("install.sh", "--start")
    page.write_text(right)
    assert done.returncode == 1
    assert "monitor.yaml" in done.stderr and "language" in done.stderr
    assert not [line for line in host.told() if line.startswith(("enable", "start"))]


def test_nothing_is_started_without_keys_or_when_the_self_check_refuses(host: Host) -> None:
    done = host.run("install.sh", "--start")
    assert done.returncode == 1 and "lacks okx-api-key" in done.stderr
    secrets = host.etc / "secrets"
    names = [
        f"{who}{what}"
        for who in ("", "watchdog-")
        for what in ("okx-api-key", "okx-api-secret", "okx-passphrase")
    ]
    for name in names:
        (secrets / name).touch(0o600)
        (secrets / name).write_text("not a key")
    account = host.etc / "config" / "account.yaml"
    account.write_text(account.read_text().replace("rest_url: null", 'rest_url: "http://127.0.0.1:9"'))
    done = host.run("install.sh", "--start")  # no venue answers, and the configuration says dry_run: true
    assert done.returncode == 1 and "the self-check refuses" in done.stderr
    assert not [line for line in host.told() if line.startswith(("enable", "start"))]


@pytest.mark.parametrize("script", ["install.sh", "upgrade.sh"])
def test_a_rehearsal_changes_nothing(host: Host, script: str) -> None:
    def picture() -> set[str]:
        return {f"{path} {path.lstat().st_mtime_ns}" for path in host.root.rglob("*")}

    before = picture()
    done = host.run(script, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert picture() == before


def test_an_argument_that_does_not_exist_is_named_with_what_is_allowed(host: Host) -> None:
    done = host.run("install.sh", "--begin")
    assert done.returncode == 1 and "'--begin'; allowed are --start, --dry-run and --help" in done.stderr


def test_an_upgrade_backs_up_switches_and_restarts_in_this_order(host: Host) -> None:
    old = os.readlink(host.current)
    host.become("0.2.0")
    done = host.run("upgrade.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    assert os.readlink(host.current).startswith("releases/0.2.0-")
    assert (host.current.parent / old).exists(), "the one before stays, to go back to"
    assert host.told() == [
        "stop funding-engine.service",
        "daemon-reload",
        "start funding-engine.service",
        "is-active --quiet funding-engine.service",
        "restart funding-watchdog.service",
    ]
    [copy] = (host.books / "backups" / "before-upgrade").iterdir()
    assert (copy / "manifest.json").exists()
    assert "RUNNING" in host.engine("status", "--data", str(host.books))
    assert "is current already" in host.run("upgrade.sh").stdout


def test_a_version_that_does_not_come_up_is_taken_back(host: Host) -> None:
    good = os.readlink(host.current)
    host.become("0.3.0-broken")
    done = host.run("upgrade.sh")
    assert done.returncode == 1 and "runs again and holds its hedges" in done.stderr
    assert os.readlink(host.current) == good
    told = host.told()
    assert told.count("start funding-engine.service") == 2
    assert told[-1] == "restart funding-watchdog.service"


def test_a_running_engine_is_upgraded_and_holds_its_hedges(host: Host, tmp_path: Path) -> None:
    books = host.root / "var" / "lib" / "upgraded"
    books.mkdir(mode=0o700)
    with venue("--seed", "7", "--instruments", "BTC-USDT,ETH-USDT") as url:
        control = tmp_path / "systemctl"
        stand_in = f"{sys.executable} {Path(__file__).with_name('stand_in.py')} {host.current} {books} {url}"
        control.write_text(f'#!/bin/sh\nexec {stand_in} "$@"\n')
        control.chmod(0o755)

        def tell(*words: str) -> None:
            subprocess.run([control, *words, "funding-engine.service"], check=True, timeout=200)

        tell("start")
        try:
            until_s = time.monotonic() + 120
            while not (held := hedges(books)):
                assert time.monotonic() < until_s, "nothing was opened"
                time.sleep(0.2)
            host.become("0.4.0")
            done = host.run("upgrade.sh", SYSTEMCTL=str(control), STATE="/var/lib/upgraded")
            assert done.returncode == 0, done.stdout + done.stderr
            tell("is-active")
        finally:
            tell("stop")
    with JournalReader(books / FILE_NAME) as reader:
        rows = list(reader.rows())
    boots = [row.body["version"] for row in rows if row.kind is Kind.BOOT]
    ends = [row.body["clean"] for row in rows if row.kind is Kind.STOP]
    assert boots[1:] == ["0.4.0"] and ends == [True, True]
    closed = {
        row.body["hedge_id"] for row in rows if row.kind is Kind.HEDGE and row.body["event"] == "closed"
    }
    assert not held & closed, "what was held before the upgrade was held after it"
    second = next(n for n, row in enumerate(rows) if row.kind is Kind.BOOT and row.body["version"] == "0.4.0")
    reconciled = [row.body for row in rows[second:] if row.body.get("what") == "reconciled"]
    assert all(body["unexplained"] == [] for body in reconciled)


def hedges(books: Path) -> set[str]:
    """Ids of the hedges that were opened, once the engine has said that their legs are equal."""
    if not (books / FILE_NAME).exists():
        return set()
    with JournalReader(books / FILE_NAME) as reader:
        rows = list(reader.rows())
    if not any(row.kind is Kind.DECISION and row.body["on"] == "opened" for row in rows):
        return set()
    return {row.body["hedge_id"] for row in rows if row.kind is Kind.HEDGE and row.body["event"] == "opened"}


@pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck is not installed: Debian's package, see .ci/run")
def test_the_scripts_are_clean() -> None:
    assert SHELLCHECK is not None
    scripts = [*sorted(DEPLOY.glob("*.sh")), ROOT / ".ci" / "run"]
    done = subprocess.run(
        [SHELLCHECK, "-x", "-P", str(DEPLOY), *map(str, scripts)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
