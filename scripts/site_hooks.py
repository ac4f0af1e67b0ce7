"""What mkdocs does not do by itself for the documentation site; mkdocs.yml names this file.

- Pictures of ours are put into the page as SVG, so that they follow the page's light and dark palette.
- The state diagram, Mermaid in the repository, is the picture drawn from the same table: nothing is fetched.
- A link to a file outside of docs/ leads to a copy of it in the site, one to a README to the front page.
- A page without a Chinese twin says so where the Chinese site shows it.
- A Chinese page that is built like its English twin gets the twin's anchors, one heading after the other.
- `<!-- from README.zh-CN.md: 2. 安装 -->` stands for that chapter: the Chinese manual has one text, not two.
- `<!-- anchor NAME: 标题 -->` gives a heading of such a chapter the anchor its English twin has.
- A link from a page to its twin in the other language leads there.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Set
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

ROOT: Final = Path(__file__).resolve().parents[1]
_PICTURE: Final = re.compile(r"^!\[([^\]]*)\]\((pictures/[\w.-]+\.svg)\)$", re.M)
_MERMAID: Final = re.compile(r"^```mermaid\nstateDiagram-v2\n.*?^```$", re.M | re.S)
_STYLE: Final = re.compile(r"<style>.*?</style>\n?", re.S)
_OUTSIDE: Final = re.compile(r"\]\(\.\./([^)#]+)(?:#[^)]*)?\)")
_FROM: Final = re.compile(r"^<!-- from ([\w.-]+): (.+) -->$", re.M)
_ANCHOR: Final = re.compile(r"^<!-- anchor ([\w-]+): (.+) -->\n", re.M)
_TO_TWIN: Final = re.compile(r"\[([^\]]+)\]\(([\w-]+)\.zh\.md\)")
_TO_ENGLISH: Final = re.compile(r"\[([^\]]+)\]\(\.\./([\w-]+)\.md\)")
_CODE: Final = re.compile(r"^(```+).*?^\1$", re.M | re.S)
_HEAD: Final = re.compile(r"^(#+) (.+?)(?: \{#([\w-]+)\})?$", re.M)
_slug: Final = slugify(case="lower")


@event_priority(-200)  # after the languages have been told apart: these files belong to all of them
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the project that pages link to. Raises PluginError for one that is not there."""
    for page in sorted(Path(config.docs_dir).glob("*.md")):
        for name in _OUTSIDE.findall(page.read_text(encoding="utf-8")):
            if name.startswith("README") or files.get_file_from_path(f"source/{name}") is not None:
                continue
            if not (ROOT / name).is_file():
                raise PluginError(f"{page.name}: ../{name} is no file of the project")
            files.append(File.generated(config, f"source/{name}", abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    chinese, name = config.theme["language"] == "zh", page.file.src_uri
    text = with_chapters(markdown)
    text = _MERMAID.sub(f"![{'状态机' if chinese else 'The state machine'}]({_machine(chinese)})", text)
    text = _PICTURE.sub(lambda found: _figure(Path(config.docs_dir) / found[2], found[1]), text)
    text = _OUTSIDE.sub(_to_site, text)
    if not chinese:
        return _TO_TWIN.sub(r'<a href="zh/\2.html">\1</a>', text)
    if not name.endswith(".zh.md"):
        raise PluginError(f"{name} has no Chinese twin")
    english = name.replace(".zh.md", ".md")
    text = text.replace(f"]({english})", f"](../{english})")
    text = _TO_ENGLISH.sub(r'<a href="../\2.html">\1</a>', text)
    return with_anchors(text, (Path(config.docs_dir) / english).read_text(encoding="utf-8"))


def with_anchors(markdown: str, english: str) -> str:
    """The page with its twin's anchors at headings without one of their own, where both are built alike."""
    twins: list[tuple[str, str]] = []
    for level, text, named in _HEAD.findall(_CODE.sub("", english)):
        twins.append((level, named or _free(_slug(text, "-"), {anchor for _, anchor in twins})))
    code = [found.span() for found in _CODE.finditer(markdown)]
    heads = [
        found
        for found in _HEAD.finditer(markdown)
        if not any(begin <= found.start() < end for begin, end in code)
    ]
    if [found[1] for found in heads] != [level for level, _ in twins]:
        return markdown
    parts, done = [], 0
    for found, (_, anchor) in zip(heads, twins, strict=True):
        parts.append(markdown[done : found.end()] + ("" if found[3] else f" {{#{anchor}}}"))
        done = found.end()
    return "".join(parts) + markdown[done:]


def _free(anchor: str, taken: Set[str]) -> str:
    """The anchor, numbered as Markdown numbers the second of a name."""
    numbered = (f"{anchor}_{n}" for n in itertools.count(1))
    return next(one for one in itertools.chain((anchor,), numbered) if one not in taken)


def with_chapters(markdown: str) -> str:
    """The page with the chapters it takes from a README; links in them lead to where it has them.

    Raises PluginError for a chapter that is not there.
    """
    places = {
        found[2].partition(".")[0]: _anchor_before(markdown, found.start())
        for found in _FROM.finditer(markdown)
    }

    def chapter(found: re.Match[str]) -> str:
        name, title = found.groups()
        text = (ROOT / name).read_text(encoding="utf-8")
        _, head, rest = f"\n{text}".partition(f"\n## {title}\n")
        body = re.split(r"^## ", rest, maxsplit=1, flags=re.M)[0].strip()
        if not head:
            raise PluginError(f"{name} has no chapter {title!r}")
        body = re.sub(r"\]\(docs/", "](", body).replace("](deploy/", "](../deploy/")
        return re.sub(
            r"\]\(#(\d+)-[^)]*\)", lambda link: f"]({places.get(link[1], 'configuration.md')})", body
        )

    text = _ANCHOR.sub("", _FROM.sub(chapter, markdown))
    for anchor, title in _ANCHOR.findall(markdown):
        text, found = re.subn(rf"^(#+ {re.escape(title)})$", rf"\1 {{#{anchor}}}", text, flags=re.M)
        if found != 1:
            raise PluginError(f"{found} headings are called {title!r}")
    return text


def _anchor_before(markdown: str, place: int) -> str:
    """The anchor of the heading a place stands under."""
    anchors: list[str] = re.findall(r"^#+ .*\{(#[\w-]+)\}$", markdown[:place], re.M)
    return anchors[-1]


def _machine(chinese: bool) -> str:
    return f"pictures/state-machine{'.zh' if chinese else ''}.svg"


def _figure(path: Path, caption: str) -> str:
    """The drawing itself, without its own colours: site.css has them for both palettes."""
    if not path.is_file():
        raise PluginError(f"{path.name} is no picture: run `make docs`")
    drawing = _STYLE.sub("", path.read_text(encoding="utf-8")).strip()
    said = f"<figcaption>{caption}</figcaption>"
    return f'<figure class="picture" data-search-exclude><div>{drawing}</div>{said}</figure>'


def _to_site(found: re.Match[str]) -> str:
    return "](index.md)" if found[1].startswith("README") else f"](source/{found[1]})"
