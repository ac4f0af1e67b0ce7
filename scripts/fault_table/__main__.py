"""Write docs/faults.md and its Chinese twin from the marks of the tests."""

from __future__ import annotations

import sys

from scripts.fault_table.page import PAGES, generated


def main() -> int:
    texts, wrong = generated()
    for language, page in PAGES.items():
        page.write_text(texts[language], encoding="utf-8")
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
