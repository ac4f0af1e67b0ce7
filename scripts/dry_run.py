"""The engine on OKX's public data with fills on paper: no key is read, no order can leave.

python scripts/dry_run.py --for 1h
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from main import main

if __name__ == "__main__":
    sys.exit(main(["run", "--mode", "dry-run", *sys.argv[1:]]))
