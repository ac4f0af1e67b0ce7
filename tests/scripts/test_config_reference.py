"""The reference page says what the configuration says."""

from __future__ import annotations

from config.loader import describe
from config.schema import Settings
from scripts.config_reference import PAGE, ROOT, page


def test_the_page_in_docs_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(ROOT / "config"), "run `make docs`"


def test_every_key_has_a_row_with_meaning_bounds_and_default() -> None:
    text = page(ROOT / "config")
    for path, default in describe(Settings()).items():
        key = path.partition(".")[2]
        row = next(line for line in text.splitlines() if line.startswith(f"| `{key}` |"))
        _, _, meaning, allowed, shown, _ = row.replace("\\|", "/").split("|")
        assert len(meaning.strip()) > 10 and allowed.strip(), row
        assert shown.strip("` ") == default


def test_every_section_is_introduced() -> None:
    for line in page(ROOT / "config").splitlines():
        if line.startswith("| **`"):
            assert len(line.replace("\\|", "/").split("|")[2].strip()) > 10, line


def test_the_chinese_manual_names_every_key_with_its_default() -> None:
    manual = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    chapter = manual.partition("## 12.")[2].partition("## 13.")[0]
    for path, default in describe(Settings()).items():
        file, _, key = path.partition(".")
        section = chapter.partition(f"### {file}.yaml")[2].partition("###")[0]
        row = next(line for line in section.splitlines() if line.startswith(f"| `{key}` |"))
        assert row.endswith(f"| `{default}` |"), row
