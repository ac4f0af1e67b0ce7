"""Draw the pictures of the documentation into docs/pictures/, in English and in Chinese.

    python -m scripts.doc_pictures

Every figure in them is the engine's own, from generated markets, or the models': scripts/pictures/stories.py.
Run by `make docs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from scripts.pictures import life, machine, money, stories
from scripts.pictures.svg import Language, Sheet, stylesheet

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "docs" / "pictures"


def pictures() -> Iterator[tuple[str, Sheet]]:
    """Every picture in every language, with its name."""
    hedge, climb, year = stories.one_hedge(), stories.squeeze(), stories.year(stories.COIN, stories.YEAR_SEED)
    for language in get_args(Language):
        yield "cash-and-carry", money.cash_and_carry(hedge, language)
        yield "funding", money.funding(year, language)
        yield "net-carry", money.net_carry(hedge, language)
        yield "stopping", money.stopping(year, language)
        yield "state-machine", machine.state_machine(language)
        yield "guards", machine.guards(language)
        yield "hedge-life", life.hedge_life(hedge, language)
        yield "margin", life.margin(climb, language)
        yield "recovery", machine.recovery(language)
        yield "journal", machine.journal(hedge, language)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "pictures.css").write_text(stylesheet(), encoding="utf-8")
    for name, sheet in pictures():
        suffix = "" if sheet.language == "en" else f".{sheet.language}"
        (FOLDER / f"{name}{suffix}.svg").write_text(sheet.svg(), encoding="utf-8")
    print(f"wrote {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
