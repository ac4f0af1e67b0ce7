"""The documentation site builds without a warning, in both languages; every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.canaries import found_in
from tests.test_project import FORBIDDEN_TEXT

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
LACKING = "mkdocs is not installed: `make setup-dev`, or `make site`"
PluginError = pytest.importorskip("mkdocs.exceptions", reason=LACKING).PluginError
site_hooks = pytest.importorskip("scripts.site_hooks", reason=LACKING)


@dataclass
class Seen(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    headings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if "id" in said:
            self.anchors.add(said["id"])
            if tag in ("h1", "h2", "h3"):
                self.headings.append(said["id"])
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag in ("img", "script", "source") and "src" in said:
            self.loaded.append(said["src"])
        elif tag == "link" and said.get("rel") in ("stylesheet", "icon", "preconnect"):
            self.loaded.append(said["href"])


def seen(path: Path) -> Seen:
    page = Seen()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make site` does."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pages(site: Path) -> Iterator[Path]:
    """All but the page for what is not there, whose links are absolute."""
    yield from (path for path in sorted(site.rglob("*.html")) if path.name != "404.html")


def test_every_link_and_every_anchor_of_the_site_is_there(site: Path) -> None:
    known = {path: seen(path) for path in pages(site)}
    assert len(known) == 2 * len(list(DOCS.glob("*.zh.md")))
    broken = []
    for path, page in known.items():
        for link in (*page.links, *page.loaded):
            name, _, anchor = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            target = (path.parent / unquote(name)).resolve() if name else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (
                anchor and target in known and unquote(anchor) not in known[target].anchors
            ):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    foreign = [f"{path.name}: {one}" for path in pages(site) for one in seen(path).loaded if "//" in one]
    foreign += [
        f"{path.name}: {one}"
        for path in site.rglob("*.css")
        for one in re.findall(r"url\(['\"]?(?:https?:)?//[^)]*\)", path.read_text(encoding="utf-8"))
    ]
    assert foreign == []
    shown = "".join(path.read_text(encoding="utf-8") for path in pages(site))
    assert 'class="mermaid"' not in shown, "Mermaid would be fetched from a foreign host"


def test_a_chinese_page_has_the_anchors_of_its_english_twin(site: Path) -> None:
    for twin in DOCS.glob("*.zh.md"):
        name = twin.name.replace(".zh.md", ".html")
        english, chinese = seen(site / name).headings, seen(site / "zh" / name).anchors
        assert [anchor for anchor in english if anchor not in chinese] == [], twin.name


def sections(markdown: str, anchors: set[str]) -> dict[str, str]:
    """The text under each of these anchors, that of headings with other anchors included."""
    found, here = {"": ""}, ""
    for part in re.split(r"(?m)^(?=#+ .*\{#[\w-]+\}$)", markdown):
        named = re.match(r"#+ .*\{#([\w-]+)\}$", part.partition("\n")[0])
        here = named[1] if named and named[1] in anchors else here
        found[here] = found.get(here, "") + part
    return found


def code_in(text: str) -> set[str]:
    """What stands as code in a text, commands without the reason somebody gives for them."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.S)
    spans = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    lines = (line for block in blocks for line in block.splitlines())
    return {
        re.sub(r' --reason ".*"', "", " ".join(code.split())) for code in (*spans, *lines) if code.strip()
    }


def test_the_chinese_manual_says_under_each_anchor_what_the_english_one_does() -> None:
    """Every command, key, file and message that is named: words may be fewer, facts may not."""
    english = (DOCS / "operations.md").read_text(encoding="utf-8")
    chinese = site_hooks.with_chapters((DOCS / "operations.zh.md").read_text(encoding="utf-8"))
    english = site_hooks.with_anchors(english, english)
    anchors = set(re.findall(r"^#+ .*\{#([\w-]+)\}$", english, re.M))
    here, there = sections(english, anchors), sections(chinese, anchors)
    assert len(here) > 10
    assert list(there) == list(here)
    lacking = {anchor: code_in(text) - code_in(there[anchor]) for anchor, text in here.items()}
    assert {anchor: names for anchor, names in lacking.items() if names} == {}


def test_no_page_names_a_secret_or_a_path_of_a_machine(site: Path) -> None:
    for path in (*pages(site), site / "search" / "search_index.json"):
        text = path.read_text(encoding="utf-8")
        assert not found_in(text.encode()), f"{path.name}: a planted secret"
        assert str(ROOT) not in text, path.name
        for what, pattern in FORBIDDEN_TEXT.items():
            assert not re.search(pattern, text), f"{path.name}: {what}"


def test_every_english_page_has_a_chinese_twin_and_no_twin_stands_alone() -> None:
    english = {path.name for path in DOCS.glob("*.md") if not path.name.endswith(".zh.md")}
    assert {name.replace(".md", ".zh.md") for name in english} == {path.name for path in DOCS.glob("*.zh.md")}


def test_every_picture_is_in_a_page_of_its_language() -> None:
    for path in (DOCS / "pictures").glob("*.svg"):
        suffix = ".zh.md" if path.name.endswith(".zh.svg") else ".md"
        texts = [
            p.read_text(encoding="utf-8") for p in DOCS.glob("*.md") if p.name.partition(".")[2] == suffix[1:]
        ]
        assert any(f"pictures/{path.name})" in text for text in texts), path.name


def test_a_chapter_that_a_page_takes_has_to_be_there() -> None:
    page = "# x {#x}\n\n## y {#y}\n\n<!-- from README.zh-CN.md: 4. 自检 -->\n"
    taken = site_hooks.with_chapters(page)
    assert "python scripts/bootstrap.py" in taken
    assert "<!--" not in taken
    with pytest.raises(PluginError, match="no chapter"):
        site_hooks.with_chapters(page.replace("自检", "自省"))
    with pytest.raises(PluginError, match="0 headings"):
        site_hooks.with_chapters(page + "<!-- anchor z: 没有这一节 -->\n")


def test_a_chinese_page_takes_the_anchors_of_a_twin_that_is_built_alike() -> None:
    english = "# One\n\n## Two words\n\n```\n# no heading\n```\n\n## Three {#3}\n"
    chinese = "# 一\n\n## 二\n\n```\n# 不是标题\n```\n\n## 三 {#own}\n"
    assert site_hooks.with_anchors(chinese, english) == chinese.replace("# 一", "# 一 {#one}").replace(
        "## 二", "## 二 {#two-words}"
    )
    assert site_hooks.with_anchors(chinese + "## 四\n", english) == chinese + "## 四\n"


def test_headings_of_one_name_get_the_numbers_that_markdown_gives_them() -> None:
    english = "# Health\n\n## Health\n\n## Health\n"
    assert site_hooks.with_anchors("# 健康\n\n## 健康\n\n## 健康\n", english) == (
        "# 健康 {#health}\n\n## 健康 {#health_1}\n\n## 健康 {#health_2}\n"
    )
