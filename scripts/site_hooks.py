"""What mkdocs does not do by itself for the documentation site; mkdocs.yml names this file.

- Pictures of ours are put into the page as SVG, so that they follow the page's light and dark palette.
- The state diagram, Mermaid in the repository, is the picture drawn from the same table: nothing is fetched.
- A link to a file outside of docs/ leads to a copy of it in the site, one to a README to the front page.
- A page without a Chinese twin says so where the Chinese site shows it.
- What the navigation names and nobody has written yet is left out of it, where it is known to be coming.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[1]
COMING: Final = frozenset({"deployment.md", "metrics.md", "runbooks.md"})
ONLY_ENGLISH: Final = (
    '!!! note "本页只有英文"\n    这一页由代码生成，或尚无中文版；中文概要见[操作手册](operations.md)。\n\n'
)
_PICTURE: Final = re.compile(r"^!\[([^\]]*)\]\((pictures/[\w.-]+\.svg)\)$", re.M)
_MERMAID: Final = re.compile(r"^```mermaid\nstateDiagram-v2\n.*?^```$", re.M | re.S)
_STYLE: Final = re.compile(r"<style>.*?</style>\n?", re.S)
_OUTSIDE: Final = re.compile(r"\]\(\.\./([^)#]+)(?:#[^)]*)?\)")
_TWIN: Final = re.compile(r"\]\(([\w-]+)\.zh\.md")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave pages that are coming out of the navigation. Called once for each language."""
    assert config.nav is not None, "mkdocs.yml has a navigation"
    config.nav = _present(config.nav, Path(config.docs_dir))
    return config


def _present(entries: list[Any], docs: Path) -> list[Any]:
    kept = []
    for entry in entries:
        [(title, what)] = entry.items()
        if isinstance(what, list):
            kept.append({title: _present(what, docs)})
        elif what not in COMING or (docs / what).exists():
            kept.append(entry)
    return kept


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
    chinese = config.theme["language"] == "zh"
    text = _MERMAID.sub(f"![{'状态机' if chinese else 'The state machine'}]({_machine(chinese)})", markdown)
    text = _PICTURE.sub(lambda found: _figure(Path(config.docs_dir) / found[2], found[1]), text)
    text = _OUTSIDE.sub(_to_site, text)
    if chinese and not page.file.src_uri.endswith(".zh.md"):
        text = _TWIN.sub(r"](\1.md", text)
        head, _, rest = text.partition("\n")
        text = f"{head}\n\n{ONLY_ENGLISH}{rest}" if head.startswith("# ") else ONLY_ENGLISH + text
    return text


def _machine(chinese: bool) -> str:
    return f"pictures/state-machine{'.zh' if chinese else ''}.svg"


def _figure(path: Path, caption: str) -> str:
    """The drawing itself, without its own colours: site.css has them for both palettes."""
    if not path.is_file():
        raise PluginError(f"{path.name} is no picture: run `make docs`")
    drawing = _STYLE.sub("", path.read_text(encoding="utf-8")).strip()
    return f'<figure class="picture"><div>{drawing}</div><figcaption>{caption}</figcaption></figure>'


def _to_site(found: re.Match[str]) -> str:
    return "](index.md)" if found[1].startswith("README") else f"](source/{found[1]})"
