"""Write docs/faults.md from the marks of the tests."""

from __future__ import annotations

import sys

from scripts.fault_table.page import PAGE, generated


def main() -> int:
    page, wrong = generated()
    PAGE.write_text(page, encoding="utf-8")
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
