"""Write the page's vocabulary from the engine's: `python -m scripts.page_words`.

The bundle is built from the file this writes: afterwards `npm run build` in monitor/dashboard.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monitor.page_words import catalogue

ROOT: Final = Path(__file__).resolve().parents[1]
FILE: Final = ROOT / "monitor" / "dashboard" / "src" / "i18n" / "catalogue.ts"

_HEAD: Final = """\
// Written by `python -m scripts.page_words` from monitor/page_words.py: change it there.

export type Pair = readonly [english: string, chinese: string];
"""


def source() -> str:
    """Return the file in TypeScript."""
    return _HEAD + "".join(_lines())


def _lines() -> Iterator[str]:
    for name, table in catalogue().items():
        kind = "string" if any(isinstance(value, str) for value in table.values()) else "Pair"
        yield f"\nexport const {name}: Record<string, {kind}> = {{\n"
        for key, value in table.items():
            yield f"  {_text(key)}: {_text(value)},\n"
        yield "};\n"


def _text(value: str | tuple[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    FILE.write_text(source(), encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")
