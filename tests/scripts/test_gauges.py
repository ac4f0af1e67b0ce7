from __future__ import annotations

import os
from pathlib import Path

from scripts.backup import MANIFEST
from scripts.gauges import safekeeping


def copy_of(folder: Path, made_s: float) -> None:
    folder.mkdir(parents=True)
    (folder / MANIFEST).touch()
    os.utime(folder / MANIFEST, (made_s, made_s))


def test_the_youngest_copy_counts_wherever_below_the_folder_it_lies(tmp_path: Path) -> None:
    copies = tmp_path / "backups"
    copy_of(copies / "2026-01-01", 1_000.0)
    copy_of(copies / "timer" / "2026-01-02", 5_000.0)
    found = safekeeping(tmp_path, copies, 8_600.0)
    assert found is not None and found.backup_age_s == 3_600
    assert 0 < found.free_bytes <= found.size_bytes


def test_without_any_copy_there_is_no_age(tmp_path: Path) -> None:
    found = safekeeping(tmp_path, tmp_path / "backups", 1.0)
    assert found is not None and found.backup_age_s is None


def test_a_folder_that_is_gone_is_no_error_of_a_scrape(tmp_path: Path) -> None:
    assert safekeeping(tmp_path / "gone", tmp_path, 1.0) is None
