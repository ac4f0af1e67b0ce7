"""Where a run keeps its books: data/live, data/dry-run, and one numbered folder for each demo."""

from __future__ import annotations

from pathlib import Path

from core.errors import UsageError
from core.journal import FILE_NAME
from scripts.options import Mode, RunOptions

DATA = Path("data")
LATEST = DATA / "latest"  # a text file naming the folder of the last run


def data_folder(options: RunOptions) -> Path:
    """The folder of this run, made when absent.

    A demo that brings its own venue needs fresh books, because that venue knows nothing of older
    ones. Raises UsageError when such a demo is pointed at a folder that has a journal already.
    """
    brings_venue = options.mode is Mode.DEMO and options.venue is None
    if options.data is not None:
        folder = options.data
        if brings_venue and (folder / FILE_NAME).exists():
            raise UsageError(
                f"--data {folder}: has a journal of an earlier venue; an empty folder is needed, or --venue"
            )
    elif brings_venue:
        demos = DATA / "demo"
        demos.mkdir(parents=True, exist_ok=True)
        number = max((int(p.name) for p in demos.iterdir() if p.name.isdigit()), default=0) + 1
        folder = demos / f"{number:04d}"
    else:
        folder = DATA / options.mode.value
    folder.mkdir(parents=True, exist_ok=True)
    if options.data is None:
        LATEST.write_text(f"{folder}\n")
    return folder


def lasting_folder(options: RunOptions) -> Path | None:
    """Where this run's books would be from before; None for a demo that begins afresh."""
    if options.data is not None:
        return options.data
    if options.mode is Mode.DEMO and options.venue is None:
        return None
    return DATA / options.mode.value


def last_folder(asked: Path | None) -> Path:
    """The folder a question is about: the one asked for, else that of the last run."""
    if asked is not None:
        return asked
    if not LATEST.exists():
        raise UsageError("no run was made here yet: start one with `make run`, or name its --data folder")
    return Path(LATEST.read_text().strip())
