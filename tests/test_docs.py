"""The documentation promises only what exists: commands parse, links resolve, tables are the code's."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from config.loader import load
from config.schema import Risk, Settings
from core.context import Permission
from core.errors import UsageError
from core.events import State
from core.table import TABLE
from main import app
from monitor import words
from monitor.texts import TEXTS
from risk import Degradation, build_alarms
from scripts import options, state_diagram
from scripts.simulation.swarm import CRASH_POINTS, FAMILIES, REGIMES
from tests.risk.scenes import scene

ROOT = Path(__file__).resolve().parents[1]
README, MANUAL_ZH, MANUAL_EN = "README.md", "README.zh-CN.md", "docs/operations.md"
PAGES = (
    README, MANUAL_ZH, MANUAL_EN, "docs/architecture.md", "docs/simulation.md", "docs/faults.md",
    "docs/search.md", "docs/data.md", "docs/signals-measured.md", "docs/signals-measured.zh.md",
    *(f"docs/{name}{language}.md" for language in ("", ".zh")
      for name in ("api", "configuration", "deployment", "metrics", "runbooks", "signals")),
    *(f"docs/{name}{language}.md" for language in ("", ".zh")
      for name in ("index", "quickstart", "concepts", "add-a-guard", "add-a-module", "add-a-strategy",
                   "add-a-venue")),
    "docs/operations.zh.md", "docs/architecture.zh.md", "docs/venue.md",
    *(f"docs/{name}.zh.md" for name in ("simulation", "faults", "search", "data", "venue")),
)  # fmt: skip
PLACEHOLDERS = {"DIR": ".", "URL": "http://127.0.0.1:8080", "N": "7"}
OUR_FILE = re.compile(
    r"(?:core|config|risk|strategy|execution|exchange|monitor|scripts|tests|docs)/[\w/.-]+\.(?:py|yaml|md)"
)
COMMAND_LINE: Any = typer.main.get_command(app)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def commands_in(text: str) -> Iterator[str]:
    """Every command a reader could copy: lines of code blocks, and what stands between backticks."""
    blocks = re.findall(r"```\n(.*?)```", text, re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    for line in (*(line for block in blocks for line in block.splitlines()), *spans):
        if re.match(r"(python (main\.py|scripts/\w+\.py)|make)( |$)", line.strip()):
            yield line.strip()


COMMANDS = sorted({command for page in PAGES for command in commands_in(text_of(page))})
OF_MAIN = [c for c in COMMANDS if c.startswith("python main.py")]
OF_SCRIPTS = [c for c in COMMANDS if c.startswith("python scripts/")]
OF_MAKE = [c for c in COMMANDS if c.startswith("make")]


def words_of(command: str) -> list[str]:
    """What the shell would pass on; a placeholder stands for a value that is allowed."""
    return [PLACEHOLDERS.get(word, word) for word in shlex.split(command)]


def parse(words: list[str]) -> str:
    """Read a command line of main.py down to its values without running it; return the command's name.

    Fails for a command or flag that does not exist, and for a value that is not allowed.
    """
    command, names = COMMAND_LINE, []
    words = words or ["run"]
    while hasattr(command, "commands"):
        name, *words = words
        assert name in command.commands, f"there is no command {name}"
        command, names = command.commands[name], [*names, name]
    said = command.make_context(names[-1], words).params
    if names == ["run"]:
        options.speed_of(said["speed"])
        options.names_of(said["instruments"])
        if said["for_"] is not None:
            options.duration_ms(said["for_"])
        for name in ("from_", "to"):
            if said[name] is not None:
                options.instant_ms(said[name], name)
    return " ".join(names)


def leaves(command: Any, *names: str) -> Iterator[str]:
    if not hasattr(command, "commands"):
        yield " ".join(names)
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, *names, name)


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


# --- commands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", OF_MAIN)
def test_a_command_of_main_exists_with_its_flags(command: str) -> None:
    parse(words_of(command)[2:])


@pytest.mark.parametrize("command", OF_SCRIPTS)
def test_a_script_exists_with_its_flags(command: str) -> None:
    done = run(sys.executable, *words_of(command)[1:], "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


@pytest.mark.parametrize("command", OF_MAKE)
def test_a_make_target_exists_and_its_flags_are_those_of_run(command: str) -> None:
    _, *words = words_of(command)
    planned = run("make", "--dry-run", *words)
    assert planned.returncode == 0, planned.stderr
    for word in words:
        name, is_variable, value = word.partition("=")
        if is_variable and name == "ARGS" and value != "...":
            assert parse(["run", *words_of(value)]) == "run"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("run --bogus", "No such option"),
        ("run --seed x", "valid integer"),
        ("run --for 30", "is allowed, like 30d"),
        ("predict", "no command predict"),
        ("journal burn", "no command burn"),
    ],
)
def test_the_check_on_commands_sees(wrong: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        parse(wrong.split())


@pytest.mark.parametrize("page", [MANUAL_ZH, MANUAL_EN])
def test_every_command_is_in_the_manual_in_both_languages(page: str) -> None:
    told = {parse(words_of(c)[2:]) for c in commands_in(text_of(page)) if c.startswith("python main.py")}
    told |= {"run"} if "make run" in text_of(page) else set()
    assert told == set(leaves(COMMAND_LINE))


def test_the_generating_commands_leave_the_docs_as_they_are(tmp_path: Path) -> None:
    rooms = ("config", "core", "exchange", "execution", "monitor", "risk", "strategy")
    for folder in (*rooms, "docs", "scripts", "tests"):
        # without the planted secrets, which may be in no file a test leaves behind
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "canaries.py")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    page = tmp_path / "docs" / "architecture.md"
    page.write_text(page.read_text(encoding="utf-8").replace("RUNNING --> STOPPED", "RUNNING --> NOWHERE"))
    scripts = re.findall(r"bin/python (-m scripts\.\w+|scripts/\w+\.py)", run("make", "-n", "docs").stdout)
    assert len(scripts) == 8
    for script in scripts:
        done = run(sys.executable, *script.split(), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    twins = ("api", "architecture", "configuration", "faults", "metrics")
    pages = tuple(f"{name}{language}" for name in twins for language in ("", ".zh"))
    pictures = sorted(path.name for path in (tmp_path / "docs" / "pictures").glob("*.svg"))
    assert pictures
    written = (*(f"docs/{page}.md" for page in pages), *(f"docs/pictures/{name}" for name in pictures))
    words = "monitor/dashboard/src/i18n/catalogue.ts"
    for name in (*written, "monitor/web/examples.json", words):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes(), f"{name}: run `make docs`"


# --- the state machine ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "language"), [("architecture", "en"), ("architecture.zh", "zh")])
def test_the_diagram_in_the_docs_is_that_of_the_table(name: str, language: str) -> None:
    page = text_of(f"docs/{name}.md")
    assert page == state_diagram.put_into(page, language), "run `make docs`"


def test_the_diagram_has_an_arrow_for_every_way_and_for_nothing_else() -> None:
    drawn = {
        (source, dest, event)
        for source, dest, events in re.findall(r"^ +(\S+) --> (\S+) : (.+)$", state_diagram.diagram(), re.M)
        for event in events.split(", ")
    }
    ways = {
        ("[*]" if row.on == "boot" else source.value, row.dest.value, row.on.value)
        for row in TABLE
        if row.dest is not None
        for source in row.sources
    }
    assert drawn == ways


def test_the_transition_table_names_every_row_in_order_with_all_its_guards() -> None:
    lines = state_diagram.block().splitlines()
    may_we = next(line for line in lines if line.startswith("**may we**"))
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == len(TABLE)
    for line, row in zip(rows, TABLE, strict=True):
        _, event, _, dest, guards, act, _ = (cell.strip() for cell in line.split("|"))
        named = re.findall(r"`(\w+)`", guards.replace("**may we**", may_we))
        assert (event, dest) == (f"`{row.on}`", row.dest or "stays")
        assert tuple(named) == row.guards
        assert act == (row.act or "")


def test_a_page_without_its_markers_is_not_written() -> None:
    with pytest.raises(ValueError, match="markers"):
        state_diagram.put_into("# Architecture\n")


@pytest.mark.parametrize("page", [README, MANUAL_ZH, "docs/architecture.md"])
def test_the_docs_name_every_state_and_every_permission(page: str) -> None:
    text = text_of(page)
    assert [name for name in (*State, *Permission.__members__) if name not in text] == []


@pytest.mark.parametrize("page", [README, MANUAL_ZH])
def test_the_guards_of_an_opening_are_those_of_the_table(page: str) -> None:
    opening = next(row for row in TABLE if row.act == "open")
    told = re.findall(r"^\| `(\w+)` \| .*[?？]? \|$", _guard_table(text_of(page)), re.M)
    assert set(told) == set(opening.guards)


def _guard_table(text: str) -> str:
    start = text.index("| `carry_pays` |")
    return text[start : text.index("\n\n", start)]


# --- messages ---------------------------------------------------------------------------------------


def test_every_breach_is_in_the_manual_in_both_languages() -> None:
    for alarm in build_alarms(Risk()):
        assert f"| `{alarm.name}` |" in text_of(MANUAL_EN)
        assert f"| 触线：{words.word(alarm.name, 'zh')} `{alarm.name}` |" in text_of(MANUAL_ZH)


def test_every_condition_in_the_manual_is_one_the_engine_can_tell() -> None:
    table = text_of(MANUAL_EN).partition("\nConditions:\n")[2].partition("\n\nOther")[0]
    named = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    assert named
    assert {name for name in named if f"health.{name}" not in TEXTS} == set()


def first_cells(text: str) -> list[str]:
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]


def test_every_alarm_and_condition_is_in_the_chinese_manual_under_the_word_its_message_has() -> None:
    english = text_of(MANUAL_EN).partition("\nBreaches and alarms:\n")[2].partition("\nOther troubles")[0]
    names = {name for cell in first_cells(english) for name in re.findall(r"`([\w ]+)`", cell)}
    assert len(names) > 30
    chinese = first_cells(text_of(MANUAL_ZH).partition("\n触线与警报：\n")[2])
    told = [(name, cell) for cell in chinese for name in re.findall(r"`([\w .]+)`", cell)]
    assert names - {name for name, _ in told} == set()
    for name in names:
        assert any(words.word(name, "zh") in cell for other, cell in told if other == name), name


def test_every_condition_of_the_runbooks_has_a_chinese_word() -> None:
    heads = re.findall(r"^### (.+)$", text_of("docs/runbooks.md"), re.M)
    told_by_themselves = {"stopped", "self_check_failed"}  # as whole messages
    conditions = [head for head in heads if re.fullmatch(r"[a-z_. ]+", head) and "watchdog." not in head]
    assert len(conditions) > 50
    assert {head for head in conditions if words.word(head, "zh") == head} == told_by_themselves


def causes() -> set[str]:
    """Every cause that can lower the permission: those that are judged, and those the engine sets itself."""
    judged = {finding.cause for finding in Degradation(Settings()).judge(scene())}
    return judged | {"crash_loop", "breaker", "operator", "deadline", "broken hedge", "journal"} | {
        "disk", "task", "liquidation",
    }  # fmt: skip


@pytest.mark.parametrize("page", [MANUAL_EN, MANUAL_ZH])
def test_every_cause_that_lowers_the_permission_is_explained_in_both_languages(page: str) -> None:
    heads = [line.split("|")[1] for line in text_of(page).splitlines() if line.startswith("| `")]
    explained = {name for head in heads for name in re.findall(r"`([\w ]+)`", head)}
    assert causes() - explained == set()


def test_every_cause_and_its_reason_has_chinese_words() -> None:
    for finding in Degradation(Settings()).judge(scene()):
        assert words.word(finding.cause, "zh") != finding.cause
        assert words.word(finding.reason, "zh") != finding.reason
    assert all(words.word(cause, "zh") != cause for cause in causes())


# --- twins ------------------------------------------------------------------------------------------


def code_of(page: str) -> list[tuple[str, list[str]]]:
    """Every code block of a page: its language, and its lines without comments, which are in words."""
    blocks = re.findall(r"^```([^\n]*)\n(.*?)^```$", text_of(page), re.M | re.S)
    return [
        (language, re.sub(r" *(?:^|(?<= ))#.*$", "", text, flags=re.M).split("\n"))
        for language, text in blocks
    ]


@pytest.mark.parametrize("name", ["search", "data", "simulation", "venue", "signals-measured"])
def test_a_chinese_page_has_the_code_of_its_english_twin(name: str) -> None:
    english = code_of(f"docs/{name}.md")
    assert len(english) > 1
    assert code_of(f"docs/{name}.zh.md") == english


# --- links ------------------------------------------------------------------------------------------


def slug(heading: str) -> str:
    """The anchor a repository page gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors_of(path: Path) -> set[str]:
    prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    heads = re.findall(r"^#+ (.+?)(?: \{#([\w-]+)\})?$", prose, re.M)
    given = re.findall(r"^<!-- anchor ([\w-]+): .+ -->$", prose, re.M)  # to a chapter taken from elsewhere
    return {named or slug(heading) for heading, named in heads} | set(given)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    here = ROOT / page
    for link in re.findall(r"\]\(([^)]+)\)", text_of(page)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (here.parent / name).resolve() if name else here
        assert target.exists(), f"{page}: {link}"
        assert not anchor or anchor in anchors_of(target), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    text = text_of(page)
    made = set(re.findall(r'^```\w+ title="([^"]+)"$', text, re.M))  # by a tutorial, as its test does
    assert [name for name in OUR_FILE.findall(text) if not (ROOT / name).exists() and name not in made] == []


# --- the simulation ---------------------------------------------------------------------------------


SIMULATION = ["docs/simulation.md", "docs/simulation.zh.md"]


@pytest.mark.parametrize("page", [*SIMULATION, MANUAL_ZH])
def test_every_family_of_faults_is_in_the_simulations_manual(page: str) -> None:
    assert [name for name in FAMILIES if f"`{name}`" not in text_of(page)] == []


def test_the_mistakes_in_the_readme_are_told_as_it_says(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "config", tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    for name, right, wrong in (
        ("account.yaml", r"^leverage: .*$", "leverage: 25"),
        ("risk.yaml", r"^  max_wick_ratio: .*$", "  max_wick_ratio: 1e-4"),
    ):
        path = tmp_path / "config" / name
        text, changed = re.subn(right, wrong, path.read_text(encoding="utf-8"), flags=re.M)
        assert changed == 1
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as told:
        load(tmp_path / "config")
    assert str(told.value).replace(str(tmp_path / "config"), "config") in text_of(README)


@pytest.mark.parametrize("page", SIMULATION)
def test_every_regime_a_story_turns_to_and_every_kind_of_crash_point_is_told(page: str) -> None:
    text = text_of(page)
    assert [name for name, _ in REGIMES if name not in text] == []
    for name, _, _ in CRASH_POINTS:
        place, what, *_ = name.split()
        assert (what in text) if place == "disk" else (f"`{place} {what}" in text), name


@pytest.mark.parametrize("page", SIMULATION)
def test_the_manual_says_of_every_invariant_whether_an_oracle_looks_at_it(page: str) -> None:
    rows = re.findall(r"^\| (INV-\d+) \|.*\| (.+) \|$", text_of(page), re.M)
    assert [name for name, _ in rows] == [f"INV-{n}" for n in range(1, 21)]
    told = {name for name, where in rows if not where.startswith("not ")}
    sources = "".join(text_of(f"scripts/simulation/{name}.py") for name in ("oracles", "paper_trail", "run"))
    # INV-20 is the venue's audit, which raises by itself.
    assert told == set(re.findall(r'(?:fail|Violation)\(\s*"(INV-\d+)"', sources)) | {"INV-20"}
