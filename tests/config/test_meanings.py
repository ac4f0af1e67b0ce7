"""Every file, section and key has its meaning in both languages, and nothing else has one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.fields import section_of
from config.meanings import MEANINGS
from config.schema import Settings
from config.section import Section
from config.yaml_lines import Table, read
from tests.bilingual import told_otherwise

SHIPPED = Path(__file__).parents[2] / "config"


def paths(section: type[Section], prefix: str) -> Iterator[str]:
    """The section, and every section and key in it."""
    yield prefix
    for name, field in section.model_fields.items():
        inner = section_of(field)
        yield from paths(inner, f"{prefix}.{name}") if inner else (f"{prefix}.{name}",)


def every_path() -> list[str]:
    files = ((name, section_of(field)) for name, field in Settings.model_fields.items())
    return [path for name, section in files if section for path in paths(section, name)]


def comments(name: str) -> Iterator[tuple[str, str]]:
    """Every section and key of a shipped file, with the comment that stands above it."""
    text = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    tree, _ = read(text.encode())
    assert isinstance(tree, Table)
    lines = text.splitlines()
    yield name, lines[0].removeprefix("# ")
    yield from _comments(tree, lines, name)


def _comments(table: Table, lines: list[str], prefix: str) -> Iterator[tuple[str, str]]:
    for key, line in table.key_lines.items():
        above: list[str] = []
        for text in reversed(lines[: line - 1]):
            if not text.lstrip().startswith("#"):
                break
            above.insert(0, text.lstrip(" #"))
        yield f"{prefix}.{key}", " ".join(above)
        if isinstance(inner := table.values[key], Table):
            yield from _comments(inner, lines, f"{prefix}.{key}")


def test_the_catalogue_has_every_file_section_and_key_and_no_other() -> None:
    assert set(MEANINGS) == set(every_path())


def test_the_comments_of_the_shipped_files_say_what_the_catalogue_says_in_english() -> None:
    told = dict(pair for name in Settings.model_fields for pair in comments(name))
    assert told == {path: english for path, (english, _) in MEANINGS.items()}


def test_the_chinese_has_every_number_and_every_name_of_the_english() -> None:
    assert told_otherwise(MEANINGS) == {}
